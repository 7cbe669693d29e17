//! What a caller gets to read of a run: without secrets first, then without what is too long.

use super::accounts::Given;
use quaymaster_connectors::redact::Redactor;
use quaymaster_core::{Code, Fault};
use quaymaster_sandbox::{Printed, PythonEnding, Ran, State};
use serde_json::{Map, Value, json};
use std::time::Duration;

const STDOUT: usize = 48 * 1024;
const STDERR: usize = 16 * 1024;
const RESULT: usize = 20 * 1024;
const TRACEBACK: usize = 16 * 1024;

/// The whole answer of a run, however it ended.
pub(super) fn of(ran: &Ran, given: &Given, redactor: &Redactor) -> Value {
    let mut shown = Map::new();
    let mut put = |name: &str, value: Value| shown.insert(name.to_owned(), value);
    let mut print = |name: &str, printed: &Printed, most: usize| {
        let text = String::from_utf8_lossy(&printed.bytes);
        put(name, cut(&redactor.tidy(&text), most).into());
        if printed.total > most as u64 {
            put(&format!("{name}_total_bytes"), printed.total.into());
        }
    };
    print("stdout", &ran.stdout, STDOUT);
    print("stderr", &ran.stderr, STDERR);
    match &ran.ending {
        PythonEnding::Ok(Some(result)) => {
            put("result", cut(&redactor.tidy(result), RESULT).into());
        }
        PythonEnding::Ok(None) => {
            put("result", Value::Null);
        }
        PythonEnding::Exit(code) => {
            put("exited", cut(&redactor.tidy(code), 1_000).into());
        }
        PythonEnding::Error { traceback, .. } => {
            put(
                "traceback",
                cut(&redactor.tidy(traceback), TRACEBACK).into(),
            );
        }
        _ => {}
    }
    put("session_id", ran.session.as_str().into());
    put("state", ran.state.name().into());
    if let Some(reason) = &ran.reason {
        put("reason", reason.as_str().into());
    }
    let names: Vec<&String> = given.variables.keys().collect();
    put("variables", json!(names));
    if !given.left_out.is_empty() {
        let mut left_out = Value::from(given.left_out.clone());
        redactor.value(&mut left_out);
        put("left_out", left_out);
    }
    if !ran.visits.is_empty() {
        let visits = ran.visits.iter().map(|visit| {
            let mut one = json!({ "host": visit.host, "port": visit.port, "bytes": visit.bytes });
            if let Some(refused) = &visit.refused {
                one["refused"] = refused.as_str().into();
            }
            one
        });
        let mut visits: Value = visits.collect();
        redactor.value(&mut visits);
        put("network", visits);
    }
    put("limits", ran.limits.into());
    put("duration_ms", json!(ran.total.as_millis() as u64));
    Value::Object(shown)
}

/// The fault of a run that did not end well. What it printed by then helps.
pub(super) fn fault(ran: &Ran, shown: Value, redactor: &Redactor, time: Duration) -> Fault {
    let (code, message) = match &ran.ending {
        PythonEnding::Timeout => (
            Code::Timeout,
            format!("The program was stopped after {} s.", time.as_secs()),
        ),
        PythonEnding::Cancelled => (Code::Timeout, "The call was cancelled.".to_owned()),
        PythonEnding::Memory => (
            Code::CodeError,
            "The program took more memory than a session may.".to_owned(),
        ),
        PythonEnding::Died(how) => (Code::CodeError, format!("The interpreter ended: {how}.")),
        PythonEnding::Error { message, .. } => {
            (Code::CodeError, cut(&redactor.tidy(message), 2_000))
        }
        PythonEnding::Ok(_) | PythonEnding::Exit(_) => (Code::Internal, String::new()),
    };
    let hint = match ran.state {
        State::Lost => "The session is gone with all its names; the next call begins a new one.",
        State::Kept | State::New => "The session is still there, with what was defined by then.",
    };
    let mut fault = Fault::new(code, message).hint(hint);
    fault.details = Some(shown);
    fault
}

fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most);
    format!("{}\n… ({} bytes more)", &text[..end], text.len() - end)
}
