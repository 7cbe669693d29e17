//! The files of the Python SDK: the types of all that is answered, and the calls.

use std::fmt::Write as _;

use anyhow::Result;

use super::document::{Call, Document, Field, Kind, Noun, Shape, Step};
use super::names::{pascal, snake};
use super::{NOTE, WIDTH};

const HEAD_OF_TYPES: &str = "
from __future__ import annotations

import sys
from typing import Any, Literal

if sys.version_info >= (3, 11):
    from typing import NotRequired, TypedDict
else:
    from typing_extensions import NotRequired, TypedDict

Json = dict[str, Any]
";

const HEAD_OF_RESOURCES: &str = "
from __future__ import annotations

import builtins

from . import types as t
from .base import UNSET, Resource, Send, Unset, changed, made
";

/// The types.
pub(super) fn types(document: &Document, nouns: &[Noun]) -> Result<String> {
    let names = document.names(nouns)?;
    let about = "The objects of the management API.";
    let mut text = format!("\"\"\"{about}\n\n{NOTE}\n\"\"\"\n{HEAD_OF_TYPES}");
    let mut objects = Vec::new();
    // What stands on the right of an alias is read at once, so the aliases come first.
    for name in &names {
        match document.named(name)?.kind {
            Kind::Object(fields) => objects.push((name, fields)),
            kind => writeln!(text, "{name} = {}", of_kind(&kind, ""))?,
        }
    }
    for (name, fields) in objects {
        writeln!(text, "\n\nclass {name}(TypedDict):")?;
        documented(&mut text, &document.about(name)?)?;
        for field in &fields {
            for line in field.about.lines() {
                writeln!(text, "    # {line}")?;
            }
            let kind = of(&field.shape, "");
            if field.required {
                writeln!(text, "    {}: {kind}", field.name)?;
            } else {
                writeln!(text, "    {}: NotRequired[{kind}]", field.name)?;
            }
        }
    }
    Ok(text)
}

/// The text below the head of a class, and an empty line.
fn documented(text: &mut String, about: &str) -> Result<()> {
    let about = escaped(about);
    let lines: Vec<_> = about.lines().collect();
    match lines[..] {
        [] => {}
        [line] => writeln!(text, "    \"\"\"{line}\"\"\"\n")?,
        _ => writeln!(text, "    \"\"\"{}\n    \"\"\"\n", lines.join("\n    "))?,
    }
    Ok(())
}

fn escaped(about: &str) -> String {
    about.replace('\\', "\\\\").replace('"', "\\\"")
}

/// The calls.
pub(super) fn resources(nouns: &[Noun]) -> Result<String> {
    let about =
        "What can be asked, noun by noun. Every call answers the JSON object that the server sent.";
    let mut text = format!("\"\"\"{about}\n\n{NOTE}\n\"\"\"\n{HEAD_OF_RESOURCES}");
    for noun in nouns {
        writeln!(text, "\n\nclass {}(Resource):", pascal(noun.name))?;
        writeln!(text, "    \"\"\"{}\"\"\"", noun.about)?;
        for call in &noun.calls {
            writeln!(text)?;
            method(&mut text, call)?;
        }
    }
    writeln!(text, "\n\nclass Resources:\n    \"\"\"All of them.\"\"\"\n")?;
    writeln!(text, "    def __init__(self, send: Send) -> None:")?;
    for noun in nouns {
        writeln!(
            text,
            "        self.{} = {}(send)",
            noun.name,
            pascal(noun.name)
        )?;
    }
    Ok(text)
}

fn method(text: &mut String, call: &Call) -> Result<()> {
    let (name, answer) = (call.name, &call.answer);
    let parameters = parameters(call);
    let line = format!("    def {name}({}) -> t.{answer}:", parameters.join(", "));
    if line.len() <= WIDTH {
        writeln!(text, "{line}")?;
    } else {
        writeln!(text, "    def {name}(")?;
        for parameter in parameters {
            writeln!(text, "        {parameter},")?;
        }
        writeln!(text, "    ) -> t.{answer}:")?;
    }
    writeln!(text, "        \"\"\"{}.\"\"\"", escaped(&call.summary))?;
    sending(text, call)
}

