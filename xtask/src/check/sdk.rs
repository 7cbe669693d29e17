//! The SDKs have every call of the management API, and say of it what docs/openapi.json says.

use anyhow::Result;

use super::Findings;
use crate::sdk;
use crate::workspace::Workspace;

pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let (calls, faults) = sdk::faults(workspace)?;
    Ok(Findings::new(format!("{calls} calls"), faults))
}
