//! Finds connectors by plain words.

use super::Entry;
use super::synonyms::related;
use quaymaster_core::suggest::likeness;
use std::collections::HashMap;

/// The words of an entry, stemmed, each with the weight of the best place it stands at.
#[derive(Debug, Clone)]
pub(super) struct Terms(HashMap<String, f64>);

const OF_NAME: f64 = 6.0;
const OF_SUMMARY: f64 = 4.0;
const OF_CATEGORY: f64 = 3.0;
const OF_ACTION: f64 = 1.5;
/// What a related word is worth, and one that only begins alike or is mistyped.
const RELATED: f64 = 0.5;
const BEGINNING: f64 = 0.7;
const MISTYPED: f64 = 0.6;

/// Longer questions are cut: each word costs a look at each entry.
const MOST_WORDS: usize = 16;

/// Words that say nothing about a service.
const EMPTY: [&str; 44] = [
    "a",
    "about",
    "all",
    "an",
    "and",
    "any",
    "api",
    "app",
    "are",
    "at",
    "by",
    "can",
    "connect",
    "do",
    "for",
    "from",
    "have",
    "how",
    "i",
    "in",
    "integration",
    "into",
    "is",
    "it",
    "me",
    "my",
    "need",
    "of",
    "on",
    "or",
    "our",
    "service",
    "some",
    "something",
    "that",
    "the",
    "this",
    "to",
    "tool",
    "use",
    "want",
    "what",
    "which",
    "with",
];

impl Terms {
    fn of(entry: &Entry) -> Terms {
        let mut terms: HashMap<String, f64> = HashMap::new();
        let mut add = |text: &str, weight: f64| {
            for word in words(text) {
                let known = terms.entry(word).or_insert(0.0);
                *known = known.max(weight);
            }
        };
        add(&entry.key, OF_NAME);
        add(&entry.title, OF_NAME);
        add(&entry.summary, OF_SUMMARY);
        for category in &entry.categories {
            add(category, OF_CATEGORY);
        }
        add(&entry.words, OF_ACTION);
        Terms(terms)
    }

    /// How well a word is found here.
    fn weight(&self, word: &str) -> f64 {
        if let Some(weight) = self.0.get(word) {
            return *weight;
        }
        if word.len() < 4 {
            return 0.0;
        }
        let alike = self.0.iter().filter(|(own, _)| {
            own.starts_with(word) || (own.len() >= 4 && word.starts_with(own.as_str()))
        });
        alike
            .map(|(_, weight)| weight * BEGINNING)
            .fold(0.0, f64::max)
    }

    fn mistyped(&self, word: &str) -> f64 {
        const ENOUGH: f64 = 0.75;
        let names = self.0.iter().filter(|(_, weight)| **weight >= OF_SUMMARY);
        names
            .filter(|(own, _)| own.len() >= 4 && likeness(own, word) >= ENOUGH)
            .map(|(_, weight)| weight * MISTYPED)
            .fold(0.0, f64::max)
    }
}

/// The entries that a question in plain words means, best first; those that have nothing to do with
/// it are left out.
pub fn ranked<'e>(entries: impl IntoIterator<Item = &'e Entry>, query: &str) -> Vec<&'e Entry> {
    let entries: Vec<(&Entry, &Terms)> = entries
        .into_iter()
        .map(|entry| (entry, entry.terms.get_or_init(|| Terms::of(entry))))
        .collect();
    let mut asked: Vec<String> = words(query);
    asked.dedup();
    asked.truncate(MOST_WORDS);
    let mut scores = vec![0.0; entries.len()];
    for word in &asked {
        let mut found: Vec<f64> = entries
            .iter()
            .map(|(_, terms)| terms.weight(word))
            .collect();
        for word in related(word) {
            for (found, (_, terms)) in found.iter_mut().zip(&entries) {
                *found = found.max(terms.weight(word) * RELATED);
            }
        }
        if found.iter().all(|weight| *weight == 0.0) && word.len() >= 4 {
            found = entries
                .iter()
                .map(|(_, terms)| terms.mistyped(word))
                .collect();
        }
        // A word that stands everywhere tells little (inverse document frequency).
        let within = found.iter().filter(|weight| **weight > 0.0).count();
        let rarity = (1.0 + entries.len() as f64 / within.max(1) as f64).ln();
        for (score, found) in scores.iter_mut().zip(found) {
            *score += found * rarity;
        }
    }
    let mut scored: Vec<(f64, &Entry)> = scores
        .into_iter()
        .zip(entries.iter().map(|(entry, _)| *entry))
        .filter(|(score, _)| *score > 0.0)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.key.cmp(&b.1.key)));
    scored.into_iter().map(|(_, entry)| entry).collect()
}

/// The words of a text that say something, stemmed.
pub(crate) fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty() && !EMPTY.contains(word))
        .map(stem)
        .collect()
}

/// An English word without its usual endings, so that `messages` and `messaging` are one word.
pub(super) fn stem(word: &str) -> String {
    let mut stem = word.to_owned();
    let ends = [
        ("ies", "y"),
        ("sses", "ss"),
        ("ches", "ch"),
        ("xes", "x"),
        ("s", ""),
    ];
    for (end, instead) in ends {
        let keeps =
            end == "s" && (stem.ends_with("ss") || stem.ends_with("us") || stem.ends_with("is"));
        if !keeps && stem.len() > end.len() + 2 && stem.ends_with(end) {
            stem.truncate(stem.len() - end.len());
            stem.push_str(instead);
            break;
        }
    }
    for end in ["ing", "ed", "er"] {
        if stem.len() >= end.len() + 4 && stem.ends_with(end) {
            stem.truncate(stem.len() - end.len());
            break;
        }
    }
    if stem.len() > 3 && stem.ends_with('e') {
        stem.pop();
    }
    let mut ends = stem.chars().rev();
    if let (Some(last), Some(before)) = (ends.next(), ends.next())
        && last == before
        && last.is_ascii_alphabetic()
        && stem.len() > 3
    {
        stem.pop();
    }
    stem
}
