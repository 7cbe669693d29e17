//! What was ticked for a credential, in its columns.

use super::as_json;
use crate::db::{StoreError, Tx};
use quaymaster_core::id::{CredentialId, OrgId};
use quaymaster_core::mix::{Mix, Picked};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The columns that say what was ticked, each a JSON array.
#[derive(sqlx::FromRow)]
pub(crate) struct MixColumns {
    pub(crate) toolsets: Option<String>,
    /// None for all tools of the toolsets.
    pub(crate) tools: Option<String>,
    pub(crate) tool_flows: Option<String>,
}

impl MixColumns {
    pub(crate) fn read(&self) -> Result<Mix, StoreError> {
        let names: Option<BTreeSet<String>> = parsed(self.tools.as_deref())?;
        let flows = parsed(self.tool_flows.as_deref())?.unwrap_or_default();
        Ok(Mix {
            toolsets: parsed(self.toolsets.as_deref())?,
            tools: names.map(|names| Arc::new(Picked { names, flows })),
        })
    }

    pub(crate) fn of(mix: &Mix) -> Result<MixColumns, StoreError> {
        let tools = mix.tools.as_deref();
        let flows = tools.map(|tools| &tools.flows);
        Ok(MixColumns {
            toolsets: mix.toolsets.as_ref().map(as_json).transpose()?,
            tools: tools.map(|tools| as_json(&tools.names)).transpose()?,
            tool_flows: flows
                .filter(|flows| !flows.is_empty())
                .map(as_json)
                .transpose()?,
        })
    }
}

fn parsed<T: serde::de::DeserializeOwned>(json: Option<&str>) -> Result<Option<T>, StoreError> {
    let read = json.map(serde_json::from_str).transpose();
    read.map_err(|error: serde_json::Error| StoreError::Corrupt(error.to_string()))
}

impl Tx {
    /// What was ticked, anew.
    pub async fn put_mix(
        &mut self,
        org: &OrgId,
        credential: &CredentialId,
        mix: &Mix,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE credentials SET toolsets = $3, tools = $4, tool_flows = $5 \
             WHERE org_id = $1 AND id = $2";
        let mix = MixColumns::of(mix)?;
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(credential.as_str())
                .bind(mix.toolsets)
                .bind(mix.tools)
                .bind(mix.tool_flows)
                .execute(conn)
                .await?;
        });
        Ok(())
    }
}
