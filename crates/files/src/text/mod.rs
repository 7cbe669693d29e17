//! Text as bytes: which encoding, which line ends, where the lines are.

pub(crate) mod encoding;
pub(crate) mod eol;
pub(crate) mod lines;
pub(crate) mod scan;

pub(crate) use encoding::Units;
pub(crate) use eol::Eol;
pub(crate) use lines::LineReader;
pub(crate) use scan::{Facts, Scanner, TextFacts};
