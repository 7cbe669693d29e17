//! The organization's own connections, where not all are needed.

use crate::App;
use crate::actor::Actor;
use quaymaster_core::Fault;
use quaymaster_core::id::{ConnectionId, WorkspaceId};
use quaymaster_store::connection::{Connection, Counts};
use std::collections::{BTreeMap, HashMap};

impl App {
    /// How many of those that the actor reaches each connector has that has some.
    pub(crate) async fn connection_counts(
        &self,
        actor: &Actor,
    ) -> Result<HashMap<String, Counts>, Fault> {
        if actor.reach.is_whole() {
            return Ok(self.store.connection_counts(&actor.org).await?);
        }
        let mut counts = HashMap::<String, Counts>::new();
        for connection in self.connections(actor).await? {
            let counted = counts.entry(connection.connector).or_default();
            counted.all += 1;
            counted.broken += usize::from(connection.problem.is_some());
        }
        Ok(counts)
    }

    /// Some of those that do not work, by connector and name; and how many there are.
    pub async fn failing_connections(
        &self,
        actor: &Actor,
        limit: i64,
    ) -> Result<(Vec<Connection>, i64), Fault> {
        Ok(self.store.failing_connections(&actor.org, limit).await?)
    }

    /// All of one connector, by name.
    pub async fn connector_accounts(
        &self,
        actor: &Actor,
        connector: &str,
    ) -> Result<Vec<Connection>, Fault> {
        let all = self.connector_accounts_page(actor, connector, "", i64::MAX, 0);
        Ok(all.await?.0)
    }

    /// A page of those of one connector whose name or label has the words in it, by name; and how many
    /// there are.
    pub async fn connector_accounts_page(
        &self,
        actor: &Actor,
        connector: &str,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Connection>, i64), Fault> {
        let page = self
            .store
            .connections_page(&actor.org, connector, words, limit, offset);
        Ok(page.await?)
    }

    /// Those of one connector, by name, at most so many; where a workspace is given, those that calls from
    /// there can use.
    pub async fn usable_accounts(
        &self,
        actor: &Actor,
        workspace: Option<&WorkspaceId>,
        connector: &str,
        limit: i64,
    ) -> Result<Vec<Connection>, Fault> {
        let some = self
            .store
            .usable_connections(&actor.org, workspace, connector, limit);
        let mut some = some.await?;
        some.retain(|one| actor.reaches(one.workspace.as_ref()));
        Ok(some)
    }

    /// Those of them that a text can mean: its id, its name or its external id.
    pub(crate) async fn accounts_called(
        &self,
        actor: &Actor,
        workspace: Option<&WorkspaceId>,
        connector: &str,
        named: &str,
    ) -> Result<Vec<Connection>, Fault> {
        let found = self
            .store
            .usable_connections_named(&actor.org, workspace, connector, named);
        let mut found = found.await?;
        found.retain(|one| actor.reaches(one.workspace.as_ref()));
        Ok(found)
    }

    /// The account that a person means by its id or name.
    pub async fn account_named(
        &self,
        actor: &Actor,
        workspace: Option<&WorkspaceId>,
        connector: &str,
        named: &str,
    ) -> Result<Option<Connection>, Fault> {
        let found = self.accounts_called(actor, workspace, connector, named);
        let mut found = found.await?;
        let by_id = found.iter().position(|one| one.id.as_str() == named);
        let index = by_id.or_else(|| found.iter().position(|one| one.name == named));
        Ok(index.map(|index| found.swap_remove(index)))
    }

    /// The first by name that works of each connector that a workspace has no integration of.
    pub async fn unswitched_accounts(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Connection>, Fault> {
        let all = self.store.unswitched_connections(&actor.org, workspace);
        let mut all = all.await?;
        all.retain(|one| actor.reaches(one.workspace.as_ref()));
        Ok(all)
    }

    /// Those among some that are the organization's own, as `connector:name`.
    pub async fn connection_addresses(
        &self,
        actor: &Actor,
        ids: impl IntoIterator<Item = ConnectionId>,
    ) -> Result<BTreeMap<ConnectionId, String>, Fault> {
        let ids = ids.into_iter().collect();
        let known = self.store.connection_addresses(&actor.org, &ids).await?;
        Ok(known.into_iter().collect())
    }
}
