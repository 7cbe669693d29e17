//! What the reader of pages does not know, in words that it knows: it passes over two of the four operators that show text,
//! takes pictures for pages, and takes a font of a form for the page's font of the same name.

use pdf_extract::content::{Content, Operation};
use pdf_extract::{Dictionary, Document, Object, ObjectId, Stream};
use std::collections::HashMap;

/// Bytes that are written anew: others stay packed until they are read, one by one.
const MOST: usize = 64 * 1024 * 1024;

pub(super) fn spell_out(document: &mut Document) {
    let mut room = MOST;
    let mut forms = Vec::new();
    for (id, object) in &mut document.objects {
        let Object::Stream(stream) = object else {
            continue;
        };
        match stream.dict.get(b"Subtype").and_then(Object::as_name) {
            Ok(b"Image") => *stream = Stream::new(Dictionary::new(), Vec::new()),
            Ok(b"Form") => forms.push(*id),
            _ => {}
        }
    }
    for id in forms {
        form(document, id, &mut room);
    }
    let mut known: HashMap<Vec<ObjectId>, Option<ObjectId>> = HashMap::new();
    for page in document.get_pages().into_values() {
        let streams = document.get_page_contents(page);
        let written = match known.get(&streams) {
            Some(written) => *written,
            None => {
                let content = document.get_page_content(page).unwrap_or_default();
                let written = rewritten(&content, None).filter(|content| {
                    let left = room.checked_sub(content.len());
                    room = left.unwrap_or(room);
                    left.is_some()
                });
                let written = written
                    .map(|content| document.add_object(Stream::new(Dictionary::new(), content)));
                known.insert(streams, written);
                written
            }
        };
        if let (Some(written), Some(Object::Dictionary(page))) =
            (written, document.objects.get_mut(&page))
        {
            page.set("Contents", Object::Reference(written));
        }
    }
}

/// Gives the fonts of a form names of their own.
fn form(document: &mut Document, id: ObjectId, room: &mut usize) -> Option<()> {
    let stream = document.objects.get(&id)?.as_stream().ok()?;
    let content = stream.get_plain_content().ok()?;
    let own = format!("@{}", id.0);
    let resources = stream.dict.get(b"Resources").ok();
    let resources = resources.and_then(|found| document.dereference(found).ok()?.1.as_dict().ok());
    let renamed = resources.and_then(|resources| {
        let (_, fonts) = document.dereference(resources.get(b"Font").ok()?).ok()?;
        let mut renamed = Dictionary::new();
        for (name, font) in fonts.as_dict().ok()? {
            renamed.set([name, own.as_bytes()].concat(), font.clone());
        }
        let mut resources = resources.clone();
        resources.set("Font", renamed);
        Some(resources)
    });
    let content = rewritten(&content, renamed.is_some().then_some(own.as_bytes()))?;
    *room = room.checked_sub(content.len())?;
    let stream = document.objects.get_mut(&id)?.as_stream_mut().ok()?;
    if let Some(resources) = renamed {
        stream.dict.set("Resources", resources);
    }
    stream.set_plain_content(content);
    Some(())
}

/// None when it can stay as it is.
fn rewritten(content: &[u8], end_of_fonts: Option<&[u8]>) -> Option<Vec<u8>> {
    if end_of_fonts.is_none() && !has_short_operators(content) {
        return None;
    }
    let content = Content::decode(content).ok()?;
    let mut operations = Vec::with_capacity(content.operations.len());
    for mut operation in content.operations {
        let mut operands = std::mem::take(&mut operation.operands);
        match (operation.operator.as_str(), operands.len(), end_of_fonts) {
            ("'", 1, _) => {
                operations.push(Operation::new("T*", Vec::new()));
                operations.push(Operation::new("Tj", operands));
            }
            ("\"", 3, _) => {
                let text = operands.pop();
                let letters = operands.pop();
                operations.push(Operation::new("Tw", operands));
                operations.push(Operation::new("Tc", letters.into_iter().collect()));
                operations.push(Operation::new("T*", Vec::new()));
                operations.push(Operation::new("Tj", text.into_iter().collect()));
            }
            ("Tf", 2, Some(end)) => {
                if let Object::Name(name) = &mut operands[0] {
                    name.extend_from_slice(end);
                }
                operations.push(Operation::new("Tf", operands));
            }
            _ => {
                operation.operands = operands;
                operations.push(operation);
            }
        }
    }
    Content { operations }.encode().ok()
}

/// Whether one of `'` and `"` may stand in it as an operator: behind a string.
fn has_short_operators(content: &[u8]) -> bool {
    memchr::memchr2_iter(b'\'', b'"', content).any(|at| {
        let before = content[..at].trim_ascii_end();
        let after = content.get(at + 1).is_none_or(u8::is_ascii_whitespace);
        after && matches!(before.last(), Some(b')' | b'>'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(content: &[u8], end_of_fonts: Option<&[u8]>) -> Option<String> {
        rewritten(content, end_of_fonts).map(|bytes| String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn short_operators_are_spelled_out() {
        let content = b"BT /F1 9 Tf (it's) Tj (a) '\n1 2 (b) \" ET";
        let written = "BT\n/F1 9 Tf\n(it's) Tj\nT*\n(a) Tj\n1 Tw\n2 Tc\nT*\n(b) Tj\nET";
        assert_eq!(text(content, None).as_deref(), Some(written));
        assert_eq!(text(b"BT (it's \"so\") Tj ET", None), None);
    }

    #[test]
    fn fonts_of_a_form_get_names_of_their_own() {
        let written = text(b"BT /F1 9 Tf (a) Tj ET", Some(b"@7"));
        assert_eq!(written.as_deref(), Some("BT\n/F1@7 9 Tf\n(a) Tj\nET"));
    }
}
