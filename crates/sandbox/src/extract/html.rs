//! HTML to text with the headings of Markdown: a tokenizer that takes any input in one pass, without a tree.

use super::Reason;
use super::sink::Sink;
use super::text;
use encoding_rs::Encoding;

/// Where `<meta charset>` must stand (HTML, "Specifying the document's character encoding").
const META_WITHIN: usize = 1024;
/// The longest reference that is looked for, `&CounterClockwiseContourIntegral;` being the longest there is.
const REFERENCE: usize = 34;

pub(super) fn looks_like(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(META_WITHIN)]).to_ascii_lowercase();
    let head = head.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    head.starts_with("<!doctype html") || head.starts_with("<html")
}

/// By its mark, by what it says of itself, or by a guess.
pub(super) fn decode(bytes: &[u8]) -> String {
    let head = &bytes[..bytes.len().min(META_WITHIN)];
    let said = String::from_utf8_lossy(head).to_ascii_lowercase();
    let label = said.split("charset=").nth(1).map(|rest| {
        let rest = rest.trim_start_matches(['"', '\'']);
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c)));
        rest[..end.unwrap_or(rest.len())].to_owned()
    });
    let encoding = label.and_then(|label| Encoding::for_label(label.as_bytes()));
    match encoding {
        Some(encoding) if Encoding::for_bom(bytes).is_none() => text::decode_as(bytes, encoding),
        _ => text::decode(bytes),
    }
}

/// Elements whose content nobody reads.
const SILENT: [&str; 7] = [
    "script", "style", "template", "noscript", "svg", "iframe", "object",
];
/// Elements that stand on lines of their own.
const BLOCKS: [&str; 30] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "body",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "header",
    "hr",
    "html",
    "main",
    "nav",
    "ol",
    "p",
    "section",
    "summary",
    "table",
    "tbody",
    "tfoot",
    "thead",
    "title",
    "ul",
];

struct Reader<'s, 'c> {
    sink: &'s mut Sink<'c>,
    /// Of the block that is being read.
    words: String,
    heading: Option<usize>,
    is_item: bool,
    /// Elements in which line ends stay.
    pre: usize,
}

pub(super) fn read(html: &str, sink: &mut Sink<'_>) -> Result<(), Reason> {
    let mut reader = Reader {
        sink,
        words: String::new(),
        heading: None,
        is_item: false,
        pre: 0,
    };
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        reader.say(&rest[..at]);
        let tag = &rest[at..];
        rest = if let Some(comment) = tag.strip_prefix("<!--") {
            comment.find("-->").map_or("", |end| &comment[end + 3..])
        } else if tag[1..].starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c)) {
            let end = end_of_tag(tag);
            let after = &tag[end..];
            let (name, closes) = name_of(&tag[1..end]);
            if !closes && SILENT.contains(&name.as_str()) && !tag[..end].ends_with("/>") {
                past(after, &name)
            } else {
                reader.tag(&name, closes)?;
                after
            }
        } else {
            reader.say("<");
            &tag[1..]
        };
    }
    reader.say(rest);
    reader.end_block()
}

/// Behind the `>` that is not in quotes.
fn end_of_tag(tag: &str) -> usize {
    let mut quote = None;
    for (at, byte) in tag.bytes().enumerate() {
        match (quote, byte) {
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            (None, b'>') => return at + 1,
            _ => {}
        }
    }
    tag.len()
}

fn name_of(tag: &str) -> (String, bool) {
    let (tag, closes) = match tag.strip_prefix('/') {
        Some(tag) => (tag, true),
        None => (tag, false),
    };
    let end = tag.find(|c: char| c.is_whitespace() || c == '/' || c == '>');
    (tag[..end.unwrap_or(tag.len())].to_ascii_lowercase(), closes)
}

/// Behind the end tag of an element whose content is not looked at.
fn past<'h>(html: &'h str, name: &str) -> &'h str {
    let mut rest = html;
    while let Some(at) = rest.find("</") {
        let tag = &rest[at + 2..];
        if tag
            .get(..name.len())
            .is_some_and(|found| found.eq_ignore_ascii_case(name))
        {
            return tag.find('>').map_or("", |end| &tag[end + 1..]);
        }
        rest = tag;
    }
    ""
}

impl Reader<'_, '_> {
    fn say(&mut self, text: &str) {
        let text = referenced(text);
        if self.pre > 0 {
            self.words.push_str(&text);
            return;
        }
        for c in text.chars() {
            if !c.is_whitespace() {
                self.words.push(c);
            } else if !self.words.is_empty() && !self.words.ends_with([' ', '\n']) {
                self.words.push(' ');
            }
        }
    }

