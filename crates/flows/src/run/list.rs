//! Lists of steps, one after the other, and what each kind of step leads to.

use super::Frame;
use super::fill::Values;
use crate::context::Context;
use crate::expression::Program;
use crate::fault::{RunFault, StepFault};
use crate::format::{Case, Fail, Kind, Span, Step};
use crate::host::{Mark, Recalled};
use crate::template::Template;
use futures_util::future::try_join_all;
use indexmap::IndexMap;
use quaymaster_core::door::Fut;
use serde_json::{Map, Value};
use std::time::Duration;
use tokio::time::Instant;

/// How a step or a list of them ended.
pub(super) enum Ended {
    /// What it answered; of a list, its last step.
    Went(Value),
    /// The flow ends with this result.
    Returned(Value),
}

/// What steps of one list share.
pub(super) struct Scope {
    pub(super) context: Context,
    /// In front of the ids of its steps.
    prefix: String,
    /// Bytes of outputs that are kept in the context.
    pub(super) held: usize,
}

impl Scope {
    pub(super) fn new(context: Context, prefix: String) -> Self {
        Scope {
            context,
            prefix,
            held: 0,
        }
    }

    fn apart(&self) -> Self {
        Scope::new(self.context.clone(), self.prefix.clone())
    }
}

/// Says at which step it failed.
pub(super) fn at_step<T>(path: &str, result: Result<T, StepFault>) -> Result<T, RunFault> {
    result.map_err(|fault| RunFault::at(path, fault))
}

