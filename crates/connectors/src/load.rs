//! Reads a definition's YAML, and says everything that is wrong with it at its place.

use crate::definition::Definition;
use crate::lint;
use quaymaster_yaml::{Limits, Shape};
pub use quaymaster_yaml::{Problem, Text};
use serde_json::{Value, json};

/// No definition written by hand comes near; imported ones are cut below it.
pub const MOST_BYTES: usize = 4 << 20;

pub(crate) const LIMITS: Limits = Limits {
    bytes: MOST_BYTES,
    nodes: 250_000,
    aliases: 200,
    replayed: 20_000,
};

impl Shape for Definition {
    const LIMITS: Limits = LIMITS;

    fn filler() -> Value {
        json!({
            "quaymaster": 1, "key": "x", "kind": "rest", "version": "1", "title": "x", "summary": "x",
            "base_url": "https://x", "auth": [], "modules": {},
        })
    }
}

/// A definition that keeps all rules, or every problem, in the order of the file. What is strict
/// about it: [`quaymaster_yaml`].
pub fn load(text: &str, file: &str) -> Result<Definition, Vec<Problem>> {
    let text = Text::new(text, file);
    let definition: Definition = text.read()?;
    text.placed(lint::findings(&definition))?;
    Ok(definition)
}

/// A definition without a look at its rules, for one that was checked when it was taken in.
pub fn parse(text: &str, file: &str) -> Result<Definition, Vec<Problem>> {
    Text::new(text, file).read()
}
