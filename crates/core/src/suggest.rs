//! Did you mean.

/// At most `most` of `candidates` that look like `wanted`, best first, ties by name.
///
/// Capitals, hyphens, underscores and other separators count for nothing. A candidate that has all
/// words of `wanted`, or the other way round, looks like it too.
pub fn did_you_mean<'a>(
    wanted: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    most: usize,
) -> Vec<String> {
    // Comparing takes the product of both lengths; what is longer is no typing mistake.
    const LONGEST: usize = 128;
    if wanted.len() > LONGEST {
        return Vec::new();
    }
    let wanted = Folded::of(wanted);
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .filter(|candidate| candidate.len() <= 2 * LONGEST)
        .map(|candidate| (wanted.likeness(&Folded::of(candidate)), candidate))
        .filter(|(score, _)| *score >= ENOUGH)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored
        .into_iter()
        .take(most)
        .map(|(_, candidate)| candidate.to_owned())
        .collect()
}

/// How much two texts look alike, from 0 to 1; see [`did_you_mean`].
pub fn likeness(one: &str, other: &str) -> f64 {
    Folded::of(one).likeness(&Folded::of(other))
}

/// Below this likeness a suggestion confuses more than it helps.
const ENOUGH: f64 = 0.65;
/// The likeness of texts of which one has all words of the other.
const CONTAINED: f64 = 0.75;

/// A text without what people get wrong without noticing.
struct Folded {
    letters: String,
    words: Vec<String>,
}

impl Folded {
    fn of(text: &str) -> Self {
        let lower = text.to_lowercase();
        let words: Vec<String> = lower
            .split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
            .collect();
        let letters = if words.is_empty() {
            lower
        } else {
            words.concat()
        };
        Folded { letters, words }
    }

    /// Mistyping is counted by edits (optimal string alignment, so that swapped neighbours are one
    /// edit), an abbreviation or another ending by what both begin with (Jaro and Winkler).
    fn likeness(&self, other: &Folded) -> f64 {
        let longest = self
            .letters
            .chars()
            .count()
            .max(other.letters.chars().count());
        if longest == 0 {
            return 0.0;
        }
        let edits = strsim::osa_distance(&self.letters, &other.letters);
        let by_edits = 1.0 - edits as f64 / longest as f64;
        let by_beginning = strsim::jaro_winkler(&self.letters, &other.letters);
        let score = 0.6 * by_edits + 0.4 * by_beginning;
        // One slip in a short word weighs too much above.
        let score = if edits <= 1 && longest > 2 {
            score.max(ENOUGH)
        } else {
            score
        };
        if score < CONTAINED && (self.is_within(other) || other.is_within(self)) {
            // Of several, the one with the fewest other letters comes first.
            return CONTAINED + 0.1 * by_edits;
        }
        score
    }

    fn is_within(&self, other: &Folded) -> bool {
        self.letters.len() > 2 && self.words.iter().all(|word| other.words.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_comes_first_and_the_far_not_at_all() {
        let known = ["start_line", "end_line", "encoding"];
        assert_eq!(did_you_mean("startLine", known, 1), ["start_line"]);
        assert_eq!(did_you_mean("End-Line", known, 3)[0], "end_line");
        assert_eq!(did_you_mean("line", known, 3), ["end_line", "start_line"]);
        assert!(did_you_mean("zebra", known, 3).is_empty());
        assert!(did_you_mean("", known, 3).is_empty());
        assert!(did_you_mean(&"start_line".repeat(1_000_000), known, 3).is_empty());
    }
}
