//! What in a file comes nearest to a text that is not in it. Only ever shown, never edited.

use serde::Serialize;
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// After this, what was found so far is shown.
const BUDGET: Duration = Duration::from_millis(200);
const MOST: usize = 3;
/// Below this likeness (0 to 1) a suggestion confuses.
const ENOUGH: f64 = 0.5;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Near {
    pub(crate) line: u64,
    pub(crate) text: String,
}

/// The lines that come nearest to the first line of `wanted` that says something, best first.
pub(crate) fn nearest(text: &str, wanted: &str) -> Vec<Near> {
    let end = Instant::now() + BUDGET;
    let Some((before, wanted)) = wanted
        .lines()
        .enumerate()
        .find(|(_, line)| !line.trim().is_empty())
    else {
        return Vec::new();
    };
    let wanted = wanted.trim().to_lowercase();
    let pairs = pairs(&wanted);
    let mut best: Vec<(f64, u64, &str)> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if index % 256 == 0 && Instant::now() >= end {
            break;
        }
        let score = likeness(&pairs, &wanted, line);
        if score < ENOUGH || (best.len() == MOST && best.last().is_some_and(|b| b.0 >= score)) {
            continue;
        }
        // A text of several lines starts where its first line would.
        best.push((
            score,
            (index + 1).saturating_sub(before).max(1) as u64,
            line,
        ));
        best.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        best.truncate(MOST);
    }
    best.into_iter()
        .map(|(_, line, text)| {
            let mut text = text.to_owned();
            crate::read::clip(&mut text, 200);
            Near { line, text }
        })
        .collect()
}

fn pairs(text: &str) -> HashSet<(char, char)> {
    text.chars().zip(text.chars().skip(1)).collect()
}

/// Dice's coefficient over pairs of characters, white space at the ends and case left out.
fn likeness(wanted_pairs: &HashSet<(char, char)>, wanted: &str, line: &str) -> f64 {
    let line = line.trim();
    let (short, long) = (wanted.len().min(line.len()), wanted.len().max(line.len()));
    if short == 0 || short * 3 < long || long > 4_000 {
        return 0.0;
    }
    let line = line.to_lowercase();
    if line == wanted {
        return 1.0;
    }
    let own = pairs(&line);
    let common = own.intersection(wanted_pairs).count();
    2.0 * common as f64 / (own.len() + wanted_pairs.len()).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_white_space_and_small_slips_are_found() {
        let text = "fn main() {\n\tlet value = compute(3);\n}\n";
        let found = nearest(text, "let value = comptue(3);");
        assert_eq!(
            found,
            [Near {
                line: 2,
                text: "\tlet value = compute(3);".to_owned()
            }]
        );
        assert!(nearest(text, "entirely different").is_empty());
    }
}
