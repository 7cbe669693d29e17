//! Tests in the file of a flow.

use super::refers::meant;
use super::text;
use crate::format::{Flow, Mocks};
use quaymaster_yaml::{Report, Spot};
use std::collections::BTreeSet;

const MOST_TESTS: usize = 50;

pub(super) fn check(flow: &Flow, shared: &BTreeSet<String>, root: &Spot, report: &mut Report) {
    let at = root.key("tests");
    report.unless(
        flow.tests.len() <= MOST_TESTS,
        &at,
        format!(
            "There are {} tests; at most {MOST_TESTS} are possible.",
            flow.tests.len()
        ),
    );
    let mut ids = BTreeSet::new();
    flow.every_step(&mut |step| {
        ids.extend(step.id.as_deref());
    });
    let known: Vec<&str> = ids.iter().copied().collect();
    let mut names = BTreeSet::new();
    for (index, test) in flow.tests.iter().take(MOST_TESTS).enumerate() {
        let at = at.item(index);
        text::one_line(&test.name, 200, &at.key("name"), report);
        report.unless(
            names.insert(&test.name),
            &at.key("name"),
            format!("There are two tests with the name {:?}.", test.name),
        );
        report.unless(
            test.expect.result.is_some() != test.expect.fault.is_some(),
            &at.key("expect"),
            "A test expects either a `result` or a `fault`.",
        );
        let mut step = |name: &str, at: Spot| {
            // A path is written where there is no id.
            let is_path = name.contains(['[', '.']);
            if !is_path && !ids.contains(name) {
                report.say(
                    &at,
                    meant(format!("There is no step {name:?}."), name, &known),
                );
            }
        };
        for name in test.mocks.keys() {
            step(name, at.key("mocks").key(name));
        }
        for name in test.expect.sent.keys() {
            step(name, at.key("expect").key("sent").key(name));
        }
        for (index, name) in test.expect.not_run.iter().enumerate() {
            step(name, at.key("expect").key("not_run").item(index));
        }
        for (name, mocks) in &test.mocks {
            let empty = matches!(mocks, Mocks::InTurn(turns) if turns.is_empty());
            report.unless(
                !empty,
                &at.key("mocks").key(name),
                "There is no answer here.",
            );
        }
        for name in test.vars.keys() {
            report.unless(
                flow.vars.contains_key(name) || shared.contains(name),
                &at.key("vars").key(name),
                format!("There is no variable {name:?}."),
            );
        }
    }
}
