//! Runs a flow with answers that are made up: the `tests:` in its file, and trying it with mocks.

mod compare;
mod mocked;

pub use mocked::{Expressions, Mocked};

use crate::format::{Expect, Flow, Test};
use crate::pack::{Pack, VariableType};
use crate::prepared::Prepared;
use crate::run::{Start, run};
use compare::differences;
use serde::Serialize;
use serde_json::{Value, json};

/// How one test ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Tested {
    pub flow: String,
    pub test: String,
    /// What was not as expected; empty when the test passed.
    pub failures: Vec<String>,
}

impl Tested {
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Runs all tests of a flow, one after the other.
pub async fn test(flow: &Flow, expressions: &dyn Expressions) -> Vec<Tested> {
    let mut tested = Vec::new();
    for test in &flow.tests {
        tested.push(Tested {
            flow: flow.flow.clone(),
            test: test.name.clone(),
            failures: one(flow, test, expressions).await,
        });
    }
    tested
}

/// Runs all tests of all flows of a pack. Variables without a default are their own names.
pub async fn test_pack(pack: &Pack, expressions: &dyn Expressions) -> Vec<Tested> {
    let mut tested = Vec::new();
    for flow in &pack.flows {
        let mut flow = flow.clone();
        for (name, variable) in &pack.variables {
            if variable.r#type != VariableType::Secret {
                let value = variable.default.as_ref().unwrap_or(name);
                flow.vars.insert(name.clone(), value.clone().into());
            }
        }
        tested.extend(test(&flow, expressions).await);
    }
    tested
}

async fn one(flow: &Flow, test: &Test, expressions: &dyn Expressions) -> Vec<String> {
    let mut flow = flow.clone();
    flow.vars.extend(test.vars.clone());
    // Nothing remains between tests, so nothing is to be kept.
    flow.durable = false;
    let prepared = match Prepared::new(flow) {
        Ok(prepared) => prepared,
        Err(error) => return vec![error],
    };
    let host = Mocked::new(expressions, test.mocks.clone(), test.kv.clone());
    let start = Start {
        input: test.input.clone(),
        run: json!({
            "id": "run_test", "flow": prepared.flow().flow, "version": 1,
            "started_by": "test", "started_at": "2026-01-01T00:00:00.000Z",
        }),
        caller: test.caller.clone(),
        ..Start::default()
    };
    let ended = run(&prepared, start, &host).await;
    let mut failures = Vec::new();
    let exact = test.expect.exact;
    match (ended, &test.expect) {
        (
            Ok(result),
            Expect {
                result: Some(wanted),
                ..
            },
        ) => {
            failures.extend(differences("result", wanted, &result, exact));
        }
        (
            Err(fault),
            Expect {
                fault: Some(wanted),
                ..
            },
        ) => {
            failures.extend(differences("fault", wanted, &fault.to_value(), exact));
        }
        (Ok(result), _) => failures.push(format!("It answered {result}, but a fault is expected.")),
        (Err(fault), _) => failures.push(format!(
            "It failed, but a result is expected: {}",
            fault.to_value()
        )),
    }
    for (step, wanted) in &test.expect.sent {
        match host.sent(step) {
            Some(sent) => {
                failures.extend(differences(&format!("sent.{step}"), wanted, &sent, false));
            }
            None => failures.push(format!("sent.{step}: the step has sent nothing.")),
        }
    }
    for step in &test.expect.not_run {
        if host.ran(step) {
            failures.push(format!("The step {step} ran, and should not."));
        }
    }
    failures
}

/// Whether the last part of a path, or the whole, is this name.
fn is_step(path: &str, name: &str) -> bool {
    path == name || path.rsplit('.').next() == Some(name)
}

/// What a mock has to be for a kind of step: `http` and `call` may leave out all but the body.
fn completed(answer: &Value) -> Value {
    let mut answer = answer.clone();
    if let Value::Object(map) = &mut answer {
        map.entry("status").or_insert(json!(200));
        map.entry("headers").or_insert(json!({}));
        map.entry("body").or_insert(Value::Null);
    }
    answer
}
