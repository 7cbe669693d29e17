//! The way through a list that is longer than a page.

use super::address::segment;

/// Rows of a page.
pub const ROWS: i64 = 50;

/// How long a list is, and where the pages before and after this one are.
#[derive(Debug, Clone, Default)]
pub struct Pager {
    pub total: i64,
    pub before: Option<String>,
    pub after: Option<String>,
    /// The query of this very page, empty for the first one: behind the addresses of its forms, so that
    /// they lead back to it.
    pub here: String,
}

/// The address of a page of a list.
pub fn address(path: &str, query: &str, page: i64) -> String {
    if query.is_empty() && page == 0 {
        return path.to_owned();
    }
    format!("{path}?query={}&page={page}", segment(query))
}

impl Pager {
    /// Whether there is more than this page.
    pub fn is_long(&self) -> bool {
        self.before.is_some() || self.after.is_some()
    }

    /// Of a list at a path that asks itself with `query` and `page`, which begins at 0.
    pub fn new(path: &str, query: &str, page: i64, total: i64) -> Self {
        let other = |page: i64| address(path, query, page);
        Pager {
            total,
            // Behind the end, to the last page that there is.
            before: (page > 0).then(|| other((page - 1).min((total - 1).max(0) / ROWS))),
            here: address("", query, page),
            after: ((page + 1) * ROWS < total).then(|| other(page + 1)),
        }
    }
}
