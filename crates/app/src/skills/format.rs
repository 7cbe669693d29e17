//! The Agent Skills format: what a name, a description, a frontmatter and a path may be, and how
//! `SKILL.md` is written and read (agentskills.io/specification).

use quaymaster_core::tool::JsonObject;
use quaymaster_core::{Code, Fault};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;

/// Of one skill, `SKILL.md` included (MCP, skills extension).
pub const MOST_FILES: usize = 512;
pub const MOST_BYTES: usize = 16 << 20;
/// Of a system prompt, in bytes. The format advises fewer than 5,000 tokens.
pub const MOST_PROMPT: usize = 256 << 10;
const MOST_NAME: usize = 64;
const MOST_DESCRIPTION: usize = 1_024;
const MOST_COMPATIBILITY: usize = 500;
/// Of the rest of a frontmatter, as JSON.
const MOST_FRONTMATTER: usize = 16 << 10;
const MOST_PATH: usize = 512;
const MOST_DEPTH: usize = 16;

pub const SKILL_MD: &str = "SKILL.md";
/// Where a frontmatter says the bound service, so that it survives leaving and coming back.
const SERVICE: &str = "quaymaster-service";
/// The hint stands between these lines. The number changes with its wording, so that an upgrade
/// changes no skill that nobody saves.
const HINT_BEGINS: &str = "<!-- quaymaster:service-hint:1 -->";
const HINT_ENDS: &str = "<!-- /quaymaster:service-hint -->";
const ANY_HINT: &str = "<!-- quaymaster:service-hint:";

/// What `SKILL.md` says.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Document {
    pub name: String,
    pub description: String,
    pub system_prompt: String,
    /// Key of a connector.
    pub service: Option<String>,
    /// The frontmatter's other members.
    pub frontmatter: JsonObject,
}

/// The bound service as the hint tells of it.
#[derive(Debug, Clone)]
pub struct Service {
    pub key: String,
    pub title: String,
    /// Arguments of `connector_execute`, as an example.
    pub example: Value,
}

fn wrong(field: &str, rule: &str, message: impl Into<String>) -> Fault {
    Fault::invalid_arg(&format!("/{field}"), rule, message)
}

/// A name: 1 to 64 of `a-z`, `0-9` and single hyphens inside.
pub fn check_name(name: &str) -> Result<(), Fault> {
    let fits = !name.is_empty()
        && name.len() <= MOST_NAME
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--");
    if fits {
        return Ok(());
    }
    Err(wrong(
        "name",
        "pattern",
        "A skill's name has 1 to 64 of a-z, 0-9 and single hyphens, and a hyphen neither first nor last.",
    )
    .hint("For example `refund-policy`."))
}

/// Everything but the name and the service.
pub fn check(document: &Document) -> Result<(), Fault> {
    let description = document.description.as_str();
    if description.trim().is_empty() || description.chars().count() > MOST_DESCRIPTION {
        return Err(wrong(
            "description",
            "length",
            format!("A description has 1 to {MOST_DESCRIPTION} characters."),
        )
        .hint("Say what the skill does and when to use it: clients choose by it."));
    }
    if description.chars().any(|c| c.is_control() && c != '\n') {
        return Err(wrong(
            "description",
            "pattern",
            "A description is plain text.",
        ));
    }
    if document.system_prompt.len() > MOST_PROMPT {
        return Err(wrong(
            "system_prompt",
            "length",
            "The system prompt is longer than 256 KiB.",
        )
        .hint("Put what is needed only sometimes into files below references/."));
    }
    if document.system_prompt.contains('\0') || document.system_prompt.contains(ANY_HINT) {
        return Err(wrong(
            "system_prompt",
            "pattern",
            "A system prompt has no NUL and no marker of a service hint; the hint is added when a service is bound.",
        ));
    }
    check_frontmatter(&document.frontmatter)
}

