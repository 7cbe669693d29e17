//! Steps that ask somebody: time limits, retries, caches, rates, and what a crash leaves unknown.

use super::fill::Values;
use super::list::{Scope, at_step};
use super::{DEEPEST, Frame, ask, timeout};
use crate::context::Context;
use crate::fault::{RunFault, StepFault};
use crate::format::{Kind, OnUnknown, Retry, RetryOn, Size, Span, Step, StepDefault};
use crate::host::{FlowCall, Found, Limits, Mark, Recalled, Request};
use quaymaster_core::{Code, hex};
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::time::Duration;
use tokio::time::Instant;

/// One attempt, unless flow or step say otherwise.
const ATTEMPT: Duration = Duration::from_secs(10);
/// Bytes of one answer, unless the flow says otherwise.
const BODY: u32 = 1 << 20;

/// What a step asks for, with all expressions filled in.
enum Asked {
    Host(Request),
    Flow(FlowCall),
}

impl Frame<'_> {
    /// Does a step that asks somebody, and answers its output.
    pub(super) async fn work(
        &self,
        step: &Step,
        kind: Kind<'_>,
        path: &str,
        scope: &Scope,
        recalled: &Recalled,
    ) -> Result<Value, RunFault> {
        let values = self.values(&step.own_programs(), &scope.context).await;
        let values = at_step(path, values)?;
        let asked = at_step(path, self.asked(step, kind, &values))?;
        if *recalled == Recalled::Begun && !asked.is_repeatable() {
            let unknown = step.on_unknown.unwrap_or_default();
            if unknown == OnUnknown::Fail {
                let fault = StepFault::flow(
                    "The server stopped while this step ran, so it is not known whether it happened; doing it again could do it twice.",
                )
                .hint("Give the step an `idempotency_key`, or `on_unknown: retry` if twice does no harm.");
                return Err(RunFault::at(path, fault));
            }
        }
        let input = asked.input();
        let host = self.run.host;
        let cache = step.cache.as_ref().map(|cache| {
            let key = match &cache.key {
                Some(key) => values.text(key),
                None => input.to_string(),
            };
            (self.shared_key(step, path, &key), cache.ttl.duration())
        });
        if let Some((key, _)) = &cache
            && let Some(output) = host.cached(key).await
        {
            return Ok(output);
        }
        let retry = self.retry(step, kind, &asked);
        let mut attempt = 1;
        loop {
            at_step(path, self.within_rate(step, path, &values).await)?;
            let mark = Mark::Begun {
                attempt,
                input: &input,
            };
            at_step(path, host.record(path, mark).await)?;
            let answer = match &asked {
                Asked::Host(request) => at_step(path, self.attempted(kind, path, request).await),
                Asked::Flow(call) => self.flow_within(step, call, path, scope).await,
            };
            let failed = match answer {
                Ok(output) => {
                    if let Some((key, ttl)) = &cache {
                        host.put_in_cache(key, &output, *ttl).await;
                    }
                    return Ok(output);
                }
                Err(failed) => failed,
            };
            let Some(wait) = retry.and_then(|retry| again(retry, attempt, &failed.fault)) else {
                return Err(failed);
            };
            // A wait that the flow does not live to see only hides why it failed.
            if Instant::now() + wait >= self.deadline {
                return Err(failed);
            }
            host.sleep(wait).await;
            attempt += 1;
        }
    }

    fn asked(&self, step: &Step, kind: Kind<'_>, values: &Values) -> Result<Asked, StepFault> {
        if let Kind::Flow(flow) = kind {
            return Ok(Asked::Flow(FlowCall {
                name: flow.name.clone(),
                input: values.members(&flow.input),
            }));
        }
        let limits = Limits {
            timeout: self.attempt(step, kind),
            body: self.flow.limits.body.map_or(BODY, Size::bytes),
        };
        let key = step.idempotency_key.as_ref().map(|key| values.text(key));
        ask::request(kind, values, key, limits)?
            .map(Asked::Host)
            .ok_or_else(|| StepFault::flow("The step does nothing."))
    }

    async fn attempted(
        &self,
        kind: Kind<'_>,
        path: &str,
        request: &Request,
    ) -> Result<Value, StepFault> {
        let done = self.run.host.perform(path, request);
        let output = match request.timeout() {
            None => done.await?,
            Some(longest) => match tokio::time::timeout(longest, done).await {
                Ok(output) => output?,
                Err(_) => {
                    let longest = Span::of(longest);
                    return Err(StepFault::new(
                        Code::Timeout,
                        format!("No answer came within {longest}."),
                    ));
                }
            },
        };
        match (kind, request) {
            (Kind::Http(http), Request::Http(request)) => ask::judged(http, &request.url, output),
            _ => Ok(output),
        }
    }

    /// Runs another flow in the place of a step.
    async fn flow_within(
        &self,
        step: &Step,
        call: &FlowCall,
        path: &str,
        scope: &Scope,
    ) -> Result<Value, RunFault> {
        if self.depth >= DEEPEST {
            let fault = StepFault::flow(format!(
                "Flows run within each other at most {DEEPEST} deep, and this would be one more."
            ))
            .hint("Look for flows that run each other in a circle.");
            return Err(RunFault::at(path, fault));
        }
        let prepared = match at_step(path, self.run.host.flow(path, call).await)? {
            Found::Flow(prepared) => prepared,
            Found::Answer(answer) => return Ok(answer),
            Found::Nothing => {
                let fault = StepFault::flow(format!(
                    "There is no flow {:?} in this workspace, or it is switched off.",
                    call.name
                ));
                return Err(RunFault::at(path, fault));
            }
        };
        let own = step
            .timeout
            .map_or(timeout(prepared.flow()), Span::duration);
        let end = Instant::now() + own;
        let frame = Frame {
            run: self.run,
            flow: prepared.flow(),
            depth: self.depth + 1,
            prefix: format!("{path}."),
            allowed: if end < self.deadline {
                own
            } else {
                self.allowed
            },
            deadline: end.min(self.deadline),
        };
        let context = scope.context.for_flow_within();
        frame.whole(&prepared, call.input.clone(), context).await
    }

    /// Takes one from the step's rate, if it has one.
    async fn within_rate(&self, step: &Step, path: &str, values: &Values) -> Result<(), StepFault> {
        let Some(limit) = &step.rate_limit else {
            return Ok(());
        };
        let key = limit
            .key
            .as_ref()
            .map_or_else(String::new, |key| values.text(key));
        let key = self.shared_key(step, path, &key);
        let wait = self
            .run
            .host
            .rate(&key, limit.max, limit.per.duration())
            .await?;
        let Some(wait) = wait else { return Ok(()) };
        let mut fault = StepFault::new(
            Code::RateLimited,
            format!("The step may run {} times in {}.", limit.max, limit.per),
        );
        fault.retry_after = Some(wait);
        Err(fault)
    }

    /// A key that belongs to this step of this flow.
    fn shared_key(&self, step: &Step, path: &str, key: &str) -> String {
        let step = step.id.as_deref().unwrap_or(path);
        format!(
            "{}/{step}/{}",
            self.flow.flow,
            hex(&Sha256::digest(key.as_bytes()))
        )
    }

    /// What the flow says of all steps of a kind.
    fn default(&self, kind: Kind<'_>) -> Option<&StepDefault> {
        let defaults = &self.flow.defaults;
        match kind {
            Kind::Http(_) => defaults.http.as_ref(),
            Kind::Call(_) => defaults.call.as_ref(),
            Kind::Mcp(_) => defaults.mcp.as_ref(),
            Kind::Sql(_) => defaults.sql.as_ref(),
            _ => None,
        }
    }

    /// How long one attempt may take.
    fn attempt(&self, step: &Step, kind: Kind<'_>) -> Duration {
        let of_kind = self.default(kind).and_then(|default| default.timeout);
        let own = step.timeout.or(of_kind).or(self.flow.limits.step_timeout);
        own.map_or(ATTEMPT, Span::duration)
    }

    fn retry<'s>(&'s self, step: &'s Step, kind: Kind<'_>, asked: &Asked) -> Option<&'s Retry> {
        let of_kind = || {
            self.default(kind)
                .and_then(|default| default.retry.as_ref())
        };
        match &step.retry {
            Some(retry) => Some(retry),
            None if asked.is_repeatable() => of_kind(),
            None => None,
        }
    }
}

