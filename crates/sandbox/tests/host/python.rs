//! Orders that are for Python sessions.

use quaymaster_core::{Fault, Fut};
use quaymaster_sandbox::{
    Mount, MountedFile, Mounts, Network, Program, PythonEnding, Ran, Sessions, Visit, Wanted,
};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// A way out that says who it is, and leads nowhere.
struct Nowhere;

impl Network for Nowhere {
    fn serve(&self, listener: TcpListener) -> Box<dyn Send + Sync> {
        std::thread::spawn(move || {
            use std::io::Write as _;
            while let Ok((mut stream, _)) = listener.accept() {
                let _ = stream.write_all(b"the proxy");
            }
        });
        Box::new(())
    }

    fn visits(&self) -> Vec<Visit> {
        Vec::new()
    }
}

/// Files of a session that are there already.
struct Given(Vec<Mount>);

impl Mounts for Given {
    fn mounts(&self) -> Fut<'_, Result<Vec<Mount>, Fault>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}

pub(crate) async fn obey(order: &Value, sessions: &Sessions) -> Value {
    if order["probe"] == true {
        return match sessions.probe().await {
            Ok(probed) => {
                json!({ "probed": probed.to_string(), "limits": probed.limits, "python": probed.python })
            }
            Err(failure) => json!({ "failed": failure, "fix": failure.fix() }),
        };
    }
    let text = |name: &str| order[name].as_str().unwrap_or_default().to_owned();
    let environment = order["environment"]
        .as_object()
        .cloned()
        .unwrap_or_default();
    let environment: BTreeMap<String, String> = environment
        .into_iter()
        .map(|(name, value)| (name, value.as_str().expect("a text").to_owned()))
        .collect();
    let skills = order["skills"].as_array().cloned().unwrap_or_default();
    let mounts = skills.iter().map(|skill| Mount {
        target: format!("/mnt/skills/{}", skill.as_str().expect("a name")),
        files: vec![MountedFile {
            path: "scripts/run.py".to_owned(),
            bytes: b"print('of the skill')\n".to_vec(),
            executable: true,
        }],
    });
    let many = order["many"].as_u64().map(|many| Mount {
        target: "/mnt/skills/many".to_owned(),
        files: (0..many)
            .map(|n| MountedFile {
                path: format!("{n}.md"),
                bytes: b"small".to_vec(),
                executable: false,
            })
            .collect(),
    });
    let network = (order["network"] == true).then(|| Arc::new(Nowhere) as Arc<dyn Network>);
    let wanted = Wanted {
        key: order["key"].as_str().unwrap_or("one").to_owned(),
        tenant: order["tenant"].as_str().unwrap_or("one").to_owned(),
        having: json!([order["skills"], environment.keys().collect::<Vec<_>>()]).to_string(),
        note: order["skills"].clone(),
        environment,
        mounts: Arc::new(Given(mounts.chain(many).collect())),
        network,
        reset: order["reset"] == true,
    };
    let program = Program {
        code: text("code"),
        time: Duration::from_millis(order["ms"].as_u64().unwrap_or(20_000)),
    };
    match sessions
        .run(wanted, &program, &CancellationToken::new())
        .await
    {
        Ok(ran) => shown(&ran),
        Err(fault) => json!({ "fault": fault }),
    }
}

fn shown(ran: &Ran) -> Value {
    let (ending, said) = match &ran.ending {
        PythonEnding::Ok(result) => ("ok", json!(result)),
        PythonEnding::Exit(code) => ("exit", json!(code)),
        PythonEnding::Error { message, traceback } => ("error", json!([message, traceback])),
        PythonEnding::Timeout => ("timeout", Value::Null),
        PythonEnding::Cancelled => ("cancelled", Value::Null),
        PythonEnding::Memory => ("memory", Value::Null),
        PythonEnding::Died(how) => ("died", json!(how)),
    };
    json!({
        "ending": ending, "said": said,
        "stdout": String::from_utf8_lossy(&ran.stdout.bytes), "stdout_total": ran.stdout.total,
        "stderr": String::from_utf8_lossy(&ran.stderr.bytes),
        "session": ran.session, "state": ran.state.name(), "reason": ran.reason, "limits": ran.limits,
        "known": ran.known,
    })
}
