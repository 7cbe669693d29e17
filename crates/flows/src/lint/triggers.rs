//! What starts a flow.

use super::text;
use crate::format::{Cron, Flow, McpTool, Trigger, WebhookAuth};
use crate::template::is_secret;
use quaymaster_yaml::{Report, Spot};
use std::collections::BTreeSet;
use std::str::FromStr as _;

const MOST: usize = 20;
/// Of one tool.
const MOST_SERVERS: usize = 50;

pub(super) fn check(flow: &Flow, root: &Spot, report: &mut Report) {
    let mut tools = 0;
    report.unless(
        flow.triggers.len() <= MOST,
        &root.key("triggers"),
        format!("A flow has at most {MOST} triggers."),
    );
    for (index, trigger) in flow.triggers.iter().take(MOST).enumerate() {
        let at = root.key("triggers").item(index);
        match trigger {
            Trigger::McpTool(tool) => {
                let at = at.key("mcp_tool");
                tools += 1;
                report.unless(
                    tools == 1,
                    &at,
                    "A flow is one tool; there is one before this.",
                );
                if let Some(name) = &tool.name {
                    report.unless(
                        text::is_name(name),
                        &at.key("name"),
                        format!("{name:?} is no name of a tool. {}", text::NAME),
                    );
                }
                let description = tool.description.as_ref().or(flow.description.as_ref());
                report.unless(
                    description.is_some_and(|text| !text.trim().is_empty()),
                    &at,
                    "A tool needs a `description`, here or of the flow: it is how a model knows when to use it.",
                );
                if let Some(description) = &tool.description {
                    text::clean(description, &at.key("description"), report);
                }
                check_servers(tool, flow, &at, report);
                let hints = tool.annotations;
                report.unless(
                    !(hints.read_only_hint && changes(flow)),
                    &at.key("annotations").key("readOnlyHint"),
                    "The flow has steps that change something (http with PUT, PATCH or DELETE, sql without `read_only`), so it does not only read.",
                );
            }
            Trigger::Cron(cron) => check_cron(cron, flow, &at.key("cron"), report),
            Trigger::Webhook(hook) => {
                let at = at.key("webhook");
                report.unless(
                    text::is_part_of_path(&hook.path),
                    &at.key("path"),
                    format!("{:?} is no path: small letters, digits, `_` and `-`, at most 64 characters.", hook.path),
                );
                let (kind, secret) = match &hook.auth {
                    WebhookAuth::HmacSha256 { secret, header } => {
                        let at = at.key("auth").key("hmac_sha256").key("header");
                        if let Err(message) = text::header(header) {
                            report.say(&at, message);
                        }
                        ("hmac_sha256", secret)
                    }
                    WebhookAuth::Bearer { secret } => ("bearer", secret),
                };
                report.unless(
                    is_secret(secret),
                    &at.key("auth").key(kind).key("secret"),
                    "It is the name of a secret of the workspace, for example HOOK_KEY.",
                );
            }
        }
    }
}

/// Which servers a workspace has is not known here.
fn check_servers(tool: &McpTool, flow: &Flow, at: &Spot, report: &mut Report) {
    let servers = at.key("servers");
    report.unless(
        tool.servers.len() <= MOST_SERVERS,
        &servers,
        format!("A tool is on at most {MOST_SERVERS} servers."),
    );
    let mut known = BTreeSet::new();
    for (index, named) in tool.servers.iter().take(MOST_SERVERS).enumerate() {
        report.unless(
            !named.trim().is_empty(),
            &servers.item(index),
            "It is the name or id of a hosted server.",
        );
        report.unless(
            known.insert(named),
            &servers.item(index),
            format!("The server {named:?} stands before this already."),
        );
    }
    let name = tool.name.as_ref().unwrap_or(&flow.flow);
    if !tool.servers.is_empty() && name.contains("__") {
        let (at, whose) = match tool.name {
            Some(_) => (at.key("name"), "The name"),
            None => (servers, "The flow's name"),
        };
        report.say(
            &at,
            format!("{whose} has two underscores in a row. On hosted servers such names are those of actions, so give the tool another `name`."),
        );
    }
}

/// Whether a step surely changes something. Of calls of connectors only their definitions know.
fn changes(flow: &Flow) -> bool {
    let mut changes = false;
    flow.every_step(&mut |step| {
        let alters = |http: &crate::format::Http| {
            http.verbs()
                .any(|(verb, _)| matches!(verb, "PUT" | "PATCH" | "DELETE"))
        };
        changes |= step.http.as_deref().is_some_and(alters);
        changes |= step.sql.as_ref().is_some_and(|sql| !sql.read_only);
    });
    changes
}

fn check_cron(cron: &Cron, flow: &Flow, at: &Spot, report: &mut Report) {
    let fields = cron.schedule.split_whitespace().count();
    if fields != 5 {
        report.say(
            &at.key("schedule"),
            format!("A schedule has five fields (minute, hour, day of the month, month, day of the week); this one has {fields}."),
        );
    } else if let Err(error) = croner::Cron::from_str(&cron.schedule) {
        report.say(&at.key("schedule"), format!("It is no schedule: {error}."));
    }
    if let Some(zone) = &cron.timezone {
        report.unless(
            jiff::tz::TimeZone::get(zone).is_ok(),
            &at.key("timezone"),
            format!("{zone:?} is no time zone; write for example Europe/Paris."),
        );
    }
    if let Ok(prepared) = crate::prepared::Prepared::new(flow.clone())
        && let Err(fault) = prepared.input(cron.input.clone())
    {
        report.say(&at.key("input"), fault.message);
    }
}
