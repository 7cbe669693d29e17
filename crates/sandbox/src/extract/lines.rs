//! Characters of a page, as they come with the places where they stand, made into lines of text.
//!
//! A file says where to draw which sign; spaces, line ends, the order of scripts that run to the left, letters under
//! accents and words cut at line ends are what a reader sees in it, and what is found here.

mod directions;
mod signs;

use directions::to_reading_order;
use signs::{composed, folded, is_hyphen};

/// Characters of a line: what is longer is cut.
const LONGEST: usize = 20_000;

/// A character and where it stands: along its line, and across it (downwards).
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) along: f64,
    pub(super) end: f64,
    pub(super) across: f64,
    /// Of its font, on the page.
    pub(super) size: f64,
    /// The direction of its line.
    pub(super) towards: (f64, f64),
}

#[derive(Debug)]
struct Glyph {
    text: String,
    place: Place,
    after_gap: bool,
}

/// How a line follows the one before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Break {
    Line,
    Paragraph,
}

/// Takes the characters of one page.
#[derive(Default)]
pub(super) struct Lines {
    glyphs: Vec<Glyph>,
    /// Finished text that nobody took yet.
    text: String,
    /// Something of this page was written.
    is_begun: bool,
    /// What cut the last word, until it is known whether the next line ends that word.
    hyphen: Option<char>,
    follows: Option<Break>,
}

impl Lines {
    /// `begins` when the file begins a string with it: places within strings are left to the font.
    pub(super) fn take(&mut self, text: &str, place: Place, begins: bool) {
        let mut after_gap = false;
        if let Some(last) = self.glyphs.last().map(|last| last.place)
            && begins
        {
            let down = (place.across - last.across).abs();
            let turned = place.towards.0 * last.towards.0 + place.towards.1 * last.towards.1 < 0.9;
            // A small raised sign stands in the line of the larger ones beside it.
            let larger = place.size.max(last.size);
            if turned || down > place.size * 1.5 {
                self.end_line(Break::Paragraph);
            } else if down > larger * 0.5 && place.along < last.end {
                self.end_line(Break::Line);
            } else {
                after_gap = place.along > last.end + place.size * 0.1
                    || place.along < last.end - place.size * 1.5;
            }
        }
        if self.glyphs.len() >= LONGEST {
            self.end_line(Break::Line);
        }
        let text = folded(text);
        if let Some(last) = self.glyphs.last_mut() {
            // A space without width, as browsers draw a hyphen that is not needed.
            if last.text.chars().all(char::is_whitespace)
                && place.along < last.place.along + place.size * 0.05
                && place.along > last.place.along - place.size * 0.1
            {
                self.glyphs.pop();
            } else if place.along < last.place.end - place.size * 0.1
                && let Some(letter) = composed(&last.text, &text)
            {
                last.text = letter;
                last.place.end = last.place.end.max(place.end);
                return;
            }
        }
        self.glyphs.push(Glyph {
            text,
            place,
            after_gap,
        });
    }

    fn end_line(&mut self, next: Break) {
        let glyphs = std::mem::take(&mut self.glyphs);
        let line = line(to_reading_order(glyphs));
        if line.is_empty() {
            if next == Break::Paragraph && self.follows.is_some() {
                self.follows = Some(next);
            }
            return;
        }
        let follows = self.follows.replace(next);
        match (self.hyphen.take(), follows) {
            (Some(_), Some(Break::Line)) if line.starts_with(char::is_lowercase) => {}
            (hyphen, follows) => {
                self.text.extend(hyphen.filter(|c| *c != '\u{ad}'));
                self.text.push_str(match follows {
                    None => "",
                    Some(Break::Line) => "\n",
                    Some(Break::Paragraph) => "\n\n",
                });
            }
        }
        let before = line.trim_end_matches(is_hyphen);
        let mut cut = line[before.len()..].chars();
        if let (Some(hyphen), None) = (cut.next(), cut.next())
            && before.ends_with(char::is_lowercase)
        {
            self.text.push_str(before);
            self.hyphen = Some(hyphen);
        } else {
            self.text.push_str(&line);
        }
        self.is_begun = true;
    }

