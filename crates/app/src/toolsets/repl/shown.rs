//! What a caller gets to read of a run: without secrets first, then without what is too long.

use super::accounts::Given;
use quaymaster_connectors::redact::Redactor;
use quaymaster_core::{Code, Fault};
use quaymaster_sandbox::{MAX_SAID, MAX_VALUE, Printed, PythonEnding, Ran, State};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// Bytes of an answer: 64 KB of what was printed, 20 KB of the result.
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
        let text = if printed.total > printed.bytes.len() as u64 {
            redactor.tidy_cut(&text)
        } else {
            redactor.tidy(&text).into_owned()
        };
        put(name, cut(&text, most).into());
        if printed.total > most as u64 {
            put(&format!("{name}_total_bytes"), printed.total.into());
        }
    };
    print("stdout", &ran.stdout, STDOUT);
    print("stderr", &ran.stderr, STDERR);
    match &ran.ending {
        PythonEnding::Ok(Some(result)) => {
            put(
                "result",
                cut(&said(redactor, result, MAX_VALUE), RESULT).into(),
            );
        }
        PythonEnding::Ok(None) => {
            put("result", Value::Null);
        }
        PythonEnding::Exit(code) => {
            put("exited", cut(&said(redactor, code, MAX_SAID), 1_000).into());
        }
        PythonEnding::Error { traceback, .. } => {
            let traceback = cut(&said(redactor, traceback, MAX_SAID), TRACEBACK);
            put("traceback", traceback.into());
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
        PythonEnding::Error { message, .. } => (
            Code::CodeError,
            cut(&said(redactor, message, MAX_SAID), 2_000),
        ),
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

/// What a program said, tidied; `most` is where it was cut.
fn said(redactor: &Redactor, text: &str, most: usize) -> String {
    if text.chars().count() < most {
        redactor.tidy(text).into_owned()
    } else {
        redactor.tidy_cut(text)
    }
}

fn cut(text: &str, most: usize) -> String {
    if text.len() <= most {
        return text.to_owned();
    }
    let end = text.floor_char_boundary(most);
    format!("{}\n… ({} bytes more)", &text[..end], text.len() - end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quaymaster_sandbox::MAX_KEPT;

    const SECRET: &str = "a-long-secret-of-an-account-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789-0123456789";

    /// A text that is cut within a secret wherever that is: redacting makes it much shorter.
    fn full_of_secrets(most: usize) -> String {
        let mut text = "x".repeat(most % SECRET.len() + SECRET.len() / 2);
        while text.len() < most {
            text.push_str(SECRET);
        }
        text.truncate(most);
        text
    }

    fn ran(ending: PythonEnding, stdout: Printed) -> Ran {
        Ran {
            ending,
            stdout,
            stderr: Printed::default(),
            visits: Vec::new(),
            session: "py_1".to_owned(),
            state: State::New,
            reason: None,
            limits: "none",
            known: Vec::new(),
            total: Duration::ZERO,
        }
    }

    #[test]
    fn no_part_of_a_secret_is_left_where_a_text_was_cut() {
        let redactor = Redactor::new([SECRET]);
        let given = Given::default();
        let text = full_of_secrets(MAX_SAID);
        let printed = full_of_secrets(MAX_KEPT);
        assert!(!text.ends_with(SECRET) && !printed.ends_with(SECRET));
        for ending in [
            PythonEnding::Ok(Some(full_of_secrets(MAX_VALUE))),
            PythonEnding::Exit(text.clone()),
            PythonEnding::Error {
                message: text.clone(),
                traceback: text,
            },
        ] {
            let stdout = Printed {
                bytes: printed.clone().into_bytes(),
                total: printed.len() as u64 + 1,
            };
            let ran = ran(ending, stdout);
            let shown = of(&ran, &given, &redactor);
            let fault = fault(&ran, shown, &redactor, Duration::from_secs(1));
            let told = json!([fault.message, fault.details]).to_string();
            assert!(told.contains("[redacted]"), "{told}");
            assert!(!told.contains("a-long"), "{told}");
        }
    }

    #[test]
    fn what_was_not_cut_is_shown_to_its_end() {
        let redactor = Redactor::new([SECRET]);
        let stdout = Printed {
            bytes: b"so far".to_vec(),
            total: 6,
        };
        let ran = ran(PythonEnding::Ok(Some("a-long".to_owned())), stdout);
        let shown = of(&ran, &Given::default(), &redactor);
        assert_eq!(shown["stdout"], "so far");
        assert_eq!(shown["result"], "a-long");
    }
}
