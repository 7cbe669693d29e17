//! Signing in with a password or a one-time link.

use askama::Template;

use super::form::{self, Field, Problem};
use super::layout::Layout;

/// `/sign-in`: posts `email`, `password`, `next`.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    pub layout: Layout,
    pub email: Field,
    /// The error under the password; what was typed is never sent back.
    pub password_error: Option<String>,
    /// Why the whole form was refused, for example a wrong pair of address and password.
    pub refused: Option<String>,
    /// Where to go afterwards: a path on this server. Empty means the first page.
    pub next: String,
    /// Whether a forgotten password can be mailed a link.
    pub mails: bool,
}

impl SignInPage {
    pub fn problems(&self) -> Vec<Problem> {
        form::problems(
            self.refused.as_ref(),
            [
                ("email", self.email.error.as_ref()),
                ("password", self.password_error.as_ref()),
            ],
        )
    }
}

/// `/sign-in/link/{id}`: posts to the same path. Opening the page uses nothing up, since mail
/// scanners and link previews open pages too.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in_link.html")]
pub struct SignInLinkPage {
    pub layout: Layout,
    pub id: String,
    pub state: LinkState,
}

#[derive(Debug, Clone)]
pub enum LinkState {
    /// Signs in this person; none at the first start, when nobody exists yet.
    Ready {
        email: Option<String>,
    },
    Expired,
    Used,
}
