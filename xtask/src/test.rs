//! The whole test command, step by step. Ends at the first step that fails; the last line says
//! which one, or how many tests passed and failed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::postgres::Cluster;
use crate::workspace::{Workspace, cargo};
use crate::{check, tools};

/// Sets what the tests read from their environment, and removes what could lead a test or the
/// server under test to somebody's real data.
pub(crate) fn environment(command: &mut Command, tools: &Path, cluster: &Cluster) {
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text == "DATABASE_URL" || text.starts_with("QUAYMASTER_") {
            command.env_remove(name);
        }
    }
    command
        .env("QUAYMASTER_TEST_PG", cluster.url())
        .env("QUAYMASTER_TEST_TOOLS", tools);
}

/// With a filter, only the tests whose name contains it, and neither lints nor checks.
pub(crate) fn run(only: Option<&str>) -> Result<ExitCode> {
    let workspace = Workspace::read()?;
    let mut steps = Steps::new();
    let mut totals = Totals::default();
    let outcome = all(&workspace, only, &mut steps, &mut totals);
    steps.print();
    if let Err(error) = &outcome {
        println!("failed: {error:#}");
    }
    // Also when something else failed, but not when the tests never ran.
    if outcome.is_ok() || totals != Totals::default() {
        println!("{} passed, {} failed", totals.passed, totals.failed);
    }
    Ok(if outcome.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn all(
    workspace: &Workspace,
    only: Option<&str>,
    steps: &mut Steps,
    totals: &mut Totals,
) -> Result<()> {
    let tools = steps.run("tools", || tools::install(workspace))?;
    if only.is_none() {
        steps.run("fmt", || finish(cargo().args(["fmt", "--all", "--check"])))?;
        steps.run("check", || match check::run()? {
            ExitCode::SUCCESS => Ok(()),
            _ => bail!("the rules of the repository do not hold"),
        })?;
        let clippy = [
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "-D",
            "warnings",
        ];
        steps.run("clippy", || finish(cargo().args(clippy)))?;
    }
    let cluster = steps.run("postgres", Cluster::start)?;
    steps.run("build", || {
        finish(cargo().args(["build", "--workspace", "--locked"]))
    })?;
    let test = |filters: &[&str]| {
        let mut command = cargo();
        command.args(["test", "--workspace", "--locked", "--no-fail-fast", "--"]);
        command.args(filters);
        environment(&mut command, &tools, &cluster);
        command
    };
    let failed = steps.run("test", || tests(&mut test(only.as_slice()), totals))?;
    if failed.is_empty() {
        return Ok(());
    }
    if failed.len() > MOST_AGAIN {
        bail!("{} tests failed", failed.len());
    }
    steps.run("again", || {
        let mut again = Totals::default();
        let mut filters = vec!["--exact", "--test-threads=1"];
        filters.extend(failed.iter().map(String::as_str));
        let failed_again = tests(&mut test(&filters), &mut again)?;
        if !failed_again.is_empty() {
            bail!("{} tests failed twice", failed_again.len());
        }
        totals.failed -= failed.len() as u64;
        totals.passed += failed.len() as u64;
        for name in &failed {
            println!("failed beside the others and passed alone: {name}");
        }
        Ok(())
    })
}

/// So many tests that failed are run again by themselves: whoever waits for time on a busy machine may
/// find too little of it beside the others. What failed first is told in any case.
const MOST_AGAIN: usize = 3;

fn finish(command: &mut Command) -> Result<()> {
    let status = command.status().context("cannot run cargo")?;
    if !status.success() {
        bail!("cargo ended with {status}");
    }
    Ok(())
}

/// Runs cargo test, shows its output as it comes, and adds up its results. Answers the names of the tests
/// that failed.
fn tests(command: &mut Command, totals: &mut Totals) -> Result<Vec<String>> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot run cargo")?;
    let mut output = BufReader::new(child.stdout.take().context("cargo has no output")?);
    let mut failed = Vec::new();
    let (mut begun, mut ended) = (0, 0);
    let mut line = Vec::new();
    let mut terminal = std::io::stdout();
    // Bytes, because a test may print what is not UTF-8.
    while output.read_until(b'\n', &mut line)? > 0 {
        terminal.write_all(&line)?;
        terminal.flush()?;
        let text = String::from_utf8_lossy(&line);
        if let Some(counted) = Totals::of(&text) {
            totals.add(&counted);
            ended += 1;
        } else if text.starts_with("running ") {
            begun += 1;
        } else if let Some(name) = failed_test(&text) {
            failed.push(name.to_owned());
        }
        line.clear();
    }
    let status = child.wait()?;
    for name in &failed {
        println!("failed test: {name}");
    }
    // Without the name of a test it was something else: the compiler, or a program that crashed.
    if !status.success() && (failed.is_empty() || begun != ended) {
        bail!("cargo test ended with {status}");
    }
    // A filter that matches nothing proves nothing.
    if totals.passed + totals.failed == 0 {
        bail!("no test ran");
    }
    Ok(failed)
}

fn failed_test(line: &str) -> Option<&str> {
    line.strip_prefix("test ")?
        .trim_end()
        .strip_suffix(" ... FAILED")
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    passed: u64,
    failed: u64,
}

impl Totals {
    /// From a line like `test result: ok. 3 passed; 0 failed; 0 ignored; ...`.
    fn of(line: &str) -> Option<Self> {
        let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
        let count = |word: &str| {
            let part = counts
                .split(';')
                .find_map(|part| part.trim().strip_suffix(word))?;
            part.trim().parse().ok()
        };
        Some(Self {
            passed: count("passed")?,
            failed: count("failed")?,
        })
    }

    fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// The steps so far, with how long each took.
struct Steps {
    begun: Instant,
    done: Vec<(&'static str, Duration, bool)>,
}

impl Steps {
    fn new() -> Self {
        Self {
            begun: Instant::now(),
            done: Vec::new(),
        }
    }

    fn run<T>(&mut self, name: &'static str, step: impl FnOnce() -> Result<T>) -> Result<T> {
        println!("[{:>7.1} s] {name}", self.begun.elapsed().as_secs_f64());
        let begun = Instant::now();
        let outcome = step();
        self.done.push((name, begun.elapsed(), outcome.is_ok()));
        outcome.context(name)
    }

    fn print(&self) {
        println!();
        for (name, took, ok) in &self.done {
            let word = if *ok { "ok" } else { "FAILED" };
            println!("{name:<9} {:>7.1} s  {word}", took.as_secs_f64());
        }
        println!("{:<9} {:>7.1} s", "all", self.begun.elapsed().as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_all_binaries_add_up() {
        let mut totals = Totals::default();
        for line in [
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s\n",
            "test result: FAILED. 12 passed; 2 failed; 0 ignored; 0 measured; 7 filtered out; finished in 1.02s\n",
        ] {
            totals.add(&Totals::of(line).unwrap());
        }
        assert_eq!(
            totals,
            Totals {
                passed: 15,
                failed: 2
            }
        );
        assert_eq!(Totals::of("running 3 tests\n"), None);
    }

    #[test]
    fn failed_tests_are_named() {
        assert_eq!(failed_test("test a::b ... FAILED\n"), Some("a::b"));
        assert_eq!(failed_test("test a::b ... ok\n"), None);
    }
}
