//! Steps: their names, their order, what they see of each other.

use super::refers::Scope;
use super::{text, work};
use crate::context::TAKEN;
use crate::format::{Flow, ForEach, Kind, OnError, Step};
use quaymaster_yaml::{Report, Spot};
use std::collections::{BTreeMap, BTreeSet};

/// Lists of steps within lists of steps.
const DEEPEST: usize = 8;
/// Steps that stand in one flow.
const MOST_STEPS: usize = 500;

pub(super) fn check(flow: &Flow, shared: &BTreeSet<String>, root: &Spot, report: &mut Report) {
    let mut count = 0;
    flow.every_step(&mut |_| count += 1);
    if count == 0 && flow.r#return.is_none() {
        report.say(
            &root.key("steps"),
            "The flow does nothing. It needs steps, or `return`.",
        );
        return;
    }
    if count > MOST_STEPS {
        report.say(
            &root.key("steps"),
            format!("There are {count} steps; at most {MOST_STEPS} are possible."),
        );
        return;
    }
    let mut ids = BTreeMap::new();
    names(&flow.steps, &root.key("steps"), &mut ids, report);
    names(&flow.catch, &root.key("catch"), &mut ids, report);
    let mut scope = Scope {
        flow,
        shared,
        ids: &ids,
        before: BTreeSet::new(),
        loops: Vec::new(),
        handles: false,
        apart: false,
        depth: 0,
    };
    let ends = list(&flow.steps, &mut scope, &root.key("steps"), report);
    if let Some(program) = &flow.r#return {
        scope.program(program, &root.key("return"), report);
        report.unless(
            !ends,
            &root.key("return"),
            "It is never reached: the steps always end before.",
        );
    }
    scope.handles = true;
    list(&flow.catch, &mut scope, &root.key("catch"), report);
}

/// Collects the ids, each of which stands once.
fn names<'a>(steps: &'a [Step], at: &Spot, ids: &mut BTreeMap<&'a str, Spot>, report: &mut Report) {
    for (index, step) in steps.iter().enumerate() {
        let at = at.item(index);
        if let Some(id) = &step.id {
            let spot = at.key("id");
            report.unless(
                text::is_name(id),
                &spot,
                format!("{id:?} is no id of a step. {}", text::NAME),
            );
            if ids.insert(id, spot.clone()).is_some() {
                report.say(&spot, format!("There are two steps with the id {id:?}."));
            }
        }
        for (keys, inner) in step.inner() {
            names(inner, &at.keys(&keys), ids, report);
        }
    }
}

/// A list of steps. What has run afterwards is added to the scope. Whether it always ends the flow.
fn list<'a>(steps: &'a [Step], scope: &mut Scope<'a>, at: &Spot, report: &mut Report) -> bool {
    scope.depth += 1;
    if scope.depth > DEEPEST {
        report.say(
            at,
            format!(
                "Steps stand at most {DEEPEST} deep within each other. Make a flow of some of them."
            ),
        );
        scope.depth -= 1;
        return false;
    }
    let mut ended = false;
    for (index, step) in steps.iter().enumerate() {
        let at = at.item(index);
        if ended {
            report.say(
                &at,
                "This step is never reached: the one before it always ends the flow.",
            );
            ended = false;
        }
        ended |= one(step, scope, &at, report);
        if let Some(id) = &step.id {
            scope.before.insert(id);
        }
    }
    scope.depth -= 1;
    ended
}

/// One step. Whether it always ends the flow.
fn one<'a>(step: &'a Step, scope: &mut Scope<'a>, at: &Spot, report: &mut Report) -> bool {
    if let Some(title) = &step.title {
        text::one_line(title, 100, &at.key("title"), report);
    }
    if let Some(program) = &step.r#if {
        scope.program(program, &at.key("if"), report);
    }
    let names: Vec<&str> = step.kinds().map(|kind| kind.name()).collect();
    if names.len() > 1 {
        report.say(
            at,
            format!(
                "A step does one thing; this one has {}.",
                names.join(" and ")
            ),
        );
        return false;
    }
    let Some(kind) = step.kind() else {
        let message = if step.r#else.is_some() {
            "`else` needs a `then` beside it."
        } else {
            "The step does nothing. It needs one of http, call, mcp, sql, flow, map, then, switch, for_each, parallel, python, kv, wait, fail, return."
        };
        report.say(at, message);
        return false;
    };
    work::options(step, kind, scope, at, report);
    let ends = inside(step, kind, scope, at, report);
    if let Some(OnError::Do(steps)) = &step.on_error {
        let spot = at.key("on_error").key("do");
        report.unless(!steps.is_empty(), &spot, "There are no steps here.");
        let handled = scope.handles;
        scope.handles = true;
        list(steps, scope, &spot, report);
        scope.handles = handled;
    }
    ends && (step.r#if.is_none() || step.then.is_some()) && step.on_error.is_none()
}

