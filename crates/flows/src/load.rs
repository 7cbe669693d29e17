//! Reads flows and packs, YAML or JSON, and says everything that is wrong at its place.

use crate::format::Flow;
use crate::lint;
use crate::pack::Pack;
use quaymaster_yaml::{Limits, Shape};
pub use quaymaster_yaml::{Problem, Text};
use serde_json::{Value, json};

/// Bytes of a file. One that people write is far smaller.
pub const MOST_BYTES: usize = 1 << 20;

pub(crate) const LIMITS: Limits = Limits {
    bytes: MOST_BYTES,
    nodes: 100_000,
    aliases: 100,
    replayed: 10_000,
};

const BRACKETED: &str = " An expression that begins with a bracket stands in quotes or behind `|`.";

impl Shape for Flow {
    const LIMITS: Limits = LIMITS;
    const BRACKETED: &'static str = BRACKETED;

    fn filler() -> Value {
        json!({ "flow": "x", "steps": [] })
    }

    fn gap() -> Value {
        json!({})
    }
}

impl Shape for Pack {
    const LIMITS: Limits = LIMITS;
    const BRACKETED: &'static str = BRACKETED;

    fn filler() -> Value {
        json!({
            "pack": "x", "id": "x", "title": "x", "version": "x", "description": "x", "flows": [],
        })
    }

    fn gap() -> Value {
        json!({})
    }
}

/// What a file can be.
#[derive(Debug, Clone)]
pub enum Document {
    Flow(Box<Flow>),
    Pack(Box<Pack>),
}

/// A flow that keeps all rules, or every problem, in the order of the text. `file` is what problems
/// call it. What is strict about it: [`quaymaster_yaml`]. What jq says of the expressions is not
/// known here.
pub fn flow(text: &str, file: &str) -> Result<Flow, Vec<Problem>> {
    flow_of(&Text::new(text, file))
}

/// A pack and its flows, as [`flow`].
pub fn pack(text: &str, file: &str) -> Result<Pack, Vec<Problem>> {
    pack_of(&Text::new(text, file))
}

/// Whatever stands there: with the key `pack` a pack, else a flow.
pub fn document(text: &Text<'_>) -> Result<Document, Vec<Problem>> {
    if text.has(&["pack"]) {
        pack_of(text).map(|pack| Document::Pack(Box::new(pack)))
    } else {
        flow_of(text).map(|flow| Document::Flow(Box::new(flow)))
    }
}

/// A flow without a look at its rules, for one that was checked when it was saved.
pub fn saved(text: &str) -> Result<Flow, Vec<Problem>> {
    Text::new(text, "").read()
}

fn flow_of(text: &Text<'_>) -> Result<Flow, Vec<Problem>> {
    let flow: Flow = text.read()?;
    text.placed(lint::flow(&flow))?;
    Ok(flow)
}

fn pack_of(text: &Text<'_>) -> Result<Pack, Vec<Problem>> {
    let pack: Pack = text.read()?;
    text.placed(lint::pack(&pack))?;
    Ok(pack)
}
