//! What the reader of fonts cannot take, in words that it takes: it panics on what is rare or slightly wrong, and with it the
//! page would be lost.

use super::widths;
use pdf_extract::{Dictionary, Document, Object, ObjectId, Stream};

/// Encodings of simple fonts that it knows. Without one, it looks into the font.
const KNOWN: [&[u8]; 3] = [
    b"MacRomanEncoding",
    b"WinAnsiEncoding",
    b"MacExpertEncoding",
];
/// Codes that are the characters themselves, in UTF-16.
const ITSELF: &[u8] = b"/CIDInit /ProcSet findresource begin begincmap\n\
    1 begincodespacerange <0000> <ffff> endcodespacerange\n\
    1 beginbfrange <0000> <ffff> <0000> endbfrange\n\
    endcmap end\n";

pub(super) fn spell_out(document: &mut Document) {
    widths::spell_out(document);
    let fonts: Vec<ObjectId> = document
        .objects
        .iter()
        .filter(|(_, object)| object.as_dict().is_ok_and(is_font))
        .map(|(id, _)| *id)
        .collect();
    let mut itself = None;
    for id in fonts {
        let encoding = encoding(document, id);
        let Some(font) = document
            .objects
            .get_mut(&id)
            .and_then(|font| font.as_dict_mut().ok())
        else {
            continue;
        };
        // Names of maps that are nowhere in the file.
        if font
            .get(b"ToUnicode")
            .and_then(Object::as_name)
            .is_ok_and(|name| name != b"Identity-H")
        {
            font.remove(b"ToUnicode");
        }
        match font
            .get(b"Subtype")
            .and_then(Object::as_name)
            .unwrap_or_default()
        {
            b"Type0" => {
                let Some(name) = encoding.filter(|name| !name.starts_with(b"Identity-")) else {
                    continue;
                };
                font.set("Encoding", "Identity-H");
                // What has another encoding has no text for us: the rest of its page still has.
                let is_unicode = name.starts_with(b"Uni")
                    && !name
                        .windows(4)
                        .any(|four| four == b"UTF8" || four == b"TF32");
                if is_unicode && !font.has(b"ToUnicode") {
                    let map = itself.get_or_insert_with(|| {
                        let map = Stream::new(Dictionary::new(), ITSELF.to_vec());
                        document.add_object(map)
                    });
                    let map = Object::Reference(*map);
                    if let Some(Object::Dictionary(font)) = document.objects.get_mut(&id) {
                        font.set("ToUnicode", map);
                    }
                }
            }
            b"CIDFontType0" | b"CIDFontType2" if !font.has(b"FontDescriptor") => {
                font.set("FontDescriptor", Dictionary::new());
            }
            _ => simple(font),
        }
    }
    for object in document.objects.values_mut() {
        if let Object::Dictionary(encoding) = object
            && encoding.has(b"Differences")
        {
            without_unknown(encoding, b"BaseEncoding");
        }
    }
}

fn is_font(font: &Dictionary) -> bool {
    font.get(b"Subtype")
        .and_then(Object::as_name)
        .is_ok_and(|kind| {
            [
                &b"Type0"[..],
                b"Type1",
                b"MMType1",
                b"TrueType",
                b"Type3",
                b"CIDFontType0",
                b"CIDFontType2",
            ]
            .contains(&kind)
        })
}

/// The name of a font's encoding, wherever it stands.
fn encoding(document: &Document, id: ObjectId) -> Option<Vec<u8>> {
    let font = document.get_dictionary(id).ok()?;
    let (_, encoding) = document.dereference(font.get(b"Encoding").ok()?).ok()?;
    encoding.as_name().ok().map(<[u8]>::to_vec)
}

fn simple(font: &mut Dictionary) {
    without_unknown(font, b"Encoding");
    if let Ok(Object::Dictionary(encoding)) = font.get_mut(b"Encoding") {
        without_unknown(encoding, b"BaseEncoding");
    }
    // The list of widths is as long as it is, whatever the file says of its end.
    if let (Ok(first), Ok(widths)) = (
        font.get(b"FirstChar").and_then(Object::as_i64),
        font.get(b"Widths").and_then(Object::as_array),
    ) && let Ok(count) = i64::try_from(widths.len())
        && let Some(end) = first.checked_add(count)
    {
        font.set("LastChar", end - 1);
    }
}

fn without_unknown(dictionary: &mut Dictionary, key: &[u8]) {
    let name = dictionary.get(key).and_then(Object::as_name);
    if name.is_ok_and(|name| !KNOWN.contains(&name)) {
        dictionary.remove(key);
    }
}
