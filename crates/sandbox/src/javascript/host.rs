//! What a program can reach outside of the engine: calls of the server, log lines, timers.

use super::engine::Stop;
use crate::frame;
use crate::message::FromWorker;
use crate::run::{LOG_LINE, Level, MAX_CALLS, MAX_IN_FLIGHT, MAX_INPUT, MAX_LOGS};
use rquickjs::function::Func;
use rquickjs::{Ctx, Exception, Function, Object, Persistent, Promise};
use serde_json::value::RawValue;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io::Write as _;
use std::rc::Rc;
use std::time::{Duration, Instant};

/// Timers that run at the same time.
const MAX_TIMERS: usize = 1_000;

/// Bytes of inputs of calls that wait for their turn.
const MAX_WAITING: usize = 16 * 1024 * 1024;

/// A promise that the program waits for.
pub(super) struct Pending {
    pub(super) resolve: Persistent<Function<'static>>,
    pub(super) reject: Persistent<Function<'static>>,
    /// What it is rejected with; it knows where the call was made.
    pub(super) error: Persistent<Object<'static>>,
}

struct Waiting {
    id: u32,
    alias: String,
    action: String,
    input: Box<RawValue>,
}

#[derive(Default)]
struct State {
    made: u32,
    in_flight: usize,
    waiting: VecDeque<Waiting>,
    pending: HashMap<u32, Pending>,
    /// By time, and by number for those of the same time.
    timers: BTreeMap<(Instant, u64), Persistent<Function<'static>>>,
    timers_made: u64,
    logged: usize,
    logs_dropped: u64,
    /// Frames that are not written yet.
    out: Vec<u8>,
}

pub(super) struct Host {
    pub(super) connection: Rc<File>,
    /// Why the program must end. Set once.
    pub(super) stop: Cell<Option<Stop>>,
    state: RefCell<State>,
}

impl Host {
    pub(super) fn new(connection: Rc<File>) -> Rc<Host> {
        Rc::new(Host {
            connection,
            stop: Cell::new(None),
            state: RefCell::default(),
        })
    }

