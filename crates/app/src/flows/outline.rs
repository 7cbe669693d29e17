//! A flow in short: what its steps are called, what each does, and which lie in which. For people who
//! look at it.

use quaymaster_core::tool::JsonObject;
use quaymaster_flows::expression::Program;
use quaymaster_flows::format::{Call, Flow, Http, Kind, Kv, OnError, Step, Trigger};
use quaymaster_flows::load;
use quaymaster_flows::template::Template;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Characters of what a step does.
const MOST_DETAIL: usize = 120;

/// A flow without its details.
#[derive(Debug, Clone, Default)]
pub struct FlowOutline {
    pub title: String,
    pub description: String,
    /// What starts it, for example `tool get_weather`.
    pub triggers: Vec<String>,
    pub input: JsonObject,
    pub steps: Vec<OutlineStep>,
    /// What runs when a step fails.
    pub catch: Vec<OutlineStep>,
    /// The steps that reach something outside, by id or place; in the order of the text.
    pub reaching: Vec<String>,
    /// Answers for them from the first of the flow's tests that ends well, and its input.
    pub example: Option<FlowExample>,
}

#[derive(Debug, Clone)]
pub struct FlowExample {
    pub input: JsonObject,
    pub mocks: Value,
}

#[derive(Debug, Clone)]
pub struct OutlineStep {
    pub id: Option<String>,
    /// The key that says what it does, for example `http`; of two lists of steps `if`.
    pub kind: &'static str,
    pub title: Option<String>,
    /// What it does, in one line.
    pub detail: String,
    /// Its condition.
    pub when: Option<String>,
    /// Steps within it.
    pub lists: Vec<OutlineList>,
}

#[derive(Debug, Clone)]
pub struct OutlineList {
    /// For example `then`, or the condition of a case.
    pub label: String,
    pub steps: Vec<OutlineStep>,
}

/// None when the text is no flow.
pub fn outline(source: &str) -> Option<FlowOutline> {
    let flow = load::saved(source).ok()?;
    let mut reaching = Vec::new();
    let mut known = BTreeSet::new();
    flow.every_step(&mut |step| {
        if reaches(step)
            && let Some(id) = &step.id
            && known.insert(id)
        {
            reaching.push(id.clone());
        }
    });
    Some(FlowOutline {
        title: flow.title.clone().unwrap_or_else(|| flow.flow.clone()),
        description: description(&flow),
        triggers: flow
            .triggers
            .iter()
            .map(|one| trigger(&flow, one))
            .collect(),
        input: flow.input_schema(),
        steps: flow.steps.iter().map(step).collect(),
        catch: flow.catch.iter().map(step).collect(),
        reaching,
        example: example(&flow),
    })
}

fn description(flow: &Flow) -> String {
    let tool = flow.tool().and_then(|tool| tool.description.as_ref());
    let text = tool.or(flow.description.as_ref());
    text.map(|text| text.trim().to_owned()).unwrap_or_default()
}

fn example(flow: &Flow) -> Option<FlowExample> {
    let test = flow
        .tests
        .iter()
        .find(|test| test.expect.result.is_some())?;
    Some(FlowExample {
        input: test.input.clone(),
        mocks: json!(test.mocks),
    })
}

fn reaches(step: &Step) -> bool {
    matches!(
        step.kind(),
        Some(
            Kind::Http(_)
                | Kind::Call(_)
                | Kind::Mcp(_)
                | Kind::Sql(_)
                | Kind::Flow(_)
                | Kind::Python(_)
        )
    )
}

fn trigger(flow: &Flow, trigger: &Trigger) -> String {
    match trigger {
        Trigger::McpTool(_) => format!("tool {}", flow.tool_name().unwrap_or_default()),
        Trigger::Cron(cron) => match &cron.timezone {
            Some(zone) => format!("schedule {} {zone}", cron.schedule),
            None => format!("schedule {} UTC", cron.schedule),
        },
        Trigger::Webhook(hook) => format!("webhook {}", hook.path),
    }
}

