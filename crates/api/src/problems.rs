//! What is wrong with a text that somebody wrote: a flow, or a definition of a connector.

use quaymaster_app::Problem;
use serde::Serialize;
use utoipa::ToSchema;

/// Something that is wrong with a text.
#[derive(Serialize, ToSchema)]
#[schema(as = TextProblem)]
pub(crate) struct ProblemView {
    /// From 1; 0 when the place is not known.
    line: u64,
    /// From 1, in characters.
    column: u64,
    /// The place in the text, for example `steps.0.http.get`.
    key: String,
    message: String,
}

impl From<Problem> for ProblemView {
    fn from(problem: Problem) -> Self {
        ProblemView {
            line: problem.line,
            column: problem.column,
            key: problem.key,
            message: problem.message,
        }
    }
}
