//! Everything wired together.

use crate::admit::Callers;
use crate::audit::Audit;
use crate::caps::Caps;
use crate::catalog::Ready;
use crate::changes::Changes;
use crate::connections::Renewals;
use crate::databases::FileDatabases;
use crate::discovery::Discovered;
use crate::documents::shelf::Shelf;
use crate::documents::{AT_A_TIME, Arriving, Wake};
use crate::files::DocumentTexts;
use crate::flows::{
    FlowRates, OpenRuns, Past, RunEnds, RunLimits, Together, Watched, new_runs, past_runs, run_ends,
};
use crate::guesses::Guesses;
use crate::homes::Homes;
use crate::isolation::Tried;
use crate::mail::{MailLimits, MailSettings, Mailer};
use crate::oauth::{Documents, REFRESH_BURST, REFRESHES_A_SECOND};
use crate::password::Passwords;
use crate::rate::Rates;
use crate::toolsets::Toolsets;
use crate::toolsets::repl::{Python, PythonSettings};
use crate::uploads::UploadSigner;
use quaymaster_connectors::catalog::Catalog;
use quaymaster_connectors::send::Sender;
use quaymaster_core::clock::{Clock, Entropy};
use quaymaster_core::id::{CallId, EventId, OrgId, ServerId};
use quaymaster_core::{Code, Fault, Instant};
use quaymaster_egress::Egress;
use quaymaster_files::Staging;
use quaymaster_sandbox::{Extractor, Pool, PoolOptions, Sessions, jq};
use quaymaster_store::event::Event;
use quaymaster_store::flow_run::Run;
use quaymaster_store::{Store, StoreError};
use secrecy::SecretString;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::{Notify, OnceCell, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Password resets that wait for the mail server.
const RESETS_AT_A_TIME: usize = 32;

/// What an operator decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the server is reached from outside, without a trailing slash.
    pub public_url: String,
    /// The name in `initialize` and in the public information.
    pub server_name: String,
    /// The name for people.
    pub server_title: String,
    /// Where the home directories are.
    pub data: PathBuf,
    /// A directory of connectors beside those in the program, or in their places.
    pub definitions: Option<PathBuf>,
    /// Tool calls a day for a new workspace.
    pub daily_cap: i64,
    /// Bytes for a new workspace.
    pub quota_bytes: i64,
    /// Bytes of one document of the knowledge base, and of all documents of an organization.
    pub document_bytes: i64,
    pub documents_quota_bytes: i64,
    /// Bytes of all memory of an organization, the versions that are kept included.
    pub memory_quota_bytes: i64,
    /// Tool calls a second for one credential; bursts of twice as many pass.
    pub calls_per_second: u32,
    /// By which an operator's own backend makes organizations; none turns that off.
    pub service_key: Option<SecretString>,
    /// How mail goes out; without it, links are shown to whoever made them and nothing is sent.
    pub mail: Option<MailSettings>,
    /// How Python runs.
    pub python: PythonSettings,
}

impl Settings {
    pub fn endpoint(&self) -> String {
        format!("{}/mcp", self.public_url)
    }

    /// The endpoint of a hosted server, under the shorter of its two addresses.
    pub fn endpoint_of(&self, server: &ServerId) -> String {
        format!("{}/mcp/{server}", self.public_url)
    }

    /// The same endpoint where the management API has it.
    pub fn protocol_of(&self, server: &ServerId) -> String {
        format!("{}/api/v1/mcp/servers/{server}/protocol", self.public_url)
    }
}

/// The ways out of the machine, apart: what an operator lets one reach, the other does not.
pub struct WaysOut {
    /// To outside services, by connectors that administrators set up.
    pub services: Egress,
    /// To the metadata of OAuth clients, at addresses that any member may name.
    pub client_metadata: Egress,
}

/// The product behind its doors. Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub(crate) inner: Arc<Inner>,
}

