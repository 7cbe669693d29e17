//! Opening a database, both pools, transactions, errors.

use crate::keys::Keyring;
use quaymaster_core::id::OrgId;
use quaymaster_core::{Code, Fault, Instant};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{FromRow, Postgres, Sqlite, Transaction};
use std::path::Path;
use std::str::FromStr;
use std::time::Duration;

pub(crate) enum Db {
    /// SQLite has one writer at a time, so waiting happens in a pool of one, not in the database.
    Sqlite {
        read: SqlitePool,
        write: SqlitePool,
    },
    Postgres(PgPool),
}

/// The database of one server, with the keys that seal what is in it.
pub struct Store {
    pub(crate) db: Db,
    pub(crate) keyring: Keyring,
}

/// A transaction. Dropping it without [`Tx::commit`] changes nothing.
pub struct Tx {
    pub(crate) inner: TxInner,
}

pub(crate) enum TxInner {
    Sqlite(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
}

/// A row as either database has it.
pub(crate) trait AnyRow:
    for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

impl<R> AnyRow for R where
    R: for<'r> FromRow<'r, SqliteRow> + for<'r> FromRow<'r, PgRow> + Send + Unpin
{
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// A value of ours that does not read back, for example an id.
    #[error("the database holds a value that is not valid: {0}")]
    Corrupt(String),
    #[error("{0}")]
    Key(#[from] crate::seal::KeyError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

/// A column of ours that holds JSON does not read back, or cannot be written.
impl From<serde_json::Error> for StoreError {
    fn from(error: serde_json::Error) -> Self {
        StoreError::Corrupt(error.to_string())
    }
}

impl StoreError {
    /// Whether a unique rule of the schema refused the change.
    pub fn is_duplicate(&self) -> bool {
        matches!(self, StoreError::Database(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

/// The cause goes to the log here, once; the reader learns only whether to try again.
impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        if matches!(&error, StoreError::Database(sqlx::Error::Database(db)) if has_nul(&**db)) {
            return Fault::new(
                Code::InvalidArg,
                "A text has a NUL character, which no text here can have.",
            )
            .hint("Take it out.");
        }
        tracing::error!(%error, "the store failed");
        match error {
            StoreError::Database(sqlx::Error::Database(db)) if disk_is_full(&*db) => {
                Fault::new(Code::InsufficientStorage, "The server's disk is full.")
                    .hint("Tell the operator; nothing was changed.")
            }
            StoreError::Database(
                sqlx::Error::Io(_)
                | sqlx::Error::PoolTimedOut
                | sqlx::Error::PoolClosed
                | sqlx::Error::Tls(_)
                | sqlx::Error::Protocol(_),
            ) => unavailable(),
            StoreError::Database(sqlx::Error::Database(db)) if is_passing(&*db) => unavailable(),
            _ => Fault::internal(),
        }
    }
}

/// PostgreSQL takes no U+0000 in a text (class 22021), also in one that is only looked for. `SQLite` does.
fn has_nul(error: &dyn sqlx::error::DatabaseError) -> bool {
    error.code().as_deref() == Some("22021")
}

fn unavailable() -> Fault {
    Fault::new(
        Code::Unavailable,
        "The database does not answer at the moment.",
    )
    .hint("Try again in a few seconds.")
}

fn disk_is_full(error: &dyn sqlx::error::DatabaseError) -> bool {
    // SQLITE_FULL is 13; PostgreSQL's class 53 code for a full disk is 53100.
    matches!(error.code().as_deref(), Some("13" | "53100"))
}

/// `SQLITE_BUSY` and `SQLITE_LOCKED` with their extensions; PostgreSQL that shuts down, starts up, or
/// gave a transaction up for another (classes 57P and 40).
fn is_passing(error: &dyn sqlx::error::DatabaseError) -> bool {
    let code = error.code().unwrap_or_default();
    let sqlite = code.parse::<u32>().ok().filter(|_| code.len() < 5);
    match sqlite {
        Some(extended) => matches!(extended & 0xff, 5 | 6),
        None => code.starts_with("57P") || code.starts_with("40"),
    }
}

/// Where the database is.
#[derive(Debug, Clone)]
pub enum Location<'a> {
    /// A SQLite file, made when it is not there.
    File(&'a Path),
    /// `postgres://…`
    Url(&'a str),
}

const WAIT_FOR_CONNECTION: Duration = Duration::from_secs(5);

impl Store {
    /// Opens the database, brings its schema up to date and unlocks its keys.
    ///
    /// # Errors
    /// A schema newer than this program, a wrong key, or a database out of reach.
    pub async fn open(
        location: Location<'_>,
        keys: crate::keys::KeySource,
    ) -> Result<Self, StoreError> {
        let db = match location {
            Location::File(path) => open_sqlite(path).await?,
            Location::Url(url) => open_postgres(url).await?,
        };
        let mut store = Store {
            db,
            keyring: Keyring::locked(keys),
        };
        store.unlock().await?;
        Ok(store)
    }

    pub fn kind(&self) -> &'static str {
        match self.db {
            Db::Sqlite { .. } => "SQLite",
            Db::Postgres(_) => "PostgreSQL",
        }
    }

    pub async fn begin(&self) -> Result<Tx, StoreError> {
        let inner = match &self.db {
            // IMMEDIATE takes the write lock now: a lock taken at the first write can fail when
            // another process wrote in between, and waiting does not help then.
            Db::Sqlite { write, .. } => TxInner::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Db::Postgres(pool) => TxInner::Postgres(pool.begin().await?),
        };
        Ok(Tx { inner })
    }

    /// The rows of a statement whose `$1` is an organization and whose `$2` names something of it.
    pub(crate) async fn rows_of<R: AnyRow, T: TryFrom<R, Error = StoreError>>(
        &self,
        sql: &'static str,
        org: &OrgId,
        named: &str,
    ) -> Result<Vec<T>, StoreError> {
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, R>(sql)
                .bind(org.as_str())
                .bind(named)
                .fetch_all(pool)
                .await?
        });
        rows.into_iter().map(T::try_from).collect()
    }

    /// The same, of at most one row.
    pub(crate) async fn row_of<R: AnyRow, T: TryFrom<R, Error = StoreError>>(
        &self,
        sql: &'static str,
        org: &OrgId,
        named: &str,
    ) -> Result<Option<T>, StoreError> {
        let row = reading!(self, pool => {
            sqlx::query_as::<_, R>(sql)
                .bind(org.as_str())
                .bind(named)
                .fetch_optional(pool)
                .await?
        });
        row.map(T::try_from).transpose()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<(), StoreError> {
        reading!(self, pool => { sqlx::query("SELECT 1").execute(pool).await?; });
        Ok(())
    }

    /// Writes a consistent copy of a SQLite database to `target`, which must not exist, while
    /// others go on. `false` on PostgreSQL, which has its own tools for that.
    pub async fn copy_to(&self, target: &Path) -> Result<bool, StoreError> {
        let Db::Sqlite { read, .. } = &self.db else {
            return Ok(false);
        };
        sqlx::query("VACUUM INTO $1")
            .bind(target.to_string_lossy())
            .execute(read)
            .await?;
        Ok(true)
    }

    /// Closes all connections; SQLite folds its write-ahead log back into the file.
    pub async fn close(&self) {
        match &self.db {
            Db::Sqlite { read, write } => {
                read.close().await;
                write.close().await;
            }
            Db::Postgres(pool) => pool.close().await,
        }
    }
}

impl Tx {
    /// Runs a statement whose `$1` is an organization and whose `$2` names one row of it: whether there
    /// was such a row.
    pub(crate) async fn of_one(
        &mut self,
        sql: &'static str,
        org: &OrgId,
        named: &str,
    ) -> Result<bool, StoreError> {
        let rows = within!(self, conn => {
            sqlx::query(sql)
                .bind(org.as_str())
                .bind(named)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(rows == 1)
    }

    /// Runs a statement that renews the lease of a row: `$1` is its id, `$2` the lease, `$3` until when.
    /// Whether it was still held.
    pub(crate) async fn renew_lease(
        mut self,
        sql: &'static str,
        (id, lease): (&str, &str),
        until: Instant,
    ) -> Result<bool, StoreError> {
        let rows = within!(self, conn => {
            sqlx::query(sql)
                .bind(id)
                .bind(lease)
                .bind(until.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        self.commit().await?;
        Ok(rows == 1)
    }

    pub async fn commit(self) -> Result<(), StoreError> {
        match self.inner {
            TxInner::Sqlite(tx) => tx.commit().await?,
            TxInner::Postgres(tx) => tx.commit().await?,
        }
        Ok(())
    }
}

async fn open_sqlite(path: &Path) -> Result<Db, StoreError> {
    let options = SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        // What was acknowledged must survive a power cut, not only a crash of the process.
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        // A thread of its own reads, and hands over so many rows before it waits for who takes them.
        .row_buffer_size(1_000)
        // No statistics: those of an hour when a table was nearly empty make SQLite read it whole when it is
        // large. Without them it takes the index that fits.
        .optimize_on_close(false, None);
    let write = SqlitePoolOptions::new()
        .max_connections(1)
        .acquire_timeout(WAIT_FOR_CONNECTION)
        .connect_with(options.clone())
        .await?;
    sqlx::migrate!("migrations/sqlite").run(&write).await?;
    let read = SqlitePoolOptions::new()
        .max_connections(4)
        .min_connections(1)
        .acquire_timeout(WAIT_FOR_CONNECTION)
        .connect_with(options.create_if_missing(false))
        .await?;
    Ok(Db::Sqlite { read, write })
}

async fn open_postgres(url: &str) -> Result<Db, StoreError> {
    let options = PgConnectOptions::from_str(url)?.application_name("quaymaster");
    let pool = PgPoolOptions::new()
        .max_connections(16)
        .min_connections(1)
        .acquire_timeout(WAIT_FOR_CONNECTION)
        .connect_with(options)
        .await?;
    sqlx::migrate!("migrations/postgres").run(&pool).await?;
    Ok(Db::Postgres(pool))
}

/// Reads one of our ids back.
pub(crate) fn id<T: FromStr>(text: &str) -> Result<T, StoreError>
where
    T::Err: std::fmt::Display,
{
    text.parse()
        .map_err(|error| StoreError::Corrupt(format!("{error}, found {text:?}")))
}

pub(crate) fn optional_id<T: FromStr>(text: Option<&str>) -> Result<Option<T>, StoreError>
where
    T::Err: std::fmt::Display,
{
    text.map(id).transpose()
}
