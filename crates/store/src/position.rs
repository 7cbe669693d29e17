//! Where a page of a list ends that is sorted by time.

use quaymaster_core::Instant;
use std::fmt;
use std::str::FromStr;

/// The last row of a page. The next page has what is older, or of the same microsecond with a smaller id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub at: Instant,
    /// Empty for everything of that instant.
    pub id: String,
}

impl From<Instant> for Position {
    fn from(at: Instant) -> Self {
        let id = String::new();
        Position { at, id }
    }
}

/// Microseconds, a dot and the id.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at.micros(), self.id)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not the end of a page")]
pub struct NotAPosition;

impl FromStr for Position {
    type Err = NotAPosition;
    fn from_str(text: &str) -> Result<Self, NotAPosition> {
        let (micros, id) = text.split_once('.').ok_or(NotAPosition)?;
        let at = micros.parse().map_err(|_| NotAPosition)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if id.len() > 64 || !id.chars().all(plain) {
            return Err(NotAPosition);
        }
        Ok(Position {
            at: Instant::from_micros(at),
            id: id.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_reads_back_and_nothing_else_is_one() {
        let position = Position {
            at: Instant::from_micros(1_700_000_000_000_001),
            id: "call_01arz".into(),
        };
        assert_eq!(position.to_string().parse(), Ok(position));
        for text in ["", "12", "noon.call_1", "1.call'1", "2026-01-01T00:00:00Z"] {
            assert_eq!(text.parse::<Position>(), Err(NotAPosition), "{text}");
        }
    }
}
