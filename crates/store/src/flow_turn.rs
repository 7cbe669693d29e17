//! Whose run is next. A node has places for some runs, an organization and a flow may have so many under
//! way; a place goes to whichever organization has the fewest, so that deep queues hold up nobody else.
//!
//! A look costs as much as there are organizations that wait and places to fill, however many runs wait.

use crate::db::{Store, StoreError, Tx, TxInner};
use crate::flow_queue::LeasedRun;
use crate::flow_run::{Row, columns};
use quaymaster_core::Instant;
use std::collections::{HashMap, VecDeque};

/// How many due runs of an organization are looked at, one after the other while there is no room for
/// what was seen: what is too many of a flow holds up nobody behind it.
const PAGES: [i64; 3] = [64, 1_024, 16_384];
/// Looks of several nodes at one PostgreSQL come after each other, so that together they take no more
/// than there is room for. Any number that nothing else locks.
const TURN: i64 = 7_203_944_190_022_017;

/// What places are for, and how they are held.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    pub lease: &'a str,
    pub until: Instant,
    /// What an organization may have under way.
    pub of_one: i64,
    /// The places to fill.
    pub in_all: usize,
}

/// How many runs of each organization are under way, and of each flow, with how many it may have.
#[derive(Default)]
struct UnderWay {
    orgs: HashMap<String, i64>,
    flows: HashMap<String, (i64, i64)>,
}

impl UnderWay {
    fn of(&self, org: &str) -> i64 {
        self.orgs.get(org).copied().unwrap_or(0)
    }
}

impl Store {
    /// Takes runs that are due, of all organizations: for the node itself. Those whose lease ran out are
    /// due again. No organization has more under way than it may, and no flow.
    pub async fn lease_runs(
        &self,
        now: Instant,
        places: Places<'_>,
    ) -> Result<Vec<LeasedRun>, StoreError> {
        const LOST: &str =
            "SELECT COUNT(*) FROM flow_runs WHERE state = 'running' AND lease_until < $1";
        // Before the transaction, which keeps others from writing (SQLite).
        let under_way = self.under_way(now).await?;
        let orgs = self.who_waits(now).await?;
        let lost = reading!(self, pool => {
            sqlx::query_scalar::<_, i64>(LOST).bind(now.micros()).fetch_one(pool).await?
        });
        let has_room = orgs.iter().any(|org| under_way.of(org) < places.of_one);
        if !has_room && lost == 0 {
            return Ok(Vec::new());
        }
        let mut tx = self.begin().await?;
        tx.take_turn().await?;
        if lost > 0 {
            tx.find_lost_runs(now).await?;
        }
        let due = tx.runs_to_take(now, places).await?;
        let mut rows = Vec::with_capacity(due.len());
        for run in &due {
            rows.extend(tx.lease_run(run, now, places).await?);
        }
        tx.commit().await?;
        rows.into_iter()
            .map(|row| {
                Ok(LeasedRun {
                    run: row.try_into()?,
                    lease: places.lease.to_owned(),
                })
            })
            .collect()
    }

    async fn under_way(&self, now: Instant) -> Result<UnderWay, StoreError> {
        Ok(reading!(self, pool => {
            let rows = sqlx::query_as(UNDER_WAY).bind(now.micros()).fetch_all(pool).await?;
            UnderWay::of_rows(rows)
        }))
    }

    /// The organizations that have something due, the longest due first.
    async fn who_waits(&self, now: Instant) -> Result<Vec<String>, StoreError> {
        Ok(reading!(self, pool => {
            sqlx::query_scalar(WHO_WAITS).bind(now.micros()).fetch_all(pool).await?
        }))
    }
}

const UNDER_WAY: &str = "SELECT org_id, flow_id, COUNT(*), MIN(at_once) FROM flow_runs \
     WHERE state = 'running' AND lease_until >= $1 GROUP BY org_id, flow_id";

/// From one organization to the next along the index, not over all that waits.
const WHO_WAITS: &str = "WITH RECURSIVE waiting (org) AS ( \
       SELECT (SELECT org_id FROM flow_runs WHERE state = 'ready' ORDER BY org_id LIMIT 1) \
       UNION ALL \
       SELECT (SELECT org_id FROM flow_runs WHERE state = 'ready' AND org_id > waiting.org ORDER BY org_id LIMIT 1) \
       FROM waiting WHERE waiting.org IS NOT NULL) \
     SELECT org FROM (SELECT org, (SELECT next_at FROM flow_runs WHERE state = 'ready' AND org_id = waiting.org \
       ORDER BY next_at LIMIT 1) AS first FROM waiting WHERE org IS NOT NULL) firsts \
     WHERE first <= $1 ORDER BY first, org";

