//! Steps of the kind `python`: one program in a session of its own, without network, accounts or memory
//! of the last one.
//!
//! A workspace has one session for this, made anew for each program, so that its programs run one after
//! another and many flows do not take the sessions of people.

use crate::App;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quaymaster_core::door::Fut;
use quaymaster_core::id::{OrgId, WorkspaceId};
use quaymaster_core::{Code, Fault};
use quaymaster_flows::fault::StepFault;
use quaymaster_flows::host::PythonRun;
use quaymaster_sandbox::{
    MAX_TIME, Mount, MountedFile, Mounts, Program, PythonEnding, Ran, Wanted,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Bytes of what a program wrote that a fault tells.
const TOLD: usize = 2_000;

/// Runs around the program: `input` is there, and the value of the last expression comes back as JSON.
const AROUND: &str = r"
import ast as _ast, base64 as _base64, json as _json
with open('/mnt/flow/input.json', encoding='utf-8') as _file:
    input = _json.load(_file)
with open('/mnt/flow/program.py', encoding='utf-8') as _file:
    _tree = _ast.parse(_file.read(), 'step')
_last = _tree.body.pop() if _tree.body and isinstance(_tree.body[-1], _ast.Expr) else None
_names = {'input': input, '__name__': '__main__'}
exec(compile(_tree, 'step', 'exec'), _names)
_value = None if _last is None else eval(compile(_ast.Expression(_last.value), 'step', 'eval'), _names)
_base64.b64encode(_json.dumps(_value, allow_nan=False).encode()).decode()
";

struct Files {
    program: Vec<u8>,
    input: Vec<u8>,
}

impl Mounts for Files {
    fn mounts(&self) -> Fut<'_, Result<Vec<Mount>, Fault>> {
        let file = |path: &str, bytes: &[u8]| MountedFile {
            path: path.to_owned(),
            bytes: bytes.to_vec(),
            executable: false,
        };
        let mount = Mount {
            target: "/mnt/flow".to_owned(),
            files: vec![
                file("input.json", &self.input),
                file("program.py", &self.program),
            ],
        };
        Box::pin(std::future::ready(Ok(vec![mount])))
    }
}

/// Runs the program of a step. Answers the value of its last expression.
pub(super) async fn run(
    app: &App,
    org: &OrgId,
    workspace: &WorkspaceId,
    asked: &PythonRun,
) -> Result<Value, StepFault> {
    let files = Files {
        program: asked.code.clone().into_bytes(),
        input: asked.input.to_string().into_bytes(),
    };
    let wanted = Wanted {
        // Ids have no separator in them, and no key of a person begins so.
        key: format!("flows|{org}|{workspace}"),
        tenant: org.to_string(),
        having: String::new(),
        note: json!({}),
        environment: BTreeMap::new(),
        mounts: Arc::new(files),
        network: None,
        reset: true,
    };
    let time = asked.limits.timeout.min(MAX_TIME);
    let program = Program {
        code: AROUND.to_owned(),
        time,
    };
    // Dropped with the step, which ends the program.
    let cancel = CancellationToken::new();
    let _guard = cancel.clone().drop_guard();
    let ran = app.python.sessions.run(wanted, &program, &cancel).await?;
    value_of(&ran, time.as_secs())
}

fn value_of(ran: &Ran, seconds: u64) -> Result<Value, StepFault> {
    let fault = match &ran.ending {
        PythonEnding::Ok(written) => {
            let written = written.as_deref().unwrap_or_default();
            let coded = written.trim_matches('\'');
            let value = STANDARD.decode(coded).ok();
            let value = value.and_then(|bytes| serde_json::from_slice(&bytes).ok());
            return value.ok_or_else(|| {
                StepFault::flow("The value of the program is too large.")
                    .hint("Return less: at most about 140 KB of JSON.")
            });
        }
        PythonEnding::Error { message, .. } => {
            StepFault::flow(format!("The program failed: {message}"))
        }
        PythonEnding::Exit(_) => StepFault::flow("The program ended itself."),
        PythonEnding::Timeout | PythonEnding::Cancelled => StepFault::new(
            Code::Timeout,
            format!("The program took longer than {seconds} s."),
        ),
        PythonEnding::Memory => StepFault::flow("The program needed more memory than it may."),
        PythonEnding::Died(_) => StepFault::flow("The interpreter ended early."),
    };
    let mut fault = fault;
    let mut told = json!({});
    if let PythonEnding::Error { traceback, .. } = &ran.ending {
        told["traceback"] = end_of(traceback).into();
    }
    let printed = String::from_utf8_lossy(&ran.stdout.bytes);
    if !printed.is_empty() {
        told["stdout"] = end_of(&printed).into();
    }
    fault.details = Some(told);
    Err(fault)
}

/// What stands at the end is what helps.
fn end_of(text: &str) -> &str {
    let from = text.len().saturating_sub(TOLD);
    &text[text.ceil_char_boundary(from)..]
}
