//! The tools of upstream MCP servers: found when an account is connected or verified, and again when
//! its server shows that they changed; kept with the connection, so that no listing waits for a
//! server.
//!
//! What a server says about its tools reaches agents. So each change since an administrator last
//! accepted them is an event, and shown.

use crate::App;
use crate::actor::{Actor, Admin};
use crate::catalog::Usable;
use crate::connections::{Author, Connected, Connection, said};
use quaymaster_connectors::definition::{Definition, Kind};
use quaymaster_connectors::request::{Invocation, Prepared};
use quaymaster_connectors::send::{Data, Failure};
use quaymaster_connectors::upstream::{Found, with_tools};
// The words of what is found, so that a door needs nothing below this crate.
pub use quaymaster_connectors::upstream::Tool;
use quaymaster_core::id::{ConnectionId, OrgId};
use quaymaster_core::{Fault, Instant, hex};
use quaymaster_store::Tx;
use quaymaster_store::connection::ConnectionChange;
use quaymaster_store::connection_tools::ConnectionTools;
use serde::Deserialize as _;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Monotonic};

/// Who did what the server did by itself.
const BY_ITSELF: &str = "server";
/// A server is looked at again at most so often, however often it says that it changed.
const LOOKED_AT: Duration = Duration::from_mins(1);
/// Connections whose definitions are kept ready.
const MOST_READY: usize = 1_000;
/// Names of tools in an event.
const MOST_NAMES: usize = 50;

/// What is known of the tools of an account's server.
#[derive(Debug, Clone)]
pub(crate) struct ToolsMark {
    pub(crate) org: OrgId,
    pub(crate) connection: ConnectionId,
    /// Of what was found.
    pub(crate) digest: String,
}

/// A definition with an account's tools, ready for calls.
#[derive(Clone)]
pub(crate) struct WithTools {
    digest: String,
    base: Arc<Definition>,
    pub(crate) found: Arc<Found>,
    pub(crate) prepared: Arc<Prepared>,
}

/// Those that are ready, and when servers were last looked at.
#[derive(Default)]
pub(crate) struct Discovered {
    ready: Mutex<HashMap<ConnectionId, WithTools>>,
    looked: Mutex<HashMap<ConnectionId, Monotonic>>,
}

/// The tools of a connection, for people.
#[derive(Debug, Clone)]
pub struct FoundTools {
    /// In the server's order.
    pub tools: Vec<Tool>,
    /// Tools that cannot be called by their names.
    pub unusable: usize,
    /// There are more than are kept.
    pub is_cut: bool,
    pub found_at: Instant,
    pub changed_at: Option<Instant>,
    /// Since an administrator last accepted them.
    pub changes: ToolChanges,
}

/// Names of tools, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ToolChanges {
    pub added: Vec<String>,
    pub removed: Vec<String>,
    /// With another description, other inputs or other hints.
    pub changed: Vec<String>,
}