/// What [`App`] shares. Reached through it only.
pub struct Inner {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) entropy: Arc<dyn Entropy>,
    pub(crate) settings: Settings,
    /// The connectors of everybody.
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) ready: Ready,
    pub(crate) discovered: Discovered,
    pub(crate) sender: Sender,
    /// The way to the authorization servers of services.
    pub(crate) services: Egress,
    pub(crate) renewals: Renewals,
    pub(crate) callers: Callers,
    /// Bad tokens, and bad passwords: nobody clears one by the other.
    pub(crate) guesses: Guesses,
    pub(crate) password_guesses: Guesses,
    /// "Forgot password", and how many of them are worked on at a time.
    pub(crate) reset_requests: Guesses,
    pub(crate) reset_room: Arc<Semaphore>,
    pub(crate) mailer: Option<Mailer>,
    pub(crate) mail_limits: MailLimits,
    pub(crate) rates: Rates,
    /// Refreshes of OAuth grants.
    pub(crate) refreshes: Rates,
    pub(crate) caps: Caps,
    pub(crate) audit: Audit,
    pub(crate) changes: Changes,
    pub(crate) homes: Homes,
    /// Those of their files that are databases.
    pub(crate) databases: FileDatabases,
    /// The bytes of documents, and who places or removes some.
    pub(crate) shelf: Shelf,
    pub(crate) shelving: tokio::sync::Mutex<()>,
    pub(crate) arriving: Arc<Arriving>,
    /// What arrives by upload sessions; opened when it is needed.
    pub(crate) staged_documents: tokio::sync::OnceCell<Arc<Staging>>,
    /// Where documents are read, and what tells of work.
    pub(crate) extractor: Extractor,
    pub(crate) document_texts: DocumentTexts,
    pub(crate) wake: Wake,
    pub(crate) toolsets: Toolsets,
    /// Where programs run.
    pub(crate) pool: Pool,
    /// Where expressions of flows are evaluated, and how often their steps run.
    pub(crate) jq: jq::Pool,
    pub(crate) flow_rates: FlowRates,
    pub(crate) run_limits: RunLimits,
    /// Runs that wait: what tells of one, how many there are, what is written of them together, and who
    /// looks on.
    pub(crate) run_wake: Notify,
    pub(crate) open_runs: OpenRuns,
    pub(crate) new_runs: Together<Run>,
    pub(crate) run_ends: RunEnds,
    pub(crate) past_runs: Together<Past>,
    pub(crate) watched: Watched,
    pub(crate) python: Python,
    pub(crate) isolation: OnceCell<Tried>,
    pub(crate) passwords: Passwords,
    pub(crate) signer: UploadSigner,
    pub(crate) csrf: quaymaster_store::keys::InstanceSecret,
    /// Protects what MCP clients keep between a question and its answer.
    protocol_key: quaymaster_store::keys::InstanceSecret,
    /// Signs the ids of OAuth clients that registered.
    pub(crate) client_key: quaymaster_store::keys::InstanceSecret,
    /// Makes the secrets of setup links.
    pub(crate) link_key: quaymaster_store::keys::InstanceSecret,
    /// Makes the codes that stand for anonymous callers in records of runs.
    pub(crate) owner_key: quaymaster_store::keys::InstanceSecret,
    pub(crate) documents: Documents,
    pub(crate) tasks: TaskTracker,
    pub(crate) stop: CancellationToken,
}

impl std::ops::Deref for App {
    type Target = Inner;
    fn deref(&self) -> &Inner {
        &self.inner
    }
}

