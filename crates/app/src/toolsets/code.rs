//! Code mode: three tools that find, document and call all actions of a hosted server by programs.

use super::{READS, structured};
use crate::App;
use crate::actions::output_of;
use crate::as_server::EXECUTE;
use crate::flows::in_programs::InPrograms;
use crate::guard::Admitted;
use crate::hosted::Hosted;
use quaymaster_connectors::surface::{self, FLOWS, Hit};
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
    let all = app.flows_for(admitted.caller()).await?;
    let server = &hosted.server;
    let shown = all.in_programs(&server.workspace, &server.id, &app.toolsets.get_run.def);
    // An integration that had the alias before flows did keeps it, and programs mean that one.
    let shown = shown.filter(|_| hosted.part(FLOWS).is_none());
    let flows = shown.map(Arc::as_ref);
    match tool.which {
        Which::Search => {
            let request = super::read_arguments(args)?;
            hosted.make_index().await;
            if let Some(shown) = shown {
                shown.make_index().await;
            }
            search(hosted, flows, &request)
        }
        Which::ReadApi => read_api(hosted, flows, &super::read_arguments(args)?),
        Which::Execute => {
            let request = super::read_arguments(args)?;
            execute(app, &admitted, hosted, flows, request).await
        }
    }
}

fn search(
    hosted: &Hosted,
    flows: Option<&InPrograms>,
    request: &Search,
) -> Result<ToolResult, Fault> {
    let limit = request.limit.unwrap_or(USUAL_HITS).min(MOST_HITS);
    if request.query.trim().is_empty() && request.integration.is_none() {
        let of_flows = flows.map(|flows| {
            json!({
                "integration": FLOWS,
                "title": flows.title(),
                "summary": flows.summary(),
                "actions": flows.count(),
            })
        });
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
            .chain(of_flows)
            .collect();
        return structured(&json!({ "integrations": all }));
    }
    let hits: Vec<Value> = found(hosted, flows, request, limit)?
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

/// Flows first: somebody made them for this server. They take half of the places at most while there
/// are actions for the others.
fn found(
    hosted: &Hosted,
    flows: Option<&InPrograms>,
    request: &Search,
    limit: usize,
) -> Result<Vec<Hit>, Fault> {
    let (query, only) = (request.query.as_str(), request.integration.as_deref());
    if let Some(alias) = only
        && hosted.part(alias).is_none()
    {
        return match of_alias(flows, alias) {
            Some(flows) => Ok(flows.search(query, limit)),
            None => Err(unknown_alias(hosted, flows, alias)),
        };
    }
    let actions = hosted.index().search(query, only, limit);
    let mut hits = match flows.filter(|_| only.is_none()) {
        Some(flows) => flows.search(query, limit - actions.len().min(limit / 2)),
        None => Vec::new(),
    };
    let room = limit - hits.len();
    hits.extend(actions.into_iter().take(room));
    Ok(hits)
}

/// The flows, if the alias is theirs.
fn of_alias<'f>(flows: Option<&'f InPrograms>, alias: &str) -> Option<&'f InPrograms> {
    flows.filter(|_| alias == FLOWS)
}

fn unknown_alias(hosted: &Hosted, flows: Option<&InPrograms>, alias: &str) -> Fault {
    let mut known = hosted.aliases();
    known.extend(flows.map(|_| FLOWS));
    let close = quaymaster_core::suggest::did_you_mean(alias, known.iter().copied(), 3);
    let message = format!("This server has no integration {alias:?}.");
    Fault::invalid_arg("/integration", "enum", message)
        .hint(format!("It has {}.", known.join(", ")))
        .meant(&close)
}

fn read_api(
    hosted: &Hosted,
    flows: Option<&InPrograms>,
    request: &ReadApi,
) -> Result<ToolResult, Fault> {
    let (alias, action) = (request.integration.as_str(), request.action.as_deref());
    let text = match (hosted.part(alias), of_alias(flows, alias)) {
        (Some(part), _) => part.switched(|switched| surface::read_api(switched, action))?,
        (None, Some(flows)) => flows.read_api(action)?,
        (None, None) => return Err(unknown_alias(hosted, flows, alias)),
    };
    Ok(ToolResult {
        content: vec![Content::Text(text)],
        structured: None,
    })
}

async fn execute(
    app: &App,
    admitted: &Admitted,
    hosted: &Arc<Hosted>,
    flows: Option<&InPrograms>,
    request: Execute,
) -> Result<ToolResult, Fault> {
    let mut limits = Limits::default();
    if let Some(seconds) = request.timeout_s {
        limits.wall = limits.wall.min(Duration::from_secs(seconds));
    }
    let mut namespaces = hosted.namespaces();
    namespaces.extend(flows.map(InPrograms::namespace));
    let run = Run {
        code: request.code,
        language: Language::Auto,
        namespaces,
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
            let of_hosted = self.hosted.tool_of(alias, action);
            let tool = match of_hosted {
                Some(tool) => tool.def.name.to_string(),
                None if alias == FLOWS => action.to_owned(),
                None => return Err(Fault::internal()),
            };
            let mut ctx = Ctx::new(self.app.fresh_call_id(), self.app.now());
            ctx.client = self.client.clone();
            let call = Call {
                tool,
                args: Arc::new(input),
                source: Source::Code,
                answers: None,
                ctx,
            };
            match self.app.call(&self.caller, call).await? {
                Outcome::Done(result) if of_hosted.is_some() => Ok(output_of(result)),
                // A flow's result is what it says, and nothing is around it.
                Outcome::Done(result) => Ok(result.structured.unwrap_or_default()),
                Outcome::Ask(..) => Err(Fault::internal()),
            }
        })
    }
}
