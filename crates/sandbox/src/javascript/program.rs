//! One program while it runs: compiled, called, its turns, and what became of it.

use super::engine::Engine;
use super::place::{FILE, Place, wrapped};
use super::typescript::{self, Plain};
use crate::frame;
use crate::message::{End, Settle, Start};
use crate::overflow;
use crate::run::{Language, MAX_RESULT};
use crate::sys;
use rquickjs::context::EvalOptions;
use rquickjs::promise::PromiseState;
use rquickjs::{Ctx, Exception, Function, Persistent, Promise, Value};
use serde_json::value::RawValue;
use std::time::{Duration, Instant};

/// One program while it runs.
pub(super) struct Program<'e> {
    engine: &'e Engine,
    /// The program as JavaScript, when it was not.
    plain: Option<Plain>,
    lines: u32,
    /// A peak of the process that tells of a heap that was used up.
    much: u64,
}

impl<'e> Program<'e> {
    pub(super) fn new(engine: &'e Engine, start: &Start) -> Program<'e> {
        Program {
            engine,
            plain: None,
            lines: start.code.lines().count() as u32,
            much: sys::peak_memory() + start.heap as u64 / 2,
        }
    }

    /// Runs it to its end.
    pub(super) fn run(mut self, start: &Start) -> End {
        match self.begin(start) {
            Ok(promise) => self.turn(&promise),
            Err(end) => end,
        }
    }

    /// Compiles the program and calls it.
    fn begin(&mut self, start: &Start) -> Result<Persistent<Promise<'static>>, End> {
        let engine = self.engine;
        let namespaces = serde_json::to_string(&start.namespaces).unwrap_or_default();
        let started = engine.context.with(|ctx| {
            let tool = engine.tools.start.clone().restore(&ctx)?;
            tool.call::<_, ()>((namespaces,))
        });
        if started.is_err() {
            return Err(self.thrown());
        }
        let source = wrapped(&start.code);
        let function = match start.language {
            Language::Ts => self.typescript(&source)?,
            Language::Js => self.javascript(&source).map_err(|_| self.thrown())?,
            Language::Auto => match self.javascript(&source) {
                Ok(function) => function,
                Err(_) if self.threw_syntax() => self.typescript(&source)?,
                Err(_) => return Err(self.thrown()),
            },
        };
        let called = engine.context.with(|ctx| {
            let promise: Promise<'_> = function.restore(&ctx)?.call(())?;
            rquickjs::Result::Ok(Persistent::save(&ctx, promise))
        });
        called.map_err(|_| self.thrown())
    }

