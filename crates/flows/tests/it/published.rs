//! The committed schema is the one that the types make.

use quaymaster_flows::published;
use std::path::Path;

#[test]
fn the_published_schema_is_the_formats() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/flow.schema.json");
    let text = published::text();
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, &text).unwrap();
    }
    let committed = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        committed == text,
        "docs/flow.schema.json is out of date: UPDATE_SCHEMA=1 cargo test -p quaymaster-flows"
    );
}
