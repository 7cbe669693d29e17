//! Who changed what: management and credential events.

use crate::App;
use crate::actor::Admin;
use quaymaster_core::Fault;
use quaymaster_store::event::Event;

impl App {
    /// The newest events of the organization, newest first; at most 500.
    pub async fn events(&self, admin: &Admin, limit: i64) -> Result<Vec<Event>, Fault> {
        Ok(self.store.events(&admin.org, limit.clamp(1, 500)).await?)
    }
}
