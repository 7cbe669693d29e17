//! Lines with scripts that run to the left: by their places, then in the order in which they are read.
//!
//! Files have such text in the order in which it was drawn. This is the Unicode Bidirectional Algorithm (UAX 9) turned
//! round, as far as a line tells: letters, numbers within them, and what stands between.

use super::Glyph;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    ToLeft,
    /// Letters that run to the right, and numbers, which do so everywhere.
    ToRight,
    Number,
    Neutral,
}

fn class(text: &str) -> Class {
    let c = text.chars().find(|c| !c.is_whitespace());
    match c {
        Some(
            '\u{590}'..='\u{65f}'
            | '\u{66a}'..='\u{6ef}'
            | '\u{6fa}'..='\u{8ff}'
            | '\u{fb1d}'..='\u{fdff}'
            | '\u{fe70}'..='\u{fefc}',
        ) => Class::ToLeft,
        Some(c) if c.is_numeric() => Class::Number,
        Some(c) if c.is_alphabetic() => Class::ToRight,
        _ => Class::Neutral,
    }
}

/// Lines without such a script stay as they came.
pub(super) fn to_reading_order(mut glyphs: Vec<Glyph>) -> Vec<Glyph> {
    let of = |glyph: &Glyph| class(&glyph.text);
    let to_left = glyphs.iter().filter(|one| of(one) == Class::ToLeft).count();
    if to_left == 0 {
        return glyphs;
    }
    glyphs.sort_by(|one, other| one.place.along.total_cmp(&other.place.along));
    let mut last_end = f64::MAX;
    for glyph in &mut glyphs {
        glyph.after_gap = glyph.place.along > last_end + glyph.place.size * 0.1;
        last_end = glyph.place.end;
    }
    let to_right = glyphs
        .iter()
        .filter(|one| of(one) == Class::ToRight)
        .count();
    if to_left >= to_right {
        turn(&mut glyphs);
        return glyphs;
    }
    let mut at = 0;
    while let Some(begin) = glyphs[at..].iter().position(|one| of(one) == Class::ToLeft) {
        let begin = at + begin;
        let rest = &glyphs[begin..];
        let end = rest.iter().position(|one| of(one) == Class::ToRight);
        let end = end.unwrap_or(rest.len());
        let last = rest[..end].iter().rposition(|one| of(one) == Class::ToLeft);
        at = begin + last.map_or(end, |last| last + 1);
        turn(&mut glyphs[begin..at]);
    }
    glyphs
}

/// Turns everything round but what runs to the right.
fn turn(glyphs: &mut [Glyph]) {
    let Some(before) = glyphs.first().map(|first| first.after_gap) else {
        return;
    };
    // A gap in front of a sign is one behind it.
    for at in 0..glyphs.len() {
        let gap = glyphs.get(at + 1).is_some_and(|next| next.after_gap);
        glyphs[at].after_gap = gap;
    }
    glyphs.reverse();
    glyphs[0].after_gap = before;
    for glyph in glyphs
        .iter_mut()
        .filter(|one| class(&one.text) == Class::Neutral)
    {
        glyph.text = glyph.text.chars().map(mirrored).collect();
    }
    let mut at = 0;
    while at < glyphs.len() {
        let kind = class(&glyphs[at].text);
        if !matches!(kind, Class::ToRight | Class::Number) {
            at += 1;
            continue;
        }
        let rest = &glyphs[at..];
        let end = rest
            .iter()
            .position(|one| class(&one.text) == Class::ToLeft);
        let end = end.unwrap_or(rest.len());
        let run = &rest[..end];
        let last = run
            .iter()
            .rposition(|one| matches!(class(&one.text), Class::ToRight | Class::Number));
        let end = at + last.map_or(1, |last| last + 1);
        let first_gap = glyphs[at].after_gap;
        glyphs[at..end].reverse();
        // Gaps were in front of signs that now stand on the other side of them.
        for at in (at + 1..end).rev() {
            glyphs[at].after_gap = glyphs[at - 1].after_gap;
        }
        glyphs[at].after_gap = first_gap;
        for glyph in glyphs[at..end]
            .iter_mut()
            .filter(|one| class(&one.text) == Class::Neutral)
        {
            glyph.text = glyph.text.chars().map(mirrored).collect();
        }
        at = end;
    }
}

fn mirrored(c: char) -> char {
    match c {
        '(' => ')',
        ')' => '(',
        '[' => ']',
        ']' => '[',
        '{' => '}',
        '}' => '{',
        '<' => '>',
        '>' => '<',
        '«' => '»',
        '»' => '«',
        c => c,
    }
}
