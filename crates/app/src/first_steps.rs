//! What somebody new does first. Each step is ticked off by what is there, so nobody has to say so.

use crate::App;
use crate::actor::Actor;
use quaymaster_core::Fault;
use serde_json::json;

/// Something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Some client has called a tool with a credential of the organization.
    ConnectClient,
    /// An account of an outside service is connected.
    ConnectAccount,
    /// There is a hosted server.
    MakeServer,
    /// Some workspace has a pack of flows.
    InstallPack,
    /// Somebody else is a member, or was invited.
    InviteSomebody,
}

impl Step {
    pub const fn name(self) -> &'static str {
        match self {
            Step::ConnectClient => "connect_client",
            Step::ConnectAccount => "connect_account",
            Step::MakeServer => "make_server",
            Step::InstallPack => "install_pack",
            Step::InviteSomebody => "invite_somebody",
        }
    }
}

/// The steps that the actor can take, in their order, and whether each is done.
#[derive(Debug, Clone)]
pub struct FirstSteps {
    pub steps: Vec<(Step, bool)>,
    /// The actor does not want to see them any more.
    pub is_dismissed: bool,
}

impl FirstSteps {
    /// Whether there is something left to show.
    pub fn are_open(&self) -> bool {
        !self.is_dismissed && self.steps.iter().any(|(_, is_done)| !is_done)
    }
}

impl App {
    pub async fn first_steps(&self, actor: &Actor) -> Result<FirstSteps, Fault> {
        // The use of a credential is written with the calls.
        self.flush_audit().await;
        let done = self.store.steps_done(&actor.org, &actor.user).await?;
        let mut steps = vec![(Step::ConnectClient, done.client)];
        if actor.role.administers() {
            steps.extend([
                (Step::ConnectAccount, done.account),
                (Step::MakeServer, done.server),
                (Step::InstallPack, done.pack),
                (Step::InviteSomebody, done.colleague),
            ]);
        }
        Ok(FirstSteps {
            steps,
            is_dismissed: done.dismissed,
        })
    }

    /// Shows the actor the first steps no more.
    pub async fn dismiss_first_steps(&self, actor: &Actor) -> Result<(), Fault> {
        let details = json!({ "user": actor.user });
        let event = self.event(&actor.org, &actor.label, "member.steps_dismissed", details);
        let mut tx = self.store.begin().await?;
        let now = self.now();
        if !tx.dismiss_steps(&actor.org, &actor.user, now).await? {
            return Err(Fault::not_found("You are not a member any more."));
        }
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(())
    }
}