    pub(super) fn end_page(&mut self) {
        self.end_line(Break::Paragraph);
        self.text
            .extend(self.hyphen.take().filter(|c| *c != '\u{ad}'));
        if std::mem::take(&mut self.is_begun) {
            self.text.push('\n');
        }
    }

    /// What is finished.
    pub(super) fn finished(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}

/// With one space where there is any.
fn line(glyphs: Vec<Glyph>) -> String {
    let mut line = String::new();
    for glyph in glyphs {
        if glyph.after_gap && !line.ends_with(char::is_whitespace) {
            line.push(' ');
        }
        for c in glyph.text.chars() {
            match c {
                c if c.is_whitespace() || c.is_control() => {
                    if !line.ends_with(' ') {
                        line.push(' ');
                    }
                }
                c => line.push(c),
            }
        }
    }
    let line = line.trim();
    // Fonts of signs have their own numbers for them; one in front of a line is a bullet.
    let mut rest = line.chars();
    match (rest.next(), rest.next()) {
        (Some('\u{e000}'..='\u{f8ff}'), Some(' ')) => format!("• {}", rest.as_str()),
        _ => line.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Characters half as wide as high, each string where it is said to stand.
    fn page(strings: &[(f64, f64, f64, &str)]) -> String {
        let mut lines = Lines::default();
        for (x, y, size, text) in strings {
            let mut along = *x;
            for (n, c) in text.chars().enumerate() {
                let place = Place {
                    along,
                    end: along + size / 2.0,
                    across: *y,
                    size: *size,
                    towards: (1.0, 0.0),
                };
                lines.take(&c.to_string(), place, n == 0);
                along += size / 2.0;
            }
        }
        lines.end_page();
        lines.finished()
    }

    #[test]
    fn gaps_are_spaces_and_what_stands_lower_is_a_line() {
        let strings = [
            (0.0, 0.0, 10.0, "one"),
            (20.0, 0.0, 10.0, "two"),
            (35.0, -4.0, 7.0, "3"),
            (38.5, 0.0, 10.0, "  ,"),
            (0.0, 12.0, 10.0, "next"),
            (0.0, 40.0, 10.0, "far"),
        ];
        assert_eq!(page(&strings), "one two3 ,\nnext\n\nfar\n");
    }

    #[test]
    fn a_word_that_was_cut_at_the_end_of_a_line_is_whole_again() {
        let joined = [(0.0, 0.0, 10.0, "infra-"), (0.0, 12.0, 10.0, "structure")];
        assert_eq!(page(&joined), "infrastructure\n");
        for (first, second, whole) in [
            ("10-", "12", "10-\n12\n"),
            ("Jean-", "Paul", "Jean-\nPaul\n"),
            ("and --", "so", "and --\nso\n"),
            ("soft\u{ad}", "ly", "softly\n"),
            ("end-", "", "end-\n"),
        ] {
            let strings = [(0.0, 0.0, 10.0, first), (0.0, 12.0, 10.0, second)];
            assert_eq!(page(&strings), whole);
        }
    }

    #[test]
    fn an_accent_that_is_drawn_over_a_letter_is_part_of_it() {
        let strings = [
            (0.0, 0.0, 10.0, "M"),
            (5.0, 0.0, 10.0, "¨"),
            (5.0, 0.0, 10.0, "owe"),
        ];
        assert_eq!(page(&strings), "Möwe\n");
    }

    #[test]
    fn what_runs_to_the_left_is_read_from_the_right() {
        let strings = [
            (0.0, 0.0, 10.0, ".רקובב 14 למנל"),
            (0.0, 12.0, 10.0, "words םולש here"),
        ];
        assert_eq!(page(&strings), "לנמל 14 בבוקר.\nwords שלום here\n");
    }
}
