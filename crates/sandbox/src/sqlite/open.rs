//! A database in memory: its bytes in, what a statement may use of the library, its bytes out.

use super::allowed::{self, Refused};
use super::{Failed, MAX_DATABASE, run};
use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::serialize::Data;
use std::fs::File;
use std::io::{self, Read, Write as _};
use std::time::Instant;

/// The first bytes of every database that has any (fileformat2 §1.3).
const MAGIC: &[u8] = b"SQLite format 3\0";
const HEADER: usize = 100;
/// The versions that are needed to write and to read it: 1, or 2 for a database with a write-ahead log.
const VERSIONS: std::ops::Range<usize> = 18..20;
const PAGE_SIZE: std::ops::Range<usize> = 16..18;
/// Of a database that has no page yet.
const USUAL_PAGE: u64 = 4096;

/// Before anything that a stranger wrote: what has to be read from the machine (random numbers, the time zone) is read, so
/// that nothing has to be opened later, and everything beside the database stays in memory.
const BEFORE: &str = "
  PRAGMA temp_store = MEMORY;
  PRAGMA cell_size_check = ON;
  PRAGMA trusted_schema = OFF;
  PRAGMA hard_heap_limit = 402653184;
  SELECT random(), datetime('now', 'localtime'), strftime('%s', 'now', 'utc');
";

/// Instructions of the library's machine between two looks at the time.
const LOOK: i32 = 1_000;

/// What is remembered of the bytes that came.
pub(super) struct Was {
    versions: [u8; 2],
    page: u64,
}

/// A connection to no database, in a process that is not locked yet.
pub(super) fn nothing() -> rusqlite::Result<Connection> {
    let database = Connection::open_in_memory()?;
    database.execute_batch(BEFORE)?;
    Ok(database)
}

/// Takes a database of that size from the server. One of no bytes is empty.
pub(super) fn read(database: &mut Connection, mut from: &File, size: u64) -> Result<Was, Failed> {
    let mut was = Was {
        versions: [1, 1],
        page: USUAL_PAGE,
    };
    if size == 0 {
        return Ok(was);
    }
    if size < HEADER as u64 || size > MAX_DATABASE {
        return Err(Failed::NoDatabase);
    }
    let mut header = [0; HEADER];
    from.read_exact(&mut header).map_err(|_| Failed::Crashed)?;
    if !header.starts_with(MAGIC) {
        return Err(Failed::NoDatabase);
    }
    was.versions.copy_from_slice(&header[VERSIONS]);
    was.page = match u16::from_be_bytes([header[PAGE_SIZE.start], header[PAGE_SIZE.start + 1]]) {
        1 => 65_536,
        page => u64::from(page),
    };
    if was.page < 512 {
        return Err(Failed::NoDatabase);
    }
    // Without its log, which is empty or not there, a database that had one is whole. In memory there is no place for
    // one; what came is put back into the bytes that go out.
    if was.versions == [2, 2] {
        header[VERSIONS].copy_from_slice(&[1, 1]);
    }
    let rest = from.take(size - HEADER as u64);
    database
        .deserialize_read_exact("main", header.as_slice().chain(rest), size as usize, false)
        .map_err(run::failed)?;
    Ok(was)
}

/// Takes away what no statement may do. To be called when the database is there: opening it is done by a statement of the
/// library's own.
pub(super) fn guard(
    database: &Connection,
    was: &Was,
    read_only: bool,
    deadline: Instant,
) -> Result<Refused, Failed> {
    let limits = [
        (Limit::SQLITE_LIMIT_LENGTH, MAX_DATABASE as i32),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 1_000_000),
        (Limit::SQLITE_LIMIT_COLUMN, 1_000),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 200),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 100),
        (Limit::SQLITE_LIMIT_VDBE_OP, 1_000_000),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 100),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 1_000),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 1_000),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 50),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
    ];
    let guarded = || -> rusqlite::Result<Refused> {
        for (limit, most) in limits {
            database.set_limit(limit, most)?;
        }
        for (config, on) in [
            (DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true),
            (DbConfig::SQLITE_DBCONFIG_WRITABLE_SCHEMA, false),
            (DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_FTS3_TOKENIZER, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_CREATE, false),
            (DbConfig::SQLITE_DBCONFIG_ENABLE_ATTACH_WRITE, false),
        ] {
            database.set_db_config(config, on)?;
        }
        database.progress_handler(LOOK, Some(move || Instant::now() >= deadline))?;
        let pages = MAX_DATABASE / was.page;
        database.execute_batch(&format!("PRAGMA max_page_count = {pages}"))?;
        if read_only {
            database.execute_batch("PRAGMA query_only = ON")?;
        }
        // The last one: it refuses what was done above.
        allowed::watch(database)
    };
    guarded().map_err(run::failed)
}

/// The database as bytes.
pub(super) fn image(database: &Connection) -> Result<Data<'_>, Failed> {
    // The library uses statements of its own for it.
    allowed::let_go(database).map_err(run::failed)?;
    let image = database.serialize("main").map_err(run::failed)?;
    if image.len() as u64 > MAX_DATABASE {
        return Err(Failed::Full);
    }
    Ok(image)
}

/// Gives it to the server, with the versions that it came with.
pub(super) fn send(mut to: &File, image: &[u8], was: &Was) -> io::Result<()> {
    let Some((header, rest)) = image.split_at_checked(HEADER) else {
        return to.write_all(image);
    };
    let mut header = header.to_vec();
    if was.versions == [2, 2] {
        header[VERSIONS].copy_from_slice(&was.versions);
    }
    to.write_all(&header)?;
    to.write_all(rest)
}
