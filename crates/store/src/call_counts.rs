//! Calls counted by the hour and by the day, for charts.
//!
//! Counting everything by everything (tool by credential by account by duration) makes about as many
//! rows as there are calls: measured with a million calls of 60 tools and 80 credentials in a month,
//! 974,000 rows, and 4.5 seconds for a table of tools. So each kind of part is counted apart, durations
//! stand in columns, and what is shown by days is counted by days: some 20,000 rows for the same
//! month.

use crate::call::CallRow;
use crate::clauses::{Arg, Clauses};
use crate::db::{Store, StoreError, Tx, TxInner};
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, WorkspaceId};
use serde::Serialize;
use std::collections::BTreeMap;

const HOUR_MICROS: i64 = 3_600_000_000;
const HOURS_A_DAY: i64 = 24;
/// Of durations; the migration has a column for each.
pub const BUCKETS: usize = 24;
/// Doublings of a microsecond where the second bucket begins.
const FIRST_DOUBLINGS: u32 = 6;

/// Hours since 1970-01-01 in UTC.
pub fn hour_of(at: Instant) -> i64 {
    at.micros().div_euclid(HOUR_MICROS)
}

/// When an hour begins.
pub fn start_of(hour: i64) -> Instant {
    Instant::from_micros(hour.saturating_mul(HOUR_MICROS))
}

/// The bucket of a duration.
pub fn bucket_of(duration_us: i64) -> usize {
    let doublings = duration_us.max(1).cast_unsigned().ilog2();
    let bucket = usize::try_from(doublings.saturating_sub(FIRST_DOUBLINGS)).unwrap_or(0);
    bucket.min(BUCKETS - 1)
}

/// Where a bucket begins, in microseconds; it ends where the next one begins.
pub fn start_of_bucket(bucket: usize) -> u64 {
    match u32::try_from(bucket) {
        Ok(0) | Err(_) => 0,
        Ok(n) => 1_u64 << (n + FIRST_DOUBLINGS).min(62),
    }
}

/// What is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    All,
    Tool,
    Credential,
    /// As in [`CallRow::accounts`], with commas between; calls that used none are left out.
    Accounts,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Part::All => "all",
            Part::Tool => "tool",
            Part::Credential => "credential",
            Part::Accounts => "accounts",
        }
    }

    /// How a call counts to it; none when it does not.
    fn of(self, row: &CallRow) -> Option<&str> {
        match self {
            Part::All => Some(""),
            Part::Tool => Some(&row.tool),
            Part::Credential => Some(row.credential.as_str()),
            Part::Accounts => row.accounts.as_deref(),
        }
    }
}

/// Whose calls, and when.
#[derive(Debug, Clone)]
pub struct HourFilter {
    pub workspace: Option<WorkspaceId>,
    /// Only calls that counted to some workspace.
    pub is_of_workspaces: bool,
    pub from_hour: i64,
    /// Not this hour any more.
    pub to_hour: i64,
    /// The filter begins and ends with days, and what was counted by days will do.
    pub by_days: bool,
}

impl HourFilter {
    fn clauses(&self, org: &OrgId, part: Part) -> Clauses {
        let mut clauses = Clauses::of(org);
        let hours = if self.by_days { HOURS_A_DAY } else { 1 };
        clauses.number("hours =", Some(hours));
        clauses.text("part =", Some(part.name()), "");
        clauses.number("start_hour >=", Some(self.from_hour));
        clauses.number("start_hour <", Some(self.to_hour));
        let workspace = self.workspace.as_ref().map(WorkspaceId::as_str);
        clauses.text("workspace_id =", workspace, "");
        if self.is_of_workspaces {
            clauses.holds("workspace_id <> ''");
        }
        clauses
    }
}

/// Calls and how they went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Counts {
    pub calls: i64,
    pub errors: i64,
    /// By duration.
    pub buckets: [i64; BUCKETS],
}

impl Counts {
    pub fn add(&mut self, other: &Counts) {
        self.calls += other.calls;
        self.errors += other.errors;
        for (sum, one) in self.buckets.iter_mut().zip(other.buckets) {
            *sum += one;
        }
    }