impl ToolChanges {
    fn between(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Self {
        let names = |all: &BTreeMap<String, String>, wanted: &dyn Fn(&str, &str) -> bool| {
            let named = all.iter().filter(|(name, digest)| wanted(name, digest));
            named.map(|(name, _)| name.clone()).collect()
        };
        ToolChanges {
            added: names(after, &|name, _| !before.contains_key(name)),
            removed: names(before, &|name, _| !after.contains_key(name)),
            changed: names(after, &|name, digest| {
                before.get(name).is_some_and(|old| old != digest)
            }),
        }
    }

    pub fn is_empty(&self) -> bool {
        *self == ToolChanges::default()
    }

    fn shown(&self) -> Value {
        let some = |names: &[String]| json!(names.iter().take(MOST_NAMES).collect::<Vec<_>>());
        json!({
            "added": some(&self.added),
            "removed": some(&self.removed),
            "changed": some(&self.changed),
        })
    }
}

impl App {
    /// The definition with the tools of an account, and those tools.
    pub(crate) async fn with_tools(
        &self,
        mark: &ToolsMark,
        base: &Arc<Definition>,
    ) -> Result<WithTools, Fault> {
        let known = self.discovered.ready.lock();
        let known = known
            .unwrap_or_else(PoisonError::into_inner)
            .get(&mark.connection)
            .cloned();
        if let Some(known) = known
            && known.digest == mark.digest
            && Arc::ptr_eq(&known.base, base)
        {
            return Ok(known);
        }
        let stored = self
            .store
            .connection_tools(&mark.org, &mark.connection)
            .await?;
        let (found, digest) = match stored {
            Some(stored) => (read(&stored.found), stored.digest),
            None => (Found::default(), String::new()),
        };
        let mut definition = with_tools(base, &found.tools);
        // Whoever keeps passports sees that this is another one.
        if let Some(start) = digest.get(..8) {
            definition.version = format!("{}+{start}", definition.version);
        }
        let made = WithTools {
            digest,
            base: base.clone(),
            found: Arc::new(found),
            prepared: Arc::new(Prepared::new(Arc::new(definition))),
        };
        let mut ready = self
            .discovered
            .ready
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if ready.len() >= MOST_READY {
            ready.clear();
        }
        ready.insert(mark.connection.clone(), made.clone());
        Ok(made)
    }

    /// A connector as some of its accounts have it: for the kind `mcp`, with the tools of their
    /// servers. Read from the store, so that whoever keeps it by a revision keeps no older one.
    pub(crate) async fn over_connections(
        &self,
        usable: &Usable,
        org: &OrgId,
        connections: &BTreeSet<ConnectionId>,
    ) -> Result<Arc<Prepared>, Fault> {
        let base = usable.definition();
        if base.kind != Kind::Mcp {
            return Ok(usable.prepared.clone());
        }
        let mut all = Vec::new();
        for connection in connections {
            let stored = self.store.connection_tools(org, connection).await?;
            let Some(stored) = stored else { continue };
            let mark = ToolsMark {
                org: org.clone(),
                connection: connection.clone(),
                digest: stored.digest,
            };
            all.push(self.with_tools(&mark, base).await?);
        }
        Ok(match all.as_slice() {
            [] => usable.prepared.clone(),
            [only] => only.prepared.clone(),
            _ => {
                let tools = all.iter().flat_map(|own| &own.found.tools);
                Arc::new(Prepared::new(Arc::new(with_tools(base, tools))))
            }
        })
    }

    /// Tells the servers whose tools are those of a connection that they change. To be called while
    /// the connection is there.
    pub(crate) async fn tools_of_servers_change(
        &self,
        tx: &mut Tx,
        connection: &Connection,
        actor: &str,
    ) -> Result<(), Fault> {
        let (org, id) = (&connection.org, &connection.id);
        for workspace in tx.workspaces_with_tools_of(org, id).await? {
            tx.touch_servers(org, &workspace).await?;
            let mut event = self.event(org, actor, "integration.tools_changed", about(connection));
            event.workspace = Some(workspace);
            tx.record(&event).await?;
        }
        Ok(())
    }

    /// The tools that were found at the server of a connection; none when its connector has none
    /// to find, or none were found yet.
    pub async fn found_tools(
        &self,
        actor: &Actor,
        id: &ConnectionId,
    ) -> Result<Option<FoundTools>, Fault> {
        self.connection(actor, id).await?;
        let stored = self.store.connection_tools(&actor.org, id).await?;
        Ok(stored.map(|stored| {
            let found = read(&stored.found);
            FoundTools {
                changes: ToolChanges::between(&stored.accepted, &digests(&found.tools)),
                tools: found.tools,
                unusable: found.unusable,
                is_cut: found.is_cut,
                found_at: stored.found_at,
                changed_at: stored.changed_at,
            }
        }))
    }

