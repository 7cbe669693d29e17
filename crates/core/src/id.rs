//! Ids with a prefix, one type each, so that none can stand in another's place.
//!
//! An id is `prefix_` and 26 characters of lower-case Crockford base32: 48 bits of milliseconds
//! and 80 random bits (the ULID layout), so ids sort by time of creation.

use crate::clock::{Clock, Entropy, Instant};
use serde::{Deserialize, Serialize};

/// Why a text is not an id of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAnId {
    pub prefix: &'static str,
}

impl std::fmt::Display for NotAnId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "expected an id that starts with {}_", self.prefix)
    }
}

impl std::error::Error for NotAnId {}

fn fresh(prefix: &str, clock: &dyn Clock, entropy: &dyn Entropy) -> String {
    let mut random = [0u8; 16];
    entropy.fill(&mut random);
    spelled(prefix, clock.now(), u128::from_be_bytes(random))
}

fn spelled(prefix: &str, at: Instant, random: u128) -> String {
    let id = ulid::Ulid::from_parts(at.millis().cast_unsigned(), random);
    format!("{prefix}_{}", of_bits(id.0))
}

fn of_bits(bits: u128) -> String {
    ulid::Ulid(bits).to_string().to_ascii_lowercase()
}

fn check(prefix: &'static str, text: &str) -> Result<(), NotAnId> {
    let rest = text
        .strip_prefix(prefix)
        .and_then(|rest| rest.strip_prefix('_'));
    match rest {
        Some(rest)
            if rest.len() == 26
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_digit() || b.is_ascii_lowercase())
                && ulid::Ulid::from_string(&rest.to_ascii_uppercase()).is_ok() =>
        {
            Ok(())
        }
        _ => Err(NotAnId { prefix }),
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident $prefix:literal)*) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, schemars::JsonSchema)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            pub const PREFIX: &'static str = $prefix;

            pub fn fresh(clock: &dyn Clock, entropy: &dyn Entropy) -> Self {
                Self(fresh($prefix, clock, entropy))
            }

            /// The lowest id that can have been made at that time: what sorts before it is older.
            pub fn first_at(at: Instant) -> Self {
                Self(spelled($prefix, at, 0))
            }

            /// An id that a digest decides, of something that is not made once and kept.
            pub fn of_digest(digest: [u8; 16]) -> Self {
                Self(format!("{}_{}", $prefix, of_bits(u128::from_be_bytes(digest))))
            }

            pub fn as_str(&self) -> &str { &self.0 }
        }

        impl std::str::FromStr for $name {
            type Err = NotAnId;
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                check($prefix, text).map(|()| Self(text.to_owned()))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(&self.0) }
        }
    )* };
}

ids! {
    /// A tenant.
    OrgId "org"
    /// A person with a password.
    UserId "usr"
    /// A workspace of an organization.
    WorkspaceId "ws"
    /// How somebody signs in to us.
    CredentialId "crd"
    /// An upload session.
    UploadId "upl"
    /// A deleted file or directory that can be restored.
    TrashId "trs"
    /// One tool call.
    CallId "call"
    /// One management or credential event.
    EventId "evt"
    /// A link that is used once.
    LinkId "lnk"
    /// A signed-in browser.
    SessionId "ses"
    /// Somebody asked to join an organization.
    InvitationId "inv"
    /// A link that sets a new password.
    ResetId "rst"
    /// A connected account of a connector.
    ConnectionId "con"
    /// A definition of a connector that belongs to one organization.
    DefinitionId "def"
    /// A connector that is switched on in a workspace.
    IntegrationId "int"
    /// Saved inputs of an action.
    PartialId "prt"
    /// A person of a developer's own product.
    EndUserId "eu"
    /// A hosted server.
    ServerId "srv"
    /// A tool that was picked for a hosted server.
    ServerToolId "stl"
    /// Somebody is asked to connect an account.
    ConnectSessionId "cse"
    /// An organization's app at a service's authorization server.
    OAuthAppId "oap"
    /// A sign-in of an account at a service that is under way.
    AuthorizationId "aut"
    /// A document of an organization's knowledge base.
    DocumentId "doc"
    /// An OAuth authorization code.
    CodeId "oac"
    /// An OAuth access token.
    AccessTokenId "oat"
    /// An OAuth refresh token.
    RefreshTokenId "ort"
    /// A skill of an organization.
    SkillId "skl"
    /// A memory file.
    MemoryFileId "mem"
    /// A flow of a workspace.
    FlowId "flow"
    /// One execution of a flow.
    RunId "run"
    /// A secret that flows of a workspace put into requests.
    FlowSecretId "fsc"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemEntropy;

    struct At(i64);
    impl Clock for At {
        fn now(&self) -> Instant {
            Instant::from_micros(self.0)
        }
    }

    #[test]
    fn ids_sort_by_time_and_parse_back() {
        let early = OrgId::fresh(&At(1_000_000), &SystemEntropy);
        let late = OrgId::fresh(&At(2_000_000), &SystemEntropy);
        assert!(early < late);
        let between = OrgId::first_at(Instant::from_micros(1_500_000));
        assert!(early < between && between < late);
        assert_eq!(early.as_str().parse::<OrgId>(), Ok(early));
    }

    #[test]
    fn a_digest_decides_an_id() {
        let id = |digest| CredentialId::of_digest(digest);
        assert_eq!(id([0xff; 16]), id([0xff; 16]));
        assert_ne!(id([0xff; 16]), id([0xfe; 16]));
        assert_eq!(id([0xff; 16]).as_str().parse(), Ok(id([0xff; 16])));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let org = OrgId::fresh(&At(0), &SystemEntropy);
        assert_eq!(
            org.as_str().parse::<UserId>().unwrap_err().to_string(),
            "expected an id that starts with usr_"
        );
        for text in ["", "org_", "org_01", "org_ILOU0000000000000000000000"] {
            assert!(text.parse::<OrgId>().is_err(), "{text}");
        }
    }
}
