//! What every handler can reach.

use axum::extract::FromRef;
use quaymaster_app::App;
use std::sync::Arc;

/// The protocol versions that the server speaks, told by whoever wires it: this crate does not
/// know the protocol.
#[derive(Debug, Clone)]
pub struct ProtocolInfo {
    /// The newest version with a handshake and sessions.
    pub newest_with_sessions: &'static str,
    /// Every version, newest first.
    pub all: Vec<&'static str>,
}

#[derive(Clone)]
pub(crate) struct ApiState {
    pub(crate) app: App,
    pub(crate) protocol: Arc<ProtocolInfo>,
    /// The OpenAPI document as JSON text.
    pub(crate) document: Arc<str>,
}

impl FromRef<ApiState> for App {
    fn from_ref(state: &ApiState) -> App {
        state.app.clone()
    }
}
