//! The ways to sign in.

use super::{fields, names as check_names, text};
use crate::definition::{
    Auth, AuthKind, Definition, Envelope, Grant, OAuth2, Positional, Template,
};
use crate::request::header_field;
use quaymaster_yaml::{Report, Spot};
use std::collections::BTreeSet;

/// The names that the templates of a way to sign in may hold.
pub(super) fn names<'d>(definition: &'d Definition, auth: &'d Auth) -> BTreeSet<&'d str> {
    let mut known: BTreeSet<&str> = definition
        .connection
        .keys()
        .chain(auth.fields.keys())
        .map(String::as_str)
        .collect();
    if let Some(oauth2) = &auth.oauth2 {
        known.extend(["access_token", "client_id", "client_secret"]);
        known.extend(oauth2.fields_from_token.keys().map(String::as_str));
    }
    if auth.kind == AuthKind::Basic {
        known.extend(["username", "password"]);
    }
    known
}

pub(super) fn check(definition: &Definition, root: &Spot, report: &mut Report) {
    let all = root.key("auth");
    report.unless(
        !definition.auth.is_empty(),
        &all,
        "There is no way to sign in; for an open service write `auth: [{key: none, type: none}]`.",
    );
    for (index, auth) in definition.auth.iter().enumerate() {
        let at = all.item(index);
        report.unless(
            text::is_key(&auth.key, 40),
            &at.key("key"),
            format!(
                "{:?} is no key: a small letter, then small letters, digits and `_`.",
                auth.key
            ),
        );
        report.unless(
            definition.auth[..index]
                .iter()
                .all(|other| other.key != auth.key),
            &at.key("key"),
            format!("There are two ways to sign in with the key {:?}.", auth.key),
        );
        fields(&auth.fields, &at.key("fields"), report);
        for name in auth
            .fields
            .keys()
            .filter(|name| definition.connection.contains_key(*name))
        {
            report.say(
                &at.key("fields").key(name),
                format!("{name:?} is a field of `connection` too; every name stands once."),
            );
        }
        kind(auth, &at, report);
        inject(definition, auth, &at.key("inject"), report);
        if let Some(oauth2) = &auth.oauth2 {
            self::oauth2(definition, auth, oauth2, &at.key("oauth2"), report);
        }
    }
}

fn kind(auth: &Auth, at: &Spot, report: &mut Report) {
    let injects = !injected(auth).is_empty();
    match auth.kind {
        AuthKind::None => report.unless(
            auth.fields.is_empty() && !injects,
            &at.key("type"),
            "The type `none` has neither `fields` nor `inject`; keys are the type `api_key`.",
        ),
        AuthKind::ApiKey => {
            report.unless(
                !auth.fields.is_empty(),
                at,
                "The type `api_key` needs `fields`, at least `fields: {token: {secret: true}}`.",
            );
            report.unless(
                auth.fields.is_empty() || auth.fields.values().any(|field| field.secret),
                &at.key("fields"),
                "None of the fields is `secret: true`, so the key would be shown to people.",
            );
        }
        AuthKind::Basic => {
            let named = ["username", "password"]
                .iter()
                .all(|name| auth.fields.contains_key(*name));
            report.unless(
                auth.fields.is_empty() || named,
                &at.key("fields"),
                "The type `basic` has the fields `username` and `password`; name others by their `title`.",
            );
            report.unless(
                auth.fields.get("password").is_none_or(|field| field.secret),
                &at.key("fields").key("password"),
                "A password is `secret: true`.",
            );
        }
        AuthKind::Oauth2 => {}
    }
    report.unless(
        (auth.kind == AuthKind::Oauth2) == auth.oauth2.is_some(),
        &at.key("type"),
        "The type `oauth2` and the key `oauth2` belong together.",
    );
    let used = injected(auth);
    for (name, field) in &auth.fields {
        let needed = field.secret && auth.kind == AuthKind::ApiKey;
        report.unless(
            !needed || used.contains(name.as_str()),
            &at.key("fields").key(name),
            format!("`inject` puts {{{name}}} nowhere, so no request would carry it."),
        );
    }
}

