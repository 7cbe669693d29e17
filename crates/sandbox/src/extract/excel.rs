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
/// Empty cells in front of another that are told: one cell may stand far to the right.
const MOST_LEFT_OUT: usize = 20;

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
    let styles = styles(&mut package)?;
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
            styles: &styles,
            base_1904,
            column: 0,
            cells: Vec::new(),
            kind: String::new(),
            style: 0,
            value: String::new(),
            is_value: false,
        };
        package.each(part, |step| sheet.take(&step, sink))?;
        let beside = package.relations(part)?;
        for (_, remarks) in beside.values().filter(|(kind, _)| kind == "comments") {
            sink.line(&remarks_in(&mut package, remarks)?)?;
        }
    }
    Ok(())
}

/// What somebody wrote beside the cells of a sheet.
fn remarks_in(package: &mut Package<'_>, part: &str) -> Result<String, Reason> {
    let (mut all, mut is_text) = (String::new(), false);
    package.each(part, |step| {
        match step {
            Step::Open("comment", attributes) => {
                let cell = attributes.get("ref").unwrap_or_default();
                all.extend(["\nRemark at ", &cell, ": "]);
            }
            Step::Open("t", _) => is_text = true,
            Step::Close("t") => is_text = false,
            Step::Text(text) if is_text => all.push_str(&text.replace('\n', " ")),
            _ => {}
        }
        Ok(())
    })?;
    Ok(all)
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

/// What a number is, by the format of its cell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    Number,
    Share,
    Date,
}

/// How the styles of cells show numbers: by a built-in format (§18.8.30), or by the letters of another.
fn styles(package: &mut Package<'_>) -> Result<Vec<Shown>, Reason> {
    let (mut formats, mut styles, mut in_cells) = (HashMap::new(), Vec::new(), false);
    package.each("xl/styles.xml", |step| {
        match step {
            Step::Open("numFmt", attributes) => {
                let code = attributes.get("formatCode").unwrap_or_default();
                formats.extend(attributes.get("numFmtId").map(|id| (id, shown(&code))));
            }
            Step::Open("cellXfs", _) => in_cells = true,
            Step::Close("cellXfs") => in_cells = false,
            Step::Open("xf", attributes) if in_cells => {
                let id = attributes.get("numFmtId").unwrap_or_default();
                let built_in = match id.parse() {
                    Ok(9 | 10_u32) => Shown::Share,
                    Ok(14..=22 | 45..=47) => Shown::Date,
                    _ => Shown::Number,
                };
                styles.push(formats.get(&id).copied().unwrap_or(built_in));
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(styles)
}

/// By the first letter or sign that says so and is neither quoted, escaped nor a colour.
fn shown(code: &str) -> Shown {
    let (mut quoted, mut bracketed, mut escaped) = (false, false, false);
    for c in code.chars() {
        if std::mem::take(&mut escaped) {
            continue;
        }
        match c {
            '"' => quoted = !quoted,
            '[' => bracketed = true,
            ']' => bracketed = false,
            '\\' => escaped = true,
            _ if quoted || bracketed => {}
            'y' | 'Y' | 'd' | 'D' | 'h' | 'H' => return Shown::Date,
            '%' => return Shown::Share,
            _ => {}
        }
    }
    Shown::Number
}

struct Sheet<'s> {
    /// Until it was told.
    name: Option<String>,
    shared: &'s [String],
    styles: &'s [Shown],
    base_1904: bool,
    /// The number of the cell, from 1, when the file says where it stands.
    column: usize,
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
                let place = attributes.get("r");
                self.column = place.as_deref().and_then(column).unwrap_or(0);
                self.value.clear();
            }
            Step::Open("v" | "t", _) => self.is_value = true,
            Step::Close("v" | "t") => self.is_value = false,
            Step::Text(text) if self.is_value => self.value.push_str(text),
            Step::Close("c") => {
                let cell = self.cell();
                // Cells without anything may be left out of the file: others stay below the names of their columns.
                let left_out = self.column.saturating_sub(self.cells.len() + 1);
                if left_out <= MOST_LEFT_OUT {
                    self.cells
                        .extend(std::iter::repeat_n(String::new(), left_out));
                }
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
            "" | "n" => {
                let found = match self.styles.get(self.style) {
                    Some(Shown::Date) => date(&self.value, self.base_1904),
                    Some(Shown::Share) => share(&self.value),
                    _ => number(&self.value),
                };
                found.unwrap_or_else(|| self.value.clone())
            }
            _ => self.value.clone(),
        }
    }

    fn row(&mut self, sink: &mut Sink<'_>) -> Result<(), Reason> {
        let mut cells = std::mem::take(&mut self.cells);
        while cells.pop_if(|last| last.is_empty()).is_some() {}
        if cells.is_empty() {
            return Ok(());
        }
        if let Some(name) = self.name.take() {
            sink.heading(1, &name)?;
        }
        sink.line(&cells.join(BETWEEN_CELLS))
    }
}

/// The number of a column, from 1, by the letters in front of a cell's place.
fn column(place: &str) -> Option<usize> {
    let end = place.find(|c: char| !c.is_ascii_alphabetic())?;
    let letters = place[..end].bytes().take(4);
    Some(letters.fold(0, |all, letter| {
        all * 26 + usize::from(letter.to_ascii_uppercase() - b'@')
    }))
}

/// Files have all seventeen digits of a number, and programs show fifteen: 0.1 + 0.2 is 0.3.
fn number(value: &str) -> Option<String> {
    let value = value.trim();
    if !value.contains('.') || value.bytes().filter(u8::is_ascii_digit).count() <= 15 {
        return None;
    }
    let shorter: f64 = format!("{:.14e}", value.parse::<f64>().ok()?)
        .parse()
        .ok()?;
    Some(shorter.to_string()).filter(|shorter| shorter.len() <= value.len())
}

fn share(value: &str) -> Option<String> {
    let hundred = (value.trim().parse::<f64>().ok()? * 100.0).to_string();
    let shown = number(&hundred).unwrap_or(hundred);
    Some(format!("{shown}%")).filter(|shown| shown.len() < 24)
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
        for (code, is) in [
            ("yyyy\\-mm\\-dd", Shown::Date),
            ("[$-409]d mmm", Shown::Date),
            ("0.00\" days\"", Shown::Number),
            ("[Red]0", Shown::Number),
            ("0\\d", Shown::Number),
            ("0.0%", Shown::Share),
        ] {
            assert!(shown(code) == is, "{code}");
        }
    }

    #[test]
    fn numbers_are_told_as_programs_show_them() {
        for (value, told) in [
            ("0.30000000000000004", Some("0.3")),
            ("4.25", None),
            ("12345678901234567890", None),
            ("one", None),
        ] {
            assert_eq!(number(value).as_deref(), told, "{value}");
        }
        assert_eq!(share("0.125").as_deref(), Some("12.5%"));
        assert_eq!(share("0.07").as_deref(), Some("7%"));
        assert_eq!(
            [column("A1"), column("AB7"), column("7")],
            [Some(1), Some(28), Some(0)]
        );
    }
}
