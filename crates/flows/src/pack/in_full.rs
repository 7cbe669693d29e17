//! A pack with the texts of its flows, so that a flow that was installed reads as it was written, with its comments.

use super::{Pack, VariableType};
use crate::format::Flow;
use crate::load::{self, Problem, Text};
use quaymaster_yaml::items::{value, written};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// A pack, and each of its flows as a text of its own.
#[derive(Debug)]
pub struct PackInFull {
    pub pack: Pack,
    /// By the name of the flow.
    texts: BTreeMap<String, String>,
}

impl PackInFull {
    /// A pack that keeps all rules, or every problem, as [`load::pack`].
    pub fn read(source: &str, file: &str) -> Result<Self, Vec<Problem>> {
        Self::of(load::pack(source, file)?, &Text::new(source, file), source)
    }

    /// The same without a look at the rules, for one that was checked when it was kept.
    pub fn kept(source: &str) -> Result<Self, Vec<Problem>> {
        let text = Text::new(source, "");
        Self::of(text.read()?, &text, source)
    }

    fn of(pack: Pack, text: &Text<'_>, source: &str) -> Result<Self, Vec<Problem>> {
        let cut = cut(source);
        let mut whole = None;
        let mut texts = BTreeMap::new();
        let mut problems = Vec::new();
        for (at, flow) in pack.flows.iter().enumerate() {
            let first = first_line(&flow.flow);
            let own = cut.get(at).filter(|own| own.starts_with(&first));
            let own = own.filter(|own| is_flow(own, flow)).cloned();
            let own = own.or_else(|| {
                let whole = whole.get_or_insert_with(|| value(source, load::LIMITS).ok());
                let made = made(whole.as_ref()?.get("flows")?.get(at)?)?;
                is_flow(&made, flow).then_some(made)
            });
            match own {
                Some(own) => drop(texts.insert(flow.flow.clone(), own)),
                None => problems.push(text.problem_at(
                    &["flows", &at.to_string()],
                    "This flow cannot be taken out of its pack. Write it in lines of its own, without anchors.",
                )),
            }
        }
        if problems.is_empty() {
            Ok(PackInFull { pack, texts })
        } else {
            Err(problems)
        }
    }

    /// The names of the secrets that it needs.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let variables = self.pack.variables.iter();
        variables
            .filter(|(_, variable)| variable.r#type == VariableType::Secret)
            .map(|(name, _)| &**name)
    }

    /// The keys of the connectors that its accounts belong to.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        let variables = self.pack.variables.values();
        variables.filter_map(|variable| variable.service.as_deref())
    }

    /// A flow as it is installed with these values; empty when there is none of that name.
    pub fn text(&self, flow: &str, vars: &BTreeMap<String, String>) -> String {
        let text = self.texts.get(flow).map(String::as_str).unwrap_or_default();
        with_vars(text, vars)
    }
}

/// The same flow under another name, where its text begins with the name, as that of every pack does.
pub fn named(text: &str, name: &str) -> String {
    match text.split_once('\n') {
        Some((first, rest)) if first.starts_with("flow:") => first_line(name) + rest,
        _ => text.to_owned(),
    }
}

/// The line that the text of every flow begins with.
fn first_line(name: &str) -> String {
    format!("flow: {}\n", key(name))
}

/// A name as it stands in YAML, where three that are allowed are no texts without quotes.
fn key(name: &str) -> String {
    match name {
        "null" | "true" | "false" => format!("\"{name}\""),
        _ => name.to_owned(),
    }
}

