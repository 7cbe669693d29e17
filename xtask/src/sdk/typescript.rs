//! The files of the TypeScript SDK: the types of all that is sent and answered, and the calls.

use std::fmt::Write as _;

use anyhow::Result;

use super::document::{Call, Document, Field, Kind, Noun, Shape, Step};
use super::names::camel;
use super::{NOTE, WIDTH};

/// The types.
pub(super) fn types(document: &Document, nouns: &[Noun]) -> Result<String> {
    let mut names = document.names(nouns)?;
    let calls = nouns.iter().flat_map(|noun| &noun.calls);
    names.extend(calls.filter_map(|call| call.body.clone()));
    let mut text = format!("// {NOTE}\n\nexport type Json = Record<string, unknown>;\n");
    for name in &names {
        writeln!(text)?;
        comment(&mut text, "", &document.about(name)?)?;
        match document.named(name)?.kind {
            Kind::Object(fields) => {
                writeln!(text, "export interface {name} {{")?;
                for field in &fields {
                    comment(&mut text, "  ", &field.about)?;
                    writeln!(text, "  {};", member(field))?;
                }
                writeln!(text, "}}")?;
            }
            Kind::OneOf(choices) => {
                let lines: Vec<_> = choices
                    .iter()
                    .map(|one| format!("  | {}", of(one)))
                    .collect();
                writeln!(text, "export type {name} =\n{};", lines.join("\n"))?;
            }
            kind => writeln!(text, "export type {name} = {};", of_kind(&kind))?,
        }
    }
    writeln!(
        text,
        "\n/** All calls, by noun. */\nexport interface Resources {{"
    )?;
    for noun in nouns {
        comment(&mut text, "  ", noun.about)?;
        writeln!(text, "  {}: {{", camel(noun.name))?;
        for call in &noun.calls {
            comment(&mut text, "    ", &format!("{}.", call.summary))?;
            signature(&mut text, call)?;
        }
        writeln!(text, "  }};")?;
    }
    writeln!(text, "}}")?;
    Ok(text)
}

fn signature(text: &mut String, call: &Call) -> Result<()> {
    let name = camel(call.name);
    let answer = &call.answer;
    let parameters = parameters(call);
    let line = format!("    {name}({}): Promise<{answer}>;", parameters.join(", "));
    if line.len() <= WIDTH {
        writeln!(text, "{line}")?;
        return Ok(());
    }
    writeln!(text, "    {name}(")?;
    for parameter in parameters {
        writeln!(text, "      {parameter},")?;
    }
    writeln!(text, "    ): Promise<{answer}>;")?;
    Ok(())
}

fn parameters(call: &Call) -> Vec<String> {
    let ids = call.inputs().map(|name| format!("{}: string", camel(name)));
    let by_position = call
        .by_position
        .iter()
        .map(|field| format!("{}: {}", field.name, of_kind(&field.shape.kind)));
    let mut parameters: Vec<_> = ids.chain(by_position).collect();
    if !call.by_name.is_empty() {
        let taken: Vec<_> = call
            .by_position
            .iter()
            .map(|field| quoted(&field.name))
            .collect();
        let kind = match &call.body {
            Some(body) if taken.is_empty() => body.clone(),
            Some(body) => format!("Omit<{body}, {}>", taken.join(" | ")),
            None => object(&call.by_name),
        };
        let mark = if call.needs_fields() { "" } else { "?" };
        parameters.push(format!("{}{mark}: {kind}", bundle(call)));
    }
    parameters
}

/// What the inputs are called that are given by name.
fn bundle(call: &Call) -> &'static str {
    match call.body {
        None => "query",
        Some(_) if call.changes() => "change",
        Some(_) => "fields",
    }
}

