//! Values to a database and from it.

use super::Failed;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::Row;
use rusqlite::types::{Value as Held, ValueRef};
use serde_json::{Number, Value};

/// None for a number that a database has no place for. Lists and objects are texts of JSON, which its functions read.
pub(super) fn to_database(value: &Value) -> Option<Held> {
    Some(match value {
        Value::Null => Held::Null,
        Value::Bool(yes) => Held::Integer(i64::from(*yes)),
        Value::Number(number) => match number.as_i64() {
            Some(whole) => Held::Integer(whole),
            // One beyond those that it has would become another one.
            None if number.is_u64() => return None,
            None => Held::Real(number.as_f64()?),
        },
        Value::String(text) => Held::Text(text.clone()),
        Value::Array(_) | Value::Object(_) => Held::Text(value.to_string()),
    })
}

/// Appends a row as an object, unless one of its values alone is more than there is room for.
pub(super) fn append(
    to: &mut Vec<u8>,
    columns: &[String],
    row: &Row<'_>,
    most: usize,
) -> Result<(), Failed> {
    to.push(b'{');
    for (at, column) in columns.iter().enumerate() {
        if at > 0 {
            to.push(b',');
        }
        let held = row.get_ref(at).map_err(super::run::failed)?;
        if size(held) > most || to.len() > most {
            return Err(Failed::TooManyBytes);
        }
        let value = value(held).ok_or_else(|| Failed::Unreadable(column.clone()))?;
        // A vector takes everything.
        let _ = serde_json::to_writer(&mut *to, column);
        to.push(b':');
        let _ = serde_json::to_writer(&mut *to, &value);
    }
    to.push(b'}');
    Ok(())
}

fn size(held: ValueRef<'_>) -> usize {
    match held {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.len(),
        _ => 0,
    }
}

/// None for a text that is not UTF-8.
fn value(held: ValueRef<'_>) -> Option<Value> {
    Some(match held {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(whole) => Value::from(whole),
        ValueRef::Real(real) => match Number::from_f64(real) {
            Some(number) => Value::Number(number),
            // JSON has no number for those that are none.
            None if real.is_nan() => Value::from("NaN"),
            None if real > 0.0 => Value::from("Infinity"),
            None => Value::from("-Infinity"),
        },
        ValueRef::Text(bytes) => Value::from(std::str::from_utf8(bytes).ok()?),
        ValueRef::Blob(bytes) => Value::from(STANDARD.encode(bytes)),
    })
}
