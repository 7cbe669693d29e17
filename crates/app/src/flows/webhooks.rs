//! Requests of other programs that start flows. Each proves itself by a secret of the workspace; there
//! is no webhook without one.

use super::queue::Waiting;
use super::running::Starting;
use super::schedule::shown;
use super::shelf::Ready;
use crate::App;
use crate::guard::Trace;
use hmac::{Hmac, KeyInit as _, Mac as _};
use quaymaster_core::id::{CredentialId, RunId, WorkspaceId};
use quaymaster_core::secret::SecretDigest;
use quaymaster_core::tool::JsonObject;
use quaymaster_core::{Code, Fault, unhex};
use quaymaster_flows::format::{Respond, Trigger, Webhook, WebhookAuth};
use secrecy::ExposeSecret;
use serde_json::Value;
use sha2::Sha256;
use std::collections::HashMap;
use std::net::IpAddr;
use tokio_util::sync::CancellationToken;

/// What came to the address of a webhook.
pub struct Hooked<'a> {
    pub workspace: &'a WorkspaceId,
    pub path: &'a str,
    /// The value of a header, by its name.
    pub header: &'a (dyn Fn(&str) -> Option<String> + Send + Sync),
    pub body: &'a [u8],
    pub address: Option<IpAddr>,
}

/// What came of it.
#[derive(Debug, Clone)]
pub enum Answered {
    /// The run goes on; it is found under this id.
    Started(RunId),
    Done(RunId, Value),
}

fn nothing_here() -> Fault {
    Fault::not_found("There is no webhook at this address.")
        .hint("The flow may be switched off, or the address is not written as the flow says.")
}

impl App {
    /// Starts the flow behind a webhook.
    pub async fn hook(&self, hooked: Hooked<'_>) -> Result<Answered, Fault> {
        let found = self
            .store
            .flow_of_webhook(hooked.workspace, hooked.path)
            .await?;
        let (flow, n) = found
            .filter(|(flow, _)| flow.enabled)
            .ok_or_else(nothing_here)?;
        let ready = self.flow_ready(&flow).await?.ok_or_else(nothing_here)?;
        let index = usize::try_from(n).unwrap_or(usize::MAX);
        let webhook = match ready.prepared.flow().triggers.get(index) {
            Some(Trigger::Webhook(webhook)) if webhook.path == hooked.path => webhook.clone(),
            _ => return Err(nothing_here()),
        };
        self.prove(&ready, &webhook, &hooked).await?;
        let input = ready.prepared.input(input_of(hooked.body)?)?;
        let workspace = self
            .believed_workspace(&ready.flow.org, &ready.flow.workspace)
            .await?;
        self.count_call(&workspace).await?;
        if webhook.respond == Respond::Async || ready.flow.durable {
            let waiting = Waiting {
                started_by: "webhook",
                label: hooked.path,
                caller: shown("webhook", hooked.path),
                owner: None,
                due: None,
            };
            let run = self.enqueue_flow(&ready, input, waiting).await?;
            return Ok(Answered::Started(run));
        }
        let starting = Starting {
            flow: ready.flow.clone(),
            prepared: ready.prepared.clone(),
            input,
            started_by: "webhook",
            label: hooked.path.to_owned(),
            caller: shown("webhook", hooked.path),
            owner: None,
            trace: Trace::default(),
            progress: None,
            cancel: CancellationToken::new(),
            mocks: HashMap::new(),
        };
        let nobody = CredentialId::fresh(&*self.clock, &*self.entropy);
        let (app, task) = (self.clone(), starting);
        // A sender that hangs up does not stop the run halfway.
        let run = self
            .tasks
            .spawn(async move { app.run_flow(&nobody, task).await });
        let (run, value) = run.await.map_err(|_| Fault::internal())??;
        Ok(Answered::Done(run, value))
    }

    /// Refuses whoever does not know the secret. How often somebody may be wrong is counted.
    async fn prove(
        &self,
        ready: &Ready,
        webhook: &Webhook,
        hooked: &Hooked<'_>,
    ) -> Result<(), Fault> {
        let flow = &ready.flow;
        let (name, given) = match &webhook.auth {
            WebhookAuth::HmacSha256 { secret, header } => (secret, (hooked.header)(header)),
            WebhookAuth::Bearer { secret } => (secret, (hooked.header)("authorization")),
        };
        // Only this one is opened, and only for whoever presents something.
        let secret = match &given {
            Some(_) => {
                let opened = self
                    .store
                    .open_flow_secret(&flow.org, &flow.workspace, name);
                opened.await?
            }
            None => None,
        };
        let proved = match (&secret, &given) {
            (Some(secret), Some(given)) => {
                let key = secret.expose_secret();
                match &webhook.auth {
                    WebhookAuth::HmacSha256 { .. } => is_signed(key, hooked.body, given),
                    WebhookAuth::Bearer { .. } => {
                        bearer(given).is_some_and(|given| SecretDigest::of(key).matches(given))
                    }
                }
            }
            _ => false,
        };
        if proved {
            return Ok(());
        }
        if self.guesses.one_more(hooked.address, flow.id.as_str()) {
            return Err(Fault::new(Code::RateLimited, "Too many wrong signatures.")
                .hint("Wait a minute, then send one that is signed with the secret.")
                .detail("retry_after_s", 60));
        }
        Err(Fault::new(
            Code::Unauthenticated,
            "The request does not prove that it comes from a sender who knows the webhook's secret.",
        )
        .hint(match &webhook.auth {
            WebhookAuth::HmacSha256 { header, .. } => format!(
                "Send the HMAC-SHA-256 of the body with the secret as its key, in hexadecimal, in the header {header}."
            ),
            WebhookAuth::Bearer { .. } => {
                "Send the secret as `Authorization: Bearer`.".to_owned()
            }
        }))
    }
}

fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The JSON body is the input; none is an empty one.
fn input_of(body: &[u8]) -> Result<JsonObject, Fault> {
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(JsonObject::new());
    }
    serde_json::from_slice(body).map_err(|error| {
        Fault::invalid_arg("", "json", format!("The body is no JSON object: {error}."))
    })
}

/// Whether a header has the HMAC-SHA-256 of the body, in hexadecimal, with or without `sha256=`.
fn is_signed(key: &str, body: &[u8], header: &str) -> bool {
    let digits = header.trim();
    let digits = digits.strip_prefix("sha256=").unwrap_or(digits);
    let Some(given) = unhex::<32>(digits) else {
        return false;
    };
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.as_bytes()) else {
        return false;
    };
    mac.update(body);
    // In constant time.
    mac.verify_slice(&given).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_that_of_the_very_body_with_the_very_key() {
        // printf 'The quick brown fox jumps over the lazy dog' | openssl dgst -sha256 -hmac key
        let right = "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8";
        let body = b"The quick brown fox jumps over the lazy dog";
        assert!(is_signed("key", body, right));
        assert!(is_signed(
            "key",
            body,
            &format!("sha256={}", right.to_uppercase())
        ));
        assert!(!is_signed("other", body, right));
        assert!(!is_signed("key", b"", right));
        for wrong in ["", "sha256=", "é", &right[..62], "zz"] {
            assert!(!is_signed("key", body, wrong), "{wrong}");
        }
    }

    #[test]
    fn an_empty_body_is_an_empty_input() {
        assert_eq!(input_of(b" \n").unwrap(), JsonObject::new());
        assert!(input_of(b"[1]").is_err());
        assert_eq!(input_of(br#"{"a":1}"#).unwrap().len(), 1);
    }
}
