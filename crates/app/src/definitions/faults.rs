//! Why a definition was refused.

use quaymaster_connectors::load::Problem;
use quaymaster_core::{Code, Fault};
use serde_json::{Value, json};

pub(super) fn no_such(key: &str) -> Fault {
    let shown = quaymaster_core::schema::shorten(key);
    Fault::new(
        Code::UnknownService,
        format!("The organization has no connector {shown:?} of its own."),
    )
}

pub(super) fn taken(key: &str) -> Fault {
    Fault::new(
        Code::AlreadyExists,
        format!("There is a connector {key:?} already."),
    )
    .hint("Choose another key, so that no definition takes over the accounts of another.")
}

/// Every problem of a definition, as one fault. `details.problems` has them with line and column.
pub(super) fn wrong(problems: &[Problem]) -> Fault {
    let count = problems.len();
    let first = problems
        .first()
        .map(ToString::to_string)
        .unwrap_or_default();
    let message = match count {
        1 => format!("The definition has a problem: {first}"),
        _ => format!("The definition has {count} problems. The first: {first}"),
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
    Fault::invalid_arg("/source", "definition", message)
        .detail("problems", problems)
        .hint("details.problems has each with its line and column.")
}

/// The problems in a fault of a definition.
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
