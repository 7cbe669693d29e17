//! The rules of flows and packs that types cannot say.

mod address;
mod pack;
mod refers;
mod schema;
mod steps;
mod tests;
mod text;
mod triggers;
mod work;

pub(crate) use pack::pack;

use crate::format::{FORMAT, Flow, Limits, Span};
use quaymaster_core::id::FlowId;
use quaymaster_yaml::{Finding, Report, Spot};
use std::collections::BTreeSet;
use std::time::Duration;

/// The longest a run may take, in seconds.
const LONGEST: u64 = 600;
const LONGEST_DURABLE: u64 = 7 * 86_400;

/// More at once help nobody.
const MOST_FINDINGS: usize = 200;

/// What is wrong with a flow.
pub(crate) fn flow(flow: &Flow) -> Vec<Finding> {
    let mut report = Report::new(MOST_FINDINGS);
    check(flow, &BTreeSet::new(), &Spot::default(), &mut report);
    report.into_found()
}

/// `shared` are the variables of the pack that the flow belongs to.
fn check(flow: &Flow, shared: &BTreeSet<String>, root: &Spot, report: &mut Report) {
    report.unless(
        flow.format.as_deref().is_none_or(|format| format == FORMAT),
        &root.key("format"),
        format!("This program reads {FORMAT}."),
    );
    report.unless(
        text::is_name(&flow.flow),
        &root.key("flow"),
        format!("{:?} is no name of a flow. {}", flow.flow, text::NAME),
    );
    report.unless(
        flow.flow.parse::<FlowId>().is_err(),
        &root.key("flow"),
        "It looks like the id of a flow, which could be another one's. Give the flow another name.",
    );
    if let Some(title) = &flow.title {
        text::one_line(title, 100, &root.key("title"), report);
    }
    if let Some(description) = &flow.description {
        text::clean(description, &root.key("description"), report);
    }
    for name in flow.vars.keys() {
        report.unless(
            text::is_name(name),
            &root.key("vars").key(name),
            format!("{name:?} is no name of a variable. {}", text::NAME),
        );
    }
    limits(&flow.limits, flow.durable, &root.key("limits"), report);
    work::defaults(&flow.defaults, &root.key("defaults"), report);
    triggers::check(flow, root, report);
    schema::input(flow, root, report);
    schema::output(flow, root, report);
    steps::check(flow, shared, root, report);
    tests::check(flow, shared, root, report);
}

fn limits(limits: &Limits, durable: bool, at: &Spot, report: &mut Report) {
    let longest = if durable { LONGEST_DURABLE } else { LONGEST };
    span(limits.timeout, longest, &at.key("timeout"), report);
    span(
        limits.step_timeout,
        LONGEST,
        &at.key("step_timeout"),
        report,
    );
    let mut number = |key: &str, value: Option<u32>, most: u32| {
        report.unless(
            value.is_none_or(|value| (1..=most).contains(&value)),
            &at.key(key),
            format!("It is 1 to {most}."),
        );
    };
    number("concurrency", limits.concurrency, 100);
    number("steps", limits.steps, 10_000);
    number("items", limits.items, 10_000);
    report.unless(
        limits
            .body
            .is_none_or(|body| (1..=10 << 20).contains(&body.bytes())),
        &at.key("body"),
        "It is 1B to 10MiB.",
    );
}

/// A length of time has to be some, and to end.
fn span(span: Option<Span>, most_seconds: u64, at: &Spot, report: &mut Report) {
    let most = Duration::from_secs(most_seconds);
    report.unless(
        span.is_none_or(|span| !span.duration().is_zero() && span.duration() <= most),
        at,
        format!("It is more than nothing and at most {}.", Span::of(most)),
    );
}