    /// An administrator has read what changed: from now on only later changes are shown.
    pub async fn accept_tools(&self, admin: &Admin, id: &ConnectionId) -> Result<(), Fault> {
        let connection = self.connection(admin, id).await?;
        let Some(mut stored) = self.store.connection_tools(&admin.org, id).await? else {
            return Err(
                Fault::not_found("No tools were found for that connection yet.")
                    .hint("Verify the connection first."),
            );
        };
        stored.accepted = digests(&read(&stored.found).tools);
        let details = about(&connection);
        let event = self.event(
            &admin.org,
            &admin.label,
            "connection.tools_accepted",
            details,
        );
        let mut tx = self.store.begin().await?;
        tx.keep_connection_tools(&admin.org, &stored).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    /// Tries an account by asking its server for the tools, and keeps both what came of it and them.
    pub(crate) async fn verify_upstream(
        &self,
        by: &Author,
        account: &Connected,
    ) -> Result<(), Fault> {
        let found = self.ask_for_tools(account).await;
        let problem = found.as_ref().err().map(|failure| said(&failure.fault));
        let verified = match (&found, &problem) {
            (Ok(found), _) => Ok(found.server.as_deref()),
            (Err(_), problem) => Err(problem.as_deref().unwrap_or_default()),
        };
        let change = ConnectionChange {
            verified: Some(verified),
            ..ConnectionChange::default()
        };
        let connection = &account.connection;
        let details = about(connection);
        let event = self.event(&by.org, &by.label, "connection.verified", details);
        self.keep_found(
            connection,
            found.as_ref().ok(),
            &by.label,
            Some((change, event)),
        )
        .await
    }

    /// Looks at the tools of a server again, soon and by itself, but not often.
    pub(crate) fn look_at_tools_again(&self, org: &OrgId, id: &ConnectionId) {
        let mut looked = self
            .discovered
            .looked
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        looked.retain(|_, at| at.elapsed() < LOOKED_AT);
        if looked.contains_key(id) {
            return;
        }
        looked.insert(id.clone(), Monotonic::now());
        drop(looked);
        let (app, org, id) = (self.clone(), org.clone(), id.clone());
        self.tasks.spawn(async move {
            if let Err(fault) = app.refresh_tools(&org, &id).await {
                tracing::warn!(%fault, connection = %id, "its tools could not be looked at again");
            }
        });
    }

    /// Asks the server of an account that never said what it has.
    pub(crate) async fn find_tools_now(&self, account: &Connected) -> Result<(), Fault> {
        let found = self.ask_for_tools(account).await;
        let found = self.for_agents(&account.connection.connector, found);
        let found = found.map_err(|failure| failure.fault)?;
        self.keep_found(&account.connection, Some(&found), BY_ITSELF, None)
            .await
    }

    async fn refresh_tools(&self, org: &OrgId, id: &ConnectionId) -> Result<(), Fault> {
        let Some(connection) = self.store.connection(org, id).await? else {
            return Ok(());
        };
        let accounts = self.accounts(org, connection.end_user.as_ref()).await?;
        let Some(account) = accounts.iter().find(|account| account.connection.id == *id) else {
            return Ok(());
        };
        // What was found before stays when the server does not answer.
        let found = self
            .ask_for_tools(account)
            .await
            .map_err(|failure| failure.fault)?;
        self.keep_found(&account.connection, Some(&found), BY_ITSELF, None)
            .await
    }

    async fn ask_for_tools(&self, account: &Connected) -> Result<Found, Failure> {
        let call = Invocation {
            discover: true,
            ..Invocation::default()
        };
        let answer = self.sent(account.target(), &call, 0).await?;
        Ok(match answer.data {
            Data::Value(value) => Found::deserialize(value).unwrap_or_default(),
            _ => Found::default(),
        })
    }

    async fn keep_found(
        &self,
        connection: &Connection,
        found: Option<&Found>,
        actor: &str,
        verified: Option<(ConnectionChange<'_>, quaymaster_store::event::Event)>,
    ) -> Result<(), Fault> {
        let (org, id) = (&connection.org, &connection.id);
        let before = self.store.connection_tools(org, id).await?;
        let digest = before.as_ref().map(|before| before.digest.clone());
        let digest = digest.unwrap_or_default();
        let kept = found
            .map(|found| self.compared(connection, before, found))
            .transpose()?;
        let mut tx = self.store.begin().await?;
        if let Some((change, event)) = verified {
            if !tx.update_connection(org, id, change, self.now()).await? {
                return Err(Fault::not_found("There is no such connection."));
            }
            tx.record(&event).await?;
        }
        if let Some((tools, changes)) = kept {
            tx.keep_connection_tools(org, &tools).await?;
            if tools.digest != digest {
                self.tools_of_servers_change(&mut tx, connection, actor)
                    .await?;
            }
            if !changes.is_empty() {
                let mut details = about(connection);
                details["tools"] = changes.shown();
                let event = self.event(org, actor, "connection.tools_changed", details);
                tx.record(&event).await?;
            }
        }
        tx.commit().await?;
        self.changed().await;
        // What is found first is no change, and yet accounts have it now.
        self.callers.forget_accounts(org);
        Ok(())
    }

    /// What is kept, and how it differs from what was kept before. The first is accepted as it is.
    fn compared(
        &self,
        connection: &Connection,
        before: Option<ConnectionTools>,
        found: &Found,
    ) -> Result<(ConnectionTools, ToolChanges), Fault> {
        let digests = digests(&found.tools);
        let digest = digest_of(&json!([
            digests,
            found.unusable,
            found.is_cut,
            found.server
        ]));
        let known = before
            .as_ref()
            .map(|before| self::digests(&read(&before.found).tools));
        let changes = known.map(|known| ToolChanges::between(&known, &digests));
        let changes = changes.unwrap_or_default();
        let changed_before = before.as_ref().and_then(|before| before.changed_at);
        let changed_at = if changes.is_empty() {
            changed_before
        } else {
            Some(self.now())
        };
        let tools = ConnectionTools {
            connection: connection.id.clone(),
            found: serde_json::to_string(found).map_err(|_| Fault::internal())?,
            digest,
            accepted: before.map_or(digests, |before| before.accepted),
            found_at: self.now(),
            changed_at,
        };
        Ok((tools, changes))
    }
}

fn about(connection: &Connection) -> Value {
    json!({
        "connection": connection.id,
        "connector": connection.connector,
        "name": connection.name,
    })
}

/// One that an older version wrote otherwise is found again when the connection is verified.
fn read(found: &str) -> Found {
    serde_json::from_str(found).unwrap_or_default()
}

fn digests(tools: &[Tool]) -> BTreeMap<String, String> {
    let digest = |tool: &Tool| digest_of(&json!(tool));
    tools
        .iter()
        .map(|tool| (tool.name.clone(), digest(tool)))
        .collect()
}

/// SHA-256 of a value whose members are in the order of their names: a server's order means nothing.
fn digest_of(value: &Value) -> String {
    hex(&Sha256::digest(ordered(value).to_string()))
}

fn ordered(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let sorted: BTreeMap<&String, &Value> = members.iter().collect();
            let sorted = sorted
                .into_iter()
                .map(|(name, member)| (name.clone(), ordered(member)));
            Value::Object(sorted.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(ordered).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let pairs = pairs.iter();
        pairs
            .map(|(name, digest)| ((*name).to_owned(), (*digest).to_owned()))
            .collect()
    }

    #[test]
    fn changes_are_told_by_name() {
        let before = map(&[("a", "1"), ("b", "2"), ("c", "3")]);
        let after = map(&[("b", "2"), ("c", "4"), ("d", "5")]);
        let changes = ToolChanges::between(&before, &after);
        assert_eq!(changes.added, ["d"]);
        assert_eq!(changes.removed, ["a"]);
        assert_eq!(changes.changed, ["c"]);
        assert!(ToolChanges::between(&after, &after).is_empty());
    }

    #[test]
    fn the_order_of_members_changes_no_digest() {
        let one: Value = serde_json::from_str(r#"{"a": {"x": 1, "y": [2]}, "b": 3}"#).unwrap();
        let other: Value = serde_json::from_str(r#"{"b": 3, "a": {"y": [2], "x": 1}}"#).unwrap();
        assert_eq!(digest_of(&one), digest_of(&other));
    }
}
