//! A connected account as a request needs it.

use crate::definition::{Auth, AuthKind, Definition, Field};
use crate::redact::Redactor;
use quaymaster_core::{Code, Fault};
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

/// The field of an OAuth account that templates know; nobody types it in.
pub(crate) const ACCESS_TOKEN: &str = "access_token";
const CLIENT_ID: &str = "client_id";
const USERNAME: &str = "username";
const PASSWORD: &str = "password";

/// An account's values. `Debug` shows no value of a field.
#[derive(Debug, Clone, Default)]
pub struct Account {
    /// The key of the way to sign in.
    pub auth: String,
    /// Fields of the way to sign in and of `connection`, by name.
    pub fields: BTreeMap<String, SecretString>,
    /// Of OAuth accounts: good at the moment of the call.
    pub access_token: Option<SecretString>,
    /// An administrator said that the account's server is inside the network. Nobody else may set
    /// it: it opens the way to that host and port.
    pub local: bool,
    /// Made with the first call, from what is secret in the account.
    pub redactor: KnownRedactor,
}

/// What takes an account's secrets out of answers, kept between its calls with the secrets that it
/// was made for.
#[derive(Clone, Default)]
pub struct KnownRedactor(Arc<OnceLock<(Vec<SecretString>, Redactor)>>);

impl fmt::Debug for KnownRedactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KnownRedactor")
    }
}

/// A definition and an account of it, looked at together.
#[derive(Clone, Copy)]
pub(crate) struct Signer<'a> {
    pub(crate) definition: &'a Definition,
    pub(crate) account: &'a Account,
    pub(crate) auth: &'a Auth,
}

impl<'a> Signer<'a> {
    /// `CONNECTION_REQUIRED` when the definition has no such way to sign in (any more).
    pub(crate) fn new(definition: &'a Definition, account: &'a Account) -> Result<Self, Fault> {
        let known = definition.auth.iter().find(|auth| auth.key == account.auth);
        let auth = known.ok_or_else(|| {
            let title = &definition.title;
            let message = format!("{title} can no longer be signed in to in this account's way.");
            Fault::new(Code::ConnectionRequired, message).hint("Connect the account again.")
        })?;
        Ok(Signer {
            definition,
            account,
            auth,
        })
    }

    pub(crate) fn field(&self, name: &str) -> Option<&'a Field> {
        let own = self.auth.fields.get(name);
        own.or_else(|| self.definition.connection.get(name))
    }

    /// A field's value, else its default. An empty one counts as none.
    pub(crate) fn value(&self, name: &str) -> Option<&'a str> {
        let given = match (&self.account.access_token, name) {
            (Some(token), ACCESS_TOKEN) => Some(token.expose_secret()),
            _ => self
                .account
                .fields
                .get(name)
                .map(ExposeSecret::expose_secret),
        };
        given
            .filter(|value| !value.is_empty())
            .or_else(|| self.field(name)?.default.as_deref())
    }

    /// Whether the field may be left out.
    pub(crate) fn is_optional(&self, name: &str) -> bool {
        self.field(name).is_some_and(|field| field.optional)
    }

    pub(crate) fn missing(&self, name: &str) -> Fault {
        let title = &self.definition.title;
        let message = format!("The account of {title} has no {name}.");
        Fault::new(Code::ConnectionRequired, message)
            .hint("Connect the account again and fill in every field.")
            .detail("field", name)
    }

    /// User name and password (RFC 7617).
    pub(crate) fn basic(&self) -> Result<Option<(&'a str, &'a str)>, Fault> {
        if self.auth.kind != AuthKind::Basic {
            return Ok(None);
        }
        let one = |name: &str| match self.value(name) {
            Some(value) => Ok(value),
            None if self.is_optional(name) => Ok(""),
            None => Err(self.missing(name)),
        };
        Ok(Some((one(USERNAME)?, one(PASSWORD)?)))
    }

    /// What OAuth brings and anybody may see: the app's public name, and what the token's answer says
    /// of the account.
    fn is_of_oauth(&self, name: &str) -> bool {
        self.auth
            .oauth2
            .as_ref()
            .is_some_and(|oauth2| name == CLIENT_ID || oauth2.fields_from_token.contains_key(name))
    }

    /// Finds the account's secrets.
    pub(crate) fn redactor(&self) -> Redactor {
        let known = self.account.redactor.0.get_or_init(|| {
            let secrets = self.secrets().map(Into::into).collect();
            (secrets, Redactor::new(self.secrets()))
        });
        let (secrets, redactor) = known;
        // A token may have been refreshed since.
        let same = self
            .secrets()
            .eq(secrets.iter().map(ExposeSecret::expose_secret));
        if same {
            redactor.clone()
        } else {
            Redactor::new(self.secrets())
        }
    }

    /// The values that nobody may see: what the definition calls secret, access tokens, passwords,
    /// and what the definition does not know.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &'a str> {
        let is_secret = |name: &str| match self.field(name) {
            Some(field) => field.secret,
            None => name != USERNAME && !self.is_of_oauth(name),
        };
        let fields = self.account.fields.iter();
        fields
            .filter(move |(name, _)| is_secret(name))
            .map(|(_, value)| value.expose_secret())
            .chain(
                self.account
                    .access_token
                    .iter()
                    .map(ExposeSecret::expose_secret),
            )
    }
}
