//! Aliases of integrations and the names of tools.

use super::flows::FLOWS;
use quaymaster_core::{Fault, hex};
use sha2::{Digest, Sha256};

/// `OpenAI` and Anthropic take `[a-zA-Z0-9_-]{1,64}`; Gemini takes the same and wants a letter or `_`
/// in front, which an alias always has.
pub const LONGEST_NAME: usize = 64;
const LONGEST_ALIAS: usize = 64;
/// Digits of the hash in a shortened name: 40 bits.
const DIGITS: usize = 10;

/// Words that cannot be the name of a constant in code mode (ECMA-262 §12.7.2, in strict code), and
/// `then`, which would make `await quaymaster` call a connector.
const RESERVED: [&str; 52] = [
    "arguments",
    "await",
    "break",
    "case",
    "catch",
    "class",
    "const",
    "constructor",
    "continue",
    "debugger",
    "default",
    "delete",
    "do",
    "else",
    "enum",
    "eval",
    "export",
    "extends",
    "false",
    "finally",
    "for",
    "function",
    "if",
    "implements",
    "import",
    "in",
    "instanceof",
    "interface",
    "let",
    "new",
    "null",
    "package",
    "private",
    "protected",
    "prototype",
    "public",
    "return",
    "static",
    "super",
    "switch",
    "then",
    "this",
    "throw",
    "true",
    "try",
    "typeof",
    "undefined",
    "var",
    "void",
    "while",
    "with",
    "yield",
];

/// Whether an integration may have this alias: small letters, digits, `-` and `_`, a letter first, at
/// most 64 characters, and no reserved word of JavaScript, since code says `quaymaster.<alias>`, nor
/// that of flows. Otherwise `INVALID_ARG` at `/alias` that says the rule.
pub fn check_alias(alias: &str) -> Result<(), Fault> {
    let shaped = (1..=LONGEST_ALIAS).contains(&alias.len())
        && alias.starts_with(|first: char| first.is_ascii_lowercase())
        && alias
            .bytes()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'));
    let shown = quaymaster_core::schema::shorten(alias);
    if !shaped {
        return Err(Fault::invalid_arg(
            "/alias",
            "pattern",
            format!("{shown:?} is no alias: it has small letters, digits, hyphens and underscores, begins with a letter and has at most {LONGEST_ALIAS} characters."),
        )
        .hint("For example `slack_bot`."));
    }
    if is_reserved(&code_name(alias)) {
        return Err(Fault::invalid_arg(
            "/alias",
            "not",
            format!(
                "{shown:?} is a reserved word of JavaScript, and code says `quaymaster.<alias>`."
            ),
        )
        .hint(format!("For example `{alias}_1`.")));
    }
    if alias == FLOWS {
        return Err(Fault::invalid_arg(
            "/alias",
            "not",
            format!("Flows have the alias {FLOWS:?}: code says `quaymaster.{FLOWS}.<name>`."),
        )
        .hint(format!("For example `{FLOWS}_1`.")));
    }
    Ok(())
}

pub(super) fn is_reserved(word: &str) -> bool {
    RESERVED.contains(&word)
}

/// The alias as code says it, behind `quaymaster.`: hyphens become underscores. Two aliases with the
/// same one cannot stand in one workspace.
pub fn code_name(alias: &str) -> String {
    alias.replace('-', "_")
}

/// What a tool is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ToolName {
    /// As it is listed, at most 64 characters.
    pub name: String,
    /// The whole name where `name` is a shortened one. A call may use either.
    pub long: Option<String>,
}

impl ToolName {
    pub fn is(&self, called: &str) -> bool {
        self.name == called || self.long.as_deref() == Some(called)
    }
}

/// `{alias}__{action}`. What is longer than 64 characters is cut and gets `_` and ten digits of the
/// SHA-256 of the whole name, always the same.
pub fn tool_name(alias: &str, action: &str) -> ToolName {
    let name = format!("{alias}__{action}");
    if name.len() <= LONGEST_NAME {
        return ToolName { name, long: None };
    }
    let digest = hex(&Sha256::digest(name.as_bytes()));
    let room = LONGEST_NAME - DIGITS - 1;
    // Enough of the alias to know whose it is; the rest tells what it does.
    let kept = alias.floor_char_boundary(
        alias
            .len()
            .min(20.max(room.saturating_sub(action.len() + 2))),
    );
    let mut short = format!("{}__{action}", alias[..kept].trim_end_matches(['_', '-']));
    short.truncate(short.floor_char_boundary(room));
    ToolName {
        name: format!("{short}_{}", &digest[..DIGITS]),
        long: Some(name),
    }
}
