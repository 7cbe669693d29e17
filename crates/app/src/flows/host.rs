//! What the steps of one run reach: the port of the interpreter, over everything that the server has.

use super::doing::Doing;
use super::journal::Journal;
use super::services::{Reaching, ServiceCall};
use super::vault::Opened;
use super::{http, python};
use crate::App;
use crate::guard::Trace;
use quaymaster_connectors::send::Failure;
use quaymaster_core::door::Fut;
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::tool::Progress;
use quaymaster_core::{Caller, Code, Fault, Instant};
use quaymaster_flows::context::Context;
use quaymaster_flows::expression::Program;
use quaymaster_flows::fault::StepFault;
use quaymaster_flows::format::{Mock, Mocks};
use quaymaster_flows::host::{
    ConnectorCall, FlowCall, Found, Host, HttpRequest, KvRequest, Mark, Recalled, Request,
};
use quaymaster_flows::template::written;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::OnceCell;

/// Of a key of the workspace's values.
const LONGEST_KEY: usize = 512;

pub(super) struct RunHost {
    pub(super) app: App,
    pub(super) workspace: WorkspaceId,
    /// As whom connectors are called: sees the catalog and the accounts of the workspace.
    pub(super) caller: Caller,
    pub(super) trace: Trace,
    pub(super) progress: Option<Arc<dyn Progress>>,
    pub(super) journal: Journal,
    pub(super) doing: Doing,
    secrets: OnceCell<Opened>,
    /// By the ids of steps, with how often each was asked.
    mocks: HashMap<String, (Mocks, AtomicUsize)>,
}

impl RunHost {
    pub(super) fn new(
        app: App,
        workspace: WorkspaceId,
        caller: Caller,
        trace: Trace,
        progress: Option<Arc<dyn Progress>>,
        journal: Journal,
    ) -> Self {
        RunHost {
            app,
            workspace,
            caller,
            trace,
            progress,
            journal,
            doing: Doing::default(),
            secrets: OnceCell::new(),
            mocks: HashMap::new(),
        }
    }

    /// Answers steps of these ids with what is made up.
    pub(super) fn with_mocks(mut self, mocks: HashMap<String, Mocks>) -> Self {
        let counted = |mocks| (mocks, AtomicUsize::new(0));
        self.mocks = mocks
            .into_iter()
            .map(|(step, mocks)| (step, counted(mocks)))
            .collect();
        self
    }

    fn mocked(&self, step: &str) -> Option<Result<Value, StepFault>> {
        let last = step.rsplit('.').next().unwrap_or(step);
        let (mocks, asked) = self.mocks.get(step).or_else(|| self.mocks.get(last))?;
        let mock = mocks.turn(asked.fetch_add(1, Ordering::Relaxed))?;
        Some(match mock {
            Mock::Returns(answer) => Ok(answer.clone()),
            Mock::Fails(fault) => {
                let mut failed = StepFault::new(fault.code.code(), fault.message.clone());
                failed.status = fault.status;
                failed.retryable |= fault.retryable;
                Err(failed)
            }
        })
    }

    /// Opened when the first step needs them.
    async fn secrets(&self) -> Result<&Opened, Fault> {
        let opening = || Opened::of(&self.app, &self.caller.org, &self.workspace);
        self.secrets.get_or_try_init(opening).await
    }

    /// Takes out what secrets came by after all, for what is kept or answered.
    pub(super) fn redact(&self, value: &mut Value) {
        if let Some(opened) = self.secrets.get() {
            opened.redactor().value(value);
        }
    }

    pub(super) fn redact_fault(&self, fault: &mut Fault) {
        if let Some(opened) = self.secrets.get() {
            opened.redactor().fault(fault);
        }
    }

