//! Dates and times as the server sends them: counted from the start of the year 2000.

use jiff::civil::{Date, DateTime, Time};
use jiff::{Span, Timestamp, ToSpan as _};
use std::fmt::Write as _;

const EPOCH: Date = jiff::civil::date(2000, 1, 1);
/// Seconds from 1970 to 2000.
const EPOCH_SECONDS: i64 = 946_684_800;
const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// None for dates that have no four digits of a year.
pub(super) fn date(days: i32) -> Option<String> {
    if let Some(infinite) = infinite(days == i32::MAX, days == i32::MIN) {
        return Some(infinite);
    }
    let days = Span::new().try_days(days).ok()?;
    plain(EPOCH.checked_add(days).ok()?).map(|date| date.to_string())
}

/// Without an offset, since it has none.
pub(super) fn timestamp(micros: i64) -> Option<String> {
    if let Some(infinite) = infinite(micros == i64::MAX, micros == i64::MIN) {
        return Some(infinite);
    }
    let days = Span::new().try_days(micros.div_euclid(DAY)).ok()?;
    let date = plain(EPOCH.checked_add(days).ok()?)?;
    let time = Time::midnight()
        .checked_add(micros.rem_euclid(DAY).microseconds())
        .ok()?;
    Some(DateTime::from_parts(date, time).to_string())
}

/// RFC 3339, in UTC.
pub(super) fn instant(micros: i64) -> Option<String> {
    if let Some(infinite) = infinite(micros == i64::MAX, micros == i64::MIN) {
        return Some(infinite);
    }
    let micros = micros.checked_add(EPOCH_SECONDS * SECOND)?;
    let instant = Timestamp::from_microsecond(micros).ok()?.to_string();
    (!instant.starts_with(['-', '+'])).then_some(instant)
}

/// 24:00 is one, too.
pub(super) fn time(micros: i64) -> Option<String> {
    if !(0..=DAY).contains(&micros) {
        return None;
    }
    let (seconds, fraction) = (micros / SECOND, micros % SECOND);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let mut text = format!("{hours:02}:{minutes:02}:{:02}", seconds % 60);
    push_fraction(&mut text, fraction);
    Some(text)
}

/// `west` are seconds west of Greenwich, as the server counts.
pub(super) fn time_with_offset(micros: i64, west: i32) -> Option<String> {
    let time = time(micros)?;
    let minutes = west.unsigned_abs() / 60;
    let sign = if west > 0 { '-' } else { '+' };
    Some(format!(
        "{time}{sign}{:02}:{:02}",
        minutes / 60,
        minutes % 60
    ))
}

/// ISO 8601, with a sign at each part that needs one, as the server itself writes it.
pub(super) fn interval(months: i32, days: i32, micros: i64) -> String {
    let mut text = String::from("P");
    let mut part = |value: i64, unit: char| {
        if value != 0 {
            let _ = write!(text, "{value}{unit}");
        }
    };
    part(i64::from(months / 12), 'Y');
    part(i64::from(months % 12), 'M');
    part(i64::from(days), 'D');
    if micros != 0 {
        text.push('T');
        let (minutes, rest) = (micros / (60 * SECOND), micros % (60 * SECOND));
        let mut part = |value: i64, unit: char| {
            if value != 0 {
                let _ = write!(text, "{value}{unit}");
            }
        };
        part(minutes / 60, 'H');
        part(minutes % 60, 'M');
        if rest != 0 {
            let sign = if rest < 0 { "-" } else { "" };
            let rest = rest.abs();
            let _ = write!(text, "{sign}{}", rest / SECOND);
            push_fraction(&mut text, rest % SECOND);
            text.push('S');
        }
    }
    if text == "P" {
        text.push_str("T0S");
    }
    text
}

fn push_fraction(text: &mut String, micros: i64) {
    if micros != 0 {
        let digits = format!("{micros:06}");
        let _ = write!(text, ".{}", digits.trim_end_matches('0'));
    }
}

fn infinite(after: bool, before: bool) -> Option<String> {
    match (after, before) {
        (true, _) => Some("infinity".to_owned()),
        (_, true) => Some("-infinity".to_owned()),
        _ => None,
    }
}

fn plain(date: Date) -> Option<Date> {
    (date.year() >= 0).then_some(date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(date(0).unwrap(), "2000-01-01");
        assert_eq!(date(-1).unwrap(), "1999-12-31");
        assert_eq!(date(8_766).unwrap(), "2024-01-01");
        assert_eq!(date(i32::MAX).unwrap(), "infinity");
        assert_eq!(date(i32::MIN).unwrap(), "-infinity");
        assert_eq!(date(5_000_000), None);
        assert_eq!(date(-1_000_000), None);
    }

    #[test]
    fn instants_are_in_utc_and_timestamps_have_no_offset() {
        assert_eq!(instant(0).unwrap(), "2000-01-01T00:00:00Z");
        assert_eq!(instant(-1).unwrap(), "1999-12-31T23:59:59.999999Z");
        assert_eq!(timestamp(1_500_000).unwrap(), "2000-01-01T00:00:01.5");
        assert_eq!(timestamp(-1).unwrap(), "1999-12-31T23:59:59.999999");
        assert_eq!(timestamp(i64::MAX).unwrap(), "infinity");
        assert_eq!(timestamp(i64::MAX - 1), None);
        assert_eq!(instant(i64::MIN + 1), None);
    }

    #[test]
    fn times_and_intervals() {
        assert_eq!(time(DAY).unwrap(), "24:00:00");
        assert_eq!(time(3_723_000_100).unwrap(), "01:02:03.0001");
        assert_eq!(time(-1), None);
        assert_eq!(time_with_offset(0, -7_200).unwrap(), "00:00:00+02:00");
        assert_eq!(time_with_offset(0, 12_600).unwrap(), "00:00:00-03:30");
        assert_eq!(interval(14, 3, 3_661_500_000), "P1Y2M3DT1H1M1.5S");
        assert_eq!(interval(0, 0, 0), "PT0S");
        assert_eq!(interval(-1, 0, -500_000), "P-1MT-0.5S");
    }
}
