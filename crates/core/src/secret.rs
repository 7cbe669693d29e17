//! Tokens: 256 random bits, shown once, kept as SHA-256, compared in constant time.

use crate::clock::Entropy;
use crate::id::CredentialId;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Characters that hold 256 bits: 43 × log2(62) = 256.03.
const LENGTH: usize = 43;
/// No token is longer.
const LONGEST: usize = 200;

/// A fresh secret of 43 characters of base62.
pub fn fresh(entropy: &dyn Entropy) -> SecretString {
    let mut text = String::with_capacity(LENGTH);
    let mut bytes = [0u8; 64];
    while text.len() < LENGTH {
        entropy.fill(&mut bytes);
        for byte in bytes {
            // 248 = 4 × 62: what lies above would make the first letters likelier.
            if byte < 248 && text.len() < LENGTH {
                text.push(char::from(ALPHABET[usize::from(byte % 62)]));
            }
        }
    }
    text.into()
}

/// SHA-256 of a secret: the only form that is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SecretDigest(pub [u8; 32]);

impl SecretDigest {
    pub fn of(secret: &str) -> Self {
        SecretDigest(Sha256::digest(secret.as_bytes()).into())
    }

    /// Compares without telling by its time how much was equal.
    pub fn matches(&self, secret: &str) -> bool {
        self.0.ct_eq(&SecretDigest::of(secret).0).into()
    }
}

/// The kinds of credential, told apart by the look of their tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// `sk-org-<id>.<secret>`
    ApiKey,
    /// `<credential-id>.<secret>`
    WorkspaceToken,
    /// What a person granted to an OAuth client. It has no token of its own: its access tokens are
    /// a [`Handle`] each.
    OAuthGrant,
    /// `mcp_<id>.<secret>`, of a hosted server
    ServerToken,
    /// `at_<id>.<secret>`, of the flows of a workspace. The one kind that may stand in an address.
    FlowToken,
}

/// `<id>.<secret>`: an id that says where to look, and the secret that proves it. `Debug` shows the
/// id only.
#[derive(Debug, Clone)]
pub struct Handle<I> {
    pub id: I,
    pub secret: SecretString,
}

impl<I: std::str::FromStr + std::fmt::Display> Handle<I> {
    pub fn fresh(id: I, entropy: &dyn Entropy) -> Self {
        Handle {
            id,
            secret: fresh(entropy),
        }
    }

    /// `None` for anything that no handle of this kind can look like.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > LONGEST {
            return None;
        }
        let (id, secret) = text.split_once('.')?;
        let plain = !secret.is_empty() && secret.bytes().all(|b| b.is_ascii_alphanumeric());
        plain.then_some(())?;
        Some(Handle {
            id: id.parse().ok()?,
            secret: secret.to_owned().into(),
        })
    }

    /// The text that its owner gets. Shown once.
    pub fn reveal(&self) -> SecretString {
        format!("{}.{}", self.id, self.secret.expose_secret()).into()
    }

    pub fn digest(&self) -> SecretDigest {
        SecretDigest::of(self.secret.expose_secret())
    }
}

/// A bearer token taken apart. `Debug` shows the id only.
#[derive(Debug, Clone)]
pub struct Token {
    pub kind: TokenKind,
    pub credential: CredentialId,
    pub secret: SecretString,
}

const API_KEY_PREFIX: &str = "sk-org-";
const SERVER_TOKEN_PREFIX: &str = "mcp_";
const FLOW_TOKEN_PREFIX: &str = "at_";

impl Token {
    /// Reads a bearer token; `None` for anything that no credential can look like.
    pub fn parse(text: &str) -> Option<Token> {
        if text.len() > LONGEST {
            return None;
        }
        let (kind, rest) = if let Some(rest) = text.strip_prefix(API_KEY_PREFIX) {
            (TokenKind::ApiKey, rest)
        } else if let Some(rest) = text.strip_prefix(SERVER_TOKEN_PREFIX) {
            (TokenKind::ServerToken, rest)
        } else if let Some(rest) = text.strip_prefix(FLOW_TOKEN_PREFIX) {
            (TokenKind::FlowToken, rest)
        } else {
            (TokenKind::WorkspaceToken, text)
        };
        let (id, secret) = rest.split_once('.')?;
        let id = match kind {
            TokenKind::ApiKey | TokenKind::ServerToken | TokenKind::FlowToken => {
                format!("{}_{id}", CredentialId::PREFIX)
            }
            TokenKind::WorkspaceToken | TokenKind::OAuthGrant => id.to_owned(),
        };
        let plain = !secret.is_empty() && secret.bytes().all(|b| b.is_ascii_alphanumeric());
        plain.then_some(())?;
        Some(Token {
            kind,
            credential: id.parse().ok()?,
            secret: secret.to_owned().into(),
        })
    }

    /// The text that its owner pastes into a client. Shown once.
    pub fn reveal(&self) -> SecretString {
        let id = self.credential.as_str();
        let secret = self.secret.expose_secret();
        let bare = id
            .trim_start_matches(CredentialId::PREFIX)
            .trim_start_matches('_');
        match self.kind {
            TokenKind::ApiKey => format!("{API_KEY_PREFIX}{bare}.{secret}").into(),
            TokenKind::ServerToken => format!("{SERVER_TOKEN_PREFIX}{bare}.{secret}").into(),
            TokenKind::FlowToken => format!("{FLOW_TOKEN_PREFIX}{bare}.{secret}").into(),
            TokenKind::WorkspaceToken | TokenKind::OAuthGrant => format!("{id}.{secret}").into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{SystemClock, SystemEntropy};

    fn token(kind: TokenKind) -> Token {
        Token {
            kind,
            credential: CredentialId::fresh(&SystemClock, &SystemEntropy),
            secret: fresh(&SystemEntropy),
        }
    }

    #[test]
    fn every_kind_of_token_parses_back_and_debug_hides_the_secret() {
        for (kind, start) in [
            (TokenKind::ApiKey, "sk-org-"),
            (TokenKind::WorkspaceToken, "crd_"),
            (TokenKind::ServerToken, "mcp_"),
            (TokenKind::FlowToken, "at_"),
        ] {
            let made = token(kind);
            let text = made.reveal();
            assert!(text.expose_secret().starts_with(start));
            let read = Token::parse(text.expose_secret()).unwrap();
            assert_eq!((read.kind, &read.credential), (kind, &made.credential));
            let digest = SecretDigest::of(made.secret.expose_secret());
            assert!(digest.matches(read.secret.expose_secret()));
            assert!(!digest.matches("other"));
            assert!(!format!("{made:?}").contains(made.secret.expose_secret()));
        }
    }

    #[test]
    fn what_is_no_token_is_refused_quietly() {
        let long = "x".repeat(10_000);
        for text in [
            "",
            ".",
            "sk-org-",
            "crd_.x",
            "sk-org-abc.def",
            "a.b.c",
            &long,
        ] {
            assert!(Token::parse(text).is_none(), "{text}");
        }
    }
}
