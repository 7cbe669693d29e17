//! A person tries a call on a page: through the same guard, cap and audit as any agent's.

use crate::App;
use crate::actor::Actor;
use quaymaster_connectors::passport;
use quaymaster_core::caller::{Grant, Who};
use quaymaster_core::door::Door as _;
use quaymaster_core::id::{ConnectionId, CredentialId, UserId};
use quaymaster_core::secret::TokenKind;
use quaymaster_core::tool::{Call, Ctx, Outcome, Source, ToolResult};
use quaymaster_core::{Caller, Fault};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// What is tried.
#[derive(Debug, Clone)]
pub struct Trial {
    pub connector: String,
    /// Key of the action.
    pub action: String,
    /// Without one, as an agent that names none.
    pub account: Option<ConnectionId>,
    /// By name, as the action's schema has them.
    pub inputs: Map<String, Value>,
}

impl App {
    /// Calls an action as the person, with no more than the person may. Inputs that do not fit are
    /// `INVALID_ARG` with a pointer to each.
    pub async fn try_call(&self, actor: &Actor, trial: Trial) -> Result<ToolResult, Fault> {
        let usable = self.usable(&actor.org, &trial.connector).await?;
        let account = trial.account.iter().cloned().collect();
        let prepared = self.over_connections(&usable, &actor.org, &account).await?;
        prepared.check(&trial.action, &trial.inputs)?;
        let arguments = passport::arguments(prepared.definition(), &trial.action, &trial.inputs);
        let mut args = arguments.ok_or_else(Fault::internal)?;
        args.insert("service".to_owned(), json!(trial.connector));
        let mut grants = vec![Grant::Catalog];
        if let Some(account) = &trial.account {
            args.insert("instance_id".to_owned(), json!(account));
            // One that only a workspace reaches is tried as from there.
            let connection = self.connection(actor, account).await?;
            grants.extend(connection.workspace.map(Grant::Files));
        }
        let caller = as_person(actor, grants)?;
        let call = Call {
            tool: "connector_execute".to_owned(),
            args: Arc::new(args),
            source: Source::Page,
            answers: None,
            ctx: Ctx::new(self.fresh_call_id(), self.now()),
        };
        match self.call(&caller, call).await? {
            Outcome::Done(result) => Ok(result),
            Outcome::Ask(..) => Err(Fault::internal()),
        }
    }
}

/// A person on a page, with no more than they may.
pub(crate) fn as_person(actor: &Actor, grants: Vec<Grant>) -> Result<Caller, Fault> {
    Ok(Caller {
        org: actor.org.clone(),
        who: Who::User(actor.user.clone()),
        credential: credential_of_person(&actor.user)?,
        kind: TokenKind::ApiKey,
        scopes: actor.scopes,
        reach: actor.reach.clone(),
        grants,
        tools: None,
        expires_at: None,
        access: None,
    })
}

/// The person whom the audit knows by this, if it is the id of one.
pub(crate) fn person_of_credential(id: &CredentialId) -> Option<UserId> {
    let (_, own) = id.as_str().split_once('_')?;
    format!("{}_{own}", UserId::PREFIX).parse().ok()
}

/// What the audit and the rate limit know a person on a page by. No credential has such an id: it
/// is the person's own with another prefix.
pub fn credential_of_person(user: &UserId) -> Result<CredentialId, Fault> {
    let (_, own) = user.as_str().split_once('_').unwrap_or_default();
    let id = format!("{}_{own}", CredentialId::PREFIX).parse();
    id.map_err(|_| Fault::internal())
}