fn parameters(call: &Call) -> Vec<String> {
    let mut parameters = vec!["self".to_owned()];
    parameters.extend(call.inputs().map(|name| format!("{name}: str")));
    if parameters.len() > 1 {
        parameters.push("/".to_owned());
    }
    for field in &call.by_position {
        let kind = of_kind(&field.shape.kind, "t.");
        parameters.push(format!("{}: {kind}", snake(&field.name)));
    }
    if !call.by_name.is_empty() {
        parameters.push("*".to_owned());
    }
    let (required, optional): (Vec<&Field>, Vec<&Field>) =
        call.by_name.iter().partition(|field| field.required);
    for field in required {
        let kind = of(&field.shape, "t.");
        parameters.push(format!("{}: {kind}", snake(&field.name)));
    }
    for field in optional {
        let name = snake(&field.name);
        parameters.push(if call.changes() {
            format!("{name}: {} | Unset = UNSET", of(&field.shape, "t."))
        } else {
            let kind = of_kind(&field.shape.kind, "t.");
            format!("{name}: {kind} | None = None")
        });
    }
    parameters
}

/// The one statement of a method.
fn sending(text: &mut String, call: &Call) -> Result<()> {
    let steps: Vec<_> = call
        .path
        .iter()
        .map(|step| match step {
            Step::Word(word) => format!("\"{word}\""),
            Step::Input(name) => name.clone(),
        })
        .collect();
    // A tuple of one needs its comma.
    let comma = if steps.len() == 1 { "," } else { "" };
    let arguments = [
        format!("t.{}", call.answer),
        format!("\"{}\"", call.verb),
        format!("({}{comma})", steps.join(", ")),
    ];
    let line = format!("        return self._ask({})", arguments.join(", "));
    let fields: Vec<_> = call.fields().collect();
    if fields.is_empty() && line.len() <= WIDTH {
        writeln!(text, "{line}")?;
        return Ok(());
    }
    writeln!(text, "        return self._ask(")?;
    for argument in arguments {
        writeln!(text, "            {argument},")?;
    }
    if !fields.is_empty() {
        let filter = if call.changes() { "changed" } else { "made" };
        writeln!(text, "            {}={filter}({{", call.place())?;
        for field in fields {
            let name = &field.name;
            writeln!(text, "                \"{name}\": {},", snake(name))?;
        }
        writeln!(text, "            }}),")?;
    }
    writeln!(text, "        )")?;
    Ok(())
}

/// With `t.` in front of the types of the API where they have another file.
fn of(shape: &Shape, at: &str) -> String {
    let text = of_kind(&shape.kind, at);
    if shape.nullable {
        format!("{text} | None")
    } else {
        text
    }
}

fn of_kind(kind: &Kind, at: &str) -> String {
    match kind {
        Kind::Text => "str".to_owned(),
        Kind::Integer => "int".to_owned(),
        Kind::Number => "float".to_owned(),
        Kind::Boolean => "bool".to_owned(),
        Kind::Any => "Any".to_owned(),
        Kind::Json | Kind::Object(_) | Kind::OneOf(_) => format!("{at}Json"),
        Kind::Words(words) => {
            let words: Vec<_> = words.iter().map(|word| format!("\"{word}\"")).collect();
            format!("Literal[{}]", words.join(", "))
        }
        Kind::Named(name) => format!("{at}{name}"),
        // Among the calls, `list` is mostly one of them.
        Kind::List(inner) if at.is_empty() => format!("list[{}]", of(inner, at)),
        Kind::List(inner) => format!("builtins.list[{}]", of(inner, at)),
        Kind::Map(inner) => format!("dict[str, {}]", of(inner, at)),
    }
}
