//! Where an API is: one address in front of all paths, and the fields of an account in it.

use super::refs::Spot;
use super::schema::Dialect;
use super::words::{line, snake};
use crate::definition::{Field, Template};
use indexmap::IndexMap;
use quaymaster_core::{Code, Fault};
use std::net::IpAddr;

/// An address and the fields that it has.
#[derive(Debug, Clone, Default)]
pub(super) struct Address {
    pub(super) base: String,
    pub(super) fields: IndexMap<String, Field>,
}

/// The address of the whole API, and what is to be told about it.
pub(super) fn of_root(
    root: Spot<'_>,
    dialect: Dialect,
    given: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Address, Fault> {
    if let Some(given) = given {
        let address = of_option(given)?;
        if address.base.starts_with("{url}") && !given.starts_with('{') {
            notes.push(
                "The base address is inside a network, so each account gives its own.".to_owned(),
            );
        }
        return Ok(address);
    }
    let servers = match dialect {
        Dialect::V2 => of_v2(root),
        _ => root.items("servers").map(read).collect(),
    };
    let mut refused: Vec<String> = Vec::new();
    let mut good: Vec<Address> = Vec::new();
    for (text, fields) in servers {
        match checked(&text, fields) {
            Ok(address) => good.push(address),
            Err(why) => refused.push(why),
        }
    }
    // A server that the document names is a better one than one's own.
    let at = good.iter().position(|one| !one.base.starts_with('{'));
    if good.is_empty() {
        let why = refused.into_iter().next();
        return Err(none(root, why));
    }
    let chosen = good.remove(at.unwrap_or(0));
    if chosen.base.starts_with("{url}") {
        notes.push(
            "Its server is inside a network, so each account gives its own address.".to_owned(),
        );
    }
    if !good.is_empty() {
        let others: Vec<&str> = good.iter().map(|one| one.base.as_str()).take(8).collect();
        notes.push(format!(
            "Other servers of the document are not used: {}.",
            others.join(", ")
        ));
    }
    for why in refused {
        notes.push(format!("A server is passed over: {why}."));
    }
    Ok(chosen)
}

/// The address of one path or operation, if it has its own.
pub(super) fn own(spot: Spot<'_>) -> Result<Option<Address>, String> {
    let mut why = None;
    for server in spot.items("servers") {
        let (text, fields) = read(server);
        match checked(&text, fields) {
            Ok(address) => return Ok(Some(address)),
            Err(reason) => why = Some(reason),
        }
    }
    why.map_or(Ok(None), Err)
}

fn of_option(given: &str) -> Result<Address, Fault> {
    let wrong = |why: String| {
        Fault::invalid_arg("/base_url", "base_url", format!("The base address cannot be used: {why}."))
            .hint("Give scheme, host and path, for example https://api.example.com/v1, or {url}/v1 when each account has its own server.")
    };
    let template =
        Template::parse(given.trim_end_matches('/')).map_err(|error| wrong(error.to_string()))?;
    let mut fields = IndexMap::new();
    for name in template.names() {
        let title = if name == "url" {
            "Address of the server".to_owned()
        } else {
            super::words::spoken(name)
        };
        let example = (name == "url").then(|| "https://example.com".to_owned());
        fields.insert(
            name.to_owned(),
            Field {
                title: Some(title),
                example,
                ..Field::default()
            },
        );
    }
    if given.starts_with('{') {
        return Ok(Address {
            base: template.as_str().to_owned(),
            fields,
        });
    }
    checked(template.as_str(), fields).map_err(wrong)
}

fn none(root: Spot<'_>, why: Option<String>) -> Fault {
    let path = root
        .items("servers")
        .next()
        .and_then(|server| server.text("url"));
    let path = path
        .filter(|path| path.starts_with('/'))
        .unwrap_or_default();
    let path = root.text("basePath").unwrap_or(path).trim_end_matches('/');
    let why = why.unwrap_or_else(|| "it names no server".to_owned());
    Fault::new(Code::InvalidArg, format!("The document does not say where the API is: {why}."))
        .hint(format!(
            "Give the base address: https://<host>{0}, or {{url}}{0} when each account has its own server.",
            line(path, 100)
        ))
        .detail("needs", "base_url")
}

fn of_v2(root: Spot<'_>) -> Vec<(String, IndexMap<String, Field>)> {
    let path = root.text("basePath").unwrap_or_default();
    let Some(host) = root.text("host") else {
        return if path.is_empty() {
            Vec::new()
        } else {
            vec![(path.to_owned(), IndexMap::new())]
        };
    };
    let schemes: Vec<&str> = root
        .items("schemes")
        .filter_map(|one| one.node.text())
        .collect();
    // Without a word about it, it is the one of the document itself.
    let scheme = if schemes.is_empty() || schemes.contains(&"https") {
        "https"
    } else {
        "http"
    };
    let slash = if path.is_empty() || path.starts_with('/') {
        ""
    } else {
        "/"
    };
    vec![(format!("{scheme}://{host}{slash}{path}"), IndexMap::new())]
}

/// A server of 3.x, its variables as fields.
fn read(server: Spot<'_>) -> (String, IndexMap<String, Field>) {
    let mut text = server.text("url").unwrap_or_default().trim().to_owned();
    let mut fields = IndexMap::new();
    for (name, variable) in server.named("variables") {
        let default = variable.text("default");
        let values: Vec<&str> = variable
            .items("enum")
            .filter_map(|one| one.node.text())
            .collect();
        let place = format!("{{{name}}}");
        // A scheme to choose is https; a whole address, several segments and nothing are no fields.
        let in_front = text.starts_with(&place);
        let fixed = match (default, values.as_slice()) {
            _ if in_front && text.contains("://") => {
                Some(if values.contains(&"http") && !values.contains(&"https") {
                    "http"
                } else {
                    "https"
                })
            }
            (Some(default), _) if default.is_empty() || default.contains('/') => Some(default),
            (None, [one]) => Some(*one),
            (Some(default), [one]) if default == *one => Some(default),
            _ => None,
        };
        if let Some(fixed) = fixed {
            text = text.replace(&place, fixed.trim_end_matches('/'));
            continue;
        }
        let mut field = snake(name);
        if !field.starts_with(|c: char| c.is_ascii_lowercase()) || field == "access_token" {
            field = format!("server_{field}");
        }
        field.truncate(40);
        text = text.replace(&place, &format!("{{{field}}}"));
        let pattern = (!values.is_empty()).then(|| {
            let values: Vec<String> = values
                .iter()
                .take(100)
                .map(|value| regex::escape(value))
                .collect();
            values.join("|")
        });
        let default = default
            .filter(|value| !value.is_empty() && (values.is_empty() || values.contains(value)));
        fields.insert(
            field,
            Field {
                title: Some(super::words::spoken(name)),
                help: variable
                    .text("description")
                    .map(|text| line(text, 200))
                    .filter(|text| !text.is_empty()),
                pattern,
                default: default.map(str::to_owned),
                ..Field::default()
            },
        );
    }
    (text, fields)
}

/// An address as the format has it, or why it cannot be one.
fn checked(text: &str, mut fields: IndexMap<String, Field>) -> Result<Address, String> {
    let shown = line(text, 120);
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(if text.is_empty() {
            "it names no server".to_owned()
        } else {
            format!("its server {shown:?} is relative")
        });
    };
    let (host, path) = match rest.find('/') {
        Some(at) => (&rest[..at], rest[at..].trim_end_matches('/')),
        None => (rest, ""),
    };
    if host.contains('@') {
        return Err("its server holds a user name or password, which no definition may".to_owned());
    }
    if path.contains(['?', '#', '\\', ' ']) || host.contains(['?', '#', '\\', ' ']) {
        return Err(format!(
            "its server {shown:?} is more than a host and a path"
        ));
    }
    if !matches!(scheme, "http" | "https") {
        return Err(format!("its server {shown:?} is not reached by https"));
    }
    if is_inside(host) {
        let example = format!("{scheme}://{host}");
        fields.retain(|name, _| path.contains(&format!("{{{name}}}")));
        fields.shift_insert(
            0,
            "url".to_owned(),
            Field {
                title: Some("Address of the server".to_owned()),
                example: (!host.contains('{')).then_some(example),
                ..Field::default()
            },
        );
        return Ok(Address {
            base: format!("{{url}}{path}"),
            fields,
        });
    }
    if scheme == "http" && !host.contains('{') {
        return Err(format!(
            "its server {shown:?} is http, and addresses that a definition names are https"
        ));
    }
    let base = format!("{scheme}://{host}{path}");
    let template = Template::parse(&base)
        .map_err(|error| format!("its server {shown:?} cannot be read: {error}"))?;
    for name in template.names() {
        let field = || Field {
            title: Some(super::words::spoken(name)),
            ..Field::default()
        };
        fields.entry(name.to_owned()).or_insert_with(field);
    }
    fields.retain(|name, _| template.names().any(|own| own == name));
    Ok(Address { base, fields })
}

/// Whether a host is one that is not reached from outside: somebody's own.
fn is_inside(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    match name.parse::<IpAddr>() {
        Ok(address) => !quaymaster_egress::is_public(address),
        Err(_) => {
            let name = name.trim_end_matches('.').to_ascii_lowercase();
            let own = [
                ".local",
                ".localhost",
                ".internal",
                ".lan",
                ".home.arpa",
                ".test",
            ];
            !name.contains('{')
                && (!name.contains('.') || own.iter().any(|end| name.ends_with(end)))
        }
    }
}