    fn javascript(&self, source: &str) -> rquickjs::Result<Persistent<Function<'static>>> {
        self.engine.context.with(|ctx| {
            let mut options = EvalOptions::default();
            options.filename = Some(FILE.to_owned());
            let function: Function<'_> = ctx.eval_with_options(source, options)?;
            Ok(Persistent::save(&ctx, function))
        })
    }

    fn typescript(&mut self, source: &str) -> Result<Persistent<Function<'static>>, End> {
        let plain = match overflow::guarded(|| typescript::strip(source)) {
            Ok(plain) => plain,
            Err(wrong) => {
                let place = wrong.place.map(|place| place.in_source(None, self.lines));
                return Err(End::Error {
                    message: format!("SyntaxError: {}", wrong.message),
                    line: place.map(|place| place.line),
                    column: place.map(|place| place.column),
                    code: None,
                });
            }
        };
        let function = self.javascript(&plain.code);
        self.plain = Some(plain);
        function.map_err(|_| self.thrown())
    }

    /// Whether a syntax error is being thrown. Then it no longer is.
    fn threw_syntax(&self) -> bool {
        self.engine.context.with(|ctx| {
            let thrown = ctx.catch();
            let syntax = thrown
                .as_object()
                .and_then(|error| error.get::<_, String>("name").ok())
                .is_some_and(|name| name == "SyntaxError");
            if !syntax {
                ctx.throw(thrown);
            }
            syntax
        })
    }

    /// Runs jobs, and waits for what they wait for, until the program's promise is settled.
    fn turn(&self, promise: &Persistent<Promise<'static>>) -> End {
        let engine = self.engine;
        loop {
            while !engine.over() {
                match engine.runtime.execute_pending_job() {
                    Ok(true) => {}
                    Ok(false) => break,
                    // Jobs settle promises with what they throw; what is left is of no use.
                    Err(job) => job.0.with(|ctx| drop(ctx.catch())),
                }
            }
            if engine.over() {
                return End::Timeout;
            }
            if let Some(end) = self.settled(promise) {
                return end;
            }
            let (hope, next) = engine.host.outlook();
            if !hope {
                return End::Deadlock;
            }
            engine.host.flush();
            self.wait(next);
        }
    }

    /// Waits for answers, the next timer, or the end of the time, and settles what came.
    fn wait(&self, next: Option<Instant>) {
        let engine = self.engine;
        let until = engine.until.get().at;
        let until = next.map_or(until, |next| next.min(until));
        let mut longest = until.saturating_duration_since(Instant::now());
        // All answers that are there become one turn.
        while sys::wait_readable(longest) {
            longest = Duration::ZERO;
            let frame = frame::read(&mut &*engine.host.connection);
            let settle = frame
                .ok()
                .and_then(|frame| serde_json::from_slice::<Settle>(&frame).ok());
            match settle {
                Some(settle) => self.settle(settle),
                // The server is gone.
                None => std::process::exit(0),
            }
        }
        while let Some(resolve) = engine.host.due() {
            engine.context.with(|ctx| {
                if let Ok(resolve) = resolve.restore(&ctx) {
                    let _ = resolve.call::<_, ()>(());
                }
            });
        }
    }

    fn settle(&self, settle: Settle) {
        let engine = self.engine;
        let Some(pending) = engine.host.answered(settle.id) else {
            return;
        };
        engine.context.with(|ctx| {
            let settled = (|| {
                if let Some(value) = &settle.value {
                    let value = ctx.json_parse(value.get())?;
                    return pending.resolve.restore(&ctx)?.call::<_, ()>((value,));
                }
                let fault = settle.fault.map(|fault| fault.to_json().to_string());
                let error = pending.error.restore(&ctx)?;
                let fail = engine.tools.fail.clone().restore(&ctx)?;
                let error: Value<'_> = fail.call((error, fault.unwrap_or_default()))?;
                pending
                    .reject
                    .clone()
                    .restore(&ctx)?
                    .call::<_, ()>((error,))
            })();
            if settled.is_err() {
                // An answer that does not fit into what memory is left.
                let thrown = ctx.catch();
                if let Ok(reject) = pending.reject.restore(&ctx) {
                    let _ = reject.call::<_, ()>((thrown,));
                }
            }
        });
    }

    /// What became of the program, when it is over.
    fn settled(&self, promise: &Persistent<Promise<'static>>) -> Option<End> {
        let done = self.engine.context.with(|ctx| {
            let promise = promise.clone().restore(&ctx).ok()?;
            match promise.state() {
                PromiseState::Pending => None,
                PromiseState::Resolved => Some(self.returned(&ctx, &promise)),
                PromiseState::Rejected => {
                    let _ = promise.result::<Value<'_>>();
                    Some(Err(rquickjs::Error::Exception))
                }
            }
        })?;
        Some(done.unwrap_or_else(|_| self.thrown()))
    }

    fn returned<'js>(&self, ctx: &Ctx<'js>, promise: &Promise<'js>) -> rquickjs::Result<End> {
        let value: Value<'_> = promise.result().unwrap_or(Err(rquickjs::Error::Unknown))?;
        let result = self.engine.tools.result.clone().restore(ctx)?;
        let json: String = result.call((value,))?;
        Ok(if json.len() > MAX_RESULT {
            End::TooLarge(json.len() as u64)
        } else {
            End::Ok(RawValue::from_string(json).map_err(|_| rquickjs::Error::Unknown)?)
        })
    }

    /// The engine says so itself, and has no other error of that name with those words. With no memory
    /// left even for the error, it throws null.
    fn out_of_memory(&self, thrown: &Value<'_>) -> bool {
        if thrown.is_null() {
            return sys::peak_memory() >= self.much;
        }
        let text = |name| {
            thrown
                .as_object()
                .and_then(|error| error.get::<_, String>(name).ok())
        };
        text("message").is_some_and(|message| message == "out of memory")
            && text("name").is_some_and(|name| name == "InternalError")
    }

    /// What is being thrown, in words.
    fn thrown(&self) -> End {
        self.engine.context.with(|ctx| {
            let thrown = ctx.catch();
            if self.out_of_memory(&thrown) {
                return End::MemoryLimit;
            }
            let error = thrown.as_object().cloned().and_then(Exception::from_object);
            let show = self.engine.tools.show.clone().restore(&ctx);
            let message: Option<String> = show.and_then(|show| show.call((thrown.clone(),))).ok();
            // The message can be a getter of the program's own.
            let _ = ctx.catch();
            let message = message.unwrap_or_else(|| "the program threw".to_owned());
            let place = error
                .as_ref()
                .and_then(Exception::stack)
                .and_then(|stack| Place::in_stack(&stack))
                .map(|place| place.in_source(self.plain.as_ref(), self.lines));
            let code = thrown
                .as_object()
                .filter(|_| message.starts_with("Fault: "))
                .and_then(|fault| fault.get::<_, String>("code").ok());
            let _ = ctx.catch();
            End::Error {
                message: match error {
                    Some(_) => shortened(message),
                    None => shortened(format!("Uncaught {message}")),
                },
                line: place.map(|place| place.line),
                column: place.map(|place| place.column),
                code,
            }
        })
    }
}

/// A message that fits beside the rest of an answer.
fn shortened(mut message: String) -> String {
    const LONGEST: usize = 8 * 1024;
    if message.len() > LONGEST {
        message.truncate(message.floor_char_boundary(LONGEST));
        message.push('…');
    }
    message
}