    /// Counts one call.
    pub fn add_call(&mut self, duration_us: i64, failed: bool) {
        self.calls += 1;
        self.errors += i64::from(failed);
        self.buckets[bucket_of(duration_us)] += 1;
    }
}

/// A sum as it comes from the database.
#[derive(sqlx::FromRow)]
struct Summed<K> {
    key: K,
    calls: i64,
    errors: i64,
    /// With commas between.
    buckets: String,
}

impl<K> Summed<K> {
    fn read(self) -> Result<(K, Counts), StoreError> {
        let mut counts = Counts {
            calls: self.calls,
            errors: self.errors,
            buckets: [0; BUCKETS],
        };
        for (place, text) in counts.buckets.iter_mut().zip(self.buckets.split(',')) {
            *place = text
                .parse()
                .map_err(|_| StoreError::Corrupt(format!("a count {text:?}")))?;
        }
        Ok((self.key, counts))
    }
}

/// The sums of a group of rows.
fn sums() -> String {
    let buckets = (0..BUCKETS).map(|n| format!("CAST(SUM(b{n}) AS TEXT)"));
    format!(
        "CAST(SUM(calls) AS BIGINT) AS calls, CAST(SUM(errors) AS BIGINT) AS errors, {} AS buckets",
        buckets.collect::<Vec<_>>().join(" || ',' || ")
    )
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Key<'a> {
    org_id: &'a str,
    hours: i64,
    part: &'static str,
    start_hour: i64,
    workspace_id: &'a str,
    name: &'a str,
}

#[derive(Serialize)]
struct Packed<'a> {
    #[serde(flatten)]
    key: Key<'a>,
    #[serde(flatten)]
    counts: Counts,
}

const KEY: &str = "org_id, hours, part, start_hour, workspace_id, name";

/// The statement that adds counts, which come as JSON.
fn adding(inner: &TxInner) -> String {
    let each = |text: fn(usize) -> String| (0..BUCKETS).map(text).collect::<Vec<_>>().join(", ");
    let columns = each(|n| format!("b{n}"));
    let from = match inner {
        // An upsert behind a SELECT needs its WHERE here.
        TxInner::Sqlite(_) => format!(
            "SELECT value ->> 'org_id', value ->> 'hours', value ->> 'part', value ->> 'start_hour', \
             value ->> 'workspace_id', value ->> 'name', value ->> 'calls', value ->> 'errors', {} \
             FROM json_each($1) WHERE 1 = 1",
            each(|n| format!("value ->> '$.buckets[{n}]'"))
        ),
        TxInner::Postgres(_) => format!(
            "SELECT {KEY}, calls, errors, {} FROM jsonb_to_recordset($1::jsonb) AS r (org_id text, \
             hours bigint, part text, start_hour bigint, workspace_id text, name text, calls bigint, \
             errors bigint, buckets jsonb)",
            each(|n| format!("CAST(buckets ->> {n} AS BIGINT)"))
        ),
    };
    let sums = each(|n| format!("b{n} = call_counts.b{n} + excluded.b{n}"));
    format!(
        "INSERT INTO call_counts ({KEY}, calls, errors, {columns}) {from} ON CONFLICT ({KEY}) \
         DO UPDATE SET calls = call_counts.calls + excluded.calls, \
         errors = call_counts.errors + excluded.errors, {sums}"
    )
}

impl Tx {
    /// Counts a batch. Sorted by key, so that two nodes take the locks of rows in one order.
    pub(crate) async fn count_calls(&mut self, rows: &[CallRow]) -> Result<(), StoreError> {
        let mut counted: BTreeMap<Key<'_>, Counts> = BTreeMap::new();
        for row in rows {
            let hour = hour_of(row.started_at);
            for part in [Part::All, Part::Tool, Part::Credential, Part::Accounts] {
                let Some(name) = part.of(row) else { continue };
                for hours in [1, HOURS_A_DAY] {
                    let key = Key {
                        org_id: row.org.as_str(),
                        hours,
                        part: part.name(),
                        start_hour: hour - hour.rem_euclid(hours),
                        workspace_id: row.workspace.as_ref().map_or("", WorkspaceId::as_str),
                        name,
                    };
                    let counts = counted.entry(key).or_default();
                    counts.add_call(row.duration_us, row.failed());
                }
            }
        }
        let packed: Vec<_> = counted
            .into_iter()
            .map(|(key, counts)| Packed { key, counts })
            .collect();
        let batch = serde_json::to_string(&packed)?;
        let sql = adding(&self.inner);
        within!(self, conn => {
            sqlx::query(sqlx::AssertSqlSafe(sql)).bind(batch).execute(conn).await?;
        });
        Ok(())
    }
}

