//! Code mode: three tools that find, document and call all actions of a hosted server by programs.

use super::{READS, structured};
use crate::App;
use crate::actions::output_of;
use crate::as_server::EXECUTE;
use crate::guard::Admitted;
use crate::hosted::Hosted;
use quaymaster_connectors::surface;
use quaymaster_core::door::{Door as _, Fut};
use quaymaster_core::schema::Checker;
use quaymaster_core::tool::{
    Call, Content, Ctx, JsonObject, Nature, Outcome, Source, ToolDef, ToolResult,
};
use quaymaster_core::{Caller, Code, Fault};
use quaymaster_files::schema_of;
use quaymaster_sandbox::{Ending, HostCalls, Language, Limits, Run};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const MOST_HITS: usize = 25;
const USUAL_HITS: usize = 10;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Search {
    /// What you want to do, in plain words, for example `post a message to a channel`. Empty lists
    /// the integrations.
    #[serde(default)]
    #[schemars(length(max = 300))]
    query: String,
    /// Only actions of this alias.
    #[serde(default)]
    #[schemars(length(max = 64))]
    integration: Option<String>,
    /// How many at most, 1 to 25; 10 unless said otherwise.
    #[serde(default)]
    #[schemars(range(min = 1, max = 25))]
    limit: Option<usize>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ReadApi {
    /// The alias of an integration, as the search tells it.
    #[schemars(length(min = 1, max = 64))]
    integration: String,
    /// One of its actions; without it, an overview with all declarations.
    #[serde(default)]
    #[schemars(length(max = 200))]
    action: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Execute {
    /// The body of an async JavaScript or TypeScript function, which returns its result.
    #[schemars(length(min = 1, max = 262_144))]
    code: String,
    /// Seconds after which it is stopped, 1 to 60.
    #[serde(default)]
    #[schemars(range(min = 1, max = 60))]
    timeout_s: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    Search,
    ReadApi,
    Execute,
}

/// One of the three, with what the guard needs to admit its calls.
pub(crate) struct Tool {
    which: Which,
    pub(crate) checker: Checker,
}

pub(crate) struct Tools(Vec<Tool>);

impl Tools {
    pub(crate) fn new() -> Result<Self, Fault> {
        let make = |which, def: &ToolDef| {
            let checker = Checker::new(&def.input).map_err(|error: String| {
                tracing::error!(%error, tool = %def.name, "a built-in schema does not compile");
                Fault::internal()
            })?;
            Ok::<_, Fault>(Tool { which, checker })
        };
        let [search, read_api, execute] = defs();
        Ok(Tools(vec![
            make(Which::Search, &search)?,
            make(Which::ReadApi, &read_api)?,
            make(Which::Execute, &execute)?,
        ]))
    }

    /// By its name, or the one that prompts for the hosted product know.
    pub(crate) fn find(&self, name: &str) -> Option<&Tool> {
        let bare = name
            .strip_prefix("quaymaster_")
            .or_else(|| name.strip_prefix("weavz_"))?;
        let which = match bare {
            "search" => Which::Search,
            "read_api" => Which::ReadApi,
            "execute" => Which::Execute,
            _ => return None,
        };
        self.0.iter().find(|tool| tool.which == which)
    }
}

/// What `tools/list` of every server in code mode answers.
pub(crate) fn listed() -> Arc<[ToolDef]> {
    Arc::new(defs())
}

fn defs() -> [ToolDef; 3] {
    let def =
        |name: &'static str, title: &'static str, description: &str, input: JsonObject, nature| {
            ToolDef {
                name: name.into(),
                title: title.into(),
                description: description.to_owned(),
                input: Arc::new(input),
                output: None,
                nature,
            }
        };
    [
        def(
            "quaymaster_search",
            "Search actions",
            "Finds integrations and their actions by what you want to do. Start here.",
            schema_of::<Search>(),
            READS,
        ),
        def(
            "quaymaster_read_api",
            "Read an API",
            "The documentation of one action, or of an integration: what it does, its TypeScript declaration, an example.",
            schema_of::<ReadApi>(),
            READS,
        ),
        def(
            EXECUTE,
            "Execute code",
            "Runs JavaScript or TypeScript that calls actions: await quaymaster.<alias>.<action>(input). Use \
             Promise.all for calls that do not depend on each other, and return only what you need. console.log is \
             captured; there is no network and no file system. A failed call throws an Error with code, message, retryable and hint.",
            schema_of::<Execute>(),
            Nature {
                read_only: false,
                destructive: true,
                idempotent: false,
                open_world: true,
            },
        ),
    ]
}

pub(crate) async fn run(
    app: &App,
    admitted: Admitted,
    hosted: &Arc<Hosted>,
    tool: &Tool,
) -> Result<ToolResult, Fault> {
    let args = &admitted.call().args;
    match tool.which {
        Which::Search => {
            let request = super::read_arguments(args)?;
            hosted.make_index().await;
            search(hosted, &request)
        }
        Which::ReadApi => read_api(hosted, &super::read_arguments(args)?),
        Which::Execute => execute(app, &admitted, hosted, super::read_arguments(args)?).await,
    }
}

fn search(hosted: &Hosted, request: &Search) -> Result<ToolResult, Fault> {
    let limit = request.limit.unwrap_or(USUAL_HITS).min(MOST_HITS);
    if request.query.trim().is_empty() && request.integration.is_none() {
        let all: Vec<Value> = hosted
            .parts
            .iter()
            .enumerate()
            .map(|(index, part)| {
                let definition = part.definition();
                let of_it = hosted.tools.iter().filter(|tool| tool.part == index);
                let actions = of_it.count();
                json!({
                    "integration": part.integration.alias,
                    "title": part.integration.display_name.as_ref().unwrap_or(&definition.title),
                    "summary": definition.summary,
                    "actions": actions,
                })
            })
            .collect();
        return structured(&json!({ "integrations": all }));
    }
    if let Some(alias) = &request.integration
        && hosted.part(alias).is_none()
    {
        return Err(unknown_alias(hosted, alias));
    }
    let hits: Vec<Value> = hosted
        .index()
        .search(&request.query, request.integration.as_deref(), limit)
        .into_iter()
        .map(|hit| {
            json!({
                "integration": hit.alias,
                "action": hit.action,
                "title": hit.title,
                "call": hit.signature,
            })
        })
        .collect();
    let next = "quaymaster_read_api documents an action; quaymaster_execute calls it.";
    structured(&json!({ "actions": hits, "next": next }))
}

fn unknown_alias(hosted: &Hosted, alias: &str) -> Fault {
    let known = hosted.aliases();
    let close = quaymaster_core::suggest::did_you_mean(alias, known.iter().copied(), 3);
    let message = format!("This server has no integration {alias:?}.");
    Fault::invalid_arg("/integration", "enum", message)
        .hint(format!("It has {}.", known.join(", ")))
        .meant(&close)
}

fn read_api(hosted: &Hosted, request: &ReadApi) -> Result<ToolResult, Fault> {
    let Some(part) = hosted.part(&request.integration) else {
        return Err(unknown_alias(hosted, &request.integration));
    };
    let text = part.switched(|switched| surface::read_api(switched, request.action.as_deref()))?;
    Ok(ToolResult {
        content: vec![Content::Text(text)],
        structured: None,
    })
}

async fn execute(
    app: &App,
    admitted: &Admitted,
    hosted: &Arc<Hosted>,
    request: Execute,
) -> Result<ToolResult, Fault> {
    let mut limits = Limits::default();
    if let Some(seconds) = request.timeout_s {
        limits.wall = limits.wall.min(Duration::from_secs(seconds));
    }
    let run = Run {
        code: request.code,
        language: Language::Auto,
        namespaces: hosted.namespaces(),
        limits,
    };
    let host = Arc::new(Inner {
        app: app.clone(),
        caller: admitted.caller().clone(),
        hosted: hosted.clone(),
        client: admitted.call().ctx.client.clone(),
    });
    let cancel = admitted.call().ctx.cancel.clone();
    let outcome = app.pool.run(run, host, cancel).await?;
    let shown = outcome.to_json(&limits);
    if let Ending::Ok(_) = outcome.ending {
        return structured(&shown);
    }
    let code = match &outcome.ending {
        Ending::Timeout | Ending::CpuLimit | Ending::Cancelled => Code::Timeout,
        Ending::WorkerCrashed { .. } => Code::Internal,
        _ => Code::CodeError,
    };
    // What the program had done by then counts, and its log helps.
    let mut fault = Fault::new(code, outcome.ending.sentence(&limits));
    fault.details = Some(shown);
    Err(fault.hint(
        "Calls that were made are not undone: look at details.calls before running it again.",
    ))
}

/// What a program's calls go through: the guard, one by one, as if its caller had called.
struct Inner {
    app: App,
    caller: Caller,
    hosted: Arc<Hosted>,
    client: Option<String>,
}

impl HostCalls for Inner {
    fn call<'a>(
        &'a self,
        alias: &'a str,
        action: &'a str,
        input: JsonObject,
    ) -> Fut<'a, Result<Value, Fault>> {
        Box::pin(async move {
            let tool = self
                .hosted
                .tool_of(alias, action)
                .ok_or_else(Fault::internal)?;
            let mut ctx = Ctx::new(self.app.fresh_call_id(), self.app.now());
            ctx.client = self.client.clone();
            let call = Call {
                tool: tool.def.name.to_string(),
                args: Arc::new(input),
                source: Source::Code,
                answers: None,
                ctx,
            };
            match self.app.call(&self.caller, call).await? {
                Outcome::Done(result) => Ok(output_of(result)),
                Outcome::Ask(..) => Err(Fault::internal()),
            }
        })
    }
}
