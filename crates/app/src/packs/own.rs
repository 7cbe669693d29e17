//! Packs that a workspace was given, beside those of the program: checked and kept as texts. Keeping one installs
//! nothing; from then on it is a pack like any other, and a newer text is a newer pack.

use super::{PackSeen, shipped};
use crate::App;
use crate::actor::{Actor, Admin};
use crate::flows::{
    Checked, MOST_TEXT, OfTests, SavedAs, TestOutcome, failed_tests, in_time, off_the_threads,
    wrong,
};
use crate::trying::credential_of_person;
use quaymaster_core::id::{OrgId, WorkspaceId};
use quaymaster_core::{Code, Fault};
use quaymaster_flows::load::Text;
use quaymaster_flows::pack::PackInFull;
use quaymaster_flows::testing::test_pack;
use quaymaster_store::own_pack::OwnPack;
use serde_json::json;
use std::sync::Arc;

/// Of a workspace. Whoever lists packs reads all of them.
const MOST: i64 = 20;

/// A pack that a workspace can install.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) full: Arc<PackInFull>,
    /// The workspace was given it.
    pub(super) is_own: bool,
}

/// A pack that was given, with what became of its text.
#[derive(Debug, Clone)]
pub struct AddedPack {
    pub pack: PackSeen,
    pub what: SavedAs,
}

impl Known {
    fn shipped(full: &Arc<PackInFull>) -> Self {
        Known {
            full: Arc::clone(full),
            is_own: false,
        }
    }

    fn own(full: PackInFull) -> Self {
        Known {
            full: Arc::new(full),
            is_own: true,
        }
    }
}

/// Whether a text shall be a pack, and no flow.
async fn is_pack(source: &str) -> Result<bool, Fault> {
    if source.len() > MOST_TEXT {
        return Ok(false);
    }
    let source = source.to_owned();
    off_the_threads(move || Text::new(&source, "").has(&["pack"])).await
}

fn taken(id: &str) -> Fault {
    Fault::new(
        Code::AlreadyExists,
        format!("The server itself has a pack {id:?}."),
    )
    .hint("Give yours another `id`.")
}

impl App {
    /// Keeps the text of a pack for a workspace, over the one that it has of the same id. Its rules, its expressions
    /// and its tests are checked before. Flows that are installed stay as they are until somebody installs the pack anew.
    pub async fn add_pack(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        source: &str,
    ) -> Result<AddedPack, Fault> {
        self.believed_workspace(&admin.org, workspace).await?;
        let (full, checked) = self.read_pack_text(&admin.org, source).await?;
        let full = full.ok_or_else(|| wrong("pack", &checked.problems))?;
        if let Some(fault) = failed_tests("pack", &checked.tests) {
            return Err(fault);
        }
        let id = full.pack.id.clone();
        if self.has_shipped(&admin.org, workspace, &id).await? {
            return Err(taken(&id));
        }
        let before = self.store.own_pack(&admin.org, workspace, &id).await?;
        let what = match &before {
            None => SavedAs::Created,
            Some(before) if before.source == source => SavedAs::Unchanged,
            Some(_) => SavedAs::Updated,
        };
        if what != SavedAs::Unchanged {
            self.keep_pack(admin, workspace, &full, source).await?;
        }
        let pack = self.pack(admin, workspace, &id).await?;
        Ok(AddedPack { pack, what })
    }

    async fn keep_pack(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        full: &PackInFull,
        source: &str,
    ) -> Result<(), Fault> {
        let row = OwnPack {
            org: admin.org.clone(),
            workspace: workspace.clone(),
            pack: full.pack.id.clone(),
            title: full.pack.title.clone(),
            source: source.to_owned(),
            made_by: admin.label.clone(),
            updated_at: self.now(),
        };
        let details = json!({ "pack": row.pack, "version": full.pack.version });
        let mut event = self.event(&admin.org, &admin.label, "pack.added", details);
        event.workspace = Some(workspace.clone());
        let mut tx = self.store.begin().await?;
        tx.lock_organization(&admin.org).await?;
        tx.put_own_pack(&row).await?;
        if tx.count_own_packs(&admin.org, workspace).await? > MOST {
            return Err(Fault::new(
                Code::QuotaExceeded,
                format!("The workspace has {MOST} packs of its own, and no more fit."),
            )
            .hint("Remove one that nobody uses."));
        }
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(())
    }

