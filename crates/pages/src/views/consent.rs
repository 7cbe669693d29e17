//! The consent page: an OAuth client asks, a person answers.

use askama::Template;
use quaymaster_app::oauth::hosted::ServerAsked;
use quaymaster_app::oauth::redirect::Destination;

use super::form::{self, Problem};
use super::layout::Layout;
use super::mix::MixPicker;
use super::place::OneOf;

/// `/authorize`: posts `query`, `workspace`, `write` (`yes`), `answer` (`allow` or `cancel`).
#[derive(Debug, Clone, Template)]
#[template(path = "consent.html")]
pub struct ConsentPage {
    pub layout: Layout,
    /// The question itself, as the client put it into the address.
    pub query: String,
    /// What the client calls itself.
    pub client: String,
    /// Host and port that vouch for that name.
    pub vouched_by: Option<String>,
    pub destination: Destination,
    /// The hosted server that is asked for; else it is the files of a workspace, which is chosen.
    pub server: Option<ServerAsked>,
    pub workspaces: OneOf,
    pub workspace_error: Option<String>,
    /// Whether the person may make a workspace, when there is none.
    pub may_create: bool,
    /// Whether the client asks to read.
    pub reads: bool,
    /// Whether changing files has a tick; none when the client does not ask for it.
    pub write: Option<bool>,
    pub write_error: Option<String>,
    /// What it gets of the workspace; none for a hosted server.
    pub mix: Option<MixPicker>,
}

impl ConsentPage {
    pub fn problems(&self) -> Vec<Problem> {
        let own = [
            ("workspace", self.workspace_error.as_ref()),
            ("access", self.write_error.as_ref()),
        ];
        let mix = self.mix.iter().map(|mix| ("mix", mix.error.as_ref()));
        form::problems(None, own.into_iter().chain(mix))
    }

    /// The address of this page, to come back to.
    pub fn here(&self) -> String {
        format!("/authorize?{}", self.query)
    }
}
