//! What a caller sees: toolsets list tools and run them, and check nothing themselves.

mod connection;
mod files;
mod uploads;

use crate::App;
use crate::guard::Admitted;
use quaymaster_core::door::Fut;
use quaymaster_core::schema::Checker;
use quaymaster_core::tool::{Content, JsonObject, Nature, Outcome, ToolDef, ToolResult};
use quaymaster_core::{Caller, Fault, Scope};
use quaymaster_files::schema_of;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::sync::Arc;

type Run = Box<dyn for<'a> Fn(&'a App, Admitted) -> Fut<'a, Result<Outcome, Fault>> + Send + Sync>;

/// A tool with what the guard needs to admit its calls.
pub(crate) struct Tool {
    pub(crate) def: ToolDef,
    pub(crate) checker: Checker,
    run: Run,
}

impl Tool {
    /// A tool whose arguments are `Request` and whose structured result is `Answer`.
    fn new<Request, Answer>(
        name: &'static str,
        title: &'static str,
        description: &str,
        nature: Nature,
        run: impl for<'a> Fn(&'a App, Admitted, Request) -> Fut<'a, Result<ToolResult, Fault>>
        + Send
        + Sync
        + 'static,
    ) -> Result<Tool, Fault>
    where
        Request: DeserializeOwned + JsonSchema,
        Answer: JsonSchema,
    {
        let input = schema_of::<Request>();
        let checker = Checker::new(&input).map_err(|error| {
            tracing::error!(%error, tool = name, "a built-in schema does not compile");
            Fault::internal()
        })?;
        let def = ToolDef {
            name,
            title,
            description: description.to_owned(),
            input: Arc::new(input),
            output: Some(Arc::new(schema_of::<Answer>())),
            nature,
        };
        let run = Arc::new(run);
        let run: Run = Box::new(move |app, admitted| {
            let run = run.clone();
            Box::pin(async move {
                let request = read_arguments(&admitted.call().args)?;
                run(app, admitted, request).await.map(Outcome::Done)
            })
        });
        Ok(Tool { def, checker, run })
    }

    pub(crate) async fn run(&self, app: &App, admitted: Admitted) -> Result<Outcome, Fault> {
        (self.run)(app, admitted).await
    }
}

/// The schema was checked before; this catches what schemas cannot say, as numbers too large.
fn read_arguments<T: DeserializeOwned>(args: &JsonObject) -> Result<T, Fault> {
    serde_json::from_value(Value::Object(args.clone())).map_err(|error| {
        Fault::invalid_arg("", "type", format!("The arguments do not fit: {error}."))
    })
}

/// A result whose text is the structured content as JSON, for clients that show only text.
fn structured<T: Serialize>(answer: &T) -> Result<ToolResult, Fault> {
    let value = serde_json::to_value(answer).map_err(|error| {
        tracing::error!(%error, "an answer does not serialize");
        Fault::internal()
    })?;
    Ok(ToolResult {
        content: vec![Content::Text(value.to_string())],
        structured: Some(value),
    })
}

pub(crate) struct Toolsets {
    files: Vec<Tool>,
    /// What of the file tools is listed, by whether reading and changing tools are.
    listed: [Arc<[ToolDef]>; 4],
}

impl Toolsets {
    pub(crate) fn new() -> Result<Self, Fault> {
        let mut files = files::tools()?;
        files.extend(uploads::tools()?);
        files.extend(connection::tools()?);
        let of = |read: bool, write: bool| -> Arc<[ToolDef]> {
            files
                .iter()
                .filter(|tool| {
                    if tool.def.nature.read_only {
                        read
                    } else {
                        write
                    }
                })
                .map(|tool| tool.def.clone())
                .collect()
        };
        let listed = [
            of(false, false),
            of(true, false),
            of(false, true),
            of(true, true),
        ];
        Ok(Toolsets { files, listed })
    }

    pub(crate) fn find(&self, caller: &Caller, name: &str) -> Option<&Tool> {
        caller.files()?;
        self.files.iter().find(|tool| tool.def.name == name)
    }

    pub(crate) fn listed(&self, caller: &Caller) -> Arc<[ToolDef]> {
        let has = |scope| caller.files().is_some() && caller.scopes.has(scope);
        let (read, write) = (has(Scope::ReadTools), has(Scope::WriteTools));
        self.listed[usize::from(read) + 2 * usize::from(write)].clone()
    }

    pub(crate) fn instructions(caller: &Caller) -> Option<String> {
        caller.files().map(|_| files::INSTRUCTIONS.to_owned())
    }
}

const READS: Nature = Nature {
    read_only: true,
    destructive: false,
    idempotent: true,
    open_world: false,
};
const ADDS: Nature = Nature {
    read_only: false,
    destructive: false,
    idempotent: false,
    open_world: false,
};
const ADDS_ONCE: Nature = Nature {
    idempotent: true,
    ..ADDS
};
const DESTROYS: Nature = Nature {
    destructive: true,
    ..ADDS
};
const DESTROYS_ONCE: Nature = Nature {
    idempotent: true,
    ..DESTROYS
};