/// The texts of the flows of a pack that has them in a list with two spaces in front; anything of another.
fn cut(pack: &str) -> Vec<String> {
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

/// A flow written anew, with its name in the first line.
fn made(flow: &Value) -> Option<String> {
    let members = flow.as_object()?;
    let rest = members.iter().filter(|(name, _)| *name != "flow");
    let rest = rest.map(|(name, value)| (name.clone(), value.clone()));
    let rest: Map<String, Value> = rest.collect();
    let first = first_line(members.get("flow")?.as_str()?);
    Some(first + &written(&Value::Object(rest))?)
}

/// Whether a text is the flow, also with variables in it.
fn is_flow(text: &str, flow: &Flow) -> bool {
    let probe = ("probe".to_owned(), "a \"b\": #".to_owned());
    let wanted = Value::from(probe.1.clone());
    let Ok(mut read) = load::saved(&with_vars(text, &BTreeMap::from([probe]))) else {
        return false;
    };
    let vars = std::mem::take(&mut read.vars);
    let has_probe = vars.len() == 1 && vars.get("probe") == Some(&wanted);
    let values = (serde_json::to_value(&read), serde_json::to_value(flow));
    has_probe && matches!(values, (Ok(own), Ok(wanted)) if own == wanted)
}

/// A flow with values behind its first line.
fn with_vars(flow: &str, vars: &BTreeMap<String, String>) -> String {
    if vars.is_empty() {
        return flow.to_owned();
    }
    let (first, rest) = flow.split_once('\n').unwrap_or((flow, ""));
    let mut text = format!("{first}\nvars:\n");
    for (name, value) in vars {
        // JSON is YAML.
        let _ = writeln!(text, "  {}: {}", key(name), Value::from(value.as_str()));
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flows_are_taken_out_of_their_list_as_they_are() {
        let pack = "pack: quaymaster/v1\nflows:\n  - flow: a\n    # Why.\n    map: |\n      x\n\n        y\n\n  - flow: b\n";
        let texts = cut(pack);
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

    const HEAD: &str =
        "pack: quaymaster/v1\nid: shop\ntitle: Shop\nversion: \"1\"\ndescription: A shop.\n";

    fn texts(flows: &str) -> Vec<String> {
        let read = PackInFull::read(&format!("{HEAD}{flows}"), "");
        let full = read.unwrap_or_else(|problems| panic!("{problems:#?}"));
        let flows = full.pack.flows.iter();
        flows
            .map(|flow| full.text(&flow.flow, &BTreeMap::new()))
            .collect()
    }

    #[test]
    fn a_flow_keeps_its_lines_and_is_written_anew_where_they_cannot_be_cut() {
        let kept = texts("flows:\n  - flow: a\n    # Why.\n    steps: [{ map: \"1\" }]\n");
        assert_eq!(kept, ["flow: a\n# Why.\nsteps: [{ map: \"1\" }]\n"]);
        for flows in [
            // Another indentation, more behind the list, the name further down, a list in brackets.
            "flows:\n- flow: a\n  steps: [{ map: \"1\" }]\n",
            "flows:\n  - flow: a\n    steps: [{ map: \"1\" }]\ntested: none\nvariables:\n  x:\n    type: string\n    title: X\n",
            "flows:\n  - title: |-\n      A\n    flow: a\n    steps: [{ map: \"1\" }]\n",
            "flows:\n  - title: A\n    flow: a\n    steps: [{ map: \"1\" }]\n",
            "flows:\n  - flow: a # The first.\n    steps: [{ map: \"1\" }]\n",
            "flows: [{ flow: a, steps: [{ map: \"1\" }] }]\n",
            "flows:\n  - flow: a\n    steps: &same [{ map: \"1\" }]\n  - flow: b\n    steps: *same\n",
        ] {
            for (text, name) in texts(flows).iter().zip(["a", "b"]) {
                assert!(text.starts_with(&format!("flow: {name}\n")), "{text}");
                let flow = load::flow(text, "").unwrap();
                assert_eq!(flow.steps.len(), 1, "{text}");
            }
        }
    }

    #[test]
    fn a_name_that_is_no_text_in_yaml_stands_in_quotes() {
        for flows in [
            "flows:\n  - flow: \"null\"\n    steps: [{ map: \"1\" }]\n",
            "flows: [{ flow: \"null\", steps: [{ map: \"1\" }] }]\n",
        ] {
            let text = texts(flows).remove(0);
            assert!(text.starts_with("flow: \"null\"\n"), "{text}");
            for name in ["true", "other", "null"] {
                let other = named(&text, name);
                assert_eq!(load::flow(&other, "").unwrap().flow, name, "{other}");
                assert_eq!(named(&other, "null"), text);
            }
        }
        let vars = BTreeMap::from([("false".to_owned(), "x".to_owned())]);
        let text = with_vars("flow: a\nsteps: [{ map: \"1\" }]\n", &vars);
        assert_eq!(load::saved(&text).unwrap().vars["false"], "x", "{text}");
    }

    #[test]
    fn a_pack_in_json_gives_flows_in_yaml() {
        let pack = r#"{"pack":"quaymaster/v1","id":"shop","title":"Shop","version":"1","description":"A shop.",
            "variables":{"city":{"type":"string","title":"City"}},
            "flows":[{"title":"5","flow":"a","steps":[{"id":"one","map":".vars.city"}]}]}"#;
        let full = PackInFull::read(pack, "").unwrap();
        let vars = BTreeMap::from([("city".to_owned(), "Oslo: \"N\"".to_owned())]);
        let text = full.text("a", &vars);
        let flow = load::flow(&text, "").unwrap();
        assert_eq!(flow.vars["city"], "Oslo: \"N\"", "{text}");
        assert_eq!(flow.title.as_deref(), Some("5"), "{text}");
    }
}
