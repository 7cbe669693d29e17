//! Tokens against forged forms.

use crate::App;
use hmac::{Hmac, KeyInit as _, Mac as _};
use quaymaster_core::hex;
use quaymaster_store::browser::BrowserSession;
use sha2::Sha256;

impl App {
    /// A token that only this session's own pages contain: HMAC-SHA-256 of the session (the
    /// signed double-submit pattern).
    pub fn csrf_token(&self, session: &BrowserSession) -> String {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.csrf[..]) else {
            return String::new();
        };
        mac.update(&session.secret.0);
        hex(&mac.finalize().into_bytes())
    }

    pub fn csrf_is_good(&self, session: &BrowserSession, presented: &str) -> bool {
        use subtle::ConstantTimeEq as _;
        let wanted = self.csrf_token(session);
        !wanted.is_empty() && bool::from(wanted.as_bytes().ct_eq(presented.as_bytes()))
    }
}