    fn reaching(&self) -> Reaching<'_> {
        Reaching {
            app: &self.app,
            caller: &self.caller,
            workspace: &self.workspace,
            trace: &self.trace,
        }
    }

    async fn http(&self, request: &HttpRequest) -> Result<Value, StepFault> {
        let has_secret = request
            .query
            .iter()
            .chain(&request.headers)
            .any(|(_, text)| text.secrets().next().is_some());
        let none = Opened::default();
        // Whoever signs in does it with a secret, mostly.
        let secrets = if has_secret || request.auth.is_some() {
            self.secrets().await?
        } else {
            self.secrets.get().unwrap_or(&none)
        };
        http::send(&self.app.services, request, secrets).await
    }

    async fn call(&self, call: &ConnectorCall) -> Result<Value, StepFault> {
        let mut headers: Vec<(String, String)> = call
            .headers
            .iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name.clone(), written(value)))
            .collect();
        if let Some(key) = &call.idempotency_key {
            headers.push(("Idempotency-Key".to_owned(), key.clone()));
        }
        let call = ServiceCall {
            service: call.service.clone(),
            account: call.account.clone(),
            action: call.action.clone(),
            inputs: call.with.clone(),
            module: call.module.clone(),
            method: call.method.clone(),
            path: call.path.clone(),
            query: call.query.clone(),
            headers,
            body: call.body.clone(),
        };
        self.reaching().call(call).await.map_err(failed)
    }

    async fn kv(&self, request: &KvRequest) -> Result<Value, StepFault> {
        let (org, workspace) = (&self.caller.org, &self.workspace);
        let store = &self.app.store;
        match request {
            KvRequest::Get { key } => {
                let key = kv_key(key)?;
                let found = store.flow_kv(org, workspace, &key, self.app.now()).await;
                let found = found.map_err(Fault::from)?;
                Ok(json!({ "found": found.is_some(), "value": found }))
            }
            KvRequest::Set { key, value, ttl } => {
                let key = kv_key(key)?;
                let expires_at = ttl.map(|ttl| self.app.now().plus_seconds(seconds(ttl)));
                let kept = store
                    .set_flow_kv(org, workspace, &key, value, expires_at)
                    .await;
                if kept.map_err(Fault::from)? {
                    return Ok(json!({ "value": value }));
                }
                Err(StepFault::new(
                    Code::QuotaExceeded,
                    "The flows of the workspace keep as much as they may.",
                )
                .hint("Delete values, or give them a `ttl`."))
            }
            KvRequest::Delete { key } => {
                let found = store.delete_flow_kv(org, workspace, &kv_key(key)?).await;
                Ok(json!({ "found": found.map_err(Fault::from)? }))
            }
        }
    }
}

pub(super) fn after(now: Instant, span: Duration) -> Instant {
    let micros = i64::try_from(span.as_micros()).unwrap_or(i64::MAX);
    Instant::from_micros(now.micros().saturating_add(micros))
}

/// Rounded up: what shall be kept for a moment is kept for a second.
fn seconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis().div_ceil(1_000)).unwrap_or(i64::MAX)
}

fn kv_key(key: &str) -> Result<String, StepFault> {
    if key.is_empty() || key.len() > LONGEST_KEY {
        return Err(StepFault::flow(format!(
            "A key has 1 to {LONGEST_KEY} bytes."
        )));
    }
    Ok(format!("kv/{key}"))
}

/// A call that failed. What does not fit an action is the flow's fault and not its caller's.
fn failed(failure: Failure) -> StepFault {
    let mut fault = failure.fault;
    if matches!(fault.code, Code::InvalidArg | Code::ScopeDenied) {
        fault.code = Code::FlowError;
    }
    let mut step = StepFault::from(fault);
    step.status = failure.status.or(step.status);
    step
}

/// Made-up answers of requests may leave out all but the body.
fn whole(mut answer: Value, request: &Request) -> Value {
    if let (Request::Http(_) | Request::Call(_), Value::Object(members)) = (request, &mut answer) {
        members.entry("status").or_insert(json!(200));
        members.entry("headers").or_insert(json!({}));
        members.entry("body").or_insert(Value::Null);
    }
    answer
}

