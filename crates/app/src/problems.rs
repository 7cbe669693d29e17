//! What is wrong with a text that somebody wrote, as a fault and back.

use quaymaster_core::Fault;
pub use quaymaster_flows::load::Problem;
use serde_json::{Value, json};

/// Every problem of a text, as one fault. `details.problems` has them with line and column.
pub(crate) fn fault_of(what: &str, problems: &[Problem]) -> Fault {
    let first = problems
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    let message = match problems.len() {
        1 => format!("The {what} has a problem: {first}"),
        count => format!("The {what} has {count} problems. The first: {first}"),
    };
    let problems: Vec<Value> = problems
        .iter()
        .map(|problem| {
            json!({
                "line": problem.line,
                "column": problem.column,
                "key": problem.key,
                "message": problem.message,
            })
        })
        .collect();
    Fault::invalid_arg("/source", what, message).detail("problems", problems)
}

/// The problems in such a fault.
pub fn problems_of(fault: &Fault) -> Option<Vec<Problem>> {
    let problems = fault.details.as_ref()?.get("problems")?.as_array()?;
    let text = |problem: &Value, name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    let problems = problems.iter().map(|problem| Problem {
        file: String::new(),
        line: problem["line"].as_u64().unwrap_or(0),
        column: problem["column"].as_u64().unwrap_or(0),
        key: text(problem, "key"),
        message: text(problem, "message"),
    });
    Some(problems.collect())
}
