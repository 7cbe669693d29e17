//! Edits inside a file: everything outside the edited range keeps its bytes.

mod insert_after;
mod lines;
mod nearest;
mod pattern;
mod replace;
mod session;
mod splice;

pub use insert_after::{
    InsertAfterPattern, InsertAfterPatternResult, MatchedLine, Occurrence, Pick, Position,
};
pub use lines::{DeleteLines, InsertLines, ReplaceLines};
pub use pattern::PatternMode;
pub use replace::{ExpectedCount, FindReplace, FindReplaceResult, Spot};
pub use session::{Changed, EditOut};
