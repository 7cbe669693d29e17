//! An organization's own definitions of connectors: written, checked, imported, replaced, deleted.
//!
//! One that is taken in keeps every rule of the format, has a key and variables that no other
//! connector has, and says another version whenever its text is another, so that nobody keeps an
//! old passport. Accounts do not follow a definition that leads their credentials elsewhere.

mod faults;
mod import;

pub use import::{Document, Imported, ImportedAs};
pub use quaymaster_connectors::import::{Operation, Outcome, Report};
pub use quaymaster_connectors::load::MOST_BYTES;

use crate::actor::{Actor, Admin};
use crate::catalog::{Own, destinations};
use crate::invoke::MOVED;
use crate::problems::Problem;
use crate::{App, wired};
use faults::{no_such, taken, wrong};
use quaymaster_connectors::catalog::Entry;
use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::load::{self, Text};
use quaymaster_core::id::DefinitionId;
use quaymaster_core::{Code, Fault, Instant, hex};
use quaymaster_store::Tx;
use quaymaster_store::definition::OwnDefinition;
use serde_json::json;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Of one organization.
const MOST: usize = 200;
/// Parts of addresses of ours, where the key of a definition stands too.
const RESERVED: [&str; 4] = ["check", "import", "new", "own"];
/// How long somebody waits until others are done.
const PATIENCE: Duration = Duration::from_secs(20);

/// One of an organization's own definitions.
#[derive(Debug, Clone)]
pub struct OwnConnector {
    pub key: String,
    pub title: String,
    pub summary: String,
    /// With a digest of the text behind a `+`.
    pub version: String,
    /// Counts replacements, from 1.
    pub revision: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// How many accounts the organization has.
    pub accounts: usize,
    /// How many of them do not work.
    pub broken: usize,
}

/// What a definition that keeps all rules has.
#[derive(Debug, Clone)]
pub struct Fine {
    pub key: String,
    pub title: String,
    pub modules: usize,
    pub actions: usize,
}

/// What became of a definition that was replaced.
#[derive(Debug, Clone)]
pub struct Replaced {
    pub connector: OwnConnector,
    /// Accounts that stopped, because their credentials would go elsewhere.
    pub stopped: Vec<String>,
}

/// A definition that keeps all rules, with what is stored of it.
struct Checked {
    source: String,
    entry: Entry,
    /// The variable of each field, for the place of a problem.
    env: Vec<(String, String)>,
    fine: Fine,
    destinations: HashMap<String, String>,
}

impl App {
    /// The organization's own connectors, by key.
    pub async fn own_connectors(&self, actor: &Actor) -> Result<Vec<OwnConnector>, Fault> {
        let catalog = self.catalog_of(&actor.org).await?;
        let counts = self.connection_counts(actor).await?;
        let row = |own: &Own| {
            let counted = counts.get(&own.row.key).copied().unwrap_or_default();
            OwnConnector {
                accounts: counted.all,
                broken: counted.broken,
                ..of(&own.row, &own.entry)
            }
        };
        Ok(catalog.own_ones().iter().map(row).collect())
    }

    /// One of them with its text.
    pub async fn own_connector(
        &self,
        admin: &Admin,
        key: &str,
    ) -> Result<(OwnConnector, String), Fault> {
        let all = self.own_connectors(admin).await?;
        let found = all.into_iter().find(|one| one.key == key);
        let found = found.ok_or_else(|| no_such(key))?;
        let row = self.store.definition(&admin.org, key).await?;
        let row = row.ok_or_else(|| no_such(key))?;
        let source = self
            .store
            .definition_source(&admin.org, &row.id, row.revision)
            .await?;
        Ok((found, source.ok_or_else(|| no_such(key))?))
    }

    /// Says everything that is wrong with a definition and keeps nothing. `replacing` is the key of
    /// the one that it shall replace.
    pub async fn check_definition(
        &self,
        admin: &Admin,
        source: String,
        replacing: Option<&str>,
    ) -> Result<Result<Fine, Vec<Problem>>, Fault> {
        let checked = match self.check_source(source).await? {
            Ok(checked) => checked,
            Err(problems) => return Ok(Err(problems)),
        };
        let catalog = self.catalog_of(&admin.org).await?;
        let own = catalog.own_ones().iter();
        let own: Vec<&Entry> = own.map(|own| &own.entry).collect();
        let problems = foreign(&checked, &self.shared_entries(), &own, replacing);
        Ok(if problems.is_empty() {
            Ok(checked.fine)
        } else {
            Err(problems)
        })
    }

