//! The published schema is made from the types, and fits what they read.

use crate::samples::{CRM, TRACKER};
use quaymaster_connectors::published;
use quaymaster_core::schema::Checker;
use serde_json::Value;
use std::path::Path;

/// Compares with the committed file, or writes it when `UPDATE_SCHEMA` is set.
#[test]
fn the_committed_schema_is_the_one_that_the_types_make() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/connector.schema.json");
    let made = published::text();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, &made).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == made,
        "docs/connector.schema.json is out of date: UPDATE_SCHEMA=1 cargo test -p quaymaster-connectors"
    );
}

#[test]
fn the_schema_takes_good_definitions_and_refuses_unknown_keys() {
    let checker = Checker::new(published::schema().as_object().unwrap()).unwrap();
    for text in [TRACKER, CRM] {
        let mut value: Value = serde_saphyr::from_str(text).unwrap();
        checker.check(value.as_object().unwrap()).unwrap();
        value["modules"]["x"] = serde_json::json!({ "title": "X", "actions": {}, "acton": 1 });
        checker.check(value.as_object().unwrap()).unwrap_err();
    }
}