fn check_frontmatter(frontmatter: &JsonObject) -> Result<(), Fault> {
    let wrong =
        |key: &str, message: &str| Err(wrong(&format!("frontmatter/{key}"), "type", message));
    for (key, value) in frontmatter {
        match (key.as_str(), value) {
            ("name" | "description", _) => {
                return wrong(key, "Name and description have fields of their own.");
            }
            ("license" | "allowed-tools", Value::String(_)) => {}
            ("license" | "allowed-tools", _) => return wrong(key, "This is a text."),
            ("compatibility", Value::String(text))
                if (1..=MOST_COMPATIBILITY).contains(&text.chars().count()) => {}
            ("compatibility", _) => return wrong(key, "This is a text of 1 to 500 characters."),
            ("metadata", Value::Object(map)) if map.values().all(Value::is_string) => {}
            ("metadata", _) => return wrong(key, "This is an object of texts."),
            _ => {}
        }
        let is_plain = !key.is_empty()
            && key.len() <= 64
            && key
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
        if !is_plain {
            return wrong(
                "",
                "A key of the frontmatter has 1 to 64 letters, digits, - and _.",
            );
        }
    }
    let size = Value::Object(frontmatter.clone()).to_string();
    if size.len() > MOST_FRONTMATTER || size.contains("\\u0000") {
        return wrong("", "The frontmatter is larger than 16 KiB, or has a NUL.");
    }
    Ok(())
}

/// The whole frontmatter in its order.
pub fn frontmatter_of(document: &Document) -> JsonObject {
    let mut whole = JsonObject::new();
    whole.insert("name".into(), json!(document.name));
    whole.insert("description".into(), json!(document.description));
    let is_empty = |value: &Value| value.as_object().is_some_and(JsonObject::is_empty);
    let others = document
        .frontmatter
        .iter()
        .filter(|(_, value)| !is_empty(value));
    whole.extend(others.map(|(key, value)| (key.clone(), value.clone())));
    if let Some(service) = &document.service {
        let metadata = whole.entry("metadata").or_insert_with(|| json!({}));
        metadata[SERVICE] = json!(service);
    }
    whole
}

/// The other way round, for what was stored.
pub(super) fn from_parts(
    name: &str,
    description: &str,
    system_prompt: &str,
    mut frontmatter: JsonObject,
) -> Document {
    frontmatter.shift_remove("name");
    frontmatter.shift_remove("description");
    let service = take_service(&mut frontmatter);
    Document {
        name: name.to_owned(),
        description: description.to_owned(),
        system_prompt: system_prompt.to_owned(),
        service,
        frontmatter,
    }
}

/// `SKILL.md`: frontmatter, system prompt, and how to call the bound service.
pub fn render(document: &Document, service: Option<&Service>) -> String {
    let mut text = String::from("---\n");
    for (key, value) in frontmatter_of(document) {
        match value {
            // JSON is YAML, whatever a text contains; a name needs no quotes.
            Value::String(name) if key == "name" => {
                let _ = writeln!(text, "name: {name}");
            }
            Value::Object(members) => {
                let _ = writeln!(text, "{key}:");
                for (name, value) in members {
                    let _ = writeln!(text, "  {}: {}", yaml(&json!(name)), yaml(&value));
                }
            }
            value => {
                let _ = writeln!(text, "{key}: {}", yaml(&value));
            }
        }
    }
    text.push_str("---\n\n");
    text.push_str(document.system_prompt.trim_end());
    text.push('\n');
    if let Some(service) = service {
        let _ = write!(
            text,
            "\n{HINT_BEGINS}\n## Calling {}\n\nThis skill works with the service `{key}`. Call it with the tool \
             `connector_execute`, for example with these arguments:\n\n```json\n{:#}\n```\n\n\
             `describe_service` with `{{\"service\": \"{key}\"}}` lists its modules, calls and recipes. When several \
             accounts are connected, name one as `{key}:<account>`; a call that writes must.\n{HINT_ENDS}\n",
            service.title,
            service.example,
            key = service.key,
        );
    }
    text
}

