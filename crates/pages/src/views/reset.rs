//! A new password by a link, and asking for one.

use askama::Template;

use super::form::{self, Field, Problem};
use super::layout::Layout;

/// `/reset/{id}`: posts `password` and `revoke` (`yes`) to the same path. Opening the page uses nothing up.
#[derive(Debug, Clone, Template)]
#[template(path = "reset.html")]
pub struct ResetPage {
    pub layout: Layout,
    pub id: String,
    pub state: ResetState,
}

#[derive(Debug, Clone)]
pub enum ResetState {
    Ready {
        /// Whose password it sets.
        email: String,
        /// Whether it is ticked that keys, tokens and connected clients go, too.
        revoke: bool,
        /// The error under the password; what was typed is never sent back.
        password_error: Option<String>,
    },
    Expired,
    Used,
    Withdrawn,
}

impl ResetPage {
    pub const PASSWORD_MIN: usize = super::WelcomePage::PASSWORD_MIN;

    pub fn problems(&self) -> Vec<Problem> {
        let error = match &self.state {
            ResetState::Ready { password_error, .. } => password_error.as_ref(),
            _ => None,
        };
        form::problems(None, [("password", error)])
    }
}

/// `/forgot-password`: posts `email` to the same path. Only where the server sends mail.
#[derive(Debug, Clone, Template)]
#[template(path = "forgot.html")]
pub struct ForgotPage {
    pub layout: Layout,
    pub email: Field,
    /// Asked, whether or not somebody has the address.
    pub asked: bool,
    pub refused: Option<String>,
}

impl ForgotPage {
    pub fn problems(&self) -> Vec<Problem> {
        form::problems(
            self.refused.as_ref(),
            [("email", self.email.error.as_ref())],
        )
    }
}
