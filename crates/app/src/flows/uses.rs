//! How flows are used, for whoever looks at their list.

use crate::App;
use crate::actor::Actor;
use quaymaster_core::Fault;
use quaymaster_core::id::FlowId;
pub use quaymaster_store::flow_use::FlowUse;
use std::collections::BTreeMap;

impl App {
    /// What is remembered of the runs of those of some flows that ever ran.
    pub async fn flow_uses(
        &self,
        actor: &Actor,
        flows: impl IntoIterator<Item = FlowId>,
    ) -> Result<BTreeMap<FlowId, FlowUse>, Fault> {
        let flows = flows.into_iter().collect();
        self.past_runs.settle(self).await;
        Ok(self.store.flow_uses(&actor.org, &flows).await?)
    }
}