fn step(step: &Step) -> OutlineStep {
    let kind = step.kind();
    let mut lists: Vec<OutlineList> = Vec::new();
    let mut list = |label: &str, steps: &[Step]| {
        lists.push(OutlineList {
            label: label.to_owned(),
            steps: steps.iter().map(self::step).collect(),
        });
    };
    match kind {
        Some(Kind::If(then, otherwise)) => {
            list("then", then);
            if !otherwise.is_empty() {
                list("else", otherwise);
            }
        }
        Some(Kind::Switch(cases)) => {
            for case in cases {
                let when = case.when.as_ref().map(Program::source);
                list(&one_line(when.unwrap_or("otherwise")), &case.r#do);
            }
        }
        Some(Kind::ForEach(each)) => list("each", &each.r#do),
        Some(Kind::Parallel(branches)) => {
            for (name, branch) in branches {
                list(name, branch);
            }
        }
        _ => {}
    }
    if let Some(OnError::Do(steps)) = &step.on_error {
        list("on error", steps);
    }
    OutlineStep {
        id: step.id.clone(),
        kind: match &kind {
            Some(Kind::If(..)) => "if",
            Some(kind) => kind.name(),
            None => "nothing",
        },
        title: step.title.clone(),
        detail: one_line(&kind.map(detail).unwrap_or_default()),
        when: step.r#if.as_ref().map(|when| one_line(when.source())),
        lists,
    }
}

fn detail(kind: Kind<'_>) -> String {
    match kind {
        Kind::Http(http) => request(http),
        Kind::Call(call) => called(call),
        Kind::Mcp(mcp) => format!("{} {}", mcp.connection.as_str(), mcp.tool),
        Kind::Sql(sql) => sql.query.clone(),
        Kind::Flow(flow) => flow.name.clone(),
        Kind::Map(program) | Kind::Return(program) => program.source().to_owned(),
        Kind::If(..) | Kind::Switch(_) | Kind::Parallel(_) => String::new(),
        Kind::ForEach(each) => format!("{} in {}", each.r#as, each.r#in.source()),
        Kind::Python(python) => python.code.clone(),
        Kind::Kv(kv) => match kv {
            Kv::Get { key } => format!("get {}", key.as_str()),
            Kv::Set { key, .. } => format!("set {}", key.as_str()),
            Kv::Delete { key } => format!("delete {}", key.as_str()),
        },
        Kind::Wait(time) => time.as_str().to_owned(),
        Kind::Fail(fail) => format!("{} {}", fail.code.code().name(), fail.message.as_str()),
    }
}

fn request(http: &Http) -> String {
    let verb = http.verbs().next();
    verb.map(|(verb, address)| format!("{verb} {}", address.as_str()))
        .unwrap_or_default()
}

fn called(call: &Call) -> String {
    let parts = [
        Some(call.service.as_str()),
        call.action.as_deref(),
        call.method.as_deref(),
        call.path.as_ref().map(Template::as_str),
    ];
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    parts.join(" ")
}

fn one_line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.chars().count() > MOST_DETAIL {
            let cut = line.chars().take(MOST_DETAIL).collect::<String>();
            return format!("{}…", cut.trim_end());
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: &str = r#"flow: get
title: Get it
triggers: [{ mcp_tool: { description: Gets it., name: get_it } }, { cron: { schedule: "0 8 * * *" } }]
steps:
  - id: a
    http: { get: "https://api.example.com/v1/${{ .input.x }}" }
  - if: .steps.a.body | length > 0
    then: [{ id: b, call: { service: github, action: get_me } }]
    else: [{ fail: { code: NOT_FOUND, message: Nothing } }]
  - id: c
    for_each: { in: ".steps.a.body", as: one, do: [{ id: d, map: "  .one\n  | .x" }] }
return: "{}"
tests:
  - name: one
    mocks: { a: { returns: { body: [] } } }
    expect: { fault: { code: NOT_FOUND } }
  - name: two
    input: { x: 1 }
    mocks: { a: { returns: { body: [1] } }, b: { fails: { code: TIMEOUT } } }
    expect: { result: {} }
"#;

    #[test]
    fn steps_are_told_in_one_line_and_in_their_lists() {
        let outline = outline(FLOW).unwrap();
        assert_eq!(outline.triggers, ["tool get_it", "schedule 0 8 * * * UTC"]);
        assert_eq!(outline.description, "Gets it.");
        assert_eq!(outline.reaching, ["a", "b"]);
        let line = |step: &OutlineStep| format!("{} {}", step.kind, step.detail);
        let lines: Vec<String> = outline.steps.iter().map(line).collect();
        let first = "http GET https://api.example.com/v1/${{ .input.x }}";
        assert_eq!(lines, [first, "if ", "for_each one in .steps.a.body"]);
        let within = &outline.steps[1];
        assert_eq!(within.when.as_deref(), Some(".steps.a.body | length > 0"));
        assert_eq!(within.lists[0].label, "then");
        assert_eq!(line(&within.lists[0].steps[0]), "call github get_me");
        assert_eq!(line(&within.lists[1].steps[0]), "fail NOT_FOUND Nothing");
        assert_eq!(line(&outline.steps[2].lists[0].steps[0]), "map .one | .x");
        let example = outline.example.unwrap();
        assert_eq!(example.input["x"], 1);
        assert_eq!(example.mocks["b"]["fails"]["code"], "TIMEOUT");
    }

    #[test]
    fn a_long_detail_is_cut_and_no_flow_has_no_outline() {
        assert_eq!(one_line(&"word ".repeat(100)).chars().count(), 120);
        assert!(super::outline("steps: 1").is_none());
    }
}
