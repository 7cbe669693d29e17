//! Instants as people read them.

use std::fmt;

use askama::filters::HtmlSafe;
use quaymaster_core::Instant;

/// A `<time>` element: UTC in words, which the script turns into "3 minutes ago".
#[derive(Debug, Clone, Copy)]
pub struct Time(Instant);

/// Lets templates say `at.time()`, whether they hold the instant or a reference to it.
pub trait Shown {
    fn time(&self) -> Time;
}

impl Shown for Instant {
    fn time(&self) -> Time {
        Time(*self)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(at) = jiff::Timestamp::from_millisecond(self.0.millis()) else {
            return f.write_str("unknown");
        };
        write!(
            f,
            "<time datetime=\"{at:.0}\">{}</time>",
            at.strftime("%-d %b %Y, %H:%M UTC")
        )
    }
}

// Made of digits, letters and the fixed text above.
impl HtmlSafe for Time {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_readable_and_exact() {
        assert_eq!(
            Instant::from_micros(1_700_000_000_000_000)
                .time()
                .to_string(),
            "<time datetime=\"2023-11-14T22:13:20Z\">14 Nov 2023, 22:13 UTC</time>"
        );
    }
}
