//! Whether a text is a flow: read strictly, its expressions compiled, its own tests run.

use super::expressions::OfTests;
use crate::App;
use crate::actor::Actor;
use crate::problems::{Problem, fault_of};
use crate::trying::credential_of_person;
use quaymaster_core::id::{OrgId, ServerId, WorkspaceId};
use quaymaster_core::{Code, Fault};
use quaymaster_flows::expression::Program;
use quaymaster_flows::format::{Flow, Path};
use quaymaster_flows::load::{Text, flow, saved};
use quaymaster_flows::prepared::Prepared;
use quaymaster_flows::testing::{Tested, test};
use serde_json::{Value, json};
use std::collections::HashSet;
use std::time::Duration;

/// How long all tests of a text may take.
const MOST_TESTING: Duration = Duration::from_mins(1);

/// One of the tests in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestOutcome {
    pub name: String,
    pub passed: bool,
    /// Why it did not pass.
    pub message: Option<String>,
}

/// What was found of a text.
#[derive(Debug, Clone, Default)]
pub struct Checked {
    /// The name of the flow, or the id of the pack, if the text could be read.
    pub name: Option<String>,
    pub problems: Vec<Problem>,
    pub tests: Vec<TestOutcome>,
}

impl Checked {
    /// Whether it can be saved.
    pub fn is_good(&self) -> bool {
        self.problems.is_empty() && self.tests.iter().all(|test| test.passed)
    }
}

/// A text that was checked when it was saved.
pub(super) fn prepared(source: &str) -> Result<Prepared, Vec<Problem>> {
    compiled(saved(source)?)
}

/// Does what may take long on a thread that nobody else waits for.
pub(crate) async fn off_the_threads<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Fault::internal())
}

fn compiled(flow: Flow) -> Result<Prepared, Vec<Problem>> {
    Prepared::new(flow).map_err(|message| {
        vec![Problem {
            file: String::new(),
            line: 0,
            column: 0,
            key: String::new(),
            message,
        }]
    })
}

/// `what` it is: a flow or a pack.
pub(crate) fn wrong(what: &str, problems: &[Problem]) -> Fault {
    fault_of(what, problems)
        .hint("details.problems has each with its line and column. Nothing was changed.")
}

/// A flow or a pack whose own tests do not pass.
pub(crate) fn failed_tests(what: &str, tests: &[TestOutcome]) -> Option<Fault> {
    let failed: Vec<&TestOutcome> = tests.iter().filter(|test| !test.passed).collect();
    let first = failed.first()?;
    let message = format!(
        "{} of the {what}'s {} tests failed. The first, {:?}: {}",
        failed.len(),
        tests.len(),
        first.name,
        first.message.as_deref().unwrap_or_default(),
    );
    let tests: Vec<Value> = tests
        .iter()
        .map(|test| json!({ "name": test.name, "passed": test.passed, "message": test.message }))
        .collect();
    Some(
        Fault::invalid_arg("/source", "tests", message)
            .detail("tests", tests)
            .hint(format!(
                "Mend the {what} or its tests. Nothing was changed."
            )),
    )
}

impl From<Tested> for TestOutcome {
    fn from(tested: Tested) -> Self {
        TestOutcome {
            passed: tested.passed(),
            message: (!tested.passed()).then(|| tested.failures.join(" ")),
            name: tested.test,
        }
    }
}

/// How tests ended, which reach nothing, if they do not take too long.
pub(crate) async fn in_time(
    testing: impl Future<Output = Vec<Tested>>,
) -> Result<Vec<Tested>, Fault> {
    let tested = tokio::time::timeout(MOST_TESTING, testing).await;
    tested.map_err(|_| {
        Fault::new(Code::Timeout, "The tests took longer than a minute.")
            .hint("Leave tests out, or let them do less. Nothing was changed.")
    })
}

impl App {
    /// What would be wrong with a text if it were saved. Saves nothing.
    pub async fn check_flow(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        source: &str,
    ) -> Result<Checked, Fault> {
        self.believed_workspace(&actor.org, workspace).await?;
        self.rates.one_more(&credential_of_person(&actor.user)?)?;
        Ok(self.checked_flow(&actor.org, workspace, source).await?.1)
    }