impl Frame<'_> {
    /// Runs steps; `at` is the place of the list, for those without an id.
    pub(super) fn list<'s>(
        &'s self,
        steps: &'s [Step],
        at: &'s str,
        scope: &'s mut Scope,
    ) -> Fut<'s, Result<Ended, RunFault>> {
        Box::pin(async move {
            let mut last = Value::Null;
            // Of the flow that was called, not of those within it.
            let is_outer = self.depth == 1 && at == "steps";
            for (index, step) in steps.iter().enumerate() {
                let path = match &step.id {
                    Some(id) => format!("{}{id}", scope.prefix),
                    None => format!("{at}[{index}]"),
                };
                if is_outer {
                    let shown = step.title.as_deref().unwrap_or(&path);
                    let (done, total) = (index as u64, steps.len() as u64);
                    self.run.host.progress(done, total, shown);
                }
                match self.step(step, &path, scope).await? {
                    Ended::Went(output) => last = output,
                    returned @ Ended::Returned(_) => return Ok(returned),
                }
            }
            Ok(Ended::Went(last))
        })
    }

    /// Runs a step and notes what it answers.
    async fn step(&self, step: &Step, path: &str, scope: &mut Scope) -> Result<Ended, RunFault> {
        self.run
            .budget
            .step()
            .map_err(|fault| RunFault::at(path, fault))?;
        match self.run.now_at.lock() {
            Ok(mut at) => path.clone_into(&mut at),
            Err(poisoned) => path.clone_into(&mut poisoned.into_inner()),
        }
        let ended = match self.done(step, path, scope).await {
            Ok(ended) => ended,
            Err(fault) => self.handled(step, path, fault, scope).await?,
        };
        if let (Ended::Went(output), Some(id)) = (&ended, &step.id) {
            let size = self
                .run
                .budget
                .hold(output)
                .map_err(|fault| RunFault::at(path, fault))?;
            scope.held += size;
            scope.context.set_step(id, output.clone());
        }
        Ok(ended)
    }

    /// Does what the step says, unless its `if` says no.
    async fn done(&self, step: &Step, path: &str, scope: &mut Scope) -> Result<Ended, RunFault> {
        let host = self.run.host;
        let Some(kind) = step.kind() else {
            return Err(RunFault::at(
                path,
                StepFault::flow("The step does nothing."),
            ));
        };
        let recalled = self.recalled(kind, path).await?;
        match recalled {
            Recalled::Done(output) => return Ok(Ended::Went(output)),
            Recalled::Failed(fault) => return Err(RunFault::at(path, fault)),
            Recalled::Nothing | Recalled::Begun => {}
        }
        let holds = match &step.r#if {
            Some(program) => at_step(path, self.holds(program, &scope.context).await)?,
            None => true,
        };
        if !holds && !matches!(kind, Kind::If(..)) {
            at_step(path, host.record(path, Mark::Skipped).await)?;
            return Ok(Ended::Went(Value::Null));
        }
        let ended = match kind {
            Kind::If(then, _) if holds => self.list(then, &format!("{path}.then"), scope).await?,
            Kind::If(_, otherwise) => self.list(otherwise, &format!("{path}.else"), scope).await?,
            Kind::Switch(cases) => self.switch(cases, path, scope).await?,
            Kind::Parallel(branches) => Ended::Went(self.parallel(branches, path, scope).await?),
            Kind::ForEach(each) => Ended::Went(self.for_each(each, path, scope).await?),
            Kind::Map(program) => {
                Ended::Went(at_step(path, self.value(program, &scope.context).await)?)
            }
            Kind::Return(program) => {
                Ended::Returned(at_step(path, self.value(program, &scope.context).await)?)
            }
            Kind::Wait(wait) => {
                let waited = self.wait(wait, path, &scope.context).await;
                if let Err(fault) = &waited {
                    at_step(path, host.record(path, Mark::Failed { fault }).await)?;
                }
                Ended::Went(at_step(path, waited)?)
            }
            Kind::Fail(fail) => {
                let fault = self.failure(step, fail, &scope.context).await;
                let (Ok(fault) | Err(fault)) = fault;
                at_step(
                    path,
                    host.record(path, Mark::Failed { fault: &fault }).await,
                )?;
                return Err(RunFault {
                    is_said: true,
                    ..RunFault::at(path, fault)
                });
            }
            kind => {
                let worked = self.work(step, kind, path, scope, &recalled).await;
                if let Err(failed) = &worked
                    && failed.step == path
                {
                    let mark = Mark::Failed {
                        fault: &failed.fault,
                    };
                    at_step(path, host.record(path, mark).await)?;
                }
                Ended::Went(worked?)
            }
        };
        let (Ended::Went(output) | Ended::Returned(output)) = &ended;
        at_step(path, host.record(path, Mark::Done { output }).await)?;
        Ok(ended)
    }

    /// What is known of a step from before a crash. Steps that only lead to others are walked
    /// through again, because what is within them is seen from outside.
    async fn recalled(&self, kind: Kind<'_>, path: &str) -> Result<Recalled, RunFault> {
        let walked = matches!(
            kind,
            Kind::If(..) | Kind::Switch(_) | Kind::Parallel(_) | Kind::Return(_) | Kind::Fail(_)
        );
        if walked || !self.run.durable {
            return Ok(Recalled::Nothing);
        }
        at_step(path, self.run.host.recall(path).await)
    }

    async fn switch(
        &self,
        cases: &[Case],
        path: &str,
        scope: &mut Scope,
    ) -> Result<Ended, RunFault> {
        for (index, case) in cases.iter().enumerate() {
            let holds = match &case.when {
                Some(program) => at_step(path, self.holds(program, &scope.context).await)?,
                None => true,
            };
            if holds {
                let at = format!("{path}.switch[{index}].do");
                return self.list(&case.r#do, &at, scope).await;
            }
        }
        Ok(Ended::Went(Value::Null))
    }

    async fn parallel(
        &self,
        branches: &IndexMap<String, Vec<Step>>,
        path: &str,
        scope: &mut Scope,
    ) -> Result<Value, RunFault> {
        let running = branches.iter().map(|(name, steps)| {
            let mut scope = scope.apart();
            async move {
                let at = format!("{path}.parallel.{name}");
                let ended = self.list(steps, &at, &mut scope).await?;
                let (Ended::Went(output) | Ended::Returned(output)) = ended;
                Ok((name, output, scope))
            }
        });
        let mut outputs = Map::new();
        for (name, output, branch) in try_join_all(running).await? {
            scope.held += branch.held;
            scope.context.take_steps(&branch.context);
            outputs.insert(name.clone(), output);
        }
        Ok(Value::Object(outputs))
    }

    async fn wait(
        &self,
        wait: &Template,
        path: &str,
        context: &Context,
    ) -> Result<Value, StepFault> {
        let programs: Vec<&Program> = wait.programs().collect();
        let values = self.values(&programs, context).await?;
        let text = values.text(wait);
        let span = Span::parse(&text).map(Span::duration);
        let seconds = || Duration::try_from_secs_f64(text.parse().ok()?).ok();
        let Some(duration) = span.or_else(seconds) else {
            return Err(StepFault::flow(format!(
                "{:?} is no length of time to wait.",
                quaymaster_core::schema::shorten(&text)
            ))
            .hint("Write a number and a unit as \"2s\", or a number of seconds."));
        };
        let host = self.run.host;
        let left = host.left_of_wait(path, duration).await?;
        let end = Instant::now().checked_add(left);
        if end.is_none_or(|end| end >= self.deadline) {
            return Err(StepFault::flow(
                "The wait is longer than the time that is left for the flow.",
            ));
        }
        host.wait(left).await;
        Ok(Value::Null)
    }

    /// The failure that a `fail` says; an error if its expressions fail themselves.
    async fn failure(
        &self,
        step: &Step,
        fail: &Fail,
        context: &Context,
    ) -> Result<StepFault, StepFault> {
        let values: Values = self.values(&step.own_programs(), context).await?;
        let mut fault = StepFault::new(fail.code.code(), values.text(&fail.message));
        fault.hint = fail.hint.as_ref().map(|hint| values.text(hint));
        fault.details = fail.details.as_ref().map(|details| values.shape(details));
        Ok(fault)
    }
}
