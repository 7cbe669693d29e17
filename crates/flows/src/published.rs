//! The JSON Schema of the format, for editors, for models that write flows, and for lint elsewhere.

use crate::format::Flow;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// JSON Schema 2020-12 of a flow, made from the types and their comments. It is committed as
/// `docs/flow.schema.json`. Rules that it cannot say are those of [`load`](crate::load).
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Flow>().to_value();
    schema["title"] = json!("Quaymaster flow");
    schema
}

/// The text of `docs/flow.schema.json`.
pub fn text() -> String {
    format!("{:#}\n", schema())
}