impl App {
    /// Wires the product over an open store and starts its background tasks.
    pub async fn start(
        store: Store,
        settings: Settings,
        ways_out: WaysOut,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<App, Fault> {
        let now = clock.now();
        let upload_key = store.instance_secret("uploads", now, &*entropy).await?;
        let csrf = store.instance_secret("csrf", now, &*entropy).await?;
        let client_key = store
            .instance_secret("oauth_clients", now, &*entropy)
            .await?;
        let protocol_key = store.instance_secret("mcp_state", now, &*entropy).await?;
        let link_key = store.instance_secret("setup_links", now, &*entropy).await?;
        let owner_key = store.instance_secret("run_owners", now, &*entropy).await?;
        let sessions = Sessions::new(settings.python.options.clone(), entropy.clone());
        let inner = Inner {
            protocol_key,
            catalog: Arc::new(catalog(&settings)?),
            ready: Ready::default(),
            discovered: Discovered::default(),
            sender: Sender::new(ways_out.services.clone(), clock.clone()),
            services: ways_out.services,
            renewals: Renewals::default(),
            client_key,
            link_key,
            owner_key,
            documents: Documents::new(ways_out.client_metadata),
            callers: Callers::default(),
            guesses: Guesses::default(),
            password_guesses: Guesses::by_place(),
            reset_requests: Guesses::by_place(),
            reset_room: Arc::new(Semaphore::new(RESETS_AT_A_TIME)),
            mailer: settings.mail.as_ref().map(Mailer::new).transpose()?,
            mail_limits: MailLimits::default(),
            rates: Rates::new(settings.calls_per_second),
            refreshes: Rates::with_burst(REFRESHES_A_SECOND, REFRESH_BURST),
            caps: Caps::default(),
            audit: Audit::default(),
            changes: Changes::starting_at(now),
            homes: Homes::new(settings.data.join("workspaces")),
            databases: FileDatabases::default(),
            shelf: Shelf::new(&settings.data),
            shelving: tokio::sync::Mutex::default(),
            arriving: Arc::default(),
            staged_documents: tokio::sync::OnceCell::new(),
            extractor: Extractor::new(AT_A_TIME),
            document_texts: DocumentTexts::default(),
            wake: Wake::default(),
            toolsets: Toolsets::new()?,
            pool: Pool::new(PoolOptions::default()),
            jq: jq::Pool::new(jq::Options::default()),
            flow_rates: FlowRates::default(),
            run_limits: RunLimits::default(),
            run_wake: Notify::new(),
            open_runs: OpenRuns::default(),
            new_runs: new_runs(),
            run_ends: run_ends(),
            past_runs: past_runs(),
            watched: Watched::default(),
            python: Python::new(&settings.python, sessions),
            isolation: OnceCell::new(),
            passwords: Passwords::default(),
            signer: UploadSigner::new(upload_key),
            csrf,
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
            store,
            clock,
            entropy,
            settings,
        };
        let app = App {
            inner: Arc::new(inner),
        };
        app.tasks.spawn(app.clone().follow_events());
        app.tasks.spawn(app.clone().write_audit());
        app.tasks.spawn(app.clone().sweep());
        Ok(app)
    }

    /// Lets running calls end (at most `patience`), writes what is queued, gives leases back.
    pub async fn shut_down(&self, patience: std::time::Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("some calls were still running at the end and were left behind");
        }
        // Taking leave of others' servers may not keep this one.
        let _ = tokio::time::timeout(patience, self.sender.end_sessions()).await;
        self.flush_audit().await;
        self.return_leases().await;
        self.store.close().await;
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The key that the protocol's state at clients is protected with, the same on every node.
    pub fn protocol_key(&self) -> &[u8; 32] {
        &self.protocol_key
    }

    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    pub fn fresh_call_id(&self) -> CallId {
        CallId::fresh(&*self.clock, &*self.entropy)
    }

    /// Whether the database answers. For `/health`.
    pub async fn ping(&self) -> Result<(), Fault> {
        Ok(self.store.ping().await?)
    }

    pub fn store_kind(&self) -> &'static str {
        self.store.kind()
    }

    pub(crate) fn event(&self, org: &OrgId, actor: &str, action: &str, details: Value) -> Event {
        Event {
            id: EventId::fresh(&*self.clock, &*self.entropy),
            at: self.now(),
            org: org.clone(),
            workspace: None,
            credential: None,
            actor: actor.to_owned(),
            action: action.to_owned(),
            details,
        }
    }
}

/// The connectors of everybody. Every file of the operator's directory must keep the rules.
fn catalog(settings: &Settings) -> Result<Catalog, Fault> {
    const MOST_TOLD: usize = 20;
    let embedded = Catalog::embedded();
    let Some(directory) = &settings.definitions else {
        return Ok(embedded);
    };
    let (catalog, mut problems) = embedded.with_directory(directory);
    problems.extend(catalog.check_once(&settings.data.join("cache/definitions")));
    if problems.is_empty() {
        return Ok(catalog);
    }
    let lines = problems.iter().take(MOST_TOLD).map(ToString::to_string);
    let mut lines: Vec<String> = lines.collect();
    let more = problems.len() - lines.len();
    if more > 0 {
        lines.push(format!("and {more} more"));
    }
    Err(Fault::new(
        Code::InvalidArg,
        format!(
            "The definitions of connectors in {} have problems.\n{}",
            directory.display(),
            lines.join("\n")
        ),
    )
    .hint("Mend the files, or take them out of the directory."))
}

/// A unique rule refused the change: say so in the words of the caller.
pub(crate) fn duplicate_or(error: StoreError, fault: impl FnOnce() -> Fault) -> Fault {
    if error.is_duplicate() {
        fault()
    } else {
        error.into()
    }
}
