//! A strict reader of XML: no document type, so no entities of its own, and no depth without end.

use super::Reason;
use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;
use std::io::BufRead;

/// Elements within each other.
const DEEPEST: usize = 256;

/// What a document says next. Names are local ones.
pub(super) enum Step<'a> {
    Open(&'a str, Attributes<'a>),
    Close(&'a str),
    Text(&'a str),
}

pub(super) struct Attributes<'a>(&'a BytesStart<'a>);

impl Attributes<'_> {
    /// The value of the attribute with this local name.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        let mut all = self.0.attributes();
        let mut all = all.with_checks(false).flatten();
        let found = all.find(|one| one.key.local_name().as_ref() == name)?;
        let value = found.normalized_value(XmlVersion::Implicit1_0).ok()?;
        Some(value.into_owned())
    }

    /// The value of the attribute with exactly this name, prefix included.
    pub(super) fn exactly(&self, name: &str) -> Option<String> {
        let found = self.0.try_get_attribute(name).ok()??;
        let value = found.normalized_value(XmlVersion::Implicit1_0).ok()?;
        Some(value.into_owned())
    }
}

/// Tells every step of a document.
pub(super) fn each(
    source: impl BufRead,
    mut take: impl FnMut(Step<'_>) -> Result<(), Reason>,
) -> Result<(), Reason> {
    let mut reader = Reader::from_reader(source);
    reader.config_mut().check_end_names = true;
    let mut buffer = Vec::new();
    let mut depth = 0;
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer);
        match event.map_err(|error| wrong(&error))? {
            Event::Start(start) => {
                depth += 1;
                if depth > DEEPEST {
                    return Err(Reason::Malformed);
                }
                let name = start.local_name();
                take(Step::Open(name.as_ref(), Attributes(&start)))?;
            }
            Event::Empty(start) => {
                let name = start.local_name();
                take(Step::Open(name.as_ref(), Attributes(&start)))?;
                take(Step::Close(name.as_ref()))?;
            }
            Event::End(end) => {
                depth -= 1;
                take(Step::Close(end.local_name().as_ref()))?;
            }
            Event::Text(text) => take(Step::Text(&text.xml10_content()))?,
            Event::CData(text) => take(Step::Text(&text.xml10_content()))?,
            Event::GeneralRef(reference) => {
                let resolved = match reference.resolve_char_ref() {
                    Ok(Some(c)) => Some(c),
                    Ok(None) => predefined(&reference),
                    Err(_) => None,
                };
                let c = resolved.ok_or(Reason::Malformed)?;
                take(Step::Text(c.encode_utf8(&mut [0; 4])))?;
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof if depth == 0 => return Ok(()),
            // Document types, which none of the formats has, are what every attack by entities begins with.
            Event::Eof | Event::DocType(_) => return Err(Reason::Malformed),
        }
    }
}

/// A source that is longer than it may be ends with an error of its own.
pub(super) const TOO_LONG: &str = "longer than it may be";

fn wrong(error: &quick_xml::Error) -> Reason {
    if error.to_string().contains(TOO_LONG) {
        Reason::TooLarge
    } else {
        Reason::Malformed
    }
}

fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(xml: &str) -> Result<String, Reason> {
        let mut all = String::new();
        each(xml.as_bytes(), |step| {
            if let Step::Text(text) = step {
                all.push_str(text);
            }
            Ok(())
        })?;
        Ok(all)
    }

    #[test]
    fn text_comes_out_with_the_references_that_xml_has() {
        assert_eq!(
            texts("<a>1 &lt; 2<b/> &#x41;<![CDATA[<x>]]></a>").unwrap(),
            "1 < 2 A<x>"
        );
    }

    #[test]
    fn entities_depth_and_loose_ends_are_refused() {
        let laughs = "<!DOCTYPE a [<!ENTITY l \"lol\"><!ENTITY m \"&l;&l;\">]><a>&m;</a>";
        let outside = "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>";
        let deep = "<a>".repeat(1000);
        for wrong in [laughs, outside, "<a>&x;</a>", "<a><b></a>", "<a>", &deep] {
            assert_eq!(texts(wrong), Err(Reason::Malformed), "{wrong}");
        }
    }
}