/// JSON without characters that YAML does not take as they are, and without what some readers take
/// for the end of the frontmatter, wherever it stands.
fn yaml(value: &Value) -> String {
    let json = value.to_string().replace("---", r"\u002d\u002d\u002d");
    let is_plain = |c: char| {
        !matches!(
            c,
            '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
        )
    };
    if json.chars().all(is_plain) {
        return json;
    }
    json.chars().fold(String::new(), |mut text, c| {
        if is_plain(c) {
            text.push(c);
        } else {
            let _ = write!(text, "\\u{:04x}", u32::from(c));
        }
        text
    })
}

/// Reads a `SKILL.md` that somebody brings.
pub fn read(text: &str) -> Result<Document, Fault> {
    let broken = |message: String| {
        Fault::new(Code::InvalidArg, message).hint(
            "SKILL.md begins with a line ---, then name: and description:, then another line ---.",
        )
    };
    let text = text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .replace("\r\n", "\n");
    let rest = text
        .strip_prefix("---\n")
        .ok_or_else(|| broken("SKILL.md has no frontmatter.".into()))?;
    let (yaml, body) = rest
        .split_once("\n---\n")
        .or_else(|| rest.strip_suffix("\n---").map(|yaml| (yaml, "")))
        .ok_or_else(|| broken("The frontmatter of SKILL.md does not end.".into()))?;
    if yaml.len() > 2 * MOST_FRONTMATTER {
        return Err(broken("The frontmatter of SKILL.md is too large.".into()));
    }
    let value: Value = serde_saphyr::from_str(yaml)
        .map_err(|error| broken(format!("The frontmatter of SKILL.md is not YAML: {error}.")))?;
    let Value::Object(mut frontmatter) = value else {
        return Err(broken("The frontmatter of SKILL.md is no mapping.".into()));
    };
    let mut text_of = |key: &str| match frontmatter.shift_remove(key) {
        Some(Value::String(text)) => Ok(text),
        _ => Err(broken(format!(
            "The frontmatter of SKILL.md has no text `{key}`."
        ))),
    };
    let (name, description) = (text_of("name")?, text_of("description")?);
    let service = take_service(&mut frontmatter);
    Ok(Document {
        name,
        description: description.trim().to_owned(),
        system_prompt: without_hint(body).trim().to_owned(),
        service,
        frontmatter,
    })
}

/// Metadata as texts, as the format has them, without our own.
fn take_service(frontmatter: &mut JsonObject) -> Option<String> {
    let Some(Value::Object(metadata)) = frontmatter.get_mut("metadata") else {
        return None;
    };
    for value in metadata.values_mut() {
        if let Value::Number(_) | Value::Bool(_) = value {
            *value = Value::String(value.to_string());
        }
    }
    let service = metadata.shift_remove(SERVICE);
    if metadata.is_empty() {
        frontmatter.shift_remove("metadata");
    }
    service?.as_str().map(str::to_owned)
}

fn without_hint(body: &str) -> String {
    let hint = body.find(ANY_HINT).and_then(|begins| {
        let length = body[begins..].find(HINT_ENDS)? + HINT_ENDS.len();
        Some((begins, begins + length))
    });
    match hint {
        Some((begins, ends)) => format!("{}{}", &body[..begins], &body[ends..]),
        None => body.to_owned(),
    }
}

/// A path in a skill: relative, with `/`, without anything that leads out or reads differently
/// elsewhere.
pub fn check_path(path: &str) -> Result<(), Fault> {
    let parts = path.split('/');
    let fits = path.len() <= MOST_PATH
        && path.matches('/').count() < MOST_DEPTH
        && !path.contains(['\\', ':', '\0'])
        && !path.chars().any(char::is_control)
        && parts.into_iter().all(|part| {
            !matches!(part, "" | "." | "..") && part.len() <= 255 && part.trim() == part
        });
    if fits {
        return Ok(());
    }
    let shown = quaymaster_core::schema::shorten(path);
    Err(wrong(
        "path",
        "pattern",
        format!("{shown:?} cannot be a file of a skill."),
    )
    .hint("A path is relative with /, for example scripts/report.py."))
}

