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
        if self.query.trim().is_empty() {
            return true;
        }
        let (words, text) = (self.query.to_lowercase(), text.to_lowercase());
        words.split_whitespace().all(|word| text.contains(word))
    }

    /// How many rows a page has, and how many to leave out.
    pub(super) fn span(&self) -> [usize; 2] {
        [ROWS, self.offset()].map(|rows| usize::try_from(rows).unwrap_or(0))
    }

    /// The list at a path, where it was when a form of it was sent.
    pub(super) fn back(&self, path: &str) -> String {
        address(path, &self.query, self.page())
    }

    pub(super) fn pager_of(&self, path: &str, total: usize) -> Pager {
        self.pager(path, i64::try_from(total).unwrap_or(i64::MAX))
    }

    pub(super) fn pager(&self, path: &str, total: i64) -> Pager {
        Pager::new(path, &self.query, self.page(), total)
    }
}
