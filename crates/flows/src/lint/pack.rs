//! Packs.

use super::{MOST_FINDINGS, text};
use crate::format::{FORMAT, Trigger, WebhookAuth};
use crate::pack::{Pack, PackTested, Variable, VariableType};
use crate::template::is_secret;
use quaymaster_core::schema::Checker;
use quaymaster_yaml::{Finding, Report, Spot};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

const MOST_FLOWS: usize = 100;
const MOST_VARIABLES: usize = 50;

/// What is wrong with a pack.
pub(crate) fn pack(pack: &Pack) -> Vec<Finding> {
    let mut report = Report::new(MOST_FINDINGS);
    let root = Spot::default();
    report.unless(
        pack.pack == FORMAT,
        &root.key("pack"),
        format!("This program reads {FORMAT}."),
    );
    report.unless(
        text::is_name(&pack.id),
        &root.key("id"),
        format!("{:?} is no id of a pack. {}", pack.id, text::NAME),
    );
    text::one_line(&pack.title, 100, &root.key("title"), &mut report);
    text::one_line(&pack.version, 32, &root.key("version"), &mut report);
    text::clean(&pack.description, &root.key("description"), &mut report);
    variables(pack, &root.key("variables"), &mut report);
    flows(pack, &root.key("flows"), &mut report);
    report.into_found()
}

fn variables(pack: &Pack, at: &Spot, report: &mut Report) {
    report.unless(
        pack.variables.len() <= MOST_VARIABLES,
        at,
        format!("At most {MOST_VARIABLES} variables are possible."),
    );
    for (name, variable) in &pack.variables {
        let at = at.key(name);
        if variable.r#type == VariableType::Secret {
            report.unless(
                is_secret(name),
                &at,
                format!("{name:?} is no name of a secret: a capital letter, then capital letters, digits and `_`."),
            );
        } else {
            report.unless(
                text::is_name(name),
                &at,
                format!("{name:?} is no name of a variable. {}", text::NAME),
            );
        }
        text::one_line(&variable.title, 100, &at.key("title"), report);
        if let Some(description) = &variable.description {
            text::clean(description, &at.key("description"), report);
        }
        kind(variable, &at, report);
    }
}

/// What only variables of one type have.
fn kind(variable: &Variable, at: &Spot, report: &mut Report) {
    let is_string = variable.r#type == VariableType::String;
    report.unless(
        variable.default.is_none() || is_string,
        &at.key("default"),
        "Only variables of the type `string` have a default.",
    );
    report.unless(
        variable.service.is_none() || variable.r#type == VariableType::Connection,
        &at.key("service"),
        "Only variables of the type `connection` have a service.",
    );
    let Some(pattern) = &variable.pattern else {
        return;
    };
    report.unless(
        is_string,
        &at.key("pattern"),
        "Only variables of the type `string` have a pattern.",
    );
    match fits(pattern, variable.default.as_deref()) {
        Err(error) => report.say(&at.key("pattern"), format!("It is no pattern: {error}")),
        Ok(good) => report.unless(good, &at.key("default"), "It does not fit the `pattern`."),
    }
}

/// Whether a value is what a pattern says, all of it; the error if the pattern is none.
fn fits(pattern: &str, value: Option<&str>) -> Result<bool, String> {
    let whole = json!({ "pattern": format!("^(?:{pattern})$") });
    let mut schema = Map::new();
    schema.insert("properties".to_owned(), json!({ "value": whole }));
    let checker = Checker::new(&schema)?;
    let mut object = Map::new();
    object.extend(value.map(|value| ("value".to_owned(), Value::from(value))));
    Ok(checker.check(&object).is_ok())
}

fn flows(pack: &Pack, at: &Spot, report: &mut Report) {
    report.unless(
        (1..=MOST_FLOWS).contains(&pack.flows.len()),
        at,
        format!("A pack has 1 to {MOST_FLOWS} flows."),
    );
    let shared: BTreeSet<String> = pack
        .variables
        .iter()
        .filter(|(_, variable)| variable.r#type != VariableType::Secret)
        .map(|(name, _)| name.clone())
        .collect();
    let mut used: BTreeSet<String> = BTreeSet::new();
    let mut names = BTreeSet::new();
    for (index, flow) in pack.flows.iter().take(MOST_FLOWS).enumerate() {
        let at = at.item(index);
        report.unless(
            names.insert(&flow.flow),
            &at.key("flow"),
            format!("There are two flows with the name {:?}.", flow.flow),
        );
        report.unless(
            flow.vars.is_empty(),
            &at.key("vars"),
            "A flow of a pack has no `vars`: what it needs is a variable of the pack.",
        );
        report.unless(
            pack.tested == PackTested::None || !flow.tests.is_empty(),
            &at,
            "The pack says in `tested` that it is, and this flow has no `tests`.",
        );
        super::check(flow, &shared, &at, report);
        secrets(flow, pack, &at, report, &mut used);
    }
}

/// Every secret that a flow names is a variable of the pack, so that installing asks for it.
fn secrets(
    flow: &crate::format::Flow,
    pack: &Pack,
    at: &Spot,
    report: &mut Report,
    told: &mut BTreeSet<String>,
) {
    let mut named = |name: &str| {
        let variable = pack.variables.get(name);
        let known = variable.is_some_and(|variable| variable.r#type == VariableType::Secret);
        if !known && told.insert(name.to_owned()) {
            report.say(
                at,
                format!(
                    "The secret {name} is no variable of the pack, so nobody would be asked for it."
                ),
            );
        }
    };
    for trigger in &flow.triggers {
        let Trigger::Webhook(hook) = trigger else {
            continue;
        };
        let (WebhookAuth::HmacSha256 { secret, .. } | WebhookAuth::Bearer { secret }) = &hook.auth;
        named(secret);
    }
    let mut check = |template: &crate::template::Template| template.secrets().for_each(&mut named);
    flow.every_step(&mut |step| {
        let Some(http) = &step.http else { return };
        for value in http.query.values().chain(http.headers.values()) {
            value.each(&[], &mut |_, template| check(template));
        }
        match &http.auth {
            Some(crate::format::HttpAuth::Bearer(token)) => check(token),
            Some(crate::format::HttpAuth::Basic { user, password }) => {
                check(user);
                check(password);
            }
            None => {}
        }
    });
}
