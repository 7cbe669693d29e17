//! How long an answer asks to wait.

use crate::definition::{Retry, Unit, Wait};
use http::HeaderMap;
use http::header::RETRY_AFTER;
use quaymaster_core::Instant;
use serde_json::Value;
use std::time::Duration;

/// Nobody waits longer, and no agent is told more.
const LONGEST: Duration = Duration::from_hours(24);

/// What an answer says about waiting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) wait: Duration,
    /// The definition knows it as a sign of too many requests, whatever the status.
    pub(crate) is_limit: bool,
}

/// What the definition's places say, else `Retry-After` (RFC 9110 §10.2.3). What is no number and no
/// date counts as nothing.
pub(crate) fn asked(
    headers: &HeaderMap,
    body: Option<&Value>,
    retry: &Retry,
    now: Instant,
) -> Option<Asked> {
    let own = retry.wait.iter().find_map(|wait| {
        let wait = (place(wait, headers, body)?, wait.unit, wait.when.is_some());
        Some(Asked {
            wait: span(wait.0, wait.1, now)?,
            is_limit: wait.2,
        })
    });
    own.or_else(|| {
        let text = text(headers, RETRY_AFTER.as_str())?;
        let seconds = text
            .parse()
            .ok()
            .and_then(|number| span(number, Unit::S, now));
        Some(Asked {
            wait: seconds.or_else(|| until(text, now))?,
            is_limit: false,
        })
    })
}

fn place(wait: &Wait, headers: &HeaderMap, body: Option<&Value>) -> Option<f64> {
    if let Some(when) = &wait.when
        && text(headers, &when.header) != Some(when.equals.as_str())
    {
        return None;
    }
    if let Some(header) = &wait.header {
        return text(headers, header)?.parse().ok();
    }
    match body?.pointer(wait.body.as_deref()?)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn span(number: f64, unit: Unit, now: Instant) -> Option<Duration> {
    let now_s = now.millis() as f64 / 1000.0;
    let seconds = match unit {
        Unit::S => number,
        Unit::Ms => number / 1000.0,
        Unit::EpochS => number - now_s,
        Unit::EpochMs => number / 1000.0 - now_s,
    };
    seconds
        .is_finite()
        .then(|| Duration::from_secs_f64(seconds.clamp(0.0, LONGEST.as_secs_f64())))
}

/// An HTTP date (RFC 9110 §5.6.7), which is one of RFC 5322.
fn until(text: &str, now: Instant) -> Option<Duration> {
    let at = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
    span(at.as_second() as f64, Unit::EpochS, now)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::Equals;
    use http::HeaderName;
    use serde_json::json;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let pairs = pairs.iter();
        pairs
            .map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap()))
            .collect()
    }

    fn seconds(headers: &HeaderMap, body: &Value, retry: &Retry) -> Option<f64> {
        // 2026-11-20T18:40:00Z
        let now = Instant::from_micros(1_795_200_000_000_000);
        asked(headers, Some(body), retry, now).map(|asked| asked.wait.as_secs_f64())
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        for (value, expected) in [
            ("7", Some(7.0)),
            (" 1.5 ", Some(1.5)),
            ("Fri, 20 Nov 2026 18:40:30 GMT", Some(30.0)),
            ("Fri, 20 Nov 2026 18:39:30 GMT", Some(0.0)),
            ("-3", Some(0.0)),
            ("99999999999999999999", Some(86_400.0)),
            ("soon", None),
            ("", None),
            ("NaN", None),
            ("inf", None),
        ] {
            let headers = headers(&[("retry-after", value)]);
            assert_eq!(
                seconds(&headers, &Value::Null, &Retry::default()),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn the_places_of_the_definition_come_first() {
        let wait =
            |header: Option<&str>, body: Option<&str>, unit, when: Option<(&str, &str)>| Wait {
                header: header.map(str::to_owned),
                body: body.map(str::to_owned),
                unit,
                when: when.map(|(header, equals)| Equals {
                    header: header.into(),
                    equals: equals.into(),
                }),
            };
        let left = Some(("x-ratelimit-remaining", "0"));
        let retry = Retry {
            wait: vec![
                wait(Some("x-ratelimit-reset"), None, Unit::EpochS, left),
                wait(None, Some("/error/wait"), Unit::Ms, None),
            ],
            ..Retry::default()
        };
        let reset = ("x-ratelimit-reset", "1795200012");
        let used_up = headers(&[reset, ("x-ratelimit-remaining", "0"), ("retry-after", "3")]);
        assert_eq!(seconds(&used_up, &Value::Null, &retry), Some(12.0));
        let some_left = headers(&[reset, ("x-ratelimit-remaining", "9"), ("retry-after", "3")]);
        assert_eq!(seconds(&some_left, &Value::Null, &retry), Some(3.0));
        let told = json!({ "error": { "wait": "2500" } });
        assert_eq!(seconds(&some_left, &told, &retry), Some(2.5));
    }
}
