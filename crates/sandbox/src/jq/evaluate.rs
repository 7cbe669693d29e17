//! One run of an expression.

use super::Why;
use super::program::{Compiled, Data};
use jaq_core::{Ctx, Vars, unwrap_valr};
use jaq_json::Val;
use std::fmt::{self, Write};

/// The longest message of an error, in bytes. Messages show values, and a value can be large.
const MESSAGE: usize = 500;

/// The one value of an expression over an input.
pub(super) fn evaluate(compiled: &Compiled, input: Val) -> Result<Val, Why> {
    let context = Ctx::<Data>::new(&compiled.lut, Vars::new([]));
    let mut results = compiled.id.run((context, input)).map(unwrap_valr);
    let value = match results.next() {
        None => return Err(Why::NoResult),
        Some(Err(error)) => return Err(Why::Runtime(message(&error))),
        Some(Ok(value)) => value,
    };
    match results.next() {
        None => Ok(value),
        Some(Err(error)) => Err(Why::Runtime(message(&error))),
        Some(Ok(_)) => Err(Why::ManyResults),
    }
}

/// Words that `error` was given are shown as text by the interpreter, with quotes.
fn message(error: &impl fmt::Display) -> String {
    let mut short = Short(String::new());
    let whole = write!(short, "{error}").is_ok();
    let Short(mut text) = short;
    if text.starts_with('"') {
        text = match serde_json::from_str(&text) {
            Ok(words) if whole => words,
            _ => text[1..].to_owned(),
        };
    }
    if !whole {
        text.push('…');
    }
    text
}

/// Takes text until it has enough, and then fails, so that no more is made.
struct Short(String);

impl Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = MESSAGE - self.0.len();
        if text.len() <= room {
            self.0.push_str(text);
            return Ok(());
        }
        self.0.push_str(&text[..text.floor_char_boundary(room)]);
        Err(fmt::Error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_cut_between_characters() {
        assert_eq!(message(&"short"), "short");
        assert_eq!(message(&r#""in \"words\"""#), r#"in "words""#);
        let long = message(&"ä".repeat(400));
        assert_eq!(long, format!("{}…", "ä".repeat(250)));
        let long = message(&format!("x{}", "ä".repeat(400)));
        assert_eq!(long, format!("x{}…", "ä".repeat(249)));
    }
}
