//! A document's text in pieces that are found and read one by one.
//!
//! The pieces put together are the text. A piece ends before a heading, else at an empty line, a line, a space, or where it is
//! full; it knows the headings above it.

use quaymaster_sandbox::Form;
use quaymaster_store::document::Chunk;

/// Characters of a piece.
const FULL: usize = 1_800;
/// A paragraph's end is looked for in what is more than this.
const ENOUGH: usize = FULL / 2;
/// Characters of all headings above a piece.
const MOST_HEADING: usize = 300;
const BETWEEN_HEADINGS: &str = " > ";

struct Cutter<'t> {
    text: &'t str,
    chunks: Vec<Chunk>,
    /// Where the piece begins, and how many characters it has.
    start: usize,
    length: usize,
    /// The last place behind an empty line in it.
    paragraph: Option<(usize, usize)>,
    /// It has something besides headings.
    has_body: bool,
    heading: String,
}

pub(super) fn chunks(text: &str, form: Form) -> Vec<Chunk> {
    let mut cutter = Cutter {
        text,
        chunks: Vec::new(),
        start: 0,
        length: 0,
        paragraph: None,
        has_body: false,
        heading: String::new(),
    };
    let mut above: Vec<(usize, &str)> = Vec::new();
    let mut fence = false;
    let mut at = 0;
    if form == Form::Table {
        cutter.heading = cut(text.lines().next().unwrap_or_default().trim());
    }
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        fence ^=
            form == Form::Markdown && (trimmed.starts_with("```") || trimmed.starts_with("~~~"));
        let heading = (form == Form::Markdown && !fence)
            .then(|| heading(line))
            .flatten();
        if let Some((level, title)) = heading {
            if cutter.has_body {
                cutter.end(at);
            }
            above.retain(|(over, _)| *over < level);
            above.push((level, title));
            let titles: Vec<&str> = above.iter().map(|(_, title)| *title).collect();
            cutter.heading = cut(&titles.join(BETWEEN_HEADINGS));
        }
        cutter.line(at, line);
        cutter.has_body |= heading.is_none() && !trimmed.is_empty();
        at += line.len();
        if trimmed.is_empty() {
            cutter.paragraph = Some((at, cutter.length));
        }
    }
    cutter.end(at);
    cutter.chunks
}

impl Cutter<'_> {
    fn line(&mut self, at: usize, line: &str) {
        let length = line.chars().count();
        if self.length + length > FULL && self.length > 0 {
            match self.paragraph {
                Some((end, before)) if before > ENOUGH => {
                    let after = self.length - before;
                    self.end(end);
                    self.length = after;
                }
                _ => self.end(at),
            }
            // What was left of the paragraph may be full together with this line.
            if self.length + length > FULL {
                self.end(at);
            }
        }
        if length > FULL {
            self.long_line(at, line);
        } else {
            self.length += length;
        }
    }

    /// A line that is longer than a piece: cut at spaces where there are any.
    fn long_line(&mut self, at: usize, line: &str) {
        let mut rest = line;
        let mut begin = at;
        while let Some((full, _)) = rest.char_indices().nth(FULL) {
            let space = rest[..full]
                .rfind(char::is_whitespace)
                .filter(|space| *space > full / 2);
            let end = match space {
                Some(space) => space + rest[space..].chars().next().map_or(1, char::len_utf8),
                None => full,
            };
            self.has_body = true;
            self.end(begin + end);
            begin += end;
            rest = &rest[end..];
        }
        self.length += rest.chars().count();
    }

    fn end(&mut self, end: usize) {
        let text = &self.text[self.start..end];
        if !text.is_empty() {
            self.chunks.push(Chunk {
                n: self.chunks.len() as i64 + 1,
                heading: self.heading.clone(),
                text: text.to_owned(),
            });
        }
        self.start = end;
        self.length = 0;
        self.paragraph = None;
        self.has_body = false;
    }
}

/// An ATX heading (`CommonMark` §4.2): level and text.
fn heading(line: &str) -> Option<(usize, &str)> {
    let indent = line.len() - line.trim_start_matches(' ').len();
    let rest = &line[indent..];
    let level = rest.len() - rest.trim_start_matches('#').len();
    let title = &rest[level..];
    if indent > 3 || !(1..=6).contains(&level) || !title.starts_with([' ', '\t']) {
        return None;
    }
    let title = title.trim();
    let bare = title.trim_end_matches('#');
    let title = if bare.is_empty() || bare.ends_with(' ') {
        bare.trim_end()
    } else {
        title
    };
    (!title.is_empty()).then_some((level, title))
}

fn cut(heading: &str) -> String {
    match heading.char_indices().nth(MOST_HEADING) {
        Some((end, _)) => format!("{}…", &heading[..end]),
        None => heading.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_piece_begins_at_a_heading_and_knows_those_above_it() {
        let text = "before\n\n# Berths\n\n## North\n\none\n\n```\n# no heading\n```\n\n## South ##\ntwo\n# Cranes\n";
        let all = chunks(text, Form::Markdown);
        let told: Vec<(&str, &str)> = all
            .iter()
            .map(|one| (one.heading.as_str(), one.text.as_str()))
            .collect();
        assert_eq!(
            told,
            [
                ("", "before\n\n"),
                (
                    "Berths > North",
                    "# Berths\n\n## North\n\none\n\n```\n# no heading\n```\n\n"
                ),
                ("Berths > South", "## South ##\ntwo\n"),
                ("Cranes", "# Cranes\n"),
            ]
        );
        assert_eq!(all.last().unwrap().n, 4);
    }

    #[test]
    fn signs_of_plain_text_are_no_headings_and_tables_keep_their_first_line() {
        assert_eq!(chunks("# a\nb\n# c\n", Form::Plain).len(), 1);
        let rows = format!("name,berth\n{}", "Aurora,7\n".repeat(500));
        let all = chunks(&rows, Form::Table);
        assert!(all.len() > 1 && all.iter().all(|one| one.heading == "name,berth"));
    }

    #[test]
    fn a_paragraph_stays_whole_where_it_fits() {
        let text = format!("{}\n\n{}\n\nend\n", "a".repeat(1_200), "b ".repeat(500));
        let all = chunks(&text, Form::Plain);
        assert_eq!(all.len(), 2);
        assert!(all[0].text.ends_with("a\n\n") && all[1].text.starts_with("b "));
    }

    proptest! {
        #[test]
        fn the_pieces_are_the_text_and_none_is_too_long(
            text in "(#{1,3} [a-z]{1,9}\n|[a-zä🎉 ]{0,400}\n|[x]{1,2500}|\n|```\n){0,40}",
            form in prop_oneof![Just(Form::Plain), Just(Form::Markdown), Just(Form::Table)],
        ) {
            let all = chunks(&text, form);
            let whole: String = all.iter().map(|one| one.text.as_str()).collect();
            prop_assert_eq!(whole, text);
            for (number, one) in (1..).zip(&all) {
                prop_assert_eq!(one.n, number);
                prop_assert!(one.text.chars().count() <= FULL && !one.text.is_empty());
                prop_assert!(one.heading.chars().count() <= MOST_HEADING + 1);
            }
        }
    }
}
