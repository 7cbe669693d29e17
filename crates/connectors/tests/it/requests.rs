//! Every action of every connector builds the request that the service's documentation shows.

use quaymaster_connectors::definition::{Definition, Kind};
use quaymaster_connectors::passport::describe;
use quaymaster_connectors::request::{Built, Invocation, Prepared, build};
use quaymaster_connectors::{examples, load, resolve};
use quaymaster_core::Fault;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use url::Url;

fn catalog() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../catalog");
    let Ok(entries) = std::fs::read_dir(root) else {
        return Vec::new();
    };
    let mut folders: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|folder| {
            let text = std::fs::read_to_string(folder.join("connector.yaml"));
            // A database has no requests of HTTP; statements have tests of their own.
            text.is_ok_and(|text| !text.contains("\nkind: sql\n"))
        })
        .collect();
    folders.sort();
    folders
}

#[test]
fn every_action_builds_the_documented_request() {
    let mut failures = Vec::new();
    for folder in catalog() {
        let read = |name: &str| {
            let file = folder.join(name);
            std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))
        };
        let shown = folder.display().to_string();
        let definition = read("connector.yaml").map(|text| load::parse(&text, &shown));
        match (
            definition,
            read("requests.yaml").and_then(|text| examples::read(&text)),
        ) {
            (Ok(Ok(definition)), Ok(examples)) => {
                failures.extend(examples::failures(definition, &examples));
            }
            (Ok(Err(problems)), _) => failures.extend(problems.iter().map(ToString::to_string)),
            (Err(error), _) | (_, Err(error)) => failures.push(format!("{shown}: {error}")),
        }
    }
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// Whoever copies a recipe into `connector_execute` sends what the action's inputs make, which the
/// examples compare with the documentation.
#[test]
fn every_recipe_as_the_passport_shows_it_is_the_documented_request() {
    let mut failures = Vec::new();
    let mut seen = 0;
    for folder in catalog() {
        let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
        let definition = load::parse(&read("connector.yaml"), "connector.yaml").unwrap();
        let examples = examples::read(&read("requests.yaml")).unwrap();
        let prepared = Prepared::new(Arc::new(definition));
        let definition = prepared.definition();
        let passport = describe(definition, None).unwrap();
        let shown = passport["recipes"].as_array().unwrap();
        assert_eq!(shown.len(), definition.recipes.len());
        for (shown, recipe) in shown.iter().zip(&definition.recipes) {
            seen += 1;
            let at = format!("{}: {}", definition.key, recipe.title);
            let own = examples.iter().find(|one| one.action == recipe.action);
            let account = own.unwrap().account();
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
            let by_inputs = Invocation {
                action: Some(recipe.action.clone()),
                inputs: recipe.with.clone(),
                ..Invocation::default()
            };
            let meant = build(&prepared, &account, &by_inputs);
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
                        let differences = example.differences(&copied).into_iter();
                        failures.extend(differences.map(|what| format!("{at}: {what}")));
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

/// An address whose query is decoded and sorted: two spellings of one are the same.
fn spelled(url: &Url) -> String {
    let mut pairs: Vec<_> = url.query_pairs().into_owned().collect();
    pairs.sort();
    let mut bare = url.clone();
    bare.set_query(None);
    format!("{bare} {pairs:?}")
}
