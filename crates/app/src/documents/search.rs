//! Finding pieces of documents.

use crate::App;
use quaymaster_core::Fault;
use quaymaster_core::id::OrgId;
use quaymaster_store::document_search::{Hit, words};

/// Bytes of a query: a question, not a text.
pub(crate) const MOST_QUERY: usize = 2_000;
const USUAL: i64 = 8;
pub(crate) const MOST: i64 = 25;
/// Results that can be paged to.
const DEEPEST: i64 = 200;
/// Characters of a snippet, and words before the first one that was found.
const SNIPPET: usize = 320;
const LEAD: usize = 6;

/// What somebody looks for.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub query: String,
    /// 1 to 25, 8 when absent.
    pub limit: Option<i64>,
    /// Only documents whose paths begin so.
    pub path_prefix: Option<String>,
    /// `next_cursor` of the page before.
    pub cursor: Option<String>,
}

/// A piece of a document that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Of the piece: `drive://<document>#<number>`.
    pub uri: String,
    pub document: String,
    pub path: String,
    pub title: String,
    pub heading: String,
    /// Where the words stand most densely.
    pub snippet: String,
    /// Comparable within one answer: more is better.
    pub score: f64,
    /// Of the document's bytes.
    pub etag: String,
}

#[derive(Debug, Clone)]
pub struct FoundPage {
    pub results: Vec<Found>,
    pub next_cursor: Option<String>,
}

impl App {
    /// Pieces of an organization's documents that have words of the query, best first.
    pub async fn search_documents(&self, org: &OrgId, asked: &Asked) -> Result<FoundPage, Fault> {
        if asked.query.len() > MOST_QUERY {
            let message = format!("A query has at most {MOST_QUERY} bytes.");
            return Err(Fault::invalid_arg("/query", "maxLength", message)
                .hint("Ask with the words that matter."));
        }
        let limit = asked.limit.unwrap_or(USUAL);
        if !(1..=MOST).contains(&limit) {
            let message = format!("A limit is 1 to {MOST}.");
            return Err(Fault::invalid_arg("/limit", "range", message));
        }
        let offset = match asked.cursor.as_deref() {
            None => 0,
            Some(cursor) => offset(cursor)?,
        };
        let words = words(&asked.query);
        let prefix = asked.path_prefix.as_deref().unwrap_or_default();
        let prefix = prefix.trim_start_matches('/').replace('\0', "");
        let hits = self
            .store
            .search_documents(org, &words, &prefix, limit + 1, offset);
        let mut hits = hits.await?;
        let more = hits.len() as i64 > limit;
        hits.truncate(limit as usize);
        let next = offset + limit;
        Ok(FoundPage {
            results: hits.into_iter().map(|hit| found(hit, &words)).collect(),
            next_cursor: (more && next < DEEPEST).then(|| next.to_string()),
        })
    }
}

fn offset(cursor: &str) -> Result<i64, Fault> {
    let offset = cursor
        .parse()
        .ok()
        .filter(|offset| (1..DEEPEST).contains(offset));
    offset.ok_or_else(|| {
        Fault::invalid_arg(
            "/cursor",
            "unknown",
            "That cursor does not belong to this call.",
        )
        .hint("Pass next_cursor of the page before with the same arguments, or none.")
    })
}

fn found(hit: Hit, words: &[String]) -> Found {
    Found {
        uri: format!("drive://{}#{}", hit.document, hit.n),
        document: hit.document.to_string(),
        path: hit.path,
        title: hit.title,
        heading: hit.heading,
        snippet: snippet(&hit.text, words),
        score: (hit.score * 1_000.0).round() / 1_000.0,
        etag: format!("sha256:{}", hit.sha256),
    }
}

/// The part of a text in which most of the words begin, with its white space made one.
fn snippet(text: &str, words: &[String]) -> String {
    let text: Vec<&str> = text.split_whitespace().collect();
    let stems: Vec<String> = words.iter().map(|word| stem(word)).collect();
    let hits: Vec<bool> = text
        .iter()
        .map(|piece| {
            let mut parts = piece.split(|c: char| !c.is_alphanumeric());
            parts.any(|part| {
                let part = part.to_lowercase();
                stems.iter().any(|stem| part.starts_with(stem.as_str()))
            })
        })
        .collect();
    let length = |piece: &str| piece.chars().count() + 1;
    // A window over whole words, moved on by one.
    let (mut start, mut size, mut count) = (0, 0, 0);
    let (mut best, mut best_count) = ((0, 0), -1);
    for end in 0..text.len() {
        size += length(text[end]);
        count += i32::from(hits[end]);
        while size > SNIPPET && start < end {
            size -= length(text[start]);
            count -= i32::from(hits[start]);
            start += 1;
        }
        if count > best_count {
            (best, best_count) = ((start, end + 1), count);
        }
    }
    let (start, mut end) = best;
    // A few words before the first one that was looked for.
    let first = hits[start..end].iter().position(|hit| *hit).unwrap_or(0);
    let start = (start + first).saturating_sub(LEAD).max(start);
    // What is left of the room goes to what follows.
    let mut size: usize = text[start..end].iter().map(|piece| length(piece)).sum();
    while end < text.len() && size + length(text[end]) <= SNIPPET {
        size += length(text[end]);
        end += 1;
    }
    let mut said: String = text[start..end].join(" ").chars().take(SNIPPET).collect();
    if start > 0 {
        said.insert_str(0, "… ");
    }
    if end < text.len() {
        said.push_str(" …");
    }
    said
}

/// The beginning of a word that its other forms have, too: enough for marking a place.
fn stem(word: &str) -> String {
    let count = word.chars().count();
    let kept = if count > 5 { count - 2 } else { count };
    word.chars().take(kept).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_snippet_shows_where_the_words_are() {
        let far = "nothing here at all ".repeat(60);
        let text = format!("{far}The crane lifts\n\tcontainers at berth seven. {far}");
        let shown = snippet(&text, &words("container crane"));
        assert!(
            shown.contains("The crane lifts containers at berth seven."),
            "{shown}"
        );
        assert!(shown.starts_with("… ") && shown.ends_with(" …"), "{shown}");
        assert_eq!(snippet("short", &words("absent")), "short");
        assert_eq!(snippet("", &[]), "");
    }

    proptest! {
        #[test]
        fn no_text_makes_a_snippet_too_long(text in "[ a-zß🎉\n]{0,900}", query in "[a-zß ]{0,40}") {
            prop_assert!(snippet(&text, &words(&query)).chars().count() <= SNIPPET + 4);
        }
    }
}
