//! Client ID metadata documents (draft-ietf-oauth-client-id-metadata-document): the client's id is
//! an https address, and what stands there describes the client.

use super::client::{Client, Metadata};
use super::redirect::{Destination, RedirectUri};
use http::header::CONTENT_TYPE;
use http::{HeaderMap, StatusCode};
use quaymaster_egress::Response;
use serde::Deserialize;
use url::{Position, Url};

/// An id stands in addresses.
const LONGEST_ID: usize = 1_000;

#[derive(Deserialize)]
struct Document {
    client_id: String,
    client_secret: Option<serde_json::Value>,
    /// Not in the draft; `ChatGPT` says here that it can do without its key.
    token_endpoint_auth_methods_supported: Option<Vec<String>>,
    #[serde(flatten)]
    metadata: Metadata,
}

/// The host and port that an id names, by the rules of the draft: https, a path, no fragment, no
/// user name, no dot segments. The error is a sentence.
pub(super) fn host_of(id: &str) -> Result<String, String> {
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
    if url.host().is_none() || !plain {
        return refuse();
    }
    // Another port is another server.
    Ok(url[Position::BeforeHost..Position::AfterPort].to_owned())
}

/// The client that an answer from its address describes. The error is a sentence.
pub(super) fn read(id: &str, host: &str, answer: &Response) -> Result<Client, String> {
    if answer.status != StatusCode::OK || !is_json(&answer.headers) {
        return Err(format!(
            "{host} has no client description at the client's address: it answered {} and not \
             JSON.",
            answer.status.as_u16()
        ));
    }
    let document: Document = serde_json::from_slice(&answer.body)
        .map_err(|error| format!("The client's description is not valid: {error}."))?;
    described(id, host, &document)
}

fn described(id: &str, host: &str, document: &Document) -> Result<Client, String> {
    if document.client_id != id {
        return Err("The client's description is of another client.".into());
    }
    let (name, redirect_uris) = document
        .metadata
        .checked()
        .map_err(|error| error.description)?;
    if !document.may_be_public(&redirect_uris) {
        return Err(
            "The client wants to authenticate itself by a secret or key; clients are public here."
                .into(),
        );
    }
    Ok(Client {
        id: id.to_owned(),
        name,
        redirect_uris,
        vouched_by: Some(host.to_owned()),
    })
}

impl Document {
    /// Whether the client can go without authenticating itself, as all do here and as our metadata
    /// say. What it would sign with a key is left alone.
    fn may_be_public(&self, redirects: &[RedirectUri]) -> bool {
        let Some(method) = self.metadata.token_endpoint_auth_method.as_deref() else {
            return self.client_secret.is_none();
        };
        // A shared secret in a public document is none (§4.1 of the draft).
        if self.client_secret.is_some() || method.starts_with("client_secret") {
            return false;
        }
        let says_so = self
            .token_endpoint_auth_methods_supported
            .as_ref()
            .is_some_and(|methods| methods.iter().any(|method| method == "none"));
        // Without its key, only its own site gets the code. On a person's machine the key is what
        // tells the client from any other program.
        let web = |redirect: &RedirectUri| matches!(redirect.destination(), Destination::Host(_));
        method == "none" || says_so || (method == "private_key_jwt" && redirects.iter().all(web))
    }
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
    use serde_json::json;

    #[test]
    fn an_id_is_the_plain_address_of_a_document() {
        assert_eq!(
            host_of("https://client.example/mcp.json").unwrap(),
            "client.example"
        );
        assert_eq!(
            host_of("https://client.example:8443/mcp.json").unwrap(),
            "client.example:8443"
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
            described("https://c.example/id", "c.example", &document)
        };
        let good = r#"{"client_id":"https://c.example/id","client_name":"C",
            "redirect_uris":["https://c.example/cb"],"logo_uri":"http://127.0.0.1/"}"#;
        assert_eq!(read(good).unwrap().vouched_by.as_deref(), Some("c.example"));
        assert!(read(&good.replace("/id\"", "/other\"")).is_err());
        assert!(read(&good.replace("https://c.example/cb", "http://c.example/cb")).is_err());
        let secret = r#""client_secret":"x","client_name""#;
        assert!(read(&good.replace("\"client_name\"", secret)).is_err());
    }

    #[test]
    fn a_client_that_can_go_without_its_key_is_taken_and_one_with_a_secret_is_not() {
        let web = json!(["https://c.example/cb"]);
        let local = json!(["https://c.example/cb", "http://127.0.0.1/cb"]);
        let both = json!(["none", "private_key_jwt"]);
        for (method, supported, redirects, taken) in [
            (json!("none"), json!(null), &local, true),
            (json!(null), json!(null), &local, true),
            (json!("none"), json!(["private_key_jwt"]), &local, true),
            (json!("private_key_jwt"), both.clone(), &local, true),
            (json!("private_key_jwt"), json!(null), &web, true),
            (json!("private_key_jwt"), json!(null), &local, false),
            (
                json!("private_key_jwt"),
                json!(["private_key_jwt"]),
                &local,
                false,
            ),
            (json!("client_secret_basic"), both.clone(), &web, false),
            (json!("client_secret_jwt"), both, &web, false),
            (json!("tls_client_auth"), json!(null), &web, false),
        ] {
            let document = json!({
                "client_id": "https://c.example/id",
                "redirect_uris": redirects,
                "token_endpoint_auth_method": method,
                "token_endpoint_auth_methods_supported": supported,
            });
            let read: Document = serde_json::from_value(document.clone()).unwrap();
            let client = described("https://c.example/id", "c.example", &read);
            assert_eq!(client.is_ok(), taken, "{document}: {client:?}");
        }
    }
}
