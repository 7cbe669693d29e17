//! Databases that are files of workspaces: one statement over the bytes of a file, and what it made of them back into the file.
//!
//! Agents write such files, so nothing here opens one: a locked worker does ([`sqlite`]). A statement that may change something
//! runs alone over its file in this process, and its bytes are written only over those that were read.

mod faults;

use crate::App;
use crate::actor::Actor;
use crate::connections::Fields;
use crate::homes::blocking;
use crate::invoke::Target;
use crate::workspaces::unknown_workspace;
use quaymaster_connectors::sql::{Answer, DatabaseFile, Databases, Query};
use quaymaster_core::door::Fut;
use quaymaster_core::id::{OrgId, WorkspaceId};
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::{Code, Fault};
use quaymaster_files::{Home, RelPath};
use quaymaster_sandbox::sqlite;
use quaymaster_store::file_change::{Changing, FileChange};
use quaymaster_store::workspace::Workspace;
use std::collections::HashMap;
use std::fs::File;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

/// Files beside a database without which it is not whole (sqlite.org/tempfiles.html).
const BESIDE: [&str; 2] = ["-wal", "-journal"];
/// How often a statement is run again, over what somebody else made of the file meanwhile.
const AGAIN: u32 = 1;

type Places = HashMap<(WorkspaceId, String), Arc<tokio::sync::Mutex<()>>>;

/// Where statements over files run, and who changes a file now.
pub(crate) struct FileDatabases {
    workers: sqlite::Pool,
    changing: Mutex<Places>,
}

impl Default for FileDatabases {
    /// For as many statements as there are processors, and two more.
    fn default() -> FileDatabases {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        FileDatabases {
            workers: sqlite::Pool::new(processors + 2),
            changing: Mutex::default(),
        }
    }
}

impl FileDatabases {
    /// Waits until nobody else changes that file.
    async fn alone(&self, workspace: &WorkspaceId, path: &str) -> OwnedMutexGuard<()> {
        let place = {
            let mut places = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
            // Those that nobody holds or waits for.
            places.retain(|_, place| Arc::strong_count(place) > 1);
            let key = (workspace.clone(), path.to_owned());
            places.entry(key).or_default().clone()
        };
        place.lock_owned().await
    }
}

/// The files that a call reaches: those of the organization.
pub(crate) struct Reachable<'a> {
    app: &'a App,
    org: &'a OrgId,
    /// The connection, as histories of files name it.
    connection: String,
}

impl<'a> Reachable<'a> {
    /// An end user has no files here, whatever an account of theirs says.
    pub(crate) fn of(app: &'a App, target: &Target<'a>) -> Result<Reachable<'a>, Fault> {
        let theirs = target
            .connected
            .is_some_and(|connected| connected.connection.end_user.is_some());
        if theirs {
            let message = "An account of an end user reaches no file of a workspace.";
            return Err(Fault::new(Code::Forbidden, message));
        }
        Ok(Reachable {
            app,
            org: target.org,
            connection: format!("{}:{}", target.connector, target.name),
        })
    }
}

impl Databases for Reachable<'_> {
    fn run<'a>(
        &'a self,
        file: &'a DatabaseFile<'a>,
        query: &'a Query<'a>,
    ) -> Fut<'a, Result<Answer, Fault>> {
        Box::pin(self.run_over(file, query))
    }
}

/// A database that was opened, as a file.
struct Opened {
    file: File,
    size: u64,
    etag: String,
}

