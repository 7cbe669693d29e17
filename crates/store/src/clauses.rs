//! A condition that has only what was asked for. With `$1 IS NULL OR …` for each thing that could be
//! asked, SQLite chooses an index for none of them.

use crate::db::{AnyRow, Store, StoreError};
use crate::position::Position;
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, WorkspaceId};
use std::fmt::Write as _;

/// Letters of what is looked for. SQLite refuses patterns of more than 50,000 bytes.
const LONGEST: usize = 500;

/// A value for a placeholder.
pub(crate) enum Arg {
    Text(String),
    Number(i64),
}

pub(crate) struct Clauses {
    /// From `WHERE` on; placeholders are numbered in the order of `args`.
    pub(crate) sql: String,
    pub(crate) args: Vec<Arg>,
}

impl Clauses {
    /// What concerns an organization, which is `$1`.
    pub(crate) fn of(org: &OrgId) -> Self {
        Clauses::by("org_id", org)
    }

    /// The same, where several tables have such a column.
    pub(crate) fn by(column: &'static str, org: &OrgId) -> Self {
        Clauses {
            sql: format!("WHERE {column} = $1"),
            args: vec![Arg::Text(org.to_string())],
        }
    }

    /// What concerns a workspace of an organization, which are `$2` and `$1`.
    pub(crate) fn of_workspace(org: &OrgId, workspace: &WorkspaceId) -> Self {
        let mut clauses = Clauses::of(org);
        clauses.text("workspace_id =", Some(workspace.as_str()), "");
        clauses
    }

    /// A condition without a value.
    pub(crate) fn holds(&mut self, condition: &'static str) {
        let _ = write!(self.sql, " AND {condition}");
    }

    /// `before` is everything in front of the placeholder, for example `tool =`; `after` is behind it.
    pub(crate) fn text(&mut self, before: &'static str, value: Option<&str>, after: &'static str) {
        if let Some(value) = value {
            self.args.push(Arg::Text(value.to_owned()));
            let _ = write!(self.sql, " AND {before} ${}{after}", self.args.len());
        }
    }

    /// One of the columns has the words in it, whatever the case; nothing is asked without words, and the first
    /// [`LONGEST`] letters count. SQLite knows the small letters of ASCII alone, so others fit as they are
    /// typed, too, and in small ones behind a capital, and all in capitals.
    pub(crate) fn words(&mut self, columns: &[&'static str], words: &str) {
        let words: String = words.trim().chars().take(LONGEST).collect();
        if words.is_empty() {
            return;
        }
        let mut pattern = |text: &str| {
            let text = text
                .replace('\\', r"\\")
                .replace('%', r"\%")
                .replace('_', r"\_");
            self.args.push(Arg::Text(format!("%{text}%")));
            self.args.len()
        };
        let lower = words.to_lowercase();
        let small = pattern(&lower);
        let mut others = vec![pattern(&words)];
        if !words.is_ascii() {
            others.push(pattern(&with_capital(&lower)));
            others.push(pattern(&words.to_uppercase()));
        }
        let mut fits = Vec::new();
        for column in columns {
            fits.push(format!("LOWER({column}) LIKE ${small} ESCAPE '\\'"));
            for other in &others {
                fits.push(format!("{column} LIKE ${other} ESCAPE '\\'"));
            }
        }
        let _ = write!(self.sql, " AND ({})", fits.join(" OR "));
    }

    /// The column has one of some values, of which there is at least one.
    pub(crate) fn one_of(
        &mut self,
        column: &'static str,
        values: impl IntoIterator<Item = impl ToString>,
    ) {
        let mut places = Vec::new();
        for value in values {
            self.args.push(Arg::Text(value.to_string()));
            places.push(format!("${}", self.args.len()));
        }
        let _ = write!(self.sql, " AND {column} IN ({})", places.join(", "));
    }

    /// Behind the order: at most so many rows from an offset on.
    pub(crate) fn page(&mut self, limit: i64, offset: i64) -> String {
        self.args.push(Arg::Number(limit));
        self.args.push(Arg::Number(offset));
        let at = self.args.len();
        format!("LIMIT ${} OFFSET ${at}", at - 1)
    }

    pub(crate) fn number(&mut self, before: &'static str, value: Option<i64>) {
        if let Some(value) = value {
            self.args.push(Arg::Number(value));
            let _ = write!(self.sql, " AND {before} ${}", self.args.len());
        }
    }

    /// From an instant on, before another one, and behind the end of a page of rows sorted by the
    /// column and the id, newest first.
    pub(crate) fn within(
        &mut self,
        [from, to, behind]: [&'static str; 3],
        since: Option<Instant>,
        until: Option<Instant>,
        before: Option<&Position>,
    ) {
        self.number(from, since.map(Instant::micros));
        self.number(to, until.map(Instant::micros));
        if let Some(before) = before {
            self.number(behind, Some(before.at.micros()));
            self.args.push(Arg::Text(before.id.clone()));
            let _ = write!(self.sql, ", ${})", self.args.len());
        }
    }
}

fn with_capital(small: &str) -> String {
    let mut letters = small.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// Binds the values of [`Clauses`] to a query, in their order.
macro_rules! bound {
    ($query:expr, $args:expr) => {{
        let mut query = $query;
        for arg in &$args {
            query = match arg {
                $crate::clauses::Arg::Text(text) => query.bind(text.clone()),
                $crate::clauses::Arg::Number(number) => query.bind(*number),
            };
        }
        query
    }};
}

impl Store {
    /// A page of the rows that fit. `select` ends before the condition; `order` has to name each row's
    /// place.
    pub(crate) async fn page_of<R: AnyRow, T: TryFrom<R, Error = StoreError>>(
        &self,
        select: &str,
        mut clauses: Clauses,
        order: &str,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<T>, StoreError> {
        let page = clauses.page(limit, offset);
        let sql = format!("{select} {} ORDER BY {order} {page}", clauses.sql);
        let rows = reading!(self, pool => {
            let query = sqlx::query_as::<_, R>(sqlx::AssertSqlSafe(sql));
            bound!(query, clauses.args).fetch_all(pool).await?
        });
        rows.into_iter().map(T::try_from).collect()
    }

    /// How many rows of a table or a join fit.
    pub(crate) async fn count_of(&self, from: &str, clauses: &Clauses) -> Result<i64, StoreError> {
        let sql = format!("SELECT COUNT(*) FROM {from} {}", clauses.sql);
        Ok(reading!(self, pool => {
            let query = sqlx::query_scalar::<_, i64>(sqlx::AssertSqlSafe(sql));
            bound!(query, clauses.args).fetch_one(pool).await?
        }))
    }
}
