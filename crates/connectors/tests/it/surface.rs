//! From actions to tools: what models and their vendors see of connectors.

mod companions;
mod dialects;
mod listed;
mod names;
mod presets;
mod reading;
mod schemas;
mod search;
mod typescript;

use quaymaster_connectors::catalog::Catalog;
use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::load;
use quaymaster_connectors::surface::{JsonObject, Partial, Preset};
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};

static EMBEDDED: LazyLock<Vec<Arc<Definition>>> = LazyLock::new(|| {
    let catalog = Catalog::embedded();
    let entries = catalog.entries().iter();
    entries
        .map(|entry| catalog.get(&entry.key).unwrap())
        .collect()
});

fn embedded(key: &str) -> Arc<Definition> {
    EMBEDDED.iter().find(|one| one.key == key).unwrap().clone()
}

fn object(value: Value) -> JsonObject {
    crate::fixture::object(value)
}

fn partial(name: &str, values: Value, enforced: &[&str]) -> Partial {
    Partial {
        name: name.to_owned(),
        values: object(values),
        enforced: enforced.iter().map(|key| (*key).to_owned()).collect(),
    }
}

fn preset(defaults: Value, partials: Vec<Partial>) -> Preset {
    Preset {
        defaults: object(defaults),
        partials,
    }
}

/// A definition with these modules, as JSON, and whatever else is in `rest`.
fn definition(modules: &Value, rest: Value) -> Definition {
    let mut whole = json!({
        "quaymaster": 1,
        "key": "test",
        "kind": "rest",
        "version": "1",
        "title": "Test service",
        "summary": "A service of tests",
        "base_url": "https://api.example.com",
        "auth": [{ "key": "none", "type": "none" }],
        "modules": modules,
    });
    for (key, value) in object(rest) {
        whole[key] = value;
    }
    load::parse(&whole.to_string(), "test.yaml").unwrap()
}
