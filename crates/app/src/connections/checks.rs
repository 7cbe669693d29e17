//! What somebody wants of an account, checked before anything is stored.

use super::tokens::flows;
use super::{Connection, NewConnection};
use crate::connectors::implied_fields;
use quaymaster_connectors::definition::{Auth, Definition, Field};
use quaymaster_connectors::lint::whole;
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::{Code, Fault};
use quaymaster_store::connection::Secrets;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Values that a person typed in. `Debug` shows their names.
#[derive(Clone, Default)]
pub struct Fields(pub BTreeMap<String, String>);

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A connection that was checked, before it has a name.
pub(super) struct Checked {
    pub(super) definition: Arc<Definition>,
    /// The key of its way to sign in.
    pub(super) auth: String,
    pub(super) fields: BTreeMap<String, String>,
    pub(super) secrets: Secrets,
    pub(super) workspace: Option<WorkspaceId>,
    pub(super) is_local: bool,
    /// Where the connector's present definition sends its credentials.
    pub(super) destination: Option<String>,
}

impl Checked {
    pub(super) fn auth(&self) -> Result<&Auth, Fault> {
        auth_of(&self.definition, Some(&self.auth))
    }
}

/// Agents write it behind a colon: `github:work`.
pub(super) fn checked_account(name: &str) -> Result<String, Fault> {
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
    };
    if name.is_empty() || name.len() > 40 || !name.bytes().all(plain) {
        return Err(Fault::invalid_arg(
            "/name",
            "pattern",
            "An account's name has 1 to 40 of a-z, 0-9, - and _.",
        ));
    }
    Ok(name.to_owned())
}

pub(super) fn free_name(known: &[Connection], connector: &str) -> String {
    let taken = |name: &str| {
        known
            .iter()
            .any(|one| one.connector == connector && one.name == name)
    };
    let numbered = (2..).map(|n| format!("main-{n}"));
    let mut names = std::iter::once("main".to_owned()).chain(numbered);
    names.find(|name| !taken(name)).unwrap_or_default()
}

pub(super) fn auth_of<'a>(
    definition: &'a Definition,
    key: Option<&str>,
) -> Result<&'a Auth, Fault> {
    let found = match key {
        Some(key) => definition.auth.iter().find(|auth| auth.key == key),
        None => definition.auth.first(),
    };
    let auth = found.ok_or_else(|| {
        let known: Vec<&str> = definition.auth.iter().map(|auth| &*auth.key).collect();
        Fault::invalid_arg(
            "/auth",
            "enum",
            format!("{} signs in by {}.", definition.title, known.join(" or ")),
        )
    })?;
    Ok(auth)
}

/// Whether accounts of this way are connected by what a person types in.
pub(super) fn is_typed(definition: &Definition, auth: &Auth) -> Result<(), Fault> {
    if flows(auth).is_empty() {
        return Ok(());
    }
    let title = &definition.title;
    let message =
        format!("Accounts of {title} sign in there; nothing that is typed in connects them.");
    Err(Fault::invalid_arg("/auth", "enum", message).hint(
        "Begin with POST /api/v1/connections/authorizations, or on the connector's page; or use a \
         key or token.",
    ))
}

/// Whether an account may be inside the network: somebody must name its host, and not the service.
pub(super) fn may_be_local(definition: &Definition, auth: &Auth) -> Result<(), Fault> {
    let title = &definition.title;
    let refused = |message| Err(Fault::invalid_arg("/is_local", "const", message));
    if definition.is_file() {
        return refused(format!(
            "{title} is a file of a workspace; there is no network to reach it in."
        ));
    }
    if definition.base_url.names().next().is_none() {
        return refused(format!(
            "{title} is on the internet, not inside your network."
        ));
    }
    let mut brought = auth
        .oauth2
        .iter()
        .flat_map(|oauth2| oauth2.fields_from_token.keys());
    if brought.any(|name| definition.base_url.names().any(|own| own == name)) {
        return refused(format!(
            "{title} says itself where an account's server is, so it cannot be inside your network."
        ));
    }
    Ok(())
}

/// Whoever connects a file decides which one is read, so that is nobody who was only sent a link.
pub(super) fn may_name_files(definition: &Definition, new: &NewConnection) -> Result<(), Fault> {
    if !definition.is_file() || (new.end_user.is_none() && new.session.is_none()) {
        return Ok(());
    }
    let message = format!(
        "{} is a file of a workspace, which an administrator connects, for all who use the connection.",
        definition.title
    );
    Err(Fault::new(Code::Forbidden, message))
}

pub(super) fn taken(name: &str) -> Fault {
    let message = format!("An account of that connector is called {name:?} already.");
    Fault::new(Code::AlreadyExists, message).hint("Choose another name, or rename the other one.")
}

/// Checks what was typed in and parts what is secret from what is not.
pub(super) fn sorted(
    definition: &Definition,
    auth: &Auth,
    given: &Fields,
) -> Result<(BTreeMap<String, String>, Secrets), Fault> {
    let implied = implied_fields(auth);
    let wanted: Vec<(&str, &Field)> = definition
        .connection
        .iter()
        .chain(&auth.fields)
        .map(|(name, field)| (name.as_str(), field))
        .chain(implied.iter().map(|(name, field)| (*name, field)))
        .collect();
    if let Some(stray) = given
        .0
        .keys()
        .find(|name| !wanted.iter().any(|(known, _)| known == name))
    {
        let known = wanted.iter().map(|(name, _)| *name);
        let close = did_you_mean(stray, known.clone(), 1).pop();
        let hint = close.map_or_else(
            || format!("Known are {}.", known.collect::<Vec<_>>().join(", ")),
            |close| format!("Did you mean {close}?"),
        );
        return Err(Fault::invalid_arg(
            &format!("/fields/{stray}"),
            "additionalProperties",
            format!("{} has no field {stray:?}.", definition.title),
        )
        .hint(hint));
    }
    let (mut plain, mut secrets) = (BTreeMap::new(), Secrets::new());
    for (name, field) in wanted {
        let value = given.0.get(name).or(field.default.as_ref());
        let value = value
            .map(|value| value.trim())
            .filter(|value| !value.is_empty());
        let Some(value) = value else {
            if field.optional {
                continue;
            }
            return Err(Fault::invalid_arg(
                &format!("/fields/{name}"),
                "required",
                format!("{} is needed.", field.title.as_deref().unwrap_or(name)),
            ));
        };
        check_value(name, field, value)?;
        if field.secret {
            secrets.insert(name.to_owned(), value.to_owned().into());
        } else {
            plain.insert(name.to_owned(), value.to_owned());
        }
    }
    Ok((plain, secrets))
}

/// Never repeats the value, which may be secret.
fn check_value(name: &str, field: &Field, value: &str) -> Result<(), Fault> {
    let wrong = |rule: &str, why: &str| {
        let title = field.title.as_deref().unwrap_or(name);
        let fault = Fault::invalid_arg(&format!("/fields/{name}"), rule, format!("{title} {why}."));
        match &field.example {
            Some(example) => fault.hint(format!("It looks like {example}.")),
            None => fault,
        }
    };
    if value.len() > 8_192 || value.chars().any(char::is_control) {
        return Err(wrong(
            "length",
            "is too long or has characters that it cannot have",
        ));
    }
    let pattern = field.pattern.as_deref();
    let fits =
        pattern.is_none_or(|pattern| whole(pattern).is_ok_and(|pattern| pattern.is_match(value)));
    if fits {
        Ok(())
    } else {
        Err(wrong("pattern", "does not look right"))
    }
}
