//! What the programs of the tests can call.

use quaymaster_core::tool::JsonObject;
use quaymaster_core::{Code, Fault, Fut};
use quaymaster_sandbox::HostCalls;
use serde_json::{Value, json};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

#[derive(Default)]
pub(crate) struct Actions {
    seen: Mutex<Vec<String>>,
    running: AtomicUsize,
    peak: AtomicUsize,
    dropped: AtomicUsize,
}

impl Actions {
    /// Names of all calls, as they came.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no panic").clone()
    }

    /// The most calls at the same time.
    pub(crate) fn peak(&self) -> usize {
        self.peak.load(Ordering::SeqCst)
    }

    /// Calls whose answer nobody waited for any more.
    pub(crate) fn dropped(&self) -> usize {
        self.dropped.load(Ordering::SeqCst)
    }
}

/// A call while it runs.
struct Running<'a> {
    actions: &'a Actions,
    answered: bool,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.actions.running.fetch_sub(1, Ordering::SeqCst);
        if !self.answered {
            self.actions.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl HostCalls for Actions {
    fn call<'a>(
        &'a self,
        alias: &'a str,
        action: &'a str,
        input: JsonObject,
    ) -> Fut<'a, Result<Value, Fault>> {
        Box::pin(async move {
            self.seen
                .lock()
                .expect("no panic")
                .push(format!("{alias}.{action}"));
            let now = self.running.fetch_add(1, Ordering::SeqCst) + 1;
            self.peak.fetch_max(now, Ordering::SeqCst);
            let mut running = Running {
                actions: self,
                answered: false,
            };
            let answer = answer(action, &input).await;
            running.answered = true;
            answer
        })
    }
}

async fn answer(action: &str, input: &JsonObject) -> Result<Value, Fault> {
    let number = |name: &str| input.get(name).and_then(Value::as_u64).unwrap_or(0);
    match action {
        "slow" => {
            tokio::time::sleep(Duration::from_millis(number("ms"))).await;
            Ok(json!(number("ms")))
        }
        "never" => std::future::pending().await,
        "fail" => Err(Fault::new(Code::RateLimited, "Too many.")
            .hint("Wait.")
            .detail("retry_after_s", 3)),
        "denied" => Err(Fault::new(Code::ScopeDenied, "Not for you.")),
        "big" => Ok(json!("x".repeat(number("bytes") as usize))),
        "deep" => Ok((0..number("levels")).fold(json!(1), |inner, _| json!([inner]))),
        // What is locked wins over what the program says.
        _ => {
            let mut answer = input.clone();
            if answer.contains_key("locked") {
                answer.insert("locked".to_owned(), json!("ours"));
            }
            Ok(Value::Object(answer))
        }
    }
}
