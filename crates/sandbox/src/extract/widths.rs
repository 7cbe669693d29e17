//! Widths of characters in composite fonts (ISO 32000-1 §9.7.4.3), in the one of their two spellings that the reader of
//! fonts understands: it takes a range for nothing, and what has no width is read as standing too far to the left.

use pdf_extract::{Document, Object};

/// Characters of all ranges of a document: a short range in a file can be a long list.
const MOST: i64 = 1 << 17;

/// Writes ranges of equal widths as lists.
pub(super) fn spell_out(document: &mut Document) {
    let mut room = MOST;
    let mut elsewhere = Vec::new();
    for object in document.objects.values_mut() {
        let Ok(font) = object.as_dict_mut() else {
            continue;
        };
        let kind = font.get(b"Subtype").and_then(Object::as_name);
        if !kind.is_ok_and(|kind| kind.starts_with(b"CIDFontType")) {
            continue;
        }
        match font.get_mut(b"W") {
            Ok(Object::Reference(id)) => elsewhere.push(*id),
            Ok(widths) => spell_out_one(widths, &mut room),
            Err(_) => {}
        }
    }
    for id in elsewhere {
        if let Some(widths) = document.objects.get_mut(&id) {
            spell_out_one(widths, &mut room);
        }
    }
}

fn spell_out_one(widths: &mut Object, room: &mut i64) {
    if let Object::Array(list) = widths
        && let Some(longer) = spelled_out(list, room)
    {
        *list = longer;
    }
}

/// None when it is not as it should be, or too long.
fn spelled_out(mut rest: &[Object], room: &mut i64) -> Option<Vec<Object>> {
    let mut all = Vec::new();
    loop {
        rest = match rest {
            [] => return Some(all),
            [first, list @ Object::Array(_), more @ ..] => {
                all.extend([first.clone(), list.clone()]);
                more
            }
            [first, last, width, more @ ..] => {
                let count = last.as_i64().ok()?.checked_sub(first.as_i64().ok()?)?;
                let count = count.checked_add(1).filter(|count| *count >= 0)?;
                *room = room.checked_sub(count).filter(|room| *room >= 0)?;
                let list = vec![width.clone(); usize::try_from(count).ok()?];
                all.extend([first.clone(), Object::Array(list)]);
                more
            }
            _ => return None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(numbers: &[i64]) -> Object {
        Object::Array(
            numbers
                .iter()
                .map(|number| Object::Integer(*number))
                .collect(),
        )
    }

    #[test]
    fn a_range_becomes_a_list_and_a_list_stays() {
        let Object::Array(mut widths) = list(&[3, 5, 318, 20, 20, 636]) else {
            panic!("a list");
        };
        widths.extend([Object::Integer(68), list(&[1, 2])]);
        let wanted = vec![
            Object::Integer(3),
            list(&[318, 318, 318]),
            Object::Integer(20),
            list(&[636]),
            Object::Integer(68),
            list(&[1, 2]),
        ];
        assert_eq!(spelled_out(&widths, &mut 10), Some(wanted));
    }

    #[test]
    fn what_is_wrong_or_too_long_is_left_alone() {
        for numbers in [
            &[3, 5][..],
            &[5, 3, 1],
            &[0, i64::MAX, 1],
            &[i64::MIN, 5, 1],
            &[0, 10, 1],
        ] {
            let Object::Array(widths) = list(numbers) else {
                panic!("a list");
            };
            assert_eq!(spelled_out(&widths, &mut 10), None, "{numbers:?}");
        }
    }
}
