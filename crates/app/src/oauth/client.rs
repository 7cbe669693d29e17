//! Who a client is. What a client says of itself is shown to people and never believed.

use super::redirect::{NotTaken, RedirectUri};
use super::{OAuthCode, OAuthError};
use serde::{Deserialize, Serialize};

const MOST_REDIRECTS: usize = 10;
const LONGEST_NAME: usize = 80;

/// A client that may ask for authorization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Client {
    pub id: String,
    /// Its own words, without what could disguise them.
    pub name: String,
    pub redirect_uris: Vec<RedirectUri>,
    /// Host and port that vouch for the name: those that a metadata document came from.
    pub vouched_by: Option<String>,
}

impl Client {
    /// The address to answer to: the one asked for when it is registered, or the only one.
    pub(super) fn redirect(&self, asked: Option<&str>) -> Result<RedirectUri, String> {
        let Some(asked) = asked else {
            return match self.redirect_uris.as_slice() {
                [only] => Ok(only.clone()),
                _ => Err("The client must say which redirect URI it means.".into()),
            };
        };
        let asked = RedirectUri::parse(asked)?;
        if self.redirect_uris.iter().any(|known| known.covers(&asked)) {
            return Ok(asked);
        }
        Err("The redirect URI is not one of the client's.".into())
    }
}

/// Client metadata (RFC 7591 §2), the part that matters here. Anything else is left alone.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
pub struct Metadata {
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant_types: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub response_types: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_endpoint_auth_method: Option<String>,
}

impl Metadata {
    /// What registration and documents have in common: redirect addresses that are safe, and flows
    /// that this server has.
    pub(super) fn checked(&self) -> Result<(String, Vec<RedirectUri>), OAuthError> {
        let redirects = &self.redirect_uris;
        if redirects.is_empty() || redirects.len() > MOST_REDIRECTS {
            return Err(OAuthError::new(
                OAuthCode::InvalidRedirectUri,
                format!("A client has 1 to {MOST_REDIRECTS} redirect URIs."),
            ));
        }
        let redirects = known(redirects)
            .map_err(|why| OAuthError::new(OAuthCode::InvalidRedirectUri, String::from(why)))?;
        let lacks = |list: &Option<Vec<String>>, needed: &str| {
            list.as_ref()
                .is_some_and(|list| !list.is_empty() && !list.iter().any(|item| item == needed))
        };
        if lacks(&self.grant_types, "authorization_code") {
            return Err(OAuthError::new(
                OAuthCode::InvalidClientMetadata,
                "grant_types must have authorization_code; refresh_token may stand beside it.",
            ));
        }
        if lacks(&self.response_types, "code") {
            return Err(OAuthError::new(
                OAuthCode::InvalidClientMetadata,
                "response_types must have code.",
            ));
        }
        let first = redirects.first().map(name_of);
        let name = plain_name(self.client_name.as_deref().unwrap_or_default());
        Ok((name.or(first).unwrap_or_default(), redirects))
    }
}

/// The addresses that are taken. One client names those of all machines that it runs on, so what
/// opens a program that is not known here is left out, provided that something remains.
fn known(texts: &[String]) -> Result<Vec<RedirectUri>, NotTaken> {
    let (mut taken, mut left_out) = (Vec::new(), None);
    for text in texts {
        match RedirectUri::read(text) {
            Ok(redirect) => taken.push(redirect),
            Err(NotTaken::UnknownProgram) => left_out = Some(NotTaken::UnknownProgram),
            Err(unsafe_one) => return Err(unsafe_one),
        }
    }
    match left_out {
        Some(why) if taken.is_empty() => Err(why),
        _ => Ok(taken),
    }
}

/// A name for a client that gives none.
fn name_of(redirect: &RedirectUri) -> String {
    use super::redirect::Destination;
    match redirect.destination() {
        Destination::Host(host) => host,
        Destination::ThisMachine => "A program on your machine".to_owned(),
        Destination::Program(scheme) => scheme,
    }
}

/// A name without line ends, invisible characters and signs that turn the direction of text round;
/// none when nothing is left.
fn plain_name(text: &str) -> Option<String> {
    let visible = |c: &char| {
        let invisible = matches!(*c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
        !c.is_control() && !invisible
    };
    let spaced = |c: char| if c.is_whitespace() { ' ' } else { c };
    let shown: String = text.chars().map(spaced).filter(visible).collect();
    let words: Vec<&str> = shown.split_whitespace().collect();
    let name: String = words.join(" ").chars().take(LONGEST_NAME).collect();
    (!name.is_empty()).then_some(name)
}

/// The two kinds of id: of a registration, or the address of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ClientId {
    Registered,
    Document,
}

impl ClientId {
    pub(super) fn of(id: &str) -> Self {
        if id.starts_with("https://") {
            ClientId::Document
        } else {
            ClientId::Registered
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_shows_what_it_is() {
        assert_eq!(
            plain_name(" Claude\n Code ").as_deref(),
            Some("Claude Code")
        );
        assert_eq!(
            plain_name("a\u{202e}b\u{200b}c\u{e0041}").as_deref(),
            Some("abc")
        );
        assert_eq!(plain_name("\u{200b}\u{feff} "), None);
        assert_eq!(
            plain_name(&"x".repeat(500)).map(|name| name.len()),
            Some(80)
        );
    }
}