    /// The flow of a text that can be saved, and the servers that it names.
    pub(crate) async fn good_flow(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        source: &str,
    ) -> Result<(Prepared, Vec<ServerId>), Fault> {
        let (good, checked) = self.checked_flow(org, workspace, source).await?;
        let good = good.ok_or_else(|| wrong("flow", &checked.problems))?;
        failed_tests("flow", &checked.tests).map_or(Ok(good), Err)
    }

    /// The same if the text has no problems, and all that was found.
    async fn checked_flow(
        &self,
        org: &OrgId,
        workspace: &WorkspaceId,
        source: &str,
    ) -> Result<(Option<(Prepared, Vec<ServerId>)>, Checked), Fault> {
        let (prepared, mut checked) = self.read_flow_text(org, source).await?;
        let Some(prepared) = prepared else {
            return Ok((None, checked));
        };
        let named = self.servers_named(org, workspace, prepared.flow()).await?;
        let servers = named.servers.clone();
        checked.problems = named.problems(prepared.flow(), source).await?;
        if !checked.problems.is_empty() {
            return Ok((None, checked));
        }
        checked.tests = self.tests_of(org, &prepared).await?;
        Ok((Some((prepared, servers)), checked))
    }

    /// The flow if the text has no problems of its own, without its tests.
    pub(super) async fn read_flow_text(
        &self,
        org: &OrgId,
        source: &str,
    ) -> Result<(Option<Prepared>, Checked), Fault> {
        let mut checked = Checked::default();
        let text = source.to_owned();
        let read = off_the_threads(move || flow(&text, "").and_then(compiled));
        let prepared = match read.await? {
            Ok(prepared) => prepared,
            Err(problems) => {
                checked.problems = problems;
                return Ok((None, checked));
            }
        };
        checked.name = Some(prepared.flow().flow.clone());
        let programs = prepared.flow().programs();
        checked.problems = self.wrong_expressions(org, source, programs).await?;
        Ok((checked.problems.is_empty().then_some(prepared), checked))
    }

    /// Expressions that are none to jq, or use what none may use, each with where it stands in the text.
    pub(crate) async fn wrong_expressions(
        &self,
        org: &OrgId,
        source: &str,
        programs: Vec<(Path, &Program)>,
    ) -> Result<Vec<Problem>, Fault> {
        let mut found = Vec::new();
        let mut good = HashSet::new();
        for (at, program) in programs {
            // What needs no jq was read already.
            if program.simple().is_some() || good.contains(program.digest()) {
                continue;
            }
            match self.jq.check(org.as_str(), program.source()).await {
                Ok(()) => {
                    good.insert(program.digest().to_owned());
                }
                Err(failed) if failed.fault().code == Code::FlowError => {
                    let mut message = failed.to_string();
                    if let Some(hint) = failed.hint() {
                        message = format!("{message} {hint}");
                    }
                    found.push((at, message));
                }
                // Not the flow's doing, and nothing that can be saved unchecked.
                Err(failed) => return Err(failed.fault()),
            }
        }
        let source = source.to_owned();
        off_the_threads(move || {
            let text = Text::new(&source, "");
            let placed = found.into_iter();
            let placed = placed.map(|(at, message): (Path, String)| {
                let at: Vec<&str> = at.iter().map(String::as_str).collect();
                text.problem_at(&at, message)
            });
            let mut problems: Vec<Problem> = placed.collect();
            problems.sort_by_key(|problem| (problem.line, problem.column));
            problems
        })
        .await
    }

    /// The outcome of the flow's own tests, which reach nothing.
    async fn tests_of(&self, org: &OrgId, prepared: &Prepared) -> Result<Vec<TestOutcome>, Fault> {
        let expressions = OfTests { app: self, org };
        let tested = in_time(test(prepared.flow(), &expressions)).await?;
        Ok(tested.into_iter().map(TestOutcome::from).collect())
    }
}
