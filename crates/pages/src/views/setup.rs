//! The page behind a setup link.

use askama::Template;
use quaymaster_core::Instant;

use super::connection::InputRow;
use super::connector::WayChoice;
use super::form::{self, Problem};
use super::layout::Layout;
use super::moment::Shown;

/// `/setup/{token}`: whoever has the link posts `auth` and `field.*` to the same path. Opening the
/// page uses nothing up.
#[derive(Debug, Clone, Template)]
#[template(path = "setup.html")]
pub struct SetupPage {
    pub layout: Layout,
    pub token: String,
    pub state: SetupState,
}

#[derive(Debug, Clone)]
pub enum SetupState {
    Asks(SetupForm),
    /// It was used, has expired, or never was.
    Gone,
    /// Somebody else is connecting the account at this moment, or just did.
    InUse,
    Done {
        /// The title of the connector.
        service: String,
        /// What the service calls the account.
        label: Option<String>,
        /// Where the person goes on.
        next: Option<String>,
    },
    /// Nothing came of the sign-in at the service.
    Failed {
        /// The title of the connector.
        service: String,
        problem: String,
        /// Where the person goes on.
        next: Option<String>,
    },
}

#[derive(Debug, Clone)]
pub struct SetupForm {
    /// The title of the connector.
    pub service: String,
    /// Who asks.
    pub organization: String,
    pub expires_at: Instant,
    pub docs_url: Option<String>,
    /// The ways to sign in that there is a choice of.
    pub ways: Vec<WayChoice>,
    /// The one that the form is for.
    pub way: String,
    /// Its credentials are typed in; else it begins at the service.
    pub is_typed: bool,
    pub help: Option<String>,
    pub inputs: Vec<InputRow>,
    /// What is wrong with no field in particular.
    pub error: Option<String>,
}

impl SetupForm {
    pub fn shows(&self, way: &WayChoice) -> bool {
        way.key == self.way
    }
}

impl SetupPage {
    pub fn problems(&self) -> Vec<Problem> {
        let SetupState::Asks(form) = &self.state else {
            return Vec::new();
        };
        let inputs = form.inputs.iter();
        let inputs = inputs.map(|input| (input.id(), input.field.error.as_ref()));
        form::problems(form.error.as_ref(), inputs)
    }
}
