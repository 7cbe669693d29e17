//! A host whose answers a test writes, with a journal that outlives a crash.

use crate::jq::Jq;
use quaymaster_core::door::Fut;
use quaymaster_flows::context::Context;
use quaymaster_flows::expression::Program;
use quaymaster_flows::fault::{RunFault, StepFault};
use quaymaster_flows::host::{FlowCall, Found, Host, Mark, Recalled, Request};
use quaymaster_flows::load;
use quaymaster_flows::prepared::Prepared;
use quaymaster_flows::run::{Start, run};
use quaymaster_flows::testing::Expressions as _;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::Notify;

type Answer = Box<dyn Fn(&str, &Request) -> Result<Value, StepFault> + Send + Sync>;

#[derive(Default)]
pub(crate) struct World {
    pub(crate) answer: Option<Answer>,
    pub(crate) flows: HashMap<String, Arc<Prepared>>,
    /// Nobody ever answers.
    pub(crate) silent: bool,
    pub(crate) noted: Mutex<Noted>,
    /// How long ago the run began, and what is left of waits, by their steps.
    pub(crate) spent: Duration,
    pub(crate) left: HashMap<String, Duration>,
    /// Marks until the machine stops for good.
    pub(crate) crash_after: Option<usize>,
    pub(crate) crashed: Notify,
}

#[derive(Default)]
pub(crate) struct Noted {
    pub(crate) performed: Vec<(String, Request)>,
    pub(crate) evaluated: Vec<String>,
    pub(crate) waits: Vec<Duration>,
    pub(crate) progress: Vec<(u64, u64, String)>,
    pub(crate) journal: HashMap<String, Recalled>,
    pub(crate) marks: usize,
    pub(crate) rates: HashMap<String, u32>,
    pub(crate) cache: HashMap<String, Value>,
    /// Running at the same time: now, and the most.
    pub(crate) running: (usize, usize),
}

pub(crate) fn flow(text: &str) -> Prepared {
    match load::flow(text, "") {
        Ok(flow) => Prepared::new(flow).unwrap(),
        Err(problems) => {
            let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
            panic!("{}", lines.join("\n"))
        }
    }
}

pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    runtime.enable_time().build().unwrap().block_on(future)
}

impl World {
    pub(crate) fn answering(
        answer: impl Fn(&str, &Request) -> Result<Value, StepFault> + Send + Sync + 'static,
    ) -> Self {
        World {
            answer: Some(Box::new(answer)),
            ..World::default()
        }
    }

    /// Every request answers this.
    pub(crate) fn with(answer: Value) -> Self {
        World::answering(move |_, _| Ok(answer.clone()))
    }

    pub(crate) fn knows(&mut self, text: &str) {
        let prepared = flow(text);
        let name = prepared.flow().flow.clone();
        self.flows.insert(name, Arc::new(prepared));
    }

    pub(crate) fn run(&self, text: &str, input: Value) -> Result<Value, RunFault> {
        self.start(&flow(text), input)
    }

    pub(crate) fn start(&self, prepared: &Prepared, input: Value) -> Result<Value, RunFault> {
        let Value::Object(input) = input else {
            panic!("an object")
        };
        let start = Start {
            input,
            run: json!({ "id": "run_1" }),
            caller: json!({ "user": "usr_1" }),
            spent: self.spent,
        };
        block_on(run(prepared, start, self))
    }

    pub(crate) fn performed(&self) -> Vec<String> {
        let noted = self.noted.lock().unwrap();
        noted
            .performed
            .iter()
            .map(|(path, _)| path.clone())
            .collect()
    }

    fn crashed(&self) -> bool {
        let mut noted = self.noted.lock().unwrap();
        noted.marks += 1;
        self.crash_after.is_some_and(|after| noted.marks > after)
    }
}