/// What stands in the step. Whether it always ends the flow.
fn inside<'a>(
    step: &'a Step,
    kind: Kind<'a>,
    scope: &mut Scope<'a>,
    at: &Spot,
    report: &mut Report,
) -> bool {
    match kind {
        Kind::If(then, otherwise) => {
            report.unless(step.r#if.is_some(), at, "`then` needs an `if` beside it.");
            report.unless(
                !then.is_empty(),
                &at.key("then"),
                "There are no steps here.",
            );
            let ends = list(then, scope, &at.key("then"), report);
            let else_ends = list(otherwise, scope, &at.key("else"), report);
            ends && else_ends
        }
        Kind::Switch(cases) => {
            report.unless(
                !cases.is_empty(),
                &at.key("switch"),
                "There are no cases here.",
            );
            let mut all_end = true;
            let mut has_default = false;
            for (index, case) in cases.iter().enumerate() {
                let at = at.key("switch").item(index);
                report.unless(!has_default, &at, "This case is never reached: the one before it has no `when`, so it always holds.");
                match &case.when {
                    Some(program) => scope.program(program, &at.key("when"), report),
                    None => has_default = true,
                }
                all_end &= list(&case.r#do, scope, &at.key("do"), report);
            }
            all_end && has_default
        }
        Kind::ForEach(each) => {
            for_each(each, scope, &at.key("for_each"), report);
            false
        }
        Kind::Parallel(branches) => {
            let at = at.key("parallel");
            report.unless(
                (1..=32).contains(&branches.len()),
                &at,
                format!(
                    "There are {} lists of steps here; 1 to 32 are possible.",
                    branches.len()
                ),
            );
            let before = scope.before.clone();
            let apart = scope.apart;
            scope.apart = true;
            let mut after = before.clone();
            for (name, branch) in branches {
                let at = at.key(name);
                report.unless(
                    text::is_name(name),
                    &at,
                    format!("{name:?} is no name. {}", text::NAME),
                );
                report.unless(!branch.is_empty(), &at, "There are no steps here.");
                scope.before.clone_from(&before);
                list(branch, scope, &at, report);
                after.extend(&scope.before);
            }
            scope.before = after;
            scope.apart = apart;
            false
        }
        Kind::Fail(fail) => {
            let at = at.key("fail");
            scope.template(&fail.message, false, &at.key("message"), report);
            if let Some(hint) = &fail.hint {
                scope.template(hint, false, &at.key("hint"), report);
            }
            if let Some(details) = &fail.details {
                scope.shape(details, &at.key("details"), report);
            }
            true
        }
        Kind::Return(program) => {
            report.unless(
                !scope.apart,
                &at.key("return"),
                "Within `for_each` and `parallel` nothing returns from the flow. The last step's output, or `yield`, is the item's value.",
            );
            scope.program(program, &at.key("return"), report);
            true
        }
        _ => {
            work::check(kind, scope, at, report);
            false
        }
    }
}

fn for_each<'a>(each: &'a ForEach, scope: &mut Scope<'a>, at: &Spot, report: &mut Report) {
    scope.program(&each.r#in, &at.key("in"), report);
    let name = each.r#as.as_str();
    report.unless(
        text::is_name(name) && !TAKEN.contains(&name),
        &at.key("as"),
        format!(
            "{name:?} cannot be the name of the item. {} Taken: {}.",
            text::NAME,
            TAKEN.join(", ")
        ),
    );
    report.unless(
        !scope.loops.contains(&name),
        &at.key("as"),
        format!("A loop around this one has the name {name:?} already."),
    );
    report.unless(
        each.concurrency.is_none_or(|many| (1..=32).contains(&many)),
        &at.key("concurrency"),
        "It is 1 to 32.",
    );
    report.unless(
        !each.r#do.is_empty(),
        &at.key("do"),
        "There are no steps here.",
    );
    let before = scope.before.clone();
    let apart = scope.apart;
    scope.apart = true;
    scope.loops.push(name);
    list(&each.r#do, scope, &at.key("do"), report);
    if let Some(program) = &each.r#yield {
        scope.program(program, &at.key("yield"), report);
    }
    scope.loops.pop();
    scope.apart = apart;
    scope.before = before;
}
