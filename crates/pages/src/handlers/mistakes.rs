//! What is wrong with a text that was sent, beside the lines where it is.

use quaymaster_app::Problem;

use crate::views::Mistake;

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
