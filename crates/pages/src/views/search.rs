//! Where to go, by a part of a name.

use askama::Template;

use super::form::Problem;
use super::layout::Layout;

/// `/search`. The script takes the list into the dialog of every page.
#[derive(Debug, Clone, Template)]
#[template(path = "search.html")]
pub struct SearchPage {
    pub layout: Layout,
    /// What was looked for; empty for none.
    pub query: String,
    pub found: Vec<FoundRow>,
}

#[derive(Debug, Clone)]
pub struct FoundRow {
    /// What kind of thing it is.
    pub kind: &'static str,
    pub name: String,
    pub note: String,
    pub href: String,
}

impl SearchPage {
    pub fn problems(&self) -> Vec<Problem> {
        Vec::new()
    }
}
