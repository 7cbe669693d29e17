//! Word documents (ECMA-376 part 1 §17): paragraphs in their order, headings by style, rows of tables, notes.

use super::Reason;
use super::package::Package;
use super::sink::Sink;
use super::xml::Step;
use std::collections::HashMap;

const DOCUMENT: &str = "word/document.xml";
/// Rows keep their cells apart by this.
const BETWEEN_CELLS: &str = " | ";

pub(super) fn read(bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), Reason> {
    let mut package = Package::open(bytes)?;
    let levels = levels(&mut package)?;
    for (part, title) in [
        (DOCUMENT, None),
        ("word/footnotes.xml", Some("Footnotes")),
        ("word/endnotes.xml", Some("Endnotes")),
        ("word/comments.xml", Some("Comments")),
    ] {
        let mut body = Body::new(&levels, title);
        package.each(part, |step| body.take(&step, sink))?;
    }
    // Above and below every page: told once, at the end.
    let mut around: Vec<(String, String)> = package.relations(DOCUMENT)?.into_values().collect();
    around.retain(|(kind, _)| kind == "header" || kind == "footer");
    around.sort_unstable();
    around.dedup();
    let mut body = Body::new(&levels, Some("Headers and footers"));
    for (_, part) in around {
        package.each(&part, |step| body.take(&step, sink))?;
    }
    Ok(())
}

/// The level of each style that is a heading, by its id: names differ between languages, ids as well.
fn levels(package: &mut Package<'_>) -> Result<HashMap<String, usize>, Reason> {
    let mut levels = HashMap::new();
    let mut style = None;
    package.each("word/styles.xml", |step| {
        match step {
            Step::Open("style", attributes) => style = attributes.get("styleId"),
            Step::Open("name", attributes) => {
                let name = attributes
                    .get("val")
                    .unwrap_or_default()
                    .to_ascii_lowercase();
                let level = match name.as_str() {
                    "title" => Some(1),
                    name => name
                        .strip_prefix("heading ")
                        .and_then(|level| level.parse().ok()),
                };
                if let (Some(style), Some(level)) = (&style, level) {
                    levels.insert(style.clone(), level);
                }
            }
            Step::Open("outlineLvl", attributes) => {
                let level = attributes
                    .get("val")
                    .and_then(|level| level.parse::<usize>().ok());
                if let (Some(style), Some(level @ 0..6)) = (&style, level) {
                    levels.entry(style.clone()).or_insert(level + 1);
                }
            }
            Step::Close("style") => style = None,
            _ => {}
        }
        Ok(())
    })?;
    Ok(levels)
}

struct Body<'l> {
    levels: &'l HashMap<String, usize>,
    /// What stands above the first paragraph, if there is one.
    title: Option<&'static str>,
    paragraph: String,
    level: Option<usize>,
    is_item: bool,
    is_text: bool,
    /// Paragraphs within each other: text boxes.
    depth: usize,
    /// Elements whose content stands elsewhere, too.
    skipping: usize,
    /// Tables within each other, and the cells of the row of the outermost one.
    tables: usize,
    cells: Vec<String>,
    cell: String,
}

impl<'l> Body<'l> {
    fn new(levels: &'l HashMap<String, usize>, title: Option<&'static str>) -> Body<'l> {
        Body {
            levels,
            title,
            paragraph: String::new(),
            level: None,
            is_item: false,
            is_text: false,
            depth: 0,
            skipping: 0,
            tables: 0,
            cells: Vec::new(),
            cell: String::new(),
        }
    }

    fn take(&mut self, step: &Step<'_>, sink: &mut Sink<'_>) -> Result<(), Reason> {
        match step {
            Step::Open("Fallback", _) => self.skipping += 1,
            Step::Close("Fallback") => self.skipping = self.skipping.saturating_sub(1),
            _ if self.skipping > 0 => {}
            Step::Open("p", _) => self.depth += 1,
            Step::Open("pStyle", attributes) => {
                let style = attributes.get("val").unwrap_or_default();
                self.level = self.levels.get(&style).copied().or_else(|| by_id(&style));
            }
            Step::Open("numPr", _) => self.is_item = true,
            Step::Open("t", _) => self.is_text = true,
            Step::Close("t") => self.is_text = false,
            Step::Text(text) if self.is_text => self.paragraph.push_str(text),
            Step::Open("tab", _) if self.depth > 0 => self.paragraph.push('\t'),
            Step::Open("br" | "cr", _) => self.paragraph.push('\n'),
            Step::Open("noBreakHyphen", _) => self.paragraph.push('-'),
            Step::Close("p") => {
                self.depth = self.depth.saturating_sub(1);
                self.end_paragraph(sink)?;
            }
            Step::Open("tbl", _) => self.tables += 1,
            Step::Close("tbl") => {
                self.tables = self.tables.saturating_sub(1);
                if self.tables == 0 {
                    sink.gap()?;
                }
            }
            Step::Close("tc") if self.tables == 1 => {
                self.cells
                    .push(std::mem::take(&mut self.cell).trim().to_owned());
            }
            Step::Close("tr") if self.tables == 1 => {
                let row = std::mem::take(&mut self.cells).join(BETWEEN_CELLS);
                if row.contains(|c: char| !c.is_whitespace() && c != '|') {
                    sink.line(&row)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn end_paragraph(&mut self, sink: &mut Sink<'_>) -> Result<(), Reason> {
        let text = std::mem::take(&mut self.paragraph);
        let (level, is_item) = (self.level.take(), std::mem::take(&mut self.is_item));
        if self.tables > 0 {
            if !self.cell.is_empty() {
                self.cell.push(' ');
            }
            self.cell.push_str(text.trim());
            return Ok(());
        }
        if text.trim().is_empty() {
            return Ok(());
        }
        if let Some(title) = self.title.take() {
            sink.heading(1, title)?;
        }
        match level {
            Some(level) => sink.own_heading(level, &text),
            None if is_item => sink.line(&format!("- {}", text.trim())),
            None => sink.paragraph(&text),
        }
    }
}

/// Documents without styles of their own still name the built-in ones.
fn by_id(style: &str) -> Option<usize> {
    match style {
        "Title" => Some(1),
        style => style.strip_prefix("Heading")?.parse().ok(),
    }
}
