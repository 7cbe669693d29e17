//! Hosted servers: what their lists cost a model in tokens, and how fast large ones answer.

use crate::connectors::{definition, text};
use crate::load::{Connection, Target, message, structured};
use crate::server::{Server, seconds_since};
use crate::table::Table;
use crate::upstream::Upstream;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Instant;
use tempfile::TempDir;
use tiktoken_rs::{CoreBPE, o200k_base};

/// Beside `powerdns`, which runs on loopback and is the one that the task calls.
const NAMED: [&str; 9] = [
    "github",
    "gitlab",
    "google_calendar",
    "google_drive",
    "google_sheets",
    "jira",
    "notion",
    "slack",
    "stripe",
];
/// The tenth, whose service is there.
const CONNECTED: &str = "powerdns";
const TASK: &str = "list the dns zones of the name server";
const PROGRAM: &str = "const zones = await quaymaster.powerdns.list_zones({});\nreturn zones.name;";
/// Questions, each with the action that answers it.
const QUESTIONS: &str = include_str!("../../crates/connectors/tests/it/code_queries.txt");
/// Each has 30 actions.
const OF_500_TOOLS: usize = 17;
const OF_10_000_ACTIONS: usize = 334;
const ASKED: usize = 100;

/// A workspace whose accounts are those of an end user, so that nothing needs to be connected.
pub(crate) struct Workspace<'a> {
    server: &'a Server,
    key: String,
    end_user: String,
}