    pub async fn add_definition(
        &self,
        admin: &Admin,
        source: String,
    ) -> Result<OwnConnector, Fault> {
        let checked = self
            .check_source(source)
            .await?
            .map_err(|found| wrong(&found))?;
        let now = self.now();
        let row = OwnDefinition {
            id: DefinitionId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            key: checked.fine.key.clone(),
            entry: text_of(&checked.entry)?,
            revision: 1,
            user: admin.user.clone(),
            created_at: now,
            updated_at: now,
        };
        let mut tx = self.store.begin().await?;
        tx.lock_organization(&admin.org).await?;
        let others = self.no_stranger(&mut tx, admin, &checked, None).await?;
        if others >= MOST {
            return Err(Fault::new(
                Code::QuotaExceeded,
                format!("The organization has {MOST} connectors of its own, and no more fit."),
            )
            .hint("Delete one that nobody uses."));
        }
        tx.add_definition(&row, &checked.source)
            .await
            .map_err(|error| wired::duplicate_or(error, || taken(&row.key)))?;
        let details = json!({ "connector": row.key, "title": checked.fine.title });
        let event = self.event(&admin.org, &admin.label, "definition.created", details);
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(of(&row, &checked.entry))
    }

    /// Puts another text in the place of a definition. The key stays. Accounts whose credentials
    /// would go elsewhere stop until somebody connects them again.
    pub async fn replace_definition(
        &self,
        admin: &Admin,
        key: &str,
        source: String,
    ) -> Result<Replaced, Fault> {
        let checked = self
            .check_source(source)
            .await?
            .map_err(|found| wrong(&found))?;
        let was = self.store.definition(&admin.org, key).await?;
        let was = was.ok_or_else(|| no_such(key))?;
        let entry = text_of(&checked.entry)?;
        let mut tx = self.store.begin().await?;
        tx.lock_organization(&admin.org).await?;
        self.no_stranger(&mut tx, admin, &checked, Some(key))
            .await?;
        let now = self.now();
        let replaced = tx
            .replace_definition(&was, &checked.source, &entry, &admin.user, now)
            .await?;
        if !replaced {
            return Err(Fault::new(
                Code::PreconditionFailed,
                "Somebody else has changed the definition meanwhile.",
            )
            .hint("Read it again, and change it as it is now."));
        }
        let mut stopped = Vec::new();
        for connection in tx.connections_of(&admin.org, key).await? {
            let leads_to = checked.destinations.get(&connection.auth);
            let stays = leads_to == connection.destination.as_ref();
            // A try meanwhile wrote down what to do about it as well.
            let was_moved = connection.problem.as_deref();
            let was_moved = was_moved.is_some_and(|problem| problem.starts_with(MOVED));
            let problem = match (stays, was_moved) {
                (false, false) => {
                    stopped.push(connection.name.clone());
                    Some(MOVED)
                }
                // Back where it was.
                (true, true) => None,
                (false, true) | (true, false) => continue,
            };
            tx.set_connection_problem(&admin.org, &connection.id, problem)
                .await?;
        }
        let details = json!({
            "connector": key,
            "title": checked.fine.title,
            "revision": was.revision + 1,
            "stopped": stopped,
        });
        let event = self.event(&admin.org, &admin.label, "definition.replaced", details);
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        let all = self.own_connectors(admin).await?;
        let connector = all.into_iter().find(|one| one.key == key);
        Ok(Replaced {
            connector: connector.ok_or_else(|| no_such(key))?,
            stopped,
        })
    }

    /// Deletes a definition, and its accounts when they shall go with it. How many accounts did.
    pub async fn delete_definition(
        &self,
        admin: &Admin,
        key: &str,
        with_accounts: bool,
    ) -> Result<usize, Fault> {
        let mut tx = self.store.begin().await?;
        tx.lock_organization(&admin.org).await?;
        let accounts = tx.connections_of(&admin.org, key).await?;
        if !tx.delete_definition(&admin.org, key).await? {
            return Err(no_such(key));
        }
        if !accounts.is_empty() && !with_accounts {
            let names: Vec<&str> = accounts.iter().map(|one| one.name.as_str()).collect();
            return Err(Fault::invalid_arg(
                "/withAccounts",
                "const",
                format!("Accounts of it are connected: {}.", names.join(", ")),
            )
            .hint("Disconnect them first, or say that they shall go with it."));
        }
        for account in &accounts {
            tx.delete_connection(&admin.org, &account.id).await?;
            let details = json!({
                "connection": account.id,
                "connector": account.connector,
                "name": account.name,
            });
            let event = self.event(&admin.org, &admin.label, "connection.deleted", details);
            tx.record(&event).await?;
        }
        let details = json!({ "connector": key, "accounts": accounts.len() });
        let event = self.event(&admin.org, &admin.label, "definition.deleted", details);
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        for account in &accounts {
            let (app, id) = (self.clone(), account.id.clone());
            self.tasks
                .spawn(async move { app.sender.end_session(id.as_str()).await });
        }
        Ok(accounts.len())
    }

    /// The rules of the format, on a thread that may block: a large one takes a while.
    async fn check_source(&self, source: String) -> Result<Result<Checked, Vec<Problem>>, Fault> {
        let _permit = a_place(&self.ready.checking).await?;
        let checked = tokio::task::spawn_blocking(move || check(source)).await;
        checked.map_err(|error| {
            tracing::error!(%error, "a definition was not checked");
            Fault::internal()
        })
    }

