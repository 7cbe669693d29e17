//! The page behind a link that an agent made with `get_reconnect_url`.

use askama::Template;
use quaymaster_core::Instant;

use super::layout::Layout;
use super::moment::Shown;

/// `/reconnect/{id}`: posts to the same path and answers with a [`super::FreshTokenPage`].
#[derive(Debug, Clone, Template)]
#[template(path = "reconnect.html")]
pub struct ReconnectPage {
    pub layout: Layout,
    pub id: String,
    pub state: ReconnectState,
}

#[derive(Debug, Clone)]
pub enum ReconnectState {
    /// Waits for the person to confirm.
    Ask {
        workspace: String,
        /// What the client calls itself, when it said so.
        client_name: Option<String>,
        requested_at: Instant,
        expires_at: Instant,
    },
    Expired,
    Used,
    /// The workspace is in another organization of this person than the one that the pages show.
    Elsewhere {
        /// Id of the organization, part of the path that switches to it.
        id: String,
        organization: String,
    },
    /// Signed in as somebody to whom the workspace does not belong; it is not named to them.
    NotOwner,
}
