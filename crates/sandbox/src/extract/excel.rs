//! Workbooks (ECMA-376 part 1 §18): a heading for each sheet, a line for each row.

use super::Reason;
use super::package::Package;
use super::sink::Sink;
use super::xml::Step;
use std::collections::HashMap;

const WORKBOOK: &str = "xl/workbook.xml";
const BETWEEN_CELLS: &str = " | ";
/// Bytes of all shared texts.
const MOST_SHARED: usize = 64 * 1024 * 1024;

pub(super) fn read(bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), Reason> {
    let mut package = Package::open(bytes)?;
    let mut sheets = Vec::new();
    let mut base_1904 = false;
    package.each(WORKBOOK, |step| {
        match step {
            Step::Open("sheet", attributes) => {
                let name = attributes.get("name").unwrap_or_default();
                sheets.extend(attributes.exactly("r:id").map(|id| (name, id)));
            }
            Step::Open("workbookPr", attributes) => {
                base_1904 = matches!(attributes.get("date1904").as_deref(), Some("1" | "true"));
            }
            _ => {}
        }
        Ok(())
    })?;
    let relations = package.relations(WORKBOOK)?;
    let shared = shared(&mut package)?;
    let dates = dates(&mut package)?;
    for (name, id) in sheets {
        let Some((kind, part)) = relations.get(&id) else {
            continue;
        };
        if kind != "worksheet" {
            continue;
        }
        let mut sheet = Sheet {
            name: Some(name),
            shared: &shared,
            dates: &dates,
            base_1904,
            cells: Vec::new(),
            kind: String::new(),
            style: 0,
            value: String::new(),
            is_value: false,
        };
        package.each(part, |step| sheet.take(&step, sink))?;
    }
    Ok(())
}

