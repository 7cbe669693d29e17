//! The address that a person is sent to, and what comes back from there.

use super::{AuthorizationServer, Problem, ProblemKind};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use quaymaster_core::secret::SecretDigest;
use quaymaster_core::{Code, Fault};
use secrecy::{ExposeSecret as _, SecretString};

/// Parameters that a definition's own do not replace.
const OURS: [&str; 7] = [
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
];

impl AuthorizationServer<'_> {
    /// Where a person signs in (RFC 6749 §4.1.1). The challenge of `verifier` goes along (RFC 7636)
    /// unless the definition switches that off. Refused when the code could not be exchanged then.
    pub fn authorize_url(
        &self,
        redirect_uri: &str,
        state: &SecretString,
        verifier: &SecretString,
    ) -> Result<String, Fault> {
        let Some(template) = &self.oauth2.authorize_url else {
            let message = format!("Nobody can sign in at {} in a browser.", self.title());
            return Err(Fault::invalid_arg("/grant", "enum", message));
        };
        self.confidant(&self.oauth2.token_url)?;
        let mut url = self.endpoint(template)?;
        let mut query = url.query_pairs_mut();
        query
            .append_pair("response_type", "code")
            .append_pair("client_id", &self.app.client_id)
            .append_pair("redirect_uri", redirect_uri);
        if let Some(scope) = self.scope() {
            query.append_pair("scope", &scope);
        }
        query.append_pair("state", state.expose_secret());
        if self.has_pkce() {
            let digest = SecretDigest::of(verifier.expose_secret());
            query
                .append_pair("code_challenge", &URL_SAFE_NO_PAD.encode(digest.0))
                .append_pair("code_challenge_method", "S256");
        }
        for (name, value) in &self.oauth2.authorize_params {
            if !OURS.contains(&name.as_str()) {
                query.append_pair(name, value);
            }
        }
        drop(query);
        Ok(url.into())
    }

    /// Whether an answer comes from this server: its `iss` (RFC 9207), if it has one and the
    /// definition knows the issuer, must be that, compared as texts.
    pub fn is_issuer(&self, iss: Option<&str>) -> bool {
        let (Some(iss), Some(known)) = (iss, &self.oauth2.issuer) else {
            return true;
        };
        let known = known.render(crate::definition::Encoding::Plain, |name| {
            self.signer.value(name).map(Into::into)
        });
        known.is_ok_and(|known| known.trim_end_matches('/') == iss.trim_end_matches('/'))
    }

    /// What an error in the answer of the authorization endpoint (RFC 6749 §4.1.2.1) means. Both
    /// texts come by way of a browser, so anybody may have written them.
    pub fn denial(&self, error: &str, description: Option<&str>) -> Problem {
        let title = self.title();
        let clean = |text: &str| {
            let text: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
            crate::clean::text(&text).into_owned()
        };
        let said = description
            .map(|said| format!(" It says: {}", clean(said)))
            .unwrap_or_default();
        let (kind, fault) = match error {
            "access_denied" => (
                ProblemKind::Denied,
                Fault::new(
                    Code::Forbidden,
                    format!("The sign-in at {title} was refused there."),
                )
                .hint("Begin again, and agree to what the service asks."),
            ),
            "temporarily_unavailable" | "server_error" => {
                let message = format!("{title} cannot sign anybody in at the moment.{said}");
                let mut fault =
                    Fault::new(Code::UpstreamError, message).hint("Begin again in a moment.");
                fault.retryable = true;
                (ProblemKind::Down, fault)
            }
            other => (
                ProblemKind::Client,
                Fault::new(
                    Code::UpstreamError,
                    format!("{title} refused the sign-in ({}).{said}", clean(other)),
                )
                .hint(
                    "Compare the redirect URI, the client id and the scopes with what is \
                     registered at the service.",
                ),
            ),
        };
        Problem { kind, fault }
    }
}
