//! A host that reaches nothing.

use super::{completed, is_step};
use crate::context::Context;
use crate::expression::Program;
use crate::fault::StepFault;
use crate::format::{Mock, Mocks};
use crate::host::{FlowCall, Found, Host, KvRequest, Mark, Recalled, Request};
use indexmap::IndexMap;
use quaymaster_core::door::Fut;
use serde_json::{Value, json};
use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// What evaluates programs of jq.
pub trait Expressions: Send + Sync {
    /// As [`Host::evaluate`].
    fn evaluate<'a>(
        &'a self,
        programs: &'a [Program],
        context: &'a Context,
    ) -> Fut<'a, Vec<Result<Value, StepFault>>>;
}

/// Answers steps with mocks, keeps values for one run, waits for nothing.
pub struct Mocked<'e> {
    expressions: &'e dyn Expressions,
    mocks: IndexMap<String, Mocks>,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    kv: HashMap<String, Value>,
    /// How often a mock has answered.
    turns: HashMap<String, usize>,
    sent: HashMap<String, Value>,
    ran: HashSet<String>,
}

impl<'e> Mocked<'e> {
    pub fn new(
        expressions: &'e dyn Expressions,
        mocks: IndexMap<String, Mocks>,
        kv: IndexMap<String, Value>,
    ) -> Self {
        let seen = Seen {
            kv: kv.into_iter().collect(),
            ..Seen::default()
        };
        Mocked {
            expressions,
            mocks,
            seen: Mutex::new(seen),
        }
    }

    /// What a step asked for the last time, by id or path.
    pub fn sent(&self, step: &str) -> Option<Value> {
        let seen = self.seen();
        seen.sent.get(step).cloned()
    }

    /// Whether a step ran.
    pub fn ran(&self, step: &str) -> bool {
        self.seen().ran.iter().any(|path| is_step(path, step))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        match self.seen.lock() {
            Ok(seen) => seen,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    /// The answer that the mocks have for a step, none if they have none.
    fn mock(&self, path: &str) -> Option<Result<Value, StepFault>> {
        let by_path = self.mocks.get_key_value(path);
        let (name, mocks) = by_path.or_else(|| {
            let mut all = self.mocks.iter();
            all.find(|(name, _)| is_step(path, name))
        })?;
        let mut seen = self.seen();
        let turn = seen.turns.entry(name.clone()).or_default();
        let mock = mocks.turn(*turn)?;
        *turn += 1;
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

    fn perform(&self, path: &str, request: &Request) -> Result<Value, StepFault> {
        if let Request::Kv(request) = request {
            return Ok(self.keep(request));
        }
        match self.mock(path) {
            Some(Ok(answer)) if matches!(request, Request::Http(_) | Request::Call(_)) => {
                Ok(completed(&answer))
            }
            Some(answer) => answer,
            None => Err(unmocked(path)),
        }
    }

    fn keep(&self, request: &KvRequest) -> Value {
        let mut seen = self.seen();
        match request {
            KvRequest::Get { key } => {
                let value = seen.kv.get(key);
                json!({ "found": value.is_some(), "value": value })
            }
            KvRequest::Set { key, value, .. } => {
                seen.kv.insert(key.clone(), value.clone());
                json!({ "value": value })
            }
            KvRequest::Delete { key } => json!({ "found": seen.kv.remove(key).is_some() }),
        }
    }
}

fn unmocked(path: &str) -> StepFault {
    StepFault::flow(format!(
        "The step {path} would reach the outside, and no mock answers it."
    ))
    .hint(format!("Add {path:?} to `mocks`."))
}

impl Host for Mocked<'_> {
    fn evaluate<'a>(
        &'a self,
        programs: &'a [Program],
        context: &'a Context,
    ) -> Fut<'a, Vec<Result<Value, StepFault>>> {
        self.expressions.evaluate(programs, context)
    }

    fn perform<'a>(
        &'a self,
        step: &'a str,
        request: &'a Request,
    ) -> Fut<'a, Result<Value, StepFault>> {
        Box::pin(async move { self.perform(step, request) })
    }

    fn flow<'a>(&'a self, step: &'a str, _: &'a FlowCall) -> Fut<'a, Result<Found, StepFault>> {
        Box::pin(async move {
            match self.mock(step) {
                Some(answer) => answer.map(Found::Answer),
                None => Err(unmocked(step)),
            }
        })
    }

    fn sleep(&self, _: Duration) -> Fut<'_, ()> {
        Box::pin(async {})
    }

    fn left_of_wait<'a>(
        &'a self,
        _: &'a str,
        whole: Duration,
    ) -> Fut<'a, Result<Duration, StepFault>> {
        Box::pin(async move { Ok(whole) })
    }

    fn wait(&self, _: Duration) -> Fut<'_, ()> {
        Box::pin(async {})
    }

    fn progress(&self, _: u64, _: u64, _: &str) {}

    fn recall<'a>(&'a self, _: &'a str) -> Fut<'a, Result<Recalled, StepFault>> {
        Box::pin(async { Ok(Recalled::Nothing) })
    }

    fn record<'a>(&'a self, step: &'a str, mark: Mark<'a>) -> Fut<'a, Result<(), StepFault>> {
        let mut seen = self.seen();
        if let Mark::Begun { input, .. } = mark {
            let name = step.rsplit('.').next().unwrap_or(step);
            seen.sent.insert(name.to_owned(), input.clone());
            seen.sent.insert(step.to_owned(), input.clone());
        }
        if !matches!(mark, Mark::Skipped) {
            seen.ran.insert(step.to_owned());
        }
        Box::pin(async { Ok(()) })
    }

    fn rate<'a>(
        &'a self,
        _: &'a str,
        _: u32,
        _: Duration,
    ) -> Fut<'a, Result<Option<Duration>, StepFault>> {
        Box::pin(async { Ok(None) })
    }

    fn cached<'a>(&'a self, _: &'a str) -> Fut<'a, Option<Value>> {
        Box::pin(async { None })
    }

    fn put_in_cache<'a>(&'a self, _: &'a str, _: &'a Value, _: Duration) -> Fut<'a, ()> {
        Box::pin(async {})
    }
}
