//! Numbers as people read them.

/// Lets templates say `size.bytes()`, whether they hold the number or a reference to it.
pub trait Amount {
    fn count(&self) -> String;
    fn bytes(&self) -> String;
    /// Of milliseconds.
    fn duration(&self) -> String;
    /// The same of microseconds.
    fn micros(&self) -> String;
}

impl Amount for u64 {
    fn count(&self) -> String {
        count(*self)
    }

    fn bytes(&self) -> String {
        bytes(*self)
    }

    fn duration(&self) -> String {
        duration(*self)
    }

    fn micros(&self) -> String {
        match *self {
            us @ ..1_000 => format!("{us} µs"),
            us @ ..10_000 => format!("{:.1} ms", us as f64 / 1000.0),
            us => duration(us / 1_000),
        }
    }
}

/// `12345` as `12,345`.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in binary units with one decimal: `1.5 GiB`.
fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut size = number as f64 / 1024.0;
    let mut unit = 0;
    // 1023.95 would print as 1024.0.
    while size >= 1023.95 && unit + 1 < UNITS.len() {
        size /= 1024.0;
        unit += 1;
    }
    let text = format!("{size:.1}");
    format!(
        "{} {}",
        text.strip_suffix(".0").unwrap_or(&text),
        UNITS[unit]
    )
}

/// Milliseconds, from one second on as seconds: `840 ms`, `1.2 s`.
fn duration(ms: u64) -> String {
    if ms < 1000 {
        format!("{ms} ms")
    } else {
        format!("{:.1} s", ms as f64 / 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_by_thousands() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(count(number), text);
        }
    }

    #[test]
    fn bytes_take_the_unit_that_keeps_them_short() {
        for (number, text) in [
            (0, "0 B"),
            (1023, "1023 B"),
            (1024, "1 KiB"),
            (1536, "1.5 KiB"),
            (1024 * 1024 - 1, "1 MiB"),
            (5 << 30, "5 GiB"),
        ] {
            assert_eq!(bytes(number), text);
        }
    }

    #[test]
    fn durations_change_to_seconds_at_one_second() {
        assert_eq!(duration(999), "999 ms");
        assert_eq!(duration(1250), "1.2 s");
        for (us, text) in [
            (999, "999 µs"),
            (1_500, "1.5 ms"),
            (25_999, "25 ms"),
            (2_000_000, "2.0 s"),
        ] {
            assert_eq!(u64::micros(&us), text);
        }
    }
}
