//! Workspaces: made, listed, changed.

use crate::App;
use crate::actor::{Actor, Admin};
use crate::credentials::{Fresh, checked_name};
use quaymaster_core::id::{OrgId, WorkspaceId};
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Code, Fault};
use quaymaster_store::credential::Origin;
pub use quaymaster_store::workspace::{Workspace, WorkspaceChange};
use quaymaster_store::{StoreError, Tx};
use serde_json::json;
use std::collections::BTreeMap;

/// Bytes that a workspace's files, trash and open uploads take, against its quota.
#[derive(Debug, Clone, Copy)]
pub struct Storage {
    pub used_bytes: u64,
    pub quota_bytes: i64,
}

pub(crate) fn unknown_workspace() -> Fault {
    Fault::not_found("There is no such workspace.")
}

impl App {
    pub async fn workspaces(&self, actor: &Actor) -> Result<Vec<Workspace>, Fault> {
        let mut all = self.store.workspaces(&actor.org).await?;
        all.retain(|workspace| actor.reaches(Some(&workspace.id)));
        Ok(all)
    }

    /// A page of the organization's workspaces whose name or slug has the words in it, oldest first; and
    /// how many there are. For people, who reach all of them.
    pub async fn workspaces_page(
        &self,
        actor: &Actor,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Workspace>, i64), Fault> {
        let page = self.store.workspaces_page(&actor.org, words, limit, offset);
        Ok(page.await?)
    }

    /// The workspace that a person means by its id, its name or its slug.
    pub async fn workspace_named(&self, actor: &Actor, named: &str) -> Result<Workspace, Fault> {
        let mut all = self.store.workspaces_named(&actor.org, named).await?;
        all.retain(|workspace| actor.reaches(Some(&workspace.id)));
        // A name may be another one's slug.
        let exact = |one: &Workspace| one.id.as_str() == named || one.name == named;
        let index = all.iter().position(exact).unwrap_or(0);
        if index < all.len() {
            Ok(all.swap_remove(index))
        } else {
            Err(unknown_workspace())
        }
    }

    /// Names of some workspaces; one that is gone has none.
    pub async fn names_of_workspaces(
        &self,
        actor: &Actor,
        ids: impl IntoIterator<Item = WorkspaceId>,
    ) -> Result<BTreeMap<WorkspaceId, String>, Fault> {
        let ids = ids.into_iter().collect();
        let known = self.store.workspace_names(&actor.org, &ids).await?;
        Ok(known.into_iter().collect())
    }

    pub async fn workspace(&self, actor: &Actor, id: &WorkspaceId) -> Result<Workspace, Fault> {
        if !actor.reaches(Some(id)) {
            return Err(unknown_workspace());
        }
        Ok(Workspace::clone(
            &*self.believed_workspace(&actor.org, id).await?,
        ))
    }

    /// Makes a workspace with its default token.
    pub async fn create_workspace(
        &self,
        admin: &Admin,
        name: &str,
        slug: Option<&str>,
    ) -> Result<(Workspace, Fresh), Fault> {
        let mut tx = self.store.begin().await?;
        let made = self.add_workspace(&mut tx, admin, name, slug).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(made)
    }

    pub(crate) async fn add_workspace(
        &self,
        tx: &mut Tx,
        actor: &Actor,
        name: &str,
        slug: Option<&str>,
    ) -> Result<(Workspace, Fresh), Fault> {
        let workspace = Workspace {
            id: WorkspaceId::fresh(&*self.clock, &*self.entropy),
            org: actor.org.clone(),
            name: checked_name(name)?,
            slug: slug.map_or_else(|| Ok(slug_of(name)), checked_slug)?,
            daily_cap: self.settings.daily_cap,
            quota_bytes: self.settings.quota_bytes,
            requires_authentication: true,
            created_at: self.now(),
        };
        let token = self.fresh_workspace_token(
            actor,
            &workspace.id,
            "Default token".into(),
            Origin::Default,
            false,
        );
        let mut event = self.event(
            &actor.org,
            &actor.label,
            "workspace.created",
            json!({ "name": workspace.name }),
        );
        event.workspace = Some(workspace.id.clone());
        if let Err(error) = tx.add_workspace(&workspace).await {
            let (name, slug) = (&*workspace.name, slug.map(|_| &*workspace.slug));
            return Err(self.taken(error, &actor.org, Some(name), slug).await);
        }
        tx.record(&event).await?;
        self.add(tx, actor, &token.credential).await?;
        Ok((workspace, token))
    }

    pub async fn update_workspace(
        &self,
        admin: &Admin,
        id: &WorkspaceId,
        change: WorkspaceChange,
    ) -> Result<Workspace, Fault> {
        let mut change = change;
        change.name = change.name.as_deref().map(checked_name).transpose()?;
        change.slug = change.slug.as_deref().map(checked_slug).transpose()?;
        if change
            .daily_cap
            .is_some_and(|cap| !(0..=1_000_000_000).contains(&cap))
        {
            return Err(Fault::invalid_arg(
                "/daily_cap",
                "range",
                "A daily cap is 0 to 1,000,000,000 calls.",
            ));
        }
        if change.quota_bytes.is_some_and(|quota| quota < 0) {
            return Err(Fault::invalid_arg(
                "/quota_bytes",
                "minimum",
                "A quota is not negative.",
            ));
        }
        let mut event = self.event(
            &admin.org,
            &admin.label,
            "workspace.updated",
            json!({
                "name": change.name,
                "slug": change.slug,
                "daily_cap": change.daily_cap,
                "quota_bytes": change.quota_bytes,
                "requires_authentication": change.requires_authentication,
            }),
        );
        event.workspace = Some(id.clone());
        let mut tx = self.store.begin().await?;
        let changed = tx.update_workspace(&admin.org, id, &change).await;
        let changed = match changed {
            Ok(changed) => changed,
            Err(error) => {
                // Lets go of the database before it is asked why.
                drop(tx);
                if error.is_duplicate()
                    && change.requires_authentication == Some(false)
                    && let Some(open) = self.store.open_workspace().await?
                    && open.id != *id
                {
                    return Err(open_already(admin, &open));
                }
                let (name, slug) = (change.name.as_deref(), change.slug.as_deref());
                return Err(self.taken(error, &admin.org, name, slug).await);
            }
        };
        if !changed {
            return Err(unknown_workspace());
        }
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        self.workspace(admin, id).await
    }

