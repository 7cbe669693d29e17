//! An organization and its members.

use crate::App;
use crate::actor::{Actor, Admin};
use crate::credentials::checked_name;
use quaymaster_core::Fault;
use quaymaster_core::id::OrgId;
pub use quaymaster_store::user::Member;
use serde_json::json;

/// The rule of names, told of the field `organization`.
pub(crate) fn checked_organization(name: &str) -> Result<String, Fault> {
    checked_name(name).map_err(|fault| Fault::invalid_arg("/organization", "length", fault.message))
}

impl App {
    pub async fn organization_name(&self, org: &OrgId) -> Result<String, Fault> {
        let found = self.store.organization(org).await?;
        Ok(found
            .ok_or_else(|| Fault::not_found("There is no such organization."))?
            .name)
    }

    pub async fn rename_organization(&self, admin: &Admin, name: &str) -> Result<(), Fault> {
        let name = checked_organization(name)?;
        let event = self.event(
            &admin.org,
            &admin.label,
            "organization.updated",
            json!({ "name": name }),
        );
        let mut tx = self.store.begin().await?;
        tx.rename_organization(&admin.org, &name).await?;
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Owner first, then by time of joining.
    pub async fn members(&self, actor: &Actor) -> Result<Vec<Member>, Fault> {
        Ok(self.store.members(&actor.org).await?)
    }
}
