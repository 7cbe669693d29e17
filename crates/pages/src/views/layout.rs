//! What every page has around its content.

/// Who looks at the page, and what stands around it.
#[derive(Debug, Clone, Default)]
pub struct Layout {
    /// Name of the organization, once somebody has signed in.
    pub organization: Option<String>,
    pub user: Option<SignedIn>,
    /// Goes into every form and must come back with it.
    pub csrf: String,
    /// What the last request did, shown once.
    pub flash: Option<Flash>,
    /// Version of the server, without a `v`.
    pub version: String,
}

#[derive(Debug, Clone)]
pub struct SignedIn {
    pub name: String,
    pub email: String,
}

/// A notice at the top of the page.
#[derive(Debug, Clone)]
pub struct Flash {
    pub tone: Tone,
    pub message: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Done,
    Warning,
    Failed,
}

impl Tone {
    /// The class of the notice.
    pub const fn class(self) -> &'static str {
        match self {
            Tone::Done => "done",
            Tone::Warning => "warning",
            Tone::Failed => "failed",
        }
    }
}

impl Layout {
    /// Address of an embedded file, for templates.
    pub fn asset(&self, name: &str) -> String {
        crate::assets::url(name)
    }
}
