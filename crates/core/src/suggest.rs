//! Did you mean.

/// At most `most` of `candidates` that look like `wanted`, best first, ties by name.
pub fn did_you_mean<'a>(
    wanted: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    most: usize,
) -> Vec<String> {
    // Below this likeness (0 to 1) a suggestion confuses more than it helps.
    const ENOUGH: f64 = 0.72;
    // Comparing takes the product of both lengths; what is longer is no typing mistake.
    const LONGEST: usize = 128;
    if wanted.len() > LONGEST {
        return Vec::new();
    }
    let wanted = wanted.to_lowercase();
    let mut scored: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&wanted, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(score, _)| *score >= ENOUGH)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
    scored
        .into_iter()
        .take(most)
        .map(|(_, candidate)| candidate.to_owned())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_comes_first_and_the_far_not_at_all() {
        let known = ["start_line", "end_line", "encoding"];
        assert_eq!(did_you_mean("startLine", known, 1), ["start_line"]);
        assert!(did_you_mean("zebra", known, 3).is_empty());
        assert!(did_you_mean(&"start_line".repeat(1_000_000), known, 3).is_empty());
    }
}