impl<'a> Workspace<'a> {
    pub(crate) async fn open(server: &'a Server, binary: &Path) -> anyhow::Result<Workspace<'a>> {
        let key = server.api_key(binary).await?;
        let person = json!({ "workspaceId": server.workspace, "externalId": "person-1" });
        let made = server
            .rest(&key, "POST", "/api/v1/end-users", &person)
            .await?;
        let end_user = string(&made["endUser"]["id"])?;
        Ok(Workspace {
            server,
            key,
            end_user,
        })
    }

    /// Connects an account and switches its integration on.
    pub(crate) async fn connect(&self, account: &Value) -> anyhow::Result<()> {
        let made = self
            .server
            .rest(&self.key, "POST", "/api/v1/connections", account);
        let made = made.await?;
        let connection = string(&made["connection"]["id"]).with_context(|| made.to_string())?;
        let name = &account["connector"];
        let integration = json!({ "integrationName": name, "connectionId": connection });
        self.switch_on(integration).await
    }

    async fn switch_on(&self, integration: Value) -> anyhow::Result<()> {
        let path = format!("/api/v1/workspaces/{}/integrations", self.server.workspace);
        let made = self.server.rest(&self.key, "POST", &path, &integration);
        let made = made.await?;
        anyhow::ensure!(made["integration"]["id"].is_string(), "{made}");
        Ok(())
    }

    /// A hosted server of TOOLS or CODE mode over what is switched on.
    pub(crate) async fn hosted(&self, mode: &str) -> anyhow::Result<Target> {
        let asked = json!({
            "name": mode, "mode": mode, "workspaceId": self.server.workspace, "endUserId": self.end_user,
        });
        let made = self
            .server
            .rest(&self.key, "POST", "/api/v1/mcp/servers", &asked)
            .await?;
        Ok(Target {
            path: format!("/mcp/{}", string(&made["id"])?),
            token: string(&made["bearerToken"])?,
            ..self.server.target()
        })
    }
}

/// Tokens of the tool lists of both modes over ten named integrations, and of one task in CODE mode; and what the
/// search finds.
pub(crate) async fn tokens(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    let tokenizer = o200k_base()?;
    let server = Server::start(binary).await?;
    let upstream = Upstream::start().await?;
    let workspace = Workspace::open(&server, binary).await?;
    let account = json!({
        "connector": CONNECTED, "name": "main", "isLocal": true,
        "fields": { "url": format!("http://{}", upstream.address), "api_key": "harbour-secret" },
    });
    workspace.connect(&account).await?;
    for name in NAMED {
        let integration = json!({ "integrationName": name, "connectionStrategy": "per_user" });
        workspace.switch_on(integration).await?;
    }
    let tools = list(&mut Connection::open(&workspace.hosted("TOOLS").await?).await?).await?;
    let mut connection = Connection::open(&workspace.hosted("CODE").await?).await?;
    let code = list(&mut connection).await?;
    let (of_tools, of_code) = (count(&tokenizer, &tools), count(&tokenizer, &code));
    let fewer = 100.0 * (1.0 - of_code as f64 / of_tools as f64);
    let number = tools.as_array().map_or(0, Vec::len);
    table.row(
        &format!("tool list of ten named integrations, {number} tools, o200k_base"),
        format!("TOOLS {of_tools} tokens, CODE {of_code} tokens, {fewer:.1} % fewer"),
        "≥ 98 % fewer",
        Some(fewer >= 98.0),
    );
    let mut spent = of_code;
    for (tool, arguments) in [
        ("quaymaster_search", json!({ "query": TASK })),
        (
            "quaymaster_read_api",
            json!({ "integration": CONNECTED, "action": "list_zones" }),
        ),
        ("quaymaster_execute", json!({ "code": PROGRAM })),
    ] {
        let answer = message(&connection.call(1, tool, &arguments).await?)?;
        anyhow::ensure!(answer["result"]["isError"] != true, "{answer}");
        // What a model reads: its own call, and the text of the answer.
        spent += count(&tokenizer, &json!({ "name": tool, "arguments": arguments }));
        let content = answer["result"]["content"].as_array();
        for part in content.into_iter().flatten() {
            let text = part["text"].as_str().unwrap_or_default();
            spent += tokenizer.encode_ordinary(text).len();
        }
    }
    let share = 100.0 * spent as f64 / of_tools as f64;
    table.row(
        "one task in CODE mode: list, search, read_api, execute",
        format!("{spent} tokens, {share:.1} % of the TOOLS list alone"),
        "≤ 20 %",
        Some(share <= 20.0),
    );
    recall(&workspace, &mut connection, table).await
}

/// How many questions in plain words find their action among the first five, over all integrations that they are about.
async fn recall(
    workspace: &Workspace<'_>,
    connection: &mut Connection,
    table: &mut Table,
) -> anyhow::Result<()> {
    let mut questions = Vec::new();
    for line in QUESTIONS.lines() {
        let (question, right) = line.split_once(" | ").context("no action")?;
        let (alias, action) = right.split_once('.').context("no integration")?;
        questions.push((question, alias, action));
    }
    let about: BTreeSet<&str> = questions.iter().map(|(_, alias, _)| *alias).collect();
    for name in &about {
        if !NAMED.contains(name) && *name != CONNECTED {
            let integration = json!({ "integrationName": name, "connectionStrategy": "per_user" });
            workspace.switch_on(integration).await?;
        }
    }
    let mut right = 0_usize;
    for (question, alias, action) in &questions {
        let asked = json!({ "query": question, "limit": 5 });
        let answer = connection.call(1, "quaymaster_search", &asked).await?;
        let found = structured(&answer)?;
        let found = found["actions"].as_array().context("no actions")?;
        let is_it = |hit: &Value| hit["integration"] == *alias && hit["action"] == *action;
        right += usize::from(found.iter().any(is_it));
    }
    let share = 100.0 * right as f64 / questions.len() as f64;
    table.row(
        &format!(
            "{} questions over {} integrations: the right action is among the first five",
            questions.len(),
            about.len()
        ),
        format!("{share:.0} %"),
        "≥ 90 %",
        Some(share >= 90.0),
    );
    Ok(())
}

/// How long large servers take to list and to search.
pub(crate) async fn large(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    let directory = TempDir::new()?;
    for number in 0..OF_10_000_ACTIONS {
        let key = format!("service_{number:04}");
        let file = directory.path().join(format!("{key}.yaml"));
        std::fs::write(file, definition(&key))?;
    }
    let settings = [("DEFINITIONS", text(directory.path())?)];
    let server = Server::start_with(binary, &settings).await?;
    let workspace = Workspace::open(&server, binary).await?;
    let on = |number: usize| json!({ "integrationName": format!("service_{number:04}"), "connectionStrategy": "per_user" });
    for number in 0..OF_500_TOOLS {
        workspace.switch_on(on(number)).await?;
    }
    let mut connection = Connection::open(&workspace.hosted("TOOLS").await?).await?;
    let mut times = Vec::new();
    let mut tools = 0;
    for _ in 0..=ASKED {
        let begun = Instant::now();
        let answer = connection.request(1, "tools/list", None, json!({})).await?;
        times.push(seconds_since(begun) * 1_000.0);
        tools = message(&answer)?["result"]["tools"]
            .as_array()
            .map_or(0, Vec::len);
    }
    let first = times.remove(0);
    let [p50, p99] = at(&mut times);
    table.row(
        &format!("tools/list of {tools} tools, first time, then p50 and p99"),
        format!("{first:.1} ms, {p50:.2} ms, {p99:.2} ms"),
        "≤ 5 ms",
        Some(p50 <= 5.0),
    );
    for number in OF_500_TOOLS..OF_10_000_ACTIONS {
        workspace.switch_on(on(number)).await?;
    }
    let mut connection = Connection::open(&workspace.hosted("CODE").await?).await?;
    let mut times = Vec::new();
    for number in 0..=ASKED {
        let query = format!(
            "things of sort {} of service {}",
            number % 28,
            (number * 7) % OF_10_000_ACTIONS
        );
        let begun = Instant::now();
        let asked = json!({ "query": query });
        let answer = connection.call(1, "quaymaster_search", &asked).await?;
        times.push(seconds_since(begun) * 1_000.0);
        anyhow::ensure!(message(&answer)?["result"]["isError"] != true, "{answer}");
    }
    let first = times.remove(0);
    let [p50, p99] = at(&mut times);
    let actions = OF_10_000_ACTIONS * 30;
    table.row(
        &format!("quaymaster_search over {actions} actions, first time, then p50 and p99"),
        format!("{first:.0} ms, {p50:.2} ms, {p99:.2} ms"),
        "≤ 5 ms",
        Some(p50 <= 5.0),
    );
    Ok(())
}

async fn list(connection: &mut Connection) -> anyhow::Result<Value> {
    let answer = connection.request(1, "tools/list", None, json!({})).await?;
    Ok(message(&answer)?["result"]["tools"].clone())
}

fn count(tokenizer: &CoreBPE, value: &Value) -> usize {
    tokenizer.encode_ordinary(&value.to_string()).len()
}

/// The median, and what one of a hundred is above.
pub(crate) fn at(times: &mut [f64]) -> [f64; 2] {
    times.sort_by(f64::total_cmp);
    [0.5, 0.99].map(|share| {
        let index = (times.len() as f64 * share) as usize;
        times.get(index).copied().unwrap_or_default()
    })
}

fn string(value: &Value) -> anyhow::Result<String> {
    Ok(value.as_str().context("no text")?.to_owned())
}
