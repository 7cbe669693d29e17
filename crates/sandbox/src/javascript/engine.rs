//! The engine with what is loaded into it, and why it ends a program.

use super::Extra;
use super::host::Host;
use super::program::Program;
use crate::message::{Done, End, Start};
use crate::run::Limits;
use crate::sys;
use quaymaster_core::clock::{Entropy as _, SystemEntropy};
use rquickjs::context::EvalOptions;
use rquickjs::object::Property;
use rquickjs::{Context, Function, Object, Persistent, Runtime, Value};
use std::cell::Cell;
use std::fs::File;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Of the engine's own stack, in bytes.
const STACK: usize = 512 * 1024;
const PRELUDE: &str = include_str!("prelude.js");
/// Touches what most programs need: its pages are then in memory, and the C library has read its time
/// zone, for which there will be no file any more.
const WARM_UP: &str = "JSON.stringify([new Date(0).getTimezoneOffset(), String(new Date(0)), Math.random() < 2, /a/.test('a')])";

/// Why a program is ended from outside of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Timeout,
    CpuLimit,
    CallLimit,
}

/// When a program is over.
#[derive(Clone, Copy)]
pub(super) struct Until {
    pub(super) at: Instant,
    pub(super) cpu: Duration,
}

/// The prelude's functions.
pub(super) struct Tools {
    pub(super) start: Persistent<Function<'static>>,
    pub(super) fail: Persistent<Function<'static>>,
    pub(super) result: Persistent<Function<'static>>,
    pub(super) show: Persistent<Function<'static>>,
}

pub(super) struct Engine {
    pub(super) runtime: Runtime,
    pub(super) context: Context,
    pub(super) host: Rc<Host>,
    pub(super) tools: Tools,
    pub(super) until: Rc<Cell<Until>>,
}

impl Engine {
    /// Loads all that a program will need.
    pub(super) fn load(connection: &Rc<File>, extra: Option<Extra>) -> rquickjs::Result<Engine> {
        let runtime = Runtime::new()?;
        runtime.set_memory_limit(Limits::default().heap);
        runtime.set_max_stack_size(STACK);
        let context = Context::full(&runtime)?;
        let host = Host::new(Rc::clone(connection));
        let tools = context.with(|ctx| {
            let math: Object<'_> = ctx.globals().get("Math")?;
            let own = Function::new(ctx.clone(), random)?.with_name("random")?;
            math.prop("random", Property::from(own).writable().configurable())?;
            if let Some(extra) = extra {
                extra(&ctx)?;
            }
            let _: Value<'_> = ctx.eval(WARM_UP)?;
            let mut options = EvalOptions::default();
            options.filename = Some("quaymaster".to_owned());
            let prelude: Function<'_> = ctx.eval_with_options(PRELUDE, options)?;
            let made: Object<'_> = prelude.call((host.native(&ctx)?,))?;
            let tool = |name: &str| -> rquickjs::Result<Persistent<Function<'static>>> {
                Ok(Persistent::save(&ctx, made.get::<_, Function<'_>>(name)?))
            };
            rquickjs::Result::Ok(Tools {
                start: tool("start")?,
                fail: tool("fail")?,
                result: tool("result")?,
                show: tool("show")?,
            })
        })?;
        let until = Rc::new(Cell::new(Until {
            at: Instant::now() + Limits::default().wall,
            cpu: Duration::MAX,
        }));
        let engine = Engine {
            runtime,
            context,
            host,
            tools,
            until,
        };
        engine.watch();
        Ok(engine)
    }

    /// Ends a program that computes when its time is over. The engine asks every few thousand steps.
    fn watch(&self) {
        let (host, until) = (Rc::clone(&self.host), Rc::clone(&self.until));
        self.runtime
            .set_interrupt_handler(Some(Box::new(move || over(&host, until.get()))));
    }

    /// Whether the program must end.
    pub(super) fn over(&self) -> bool {
        over(&self.host, self.until.get())
    }

    /// Executes one program to its end.
    pub(super) fn execute(&self, start: &Start) -> Done {
        self.runtime.set_memory_limit(start.heap);
        self.until.set(Until {
            at: Instant::now() + Duration::from_millis(start.wall_ms),
            cpu: sys::cpu_time() + Duration::from_millis(start.cpu_ms),
        });
        let end = Program::new(self, start).run(start);
        // Whatever the program made of being stopped, it was.
        let end = match self.host.stop.get() {
            Some(Stop::Timeout) => End::Timeout,
            Some(Stop::CpuLimit) => End::CpuLimit,
            Some(Stop::CallLimit) => End::CallLimit,
            None => end,
        };
        self.host.flush();
        let (unsent, logs_dropped) = self.host.left();
        Done {
            end,
            unsent,
            logs_dropped,
        }
    }
}

/// `Math.random`. The engine's own numbers come from a seed that it draws when it is loaded, which many workers have in
/// common.
fn random() -> f64 {
    let mut bytes = [0; size_of::<u64>()];
    SystemEntropy.fill(&mut bytes);
    // As many bits as there are between 0 and 1.
    (u64::from_ne_bytes(bytes) >> 11) as f64 / (1_u64 << 53) as f64
}

fn over(host: &Host, until: Until) -> bool {
    if host.stop.get().is_none() {
        if Instant::now() >= until.at {
            host.stop.set(Some(Stop::Timeout));
        } else if sys::cpu_time() >= until.cpu {
            host.stop.set(Some(Stop::CpuLimit));
        }
    }
    host.stop.get().is_some()
}
