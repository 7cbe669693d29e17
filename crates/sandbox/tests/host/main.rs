//! A server of nothing but a pool of workers, for the tests: it can be run as another user, with
//! system calls refused to it, and be killed.
//!
//! `quaymaster-sandbox-host [user=<id>] [deny=<call>:<errno>]...` reads one order a line from standard input
//! and writes one answer a line, in the order in which they are ready. Each has the `id` of its order.
//! `quaymaster-sandbox-host bare_jq=<expression>` evaluates it without a worker, to show what workers are for.

#![expect(
    unsafe_code,
    reason = "changes the user, and breaks the rules that workers must be held to"
)]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

mod actions;
mod jq;
mod python;
mod rules;

use actions::Actions;
use quaymaster_core::clock::SystemEntropy;
use quaymaster_sandbox::{
    Language, Limits, Namespace, Pool, PoolOptions, PythonOptions, Run, Sessions,
    jq as expressions, probe, worker,
};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio_util::sync::CancellationToken;

fn main() {
    if worker::is_meant(std::env::args_os()) {
        worker::main_with(std::env::args_os(), Some(rules::break_them));
    }
    let mut python = PythonOptions::default();
    let mut jq = expressions::Options::default();
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    for arg in std::env::args().skip(1) {
        match arg.split_once('=') {
            Some(("bare_jq", program)) => return jq::bare(program),
            Some((name, value)) if name.starts_with("jq_") => jq::set(&mut jq, &name[3..], value),
            Some(("cgroups", "no")) => python.use_cgroups = false,
            Some(("require_cgroup", "yes")) => python.require_cgroup = true,
            Some(("root", root)) => python.root = Some(root.into()),
            Some(("sessions", most)) => python.most = most.parse().expect("a number"),
            Some(("idle_ms", ms)) => python.idle = millis(ms),
            Some(("max_age_ms", ms)) => python.max_age = millis(ms),
            Some(("at_once_of_one", most)) => {
                python.at_once_of_one = most.parse().expect("a number");
            }
            Some(("blocking", most)) => {
                runtime.max_blocking_threads(most.parse().expect("a number"));
            }
            Some(("user", id)) => become_user(id.parse().expect("an id")),
            Some(("deny", what)) => {
                let (call, errno) = what.split_once(':').expect("<call>:<errno>");
                rules::deny(call, errno.parse().expect("an errno"));
            }
            _ => panic!("what is {arg}?"),
        }
    }
    runtime
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(serve(python, jq));
}

fn millis(text: &str) -> Duration {
    Duration::from_millis(text.parse().expect("a number"))
}

fn become_user(id: u32) {
    // SAFETY: no groups, so that the pointer is not read; there is one thread.
    let groups = unsafe { libc::setgroups(0, std::ptr::null()) };
    // SAFETY: takes numbers.
    let group = unsafe { libc::setresgid(id, id, id) };
    // SAFETY: takes numbers.
    let user = unsafe { libc::setresuid(id, id, id) };
    assert_eq!(
        [groups, group, user],
        [0; 3],
        "the user could not be changed"
    );
}

async fn serve(options: PythonOptions, jq: expressions::Options) {
    let pool = Pool::new(PoolOptions::default());
    // Tests of other workers need none of these.
    if std::env::var_os("WITHOUT_JAVASCRIPT").is_none() {
        pool.fill();
    }
    let sessions = Sessions::new(options, Arc::new(SystemEntropy));
    let jq_pool = expressions::Pool::new(jq);
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let actions = Arc::new(Actions::default());
    while let Some(line) = lines.next_line().await.expect("a line") {
        let order: Value = serde_json::from_str(&line).expect("an order");
        let (pool, actions, sessions) = (pool.clone(), Arc::clone(&actions), sessions.clone());
        let jq_pool = jq_pool.clone();
        tokio::spawn(async move {
            let mut answer = match (order.get("python"), order.get("jq")) {
                (Some(order), _) => python::obey(order, &sessions).await,
                (_, Some(order)) => jq::obey(order, &jq_pool).await,
                _ => obey(&order, &pool, actions).await,
            };
            answer["id"] = order["id"].clone();
            println!("{answer}");
        });
    }
}

async fn obey(order: &Value, pool: &Pool, actions: Arc<Actions>) -> Value {
    if order["probe"] == true {
        return match probe().await {
            Ok(probed) => json!({
                "isolation": probed.isolation,
                "lacks": probed.lacks.map(|lacks| json!({ "stage": lacks.stage, "errno": lacks.errno, "fix": lacks.fix() })),
            }),
            Err(failure) => json!({ "failed": failure, "fix": failure.fix() }),
        };
    }
    if order["audit"] == true {
        return json!({ "seen": actions.seen(), "peak": actions.peak(), "dropped": actions.dropped() });
    }
    let most = Limits::default();
    let millis = |name: &str, usual| order[name].as_u64().map_or(usual, Duration::from_millis);
    let limits = Limits {
        wall: millis("wall_ms", most.wall),
        cpu: millis("cpu_ms", most.cpu),
        heap: order["heap"]
            .as_u64()
            .map_or(most.heap, |heap| heap as usize),
    };
    let run = Run {
        code: order["code"].as_str().expect("code").to_owned(),
        language: match order["language"].as_str() {
            Some("js") => Language::Js,
            Some("ts") => Language::Ts,
            _ => Language::Auto,
        },
        namespaces: namespaces(),
        limits,
    };
    let cancel = CancellationToken::new();
    if let Some(after) = order["cancel_ms"].as_u64() {
        let cancel = cancel.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(after)).await;
            cancel.cancel();
        });
    }
    match pool.run(run, actions, cancel).await {
        Ok(outcome) => {
            let mut json = outcome.to_json(&limits);
            json["said"] = json!(outcome.ending.sentence(&limits));
            if let quaymaster_sandbox::Ending::WorkerCrashed { signal, .. } = outcome.ending {
                json["signal"] = json!(signal);
            }
            json
        }
        Err(fault) => json!({ "fault": fault }),
    }
}

fn namespaces() -> Vec<Namespace> {
    let namespace = |alias: &str, actions: &[&str]| Namespace {
        alias: alias.to_owned(),
        actions: actions.iter().map(|&action| action.to_owned()).collect(),
    };
    vec![
        namespace(
            "test",
            &["echo", "slow", "fail", "denied", "big", "deep", "never"],
        ),
        namespace("my-shop", &["get-order", "then"]),
    ]
}
