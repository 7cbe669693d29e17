//! Lists that are longer than a page, asked for with `query` and `page`.

use serde::Deserialize;

use crate::views::pager::{Pager, ROWS, address};

/// The query of an address.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    pub(super) query: String,
    page: String,
}

impl Asked {
    /// From 0. What is no number is the beginning.
    fn page(&self) -> i64 {
        self.page.parse().unwrap_or(0).clamp(0, i64::from(i32::MAX))
    }

    /// How many rows to leave out.
    pub(super) fn offset(&self) -> i64 {
        self.page() * ROWS
    }

    /// Whether a text has every word of the query in it, whatever the case.
    pub(super) fn fits(&self, text: &str) -> bool {
        let (words, text) = (self.query.to_lowercase(), text.to_lowercase());
        words.split_whitespace().all(|word| text.contains(word))
    }

    /// The page of a list that is in memory, and the way through it.
    pub(super) fn cut<T>(&self, path: &str, all: Vec<T>) -> (Vec<T>, Pager) {
        let pager = self.pager(path, i64::try_from(all.len()).unwrap_or(i64::MAX));
        let [offset, most] = [self.offset(), ROWS].map(|rows| usize::try_from(rows).unwrap_or(0));
        let page = all.into_iter().skip(offset).take(most);
        (page.collect(), pager)
    }

    /// The list at a path, where it was when a form of it was sent.
    pub(super) fn back(&self, path: &str) -> String {
        address(path, &self.query, self.page())
    }

    pub(super) fn pager(&self, path: &str, total: i64) -> Pager {
        Pager::new(path, &self.query, self.page(), total)
    }
}
