//! The secret of a link: made from the session's id, and recognised by making it again.

use super::{ConnectSession, SetupLink};
use crate::App;
use hmac::{Hmac, KeyInit as _, Mac as _};
use quaymaster_core::id::ConnectSessionId;
use quaymaster_core::{Fault, hex};
use sha2::Sha256;
use subtle::ConstantTimeEq as _;

const PREFIX: &str = "cst_";

impl App {
    pub(super) async fn session_of(&self, token: &str) -> Result<Option<ConnectSession>, Fault> {
        let Some(id) = self.checked_token(token) else {
            return Ok(None);
        };
        Ok(self.store.connect_session_of_link(&id).await?)
    }

    pub(super) fn setup_link_of(&self, session: &ConnectSession) -> Result<SetupLink, Fault> {
        let bare = session
            .id
            .as_str()
            .trim_start_matches(ConnectSessionId::PREFIX);
        let bare = bare.trim_start_matches('_');
        let token = format!("{PREFIX}{bare}.{}", self.mac(&session.id)?);
        Ok(SetupLink {
            session: session.id.clone(),
            url: format!("{}/setup/{token}", self.settings.public_url),
            token,
            expires_at: session.expires_at,
        })
    }

    fn mac(&self, session: &ConnectSessionId) -> Result<String, Fault> {
        let mac = Hmac::<Sha256>::new_from_slice(&self.link_key[..]);
        let mut mac = mac.map_err(|_| Fault::internal())?;
        mac.update(session.as_str().as_bytes());
        Ok(hex(&mac.finalize().into_bytes()))
    }

    fn checked_token(&self, token: &str) -> Option<ConnectSessionId> {
        let (bare, mac) = token.strip_prefix(PREFIX)?.split_once('.')?;
        let id: ConnectSessionId = format!("{}_{bare}", ConnectSessionId::PREFIX)
            .parse()
            .ok()?;
        let ours = self.mac(&id).ok()?;
        bool::from(ours.as_bytes().ct_eq(mac.as_bytes())).then_some(id)
    }
}
