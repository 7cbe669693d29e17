//! What a caller sees: toolsets list tools and run them, and check nothing themselves.

pub(crate) mod catalog;
pub(crate) mod code;
mod connection;
mod files;
pub(crate) mod flows;
pub(crate) mod hosted;
mod knowledge;
mod memory;
pub(crate) mod repl;
mod uploads;

use crate::App;
use crate::guard::Admitted;
use quaymaster_core::caller::Grant;
use quaymaster_core::door::Fut;
use quaymaster_core::mix::ToolsetKey;
use quaymaster_core::schema::Checker;
use quaymaster_core::tool::{Call, Content, JsonObject, Nature, Outcome, ToolDef, ToolResult};
use quaymaster_core::{Caller, Fault, Scope, Scopes};
use quaymaster_files::schema_of;
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

type Run = Box<dyn for<'a> Fn(&'a App, Admitted) -> Fut<'a, Result<Outcome, Fault>> + Send + Sync>;

/// A tool with what the guard needs to admit its calls.
pub(crate) struct Tool {
    pub(crate) def: ToolDef,
    pub(crate) checker: Checker,
    pub(crate) needs: Needs,
    run: Run,
}

/// Says of the arguments of a call, which fit the schema, whether it only reads.
type Reads = for<'a> fn(&'a App, &'a Caller, &'a Call) -> Fut<'a, Result<bool, Fault>>;

/// Which scope a call needs.
pub(crate) enum Needs {
    Read,
    Write,
    /// Memory, knowledge and skills.
    Data,
    /// One or the other, as the arguments say.
    Either(Reads),
}

impl Needs {
    fn scope(reads: bool) -> Scope {
        if reads {
            Scope::ReadTools
        } else {
            Scope::WriteTools
        }
    }

    /// What can be said before the arguments are read.
    pub(crate) fn before_reading(&self, caller: &Caller) -> Result<(), Fault> {
        match self {
            Needs::Write => caller.needs(Scope::WriteTools),
            Needs::Data => caller.needs(Scope::ReadData),
            Needs::Either(_) if caller.scopes.has(Scope::WriteTools) => Ok(()),
            Needs::Read | Needs::Either(_) => caller.needs(Scope::ReadTools),
        }
    }

    /// What only the arguments say.
    pub(crate) async fn of_call(
        &self,
        app: &App,
        caller: &Caller,
        call: &Call,
    ) -> Result<(), Fault> {
        match self {
            Needs::Read | Needs::Write | Needs::Data => Ok(()),
            Needs::Either(reads) => caller.needs(Needs::scope(reads(app, caller, call).await?)),
        }
    }
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
            name: name.into(),
            title: title.into(),
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
        let needs = if nature.read_only {
            Needs::Read
        } else {
            Needs::Write
        };
        Ok(Tool {
            def,
            checker,
            needs,
            run,
        })
    }

    /// A tool whose structured result has no fixed members.
    fn without_output_schema(mut self) -> Tool {
        self.def.output = None;
        self
    }

    /// A tool that reads memory, knowledge or skills.
    fn of_data(mut self) -> Tool {
        self.needs = Needs::Data;
        self
    }

    /// A tool whose arguments say which scope a call needs.
    fn that_reads_when(mut self, reads: Reads) -> Tool {
        self.needs = Needs::Either(reads);
        self
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

/// The result of a tool whose structured content, if any, has no fixed members.
#[derive(Debug, Serialize, JsonSchema)]
struct Open {
    #[serde(flatten)]
    members: serde_json::Map<String, Value>,
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

/// A set of tools that callers see as a whole, as far as their scopes go.
struct Toolset {
    key: ToolsetKey,
    sees: fn(&Caller) -> bool,
    tools: Vec<Tool>,
    /// What a client's model is told of them.
    instructions: &'static str,
}

pub(crate) struct Toolsets {
    /// The three tools of hosted servers in code mode.
    pub(crate) code: code::Tools,
    /// Of callers of durable flows.
    pub(crate) get_run: Tool,
    sets: Vec<Toolset>,
    /// The lists that somebody asked for; callers who see the same share one.
    listed: Mutex<HashMap<Sees, Arc<[ToolDef]>>>,
}

/// What decides which tools a caller's list has: a bit for each toolset, and the scopes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Sees {
    sets: u32,
    scopes: Scopes,
}

impl Toolsets {
    pub(crate) fn new() -> Result<Self, Fault> {
        let mut files = files::tools()?;
        files.extend(uploads::tools()?);
        files.extend(connection::tools()?);
        let sets = vec![
            Toolset {
                key: ToolsetKey::Catalog,
                sees: |caller| caller.has(&Grant::Catalog),
                tools: catalog::tools()?,
                instructions: catalog::INSTRUCTIONS,
            },
            Toolset {
                key: ToolsetKey::Repl,
                sees: |caller| caller.has(&Grant::Repl),
                tools: repl::tools()?,
                instructions: repl::INSTRUCTIONS,
            },
            Toolset {
                key: ToolsetKey::Memory,
                sees: |caller| caller.has(&Grant::Memory),
                tools: memory::tools()?,
                instructions: memory::INSTRUCTIONS,
            },
            Toolset {
                key: ToolsetKey::Knowledge,
                sees: |caller| caller.has(&Grant::Knowledge),
                tools: knowledge::tools()?,
                instructions: knowledge::INSTRUCTIONS,
            },
            Toolset {
                key: ToolsetKey::Files,
                sees: |caller| caller.files().is_some(),
                tools: files,
                instructions: files::INSTRUCTIONS,
            },
        ];
        Ok(Toolsets {
            code: code::Tools::new()?,
            get_run: flows::get_run()?,
            sets,
            listed: Mutex::default(),
        })
    }

    fn seen<'a>(&'a self, caller: &Caller) -> impl Iterator<Item = &'a Toolset> {
        self.sets.iter().filter(|set| (set.sees)(caller))
    }

    /// The tools of one toolset, those of flows left out, which are none of the program's own.
    pub(crate) fn of(&self, key: ToolsetKey) -> impl Iterator<Item = &ToolDef> {
        let sets = self.sets.iter().filter(move |set| set.key == key);
        sets.flat_map(|set| &set.tools).map(|tool| &tool.def)
    }

    pub(crate) fn find(&self, caller: &Caller, name: &str) -> Option<&Tool> {
        let mut tools = self.seen(caller).flat_map(|set| &set.tools);
        tools.find(|tool| tool.def.name == name)
    }

    /// Whether a tool of any toolset has that name.
    pub(crate) fn has_built_in(&self, name: &str) -> bool {
        let tools = self.sets.iter().flat_map(|set| &set.tools);
        let mut tools = tools.chain([&self.get_run]);
        tools.any(|tool| tool.def.name == name)
    }

    pub(crate) fn listed(&self, caller: &Caller) -> Arc<[ToolDef]> {
        let bits = self.sets.iter().enumerate();
        let sees = Sees {
            sets: bits.fold(0, |all, (n, set)| all | u32::from((set.sees)(caller)) << n),
            scopes: caller.scopes,
        };
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        let list = listed.entry(sees).or_insert_with(|| {
            let tools = self.seen(caller).flat_map(|set| &set.tools);
            tools
                .filter(|tool| tool.needs.before_reading(caller).is_ok())
                .map(|tool| tool.def.clone())
                .collect()
        });
        list.clone()
    }

    pub(crate) fn instructions(&self, caller: &Caller) -> Option<String> {
        let all: Vec<&str> = self.seen(caller).map(|set| set.instructions).collect();
        (!all.is_empty()).then(|| all.join("\n\n"))
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
