//! Presentations (ECMA-376 part 1 §19): a heading for each slide, its paragraphs, and the speaker's notes.

use super::Reason;
use super::package::Package;
use super::sink::Sink;
use super::xml::Step;

const PRESENTATION: &str = "ppt/presentation.xml";

pub(super) fn read(bytes: &[u8], sink: &mut Sink<'_>) -> Result<(), Reason> {
    let mut package = Package::open(bytes)?;
    let mut ids = Vec::new();
    package.each(PRESENTATION, |step| {
        if let Step::Open("sldId", attributes) = step {
            ids.extend(attributes.exactly("r:id"));
        }
        Ok(())
    })?;
    let relations = package.relations(PRESENTATION)?;
    for (number, id) in (1..).zip(ids) {
        let Some((_, part)) = relations.get(&id) else {
            continue;
        };
        let slide = paragraphs(&mut package, part)?;
        let beside = package.relations(part)?;
        let notes = beside.values().find(|(kind, _)| kind == "notesSlide");
        let notes = match notes {
            Some((_, part)) => paragraphs(&mut package, part)?,
            None => Vec::new(),
        };
        let titles = slide
            .iter()
            .filter(|one| one.is_title)
            .map(|one| one.text.trim());
        let title: Vec<&str> = titles.filter(|title| !title.is_empty()).collect();
        if title.is_empty() {
            sink.heading(1, &format!("Slide {number}"))?;
        } else {
            sink.own_heading(1, &format!("Slide {number}: {}", title.join(" ")))?;
        }
        for one in slide
            .iter()
            .filter(|one| !one.is_title && !one.is_furniture)
        {
            sink.line(&one.text)?;
        }
        let mut said = notes.iter().filter(|one| !one.is_furniture);
        if let Some(first) = said.next() {
            sink.paragraph(&format!("Notes: {}", first.text.trim()))?;
            for one in said {
                sink.line(&one.text)?;
            }
        }
    }
    Ok(())
}

struct Paragraph {
    text: String,
    is_title: bool,
    /// The number of the slide, its date, its picture on a page of notes.
    is_furniture: bool,
}

fn paragraphs(package: &mut Package<'_>, part: &str) -> Result<Vec<Paragraph>, Reason> {
    let mut all = Vec::new();
    let (mut text, mut is_text, mut skipping) = (String::new(), false, 0_usize);
    let (mut is_title, mut is_furniture) = (false, false);
    package.each(part, |step| {
        match step {
            Step::Open("Fallback", _) => skipping += 1,
            Step::Close("Fallback") => skipping = skipping.saturating_sub(1),
            _ if skipping > 0 => {}
            Step::Open("sp", _) | Step::Close("sp") => (is_title, is_furniture) = (false, false),
            Step::Open("ph", attributes) => {
                let kind = attributes.get("type").unwrap_or_default();
                is_title = matches!(kind.as_str(), "title" | "ctrTitle");
                is_furniture = matches!(kind.as_str(), "sldNum" | "dt" | "ftr" | "hdr" | "sldImg");
            }
            Step::Open("t", _) => is_text = true,
            Step::Close("t") => is_text = false,
            Step::Text(more) if is_text => text.push_str(more),
            Step::Open("br", _) | Step::Close("tc") => text.push(' '),
            Step::Close("p") => {
                let text = std::mem::take(&mut text);
                if !text.trim().is_empty() {
                    all.push(Paragraph {
                        text,
                        is_title,
                        is_furniture,
                    });
                }
            }
            _ => {}
        }
        Ok(())
    })?;
    Ok(all)
}
