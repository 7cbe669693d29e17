//! From the text of a pack to the texts of its flows, so that a flow that was installed reads as it was
//! written, with its comments.

use quaymaster_core::hex;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The texts of the flows of a pack that has them in a list with two spaces in front, which those of the
/// program have.
pub(super) fn of_flows(pack: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for line in pack.lines().skip_while(|line| *line != "flows:").skip(1) {
        let begins = line.strip_prefix("  - ");
        if begins.is_some() {
            texts.push(String::new());
        }
        if let Some(text) = texts.last_mut() {
            text.push_str(begins.or(line.strip_prefix("    ")).unwrap_or_default());
            text.push('\n');
        }
    }
    for text in &mut texts {
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    texts
}

/// A flow with values behind its first line.
pub(super) fn with_vars(flow: &str, vars: &BTreeMap<String, String>) -> String {
    if vars.is_empty() {
        return flow.to_owned();
    }
    let (first, rest) = flow.split_once('\n').unwrap_or((flow, ""));
    let mut text = format!("{first}\nvars:\n");
    for (name, value) in vars {
        // JSON is YAML.
        let _ = writeln!(text, "  {name}: {}", Value::from(value.as_str()));
    }
    text + rest
}

/// The same flow under another name, where its text begins with the name, as that of every pack does.
pub(super) fn named(text: &str, name: &str) -> String {
    match text.split_once('\n') {
        Some((first, rest)) if first.starts_with("flow:") => format!("flow: {name}\n{rest}"),
        _ => text.to_owned(),
    }
}

/// SHA-256, as the versions of a flow have it.
pub(super) fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_are_taken_out_of_their_list_as_they_are() {
        let pack = "pack: quaymaster/v1\nflows:\n  - flow: a\n    # Why.\n    map: |\n      x\n\n        y\n\n  - flow: b\n";
        let texts = of_flows(pack);
        assert_eq!(
            texts,
            ["flow: a\n# Why.\nmap: |\n  x\n\n    y\n", "flow: b\n"]
        );
        let vars = BTreeMap::from([("one".to_owned(), "a \"b\"\n".to_owned())]);
        assert_eq!(
            with_vars(&texts[0], &vars),
            "flow: a\nvars:\n  one: \"a \\\"b\\\"\\n\"\n# Why.\nmap: |\n  x\n\n    y\n"
        );
        assert_eq!(with_vars(&texts[1], &BTreeMap::new()), "flow: b\n");
        assert_eq!(
            named(&texts[0], "c"),
            "flow: c\n# Why.\nmap: |\n  x\n\n    y\n"
        );
        assert_eq!(named("# Why.\nflow: b\n", "c"), "# Why.\nflow: b\n");
    }
}
