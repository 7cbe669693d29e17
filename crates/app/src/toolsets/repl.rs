//! `repl_execute`: Python with the caller's connected accounts.
//!
//! - `accounts`: what of them a session is given; `network`: where programs may go with it
//! - `mounts`: files of skills and memory; `shown`: what the caller gets to read

mod accounts;
mod mounts;
mod network;
mod shown;

pub(crate) use network::Python;
pub use network::{PythonEgress, PythonSettings};

use super::{Open, Tool, structured};
use crate::App;
use crate::guard::Admitted;
use mounts::Files;
use network::Way;
use quaymaster_core::id::{UserId, WorkspaceId};
use quaymaster_core::tool::{Nature, ToolResult};
use quaymaster_core::{Caller, Fault};
use quaymaster_sandbox::{MAX_TIME, Program, PythonEnding, Ran, USUAL_TIME, Visit, Wanted};
use quaymaster_store::call::CallRow;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

pub(super) const INSTRUCTIONS: &str = "repl_execute runs Python. Names stay defined between calls. The credentials of \
     connected services are environment variables, as WILDBERRIES_API_KEY; only the hosts of those services can be \
     reached. Use it to call a service many times, and to compute.";

const RUNS: Nature = Nature {
    read_only: false,
    destructive: true,
    idempotent: false,
    open_world: true,
};

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReplExecute {
    /// Python 3. The value of the last expression is the result; what is printed is captured.
    #[schemars(length(min = 1, max = 262_144))]
    code: String,
    /// Skills whose scripts shall be at `/mnt/skills/<id>/`. Without it, as in the session's last call.
    #[serde(default)]
    #[schemars(length(max = 20))]
    skills: Option<Vec<String>>,
    /// Services whose credentials the session shall have, as `ozon` or `ozon:main`; all connected ones unless
    /// said otherwise. Without it, as in the session's last call.
    #[serde(default)]
    #[schemars(length(max = 100))]
    services: Option<Vec<String>>,
    /// Seconds after which it is interrupted, 1 to 120; 30 unless said otherwise.
    #[serde(default)]
    #[schemars(range(min = 1, max = 120))]
    timeout_s: Option<u64>,
    /// Begin with a fresh session.
    #[serde(default)]
    reset: bool,
}

/// What a session's calls asked it to have.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
struct Choice {
    skills: Option<Vec<String>>,
    services: Option<Vec<String>>,
}

pub(super) fn tools() -> Result<Vec<Tool>, Fault> {
    Ok(vec![
        Tool::new::<ReplExecute, Open>(
            "repl_execute",
            "Run Python",
            "Runs Python in a session of yours that keeps its state between calls. Credentials of connected services \
             are environment variables, named SERVICE_FIELD, and with several accounts SERVICE_FIELD__ACCOUNT; \
             only the hosts of these services can be reached. /scratch can be written; /mnt/memory has your memory as it \
             was when the session began. The answer has stdout, stderr, \
             result, and state: kept, new or lost, with the reason.",
            RUNS,
            |app, admitted, request| Box::pin(run(app, admitted, request)),
        )?
        .without_output_schema(),
    ])
}

/// Whose session it is. Nobody else's key is the same: ids have no separator in them.
fn key_of(caller: &Caller) -> String {
    let user = caller.user().map_or("-", UserId::as_str);
    let workspace = caller.files().map_or("-", WorkspaceId::as_str);
    format!("{}|{user}|{workspace}", caller.org)
}

async fn run(app: &App, admitted: Admitted, request: ReplExecute) -> Result<ToolResult, Fault> {
    let caller = admitted.caller();
    let key = key_of(caller);
    let before = (!request.reset)
        .then(|| app.python.sessions.note(&key))
        .flatten();
    let before: Choice = before
        .and_then(|note| serde_json::from_value(note).ok())
        .unwrap_or_default();
    let choice = Choice {
        skills: request.skills.or(before.skills),
        services: request.services.or(before.services),
    };
    let skills = choice.skills.as_deref().unwrap_or_default();
    let files = Files::of(app, caller, skills).await?;
    let given = accounts::given(app, caller, choice.services.as_deref()).await?;
    let way = Way::new(app, &given.places);
    let mut environment = given.variables.clone();
    environment.extend(app.python.authority_variables());
    let wanted = Wanted {
        key,
        tenant: caller.org.to_string(),
        having: json!([given.having(), files.having()]).to_string(),
        note: json!(choice),
        environment: environment.clone(),
        mounts: Arc::new(files),
        network: way.map(|way| Arc::new(way) as _),
        reset: request.reset,
    };
    let time = request.timeout_s.map_or(USUAL_TIME, Duration::from_secs);
    let program = Program {
        code: request.code,
        time: time.min(MAX_TIME),
    };
    for account in &given.accounts {
        admitted.reached(account.clone(), None);
    }
    let cancel = &admitted.call().ctx.cancel;
    let ran = app.python.sessions.run(wanted, &program, cancel).await?;
    let redactor = given.redactor(&environment, &ran.known);
    for visit in &ran.visits {
        // A program can write anything where a host is asked for.
        let host = redactor.tidy(&visit.host);
        app.audit(visited(app, &admitted, visit, &host, &ran)).await;
    }
    let shown = shown::of(&ran, &given, &redactor);
    match &ran.ending {
        PythonEnding::Ok(_) | PythonEnding::Exit(_) => structured(&shown),
        _ => Err(shown::fault(&ran, shown, &redactor, time)),
    }
}

/// The audit row of a host that a program reached or wanted to reach.
fn visited(app: &App, admitted: &Admitted, visit: &Visit, host: &str, ran: &Ran) -> CallRow {
    let (caller, call) = (admitted.caller(), admitted.call());
    CallRow {
        id: app.fresh_call_id(),
        org: caller.org.clone(),
        workspace: Some(admitted.workspace().id.clone()),
        credential: caller.credential.clone(),
        user: caller.user().cloned(),
        tool: format!("{host}:{}", visit.port),
        source: "python".to_owned(),
        client: None,
        started_at: call.ctx.started,
        duration_us: i64::try_from(ran.total.as_micros()).unwrap_or(i64::MAX),
        transport: "answered".to_owned(),
        protocol: "result".to_owned(),
        outcome: match visit.refused {
            None => "OK",
            Some(_) => quaymaster_core::Code::Forbidden.name(),
        }
        .to_owned(),
        accounts: None,
        upstream_status: None,
        files: Vec::new(),
    }
}
