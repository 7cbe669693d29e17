//! The last step: credentials are put into a request whose address is settled.

use super::account::{ACCESS_TOKEN, Signer};
use super::address::Base;
use super::body::{Body, write_body};
use super::encode::Pairs;
use super::{Built, Draft, encode, header};
use crate::definition::{AuthKind, Template, push_percent, push_segment};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{AUTHORIZATION, COOKIE, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use http::{HeaderMap, Method};
use indexmap::IndexMap;
use quaymaster_core::{Code, Fault};
use serde_json::{Map, Value};
use url::Url;

/// How a message is sent and what it holds.
const TRANSPORT: [&str; 12] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Builds the request of a draft, with the headers of the definition, those of the caller, and the
/// account's credentials over both.
pub(super) fn sign(
    signer: Signer<'_>,
    base: Base,
    draft: Draft,
    defaults: &IndexMap<String, String>,
    given: &[(String, String)],
) -> Result<Built, Fault> {
    let Draft {
        verb,
        path,
        query,
        headers: own,
        body,
        content_type,
    } = draft;
    let mut headers = HeaderMap::with_capacity(defaults.len() + own.len() + 3);
    for (name, value) in defaults {
        let (name, value) = header(name, value)?;
        headers.insert(name, value);
    }
    for (name, value) in &own {
        is_free(signer, name)?;
        headers.insert(name.clone(), value.clone());
    }
    for (name, value) in given {
        let (name, value) = header(name, value)?;
        is_free(signer, &name)?;
        headers.insert(name, value);
    }
    let body = sign_body(signer, body)?;
    let body = write_body(body, content_type, &mut headers)?;
    sign_headers(signer, &mut headers)?;

    let inject = &signer.auth.inject;
    let prefix = match &inject.path_prefix {
        Some(template) => rendered(signer, template, push_pchar)?.unwrap_or_default(),
        None => String::new(),
    };
    let mut url = base.join(&prefix, &path)?;
    let reserved = query
        .iter()
        .find(|(name, _)| inject.query.contains_key(name));
    if let Some((name, _)) = reserved {
        return Err(taken(name));
    }
    let mut pairs = query;
    for (name, value) in injected_query(signer)? {
        pairs.push((name, value));
    }
    if !pairs.is_empty() {
        url.set_query(Some(&encode::query(&pairs)));
    }
    let verb = Method::from_bytes(verb.name().as_bytes()).map_err(|_| Fault::internal())?;
    Ok(Built {
        verb,
        url,
        headers,
        body,
        base,
    })
}

/// Puts the credentials of the query into an address that the service named.
pub(super) fn sign_query(signer: Signer<'_>, url: &mut Url) -> Result<(), Fault> {
    let injected = injected_query(signer)?;
    if injected.is_empty() {
        return Ok(());
    }
    let others: Pairs = url
        .query_pairs()
        .filter(|(name, _)| !signer.auth.inject.query.contains_key(&**name))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    let pairs: Pairs = others.into_iter().chain(injected).collect();
    url.set_query(Some(&encode::query(&pairs)));
    Ok(())
}

/// What goes in front of positional parameters.
pub(super) fn rpc_first(signer: Signer<'_>) -> Result<Option<String>, Fault> {
    match &signer.auth.inject.rpc_first {
        Some(template) => rendered(signer, template, String::push_str),
        None => Ok(None),
    }
}

fn injected_query(signer: Signer<'_>) -> Result<Pairs, Fault> {
    let mut pairs = Pairs::new();
    for (name, template) in &signer.auth.inject.query {
        if let Some(value) = rendered(signer, template, String::push_str)? {
            pairs.push((name.clone(), value));
        }
    }
    Ok(pairs)
}

fn sign_headers(signer: Signer<'_>, headers: &mut HeaderMap) -> Result<(), Fault> {
    let inject = &signer.auth.inject;
    if let Some((username, password)) = signer.basic()? {
        let pair = STANDARD.encode(format!("{username}:{password}"));
        headers.insert(AUTHORIZATION, secret(signer, &format!("Basic {pair}"))?);
    }
    let says_nothing = inject.header.is_empty()
        && inject.query.is_empty()
        && inject.body.is_empty()
        && inject.path_prefix.is_none()
        && inject.rpc_first.is_none();
    if signer.auth.kind == AuthKind::Oauth2 && says_nothing {
        let token = signer.value(ACCESS_TOKEN);
        let token = token.ok_or_else(|| signer.missing(ACCESS_TOKEN))?;
        headers.insert(AUTHORIZATION, secret(signer, &format!("Bearer {token}"))?);
    }
    for (name, template) in &inject.header {
        let Some(value) = rendered(signer, template, String::push_str)? else {
            continue;
        };
        if let Some(name) = header_name(signer, name)? {
            headers.insert(name, secret(signer, &value)?);
        }
    }
    Ok(())
}

fn sign_body(signer: Signer<'_>, body: Body) -> Result<Body, Fault> {
    let inject = &signer.auth.inject.body;
    if inject.is_empty() {
        return Ok(body);
    }
    let mut members = match body {
        Body::Members(members) => members,
        Body::None => Map::new(),
        Body::Form(mut pairs) => {
            for (name, template) in inject {
                if pairs.iter().any(|(own, _)| own == name) {
                    return Err(taken(name));
                }
                if let Some(value) = rendered(signer, template, String::push_str)? {
                    pairs.push((name.clone(), value));
                }
            }
            return Ok(Body::Form(pairs));
        }
        Body::Json(_) | Body::Text(_) => {
            let message = format!(
                "{} wants its credentials in the body, so the body must be an object.",
                signer.definition.title
            );
            return Err(Fault::invalid_arg("/body", "type", message).hint("Give an object."));
        }
    };
    for (name, template) in inject {
        if members.contains_key(name) {
            return Err(taken(name));
        }
        if let Some(value) = rendered(signer, template, String::push_str)? {
            members.insert(name.clone(), Value::String(value));
        }
    }
    Ok(Body::Members(members))
}

/// A template of credentials; `None` when a field in it is optional and not there.
fn rendered(
    signer: Signer<'_>,
    template: &Template,
    push: impl Fn(&mut String, &str),
) -> Result<Option<String>, Fault> {
    enum Stop {
        LeftOut,
        Missing(String),
    }
    let written = template.write(|name, text| match signer.value(name) {
        Some(value) => {
            push(text, value);
            Ok(())
        }
        None if signer.is_optional(name) => Err(Stop::LeftOut),
        None => Err(Stop::Missing(name.to_owned())),
    });
    match written {
        Ok(text) => Ok(Some(text)),
        Err(Stop::LeftOut) => Ok(None),
        Err(Stop::Missing(name)) => Err(signer.missing(&name)),
    }
}

/// One segment, in which a colon stays: keys of bots have one, and documentation shows it.
fn push_pchar(text: &mut String, value: &str) {
    // A value that is only dots would be taken out of the path.
    if value.bytes().all(|byte| byte == b'.') {
        value.bytes().for_each(|byte| push_percent(text, byte));
        return;
    }
    for (at, piece) in value.split(':').enumerate() {
        if at > 0 {
            text.push(':');
        }
        push_segment(text, piece);
    }
}

fn secret(signer: Signer<'_>, value: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_bytes(value.as_bytes()).map_err(|_| {
        let message = format!(
            "The credentials of {} have characters that no header can hold.",
            signer.definition.title
        );
        Fault::new(Code::ConnectionRequired, message)
            .hint("Connect the account again, without line breaks in its fields.")
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The header that credentials go into: `{field}` is the one that the account names.
fn header_name(signer: Signer<'_>, name: &str) -> Result<Option<HeaderName>, Fault> {
    let Some(field) = field_of(name) else {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| Fault::internal())?;
        return Ok(Some(name));
    };
    let Some(given) = signer.value(field) else {
        let missing = signer.missing(field);
        return signer.is_optional(field).then_some(None).ok_or(missing);
    };
    let name = HeaderName::from_bytes(given.as_bytes()).ok();
    // Those that say how a message is sent or read are not the account's to set.
    let name = name
        .filter(|name| !TRANSPORT.contains(&name.as_str()) && !name.as_str().starts_with("mcp-"));
    let name = name.ok_or_else(|| {
        let shown = quaymaster_core::schema::shorten(given);
        let message = format!("No credentials can be sent in a header {shown:?}.");
        Fault::new(Code::ConnectionRequired, message)
            .hint("Connect the account again, with the name of the header that the service wants.")
            .detail("field", field)
    })?;
    Ok(Some(name))
}

/// `{field}` without its braces.
pub(crate) fn field_of(name: &str) -> Option<&str> {
    name.strip_prefix('{')?.strip_suffix('}')
}

/// Headers that only the definition fills.
fn is_free(signer: Signer<'_>, name: &HeaderName) -> Result<(), Fault> {
    let mut injected = signer.auth.inject.header.keys();
    let own = injected.any(|own| {
        let named = field_of(own).and_then(|field| signer.value(field));
        named.unwrap_or(own).eq_ignore_ascii_case(name.as_str())
    });
    if own || [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION].contains(name) {
        return Err(taken(name.as_str()));
    }
    Ok(())
}

fn taken(name: &str) -> Fault {
    let message = format!("{name} is filled in from the account.");
    Fault::invalid_arg(&format!("/{name}"), "credentials", message).hint("Leave it out.")
}