    /// The text of a pack that the workspace was given; none of one of the program's.
    pub async fn own_pack_source(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        id: &str,
    ) -> Result<Option<String>, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        let own = self.store.own_pack(&actor.org, workspace, id).await?;
        Ok(own.map(|own| own.source))
    }

    /// What would be wrong with the text of a pack or a flow if it were saved. Saves nothing.
    pub async fn check_text(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        source: &str,
    ) -> Result<Checked, Fault> {
        if is_pack(source).await? {
            self.check_pack(actor, workspace, source).await
        } else {
            self.check_flow(actor, workspace, source).await
        }
    }

    /// What would be wrong with the text of a pack if it were kept. Keeps nothing.
    pub async fn check_pack(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        source: &str,
    ) -> Result<Checked, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        self.rates.one_more(&credential_of_person(&actor.user)?)?;
        let (_, mut checked) = self.read_pack_text(&actor.org, source).await?;
        let Some(id) = checked.name.clone() else {
            return Ok(checked);
        };
        if self.has_shipped(&actor.org, workspace, &id).await? {
            let source = source.to_owned();
            let problem = off_the_threads(move || {
                let fault = taken(&id);
                let message = format!("{} {}", fault.message, fault.hint.unwrap_or_default());
                Text::new(&source, "").problem_at(&["id"], message)
            });
            checked.problems.push(problem.await?);
        }
        Ok(checked)
    }

    /// The pack, if the text has no problems, and all that was found.
    async fn read_pack_text(
        &self,
        org: &OrgId,
        source: &str,
    ) -> Result<(Option<PackInFull>, Checked), Fault> {
        let mut checked = Checked::default();
        let text = source.to_owned();
        let full = match off_the_threads(move || PackInFull::read(&text, "")).await? {
            Ok(full) => full,
            Err(problems) => {
                checked.problems = problems;
                return Ok((None, checked));
            }
        };
        checked.name = Some(full.pack.id.clone());
        let mut programs: Vec<(Vec<String>, _)> = Vec::new();
        for (at, flow) in full.pack.flows.iter().enumerate() {
            for (within, program) in flow.programs() {
                let place = ["flows".to_owned(), at.to_string()];
                programs.push((place.into_iter().chain(within).collect(), program));
            }
        }
        checked.problems = self.wrong_expressions(org, source, programs).await?;
        if !checked.problems.is_empty() {
            return Ok((None, checked));
        }
        let expressions = OfTests { app: self, org };
        let tested = in_time(test_pack(&full.pack, &expressions)).await?;
        let named = tested.into_iter().map(|tested| {
            let flow = tested.flow.clone();
            let outcome = TestOutcome::from(tested);
            TestOutcome {
                name: format!("{flow}: {}", outcome.name),
                ..outcome
            }
        });
        checked.tests = named.collect();
        Ok((Some(full), checked))
    }

    /// Whether the id is of a pack of the program, and of none that the workspace was given before there was one.
    async fn has_shipped(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        id: &str,
    ) -> Result<bool, Fault> {
        let is_shipped = shipped::all()?.iter().any(|one| one.pack.id == id);
        Ok(is_shipped && self.store.own_pack(org, workspace, id).await?.is_none())
    }

    /// What a workspace can install, by id.
    pub(super) async fn known_packs(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
    ) -> Result<Vec<Known>, Fault> {
        let own = self.store.own_packs(org, workspace).await?;
        let mut known = off_the_threads(move || {
            own.iter()
                .filter_map(|own| read_kept(own).map(Known::own))
                .collect::<Vec<Known>>()
        })
        .await?;
        for full in shipped::all()? {
            if known.iter().all(|own| own.full.pack.id != full.pack.id) {
                known.push(Known::shipped(full));
            }
        }
        known.sort_by(|one, other| one.full.pack.id.cmp(&other.full.pack.id));
        Ok(known)
    }

    /// One of them.
    pub(super) async fn known_pack(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        id: &str,
    ) -> Result<Option<Known>, Fault> {
        if let Some(own) = self.store.own_pack(org, workspace, id).await? {
            let read = off_the_threads(move || read_kept(&own)).await?;
            return Ok(read.map(Known::own));
        }
        let mut shipped = shipped::all()?.iter();
        Ok(shipped.find(|one| one.pack.id == id).map(Known::shipped))
    }
}

/// A text that was checked when it was kept. One that this program reads no more is as if it were not there.
fn read_kept(own: &OwnPack) -> Option<PackInFull> {
    match PackInFull::kept(&own.source) {
        Ok(full) => Some(full),
        Err(problems) => {
            let problem = problems
                .first()
                .map(ToString::to_string)
                .unwrap_or_default();
            tracing::warn!(pack = %own.pack, problem, "a pack that was given cannot be read any more");
            None
        }
    }
}
