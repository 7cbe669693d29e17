//! What authorization servers answer, read with patience.

use super::Tokens;
use crate::definition::OAuth2;
use secrecy::SecretString;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use url::form_urlencoded;

/// No token is longer.
const LONGEST_TOKEN: usize = 32 * 1024;
/// Of a field that is taken from the answer.
const LONGEST_FIELD: usize = 2_048;
/// Ten years: what says more means for ever.
const LONGEST_LIFE: i64 = 10 * 365 * 86_400;

/// The members of an answer: a JSON object, or a form, whatever its content type says.
pub(super) fn members(body: &[u8]) -> Option<Map<String, Value>> {
    let text = std::str::from_utf8(body).ok()?;
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('{') {
        return serde_json::from_str(text).ok();
    }
    if text.is_empty() || text.starts_with('<') || text.contains(char::is_whitespace) {
        return None;
    }
    let pairs = form_urlencoded::parse(text.as_bytes());
    let pairs = pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())));
    let members: Map<String, Value> = pairs.collect();
    let speaks = ["access_token", "error", "device_code"];
    speaks
        .iter()
        .any(|name| members.contains_key(*name))
        .then_some(members)
}

/// Whether an answer is an error, also when its status says that it is none.
pub(super) fn is_error(members: &Map<String, Value>) -> bool {
    let error = members.get("error");
    let told = error.is_some_and(|error| match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        _ => true,
    });
    told || members.get("ok") == Some(&Value::Bool(false))
}

/// The code of an error, and what the server says about it.
pub(super) fn error_of(members: &Map<String, Value>) -> (Option<String>, Option<String>) {
    let text = |value: Option<&Value>| {
        let text = value?.as_str()?.trim();
        (!text.is_empty()).then(|| text.to_owned())
    };
    let error = members.get("error");
    let inner = error.and_then(Value::as_object);
    let code = text(error).or_else(|| {
        let inner = inner?;
        text(inner.get("status")).or_else(|| text(inner.get("code")))
    });
    let said = text(members.get("error_description"))
        .or_else(|| text(inner?.get("message")))
        .or_else(|| text(members.get("message")));
    (code, said)
}

/// The tokens of an answer; none when there is no access token that could be used.
pub(super) fn tokens(members: &Map<String, Value>, oauth2: &OAuth2) -> Option<Tokens> {
    // Slack puts the token of a user one level deeper.
    let nested = members.get("authed_user").and_then(Value::as_object);
    let (holder, access_token) = match (token(members, "access_token"), nested) {
        (Some(found), _) => (members, found),
        (None, Some(nested)) => (nested, token(nested, "access_token")?),
        (None, None) => return None,
    };
    let life = holder.get("expires_in").and_then(seconds);
    let life = life.or_else(|| oauth2.refresh.lifetime_s.map(i64::from));
    let whole = Value::Object(members.clone());
    let fields = oauth2.fields_from_token.iter();
    let fields = fields.filter_map(|(name, at)| Some((name.clone(), plain(whole.pointer(at)?)?)));
    Some(Tokens {
        access_token,
        refresh_token: token(holder, "refresh_token"),
        expires_in: life,
        fields: fields.collect::<BTreeMap<_, _>>(),
    })
}

/// A text that a header can carry.
pub(super) fn token(members: &Map<String, Value>, name: &str) -> Option<SecretString> {
    let text = members.get(name)?.as_str()?.trim();
    let fits = !text.is_empty()
        && text.len() <= LONGEST_TOKEN
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    fits.then(|| text.to_owned().into())
}

/// A number of seconds, which some write as text. Nothing for none, and for those who write 0 where
/// they mean never.
pub(super) fn seconds(value: &Value) -> Option<i64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse::<f64>().ok()?,
        _ => return None,
    };
    if !number.is_finite() || number < 1.0 {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is small and whole")]
    Some(number.min(LONGEST_LIFE as f64).floor() as i64)
}

fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(_) | Value::Bool(_) => value.to_string(),
        _ => return None,
    };
    let fits = !text.is_empty() && text.len() <= LONGEST_FIELD && !text.contains(char::is_control);
    fits.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn seconds_are_read_however_they_are_written() {
        for (value, read) in [
            (json!(3600), Some(3600)),
            (json!("3600"), Some(3600)),
            (json!(" 59.9 "), Some(59)),
            (json!(0), None),
            (json!(-5), None),
            (json!("never"), None),
            (json!(null), None),
            (json!(1e300), Some(LONGEST_LIFE)),
        ] {
            assert_eq!(seconds(&value), read, "{value}");
        }
    }

    #[test]
    fn forms_are_read_and_pages_are_not() {
        let read = members(b"access_token=a%20b&scope=repo%2Cgist&token_type=bearer").unwrap();
        assert_eq!(read["access_token"], "a b");
        assert!(members(b"<html>access_token=1</html>").is_none());
        assert!(members(b"Bad gateway").is_none());
        assert!(members(b"{broken").is_none());
        assert!(members(b"").is_none());
        assert!(is_error(&members(b"error=bad_verification_code").unwrap()));
    }
}
