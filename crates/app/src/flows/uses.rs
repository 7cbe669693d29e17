//! How the flows of a workspace are used, for whoever looks at their list.

use crate::App;
use crate::actor::Actor;
use quaymaster_core::Fault;
use quaymaster_core::id::{FlowId, WorkspaceId};
pub use quaymaster_store::flow_use::FlowUse;
use std::collections::BTreeMap;

impl App {
    /// What is remembered of the runs of each flow that ever ran.
    pub async fn flow_uses(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
    ) -> Result<BTreeMap<FlowId, FlowUse>, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        self.past_runs.settle(self).await;
        Ok(self.store.flow_uses(&actor.org, workspace).await?)
    }
}
