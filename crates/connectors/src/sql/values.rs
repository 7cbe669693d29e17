//! Parameters to the server, columns from it.
//!
//! Parameters travel as text, which the server reads as the type that it wants. Columns come as the server keeps them, and
//! become JSON: numbers and booleans as such, decimals that no number holds exactly as strings, instants by RFC 3339,
//! bytes as Base64, JSON as itself. Types that have no clear JSON are asked to be cast.

use super::{number, time};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut as _, BytesMut};
use quaymaster_core::{Code, Fault};
use serde_json::{Map, Value, json};
use std::error::Error;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use tokio_postgres::types::{Format, FromSql, IsNull, Kind, ToSql, Type, to_sql_checked};
use tokio_postgres::{Column, Row};

/// The deepest array.
const DEEPEST: usize = 6;

/// A parameter as text; none is NULL.
#[derive(Debug)]
pub(super) struct Param(Option<String>);

impl ToSql for Param {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn Error + Sync + Send>> {
        Ok(match &self.0 {
            Some(text) => {
                out.put_slice(text.as_bytes());
                IsNull::No
            }
            None => IsNull::Yes,
        })
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    to_sql_checked!();
}

/// Parameters of these names, for the types that the server found.
pub(super) fn to_server(
    names: &[&str],
    types: &[Type],
    given: &Map<String, Value>,
) -> Result<Vec<Param>, Fault> {
    let null = Value::Null;
    names
        .iter()
        .zip(types)
        .map(|(name, of)| {
            let value = given.get(*name).unwrap_or(&null);
            text(value, of).ok_or_else(|| {
                Fault::invalid_arg(
                    &format!("/params/{name}"),
                    "type",
                    format!(
                        ":{name} is {} to the server, which {} cannot be.",
                        of.name(),
                        kind(value)
                    ),
                )
                .hint("Cast it in the statement, as in `:name::jsonb`, or give another value.")
            })
        })
        .collect()
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// None for what cannot be of that type.
fn text(value: &Value, of: &Type) -> Option<Param> {
    if value.is_null() {
        return Some(Param(None));
    }
    if let Kind::Domain(of) = of.kind() {
        return text(value, of);
    }
    if matches!(*of, Type::JSON | Type::JSONB) {
        return Some(Param(Some(value.to_string())));
    }
    let text = match value {
        Value::Bool(yes) => yes.to_string(),
        Value::Number(number) => number.to_string(),
        Value::String(encoded) if *of == Type::BYTEA => {
            let mut text = String::from("\\x");
            for byte in STANDARD.decode(encoded).ok()? {
                let _ = write!(text, "{byte:02x}");
            }
            text
        }
        Value::String(text) => text.clone(),
        Value::Array(values) => match of.kind() {
            Kind::Array(of) => list(values, of, 0)?,
            _ => return None,
        },
        Value::Null | Value::Object(_) => return None,
    };
    Some(Param(Some(text)))
}

/// An array as the server reads it.
fn list(values: &[Value], of: &Type, depth: usize) -> Option<String> {
    let mut made = String::from("{");
    for (at, value) in values.iter().enumerate() {
        if at > 0 {
            made.push(',');
        }
        match value {
            Value::Array(values) if !matches!(*of, Type::JSON | Type::JSONB) => {
                if depth == DEEPEST {
                    return None;
                }
                made.push_str(&list(values, of, depth + 1)?);
            }
            value => match text(value, of)?.0 {
                None => made.push_str("NULL"),
                Some(text) => {
                    made.push('"');
                    made.push_str(&text.replace('\\', "\\\\").replace('"', "\\\""));
                    made.push('"');
                }
            },
        }
    }
    made.push('}');
    Some(made)
}

/// The names of the columns, which an object can have each once.
pub(super) fn names(columns: &[&Column]) -> Result<Vec<String>, Fault> {
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    for column in columns {
        if names.iter().any(|name| name == column.name()) {
            return Err(Fault::invalid_arg(
                "/query",
                "columns",
                format!("Two columns are called {}.", column.name()),
            )
            .hint("Name one of them otherwise: `… AS other_name`."));
        }
        names.push(column.name().to_owned());
    }
    Ok(names)
}

/// A row as an object.
pub(super) fn row(columns: &[&Column], row: &Row) -> Result<Value, Fault> {
    let mut object = Map::with_capacity(columns.len());
    for (at, column) in columns.iter().enumerate() {
        let value = match row.try_get::<_, Raw<'_>>(at) {
            Ok(Raw(None)) => Some(Value::Null),
            Ok(Raw(Some(bytes))) => value(bytes, column.type_()),
            Err(_) => None,
        };
        let value = value.ok_or_else(|| {
            let (name, of) = (column.name(), column.type_().name());
            Fault::new(
                Code::UpstreamError,
                format!("The column {name} has a value of the type {of} that cannot be read."),
            )
            .hint(format!("Cast it: `{name}::text`. Nothing was changed."))
        })?;
        object.insert(column.name().to_owned(), value);
    }
    Ok(Value::Object(object))
}

/// What the server sent.
struct Raw<'r>(Option<&'r [u8]>);