impl Host for World {
    fn evaluate<'a>(
        &'a self,
        programs: &'a [Program],
        context: &'a Context,
    ) -> Fut<'a, Vec<Result<Value, StepFault>>> {
        let sources = programs.iter().map(|program| program.source().to_owned());
        self.noted.lock().unwrap().evaluated.extend(sources);
        Jq.evaluate(programs, context)
    }

    fn perform<'a>(
        &'a self,
        step: &'a str,
        request: &'a Request,
    ) -> Fut<'a, Result<Value, StepFault>> {
        Box::pin(async move {
            {
                let mut noted = self.noted.lock().unwrap();
                noted.performed.push((step.to_owned(), request.clone()));
                noted.running.0 += 1;
                noted.running.1 = noted.running.1.max(noted.running.0);
            }
            if self.silent {
                std::future::pending::<()>().await;
            }
            // Others that could run at the same time begin meanwhile.
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            self.noted.lock().unwrap().running.0 -= 1;
            match &self.answer {
                Some(answer) => answer(step, request),
                None => Ok(Value::Null),
            }
        })
    }

    fn flow<'a>(&'a self, _: &'a str, call: &'a FlowCall) -> Fut<'a, Result<Found, StepFault>> {
        Box::pin(async move {
            let flow = self.flows.get(&call.name).cloned();
            Ok(flow.map_or(Found::Nothing, Found::Flow))
        })
    }

    fn sleep(&self, duration: Duration) -> Fut<'_, ()> {
        self.noted.lock().unwrap().waits.push(duration);
        Box::pin(async {})
    }

    fn left_of_wait<'a>(
        &'a self,
        step: &'a str,
        whole: Duration,
    ) -> Fut<'a, Result<Duration, StepFault>> {
        Box::pin(async move { Ok(self.left.get(step).copied().unwrap_or(whole)) })
    }

    fn wait(&self, left: Duration) -> Fut<'_, ()> {
        self.sleep(left)
    }

    fn progress(&self, done: u64, total: u64, message: &str) {
        let mut noted = self.noted.lock().unwrap();
        noted.progress.push((done, total, message.to_owned()));
    }

    fn recall<'a>(&'a self, step: &'a str) -> Fut<'a, Result<Recalled, StepFault>> {
        Box::pin(async move {
            let noted = self.noted.lock().unwrap();
            Ok(noted
                .journal
                .get(step)
                .cloned()
                .unwrap_or(Recalled::Nothing))
        })
    }

    fn record<'a>(&'a self, step: &'a str, mark: Mark<'a>) -> Fut<'a, Result<(), StepFault>> {
        Box::pin(async move {
            if self.crashed() {
                // Nothing goes on from here; the test drops the run.
                self.crashed.notify_one();
                return std::future::pending().await;
            }
            let known = match mark {
                Mark::Begun { .. } => Recalled::Begun,
                Mark::Done { output } => Recalled::Done(output.clone()),
                Mark::Failed { fault } => Recalled::Failed(fault.clone()),
                Mark::Skipped => return Ok(()),
            };
            self.noted
                .lock()
                .unwrap()
                .journal
                .insert(step.to_owned(), known);
            Ok(())
        })
    }

    fn rate<'a>(
        &'a self,
        key: &'a str,
        max: u32,
        per: Duration,
    ) -> Fut<'a, Result<Option<Duration>, StepFault>> {
        Box::pin(async move {
            let mut noted = self.noted.lock().unwrap();
            let count = noted.rates.entry(key.to_owned()).or_default();
            *count += 1;
            Ok((*count > max).then_some(per))
        })
    }

    fn cached<'a>(&'a self, key: &'a str) -> Fut<'a, Option<Value>> {
        Box::pin(async move { self.noted.lock().unwrap().cache.get(key).cloned() })
    }

    fn put_in_cache<'a>(&'a self, key: &'a str, value: &'a Value, _: Duration) -> Fut<'a, ()> {
        Box::pin(async move {
            let mut noted = self.noted.lock().unwrap();
            noted.cache.insert(key.to_owned(), value.clone());
        })
    }
}