/// The calls.
pub(super) fn resources(nouns: &[Noun]) -> Result<String> {
    let mut text = format!(
        "// {NOTE}\n\n/** All calls, by noun, over a function that sends one request. */\n\
         export const resources = (send) => ({{\n"
    );
    for noun in nouns {
        writeln!(text, "  {}: {{", camel(noun.name))?;
        for call in &noun.calls {
            let (head, sent) = method(call);
            let line = format!("    {head} => {sent},");
            if line.len() <= WIDTH {
                writeln!(text, "{line}")?;
            } else {
                writeln!(text, "    {head} =>\n      {sent},")?;
            }
        }
        writeln!(text, "  }},")?;
    }
    writeln!(text, "}});")?;
    Ok(text)
}

/// What stands before and after the arrow.
fn method(call: &Call) -> (String, String) {
    let mut parameters: Vec<_> = call.inputs().map(camel).collect();
    let mut sent: Vec<_> = call
        .by_position
        .iter()
        .map(|field| field.name.clone())
        .collect();
    parameters.extend(sent.iter().cloned());
    let (bundle, place) = (bundle(call), call.place());
    let is_alone = sent.is_empty();
    if !call.by_name.is_empty() {
        // A body is sent in any case, a query only when there is one.
        let is_optional_body = is_alone && call.body.is_some() && !call.needs_fields();
        let default = if is_optional_body { " = {}" } else { "" };
        parameters.push(format!("{bundle}{default}"));
        sent.push(format!("...{bundle}"));
    }
    let options = if sent.is_empty() {
        String::new()
    } else if !is_alone {
        format!(", {{ {place}: {{ {} }} }}", sent.join(", "))
    } else if bundle == place {
        format!(", {{ {place} }}")
    } else {
        format!(", {{ {place}: {bundle} }}")
    };
    let steps: Vec<_> = call
        .path
        .iter()
        .map(|step| match step {
            Step::Word(word) => quoted(word),
            Step::Input(name) => camel(name),
        })
        .collect();
    (
        format!("{}: ({})", camel(call.name), parameters.join(", ")),
        format!("send('{}', [{}]{options})", call.verb, steps.join(", ")),
    )
}

fn of(shape: &Shape) -> String {
    let text = of_kind(&shape.kind);
    if shape.nullable {
        format!("{text} | null")
    } else {
        text
    }
}

fn of_kind(kind: &Kind) -> String {
    match kind {
        Kind::Text => "string".to_owned(),
        Kind::Integer | Kind::Number => "number".to_owned(),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Any => "unknown".to_owned(),
        Kind::Json => "Json".to_owned(),
        Kind::Words(words) => {
            let words: Vec<_> = words.iter().map(|word| quoted(word)).collect();
            words.join(" | ")
        }
        Kind::Named(name) => name.clone(),
        Kind::List(inner) => {
            let inner = of(inner);
            if inner.contains('|') {
                format!("({inner})[]")
            } else {
                format!("{inner}[]")
            }
        }
        Kind::Map(inner) => format!("Record<string, {}>", of(inner)),
        Kind::Object(fields) => object(fields),
        Kind::OneOf(choices) => {
            let choices: Vec<_> = choices.iter().map(of).collect();
            choices.join(" | ")
        }
    }
}

fn object(fields: &[Field]) -> String {
    let members: Vec<_> = fields.iter().map(member).collect();
    format!("{{ {} }}", members.join("; "))
}

fn member(field: &Field) -> String {
    let mark = if field.required { "" } else { "?" };
    format!("{}{mark}: {}", field.name, of(&field.shape))
}

fn quoted(word: &str) -> String {
    format!("'{word}'")
}

fn comment(text: &mut String, indent: &str, about: &str) -> Result<()> {
    let about = about.replace("*/", "* /");
    let lines: Vec<_> = about.lines().collect();
    match lines[..] {
        [] => {}
        [line] => writeln!(text, "{indent}/** {line} */")?,
        _ => {
            writeln!(text, "{indent}/**")?;
            for line in &lines {
                let line = format!("{indent} * {line}");
                writeln!(text, "{}", line.trim_end())?;
            }
            writeln!(text, "{indent} */")?;
        }
    }
    Ok(())
}
