//! An OAuth client made of plain HTTP, which can also do what no good client does.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Client, Url};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Nobody listens there: tests read the answer from the redirect.
pub const CALLBACK: &str = "http://127.0.0.1:9/callback";
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";

pub struct OAuthClient {
    http: Client,
    /// The authorization server's own address.
    pub issuer: String,
    pub resource: String,
    pub id: String,
}

/// A parameter of an address.
pub fn param(address: &str, name: &str) -> Option<String> {
    let url = Url::parse(address).expect("an address");
    let found = url.query_pairs().find(|(key, _)| key == name);
    found.map(|(_, value)| value.into_owned())
}

impl OAuthClient {
    /// Registers a client of that name.
    pub async fn register(issuer: &str, name: &str) -> OAuthClient {
        OAuthClient::register_with(issuer, name, json!({})).await
    }

    /// The same, with more metadata.
    pub async fn register_with(issuer: &str, name: &str, more: Value) -> OAuthClient {
        let mut about = json!({ "client_name": name, "redirect_uris": [CALLBACK] });
        for (key, value) in more.as_object().into_iter().flatten() {
            about[key] = value.clone();
        }
        let http = Client::new();
        let answer = http
            .post(format!("{issuer}/register"))
            .json(&about)
            .send()
            .await
            .expect("the server answers");
        assert_eq!(answer.status().as_u16(), 201);
        let registered: Value = answer.json().await.expect("JSON");
        OAuthClient {
            http,
            issuer: issuer.to_owned(),
            resource: format!("{issuer}/mcp"),
            id: registered["client_id"].as_str().expect("an id").to_owned(),
        }
    }

    /// Where a person is sent to be asked; `given` changes or adds parameters.
    pub fn question(&self, given: &[(&str, &str)]) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
        let mut pairs = vec![
            ("response_type", "code"),
            ("client_id", &self.id),
            ("redirect_uri", CALLBACK),
            ("state", "a-state"),
            ("code_challenge", &challenge),
            ("code_challenge_method", "S256"),
            ("resource", &self.resource),
        ];
        pairs.retain(|(name, _)| !given.iter().any(|(known, _)| known == name));
        pairs.extend(given);
        let address = format!("{}/authorize", self.issuer);
        let url = Url::parse_with_params(&address, pairs).expect("an address");
        url.into()
    }

    /// A POST of a form; status and body.
    pub async fn post(&self, path: &str, pairs: &[(&str, &str)]) -> (u16, Value) {
        let answer = self
            .http
            .post(format!("{}{path}", self.issuer))
            .form(pairs)
            .send()
            .await
            .expect("the server answers");
        let status = answer.status().as_u16();
        let text = answer.text().await.expect("a body");
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// Exchanges the code that stands in an answer.
    pub async fn exchange(&self, answer: &str) -> (u16, Value) {
        let code = param(answer, "code").unwrap_or_else(|| panic!("no code in {answer}"));
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("client_id", &self.id),
            ("code_verifier", VERIFIER),
            ("resource", &self.resource),
        ];
        self.post("/token", &pairs).await
    }

    pub async fn refresh(&self, refresh_token: &str) -> (u16, Value) {
        let pairs = [
            ("grant_type", "refresh_token"),
            ("refresh_token", refresh_token),
            ("client_id", &self.id),
        ];
        self.post("/token", &pairs).await
    }
}
