//! Dynamic registration (RFC 7591) that stores nothing: the id is the metadata, signed. Nobody can
//! fill the database by registering, and the same metadata gets the same id.

use super::client::{Client, Metadata};
use super::redirect::RedirectUri;
use super::{OAuthCode, OAuthError};
use crate::App;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

const PREFIX: &str = "dcr_";
/// An id stands in addresses, which some programs cut off at 2,000 characters.
const MOST_BYTES: usize = 1_200;
/// 128 bits.
const TAG: usize = 16;

impl App {
    /// Registers a client.
    pub fn register_client(&self, metadata: &Metadata) -> Result<Client, OAuthError> {
        let (name, redirect_uris) = metadata.checked()?;
        let texts: Vec<&str> = redirect_uris.iter().map(RedirectUri::as_str).collect();
        let failed = || OAuthError::new(OAuthCode::ServerError, "The client was not registered.");
        let facts = serde_json::to_vec(&(&name, &texts)).map_err(|_| failed())?;
        if facts.len() > MOST_BYTES {
            return Err(OAuthError::new(
                OAuthCode::InvalidClientMetadata,
                format!("Name and redirect URIs have more than {MOST_BYTES} bytes together."),
            ));
        }
        let tag = self.tag_of_client(&facts).ok_or_else(failed)?;
        let id = format!(
            "{PREFIX}{}.{}",
            URL_SAFE_NO_PAD.encode(&facts),
            URL_SAFE_NO_PAD.encode(tag)
        );
        Ok(Client {
            id,
            name,
            redirect_uris,
            vouched_by: None,
        })
    }

    /// The client of a registered id. The error is a sentence for the person who was sent here.
    pub(super) fn registered_client(&self, id: &str) -> Result<Client, String> {
        self.client_in(id).ok_or_else(|| {
            "The client is not registered here. Remove the connection in the client and add it \
             again, so that it registers anew."
                .to_owned()
        })
    }

    fn client_in(&self, id: &str) -> Option<Client> {
        use subtle::ConstantTimeEq as _;
        let (facts, tag) = id.strip_prefix(PREFIX)?.split_once('.')?;
        if facts.len() > MOST_BYTES * 2 {
            return None;
        }
        let facts = URL_SAFE_NO_PAD.decode(facts).ok()?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        let good = self.tag_of_client(&facts)?.ct_eq(&tag[..]);
        bool::from(good).then_some(())?;
        let (name, texts): (String, Vec<String>) = serde_json::from_slice(&facts).ok()?;
        // Read again by today's rules: what was taken once may be refused now.
        let redirect_uris = texts
            .iter()
            .map(|text| RedirectUri::parse(text))
            .collect::<Result<_, _>>()
            .ok()?;
        Some(Client {
            id: id.to_owned(),
            name,
            redirect_uris,
            vouched_by: None,
        })
    }

    fn tag_of_client(&self, facts: &[u8]) -> Option<Vec<u8>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.client_key[..]).ok()?;
        mac.update(facts);
        Some(mac.finalize().into_bytes()[..TAG].to_vec())
    }
}
