//! SMTP.

use super::{Letter, MailSettings};
use quaymaster_core::Fault;

pub(crate) struct Mailer;

impl Mailer {
    pub(crate) fn new(_settings: &MailSettings) -> Result<Self, Fault> {
        Ok(Mailer)
    }

    pub(crate) async fn send(&self, _to: &str, _letter: Letter) -> Result<(), String> {
        Err("later".into())
    }
}
