//! What was found of a text that was sent: what is wrong with it, beside the lines where it is, and its tests.

use axum::http::StatusCode;
use quaymaster_app::Problem;
use quaymaster_app::flows::{Checked, TestOutcome};

use crate::views::{Mistake, TestRow};

/// Characters of a line beside its problem.
const MOST_OF_LINE: usize = 160;

pub(super) fn mistakes(source: &str, problems: Vec<Problem>) -> Vec<Mistake> {
    let lines: Vec<&str> = source.lines().collect();
    let mistake = |problem: Problem| {
        let at = usize::try_from(problem.line).unwrap_or(0);
        let text = at.checked_sub(1).and_then(|at| lines.get(at));
        Mistake {
            line: problem.line,
            column: problem.column,
            message: if problem.key.is_empty() {
                problem.message
            } else {
                format!("{}: {}", problem.key, problem.message)
            },
            text: text.map_or_else(String::new, |text| {
                text.chars().take(MOST_OF_LINE).collect()
            }),
        }
    };
    problems.into_iter().map(mistake).collect()
}

/// What a page says of a text with tests in it that is not saved.
pub(super) struct Found {
    pub(super) status: StatusCode,
    pub(super) fine: Option<String>,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) tests: Vec<TestRow>,
}

/// `what` the text is. Whoever only had it checked got what they asked for, whatever was found.
pub(super) fn found(what: &str, source: &str, checked: Checked, only_check: bool) -> Found {
    let is_good = checked.is_good();
    let tests = match checked.tests.len() {
        0 => "It has no tests.".to_owned(),
        1 => "Its test passes.".to_owned(),
        count => format!("Its {count} tests pass."),
    };
    let row = |test: TestOutcome| TestRow {
        name: test.name,
        passed: test.passed,
        message: test.message,
    };
    Found {
        status: if only_check || is_good {
            StatusCode::OK
        } else {
            StatusCode::UNPROCESSABLE_ENTITY
        },
        fine: is_good.then(|| format!("The {what} is fine. {tests} Nothing was saved.")),
        mistakes: mistakes(source, checked.problems),
        tests: checked.tests.into_iter().map(row).collect(),
    }
}
