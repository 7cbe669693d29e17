//! Runs flows.
//!
//! The interpreter walks the tree of steps. It keeps nothing but what expressions see, and a step of a
//! durable flow that is known to be done is not done again: its output is taken from the journal, so
//! that a walk from the beginning goes on where the last one was. That needs no rules for authors,
//! because whatever decides the way (expressions over outputs) decides the same again.

mod ask;
mod budget;
mod errors;
mod fill;
mod list;
mod r#loop;
mod url;
mod work;

use crate::context::Context;
use crate::fault::{RunFault, StepFault};
use crate::format::{Flow, Span};
use crate::host::Host;
use crate::prepared::Prepared;
use budget::Budget;
use list::{Ended, Scope};
use quaymaster_core::Code;
use quaymaster_core::tool::JsonObject;
use serde_json::Value;
use std::sync::Mutex;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a run takes at most, unless it says otherwise.
pub const TIMEOUT: Duration = Duration::from_mins(1);
/// How much longer the steps of `catch` may take.
pub const CATCH_TIMEOUT: Duration = Duration::from_secs(30);
/// Flows within flows.
pub const DEEPEST: u32 = 5;
/// Steps that `catch` has for itself, when a run used up all of its own.
const CATCH_STEPS: u32 = 100;

/// What a run begins with.
#[derive(Debug, Clone, Default)]
pub struct Start {
    pub input: JsonObject,
    /// What expressions see as `.run`, for example `{id, trigger, started}`; the same when a durable run
    /// goes on.
    pub run: Value,
    /// What expressions see as `.caller`.
    pub caller: Value,
    /// How long ago it began: nothing, unless a durable run goes on. Its time limit counts from there.
    pub spent: Duration,
}

/// Runs a flow to its end: the result, or why it failed. Ends within [`timeout`] and, where there is
/// a `catch`, [`CATCH_TIMEOUT`] more. Dropping the future cancels the run.
pub async fn run(prepared: &Prepared, start: Start, host: &dyn Host) -> Result<Value, RunFault> {
    let limits = &prepared.flow().limits;
    let run = Run {
        host,
        durable: prepared.flow().durable,
        budget: Budget::new(limits.steps),
        now_at: Mutex::new(String::new()),
    };
    let frame = Frame {
        run: &run,
        flow: prepared.flow(),
        depth: 1,
        prefix: String::new(),
        allowed: timeout(prepared.flow()),
        deadline: Instant::now() + timeout(prepared.flow()).saturating_sub(start.spent),
    };
    let mut context = Context::default();
    context.set("run", start.run);
    context.set("caller", start.caller);
    frame.whole(prepared, start.input, context).await
}

/// How long a flow may run.
pub fn timeout(flow: &Flow) -> Duration {
    flow.limits.timeout.map_or(TIMEOUT, Span::duration)
}

/// One run, with all flows that it runs within.
struct Run<'a> {
    host: &'a dyn Host,
    durable: bool,
    budget: Budget,
    /// The path of the step that began last.
    now_at: Mutex<String>,
}

/// One flow of a run.
struct Frame<'a> {
    run: &'a Run<'a>,
    flow: &'a Flow,
    /// Of flows within flows, from 1.
    depth: u32,
    /// In front of the paths of its steps: empty, or `lookup.`
    prefix: String,
    /// The time limit that is over at the deadline: its own, or of a flow around it.
    allowed: Duration,
    deadline: Instant,
}

impl Frame<'_> {
    /// From the input to the result. The context has what stays the same in flows within.
    async fn whole(
        &self,
        prepared: &Prepared,
        input: JsonObject,
        mut context: Context,
    ) -> Result<Value, RunFault> {
        let input = prepared
            .input(input)
            .map_err(|fault| self.nobodys(fault.into()))?;
        context.set("input", Value::Object(input));
        let vars: JsonObject = self.flow.vars.clone().into_iter().collect();
        context.set("vars", Value::Object(vars));
        let mut scope = Scope::new(context, self.prefix.clone());
        let result = match timeout_at(self.deadline, self.steps(&mut scope)).await {
            Ok(result) => result,
            Err(_) => Err(self.too_late()),
        };
        let result = match result {
            Ok(result) => result,
            Err(fault) => {
                let caught = self.caught(fault, scope).await;
                // Whoever runs this flow as a step did not say it.
                caught.map_err(|fault| RunFault {
                    is_said: false,
                    ..fault
                })?
            }
        };
        let checked = prepared.check_result(&result);
        checked.map_err(|fault| self.nobodys(fault))?;
        Ok(result)
    }

    async fn steps(&self, scope: &mut Scope) -> Result<Value, RunFault> {
        let at = format!("{}steps", self.prefix);
        match self.list(&self.flow.steps, &at, scope).await? {
            Ended::Returned(result) => Ok(result),
            Ended::Went(last) => match &self.flow.r#return {
                Some(program) => {
                    let result = self.value(program, &scope.context).await;
                    result.map_err(|fault| RunFault::at(&format!("{}return", self.prefix), fault))
                }
                None => Ok(last),
            },
        }
    }

    /// Runs `catch`, once. The flow fails all the same unless that returns; with other words, if a
    /// `fail` there says them.
    async fn caught(&self, fault: RunFault, mut scope: Scope) -> Result<Value, RunFault> {
        if self.flow.catch.is_empty() {
            return Err(fault);
        }
        scope.context.set("error", fault.to_value());
        if self.depth == 1 {
            self.run.budget.at_least(CATCH_STEPS);
        }
        let frame = Frame {
            run: self.run,
            flow: self.flow,
            depth: self.depth,
            prefix: self.prefix.clone(),
            allowed: CATCH_TIMEOUT,
            deadline: Instant::now() + CATCH_TIMEOUT,
        };
        let at = format!("{}catch", self.prefix);
        let ended = timeout_at(
            frame.deadline,
            frame.list(&self.flow.catch, &at, &mut scope),
        );
        match ended.await {
            Ok(Ok(Ended::Returned(result))) => Ok(result),
            Ok(Err(said)) if said.is_said => Err(RunFault {
                step: fault.step,
                ..said
            }),
            // What went wrong first is what matters.
            _ => Err(fault),
        }
    }

    fn too_late(&self) -> RunFault {
        let step = match self.run.now_at.lock() {
            Ok(at) => at.clone(),
            Err(poisoned) => poisoned.into_inner().clone(),
        };
        let allowed = Span::of(self.allowed);
        let fault = StepFault::new(
            Code::Timeout,
            format!("The flow took longer than {allowed} and was stopped."),
        )
        .hint("Steps that take long can run at the same time (`parallel`, `for_each`); `limits.timeout` can be raised.");
        RunFault::at(&step, fault)
    }

    /// A fault of the flow as a whole; in a flow within, of the step that runs it.
    fn nobodys(&self, fault: StepFault) -> RunFault {
        RunFault::at(self.prefix.trim_end_matches('.'), fault)
    }
}
