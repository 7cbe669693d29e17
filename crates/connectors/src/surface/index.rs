//! Finds actions by plain words.

use super::reading::signature;
use super::tools::Switched;
use crate::catalog::words::{deeds, related, words};
use quaymaster_core::suggest::likeness;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::ops::Bound;

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
const OF_RECIPE: f32 = 3.0;
const OF_MODULE: f32 = 2.0;
const OF_INPUT: f32 = 0.5;
const OF_INPUT_TEXT: f32 = 0.4;
const OF_ABOUT: f32 = 0.6;

/// What a related word is worth, one that only begins alike, and a mistyped one.
const RELATED: f64 = 0.45;
const DEED: f64 = 0.6;
const BEGINNING: f64 = 0.6;
const MISTYPED: f64 = 0.6;
/// Longer questions are cut.
const MOST_WORDS: usize = 16;

/// BM25F: Robertson, Zaragoza and Taylor, Simple BM25 extension to multiple weighted fields (2004).
const SATURATION: f64 = 0.8;
const LENGTH: f64 = 0.2;
/// Somebody who names a service means its actions.
const NAMED: f64 = 1.6;

/// Everything that is on, by its words.
#[derive(Default)]
pub struct Index {
    found: Vec<Hit>,
    /// From a word to actions and the weight it has in each, in order.
    postings: BTreeMap<String, Vec<(u32, f32)>>,
    lengths: Vec<f32>,
    /// The words of each alias's name, and whose action each is.
    services: Vec<HashSet<String>>,
    service_of: Vec<usize>,
    usual: f64,
}

impl Index {
    pub fn new(switched: &[Switched<'_>]) -> Index {
        let mut index = Index::default();
        for one in switched {
            let definition = one.definition;
            let service = [one.alias, &definition.key, &definition.title];
            index
                .services
                .push(service.iter().flat_map(|text| words(text)).collect());
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
                    for recipe in definition
                        .recipes
                        .iter()
                        .filter(|recipe| recipe.action == *key)
                    {
                        add(&recipe.title, OF_RECIPE);
                    }
                    let inputs = action.params.get("properties").and_then(Value::as_object);
                    for (name, schema) in inputs.into_iter().flatten().take(60) {
                        add(&apart(name), OF_INPUT);
                        let about = schema.get("description").and_then(Value::as_str);
                        add(about.unwrap_or_default(), OF_INPUT_TEXT);
                    }
                    index.service_of.push(index.services.len() - 1);
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

    /// The actions that a question in plain words means, best first, at most `limit`; only those of one alias
    /// where that is asked for, and its first ones where nothing is asked besides.
    pub fn search(&self, query: &str, only: Option<&str>, limit: usize) -> Vec<Hit> {
        let mut asked: Vec<String> = Vec::new();
        for word in words(query).into_iter().take(MOST_WORDS) {
            if !asked.contains(&word) {
                asked.push(word);
            }
        }
        if let Some(only) = only
            && asked.is_empty()
        {
            let of_it = self.found.iter().filter(|hit| hit.alias == only);
            return of_it.take(limit).cloned().collect();
        }
        let mut scores = vec![0.0_f64; self.found.len()];
        let mut of_word = vec![0.0_f64; self.found.len()];
        let mut touched: Vec<u32> = Vec::new();
        for word in &asked {
            for (term, worth) in self.terms(word) {
                self.collect(&term, worth, &mut of_word, &mut touched);
            }
            for nr in touched.drain(..) {
                scores[nr as usize] += std::mem::take(&mut of_word[nr as usize]);
            }
        }
        let named: Vec<bool> = self
            .services
            .iter()
            .map(|words| asked.iter().any(|word| words.contains(word)))
            .collect();
        for (score, service) in scores.iter_mut().zip(&self.service_of) {
            if named[*service] {
                *score *= NAMED;
            }
        }
        let mut best: Vec<(f64, usize)> = scores
            .into_iter()
            .enumerate()
            .filter(|(nr, score)| {
                *score > 0.0 && only.is_none_or(|only| self.found[*nr].alias == only)
            })
            .map(|(nr, score)| (score, nr))
            .collect();
        let order = |a: &(f64, usize), b: &(f64, usize)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
        // A common word finds thousands, of which few are wanted.
        if limit < best.len() {
            best.select_nth_unstable_by(limit, order);
            best.truncate(limit);
        }
        best.sort_unstable_by(order);
        best.into_iter()
            .map(|(score, nr)| Hit {
                score,
                ..self.found[nr].clone()
            })
            .collect()
    }

    /// A word, words that mean nearly the same or begin alike, and what each is worth; only when
    /// nothing has any of them, those that it may be a slip of.
    fn terms(&self, word: &str) -> Vec<(String, f64)> {
        let mut terms: HashMap<&str, f64> = HashMap::from([(word, 1.0)]);
        let others = related(word).iter().map(|other| (other, RELATED));
        for (other, worth) in others.chain(deeds(word).iter().map(|other| (other, DEED))) {
            let known = terms.entry(other).or_insert(0.0);
            *known = known.max(worth);
        }
        if word.len() >= 4 {
            let alike = self
                .postings
                .range::<str, _>((Bound::Included(word), Bound::Unbounded))
                .map(|(own, _)| own.as_str());
            for own in alike.take_while(|own| own.starts_with(word)).take(50) {
                terms.entry(own).or_insert(BEGINNING);
            }
            for end in (4..word.len())
                .filter(|end| word.is_char_boundary(*end))
                .take(60)
            {
                terms.entry(&word[..end]).or_insert(BEGINNING);
            }
        }
        let mut terms: Vec<(String, f64)> = terms
            .into_iter()
            .filter(|(term, _)| self.postings.contains_key(*term))
            .map(|(term, worth)| (term.to_owned(), worth))
            .collect();
        if terms.is_empty() && (4..=64).contains(&word.len()) {
            terms = self.slips(word);
        }
        terms
    }

    /// What a term adds to each action, where that is more than another term of the same word.
    fn collect(&self, term: &str, worth: f64, found: &mut [f64], touched: &mut Vec<u32>) {
        let Some(postings) = self.postings.get(term) else {
            return;
        };
        // A word that stands everywhere tells little (inverse document frequency).
        let within = postings.len() as f64;
        let all = self.found.len() as f64;
        let rarity = worth * (1.0 + (all - within + 0.5) / (within + 0.5)).ln();
        for (nr, weight) in postings {
            let length = f64::from(self.lengths[*nr as usize]) / self.usual.max(f64::MIN_POSITIVE);
            let weighed = f64::from(*weight) / (1.0 - LENGTH + LENGTH * length);
            let score = rarity * weighed / (SATURATION + weighed);
            let known = &mut found[*nr as usize];
            if *known == 0.0 {
                touched.push(*nr);
            }
            *known = known.max(score);
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
