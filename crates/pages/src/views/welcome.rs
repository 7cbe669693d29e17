//! The first sign-in: who you are.

use askama::Template;

use super::form::{self, Field, Problem};
use super::layout::Layout;

/// `/welcome`: posts `name`, `email`, `password`, `organization`, `next`.
#[derive(Debug, Clone, Template)]
#[template(path = "welcome.html")]
pub struct WelcomePage {
    pub layout: Layout,
    pub name: Field,
    pub email: Field,
    /// The error under the password; what was typed is never sent back.
    pub password_error: Option<String>,
    pub organization: Field,
    pub refused: Option<String>,
    /// Where to go afterwards: a path on this server.
    pub next: String,
}

impl WelcomePage {
    /// Shortest password that is taken, in characters.
    pub const PASSWORD_MIN: usize = 12;

    pub fn problems(&self) -> Vec<Problem> {
        form::problems(
            self.refused.as_ref(),
            [
                ("name", self.name.error.as_ref()),
                ("email", self.email.error.as_ref()),
                ("password", self.password_error.as_ref()),
                ("organization", self.organization.error.as_ref()),
            ],
        )
    }
}