    fn shared_entries(&self) -> Vec<&Entry> {
        self.catalog.entries().iter().collect()
    }

    /// Refuses a definition that would take something from another one, as they are in this very
    /// transaction. How many the organization has.
    async fn no_stranger(
        &self,
        tx: &mut Tx,
        admin: &Admin,
        checked: &Checked,
        replacing: Option<&str>,
    ) -> Result<usize, Fault> {
        let own = tx.definition_entries(&admin.org).await?;
        let entries = own.iter();
        let entries = entries.filter_map(|(_, entry)| serde_json::from_str::<Entry>(entry).ok());
        let entries: Vec<Entry> = entries.collect();
        let others: Vec<&Entry> = entries.iter().collect();
        let shared = self.shared_entries();
        let key = &checked.fine.key;
        let is_taken =
            shared.iter().any(|entry| entry.key == *key) || own.iter().any(|(own, _)| own == key);
        if replacing.is_none() && is_taken {
            return Err(taken(key));
        }
        let problems = foreign(checked, &shared, &others, replacing);
        if problems.is_empty() {
            Ok(own.len())
        } else {
            Err(wrong(&problems))
        }
    }
}

/// A place among those who work at the same time.
async fn a_place(places: &Semaphore) -> Result<SemaphorePermit<'_>, Fault> {
    let permit = tokio::time::timeout(PATIENCE, places.acquire()).await;
    match permit {
        Ok(Ok(permit)) => Ok(permit),
        Ok(Err(_)) => Err(Fault::internal()),
        Err(_) => Err(
            Fault::new(Code::Unavailable, "Other definitions are being worked on.")
                .hint("Try again in a minute."),
        ),
    }
}

fn check(source: String) -> Result<Checked, Vec<Problem>> {
    let definition = load::load(&source, "")?;
    Ok(checked(source, &definition))
}

fn checked(source: String, definition: &Definition) -> Checked {
    let digest: [u8; 32] = Sha256::digest(&source).into();
    let mut entry = Entry::of(definition);
    entry.version = format!("{}+{}", definition.version, &hex(&digest)[..8]);
    let modules = definition.modules.values();
    let env = definition.env.iter();
    Checked {
        destinations: destinations(definition),
        env: env
            .map(|(field, variable)| (field.clone(), variable.clone()))
            .collect(),
        fine: Fine {
            key: definition.key.clone(),
            title: definition.title.clone(),
            modules: definition.modules.len(),
            actions: modules.map(|module| module.actions.len()).sum(),
        },
        entry,
        source,
    }
}

/// What a definition would take from others. `own` are all of the organization.
fn foreign(
    checked: &Checked,
    shared: &[&Entry],
    own: &[&Entry],
    replacing: Option<&str>,
) -> Vec<Problem> {
    let key = checked.fine.key.as_str();
    let text = Text::new(&checked.source, "");
    let at = |path: &[&str], message: String| text.problem_at(path, message);
    let mut problems = Vec::new();
    if let Some(replacing) = replacing {
        if key != replacing {
            let message = format!(
                "A key never changes. Write `key: {replacing}`, or add it as another connector."
            );
            problems.push(at(&["key"], message));
        }
    } else if RESERVED.contains(&key) {
        let message = format!("{key:?} is a word of this server. Choose another key.");
        problems.push(at(&["key"], message));
    } else if shared.iter().chain(own).any(|entry| entry.key == key) {
        let message = format!("There is a connector {key:?} already. Choose another key.");
        problems.push(at(&["key"], message));
    }
    let others = shared.iter().chain(own).filter(|entry| entry.key != key);
    let mut used: HashMap<&str, &str> = HashMap::new();
    for entry in others {
        used.extend(
            entry
                .env
                .iter()
                .map(|name| (plain(name), entry.title.as_str())),
        );
    }
    for (field, variable) in &checked.env {
        if let Some(title) = used.get(plain(variable)) {
            let message = format!("{variable} is the variable of {title}. Choose another name.");
            problems.push(at(&["env", field], message));
        } else if variable.contains("__") {
            let message = format!(
                "{variable} has two `_` side by side, which stand in front of an account's name."
            );
            problems.push(at(&["env", field], message));
        }
    }
    problems
}

/// Second accounts have a name of their own behind two low lines.
fn plain(variable: &str) -> &str {
    variable.split("__").next().unwrap_or(variable)
}

fn of(row: &OwnDefinition, entry: &Entry) -> OwnConnector {
    OwnConnector {
        key: row.key.clone(),
        title: entry.title.clone(),
        summary: entry.summary.clone(),
        version: entry.version.clone(),
        revision: row.revision,
        created_at: row.created_at,
        updated_at: row.updated_at,
        accounts: 0,
        broken: 0,
    }
}

fn text_of(entry: &Entry) -> Result<String, Fault> {
    serde_json::to_string(entry).map_err(|error| {
        tracing::error!(%error, "an entry does not serialize");
        Fault::internal()
    })
}