    /// The functions that the prelude builds on.
    pub(super) fn native<'js>(self: &Rc<Host>, ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
        let native = Object::new(ctx.clone())?;
        let host = Rc::clone(self);
        let call = move |ctx: Ctx<'js>, alias, action, json, error| {
            host.call(&ctx, alias, action, json, error)
        };
        native.set("call", Func::from(call))?;
        let host = Rc::clone(self);
        let log = move |level: String, text: String| host.log(&level, text);
        native.set("log", Func::from(log))?;
        let host = Rc::clone(self);
        let sleep = move |ctx: Ctx<'js>, ms| host.sleep(&ctx, ms);
        native.set("sleep", Func::from(sleep))?;
        Ok(native)
    }

    fn call<'js>(
        &self,
        ctx: &Ctx<'js>,
        alias: String,
        action: String,
        json: String,
        error: Object<'js>,
    ) -> rquickjs::Result<Promise<'js>> {
        if json.len() > MAX_INPUT {
            let message = format!("the input of {alias}.{action} is longer than {MAX_INPUT} bytes");
            return Err(Exception::throw_range(ctx, &message));
        }
        // Throwing can run code of the program, which may call again: nothing is borrowed then.
        let (made, waiting) = self.state.borrow().asked_for();
        if made >= MAX_CALLS {
            self.stop.set(self.stop.get().or(Some(Stop::CallLimit)));
            return Err(Exception::throw_range(ctx, "too many calls"));
        }
        if waiting + json.len() > MAX_WAITING {
            let message = "too much input waits for earlier calls: await some before making more";
            return Err(Exception::throw_range(ctx, message));
        }
        let input = RawValue::from_string(json)
            .map_err(|_| Exception::throw_type(ctx, "the input is not JSON"))?;
        let (promise, resolve, reject) = ctx.promise()?;
        let mut state = self.state.borrow_mut();
        state.made += 1;
        let id = state.made;
        let pending = Pending {
            resolve: Persistent::save(ctx, resolve),
            reject: Persistent::save(ctx, reject),
            error: Persistent::save(ctx, error),
        };
        state.pending.insert(id, pending);
        state.waiting.push_back(Waiting {
            id,
            alias,
            action,
            input,
        });
        state.send_waiting();
        Ok(promise)
    }

    fn sleep<'js>(&self, ctx: &Ctx<'js>, ms: f64) -> rquickjs::Result<Promise<'js>> {
        let timers = self.state.borrow().timers.len();
        if timers >= MAX_TIMERS {
            return Err(Exception::throw_range(ctx, "too many timers"));
        }
        let (promise, resolve, _) = ctx.promise()?;
        let mut state = self.state.borrow_mut();
        // No program lives for an hour.
        let wait = Duration::from_secs_f64((ms / 1_000.0).clamp(0.0, 3_600.0));
        state.timers_made += 1;
        let key = (Instant::now() + wait, state.timers_made);
        let resolve = Persistent::save(ctx, resolve);
        state.timers.insert(key, resolve);
        Ok(promise)
    }

    /// Said at once, so that it is there also when the program does not end by itself.
    fn log(&self, level: &str, mut text: String) {
        let mut state = self.state.borrow_mut();
        let room = MAX_LOGS.saturating_sub(state.logged + LOG_LINE);
        if room == 0 {
            state.logs_dropped += text.len() as u64;
            return;
        }
        if text.len() > room {
            let end = text.floor_char_boundary(room);
            state.logs_dropped += (text.len() - end) as u64;
            text.truncate(end);
        }
        state.logged += text.len() + LOG_LINE;
        let level = match level {
            "debug" => Level::Debug,
            "info" => Level::Info,
            "warn" => Level::Warn,
            "error" => Level::Error,
            _ => Level::Log,
        };
        let _ = frame::append(&mut state.out, &FromWorker::Log { level, text });
        self.flush_state(&mut state);
    }

    /// Writes what is not written yet.
    pub(super) fn flush(&self) {
        self.flush_state(&mut self.state.borrow_mut());
    }

    fn flush_state(&self, state: &mut State) {
        // A server that does not read any more ends the worker.
        let _ = (&*self.connection).write_all(&state.out);
        state.out.clear();
    }

    /// The promise of a call that is answered, and room for the next one.
    pub(super) fn answered(&self, id: u32) -> Option<Pending> {
        let mut state = self.state.borrow_mut();
        let pending = state.pending.remove(&id)?;
        state.in_flight -= 1;
        state.send_waiting();
        Some(pending)
    }

    /// A timer whose time has come.
    pub(super) fn due(&self) -> Option<Persistent<Function<'static>>> {
        let mut state = self.state.borrow_mut();
        let (at, _) = *state.timers.first_key_value()?.0;
        if at > Instant::now() {
            return None;
        }
        state.timers.pop_first().map(|(_, resolve)| resolve)
    }

    /// Whether anything will ever settle a promise of the program, and when the next timer does.
    pub(super) fn outlook(&self) -> (bool, Option<Instant>) {
        let state = self.state.borrow();
        let next = state.timers.first_key_value().map(|((at, _), _)| *at);
        (state.in_flight > 0 || next.is_some(), next)
    }

    /// Calls that were never sent, and the bytes of the console that were dropped.
    pub(super) fn left(&self) -> (Vec<(String, String)>, u64) {
        let mut state = self.state.borrow_mut();
        let waiting = state.waiting.drain(..);
        let unsent = waiting.map(|call| (call.alias, call.action)).collect();
        (unsent, state.logs_dropped)
    }
}

impl State {
    /// Calls that were made, and bytes of the inputs of those that wait for their turn.
    fn asked_for(&self) -> (usize, usize) {
        let waiting = self.waiting.iter().map(|call| call.input.get().len());
        (self.made as usize, waiting.sum())
    }

    fn send_waiting(&mut self) {
        while self.in_flight < MAX_IN_FLIGHT {
            let Some(call) = self.waiting.pop_front() else {
                return;
            };
            let Waiting {
                id,
                alias,
                action,
                input,
            } = call;
            let call = FromWorker::Call {
                id,
                alias,
                action,
                input,
            };
            let _ = frame::append(&mut self.out, &call);
            self.in_flight += 1;
        }
    }
}
