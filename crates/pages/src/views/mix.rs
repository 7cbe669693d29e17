//! Which toolsets and tools a credential gets, with what their list costs a model.

use askama::Template;

use super::amount::Amount as _;

/// Part of a form: posts `mix` (`yes`), `toolsets` and `tools` for each that is ticked, and
/// `shown_tools` for each that could have been.
#[derive(Debug, Clone, Default)]
pub struct MixPicker {
    pub groups: Vec<MixGroup>,
    /// Something was changed, so that it is not hidden.
    pub is_open: bool,
    pub error: Option<String>,
}

/// One toolset.
#[derive(Debug, Clone, Default)]
pub struct MixGroup {
    pub key: String,
    pub title: String,
    pub help: String,
    pub is_ticked: bool,
    /// The field of the same form that decides on it in the place of a tick.
    pub decided_by: Option<&'static str>,
    /// How many tools it has, and what they cost together in tokens.
    pub count: u64,
    pub tokens: u64,
    /// Those that can be ticked one by one.
    pub tools: Vec<MixTick>,
    /// Where those are, when they are more than a page has room for.
    pub folded: Option<String>,
}

/// `/mix`: the single tools of one toolset, which a form takes from there when somebody opens them.
#[derive(Debug, Clone, Template)]
#[template(path = "single_tools.html")]
pub struct SingleToolsPage {
    pub group: MixGroup,
}

/// One tool.
#[derive(Debug, Clone)]
pub struct MixTick {
    pub name: String,
    pub title: String,
    pub reads: bool,
    pub is_destructive: bool,
    pub tokens: u64,
    pub is_ticked: bool,
}

impl MixGroup {
    /// Its own cost, as a line under its name.
    pub fn size(&self) -> String {
        match self.count {
            1 => format!("(1 tool, ≈ {} tokens)", self.tokens.count()),
            count => format!(
                "({} tools, ≈ {} tokens)",
                count.count(),
                self.tokens.count()
            ),
        }
    }

    fn chosen(&self) -> ListSize {
        if !self.is_ticked {
            return ListSize::default();
        }
        if self.tools.is_empty() {
            return ListSize {
                tools: self.count,
                tokens: self.tokens,
            };
        }
        let ticked = self.tools.iter().filter(|tool| tool.is_ticked);
        ListSize {
            tools: ticked.clone().count() as u64,
            tokens: ticked.map(|tool| tool.tokens).sum(),
        }
    }
}

impl MixTick {
    pub fn cost(&self) -> String {
        format!("≈ {} tokens", self.tokens.count())
    }
}

impl MixPicker {
    /// Of what is ticked.
    pub fn total(&self) -> ListSize {
        let all = self.groups.iter().map(MixGroup::chosen);
        all.fold(ListSize::default(), |sum, one| ListSize {
            tools: sum.tools + one.tools,
            tokens: sum.tokens + one.tokens,
        })
    }
}

/// A list of tools as a model reads it, in estimated tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ListSize {
    pub tools: u64,
    pub tokens: u64,
}

impl ListSize {
    pub fn in_tools(&self) -> String {
        self.tools.count()
    }

    pub fn in_tokens(&self) -> String {
        self.tokens.count()
    }

    pub fn sentence(&self) -> String {
        match self.tools {
            0 => "It sees no tools.".to_owned(),
            1 => format!(
                "It sees 1 tool, whose description costs a model about {} tokens.",
                self.tokens.count()
            ),
            tools => format!(
                "It sees {} tools, whose list costs a model about {} tokens.",
                tools.count(),
                self.tokens.count()
            ),
        }
    }
}