    fn tag(&mut self, name: &str, closes: bool) -> Result<(), Reason> {
        match name {
            "br" => self.words.push('\n'),
            "pre" | "textarea" => {
                self.end_block()?;
                self.pre = if closes {
                    self.pre.saturating_sub(1)
                } else {
                    self.pre + 1
                };
            }
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                self.end_block()?;
                let level = usize::from(name.as_bytes()[1] - b'0');
                self.heading = (!closes).then_some(level);
            }
            "li" => {
                self.end_block()?;
                self.is_item = !closes;
            }
            // An end tag may be left out.
            "td" | "th" if !self.words.is_empty() && !self.words.ends_with(" | ") => {
                self.words.push_str(" | ");
            }
            "tr" => {
                let row = self
                    .words
                    .trim_end()
                    .trim_end_matches('|')
                    .trim()
                    .to_owned();
                self.words.clear();
                self.sink.line(&row)?;
            }
            _ if BLOCKS.contains(&name) => self.end_block()?,
            _ => {}
        }
        Ok(())
    }

    fn end_block(&mut self) -> Result<(), Reason> {
        let words = std::mem::take(&mut self.words);
        if let Some(level) = self.heading.take() {
            return self.sink.own_heading(level, &words);
        }
        if self.pre > 0 {
            self.sink.gap()?;
            return self.sink.text(&words);
        }
        let lines: Vec<&str> = words.trim().lines().map(str::trim).collect();
        if std::mem::take(&mut self.is_item) && !words.trim().is_empty() {
            return self.sink.line(&format!("- {}", lines.join("\n  ")));
        }
        self.sink.paragraph(&lines.join("\n"))
    }
}

/// The named references that texts really have; others stay as they are written.
const NAMED: [(&str, &str); 36] = [
    ("amp", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", " "),
    ("copy", "©"),
    ("reg", "®"),
    ("trade", "™"),
    ("hellip", "…"),
    ("mdash", "—"),
    ("ndash", "–"),
    ("lsquo", "‘"),
    ("rsquo", "’"),
    ("ldquo", "“"),
    ("rdquo", "”"),
    ("laquo", "«"),
    ("raquo", "»"),
    ("bull", "•"),
    ("middot", "·"),
    ("euro", "€"),
    ("pound", "£"),
    ("sect", "§"),
    ("deg", "°"),
    ("times", "×"),
    ("rarr", "→"),
    ("auml", "ä"),
    ("ouml", "ö"),
    ("uuml", "ü"),
    ("Auml", "Ä"),
    ("Ouml", "Ö"),
    ("Uuml", "Ü"),
    ("szlig", "ß"),
    ("eacute", "é"),
    ("egrave", "è"),
    ("agrave", "à"),
];

fn referenced(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let near = &after[..after.floor_char_boundary(REFERENCE)];
        let found = near
            .find(';')
            .and_then(|end| Some((resolve(&near[..end])?, end)));
        rest = match found {
            Some((text, end)) => {
                out.push_str(&text);
                &after[end + 1..]
            }
            None => {
                out.push('&');
                after
            }
        };
    }
    out.push_str(rest);
    out
}

fn resolve(name: &str) -> Option<String> {
    if let Some(number) = name.strip_prefix('#') {
        let number = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return number.ok().and_then(char::from_u32).map(String::from);
    }
    let found = NAMED.iter().find(|(known, _)| *known == name);
    found.map(|(_, text)| (*text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(html: &str) -> Result<String, Reason> {
        Sink::of(|sink| read(html, sink))
    }

    #[test]
    fn a_page_becomes_headings_paragraphs_items_and_rows() {
        let html = "<!doctype html><head><title>T</title><style>p{}</style><script>if (a<b) x('</p>')</script></head>\
            <body><h1>Berths &amp; quays</h1><p>One\n  two<br>three &#x2014; &copy; &unknown; a&b<p>Next\
            <ul><li>first<li>second <b>bold</b></ul><table><tr><th>A</th><th>B</th></tr><tr><td>1<td>2</table>\
            <pre>  kept\n    so</pre><!-- <p>not</p> --><svg><text>no</text></svg>1 < 2</body>";
        let read = text(html).unwrap();
        insta::assert_snapshot!(read, @r"
        T

        # Berths & quays

        One two
        three — © &unknown; a&b

        Next
        - first
        - second bold
        A | B

        1 | 2

          kept
            so

        1 < 2
        ");
    }

    #[test]
    fn a_page_without_words_has_no_text() {
        assert_eq!(text("<p> </p><script>x</script>"), Err(Reason::NoText));
        assert_eq!(text("<script>never ends"), Err(Reason::NoText));
        assert_eq!(text("a<!-- never ends").unwrap(), "a\n");
    }

    proptest! {
        #[test]
        fn no_input_stops_the_reader(html in "[<>/a-c!&;#x\"' \n-]{0,200}") {
            let _ = text(&html);
        }
    }
}
