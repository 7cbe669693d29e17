//! The connectors that an organization has: those of everybody (in the program, and of the
//! operator's directory), and its own.
//!
//! Its own are written by its administrators, whom the operator need not trust: they are seen by
//! no other organization, read on a thread of their own, and few at a time are kept in memory. One
//! signs requests only with accounts that were connected for the place to which it sends them, so
//! that neither a replaced definition nor one that takes a key over leads secrets elsewhere.

mod destination;

use crate::App;
use crate::admit::{fresh, last};
use crate::connectors::with_close;
pub(crate) use destination::destinations;
use quaymaster_connectors::catalog::{Catalog, Entry};
use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::load;
use quaymaster_connectors::request::Prepared;
use quaymaster_core::id::{DefinitionId, OrgId};
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::{Code, Fault};
use quaymaster_store::definition::OwnDefinition;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::Semaphore;

/// YAML of organizations' own definitions whose parsed form is kept, of all together.
const MOST_KEPT: usize = 64 << 20;
/// Own definitions that are read at the same time.
const READ_AT_ONCE: usize = 2;

/// The connectors of one organization.
pub(crate) struct OrgCatalog {
    shared: Arc<Catalog>,
    own: Arc<[Own]>,
}

/// One of an organization's own definitions, not yet read.
#[derive(Clone)]
pub(crate) struct Own {
    pub(crate) row: OwnDefinition,
    pub(crate) entry: Entry,
}

impl OrgCatalog {
    /// All connectors, sorted by key.
    pub(crate) fn entries(&self) -> Vec<&Entry> {
        let shared = self.shared.entries().iter();
        let shared = shared.filter(|entry| self.own(&entry.key).is_none());
        let own = self.own.iter().map(|own| &own.entry);
        let mut all: Vec<&Entry> = shared.chain(own).collect();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all
    }

    /// In no order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let shared = self.shared.entries().iter();
        let shared = shared.filter(|entry| self.own(&entry.key).is_none());
        let own = self.own.iter().map(|own| &own.entry);
        shared.chain(own).map(|entry| entry.key.as_str())
    }

    /// The organization's own ones, by key.
    pub(crate) fn own_ones(&self) -> &[Own] {
        &self.own
    }

    pub(crate) fn own(&self, key: &str) -> Option<&Own> {
        let at = self
            .own
            .binary_search_by(|own| own.row.key.as_str().cmp(key));
        at.ok().map(|at| &self.own[at])
    }
}

/// A connector made ready for calls.
#[derive(Clone)]
pub(crate) struct Usable {
    pub(crate) prepared: Arc<Prepared>,
    /// Of an organization's own definition: where it sends credentials, by way to sign in.
    destinations: Option<Arc<HashMap<String, String>>>,
}

impl Usable {
    pub(crate) fn definition(&self) -> &Arc<Definition> {
        self.prepared.definition()
    }

    /// Where it sends the credentials of a way to sign in; none for a connector of everybody.
    pub(crate) fn destination(&self, auth: &str) -> Option<&str> {
        let destinations = self.destinations.as_ref()?;
        destinations.get(auth).map(String::as_str)
    }

    /// Whether the credentials of an account were given for the place to which this sends them.
    /// `auth` and `destination` are those of the connection.
    pub(crate) fn may_sign(&self, auth: &str, destination: Option<&str>) -> bool {
        self.destination(auth) == destination
    }
}

/// Definitions made ready for calls.
pub(crate) struct Ready {
    shared: Mutex<HashMap<String, Arc<Prepared>>>,
    own: Mutex<Kept>,
    reading: Semaphore,
    /// Definitions that are being checked, and documents that are being imported.
    pub(crate) checking: Semaphore,
    pub(crate) importing: Semaphore,
}

/// Own definitions that were read; those that were not used for longest are forgotten first.
#[derive(Default)]
struct Kept {
    read: HashMap<DefinitionId, Read>,
    bytes: usize,
    /// Counts uses.
    uses: u64,
}

struct Read {
    revision: i64,
    bytes: usize,
    used: u64,
    usable: Usable,
}

impl Default for Ready {
    fn default() -> Self {
        Ready {
            shared: Mutex::default(),
            own: Mutex::default(),
            reading: Semaphore::new(READ_AT_ONCE),
            checking: Semaphore::new(READ_AT_ONCE),
            importing: Semaphore::new(1),
        }
    }
}

impl Kept {
    fn get(&mut self, id: &DefinitionId, revision: i64) -> Option<Usable> {
        self.uses += 1;
        let read = self.read.get_mut(id)?;
        read.used = self.uses;
        (read.revision == revision).then(|| read.usable.clone())
    }

    fn put(&mut self, id: DefinitionId, read: Read) {
        self.bytes += read.bytes;
        if let Some(before) = self.read.insert(id, read) {
            self.bytes -= before.bytes;
        }
        while self.bytes > MOST_KEPT && self.read.len() > 1 {
            let oldest = self.read.iter().min_by_key(|(_, read)| read.used);
            let Some(oldest) = oldest.map(|(id, _)| id.clone()) else {
                return;
            };
            if let Some(gone) = self.read.remove(&oldest) {
                self.bytes -= gone.bytes;
            }
        }
    }
}

impl App {
    /// The connectors of an organization, believed for half a second.
    pub(crate) async fn catalog_of(&self, org: &OrgId) -> Result<OrgCatalog, Fault> {
        Ok(OrgCatalog {
            shared: self.catalog.clone(),
            own: self.own_definitions(org).await?,
        })
    }

