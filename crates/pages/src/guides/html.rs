//! From Markdown to HTML. All elements are written here, so none of a guide's own passes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::picture::Picture;
use super::target::Target;
use super::{Heading, Shown};

/// The addresses that examples use.
const EXAMPLES: [&str; 2] = ["http://127.0.0.1:8080", "http://localhost:8080"];
/// Languages of configurations that lead to the server behind its public address.
const OF_PROXIES: [&str; 2] = ["nginx", "caddy"];

pub(super) struct Writer<'a> {
    public_url: &'a str,
    out: String,
    headings: Vec<Heading>,
    /// How often each id was wanted.
    ids: BTreeMap<String, usize>,
    /// Where what is open began, for what is known only at its end.
    marks: Vec<usize>,
    /// The plain text since the last heading began.
    plain: String,
    /// The link that is open, and where its plain text begins.
    link: Option<(Target, usize)>,
    /// The picture that is open, and where its plain text begins.
    picture: Option<(Picture, usize)>,
    code: Option<Code>,
    blocks: usize,
    is_head: bool,
}

struct Code {
    language: String,
    text: String,
}

impl<'a> Writer<'a> {
    pub(super) fn new(public_url: &'a str) -> Self {
        Writer {
            public_url,
            out: String::new(),
            headings: Vec::new(),
            ids: BTreeMap::new(),
            marks: Vec::new(),
            plain: String::new(),
            link: None,
            picture: None,
            code: None,
            blocks: 0,
            is_head: false,
        }
    }

