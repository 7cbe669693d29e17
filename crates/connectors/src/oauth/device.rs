//! Signing in on another device (RFC 8628).

use super::{AuthorizationServer, Form, Problem, Tokens, answer};
use quaymaster_core::Fault;
use secrecy::SecretString;
use serde_json::{Map, Value};
use url::Url;

const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// Seconds between two polls unless the server says otherwise (RFC 8628 §3.2).
const USUAL_INTERVAL: i64 = 5;
const USUAL_LIFE: i64 = 600;
const LONGEST_LIFE: i64 = 1_800;

/// What a person needs to sign in elsewhere, and what asks whether they did.
#[derive(Debug, Clone)]
pub struct DeviceCode {
    pub device_code: SecretString,
    /// What the person types in.
    pub user_code: String,
    /// Where.
    pub verification_uri: String,
    /// The same address with the code in it already.
    pub verification_uri_complete: Option<String>,
    /// Seconds that both codes live.
    pub expires_in: i64,
    /// Seconds between two polls at least.
    pub interval: i64,
}

impl AuthorizationServer<'_> {
    pub async fn device_code(&self) -> Result<DeviceCode, Problem> {
        let Some(endpoint) = &self.oauth2.device_url else {
            let message = format!("{} knows no sign-in on another device.", self.title());
            return Err(Problem::of_us(Fault::invalid_arg(
                "/grant", "enum", message,
            )));
        };
        let scope = self.scope();
        let mut form = Form {
            pairs: Vec::new(),
            secrets: Vec::new(),
        };
        if let Some(scope) = &scope {
            form.pairs.push(("scope", scope));
        }
        // Most servers want the id in the form, however the client proves itself (RFC 8628 §3.1).
        if self.app.client_secret.is_some()
            && self.oauth2.client_auth == crate::definition::ClientAuth::Basic
        {
            form.pairs.push(("client_id", &self.app.client_id));
        }
        let redactor = self.redactor(&form);
        let response = self.post(endpoint, &form, self.oauth2.token_format).await?;
        let members = self.read(&response, &redactor)?;
        read(&members).ok_or_else(|| self.unreadable(&response))
    }

    /// Asks whether the person has signed in: [`ProblemKind::Pending`](super::ProblemKind) and
    /// [`ProblemKind::SlowDown`](super::ProblemKind) mean not yet.
    pub async fn poll(&self, device_code: &SecretString) -> Result<Tokens, Problem> {
        let mut form = Form::of_grant(GRANT);
        form.secret("device_code", device_code);
        self.tokens(form).await
    }
}

fn read(members: &Map<String, Value>) -> Option<DeviceCode> {
    let text = |name: &str| {
        let text = members.get(name)?.as_str()?.trim();
        let fits = !text.is_empty() && text.len() <= 2_048 && !text.contains(char::is_control);
        fits.then(|| text.to_owned())
    };
    // It becomes a link on a page.
    let address = |name: &str| {
        let text = text(name)?;
        let url = Url::parse(&text).ok()?;
        (matches!(url.scheme(), "https" | "http") && url.has_host()).then_some(text)
    };
    let seconds = |name: &str| members.get(name).and_then(answer::seconds);
    Some(DeviceCode {
        device_code: answer::token(members, "device_code")?,
        user_code: text("user_code").filter(|code| code.chars().count() <= 64)?,
        verification_uri: address("verification_uri").or_else(|| address("verification_url"))?,
        verification_uri_complete: address("verification_uri_complete"),
        expires_in: seconds("expires_in")
            .unwrap_or(USUAL_LIFE)
            .min(LONGEST_LIFE),
        interval: seconds("interval").unwrap_or(USUAL_INTERVAL).min(60),
    })
}