impl UnderWay {
    fn of_rows(rows: Vec<(String, String, i64, i64)>) -> Self {
        let mut under_way = UnderWay::default();
        for (org, flow, count, at_once) in rows {
            *under_way.orgs.entry(org).or_default() += count;
            under_way.flows.insert(flow, (count, at_once));
        }
        under_way
    }
}

impl Tx {
    async fn take_turn(&mut self) -> Result<(), StoreError> {
        if let TxInner::Postgres(tx) = &mut self.inner {
            sqlx::query("SELECT pg_advisory_xact_lock($1)")
                .bind(TURN)
                .execute(&mut **tx)
                .await?;
        }
        Ok(())
    }

    /// Puts those whose lease ran out back among what waits.
    async fn find_lost_runs(&mut self, now: Instant) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE flow_runs SET state = 'ready', lease = NULL, lease_until = NULL \
             WHERE state = 'running' AND lease_until < $1";
        within!(self, conn => {
            sqlx::query(SQL).bind(now.micros()).execute(conn).await?;
        });
        Ok(())
    }

    async fn runs_to_take(
        &mut self,
        now: Instant,
        places: Places<'_>,
    ) -> Result<Vec<String>, StoreError> {
        // Again, now that it is our turn.
        let (mut under_way, mut orgs) = within!(self, conn => {
            let rows = sqlx::query_as(UNDER_WAY).bind(now.micros()).fetch_all(&mut *conn).await?;
            let orgs: Vec<String> =
                sqlx::query_scalar(WHO_WAITS).bind(now.micros()).fetch_all(&mut *conn).await?;
            (UnderWay::of_rows(rows), orgs)
        });
        orgs.retain(|org| under_way.of(org) < places.of_one);
        orgs.sort_by_key(|org| under_way.of(org));
        orgs.truncate(places.in_all);
        let mut waiting = Vec::with_capacity(orgs.len());
        for org in orgs {
            let room = usize::try_from(places.of_one - under_way.of(&org)).unwrap_or(0);
            let most = room.min(places.in_all);
            let due = self.due_runs(&org, now, most, &mut under_way.flows).await?;
            waiting.push((org, due));
        }
        let mut taken = Vec::new();
        while taken.len() < places.in_all {
            let next = waiting
                .iter_mut()
                .filter(|(_, due)| !due.is_empty())
                .min_by_key(|(org, _)| under_way.of(org));
            let Some((org, due)) = next else {
                break;
            };
            taken.extend(due.pop_front());
            *under_way.orgs.entry(org.clone()).or_default() += 1;
        }
        Ok(taken)
    }

    /// At most so many due runs of an organization whose flows have room, the longest due first. They
    /// count as under way from here on.
    async fn due_runs(
        &mut self,
        org: &str,
        now: Instant,
        most: usize,
        flows: &mut HashMap<String, (i64, i64)>,
    ) -> Result<VecDeque<String>, StoreError> {
        const SQL: &str = "SELECT id, flow_id, at_once, next_at FROM flow_runs \
             WHERE state = 'ready' AND org_id = $1 AND next_at <= $2 AND (next_at, id) > ($3, $4) \
             AND flow_id NOT IN (SELECT flow_id FROM flow_runs WHERE state = 'running' AND org_id = $1 \
               AND lease_until >= $2 GROUP BY flow_id HAVING COUNT(*) >= MIN(at_once)) \
             ORDER BY next_at, id LIMIT $5";
        let mut found = VecDeque::new();
        let mut behind = (i64::MIN, String::new());
        for page in PAGES {
            let rows = within!(self, conn => {
                sqlx::query_as::<_, (String, String, i64, i64)>(SQL)
                    .bind(org)
                    .bind(now.micros())
                    .bind(behind.0)
                    .bind(&behind.1)
                    .bind(page)
                    .fetch_all(conn)
                    .await?
            });
            let is_last = (rows.len() as i64) < page;
            for (id, flow, at_once, next_at) in rows {
                behind = (next_at, id.clone());
                let (of_flow, may) = flows.entry(flow).or_insert((0, at_once));
                *may = at_once.min(*may);
                if found.len() < most && *of_flow < *may {
                    *of_flow += 1;
                    found.push_back(id);
                }
            }
            if is_last || found.len() >= most {
                break;
            }
        }
        Ok(found)
    }

    /// None when it was cancelled meanwhile.
    async fn lease_run(
        &mut self,
        run: &str,
        now: Instant,
        places: Places<'_>,
    ) -> Result<Option<Row>, StoreError> {
        const SQL: &str = concat!(
            "UPDATE flow_runs SET state = 'running', lease = $2, lease_until = $4, attempts = attempts + 1, \
             begun_at = COALESCE(begun_at, $3) WHERE id = $1 AND state = 'ready' AND next_at <= $3 RETURNING ",
            columns!()
        );
        Ok(within!(self, conn => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(run)
                .bind(places.lease)
                .bind(now.micros())
                .bind(places.until.micros())
                .fetch_optional(conn)
                .await?
        }))
    }
}