impl Host for RunHost {
    fn evaluate<'a>(
        &'a self,
        programs: &'a [Program],
        context: &'a Context,
    ) -> Fut<'a, Vec<Result<Value, StepFault>>> {
        Box::pin(async move {
            let _at_work = self.doing.work();
            let values = self.app.evaluate(&self.caller.org, programs, context);
            values.await
        })
    }

    fn perform<'a>(
        &'a self,
        step: &'a str,
        request: &'a Request,
    ) -> Fut<'a, Result<Value, StepFault>> {
        Box::pin(async move {
            let _at_work = self.doing.work();
            self.journal.asks(step, request);
            if let Some(answer) = self.mocked(step) {
                return answer.map(|answer| whole(answer, request));
            }
            match request {
                Request::Http(request) => self.http(request).await,
                Request::Call(call) => self.call(call).await,
                Request::Mcp(call) => {
                    let reaching = self.reaching();
                    let arguments = call.arguments.clone();
                    let called = reaching.tool(&call.connection, &call.tool, arguments);
                    called.await.map_err(failed)
                }
                Request::Sql(asked) => self.reaching().query(asked).await.map_err(failed),
                Request::Python(asked) => {
                    python::run(&self.app, &self.caller.org, &self.workspace, asked).await
                }
                Request::Kv(request) => self.kv(request).await,
            }
        })
    }

    fn flow<'a>(&'a self, step: &'a str, call: &'a FlowCall) -> Fut<'a, Result<Found, StepFault>> {
        Box::pin(async move {
            let _at_work = self.doing.work();
            if let Some(answer) = self.mocked(step) {
                return answer.map(Found::Answer);
            }
            let all = self.app.flows_of_org(&self.caller.org).await?;
            Ok(match all.named(&self.workspace, &call.name) {
                Some(ready) => Found::Flow(ready.prepared.clone()),
                None => Found::Nothing,
            })
        })
    }

    fn sleep(&self, duration: Duration) -> Fut<'_, ()> {
        Box::pin(async move {
            let _at_work = self.doing.work();
            tokio::time::sleep(duration).await;
        })
    }

    fn left_of_wait<'a>(
        &'a self,
        step: &'a str,
        whole: Duration,
    ) -> Fut<'a, Result<Duration, StepFault>> {
        Box::pin(async move {
            let _at_work = self.doing.work();
            let end = self.journal.end_of_wait(&self.app, step, whole).await?;
            let micros = end.micros().saturating_sub(self.app.now().micros());
            Ok(Duration::from_micros(u64::try_from(micros).unwrap_or(0)))
        })
    }

    fn wait(&self, left: Duration) -> Fut<'_, ()> {
        Box::pin(async move {
            let _waiting = self.doing.wait(after(self.app.now(), left));
            tokio::time::sleep(left).await;
        })
    }

    fn progress(&self, done: u64, total: u64, message: &str) {
        if let Some(progress) = &self.progress {
            progress.report(done, Some(total), message);
        }
    }

    fn recall<'a>(&'a self, step: &'a str) -> Fut<'a, Result<Recalled, StepFault>> {
        Box::pin(std::future::ready(Ok(self.journal.recall(step))))
    }

    fn record<'a>(&'a self, step: &'a str, mark: Mark<'a>) -> Fut<'a, Result<(), StepFault>> {
        Box::pin(async move {
            let _at_work = self.doing.work();
            let redact = |value: &Value| {
                let mut value = value.clone();
                self.redact(&mut value);
                value
            };
            self.journal.record(&self.app, step, mark, &redact).await
        })
    }

    fn rate<'a>(
        &'a self,
        key: &'a str,
        max: u32,
        per: Duration,
    ) -> Fut<'a, Result<Option<Duration>, StepFault>> {
        let wait = self.app.flow_rates.take(&self.workspace, key, max, per);
        Box::pin(std::future::ready(Ok(wait)))
    }

    fn cached<'a>(&'a self, key: &'a str) -> Fut<'a, Option<Value>> {
        Box::pin(async move {
            let _at_work = self.doing.work();
            let (org, store) = (&self.caller.org, &self.app.store);
            let found = store.flow_cached(org, &self.workspace, key, self.app.now());
            // What is kept only saves a call.
            found
                .await
                .inspect_err(|error| tracing::warn!(%error, "a kept output was not read"))
                .ok()?
        })
    }

    fn put_in_cache<'a>(&'a self, key: &'a str, value: &'a Value, ttl: Duration) -> Fut<'a, ()> {
        Box::pin(async move {
            let _at_work = self.doing.work();
            let now = self.app.now();
            let times = (now, now.plus_seconds(seconds(ttl)));
            let (org, store) = (&self.caller.org, &self.app.store);
            let kept = store.keep_flow_cache(org, &self.workspace, key, value, times);
            if let Err(error) = kept.await {
                tracing::warn!(%error, "an output was not kept");
            }
        })
    }
}