    /// Takes a workspace away with everything in it: files, servers, integrations, end users and their
    /// accounts. Its credentials are dead at once; API keys lose its files. An organization keeps one.
    pub async fn delete_workspace(&self, admin: &Admin, id: &WorkspaceId) -> Result<(), Fault> {
        let workspace = self.workspace(admin, id).await?;
        if self.store.workspaces(&admin.org).await?.len() < 2 {
            return Err(Fault::new(
                Code::AlreadyExists,
                "This is the organization's only workspace, and calls count to one.",
            )
            .hint("Make another one first."));
        }
        let credentials = self.store.workspace_credentials(&admin.org, id).await?;
        let mut event = self.event(
            &admin.org,
            &admin.label,
            "workspace.deleted",
            json!({ "name": workspace.name }),
        );
        event.workspace = Some(id.clone());
        let mut tx = self.store.begin().await?;
        for credential in &credentials {
            if credential.kind == TokenKind::ApiKey {
                tx.forget_files(&admin.org, &credential.id).await?;
                let details = json!({ "files": null });
                let mut event = self.event(&admin.org, &admin.label, "credential.updated", details);
                event.credential = Some(credential.id.clone());
                tx.record(&event).await?;
            } else {
                self.revoke_within(&mut tx, admin, credential).await?;
            }
        }
        if !tx.delete_workspace(&admin.org, id, self.now()).await? {
            return Err(unknown_workspace());
        }
        tx.record(&event).await?;
        tx.commit().await?;
        self.callers.forget_accounts(&admin.org);
        self.callers.forget_first_workspace(&admin.org);
        self.changed().await;
        self.remove_home(id).await;
        Ok(())
    }

    pub async fn storage(&self, actor: &Actor, id: &WorkspaceId) -> Result<Storage, Fault> {
        let workspace = self.believed_workspace(&actor.org, id).await?;
        let home = self.home(&workspace).await?;
        let used_bytes = crate::homes::blocking(move || Ok(home.usage().bytes)).await?;
        Ok(Storage {
            used_bytes,
            quota_bytes: workspace.quota_bytes,
        })
    }
}

impl App {
    /// Why a workspace could not be written: of two that are taken, the slug that was asked for goes
    /// first, then the name, then the slug that was made of it.
    async fn taken(
        &self,
        error: StoreError,
        org: &OrgId,
        name: Option<&str>,
        slug: Option<&str>,
    ) -> Fault {
        if !error.is_duplicate() {
            return error.into();
        }
        let known = self.store.workspaces(org).await.unwrap_or_default();
        let has_slug = |slug: &str| known.iter().any(|one| one.slug == slug);
        if let Some(slug) = slug.filter(|slug| has_slug(slug)) {
            return slug_taken(slug);
        }
        let name = name.unwrap_or_default();
        let derived = slug_of(name);
        if known.iter().all(|one| one.name != name) && has_slug(&derived) {
            return slug_taken(&derived);
        }
        name_taken(name)
    }
}

/// One address cannot be two workspaces. What is open elsewhere has no name for strangers.
fn open_already(admin: &Admin, open: &Workspace) -> Fault {
    let fault = |which: &str| {
        Fault::new(
            Code::AlreadyExists,
            format!("{which} is open at /mcp already, and only one workspace of a server can be."),
        )
    };
    if open.org == admin.org {
        fault(&format!("The workspace {}", open.name))
            .hint("Require authentication there first.")
            .detail("workspace", &*open.id.to_string())
    } else {
        fault("A workspace of another organization").hint("Use flow tokens, or ask the operator.")
    }
}

fn slug_taken(slug: &str) -> Fault {
    Fault::new(
        Code::SlugExists,
        format!("There is a workspace with the slug {slug} already."),
    )
    .hint("Choose another slug, or another name where none is given.")
}

fn name_taken(name: &str) -> Fault {
    Fault::new(
        Code::AlreadyExists,
        format!("There is a workspace named {name} already."),
    )
    .hint("Choose another name.")
}

/// Lower-case letters, digits and single hyphens, at most 40; what else a name has becomes a
/// hyphen.
fn slug_of(name: &str) -> String {
    let mut slug = String::new();
    for c in name.chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
        if slug.len() == 40 {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "workspace".to_owned()
    } else {
        slug.to_owned()
    }
}

fn checked_slug(slug: &str) -> Result<String, Fault> {
    if slug == slug_of(slug) {
        return Ok(slug.to_owned());
    }
    Err(Fault::invalid_arg(
        "/slug",
        "pattern",
        "A slug has 1 to 40 lower-case letters, digits and single hyphens between them.",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_plain_whatever_the_name() {
        for (name, slug) in [
            ("Main", "main"),
            ("Ünï  côde!", "n-c-de"),
            ("???", "workspace"),
            ("a--b", "a-b"),
        ] {
            assert_eq!(slug_of(name), slug);
        }
        assert!(checked_slug("a-b").is_ok());
        assert!(checked_slug("A b").is_err());
    }
}