/// Paths that two systems would read as one file, or of which one is the other's folder.
pub fn check_paths<'a>(paths: impl Iterator<Item = &'a str> + Clone) -> Result<(), Fault> {
    let mut folded: HashMap<String, &str> = HashMap::new();
    for path in paths.clone() {
        check_path(path)?;
        if let Some(twin) = folded.insert(path.to_lowercase(), path) {
            return Err(wrong(
                "path",
                "unique",
                format!("{twin:?} and {path:?} would be one file on some systems."),
            )
            .hint("Rename one of them."));
        }
    }
    for path in paths {
        let lower = path.to_lowercase();
        for (at, _) in lower.match_indices('/') {
            if let Some(file) = folded.get(&lower[..at]) {
                return Err(wrong(
                    "path",
                    "unique",
                    format!("{file:?} is a file, and {path:?} needs it as a folder."),
                ));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn document() -> Document {
        Document {
            name: "refund-policy".into(),
            description: "Decides about refunds: \"when\", how much --- \nand #why.".into(),
            system_prompt: "# Refunds\n\n---\nBe kind.".into(),
            service: Some("github".into()),
            frontmatter: json!({ "license": "MIT", "metadata": { "version": "1.0", "a: b": "x" } })
                .as_object()
                .cloned()
                .unwrap_or_default(),
        }
    }

    fn service() -> Service {
        Service {
            key: "github".into(),
            title: "GitHub".into(),
            example: json!({ "service": "github", "module": "users", "method": "GET", "path": "/user" }),
        }
    }

    #[test]
    fn what_is_rendered_reads_back() {
        let text = render(&document(), Some(&service()));
        insta::assert_snapshot!(text);
        assert_eq!(read(&text).unwrap(), document());
        assert_eq!(read(&text.replace('\n', "\r\n")).unwrap(), document());
    }

    #[test]
    fn names_are_those_of_the_format() {
        for good in ["a", "pdf-processing", "a1-b2", &"a".repeat(64)] {
            assert!(check_name(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "-a",
            "a-",
            "a--b",
            "A",
            "a_b",
            "a b",
            "ä",
            "a/b",
            "..",
            &"a".repeat(65),
        ] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_document_without_what_the_format_needs_is_refused_with_a_reason() {
        for (text, reason) in [
            ("# Just text", "no frontmatter"),
            ("---\nname: a\n", "does not end"),
            ("---\nname: a\n---\n", "no text `description`"),
            ("---\n- a\n---\n", "no mapping"),
            ("---\n{{{\n---\n", "not YAML"),
        ] {
            let fault = read(text).unwrap_err();
            assert!(fault.message.contains(reason), "{text:?}: {fault}");
        }
    }

    #[test]
    fn paths_that_lead_out_or_meet_are_refused() {
        for bad in [
            "",
            "/a",
            "../a",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            "a\\b",
            "c:a",
            "a\nb",
            " a",
            "a /b",
            &"a/".repeat(20),
            &"a".repeat(256),
        ] {
            assert!(check_path(bad).is_err(), "{bad:?}");
        }
        assert!(check_path("references/äpfel.md").is_ok());
        assert!(check_paths(["a/B.md", "a/b.md"].into_iter()).is_err());
        assert!(check_paths(["a", "A/b.md"].into_iter()).is_err());
        assert!(check_paths(["a/b.md", "ab"].into_iter()).is_ok());
    }

    proptest! {
        #[test]
        fn any_text_survives_rendering(description in "\\PC{1,80}", prompt in "(\\PC|\n){0,200}", value in ".{0,40}") {
            let mut document = Document {
                name: "x".into(),
                description: description.trim().to_owned(),
                system_prompt: prompt.trim().to_owned(),
                service: None,
                frontmatter: JsonObject::new(),
            };
            document.frontmatter.insert("metadata".into(), json!({ "k": value }));
            if check(&document).is_ok() && !document.description.is_empty() {
                prop_assert_eq!(read(&render(&document, None)).unwrap(), document);
            }
        }
    }
}
