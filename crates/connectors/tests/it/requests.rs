//! Every action of every connector builds the request that the service's documentation shows.
//!
//! `catalog/<key>/requests.yaml` is a list of examples: `action`, `with` (its inputs), `account`
//! (`auth`, `fields`, `access_token`), `request` and `source`. A request has `verb`, `url`,
//! `headers` (all but the content type of a body), and `body`, `form`, `text` or `parts`.

use quaymaster_connectors::definition::{Definition, Kind};
use quaymaster_connectors::passport::describe;
use quaymaster_connectors::request::{Account, Built, Invocation, Prepared, build};
use quaymaster_connectors::{load, resolve};
use quaymaster_core::Fault;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use url::Url;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Example {
    action: String,
    #[serde(default)]
    with: Map<String, Value>,
    account: Signed,
    request: Expected,
    /// Where the documented request stands.
    source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signed {
    auth: String,
    #[serde(default)]
    fields: BTreeMap<String, String>,
    access_token: Option<String>,
}

#[derive(Deserialize)]
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

fn catalog() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog");
    let Ok(entries) = std::fs::read_dir(root) else {
        return Vec::new();
    };
    let mut folders: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|folder| folder.join("connector.yaml").exists())
        .collect();
    folders.sort();
    folders
}

fn definition(folder: &Path) -> Result<Definition, Vec<String>> {
    let file = folder.join("connector.yaml");
    let text = std::fs::read_to_string(&file).unwrap();
    load::parse(&text, &file.display().to_string())
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

#[test]
fn every_action_builds_the_documented_request() {
    let mut failures = Vec::new();
    for folder in catalog() {
        let key = folder.file_name().unwrap().to_string_lossy().into_owned();
        match definition(&folder) {
            Err(problems) => failures.extend(problems),
            Ok(definition) => {
                let file = folder.join("requests.yaml");
                let examples = std::fs::read_to_string(&file)
                    .map_err(|error| error.to_string())
                    .and_then(|text| {
                        serde_saphyr::from_str::<Vec<Example>>(&text).map_err(|e| e.to_string())
                    });
                match examples {
                    Ok(examples) => compare(&key, definition, &examples, &mut failures),
                    Err(error) => failures.push(format!("{key}/requests.yaml: {error}")),
                }
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

fn compare(key: &str, definition: Definition, examples: &[Example], failures: &mut Vec<String>) {
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
        let call = by_inputs(&example.action, &example.with);
        match build(&prepared, &example.account.account(), &call) {
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
}

fn by_inputs(action: &str, inputs: &Map<String, Value>) -> Invocation {
    Invocation {
        action: Some(action.to_owned()),
        inputs: inputs.clone(),
        ..Invocation::default()
    }
}

impl Signed {
    fn account(&self) -> Account {
        let fields = self.fields.iter();
        Account {
            auth: self.auth.clone(),
            fields: fields.map(|(k, v)| (k.clone(), v.clone().into())).collect(),
            access_token: self.access_token.clone().map(Into::into),
            ..Account::default()
        }
    }
}

/// Whoever copies a recipe into `connector_execute` sends what the action's inputs make, which the
/// examples compare with the documentation.
#[test]
fn every_recipe_as_the_passport_shows_it_is_the_documented_request() {
    let mut failures = Vec::new();
    let mut seen = 0;
    for folder in catalog() {
        let definition = definition(&folder).unwrap();
        let examples = std::fs::read_to_string(folder.join("requests.yaml")).unwrap();
        let examples: Vec<Example> = serde_saphyr::from_str(&examples).unwrap();
        let prepared = Prepared::new(Arc::new(definition));
        let definition = prepared.definition();
        let passport = describe(definition, None).unwrap();
        let shown = passport["recipes"].as_array().unwrap();
        assert_eq!(shown.len(), definition.recipes.len());
        for (shown, recipe) in shown.iter().zip(&definition.recipes) {
            seen += 1;
            let at = format!("{}: {}", definition.key, recipe.title);
            let own = examples.iter().find(|one| one.action == recipe.action);
            let account = own.unwrap().account.account();
            let copied = match copied(definition, shown) {
                Ok(copied) => copied,
                Err(fault) => {
                    failures.push(format!("{at}: {fault}"));
                    continue;
                }
            };
            if copied.action.as_deref() != Some(recipe.action.as_str()) {
                failures.push(format!("{at}: it leads to {:?}", copied.action));
                continue;
            }
            let copied = build(&prepared, &account, &copied);
            let meant = build(
                &prepared,
                &account,
                &by_inputs(&recipe.action, &recipe.with),
            );
            match (copied, meant) {
                (Ok(copied), Ok(meant)) => {
                    let (is, should) = (in_full(&copied), in_full(&meant));
                    if is != should {
                        failures.push(format!("{at}\n  is     {is}\n  should {should}"));
                    }
                    let documented = examples
                        .iter()
                        .filter(|one| one.action == recipe.action && one.with == recipe.with);
                    for example in documented {
                        let mut tell = |what: String| failures.push(format!("{at}: {what}"));
                        differences(&copied, &example.request, &mut tell);
                    }
                }
                (Err(fault), _) | (_, Err(fault)) => failures.push(format!(
                    "{at}: {fault} {}",
                    fault.details.clone().unwrap_or_default()
                )),
            }
        }
    }
    assert!(seen > 80, "{seen}");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// What `connector_execute` makes of a recipe's parts.
fn copied(definition: &Definition, shown: &Value) -> Result<Invocation, Fault> {
    let allowed = ["title", "module", "action", "call", "query", "body", "note"];
    let stray = shown.as_object().unwrap().keys();
    assert!(
        stray.clone().all(|key| allowed.contains(&key.as_str())),
        "{shown}"
    );
    let call = shown["call"].as_str().unwrap();
    let (method, path) = match (definition.kind, call.split_once(' ')) {
        (Kind::Rest, Some((verb, path))) => (verb, Some(path)),
        _ => (call, None),
    };
    let resolved = resolve::call(definition, shown["module"].as_str(), method, path)?;
    let query = shown["query"].as_object().cloned().unwrap_or_default();
    Ok(resolved.invocation(query, shown.get("body").cloned()))
}

fn in_full(built: &Built) -> String {
    let mut headers: Vec<_> = built.headers.iter().collect();
    headers.sort_by_key(|(name, _)| name.as_str());
    let body: Value = serde_json::from_slice(&built.body)
        .unwrap_or_else(|_| String::from_utf8_lossy(&built.body).into());
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    format!("{} {} {headers:?} {body}", built.verb, spelled(&built.url))
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
