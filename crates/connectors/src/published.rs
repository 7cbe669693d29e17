//! The JSON Schema of the format, for editors and for whoever writes definitions by program.

use crate::definition::Definition;
use schemars::generate::SchemaSettings;
use serde_json::{Value, json};

/// JSON Schema 2020-12 of a definition, made from the types and their comments. It is committed as
/// `docs/connector.schema.json`. Rules that it cannot say are those of [`lint`](crate::lint::lint).
pub fn schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Definition>().to_value();
    // Editors offer only what the format knows.
    schema["title"] = json!("Quaymaster connector");
    schema
}

/// The text of `docs/connector.schema.json`.
pub fn text() -> String {
    format!("{:#}\n", schema())
}
