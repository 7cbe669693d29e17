//! What a caller sees: toolsets list tools and run them, and check nothing themselves.

mod catalog;
mod connection;
mod files;
mod uploads;

use crate::App;
use crate::guard::Admitted;
use quaymaster_core::door::Fut;
use quaymaster_core::schema::Checker;
use quaymaster_core::tool::{Call, Content, JsonObject, Nature, Outcome, ToolDef, ToolResult};
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
    pub(crate) needs: Needs,
    run: Run,
}

/// Says of the arguments of a call, which fit the schema, whether it only reads.
type Reads = for<'a> fn(&'a App, &'a Caller, &'a Call) -> Fut<'a, Result<bool, Fault>>;

/// Which scope a call needs.
pub(crate) enum Needs {
    Read,
    Write,
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
            Needs::Read | Needs::Write => Ok(()),
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
    catalog: Vec<Tool>,
    files: Vec<Tool>,
    /// The lists of all callers, by [`Sees::index`].
    listed: [Arc<[ToolDef]>; Sees::ALL],
}

/// What decides which tools a caller's list has.
#[derive(Clone, Copy)]
struct Sees {
    reading: bool,
    writing: bool,
    catalog: bool,
    files: bool,
}

impl Sees {
    const ALL: usize = 16;

    fn of(caller: &Caller) -> Self {
        Sees {
            reading: caller.scopes.has(Scope::ReadTools),
            writing: caller.scopes.has(Scope::WriteTools),
            catalog: caller.has_catalog(),
            files: caller.files().is_some(),
        }
    }

    fn at(index: usize) -> Self {
        let bit = |n: usize| index >> n & 1 == 1;
        Sees {
            reading: bit(0),
            writing: bit(1),
            catalog: bit(2),
            files: bit(3),
        }
    }

    fn index(self) -> usize {
        let bit = |is_set: bool, n: usize| usize::from(is_set) << n;
        bit(self.reading, 0) | bit(self.writing, 1) | bit(self.catalog, 2) | bit(self.files, 3)
    }

    fn lists(self, tool: &Tool) -> bool {
        match tool.needs {
            Needs::Read => self.reading,
            Needs::Write => self.writing,
            Needs::Either(_) => self.reading || self.writing,
        }
    }
}

impl Toolsets {
    pub(crate) fn new() -> Result<Self, Fault> {
        let catalog = catalog::tools()?;
        let mut files = files::tools()?;
        files.extend(uploads::tools()?);
        files.extend(connection::tools()?);
        let listed = std::array::from_fn(|index| {
            let sees = Sees::at(index);
            let of_catalog = catalog.iter().filter(|_| sees.catalog);
            let of_files = files.iter().filter(|_| sees.files);
            of_catalog
                .chain(of_files)
                .filter(|tool| sees.lists(tool))
                .map(|tool| tool.def.clone())
                .collect()
        });
        Ok(Toolsets {
            catalog,
            files,
            listed,
        })
    }

    pub(crate) fn find(&self, caller: &Caller, name: &str) -> Option<&Tool> {
        let sees = Sees::of(caller);
        let catalog = self.catalog.iter().filter(|_| sees.catalog);
        let files = self.files.iter().filter(|_| sees.files);
        catalog.chain(files).find(|tool| tool.def.name == name)
    }

    pub(crate) fn listed(&self, caller: &Caller) -> Arc<[ToolDef]> {
        self.listed[Sees::of(caller).index()].clone()
    }

    pub(crate) fn instructions(caller: &Caller) -> Option<String> {
        let catalog = caller.has_catalog().then_some(catalog::INSTRUCTIONS);
        let files = caller.files().map(|_| files::INSTRUCTIONS);
        let all: Vec<&str> = catalog.into_iter().chain(files).collect();
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