impl Store {
    /// Counts by slots of so many hours; the first one is 0 and begins with the filter.
    pub async fn calls_over_time(
        &self,
        org: &OrgId,
        filter: &HourFilter,
        slot_hours: i64,
    ) -> Result<Vec<(i64, Counts)>, StoreError> {
        let mut clauses = filter.clauses(org, Part::All);
        let first = clauses.args.len();
        clauses.args.push(Arg::Number(filter.from_hour));
        clauses.args.push(Arg::Number(slot_hours.max(1)));
        let sql = format!(
            "SELECT (start_hour - ${}) / ${} AS key, {} FROM call_counts {} GROUP BY 1",
            first + 1,
            first + 2,
            sums(),
            clauses.sql
        );
        let rows = reading!(self, pool => {
            let query = sqlx::query_as::<_, Summed<i64>>(sqlx::AssertSqlSafe(sql));
            bound!(query, clauses.args).fetch_all(pool).await?
        });
        rows.into_iter().map(Summed::read).collect()
    }

    /// Counts of the parts with the most calls, most called first.
    pub async fn calls_by(
        &self,
        org: &OrgId,
        filter: &HourFilter,
        part: Part,
        most: i64,
    ) -> Result<Vec<(String, Counts)>, StoreError> {
        let mut clauses = filter.clauses(org, part);
        clauses.args.push(Arg::Number(most));
        let sql = format!(
            "SELECT name AS key, {} FROM call_counts {} GROUP BY 1 ORDER BY SUM(calls) DESC, 1 LIMIT ${}",
            sums(),
            clauses.sql,
            clauses.args.len()
        );
        let rows = reading!(self, pool => {
            let query = sqlx::query_as::<_, Summed<String>>(sqlx::AssertSqlSafe(sql));
            bound!(query, clauses.args).fetch_all(pool).await?
        });
        rows.into_iter().map(Summed::read).collect()
    }

    /// Names of parts, most called first.
    pub async fn called(
        &self,
        org: &OrgId,
        filter: &HourFilter,
        part: Part,
        most: i64,
    ) -> Result<Vec<String>, StoreError> {
        let mut clauses = filter.clauses(org, part);
        clauses.args.push(Arg::Number(most));
        let sql = format!(
            "SELECT name FROM call_counts {} GROUP BY name ORDER BY SUM(calls) DESC, name LIMIT ${}",
            clauses.sql,
            clauses.args.len()
        );
        Ok(reading!(self, pool => {
            let query = sqlx::query_scalar::<_, String>(sqlx::AssertSqlSafe(sql));
            bound!(query, clauses.args).fetch_all(pool).await?
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_duration_lies_in_its_bucket() {
        let edges = (0..34).flat_map(|n| [(1_i64 << n) - 1, 1 << n, (1 << n) + 1]);
        for us in edges {
            let bucket = bucket_of(us);
            let is_last = bucket == BUCKETS - 1;
            let us = us.cast_unsigned();
            assert!(start_of_bucket(bucket) <= us, "{us}");
            assert!(is_last || us < start_of_bucket(bucket + 1), "{us}");
        }
    }

    #[test]
    fn an_hour_begins_where_it_is_counted() {
        let at = Instant::from_micros(1_700_000_000_000_000);
        let start = start_of(hour_of(at));
        assert!((0..3_600).contains(&at.seconds_since(start)));
        assert_eq!(hour_of(start), hour_of(at));
    }
}
