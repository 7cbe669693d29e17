//! Examples of requests beside a definition, and whether it builds them as they stand there.
//!
//! `requests.yaml` is a list: `action`, `with` (its inputs), `account` (`auth`, `fields`,
//! `access_token`), `request` and `source`. A request has `verb`, `url`, `headers` (all but the
//! content type of a body), and `body`, `form`, `text` or `parts`.

use crate::definition::Definition;
use crate::request::{Account, Built, Invocation, Prepared, build};
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use url::Url;

/// A call and the request that the service's documentation shows for it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    action: String,
    #[serde(default)]
    with: Map<String, Value>,
    account: Signed,
    request: Expected,
    /// Where the documented request stands.
    source: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    auth: String,
    #[serde(default)]
    fields: BTreeMap<String, String>,
    access_token: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    verb: String,
    url: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Option<Value>,
    form: Option<BTreeMap<String, String>>,
    text: Option<String>,
    /// Of a multipart body: texts that stand in it.
    parts: Option<Vec<String>>,
}

/// Reads examples; the error says what is wrong and where.
pub fn read(text: &str) -> Result<Vec<Example>, String> {
    serde_saphyr::from_str(text).map_err(|error| {
        let message = error.to_string();
        message.lines().next().unwrap_or_default().to_owned()
    })
}

/// Every example whose request is another, and every action without one.
pub fn failures(definition: Definition, examples: &[Example]) -> Vec<String> {
    let mut failures = Vec::new();
    let key = definition.key.clone();
    let prepared = Prepared::new(Arc::new(definition));
    let all = prepared.definition().modules.values();
    let mut without: BTreeSet<_> = all.flat_map(|module| module.actions.keys()).collect();
    for example in examples {
        without.remove(&example.action);
        let mut tell = |what: String| {
            failures.push(format!(
                "{key}/{} ({}): {what}",
                example.action, example.source
            ));
        };
        let call = Invocation {
            action: Some(example.action.clone()),
            inputs: example.with.clone(),
            ..Invocation::default()
        };
        let fields = &example.account.fields;
        let account = Account {
            auth: example.account.auth.clone(),
            fields: fields
                .iter()
                .map(|(k, v)| (k.clone(), v.clone().into()))
                .collect(),
            access_token: example.account.access_token.clone().map(Into::into),
            local: false,
        };
        match build(&prepared, &account, &call) {
            Ok(built) => differences(&built, &example.request, &mut tell),
            Err(fault) => tell(format!(
                "{fault} {}",
                fault.details.clone().unwrap_or_default()
            )),
        }
    }
    for action in without {
        failures.push(format!("{key}/{action}: no example in requests.yaml"));
    }
    failures
}

fn differences(built: &Built, expected: &Expected, tell: &mut impl FnMut(String)) {
    let mut same = |what: &str, is: String, should: String| {
        if is != should {
            tell(format!("{what}\n  is     {is}\n  should {should}"));
        }
    };
    same("verb", built.verb.to_string(), expected.verb.clone());
    let should =
        Url::parse(&expected.url).map_or_else(|error| error.to_string(), |url| spelled(&url));
    same("url", spelled(&built.url), should);
    let mut is: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &built.headers {
        is.insert(
            name.to_string(),
            String::from_utf8_lossy(value.as_bytes()).into(),
        );
    }
    let mut should: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &expected.headers {
        should.insert(name.to_ascii_lowercase(), value.clone());
    }
    let content_type = is.get("content-type").cloned().unwrap_or_default();
    if !should.contains_key("content-type") {
        is.remove("content-type");
    }
    same("headers", format!("{is:?}"), format!("{should:?}"));
    let body = String::from_utf8_lossy(&built.body).into_owned();
    if let Some(form) = &expected.form {
        let mut is: Vec<_> = url::form_urlencoded::parse(&built.body)
            .into_owned()
            .collect();
        is.sort();
        same(
            "form",
            format!("{is:?}"),
            format!(
                "{:?}",
                form.iter()
                    .map(|(k, v)| (k.clone(), v.clone()))
                    .collect::<Vec<_>>()
            ),
        );
        same(
            "content type",
            content_type,
            "application/x-www-form-urlencoded".into(),
        );
    } else if let Some(text) = &expected.text {
        same("text", body, text.clone());
    } else if let Some(parts) = &expected.parts {
        let held: Vec<_> = parts
            .iter()
            .filter(|part| body.contains(part.as_str()))
            .collect();
        same(
            "parts",
            format!("{held:?} of {body}"),
            format!("{:?} of {body}", parts.iter().collect::<Vec<_>>()),
        );
    } else if let Some(json) = &expected.body {
        let is: Value = serde_json::from_slice(&built.body).unwrap_or(Value::String(body));
        if is != *json {
            same("body", is.to_string(), json.to_string());
        }
        let is_json = content_type.contains("json");
        same("content type is JSON's", is_json.to_string(), "true".into());
    } else {
        same("body", body, String::new());
    }
}

/// An address whose query is decoded and sorted: two spellings of one are the same.
fn spelled(url: &Url) -> String {
    let mut pairs: Vec<_> = url.query_pairs().into_owned().collect();
    pairs.sort();
    let mut bare = url.clone();
    bare.set_query(None);
    format!("{bare} {pairs:?}")
}