    async fn own_definitions(&self, org: &OrgId) -> Result<Arc<[Own]>, Fault> {
        let map = &self.callers.definitions;
        if let Some(known) = fresh(map, org) {
            return Ok(known);
        }
        let before = self.callers.generation();
        let now = self.store.definition_revisions(org).await?;
        let same = last(map, org).filter(|known: &Arc<[Own]>| {
            let known = known.iter().map(|own| (&own.row.id, own.row.revision));
            known.eq(now.iter().map(|(id, revision)| (id, *revision)))
        });
        let own = match same {
            Some(same) => same,
            None if now.is_empty() => Arc::default(),
            None => self.read_own_definitions(org).await?,
        };
        self.callers.remember(map, before, org.clone(), own.clone());
        Ok(own)
    }

    async fn read_own_definitions(&self, org: &OrgId) -> Result<Arc<[Own]>, Fault> {
        let rows = self.store.definitions(org).await?;
        let mut own: Vec<Own> = Vec::with_capacity(rows.len());
        for row in rows {
            match serde_json::from_str(&row.entry) {
                Ok(entry) => own.push(Own { row, entry }),
                Err(error) => {
                    tracing::error!(%error, definition = %row.id, "unreadable entry of a definition");
                }
            }
        }
        // Databases sort by rules of their own.
        own.sort_by(|a, b| a.row.key.cmp(&b.row.key));
        Ok(own.into())
    }

    /// The definition of a connector of an organization.
    pub(crate) async fn definition(
        &self,
        org: &OrgId,
        key: &str,
    ) -> Result<Arc<Definition>, Fault> {
        Ok(self.usable(org, key).await?.definition().clone())
    }

    /// A connector of an organization, made ready for calls on first use, with what says which
    /// accounts it may sign with.
    pub(crate) async fn usable(&self, org: &OrgId, key: &str) -> Result<Usable, Fault> {
        // A definition that was replaced while it was looked for is looked for once more.
        for _ in 0..2 {
            let catalog = self.catalog_of(org).await?;
            let Some(own) = catalog.own(key) else {
                return self.shared_usable(key).map_err(|fault| {
                    let close = did_you_mean(key, catalog.keys(), 3);
                    with_close(fault, &close)
                });
            };
            if let Some(usable) = self.own_usable(own).await? {
                return Ok(usable);
            }
            self.callers.forget_definitions(org);
        }
        Err(unknown(key))
    }

    fn shared_usable(&self, key: &str) -> Result<Usable, Fault> {
        let usable = |prepared| Usable {
            prepared,
            destinations: None,
        };
        let ready = &self.ready.shared;
        let known = ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = known.get(key) {
            return Ok(usable(prepared.clone()));
        }
        drop(known);
        // Made outside the lock: a large definition takes a while.
        let definition = self.catalog.get(key).ok_or_else(|| unknown(key))?;
        let prepared = Arc::new(Prepared::new(definition));
        let mut known = ready.lock().unwrap_or_else(PoisonError::into_inner);
        let prepared = known.entry(key.to_owned()).or_insert(prepared);
        Ok(usable(prepared.clone()))
    }

    /// `None` when the definition was replaced or deleted meanwhile.
    async fn own_usable(&self, own: &Own) -> Result<Option<Usable>, Fault> {
        let row = &own.row;
        let kept = || {
            let kept = self.ready.own.lock();
            let mut kept = kept.unwrap_or_else(PoisonError::into_inner);
            kept.get(&row.id, row.revision)
        };
        if let Some(usable) = kept() {
            return Ok(Some(usable));
        }
        let permit = self.ready.reading.acquire().await;
        let _permit = permit.map_err(|_| Fault::internal())?;
        if let Some(usable) = kept() {
            return Ok(Some(usable));
        }
        let source = self
            .store
            .definition_source(&row.org, &row.id, row.revision)
            .await?;
        let Some(source) = source else {
            return Ok(None);
        };
        let bytes = source.len();
        let version = own.entry.version.clone();
        let read = tokio::task::spawn_blocking(move || read(&source, version)).await;
        let usable = read.map_err(|error| {
            tracing::error!(%error, "a definition was not read");
            Fault::internal()
        })?;
        let usable = usable.map_err(|problem| {
            tracing::error!(definition = %row.id, problem, "unusable definition");
            Fault::new(
                Code::UnknownService,
                format!("The definition of {:?} cannot be used: {problem}", row.key),
            )
            .hint("An administrator mends it at \"Your connectors\".")
        })?;
        let read = Read {
            revision: row.revision,
            bytes,
            used: 0,
            usable: usable.clone(),
        };
        let mut kept = self
            .ready
            .own
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        kept.put(row.id.clone(), read);
        let _ = kept.get(&row.id, row.revision);
        Ok(Some(usable))
    }
}

/// A stored definition, which was checked when it came in.
fn read(source: &str, version: String) -> Result<Usable, String> {
    let mut definition = load::parse(source, "").map_err(|problems| {
        let first = problems.first().map(ToString::to_string);
        first.unwrap_or_else(|| "it does not read.".to_owned())
    })?;
    definition.version = version;
    let destinations = destinations(&definition);
    Ok(Usable {
        prepared: Arc::new(Prepared::new(Arc::new(definition))),
        destinations: Some(Arc::new(destinations)),
    })
}

pub(crate) fn unknown(key: &str) -> Fault {
    let shown = quaymaster_core::schema::shorten(key);
    Fault::new(
        Code::UnknownService,
        format!("There is no connector {shown:?}."),
    )
}