/// The names that stand in the places of credentials.
fn injected(auth: &Auth) -> BTreeSet<&str> {
    let inject = &auth.inject;
    let maps = [&inject.header, &inject.query, &inject.body];
    let single = [&inject.path_prefix, &inject.rpc_first];
    let templates = maps
        .into_iter()
        .flat_map(|map| map.values())
        .chain(single.into_iter().flatten());
    templates.flat_map(Template::names).collect()
}

fn inject(definition: &Definition, auth: &Auth, at: &Spot, report: &mut Report) {
    let known = names(definition, auth);
    let inject = &auth.inject;
    for (key, map) in [
        ("header", &inject.header),
        ("query", &inject.query),
        ("body", &inject.body),
    ] {
        for (name, template) in map {
            let at = at.key(key).key(name);
            check_names(template, &known, &at, report);
            if key == "header" {
                match header_field(name) {
                    Some(field) => report.unless(
                        known.contains(field),
                        &at,
                        format!("There is no field {field:?} that names the header."),
                    ),
                    None => text::header(name, &at, report),
                }
            }
            report.unless(
                template.names().next().is_some(),
                &at,
                "It holds no field. What is sent with every call belongs into `defaults`.",
            );
        }
    }
    if let Some(prefix) = &inject.path_prefix {
        let at = at.key("path_prefix");
        check_names(prefix, &known, &at, report);
        report.unless(
            prefix.as_str().starts_with('/') && !prefix.as_str().ends_with('/'),
            &at,
            "It stands between `base_url` and the path: it begins with `/` and does not end with it.",
        );
    }
    if let Some(first) = &inject.rpc_first {
        let at = at.key("rpc_first");
        check_names(first, &known, &at, report);
        let fits = definition.rpc.as_ref().is_some_and(|rpc| {
            rpc.params == Positional::Positional && rpc.envelope == Envelope::Jsonrpc2
        });
        report.unless(
            fits,
            &at,
            "It needs `rpc: {envelope: jsonrpc2, params: positional}`.",
        );
    }
}

fn oauth2(definition: &Definition, auth: &Auth, oauth2: &OAuth2, at: &Spot, report: &mut Report) {
    let known: BTreeSet<&str> = definition
        .connection
        .keys()
        .chain(auth.fields.keys())
        .map(String::as_str)
        .collect();
    let urls = [
        ("authorize_url", oauth2.authorize_url.as_ref()),
        ("token_url", Some(&oauth2.token_url)),
        ("device_url", oauth2.device_url.as_ref()),
        ("revoke_url", oauth2.revoke_url.as_ref()),
        ("issuer", oauth2.issuer.as_ref()),
    ];
    for (key, url) in urls {
        if let Some(url) = url {
            text::endpoint(url, &known, &at.key(key), report);
        }
    }
    report.unless(
        !oauth2.grants.is_empty(),
        &at.key("grants"),
        "At least one of authorization_code, client_credentials, device_code.",
    );
    for (grant, url, key) in [
        (
            Grant::AuthorizationCode,
            &oauth2.authorize_url,
            "authorize_url",
        ),
        (Grant::DeviceCode, &oauth2.device_url, "device_url"),
    ] {
        report.unless(
            !oauth2.grants.contains(&grant) || url.is_some(),
            &at.key("grants"),
            format!("One of the grants needs `{key}`."),
        );
    }
    for name in [
        "access_token",
        "refresh_token",
        "client_id",
        "client_secret",
    ] {
        report.unless(
            !auth.fields.contains_key(name) && !definition.connection.contains_key(name),
            &at.key("grants"),
            format!("{name:?} is a name of OAuth's own, and no field can have it."),
        );
    }
    for (name, place) in &oauth2.fields_from_token {
        let at = at.key("fields_from_token").key(name);
        text::pointer(Some(place), &at, report);
        report.unless(
            text::is_key(name, 40)
                && ![
                    "access_token",
                    "refresh_token",
                    "client_id",
                    "client_secret",
                ]
                .contains(&name.as_str()),
            &at,
            format!("{name:?} is no name of a field."),
        );
    }
}
