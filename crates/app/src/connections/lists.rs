//! The organization's own connections, where not all are needed.

use crate::App;
use crate::actor::Actor;
use quaymaster_core::Fault;
use quaymaster_core::id::ConnectionId;
use quaymaster_store::connection::Connection;
use std::collections::BTreeMap;

impl App {
    /// Some of those that do not work, by connector and name; and how many there are.
    pub async fn failing_connections(
        &self,
        actor: &Actor,
        limit: i64,
    ) -> Result<(Vec<Connection>, i64), Fault> {
        Ok(self.store.failing_connections(&actor.org, limit).await?)
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
