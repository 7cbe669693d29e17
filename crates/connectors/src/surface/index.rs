//! Finds actions by plain words.

use super::reading::signature;
use super::tools::Switched;
use crate::catalog::words::{related, words};
use quaymaster_core::suggest::likeness;
use std::collections::{BTreeMap, HashMap};

/// An action that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    pub alias: String,
    /// Its key.
    pub action: String,
    pub title: String,
    /// `send_channel_message(channel, text?, …)`
    pub signature: String,
    /// Higher is better; only comparable within one search.
    pub score: f64,
}

/// Where a word stands, and what that is worth.
const OF_KEY: f32 = 3.0;
const OF_TITLE: f32 = 3.0;
const OF_SUMMARY: f32 = 1.2;
const OF_SERVICE: f32 = 2.0;
const OF_MODULE: f32 = 1.0;
const OF_INPUT: f32 = 0.5;
const OF_ABOUT: f32 = 0.6;

/// What a related word is worth, one that only begins alike, and a mistyped one.
const RELATED: f64 = 0.45;
const BEGINNING: f64 = 0.6;
const MISTYPED: f64 = 0.6;
/// Longer questions are cut.
const MOST_WORDS: usize = 16;

/// BM25F: Robertson, Zaragoza and Taylor, Simple BM25 extension to multiple weighted fields (2004).
const SATURATION: f64 = 1.2;
const LENGTH: f64 = 0.4;

/// Everything that is on, by its words.
#[derive(Default)]
pub struct Index {
    found: Vec<Hit>,
    /// From a word to actions and the weight it has in each, in order.
    postings: BTreeMap<String, Vec<(u32, f32)>>,
    lengths: Vec<f32>,
    usual: f64,
}

impl Index {
    pub fn new(switched: &[Switched<'_>]) -> Index {
        let mut index = Index::default();
        for one in switched {
            let definition = one.definition;
            let service = [one.alias, &definition.key, &definition.title];
            for module in definition.modules.values() {
                for (key, action) in module.actions.iter().filter(|(key, _)| one.is_on(key)) {
                    let (title, description) = one.words(key, action);
                    let mut terms: HashMap<String, f32> = HashMap::new();
                    let mut add = |text: &str, weight: f32| {
                        for word in words(text) {
                            let known = terms.entry(word).or_insert(0.0);
                            *known = (*known + weight).min(weight.max(*known) * 1.5);
                        }
                    };
                    add(key, OF_KEY);
                    add(&title, OF_TITLE);
                    add(&description, OF_SUMMARY);
                    for text in service {
                        add(text, OF_SERVICE);
                    }
                    add(&definition.summary, OF_ABOUT);
                    add(&definition.categories.join(" "), OF_ABOUT);
                    add(&module.title, OF_MODULE);
                    let inputs = action
                        .params
                        .get("properties")
                        .and_then(serde_json::Value::as_object);
                    for (name, _) in inputs.into_iter().flatten().take(60) {
                        add(&apart(name), OF_INPUT);
                    }
                    index.put(terms);
                    index.found.push(Hit {
                        alias: one.alias.to_owned(),
                        action: key.clone(),
                        title,
                        signature: signature(one, key),
                        score: 0.0,
                    });
                }
            }
        }
        let total: f64 = index.lengths.iter().map(|length| f64::from(*length)).sum();
        index.usual = total / index.lengths.len().max(1) as f64;
        index
    }

    fn put(&mut self, terms: HashMap<String, f32>) {
        let nr = self.lengths.len() as u32;
        self.lengths.push(terms.values().sum());
        for (word, weight) in terms {
            self.postings.entry(word).or_default().push((nr, weight));
        }
    }

    /// How many actions it knows.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The actions that a question in plain words means, best first, at most `limit`.
    pub fn search(&self, query: &str, limit: usize) -> Vec<Hit> {
        let mut asked: Vec<String> = Vec::new();
        for word in words(query).into_iter().take(MOST_WORDS) {
            if !asked.contains(&word) {
                asked.push(word);
            }
        }
        let mut scores = vec![0.0_f64; self.found.len()];
        let mut of_word: HashMap<u32, f64> = HashMap::new();
        for word in &asked {
            of_word.clear();
            self.collect(word, &mut of_word);
            // A word that stands everywhere tells little (inverse document frequency).
            let within = of_word.len() as f64;
            let rarity = (1.0 + (self.found.len() as f64 - within + 0.5) / (within + 0.5)).ln();
            for (nr, weight) in &of_word {
                let length =
                    f64::from(self.lengths[*nr as usize]) / self.usual.max(f64::MIN_POSITIVE);
                let weighed = weight / (1.0 - LENGTH + LENGTH * length);
                scores[*nr as usize] += rarity * weighed / (SATURATION + weighed);
            }
        }
        let mut best: Vec<(f64, usize)> = scores
            .into_iter()
            .enumerate()
            .filter(|(_, score)| *score > 0.0)
            .map(|(nr, score)| (score, nr))
            .collect();
        best.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        best.truncate(limit);
        best.into_iter()
            .map(|(score, nr)| Hit {
                score,
                ..self.found[nr].clone()
            })
            .collect()
    }

    /// Where a word stands, where words stand that mean nearly the same or begin alike; and only when
    /// there is none, where one stands that it may be a slip of.
    fn collect(&self, word: &str, found: &mut HashMap<u32, f64>) {
        let mut add = |word: &str, worth: f64| {
            for (nr, weight) in self.postings.get(word).into_iter().flatten() {
                let weight = f64::from(*weight) * worth;
                let known = found.entry(*nr).or_insert(0.0);
                *known = known.max(weight);
            }
        };
        add(word, 1.0);
        for other in related(word) {
            add(other, RELATED);
        }
        if word.len() >= 4 {
            let alike = self
                .postings
                .range(word.to_owned()..)
                .skip_while(|(own, _)| own.as_str() == word);
            for (own, _) in alike.take_while(|(own, _)| own.starts_with(word)).take(50) {
                add(own, BEGINNING);
            }
            for end in (4..word.len()).filter(|end| word.is_char_boundary(*end)) {
                add(&word[..end], BEGINNING);
            }
        }
        if found.is_empty() && word.len() >= 4 {
            for (own, worth) in self.slips(word) {
                for (nr, weight) in &self.postings[&own] {
                    let weight = f64::from(*weight) * worth;
                    let known = found.entry(*nr).or_insert(0.0);
                    *known = known.max(weight);
                }
            }
        }
    }

    fn slips(&self, word: &str) -> Vec<(String, f64)> {
        const ENOUGH: f64 = 0.75;
        let near = self
            .postings
            .keys()
            .filter(|own| own.len() >= 4 && own.len().abs_diff(word.len()) <= 2);
        near.map(|own| (own.clone(), likeness(own, word)))
            .filter(|(_, likeness)| *likeness >= ENOUGH)
            .map(|(own, likeness)| (own, likeness * MISTYPED))
            .collect()
    }
}

/// `spreadsheetId` as two words.
fn apart(name: &str) -> String {
    let mut made = String::with_capacity(name.len() + 4);
    let mut small = false;
    for c in name.chars() {
        if small && c.is_uppercase() {
            made.push(' ');
        }
        small = c.is_lowercase();
        made.push(c);
    }
    made
}
