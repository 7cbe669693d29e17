//! The page behind a page.

use crate::definition::{Pagination, PaginationKind};
use crate::request::{Base, Invocation, is_allowed_host};
use http::HeaderMap;
use http::header::LINK;
use serde_json::{Map, Value, json};
use url::Url;

/// What leads to the next page.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Next {
    /// An input, by its name or by a JSON Pointer into the inputs.
    Input(String, Value),
    /// An address that may see the credentials.
    Address(Url),
}

/// A page as it came.
pub(crate) struct Page<'a> {
    pub(crate) url: &'a Url,
    pub(crate) base: &'a Base,
    pub(crate) allow_hosts: &'a [String],
    pub(crate) headers: &'a HeaderMap,
    /// The whole answer.
    pub(crate) answer: &'a Value,
    /// The result in it.
    pub(crate) result: &'a Value,
}

/// The items of a page's result.
pub(crate) fn items<'v>(pagination: &Pagination, result: &'v Value) -> Option<&'v Vec<Value>> {
    result
        .pointer(pagination.items.as_deref().unwrap_or_default())?
        .as_array()
}

/// How many items there are in all, if the answer says so.
pub(crate) fn total(pagination: &Pagination, answer: &Value) -> Option<u64> {
    match answer.pointer(pagination.total.as_deref()?)? {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    }
}

impl Page<'_> {
    /// What comes after this page of the call.
    pub(crate) fn next(&self, pagination: &Pagination, call: &Invocation) -> Option<Next> {
        use PaginationKind as Kind;
        let told = pagination.next.as_deref();
        let param = || pagination.param.clone();
        match pagination.kind {
            Kind::None => None,
            Kind::Link => self.address(linked(self.headers)?),
            Kind::NextUrl => self.address(self.answer.pointer(told?)?.as_str()?),
            Kind::Header => {
                let value = self.headers.get(told?)?.to_str().ok()?.trim();
                if value.starts_with('/') || value.contains("://") {
                    return self.address(value);
                }
                (!value.is_empty()).then(|| Some(Next::Input(param()?, value.into())))?
            }
            Kind::Cursor => {
                let value = self.answer.pointer(told?)?;
                let goes_on = says_something(value) && self.has_more(pagination);
                goes_on.then(|| Some(Next::Input(param()?, value.clone())))?
            }
            Kind::Offset if told.is_some() => {
                let value = self.answer.pointer(told?)?;
                (value.is_number() || value.is_string())
                    .then(|| Some(Next::Input(param()?, value.clone())))?
            }
            Kind::Offset => {
                let items = self.full_page(pagination, call)?;
                let at = number(call, pagination.param.as_deref()?).unwrap_or(0) + items;
                let all = total(pagination, self.answer);
                all.is_none_or(|all| at < all)
                    .then(|| Some(Next::Input(param()?, at.into())))?
            }
            Kind::Page => {
                let items = self.full_page(pagination, call)?;
                let first = u64::from(pagination.first.unwrap_or(1));
                let page = number(call, pagination.param.as_deref()?).unwrap_or(first);
                let size = size(pagination, call).unwrap_or(items);
                let seen = (page.saturating_sub(first) + 1).saturating_mul(size);
                let all = total(pagination, self.answer);
                all.is_none_or(|all| seen < all)
                    .then(|| Some(Next::Input(param()?, (page + 1).into())))?
            }
            Kind::Keyset => {
                self.full_page(pagination, call)?;
                let last = items(pagination, self.result)?.last()?;
                let value = last.pointer(pagination.key.as_deref()?)?;
                says_something(value).then(|| Some(Next::Input(param()?, value.clone())))?
            }
        }
    }

    /// How many items there are, unless this is the last page.
    fn full_page(&self, pagination: &Pagination, call: &Invocation) -> Option<u64> {
        let items = items(pagination, self.result)?.len() as u64;
        let is_short = size(pagination, call).is_some_and(|size| items < size);
        // Services may give fewer than they are asked for; their own word is better.
        let ends = pagination.more.is_none() && pagination.total.is_none() && is_short;
        (items > 0 && !ends && self.has_more(pagination)).then_some(items)
    }

    fn has_more(&self, pagination: &Pagination) -> bool {
        let more = pagination.more.as_deref();
        more.is_none_or(|more| self.answer.pointer(more).is_some_and(says_something))
    }

    /// An address that the service names: on its own host and below its own path.
    fn address(&self, text: &str) -> Option<Next> {
        if text.trim().is_empty() {
            return None;
        }
        let url = self.url.join(text.trim()).ok()?;
        let is_own = self.base.holds(&url) || is_allowed_host(self.allow_hosts, &url);
        is_own.then_some(Next::Address(url))
    }
}