impl<'r> FromSql<'r> for Raw<'r> {
    fn from_sql(_: &Type, bytes: &'r [u8]) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Raw(Some(bytes)))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Box<dyn Error + Sync + Send>> {
        Ok(Raw(None))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

fn value(bytes: &[u8], of: &Type) -> Option<Value> {
    match of.kind() {
        Kind::Domain(of) => return value(bytes, of),
        Kind::Array(of) => return array(bytes, of),
        Kind::Enum(_) => return string(bytes),
        Kind::Simple | Kind::Pseudo => {}
        _ => return None,
    }
    Some(match *of {
        Type::BOOL => json!(*bytes.first()? != 0),
        Type::INT2 => json!(i16::from_be_bytes(bytes.try_into().ok()?)),
        Type::INT4 => json!(int4(bytes)?),
        Type::INT8 => json!(int8(bytes)?),
        Type::OID => json!(u32::from_be_bytes(bytes.try_into().ok()?)),
        Type::FLOAT4 => {
            let float = f32::from_be_bytes(bytes.try_into().ok()?);
            // The shortest digits of the small float, not all of the large one.
            float_value(float.to_string().parse().ok()?)
        }
        Type::FLOAT8 => float_value(f64::from_be_bytes(bytes.try_into().ok()?)),
        Type::NUMERIC => number::decimal(bytes)?,
        Type::TEXT
        | Type::VARCHAR
        | Type::BPCHAR
        | Type::NAME
        | Type::CHAR
        | Type::UNKNOWN
        | Type::XML => string(bytes)?,
        Type::UUID => uuid(bytes)?,
        Type::JSON => serde_json::from_slice(bytes).ok()?,
        Type::JSONB => serde_json::from_slice(bytes.strip_prefix(&[1])?).ok()?,
        Type::BYTEA => json!(STANDARD.encode(bytes)),
        Type::DATE => json!(time::date(int4(bytes)?)?),
        Type::TIMESTAMP => json!(time::timestamp(int8(bytes)?)?),
        Type::TIMESTAMPTZ => json!(time::instant(int8(bytes)?)?),
        Type::TIME => json!(time::time(int8(bytes)?)?),
        Type::TIMETZ => {
            let (micros, west) = bytes.split_at_checked(8)?;
            json!(time::time_with_offset(int8(micros)?, int4(west)?)?)
        }
        Type::INTERVAL => {
            let (micros, rest) = bytes.split_at_checked(8)?;
            let (days, months) = rest.split_at_checked(4)?;
            json!(time::interval(int4(months)?, int4(days)?, int8(micros)?))
        }
        Type::INET | Type::CIDR => address(bytes)?,
        Type::VOID => Value::Null,
        // Of an extension, and so without a number of its own.
        _ if of.name() == "citext" => string(bytes)?,
        _ => return None,
    })
}

fn int4(bytes: &[u8]) -> Option<i32> {
    bytes.try_into().ok().map(i32::from_be_bytes)
}

fn int8(bytes: &[u8]) -> Option<i64> {
    bytes.try_into().ok().map(i64::from_be_bytes)
}

fn string(bytes: &[u8]) -> Option<Value> {
    std::str::from_utf8(bytes).ok().map(Value::from)
}

/// JSON has no number for those that are none.
fn float_value(float: f64) -> Value {
    match serde_json::Number::from_f64(float) {
        Some(number) => Value::Number(number),
        None if float.is_nan() => json!("NaN"),
        None if float > 0.0 => json!("Infinity"),
        None => json!("-Infinity"),
    }
}

fn uuid(bytes: &[u8]) -> Option<Value> {
    let number = u128::from_be_bytes(bytes.try_into().ok()?);
    let digits = format!("{number:032x}");
    let parts = [
        &digits[..8],
        &digits[8..12],
        &digits[12..16],
        &digits[16..20],
        &digits[20..],
    ];
    Some(json!(parts.join("-")))
}

/// Family, bits of the network, whether it is a network, length, address.
fn address(bytes: &[u8]) -> Option<Value> {
    let (&[_, bits, network, length], address) = bytes.split_first_chunk::<4>()?;
    let (address, whole) = match length {
        4 => {
            let address: [u8; 4] = address.try_into().ok()?;
            (Ipv4Addr::from(address).to_string(), 32)
        }
        16 => {
            let address: [u8; 16] = address.try_into().ok()?;
            (Ipv6Addr::from(address).to_string(), 128)
        }
        _ => return None,
    };
    Some(if network == 0 && bits == whole {
        json!(address)
    } else {
        json!(format!("{address}/{bits}"))
    })
}

/// Dimensions, whether there are nulls, the type; length and first index of each dimension; then the values with their
/// lengths.
fn array(bytes: &[u8], of: &Type) -> Option<Value> {
    let mut rest = bytes;
    let mut word = || {
        let (word, after) = rest.split_first_chunk::<4>()?;
        rest = after;
        Some(i32::from_be_bytes(*word))
    };
    let dimensions = usize::try_from(word()?).ok()?;
    word()?;
    word()?;
    if dimensions > DEEPEST {
        return None;
    }
    let mut lengths = Vec::with_capacity(dimensions);
    for _ in 0..dimensions {
        lengths.push(usize::try_from(word()?).ok()?);
        word()?;
    }
    if lengths.is_empty() {
        return Some(json!([]));
    }
    elements(&mut rest, &lengths, of)
}

fn elements(rest: &mut &[u8], lengths: &[usize], of: &Type) -> Option<Value> {
    let Some((length, inner)) = lengths.split_first() else {
        let (size, after) = rest.split_first_chunk::<4>()?;
        let size = i32::from_be_bytes(*size);
        if size == -1 {
            *rest = after;
            return Some(Value::Null);
        }
        let (bytes, after) = after.split_at_checked(usize::try_from(size).ok()?)?;
        *rest = after;
        return value(bytes, of);
    };
    // Not believed about how many there are.
    let mut values = Vec::new();
    for _ in 0..*length {
        values.push(elements(rest, inner, of)?);
    }
    Some(Value::Array(values))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parameters_are_written_as_the_server_reads_them() {
        for (value, of, expected) in [
            (json!(null), Type::INT4, None),
            (json!(3), Type::TEXT, Some("3")),
            (json!(true), Type::BOOL, Some("true")),
            (json!("a\"b"), Type::TEXT, Some("a\"b")),
            (json!("a"), Type::JSONB, Some("\"a\"")),
            (json!({ "a": [1] }), Type::JSON, Some("{\"a\":[1]}")),
            (
                json!(["a\"\\", null, "{}"]),
                Type::TEXT_ARRAY,
                Some("{\"a\\\"\\\\\",NULL,\"{}\"}"),
            ),
            (
                json!([[1, 2], [3, 4]]),
                Type::INT4_ARRAY,
                Some("{{\"1\",\"2\"},{\"3\",\"4\"}}"),
            ),
            (json!([]), Type::INT4_ARRAY, Some("{}")),
            (json!("AP8="), Type::BYTEA, Some("\\x00ff")),
        ] {
            let expected = expected.map(str::to_owned);
            let given = text(&value, &of).unwrap();
            assert_eq!(given.0, expected, "{value} as {of}");
        }
        assert!(text(&json!({}), &Type::TEXT).is_none());
        assert!(text(&json!([1]), &Type::INT4).is_none());
        assert!(text(&json!("%"), &Type::BYTEA).is_none());
    }

    proptest! {
        #[test]
        fn whatever_a_server_sends_is_a_value_or_none(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            for of in [
                Type::BOOL, Type::INT2, Type::INT4, Type::INT8, Type::FLOAT4, Type::FLOAT8, Type::NUMERIC, Type::TEXT, Type::UUID,
                Type::JSON, Type::JSONB, Type::BYTEA, Type::DATE, Type::TIMESTAMP, Type::TIMESTAMPTZ, Type::TIME, Type::TIMETZ,
                Type::INTERVAL, Type::INET, Type::INT4_ARRAY, Type::TEXT_ARRAY, Type::JSONB_ARRAY, Type::POINT, Type::RECORD,
            ] {
                let _ = value(&bytes, &of);
            }
        }
    }
}
