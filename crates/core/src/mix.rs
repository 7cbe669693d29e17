//! What somebody ticked for a credential: toolsets, and single tools of them.

use crate::id::FlowId;
use crate::suggest::did_you_mean;
use crate::{Fault, schema::shorten};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A toolset by the name that people choose it by. In JSON and in the database: its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolsetKey {
    Files,
    Catalog,
    Flows,
    Repl,
    Memory,
    Knowledge,
    Skills,
}

impl ToolsetKey {
    pub const ALL: [ToolsetKey; 7] = [
        ToolsetKey::Files,
        ToolsetKey::Catalog,
        ToolsetKey::Flows,
        ToolsetKey::Repl,
        ToolsetKey::Memory,
        ToolsetKey::Knowledge,
        ToolsetKey::Skills,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            ToolsetKey::Files => "files",
            ToolsetKey::Catalog => "catalog",
            ToolsetKey::Flows => "flows",
            ToolsetKey::Repl => "repl",
            ToolsetKey::Memory => "memory",
            ToolsetKey::Knowledge => "knowledge",
            ToolsetKey::Skills => "skills",
        }
    }

    pub const fn title(self) -> &'static str {
        match self {
            ToolsetKey::Files => "Files",
            ToolsetKey::Catalog => "Connectors",
            ToolsetKey::Flows => "Flows",
            ToolsetKey::Repl => "Python",
            ToolsetKey::Memory => "Memory",
            ToolsetKey::Knowledge => "Documents",
            ToolsetKey::Skills => "Skills",
        }
    }

    /// One sentence for the page where credentials are made.
    pub const fn sentence(self) -> &'static str {
        match self {
            ToolsetKey::Files => "Read and change the files of the workspace",
            ToolsetKey::Catalog => "Find and call every connected service",
            ToolsetKey::Flows => "Call flows as tools, also those that are made later",
            ToolsetKey::Repl => "Run Python with the connected accounts",
            ToolsetKey::Memory => "Read and write the notes of the person and the organization",
            ToolsetKey::Knowledge => "Search the documents of the organization",
            ToolsetKey::Skills => {
                "Read the skills of the organization, which are resources and no tools"
            }
        }
    }

    /// Whether it shows data of the organization, which has a scope of its own.
    pub const fn is_data(self) -> bool {
        matches!(
            self,
            ToolsetKey::Memory | ToolsetKey::Knowledge | ToolsetKey::Skills
        )
    }

    /// Whether it works for a person. The others are a workspace's.
    pub const fn is_of_person(self) -> bool {
        !matches!(self, ToolsetKey::Files | ToolsetKey::Flows)
    }

    /// The one of that name; `at` is the pointer that a refusal names.
    pub fn read(name: &str, at: &str) -> Result<Self, Fault> {
        let mut all = ToolsetKey::ALL.into_iter();
        all.find(|key| key.name() == name).ok_or_else(|| {
            let names = ToolsetKey::ALL.map(ToolsetKey::name);
            let message = format!("There is no toolset {:?}.", shorten(name));
            Fault::invalid_arg(at, "enum", message)
                .hint(format!("Toolsets are {}.", names.join(", ")))
                .meant(&did_you_mean(name, names, 3))
        })
    }
}

/// The toolsets and tools of a credential. Without either it has what its kind usually has, which
/// may become more with the product.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mix {
    pub toolsets: Option<BTreeSet<ToolsetKey>>,
    /// The tools that it has and no others; without them, all of its toolsets.
    pub tools: Option<Arc<Picked>>,
}

/// Single tools that were ticked. A flow is kept by its id: its tool may get another name, and another
/// flow may get the name of one that is gone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picked {
    /// Of the program's own tools; of what was ticked before flows had their ids here, of those, too.
    pub names: BTreeSet<String>,
    pub flows: BTreeSet<FlowId>,
}

impl Picked {
    pub fn has(&self, tool: &str) -> bool {
        self.names.contains(tool)
    }

    pub fn has_flow(&self, flow: &FlowId, tool: &str) -> bool {
        self.flows.contains(flow) || self.names.contains(tool)
    }

    pub fn count(&self) -> usize {
        self.names.len() + self.flows.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_toolset_has_one_name_in_words_and_in_json() {
        for key in ToolsetKey::ALL {
            assert_eq!(serde_json::to_value(key).unwrap(), key.name());
            assert_eq!(ToolsetKey::read(key.name(), "").unwrap(), key);
        }
        let fault = ToolsetKey::read("flow", "/toolsets/0").unwrap_err();
        assert!(serde_json::to_string(&fault).unwrap().contains("flows"));
    }
}
