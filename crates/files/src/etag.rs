//! Etags, and a bounded memory of what scans found.
//!
//! A file is known by device, inode, size, mtime and ctime: whoever changes it changes one of
//! them, so a big file is read whole only once.

use crate::fault_of::fault_of;
use crate::home::Home;
use crate::jail::Meta;
use crate::text::{Facts, Scanner};
use encoding_rs::Encoding;
use quaymaster_core::{Clock, Code, Fault};
use serde_json::Value;
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex, PoisonError};

type Key = (u64, u64, u64, i128, i128, Option<&'static str>);

const ENTRIES: usize = 4096;
const BYTES: usize = 8 << 20;
/// Kernels stamp changes with a clock of this grain (a tick, 10 ms at most): a file changed less
/// than that ago could change again without showing it.
const GRAIN_MICROS: i64 = 20_000;

#[derive(Default)]
pub(crate) struct FactsCache {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    by_key: HashMap<Key, Arc<Facts>>,
    order: VecDeque<Key>,
    weight: usize,
}

fn key(meta: &Meta, forced: Option<&'static Encoding>) -> Key {
    let encoding = forced.map(Encoding::name);
    (
        meta.dev,
        meta.ino,
        meta.size,
        meta.mtime_ns,
        meta.ctime_ns,
        encoding,
    )
}

fn weight(facts: &Facts) -> usize {
    facts
        .text
        .as_ref()
        .map_or(0, crate::text::TextFacts::weight)
}

impl FactsCache {
    fn get(&self, key: &Key) -> Option<Arc<Facts>> {
        self.known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .by_key
            .get(key)
            .cloned()
    }

    fn put(&self, key: Key, facts: Arc<Facts>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.weight += weight(&facts);
        if let Some(old) = known.by_key.insert(key, facts) {
            known.weight -= weight(&old);
        } else {
            known.order.push_back(key);
        }
        while known.order.len() > ENTRIES || (known.weight > BYTES && known.order.len() > 1) {
            let Some(oldest) = known.order.pop_front() else {
                break;
            };
            if let Some(old) = known.by_key.remove(&oldest) {
                known.weight -= weight(&old);
            }
        }
    }

    /// Remembers what was computed while a file was written. `meta` is from after the rename.
    pub(crate) fn learn(&self, meta: &Meta, forced: Option<&'static Encoding>, facts: Arc<Facts>) {
        self.put(key(meta, forced), facts);
    }
}

impl Home {
    /// What one pass over an open file tells, from memory when it did not change since.
    pub(crate) fn facts(
        &self,
        file: &File,
        meta: &Meta,
        forced: Option<&'static Encoding>,
        path: &str,
    ) -> Result<Arc<Facts>, Fault> {
        let key = key(meta, forced);
        if let Some(facts) = self.facts.get(&key) {
            return Ok(facts);
        }
        let mut scanner = Scanner::new(forced);
        read_through(file, |chunk| {
            scanner.feed(chunk);
            Ok(())
        })
        .map_err(|error| fault_of(&error, path))?;
        let facts = Arc::new(scanner.finish());
        let settled = is_settled(&*self.clock, meta);
        if settled && facts.size == meta.size {
            self.facts.put(key, Arc::clone(&facts));
        }
        Ok(facts)
    }

    /// The etag, only if it is known without reading.
    pub(crate) fn known_etag(&self, meta: &Meta) -> Option<String> {
        self.facts
            .get(&key(meta, None))
            .map(|facts| facts.etag.clone())
    }
}

fn is_settled(clock: &dyn Clock, meta: &Meta) -> bool {
    let changed = (meta.ctime_ns / 1000) as i64;
    clock.now().micros().saturating_sub(changed) > GRAIN_MICROS
}

/// Reads a file from its start to its end in constant memory.
pub(crate) fn read_through(
    file: &File,
    mut each: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 256 * 1024];
    let mut at = 0;
    loop {
        match file.read_at(&mut buffer, at) {
            Ok(0) => return Ok(()),
            Ok(read) => {
                each(&buffer[..read])?;
                at += read as u64;
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// What `if_match` asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// `"*"`: the file must exist.
    Any,
    Exactly(String),
}

impl Wanted {
    pub(crate) fn parse(text: Option<&str>, pointer: &str) -> Result<Option<Wanted>, Fault> {
        let Some(text) = text else { return Ok(None) };
        let bare = text.trim().trim_matches('"');
        if bare == "*" {
            return Ok(Some(Wanted::Any));
        }
        let digest = bare.strip_prefix("sha256:").unwrap_or_default();
        if digest.len() == 64 && digest.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Ok(Some(Wanted::Exactly(bare.to_ascii_lowercase())));
        }
        Err(
            Fault::invalid_arg(pointer, "pattern", "That is not an etag.").hint(
                "Pass the `etag` of an earlier answer (`sha256:` and 64 hex digits), or `*`.",
            ),
        )
    }

    pub(crate) fn met_by(&self, current: Option<&str>) -> bool {
        match self {
            Wanted::Any => current.is_some(),
            Wanted::Exactly(etag) => current == Some(etag),
        }
    }
}

/// `PRECONDITION_FAILED` because of `if_match`.
pub(crate) fn stale(path: &str, current: Option<&str>) -> Fault {
    let message = match current {
        Some(_) => format!("{path} changed since it was read. Nothing was written."),
        None => format!("{path} does not exist, so no etag can match. Nothing was written."),
    };
    Fault::new(Code::PreconditionFailed, message)
        .hint("Read the file again and repeat the change on what it holds now.")
        .detail("current_etag", current.map_or(Value::Null, Value::from))
}