    pub(super) fn shown(mut self, source: &str) -> Shown {
        for event in Parser::new_ext(source, Options::ENABLE_TABLES) {
            match event {
                Event::Start(tag) => self.start(tag),
                Event::End(tag) => self.end(tag),
                Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.text(&text),
                Event::Code(text) => {
                    let text = self.with_address(&text);
                    self.plain.push_str(&text);
                    let _ = write!(self.out, "<code>{}</code>", escaped(&text));
                }
                Event::SoftBreak => self.text("\n"),
                Event::HardBreak => self.out.push_str("<br>"),
                Event::Rule => self.out.push_str("<hr>\n"),
                // What was not switched on is not there.
                _ => {}
            }
        }
        Shown {
            html: self.out,
            headings: self.headings,
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(code) = &mut self.code {
            code.text.push_str(text);
            return;
        }
        self.plain.push_str(text);
        self.out.push_str(&escaped(text));
    }

    fn with_address(&self, text: &str) -> String {
        EXAMPLES.iter().fold(text.to_owned(), |text, example| {
            text.replace(example, self.public_url)
        })
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { .. } => {
                self.mark();
                self.plain.clear();
            }
            Tag::Link { dest_url, .. } => {
                self.mark();
                self.link = Some((Target::read(&dest_url), self.plain.len()));
            }
            Tag::Image { dest_url, .. } => {
                self.mark();
                let picture = Picture::read(&dest_url);
                self.picture = picture.map(|picture| (picture, self.plain.len()));
            }
            Tag::TableCell => self.mark(),
            Tag::CodeBlock(kind) => {
                let language = match kind {
                    CodeBlockKind::Fenced(language) => language.to_string(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some(Code {
                    language,
                    text: String::new(),
                });
            }
            Tag::List(Some(first)) if first != 1 => {
                let _ = writeln!(self.out, "<ol start=\"{first}\">");
            }
            Tag::List(Some(_)) => self.out.push_str("<ol>\n"),
            Tag::List(None) => self.out.push_str("<ul>\n"),
            Tag::Item => self.out.push_str("<li>"),
            Tag::Paragraph | Tag::HtmlBlock => self.out.push_str("<p>"),
            Tag::BlockQuote(_) => self.out.push_str("<blockquote>\n"),
            Tag::Emphasis => self.out.push_str("<em>"),
            Tag::Strong => self.out.push_str("<strong>"),
            // It may be wider than the page, and is moved by keys then.
            Tag::Table(_) => self.out.push_str(
                "<div class=\"guide-table\" role=\"group\" aria-label=\"Table\" tabindex=\"0\"><table class=\"plain-table\">\n",
            ),
            Tag::TableHead => {
                self.is_head = true;
                self.out.push_str("<thead><tr>");
            }
            Tag::TableRow => self.out.push_str("<tr>"),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(level) => self.heading(level),
            TagEnd::Link => self.end_link(),
            TagEnd::Image => {
                self.inside();
                if let Some((picture, from)) = self.picture.take() {
                    let alt = escaped(&self.plain[from..]);
                    let _ = picture.write(&mut self.out, &alt);
                }
            }
            TagEnd::TableCell => {
                let inside = self.inside();
                let (open, close) = if self.is_head && !inside.is_empty() {
                    ("<th scope=\"col\">", "</th>")
                } else {
                    ("<td>", "</td>")
                };
                let _ = write!(self.out, "{open}{inside}{close}");
            }
            TagEnd::CodeBlock => self.code_block(),
            TagEnd::List(true) => self.out.push_str("</ol>\n"),
            TagEnd::List(false) => self.out.push_str("</ul>\n"),
            TagEnd::Item => self.out.push_str("</li>\n"),
            TagEnd::Paragraph | TagEnd::HtmlBlock => self.out.push_str("</p>\n"),
            TagEnd::BlockQuote(_) => self.out.push_str("</blockquote>\n"),
            TagEnd::Emphasis => self.out.push_str("</em>"),
            TagEnd::Strong => self.out.push_str("</strong>"),
            TagEnd::Table => self.out.push_str("</tbody></table></div>\n"),
            TagEnd::TableHead => {
                self.is_head = false;
                self.out.push_str("</tr></thead><tbody>\n");
            }
            TagEnd::TableRow => self.out.push_str("</tr>\n"),
            _ => {}
        }
    }

    fn mark(&mut self) {
        self.marks.push(self.out.len());
    }

    /// What was written since the last mark, taken out again.
    fn inside(&mut self) -> String {
        let from = self.marks.pop().unwrap_or(self.out.len());
        self.out.split_off(from)
    }

    fn heading(&mut self, level: HeadingLevel) {
        let inside = self.inside();
        // The page has a title already.
        if level == HeadingLevel::H1 {
            return;
        }
        let title = std::mem::take(&mut self.plain);
        let id = self.id_of(&title);
        let _ = writeln!(self.out, "<{level} id=\"{id}\">{inside}</{level}>");
        if level == HeadingLevel::H2 {
            self.headings.push(Heading { id, title });
        }
    }

    fn id_of(&mut self, title: &str) -> String {
        let id = slug(title);
        let before = self.ids.entry(id.clone()).or_default();
        *before += 1;
        match *before {
            1 => id,
            more => format!("{id}-{}", more - 1),
        }
    }

    fn end_link(&mut self) {
        let inside = self.inside();
        let Some((target, from)) = self.link.take() else {
            return;
        };
        let plain = &self.plain[from..];
        let shown = match target {
            Target::Here(path) => format!("<a href=\"{}\">{inside}</a>", escaped(&path)),
            Target::Away(url) => {
                let url = escaped(&url);
                format!("<a href=\"{url}\" rel=\"noopener noreferrer\">{inside}</a>")
            }
            Target::File(path) if path.ends_with(plain) => {
                format!("<code>{}</code>", escaped(plain))
            }
            Target::File(path) => format!("{inside} (<code>{}</code>)", escaped(&path)),
            Target::Nothing => inside,
        };
        self.out.push_str(&shown);
    }

    fn code_block(&mut self) {
        let Some(Code { language, text }) = self.code.take() else {
            return;
        };
        let text = if OF_PROXIES.contains(&language.as_str()) {
            text
        } else {
            self.with_address(&text)
        };
        self.blocks += 1;
        let (number, text) = (self.blocks, escaped(text.trim_end()));
        let _ = writeln!(
            self.out,
            "<div class=\"guide-code\"><pre tabindex=\"0\"><code id=\"example-{number}\">{text}</code></pre>\
             <button type=\"button\" class=\"button small needs-js\" data-copy=\"example-{number}\">Copy\
             <span class=\"sr-only\"> example {number}</span></button></div>"
        );
    }
}

/// As GitHub does it, so that a link to a heading leads there on both.
fn slug(title: &str) -> String {
    let kept = title.chars().filter_map(|sign| match sign {
        ' ' | '-' => Some('-'),
        '_' => Some('_'),
        _ if sign.is_alphanumeric() => Some(sign),
        _ => None,
    });
    kept.flat_map(char::to_lowercase).collect()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(sign),
        }
    }
    out
}