/// Texts that cells refer to by number.
fn shared(package: &mut Package<'_>) -> Result<Vec<String>, Reason> {
    let (mut all, mut bytes) = (Vec::new(), 0);
    let (mut is_text, mut phonetic) = (false, false);
    package.each("xl/sharedStrings.xml", |step| {
        match step {
            Step::Open("si", _) => all.push(String::new()),
            Step::Open("rPh", _) => phonetic = true,
            Step::Close("rPh") => phonetic = false,
            Step::Open("t", _) => is_text = !phonetic,
            Step::Close("t") => is_text = false,
            Step::Text(text) if is_text => {
                bytes += text.len();
                if bytes > MOST_SHARED {
                    return Err(Reason::TooLarge);
                }
                if let Some(last) = all.last_mut() {
                    last.push_str(text);
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(all)
}

/// Which styles of cells show a date: by a built-in format (§18.8.30), or by the letters of another.
fn dates(package: &mut Package<'_>) -> Result<Vec<bool>, Reason> {
    let (mut formats, mut styles, mut in_cells) = (HashMap::new(), Vec::new(), false);
    package.each("xl/styles.xml", |step| {
        match step {
            Step::Open("numFmt", attributes) => {
                let code = attributes.get("formatCode").unwrap_or_default();
                formats.extend(attributes.get("numFmtId").map(|id| (id, is_date(&code))));
            }
            Step::Open("cellXfs", _) => in_cells = true,
            Step::Close("cellXfs") => in_cells = false,
            Step::Open("xf", attributes) if in_cells => {
                let id = attributes.get("numFmtId").unwrap_or_default();
                let built_in = matches!(id.parse(), Ok(14..=22_u32 | 45..=47));
                styles.push(formats.get(&id).copied().unwrap_or(built_in));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(styles)
}

fn is_date(code: &str) -> bool {
    let (mut quoted, mut bracketed) = (false, false);
    code.chars().any(|c| {
        match c {
            '"' => quoted = !quoted,
            '[' => bracketed = true,
            ']' => bracketed = false,
            _ => {}
        }
        !quoted && !bracketed && matches!(c, 'y' | 'Y' | 'd' | 'D' | 'h' | 'H')
    })
}

struct Sheet<'s> {
    /// Until it was told.
    name: Option<String>,
    shared: &'s [String],
    dates: &'s [bool],
    base_1904: bool,
    cells: Vec<String>,
    kind: String,
    style: usize,
    value: String,
    is_value: bool,
}

impl Sheet<'_> {
    fn take(&mut self, step: &Step<'_>, sink: &mut Sink<'_>) -> Result<(), Reason> {
        match step {
            Step::Open("c", attributes) => {
                self.kind = attributes.get("t").unwrap_or_default();
                self.style = attributes
                    .get("s")
                    .and_then(|s| s.parse().ok())
                    .unwrap_or(0);
                self.value.clear();
            }
            Step::Open("v" | "t", _) => self.is_value = true,
            Step::Close("v" | "t") => self.is_value = false,
            Step::Text(text) if self.is_value => self.value.push_str(text),
            Step::Close("c") => {
                let cell = self.cell();
                self.cells
                    .push(cell.split_whitespace().collect::<Vec<_>>().join(" "));
            }
            Step::Close("row") => self.row(sink)?,
            _ => {}
        }
        Ok(())
    }

    fn cell(&self) -> String {
        match self.kind.as_str() {
            "s" => {
                let number = self.value.trim().parse::<usize>().ok();
                let text = number.and_then(|number| self.shared.get(number));
                text.cloned().unwrap_or_default()
            }
            "b" => if self.value.trim() == "1" {
                "TRUE"
            } else {
                "FALSE"
            }
            .to_owned(),
            "" | "n" if self.dates.get(self.style) == Some(&true) => {
                date(&self.value, self.base_1904).unwrap_or_else(|| self.value.clone())
            }
            _ => self.value.clone(),
        }
    }

    fn row(&mut self, sink: &mut Sink<'_>) -> Result<(), Reason> {
        let cells = std::mem::take(&mut self.cells);
        if cells.iter().all(String::is_empty) {
            return Ok(());
        }
        if let Some(name) = self.name.take() {
            sink.heading(1, &name)?;
        }
        sink.line(&cells.join(BETWEEN_CELLS))
    }
}

/// Days since the end of 1899, with a 29 February 1900 that never was, or since 1904.
fn date(value: &str, base_1904: bool) -> Option<String> {
    let serial: f64 = value.trim().parse().ok()?;
    if !(0.0..2_958_466.0).contains(&serial) {
        return None;
    }
    let days = serial.floor() as i64 + if base_1904 { 1462 } else { 0 };
    let seconds = ((serial - serial.floor()) * 86_400.0).round() as i64;
    let time = format!("{:02}:{:02}", seconds / 3600, seconds / 60 % 60);
    if days == 0 {
        return Some(time);
    }
    // From the civil calendar's own count, whose day 0 is 1 March of year 0.
    let days = days + 693_899 + i64::from(days < 60);
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let day = format!("{year:04}-{month:02}-{day:02}");
    Some(if seconds == 0 {
        day
    } else {
        format!("{day} {time}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_told_as_dates() {
        for (serial, shown) in [
            ("1", "1900-01-01"),
            ("61", "1900-03-01"),
            ("45658", "2025-01-01"),
            ("45716", "2025-02-28"),
            ("45350.75", "2024-02-28 18:00"),
            ("0.5", "12:00"),
        ] {
            assert_eq!(date(serial, false).as_deref(), Some(shown), "{serial}");
        }
        assert_eq!(date("0", true).as_deref(), Some("1904-01-01"));
        assert_eq!(date("-1", false), None);
        assert_eq!(date("1e300", false), None);
        assert!(is_date("yyyy\\-mm\\-dd") && is_date("[$-409]d mmm"));
        assert!(!is_date("0.00\" days\"") && !is_date("[Red]0"));
    }
}
