//! The page behind an invitation.

use askama::Template;
use quaymaster_core::Instant;

use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::moment::Shown;

/// `/invitation/{id}`: somebody new posts `name`, `password` to the same path, somebody signed in
/// posts nothing to `/accept` below it. Opening the page uses nothing up.
#[derive(Debug, Clone, Template)]
#[template(path = "invitation.html")]
pub struct InvitationPage {
    pub layout: Layout,
    pub id: String,
    pub state: InvitationState,
}

#[derive(Debug, Clone)]
pub enum InvitationState {
    /// Nobody has the address yet: it asks who they are.
    New {
        about: Invited,
        name: Field,
        /// The error under the password; what was typed is never sent back.
        password_error: Option<String>,
    },
    /// Somebody has the address and is not signed in. `next` leads back here afterwards.
    SignIn {
        about: Invited,
        next: String,
    },
    /// The person with the address is signed in.
    Accept {
        about: Invited,
    },
    /// Somebody else is.
    SomebodyElse {
        about: Invited,
    },
    Expired,
    Used,
    Withdrawn,
}

/// What the invitation says.
#[derive(Debug, Clone)]
pub struct Invited {
    pub organization: String,
    pub role: &'static str,
    pub inviter: String,
    /// The invited address.
    pub email: String,
    pub expires_at: Instant,
}

impl InvitationPage {
    pub const PASSWORD_MIN: usize = super::WelcomePage::PASSWORD_MIN;

    pub fn problems(&self) -> Vec<Problem> {
        let InvitationState::New {
            name,
            password_error,
            ..
        } = &self.state
        else {
            return Vec::new();
        };
        form::problems(
            None,
            [
                ("name", name.error.as_ref()),
                ("password", password_error.as_ref()),
            ],
        )
    }
}
