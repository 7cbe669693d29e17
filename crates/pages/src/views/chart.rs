//! Charts as SVG: numbers become places on a plane of 100 units in height, ten in width a slot. Colours
//! are the stylesheet's.

use std::fmt::Write as _;

use quaymaster_core::Instant;

use super::amount::Amount;

/// Units of the plane.
const HEIGHT: u64 = 100;
const SLOT: usize = 10;

/// Calls and how they went.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    pub calls: u64,
    pub errors: u64,
    /// Microseconds.
    pub p50_us: Option<u64>,
    pub p95_us: Option<u64>,
}

/// A slot of time with what happened in it.
#[derive(Debug, Clone)]
pub struct Moment {
    pub at: Instant,
    pub figures: Figures,
}

/// One slot of a bar chart. What failed stands on what went well.
#[derive(Debug, Clone)]
pub struct Bar {
    pub x: usize,
    /// Heights.
    pub good: u64,
    pub failed: u64,
    /// What it says when one points at it.
    pub title: String,
}

impl Bar {
    pub fn y(&self) -> u64 {
        HEIGHT.saturating_sub(self.good)
    }

    pub fn failed_y(&self) -> u64 {
        HEIGHT.saturating_sub(self.good + self.failed)
    }
}

#[derive(Debug, Clone)]
pub struct BarChart {
    /// Its contents in a sentence.
    pub label: String,
    /// What the full height stands for.
    pub top: String,
    pub bars: Vec<Bar>,
    pub has_failed: bool,
    /// Under it, from left to right.
    pub marks: Vec<String>,
}

impl BarChart {
    pub fn new(slots: &[Moment], slot_hours: i64) -> Self {
        let most = slots
            .iter()
            .map(|slot| slot.figures.calls)
            .max()
            .unwrap_or(0);
        let calls: u64 = slots.iter().map(|slot| slot.figures.calls).sum();
        let errors: u64 = slots.iter().map(|slot| slot.figures.errors).sum();
        let bars = slots.iter().enumerate().map(|(n, slot)| {
            let all = height(slot.figures.calls, most);
            // A single failure among thousands is still seen.
            let failed = height(slot.figures.errors, most);
            Bar {
                x: n * SLOT,
                good: all.saturating_sub(failed),
                failed,
                title: format!(
                    "{}: {}, {} failed",
                    name(slot.at, slot_hours),
                    calls_of(slot.figures.calls),
                    slot.figures.errors.count()
                ),
            }
        });
        BarChart {
            label: format!(
                "Calls over time: {} in all, {} failed, at most {} at once in the chart.",
                calls.count(),
                errors.count(),
                most.count()
            ),
            top: calls_of(most),
            bars: bars.collect(),
            has_failed: errors > 0,
            marks: marks(slots, slot_hours),
        }
    }

    pub fn width(&self) -> usize {
        (self.bars.len() * SLOT).max(1)
    }
}

/// Two lines, with gaps where nothing was called.
#[derive(Debug, Clone)]
pub struct LineChart {
    pub label: String,
    pub top: String,
    /// Paths.
    pub half: String,
    pub high: String,
    pub width: usize,
    pub marks: Vec<String>,
}

impl LineChart {
    pub fn new(slots: &[Moment], slot_hours: i64) -> Self {
        let most = slots
            .iter()
            .filter_map(|slot| slot.figures.p95_us)
            .max()
            .unwrap_or(0);
        LineChart {
            label: format!(
                "How long calls took over time: 95 of 100 took at most {} in the slowest part.",
                most.micros()
            ),
            top: most.micros(),
            half: path(slots.iter().map(|slot| slot.figures.p50_us), most),
            high: path(slots.iter().map(|slot| slot.figures.p95_us), most),
            width: (slots.len() * SLOT).max(1),
            marks: marks(slots, slot_hours),
        }
    }
}

fn calls_of(number: u64) -> String {
    let word = if number == 1 { "call" } else { "calls" };
    format!("{} {word}", number.count())
}

/// Of the plane, rounded up, so that what there is has some height.
fn height(part: u64, most: u64) -> u64 {
    if most == 0 {
        return 0;
    }
    let height = (u128::from(part) * u128::from(HEIGHT)).div_ceil(u128::from(most));
    u64::try_from(height).unwrap_or(HEIGHT).min(HEIGHT)
}

fn path(values: impl Iterator<Item = Option<u64>>, most: u64) -> String {
    let mut path = String::new();
    let mut is_down = false;
    let mut values = values.enumerate().peekable();
    while let Some((n, value)) = values.next() {
        let Some(value) = value else {
            is_down = false;
            continue;
        };
        let (x, y) = (n * SLOT + SLOT / 2, HEIGHT - height(value, most));
        let has_next = values.peek().is_some_and(|(_, next)| next.is_some());
        let _ = match (is_down, has_next) {
            (true, _) => write!(path, "L{x} {y}"),
            (false, true) => write!(path, "M{x} {y}"),
            // A slot without neighbours: a dash as wide as a bar.
            (false, false) => write!(path, "M{} {y}H{}", x - SLOT / 2 + 1, x + SLOT / 2 - 1),
        };
        is_down = true;
    }
    path
}

/// When a slot is, in words.
pub fn name(at: Instant, slot_hours: i64) -> String {
    let pattern = if slot_hours >= 24 {
        "%-d %b"
    } else {
        "%-d %b, %H:%M UTC"
    };
    match jiff::Timestamp::from_millisecond(at.millis()) {
        Ok(at) => at.strftime(pattern).to_string(),
        Err(_) => String::new(),
    }
}

/// The first slot, the one in the middle and the last.
fn marks(slots: &[Moment], slot_hours: i64) -> Vec<String> {
    let at = [0, slots.len() / 2, slots.len().saturating_sub(1)];
    let slots = at.into_iter().filter_map(|n| slots.get(n));
    slots.map(|slot| name(slot.at, slot_hours)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(calls: u64, errors: u64) -> Moment {
        Moment {
            at: Instant::from_micros(0),
            figures: Figures {
                calls,
                errors,
                p50_us: (calls > 0).then_some(calls),
                p95_us: (calls > 0).then_some(2 * calls),
            },
        }
    }

    #[test]
    fn bars_fill_the_plane_and_never_leave_it() {
        let slots = [
            slot(0, 0),
            slot(1_000, 1),
            slot(u64::MAX / 2, 0),
            slot(7, 7),
        ];
        let chart = BarChart::new(&slots, 1);
        for bar in &chart.bars {
            assert!(bar.good + bar.failed <= HEIGHT, "{bar:?}");
            assert!(bar.y() <= HEIGHT && bar.failed_y() <= HEIGHT);
        }
        let shown: Vec<_> = chart
            .bars
            .iter()
            .map(|bar| (bar.good, bar.failed))
            .collect();
        assert_eq!(shown, [(0, 0), (0, 1), (100, 0), (0, 1)]);
        assert!(BarChart::new(&[], 1).bars.is_empty());
    }

    #[test]
    fn a_line_has_gaps_where_nothing_was_called() {
        let chart = LineChart::new(&[slot(5, 0), slot(10, 0), slot(0, 0), slot(10, 0)], 1);
        assert_eq!(chart.high, "M5 50L15 0M31 0H39");
    }
}
