//! The flows on a hosted server in CODE mode as programs know them: `quaymaster.flows.<name>(input)`.

use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::surface::{self, FLOWS, Hit, Index, Switched};
use quaymaster_core::Fault;
use quaymaster_core::tool::ToolDef;
use quaymaster_sandbox::Namespace;
use serde_json::Value;
use std::fmt::Write as _;
use std::sync::{Arc, OnceLock};

pub(crate) struct InPrograms {
    definition: Definition,
    tools: Vec<ToolDef>,
    index: OnceLock<Index>,
}

impl InPrograms {
    pub(super) fn new<'t>(tools: impl Iterator<Item = &'t ToolDef>) -> Self {
        let tools: Vec<ToolDef> = tools.cloned().collect();
        InPrograms {
            definition: surface::of_flows(&tools),
            tools,
            index: OnceLock::new(),
        }
    }

    fn switched(&self) -> Switched<'_> {
        Switched::whole(FLOWS, &self.definition)
    }

    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::new(&[self.switched()]))
    }

    /// Makes the index of searches where it is not made yet, on a thread that may be held up.
    pub(crate) async fn make_index(self: &Arc<Self>) {
        if self.index.get().is_none() {
            let flows = self.clone();
            // A panic there comes again where the index is used.
            let _ = tokio::task::spawn_blocking(move || {
                flows.index();
            })
            .await;
        }
    }

    pub(crate) fn title(&self) -> &str {
        &self.definition.title
    }

    pub(crate) fn summary(&self) -> &str {
        &self.definition.summary
    }

    pub(crate) fn count(&self) -> usize {
        self.tools.len()
    }

    /// What programs can call.
    pub(crate) fn namespace(&self) -> Namespace {
        let actions = self.tools.iter().map(|tool| tool.name.to_string());
        Namespace {
            alias: FLOWS.to_owned(),
            actions: actions.collect(),
        }
    }

    /// Best first, at most `limit`; the first ones where nothing is asked.
    pub(crate) fn search(&self, query: &str, limit: usize) -> Vec<Hit> {
        let all = query.trim().is_empty().then_some(FLOWS);
        self.index().search(query, all, limit)
    }

    /// All of them, or one with the JSON Schema of its result.
    pub(crate) fn read_api(&self, flow: Option<&str>) -> Result<String, Fault> {
        let mut text = surface::read_api(&self.switched(), flow)?;
        let named = self.tools.iter().find(|tool| Some(&*tool.name) == flow);
        if let Some(output) = named.and_then(|tool| tool.output.as_ref()) {
            let schema = Value::Object(output.as_ref().clone());
            let _ = writeln!(text, "\nIts result, as JSON Schema: {schema}");
        }
        Ok(text)
    }

    /// As TypeScript.
    pub(crate) fn declarations(&self) -> String {
        surface::declarations(&[self.switched()])
    }
}