impl Next {
    /// The call for the next page. An address stays beside it.
    pub(crate) fn call(&self, call: &Invocation, in_query: bool) -> Invocation {
        let mut next = call.clone();
        let Next::Input(name, value) = self else {
            return next;
        };
        let is_raw = next.path.is_some();
        match &mut next.body {
            _ if is_raw && in_query => set(&mut next.query, name, value),
            Some(Value::Object(members)) => set(members, name, value),
            None if is_raw => {
                let mut members = Map::new();
                set(&mut members, name, value);
                next.body = Some(Value::Object(members));
            }
            _ => set(&mut next.inputs, name, value),
        }
        next
    }

    /// What the caller adds to the same call.
    pub(crate) fn told(&self, call: &Invocation, in_query: bool, base: &Base) -> Option<Value> {
        match self {
            Next::Address(url) => {
                let path = base.below(url)?;
                let mut query = Map::new();
                for (name, value) in url.query_pairs() {
                    match query.get_mut(&*name) {
                        None => {
                            query.insert(name.into_owned(), value.into());
                        }
                        Some(Value::Array(values)) => values.push(value.into()),
                        Some(one) => *one = json!([one.take(), value]),
                    }
                }
                Some(json!({ "path": path, "query": query }))
            }
            Next::Input(name, value) => {
                let place = match (&call.path, &call.body) {
                    (Some(_), _) if in_query => "query",
                    (Some(_), _) | (None, Some(_)) => "body",
                    (None, None) => "inputs",
                };
                let mut added = Map::new();
                set(&mut added, name, value);
                Some(json!({ place: added }))
            }
        }
    }
}

/// Sets a member by its name, or by a pointer; objects on the way are made.
fn set(members: &mut Map<String, Value>, name: &str, value: &Value) {
    let Some((first, rest)) = name.strip_prefix('/').and_then(|path| path.split_once('/')) else {
        let name = name.strip_prefix('/').unwrap_or(name);
        members.insert(name.to_owned(), value.clone());
        return;
    };
    let inner = members.entry(first).or_insert_with(|| json!({}));
    if !inner.is_object() {
        *inner = json!({});
    }
    if let Value::Object(inner) = inner {
        set(inner, &format!("/{rest}"), value);
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Number(_) => true,
    }
}

fn number(call: &Invocation, name: &str) -> Option<u64> {
    let pointer = if name.starts_with('/') {
        name.to_owned()
    } else {
        format!("/{name}")
    };
    let body = call.body.as_ref().and_then(|body| body.pointer(&pointer));
    let bare = name.trim_start_matches('/');
    match call
        .inputs
        .get(bare)
        .or_else(|| call.query.get(bare))
        .or(body)?
    {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64(),
    }
}

fn size(pagination: &Pagination, call: &Invocation) -> Option<u64> {
    let own = pagination.page_size.as_ref()?;
    let asked = own.param.as_deref().and_then(|param| number(call, param));
    asked.or_else(|| own.default.map(u64::from))
}

/// The target of `rel="next"` (RFC 8288).
fn linked(headers: &HeaderMap) -> Option<&str> {
    let values = headers
        .get_all(LINK)
        .iter()
        .filter_map(|value| value.to_str().ok());
    values.into_iter().find_map(|mut rest| {
        while let Some(start) = rest.find('<') {
            let end = start + rest[start..].find('>')?;
            let target = &rest[start + 1..end];
            rest = &rest[end + 1..];
            let parameters = rest.split('<').next().unwrap_or_default();
            let is_next = parameters.split([';', ',']).any(|parameter| {
                parameter.split_once('=').is_some_and(|(name, value)| {
                    let mut relations = value.trim().trim_matches('"').split_whitespace();
                    name.trim().eq_ignore_ascii_case("rel")
                        && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
                })
            });
            if is_next {
                return Some(target);
            }
        }
        None
    })
}
