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

    /// The page of a list that is in memory.
    pub(super) fn cut<T>(&self, all: Vec<T>) -> Vec<T> {
        let [offset, most] = [self.offset(), ROWS].map(|rows| usize::try_from(rows).unwrap_or(0));
        all.into_iter().skip(offset).take(most).collect()
    }

    /// The list at a path, where it was when a form of it was sent.
    pub(super) fn back(&self, path: &str) -> String {
        address(path, &self.query, self.page())
    }

    pub(super) fn pager(&self, path: &str, total: i64) -> Pager {
        Pager::new(path, &self.query, self.page(), total)
    }
}
