//! Where a definition sends credentials, as a digest.

use quaymaster_connectors::definition::{Auth, Definition, Field, Template};
use quaymaster_core::hex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeSet, HashMap};

/// For each way to sign in a digest of all that decides where its credentials go and who sees
/// them: hosts, where in a request they stand, the authorization server, and which fields are
/// secret. Texts for people are not in it, so that better words cost nobody a new sign-in.
pub(super) fn destinations(definition: &Definition) -> HashMap<String, String> {
    let modules = definition.modules.values();
    let modules = modules.filter_map(|module| module.base_url.as_ref());
    // In the order of their texts: the order of the file says nothing about the places.
    let bases: BTreeSet<&str> = std::iter::once(&definition.base_url)
        .chain(modules)
        .map(Template::as_str)
        .collect();
    let hosts: BTreeSet<&String> = definition.allow_hosts.iter().collect();
    let fields: BTreeSet<(&String, bool)> = secrecy(&definition.connection);
    let ways = definition.auth.iter().map(|auth| {
        let place = json!({
            "base_url": definition.base_url,
            "bases": bases,
            "hosts": hosts,
            "connection": fields,
            "way": way(auth),
        });
        let digest: [u8; 32] = Sha256::digest(place.to_string()).into();
        (auth.key.clone(), hex(&digest))
    });
    ways.collect()
}

fn secrecy<'a>(
    fields: impl IntoIterator<Item = (&'a String, &'a Field)>,
) -> BTreeSet<(&'a String, bool)> {
    let fields = fields.into_iter();
    fields.map(|(name, field)| (name, field.secret)).collect()
}

fn way(auth: &Auth) -> Value {
    json!({
        "type": auth.kind,
        "fields": secrecy(&auth.fields),
        "inject": sorted(&json!(auth.inject)),
        "oauth2": sorted(&json!(auth.oauth2)),
    })
}

/// With the members of its objects in the order of their names.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut members: Vec<(&String, &Value)> = map.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members = members.into_iter();
            members
                .map(|(name, value)| (name.clone(), sorted(value)))
                .collect::<serde_json::Map<_, _>>()
                .into()
        }
        Value::Array(list) => list.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quaymaster_connectors::load;

    const NOTES: &str = r#"
quaymaster: 1
key: notes
kind: rest
version: "1"
title: Notes
summary: Notes
base_url: https://api.notes.example/v1
allow_hosts: [files.notes.example, more.notes.example]
auth:
  - key: token
    type: api_key
    fields: {token: {secret: true}}
    inject: {header: {authorization: "Bearer {token}"}}
  - key: oauth2
    type: oauth2
    oauth2: {grants: [client_credentials], token_url: https://notes.example/token}
modules:
  a: {title: A, base_url: https://a.notes.example, actions: {get_a: {title: Get a, method: GET, path: /a}}}
"#;

    fn of(text: &str) -> HashMap<String, String> {
        destinations(&load::parse(text, "").unwrap())
    }

    #[test]
    fn whatever_leads_credentials_elsewhere_changes_the_digest_and_words_do_not() {
        let before = of(NOTES);
        let moved = [
            ("api.notes.example/v1", "api.notes.example/v2"),
            ("https://a.notes.example", "https://b.notes.example"),
            ("more.notes.example", "worse.example"),
            ("authorization: \"Bearer", "x-key: \"Bearer"),
            ("{token: {secret: true}}", "{token: {secret: false}}"),
        ];
        for (from, to) in moved {
            assert!(NOTES.contains(from), "{from}");
            let after = of(&NOTES.replace(from, to));
            assert_ne!(before["token"], after["token"], "{from}");
        }
        let after = of(&NOTES.replace("notes.example/token", "worse.example/token"));
        assert_ne!(before["oauth2"], after["oauth2"]);
        assert_eq!(before["token"], after["token"], "of the other way only");
        let stays = [
            ("title: Notes", "title: Better notes"),
            ("version: \"1\"", "version: \"2\""),
            ("path: /a", "path: /a/all"),
            (
                "[files.notes.example, more.notes.example]",
                "[more.notes.example, files.notes.example]",
            ),
        ];
        for (from, to) in stays {
            assert!(NOTES.contains(from), "{from}");
            assert_eq!(before, of(&NOTES.replace(from, to)), "{from}");
        }
    }
}
