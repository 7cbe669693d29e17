//! `flow check` and `flow test`: files of flows and packs, without a server.

use crate::output::{self, Told};
use quaymaster_core::door::Fut;
use quaymaster_flows::context::Context;
use quaymaster_flows::expression::Program;
use quaymaster_flows::fault::StepFault;
use quaymaster_flows::format::Flow;
use quaymaster_flows::load::{Document, Problem, Text, document};
use quaymaster_flows::testing::{self, Expressions, Tested};
use quaymaster_sandbox::jq;
use serde_json::{Value, json};
use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// Whose data the expressions of files on this machine are.
const OWNER: &str = "command line";

/// Expressions in locked workers of their own.
struct Local(jq::Pool);

impl Expressions for Local {
    fn evaluate<'a>(
        &'a self,
        programs: &'a [Program],
        context: &'a Context,
    ) -> Fut<'a, Vec<Result<Value, StepFault>>> {
        Box::pin(async move {
            let sources: Vec<&str> = programs.iter().map(Program::source).collect();
            let input = context.to_value();
            match self
                .0
                .eval_many(OWNER, &sources, &input, jq::USUAL_TIME)
                .await
            {
                Ok(values) => values.into_iter().map(Ok).collect(),
                Err(at) => vec![Err(at.failed.fault().into()); programs.len()],
            }
        })
    }
}

impl Local {
    /// Expressions of a flow that are none to jq. `within` is where the flow stands in the file.
    async fn wrong(&self, flow: &Flow, text: &Text<'_>, within: &[String]) -> Vec<Problem> {
        let mut problems = Vec::new();
        let mut good: HashSet<&str> = HashSet::new();
        for (at, program) in flow.programs() {
            if program.simple().is_some() || good.contains(program.digest()) {
                continue;
            }
            match self.0.check(OWNER, program.source()).await {
                Ok(()) => {
                    good.insert(program.digest());
                }
                Err(failed) => {
                    let path: Vec<&str> = within.iter().chain(&at).map(String::as_str).collect();
                    let mut message = failed.to_string();
                    if let Some(hint) = failed.hint() {
                        message = format!("{message} {hint}");
                    }
                    problems.push(text.problem_at(&path, message));
                }
            }
        }
        problems
    }
}

/// What stands in a file, or everything that is wrong with it.
async fn read(file: &Path, expressions: &Local) -> Result<Document, Vec<Problem>> {
    let shown = file.display().to_string();
    let text = std::fs::read_to_string(file).map_err(|error| {
        vec![Problem {
            file: shown.clone(),
            line: 1,
            column: 1,
            key: String::new(),
            message: format!("The file cannot be read: {error}."),
        }]
    })?;
    let text = Text::new(&text, &shown);
    let read = document(&text)?;
    let mut problems = Vec::new();
    match &read {
        Document::Flow(flow) => problems = expressions.wrong(flow, &text, &[]).await,
        Document::Pack(pack) => {
            for (index, flow) in pack.flows.iter().enumerate() {
                let within = ["flows".to_owned(), index.to_string()];
                problems.extend(expressions.wrong(flow, &text, &within).await);
            }
        }
    }
    if problems.is_empty() {
        return Ok(read);
    }
    problems.sort_by_key(|problem| (problem.line, problem.column));
    Err(problems)
}

pub(super) async fn check(files: &[PathBuf], as_json: bool) -> anyhow::Result<()> {
    let expressions = Local(jq::Pool::new(jq::Options::default()));
    let mut problems: Vec<Problem> = Vec::new();
    let mut text = String::new();
    for file in files {
        let shown = file.display();
        match read(file, &expressions).await {
            Ok(Document::Flow(flow)) => {
                let _ = writeln!(text, "{shown}: {} is fine.", flow.flow);
            }
            Ok(Document::Pack(pack)) => {
                let flows = pack.flows.len();
                let _ = writeln!(text, "{shown}: {} is fine: {flows} flows.", pack.id);
            }
            Err(found) => {
                for problem in &found {
                    let _ = writeln!(text, "{problem}");
                }
                problems.extend(found);
            }
        }
    }
    let value = json!({ "files": files.len(), "problems": problems });
    output::print(as_json, &value, &text);
    anyhow::ensure!(problems.is_empty(), Told("some flows have problems"));
    Ok(())
}

pub(super) async fn test(files: &[PathBuf], as_json: bool) -> anyhow::Result<()> {
    let expressions = Local(jq::Pool::new(jq::Options::default()));
    let mut problems: Vec<Problem> = Vec::new();
    let mut tested: Vec<Tested> = Vec::new();
    for file in files {
        match read(file, &expressions).await {
            Ok(Document::Flow(flow)) => tested.extend(testing::test(&flow, &expressions).await),
            Ok(Document::Pack(pack)) => {
                tested.extend(testing::test_pack(&pack, &expressions).await);
            }
            Err(found) => problems.extend(found),
        }
    }
    let mut text = String::new();
    for problem in &problems {
        let _ = writeln!(text, "{problem}");
    }
    for test in &tested {
        let outcome = if test.passed() { "passed" } else { "failed" };
        let _ = writeln!(text, "{outcome}: {}: {}", test.flow, test.test);
        for failure in &test.failures {
            let _ = writeln!(text, "  {failure}");
        }
    }
    let failed = tested.iter().filter(|test| !test.passed()).count();
    let passed = tested.len() - failed;
    let _ = writeln!(text, "{passed} passed, {failed} failed.");
    let value =
        json!({ "problems": problems, "tests": tested, "passed": passed, "failed": failed });
    output::print(as_json, &value, &text);
    anyhow::ensure!(
        problems.is_empty() && failed == 0,
        Told("some flows have problems or fail their tests")
    );
    Ok(())
}
