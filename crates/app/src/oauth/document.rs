//! Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document): the client's id is
//! an https address, and what stands there describes the client.

use super::client::{Client, Metadata};
use crate::App;
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use quaymaster_egress::Request;
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant as Monotonic};
use url::Url;

const MOST_BYTES: usize = 5 * 1024;
const WITHIN: Duration = Duration::from_secs(5);
/// A document is believed for this long.
const BELIEVED: Duration = Duration::from_mins(5);
const MOST: usize = 1_000;
/// An id stands in addresses.
const LONGEST_ID: usize = 1_000;

#[derive(Deserialize)]
struct Document {
    client_id: String,
    client_secret: Option<serde_json::Value>,
    #[serde(flatten)]
    metadata: Metadata,
}

#[derive(Default)]
pub(crate) struct Documents(Mutex<HashMap<String, (Monotonic, Client)>>);

impl Documents {
    fn believed(&self, id: &str) -> Option<Client> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known
            .get(id)
            .filter(|(since, _)| since.elapsed() < BELIEVED)
            .map(|(_, client)| client.clone())
    }

    fn remember(&self, client: &Client) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(client.id.clone(), (Monotonic::now(), client.clone()));
    }
}

impl App {
    /// The client whose id is the address of its document. The error is a sentence.
    pub(super) async fn client_of_document(&self, id: &str) -> Result<Client, String> {
        let host = host_of(id)?;
        if let Some(client) = self.documents.believed(id) {
            return Ok(client);
        }
        // Redirects are not followed: the address is the identity.
        let request = Request::get(id)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .timeout(WITHIN)
            .max_body(MOST_BYTES);
        let answer = self
            .egress
            .send(request)
            .await
            .map_err(|error| format!("The client's description could not be read. {error}"))?;
        if answer.status != StatusCode::OK || !is_json(&answer.headers) {
            return Err(format!(
                "{host} has no client description at the client's address: it answered {} and not \
                 JSON.",
                answer.status.as_u16()
            ));
        }
        let document: Document = serde_json::from_slice(&answer.body)
            .map_err(|error| format!("The client's description is not valid: {error}."))?;
        let client = described(id, host, &document)?;
        self.documents.remember(&client);
        Ok(client)
    }
}

/// The rules of the draft for an id: https, a path, no fragment, no user name, no dot segments.
fn host_of(id: &str) -> Result<String, String> {
    let refuse = || Err("The client's id is not an https address of a document.".to_owned());
    if id.len() > LONGEST_ID || !id.bytes().all(|byte| byte.is_ascii_graphic()) {
        return refuse();
    }
    let Ok(url) = Url::parse(id) else {
        return refuse();
    };
    // The parser takes dot segments out and tidies the host, so an address that stays as it is has
    // neither.
    let plain = url.as_str() == id
        && url.scheme() == "https"
        && !matches!(url.path(), "" | "/")
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    match url.host_str() {
        Some(host) if plain => Ok(host.to_owned()),
        _ => refuse(),
    }
}

fn described(id: &str, host: String, document: &Document) -> Result<Client, String> {
    if document.client_id != id {
        return Err("The client's description is of another client.".into());
    }
    let method = document.metadata.token_endpoint_auth_method.as_deref();
    if document.client_secret.is_some() || method.is_some_and(|method| method != "none") {
        return Err(
            "The client wants to authenticate itself by a secret or key; clients are public here."
                .into(),
        );
    }
    let (name, redirect_uris) = document
        .metadata
        .checked()
        .map_err(|error| error.description)?;
    Ok(Client {
        id: id.to_owned(),
        name,
        redirect_uris,
        vouched_by: Some(host),
    })
}

/// `application/json`, or a type that is built on it (RFC 6839 §3.1).
fn is_json(headers: &HeaderMap) -> bool {
    let value = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    let essence = essence.to_ascii_lowercase();
    essence == "application/json"
        || (essence.starts_with("application/") && essence.ends_with("+json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_plain_address_of_a_document() {
        assert_eq!(
            host_of("https://client.example/mcp.json").unwrap(),
            "client.example"
        );
        for bad in [
            "https://client.example",
            "https://client.example/",
            "http://client.example/mcp.json",
            "https://client.example/mcp.json#x",
            "https://user@client.example/mcp.json",
            "https://client.example/a/../mcp.json",
            "https://CLIENT.example/mcp.json",
            "https://client.example:443/mcp.json",
            "https://client.example\\@evil.example/mcp.json",
            "https:client.example/mcp.json",
        ] {
            assert!(host_of(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_document_describes_the_client_it_stands_for() {
        let read = |text: &str| {
            let document = serde_json::from_str(text).unwrap();
            described("https://c.example/id", "c.example".into(), &document)
        };
        let good = r#"{"client_id":"https://c.example/id","client_name":"C",
            "redirect_uris":["https://c.example/cb"],"logo_uri":"http://127.0.0.1/"}"#;
        assert_eq!(read(good).unwrap().vouched_by.as_deref(), Some("c.example"));
        assert!(read(&good.replace("/id\"", "/other\"")).is_err());
        assert!(read(&good.replace("https://c.example/cb", "http://c.example/cb")).is_err());
        let secret = r#""client_secret":"x","client_name""#;
        assert!(read(&good.replace("\"client_name\"", secret)).is_err());
        let method = r#""token_endpoint_auth_method":"private_key_jwt","client_name""#;
        assert!(read(&good.replace("\"client_name\"", method)).is_err());
    }
}