impl Context {
    /// What a flow within sees of the flow around it.
    fn for_flow_within(&self) -> Context {
        let mut context = Context::default();
        for name in ["run", "caller"] {
            if let Some(value) = self.named(name) {
                context.set(name, value.clone());
            }
        }
        context
    }
}

impl Asked {
    /// Whether asking twice does no more than asking once. Of a flow its steps know.
    fn is_repeatable(&self) -> bool {
        let verb = |method: &str| matches!(method, "GET" | "HEAD" | "PUT" | "DELETE");
        let Asked::Host(request) = self else {
            return true;
        };
        match request {
            Request::Http(request) => verb(request.method) || request.idempotency_key.is_some(),
            Request::Call(call) => {
                call.method.as_deref().is_some_and(verb) || call.idempotency_key.is_some()
            }
            Request::Sql(query) => query.read_only,
            Request::Kv(_) => true,
            Request::Mcp(_) | Request::Python(_) => false,
        }
    }

    /// As tests and the journal see it.
    fn input(&self) -> Value {
        let input = match self {
            Asked::Host(request) => serde_json::to_value(request),
            Asked::Flow(call) => serde_json::to_value(call),
        };
        input.unwrap_or_default()
    }
}

/// How long to wait before the next attempt, if there is to be one.
fn again(retry: &Retry, attempt: u32, fault: &StepFault) -> Option<Duration> {
    let meant = if retry.when.is_empty() {
        fault.retryable
    } else {
        retry.when.iter().any(|on| matches(*on, fault))
    };
    if !meant || attempt > retry.max {
        return None;
    }
    if let Some(wait) = fault.retry_after
        && retry.respect_retry_after
    {
        return Some(wait);
    }
    let first = retry.backoff.first.duration();
    let doubled = first.saturating_mul(1 << (attempt - 1).min(16));
    Some(doubled.min(retry.backoff.longest.duration()))
}

fn matches(on: RetryOn, fault: &StepFault) -> bool {
    match on {
        RetryOn::Network => fault.code == Code::UpstreamError && fault.status.is_none(),
        RetryOn::Timeout => fault.code == Code::Timeout,
        RetryOn::Status(status) => fault.status == Some(status),
        RetryOn::Statuses(class) => fault.status.is_some_and(|status| status / 100 == class),
        RetryOn::Code(code) => fault.code == code,
    }
}
