//! Mail: what is written to people, and how it goes out when the operator configured a server.
//!
//! A mail that is not sent never undoes what it tells of: whoever asked for it is shown the link
//! and told why.

mod limits;
mod smtp;
mod starttls;

use crate::App;
pub(crate) use limits::MailLimits;
use quaymaster_core::Instant;
use quaymaster_core::id::EventId;
use quaymaster_store::member::Role;
use secrecy::{ExposeSecret as _, SecretString};
pub(crate) use smtp::Mailer;
use std::path::PathBuf;

/// The operator's mail server.
#[derive(Debug, Clone)]
pub struct MailSettings {
    /// `smtps://user:password@host:465`, or `smtp://host:587?tls=required`.
    pub smtp_url: SecretString,
    /// The sender, as `Quaymaster <quaymaster@example.com>` or the bare address.
    pub from: String,
    /// Certificate authorities that are believed beside those of the system, as a PEM file.
    pub ca_file: Option<PathBuf>,
}

/// A mail to one address.
pub(crate) struct Letter {
    pub(crate) subject: String,
    pub(crate) text: String,
}

/// What became of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delivery {
    /// This server sends no mail.
    NotConfigured,
    Sent,
    /// Why, in a sentence that may be shown.
    Failed(String),
}

impl App {
    /// Whether the operator configured a mail server.
    pub fn sends_mail(&self) -> bool {
        self.mailer.is_some()
    }

    pub(crate) async fn deliver(&self, to: &str, letter: Letter) -> Delivery {
        let Some(mailer) = &self.mailer else {
            return Delivery::NotConfigured;
        };
        let id = EventId::fresh(&*self.clock, &*self.entropy);
        match mailer.send(to, id.as_str(), letter).await {
            Ok(()) => Delivery::Sent,
            Err(why) => {
                tracing::warn!(%why, "a mail was not sent");
                Delivery::Failed(why)
            }
        }
    }
}

pub(crate) fn invitation(
    inviter: &str,
    organization: &str,
    role: Role,
    url: &SecretString,
    days: i64,
) -> Letter {
    let role = match role {
        Role::Owner => "an owner",
        Role::Admin => "an administrator",
        Role::Member => "a member",
    };
    Letter {
        subject: format!("Join {organization} on Quaymaster"),
        text: format!(
            "{inviter} invites you to {organization} on Quaymaster, as {role}.\n\n\
             Open this link to join. It works once, for {days} days:\n\n{}\n\n\
             If you did not expect this, ignore it.\n",
            url.expose_secret()
        ),
    }
}

/// To an end user, whom only the organization knows.
pub(crate) fn account_wanted(
    organization: &str,
    service: &str,
    url: &str,
    expires_at: Instant,
) -> Letter {
    Letter {
        subject: format!("Connect your {service} account for {organization}"),
        text: format!(
            "{organization} asks you to connect your {service} account, so that its assistant can work with it for you.\n\n\
             Open this link to connect it. It works once, until {expires_at}:\n\n{url}\n\n\
             If you did not expect this, ignore it.\n"
        ),
    }
}

pub(crate) fn reset(url: &SecretString, hours: i64) -> Letter {
    let unit = if hours == 1 { "hour" } else { "hours" };
    Letter {
        subject: "Set a new password for Quaymaster".to_owned(),
        text: format!(
            "Somebody asked for a new password for this address.\n\n\
             Open this link to set one. It works once, for {hours} {unit}, and signs you out in every browser:\n\n{}\n\n\
             If it was not you, ignore this; your password stays as it is.\n",
            url.expose_secret()
        ),
    }
}