impl Reachable<'_> {
    async fn run_over(&self, file: &DatabaseFile<'_>, query: &Query<'_>) -> Result<Answer, Fault> {
        let deadline = Instant::now() + query.timeout;
        let workspace = self.app.workspace_of_file(self.org, file.workspace).await?;
        let path = RelPath::parse(file.path, "/file")?.to_string();
        if query.read_only {
            return self.run_once(&workspace, &path, query, deadline).await;
        }
        let alone = self.app.databases.alone(&workspace.id, &path);
        let _alone = tokio::time::timeout_at(deadline, alone)
            .await
            .map_err(|_| faults::busy(&path))?;
        let mut left = AGAIN;
        loop {
            match self.run_once(&workspace, &path, query, deadline).await {
                // A file tool was faster. Nothing of the statement was kept.
                Err(fault) if fault.code == Code::PreconditionFailed && left > 0 => left -= 1,
                done => return done,
            }
        }
    }

    async fn run_once(
        &self,
        workspace: &Workspace,
        path: &str,
        query: &Query<'_>,
        deadline: Instant,
    ) -> Result<Answer, Fault> {
        let app = self.app;
        let home = app.home(workspace).await?;
        let opened = {
            let _turn = app.file_turn(&workspace.id).await?;
            let (home, path) = (home.clone(), path.to_owned());
            blocking(move || open(&home, &path)).await?
        };
        let asked = sqlite::Query {
            text: query.text,
            params: query.params,
            read_only: query.read_only,
            max_rows: query.max_rows,
            max_bytes: query.max_bytes,
            time: deadline.saturating_duration_since(Instant::now()),
        };
        let workers = &app.databases.workers;
        let ran = workers
            .run(workspace.org.as_str(), &asked, opened.file, opened.size)
            .await?;
        let answer = ran.map_err(|failed| faults::of(failed, path, query))?;
        if let Some(image) = answer.image {
            let was = opened.etag.clone();
            let etag = {
                let _turn = app.file_turn(&workspace.id).await?;
                let path = path.to_owned();
                blocking(move || home.replace_file(&path, &image, &opened.etag)).await?
            };
            if etag != was {
                self.tell(workspace, path, etag).await;
            }
        }
        Ok(Answer {
            columns: answer.columns,
            rows: answer.rows,
            affected: answer.affected,
        })
    }

    /// Puts the change into the file's history. The file has changed before, and is not changed back.
    async fn tell(&self, workspace: &Workspace, path: &str, etag: String) {
        let app = self.app;
        let id = app.fresh_call_id();
        let of = Changing {
            id: id.as_str(),
            org: self.org,
            workspace: &workspace.id,
            at: app.now(),
            action: "execute",
            actor: &self.connection,
        };
        let file = FileChange {
            path: path.to_owned(),
            other: None,
            etag: Some(etag),
        };
        let recorded = async {
            let mut tx = app.store.begin().await?;
            tx.record_file(of, file).await?;
            tx.commit().await
        };
        if let Err(error) = recorded.await {
            tracing::error!(%error, "a change of a database was not recorded");
        }
    }
}

impl App {
    /// Refuses a file of a workspace that is not there for whoever connects it. One that is there is kept by
    /// the workspace's id: a name can be another's later.
    pub(crate) async fn must_reach_file(
        &self,
        actor: &Actor,
        connector: &str,
        fields: &mut Fields,
    ) -> Result<(), Fault> {
        if actor.reach.is_whole() || !self.definition(&actor.org, connector).await?.is_file() {
            return Ok(());
        }
        let named = fields.0.get_mut("workspace").ok_or_else(|| {
            Fault::invalid_arg("/fields/workspace", "required", "Workspace is needed.")
        })?;
        let found = match self.workspace_of_file(&actor.org, named.trim()).await {
            Err(fault) if fault.code != Code::NotFound => return Err(fault),
            found => found.ok(),
        };
        // One message for both: names of others are not told.
        let found = found.filter(|found| actor.reaches(Some(&found.id)));
        let found = found
            .ok_or_else(|| unknown_workspace().hint("GET /api/v1/workspaces lists the ids."))?;
        *named = found.id.to_string();
        Ok(())
    }

    /// A workspace of the organization, by its id, name or slug.
    async fn workspace_of_file(&self, org: &OrgId, wanted: &str) -> Result<Arc<Workspace>, Fault> {
        if let Ok(id) = wanted.parse::<WorkspaceId>() {
            return self.believed_workspace(org, &id).await;
        }
        let all = self.store.workspaces(org).await?;
        let found = all
            .iter()
            .find(|one| one.name == wanted)
            .or_else(|| all.iter().find(|one| one.slug == wanted));
        match found {
            Some(found) => Ok(Arc::new(found.clone())),
            None => {
                let shown = quaymaster_core::schema::shorten(wanted);
                let close = did_you_mean(wanted, all.iter().map(|one| one.name.as_str()), 1);
                let message = format!("There is no workspace called {shown:?}.");
                Err(Fault::not_found(message).meant(&close))
            }
        }
    }
}

fn open(home: &Home, path: &str) -> Result<Opened, Fault> {
    let download = home.open_download(path).map_err(|mut fault| {
        if fault.code == Code::NotFound && fault.hint.is_none() {
            let hint = "A file without any bytes is an empty database: make one with write_file.";
            fault.hint = Some(hint.to_owned());
        }
        fault
    })?;
    // Beside the file itself, where a link leads to it.
    for beside in BESIDE {
        let other = format!("{}{beside}", download.path);
        if home.has_bytes(&other)? {
            return Err(faults::unfinished(path, &other));
        }
    }
    Ok(Opened {
        size: download.size,
        etag: download.etag.clone(),
        file: download.into_file(),
    })
}
