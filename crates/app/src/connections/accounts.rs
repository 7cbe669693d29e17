//! Accounts with what signs their requests.

use super::{Connection, Renewable, tokens};
use crate::App;
use crate::admit::fresh;
use crate::discovery::ToolsMark;
use crate::invoke::Target;
use quaymaster_connectors::request::Account;
use quaymaster_core::Fault;
use quaymaster_core::id::{EndUserId, OrgId};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;

/// An account with what signs its requests.
pub(crate) struct Connected {
    pub(crate) connection: Connection,
    pub(crate) account: Account,
    pub(crate) renewable: Renewable,
    /// What was found at its server, if that is an MCP server.
    pub(crate) tools: Option<ToolsMark>,
}

impl Connected {
    pub(crate) fn target(&self) -> Target<'_> {
        Target {
            org: &self.connection.org,
            connector: &self.connection.connector,
            name: &self.connection.name,
            id: self.connection.id.as_str(),
            account: &self.account,
            destination: self.connection.destination.as_deref(),
            connected: Some(self),
            tools: self.tools.as_ref(),
        }
    }
}

impl App {
    /// The organization's own accounts or those of one end user, ready to sign, believed for half a
    /// second.
    pub(crate) async fn accounts(
        &self,
        org: &OrgId,
        end_user: Option<&EndUserId>,
    ) -> Result<Arc<[Connected]>, Fault> {
        let whose = (org.clone(), end_user.cloned());
        if let Some(known) = fresh(&self.callers.accounts, &whose) {
            return Ok(known);
        }
        let before = self.callers.generation();
        let mut tools = self.store.connection_tool_digests(org, end_user).await?;
        let accounts: Arc<[Connected]> = self
            .store
            .connections_in_full(org, end_user)
            .await?
            .into_iter()
            .map(|(connection, mut own)| {
                let plain = connection.fields.iter();
                let plain = plain.map(|(name, value)| (name.clone(), value.clone().into()));
                let mut fields: BTreeMap<String, SecretString> = plain.collect();
                let renewable = tokens::renewable(&own);
                let account = Account {
                    auth: connection.auth.clone(),
                    access_token: own.remove(tokens::ACCESS),
                    fields: {
                        fields.extend(tokens::without(own));
                        fields
                    },
                    local: connection.is_local,
                    ..Account::default()
                };
                let digest = tools.remove(&connection.id);
                let tools = digest.map(|digest| ToolsMark {
                    org: connection.org.clone(),
                    connection: connection.id.clone(),
                    digest,
                });
                Connected {
                    connection,
                    account,
                    renewable,
                    tools,
                }
            })
            .collect();
        let map = &self.callers.accounts;
        self.callers.remember(map, before, whose, accounts.clone());
        Ok(accounts)
    }
}
