//! Documents as resources: `drive://<document>` for the text in parts, `drive://<document>#<number>` for a piece of it.

use super::{Document, DocumentFilter, State, no_such, reason_in_words};
use crate::App;
use quaymaster_core::caller::Grant;
use quaymaster_core::door::Listed;
use quaymaster_core::id::DocumentId;
use quaymaster_core::resource::{Body, Contents, ResourceDef, TemplateDef};
use quaymaster_core::{Caller, Code, Fault, Scope};

const SCHEME: &str = "drive://";
/// Pieces of one part, and parts of one answer: at most about 64 KB each in plain text.
const PIECES: i64 = 32;
const PARTS: i64 = 4;
const LISTED: i64 = 100;

/// What an address names.
#[derive(Debug, PartialEq, Eq)]
struct Place {
    document: DocumentId,
    at: At,
}

#[derive(Debug, PartialEq, Eq)]
enum At {
    From(i64),
    Piece(i64),
}

impl App {
    /// The documents that can be read, by path.
    pub(crate) async fn knowledge_resources(
        &self,
        caller: &Caller,
        cursor: Option<&str>,
    ) -> Result<Listed<ResourceDef>, Fault> {
        reads(caller)?;
        let offset = match cursor {
            None => 0,
            Some(cursor) => cursor
                .parse()
                .ok()
                .filter(|offset| *offset > 0)
                .ok_or_else(|| {
                    Fault::invalid_arg("/cursor", "unknown", "There is no such page.")
                        .hint("Pass the cursor of the page before, or none.")
                })?,
        };
        let filter = DocumentFilter {
            state: Some(State::Indexed),
            ..DocumentFilter::default()
        };
        let page = self
            .store
            .documents(&caller.org, &filter, LISTED + 1, offset);
        let mut page = page.await?;
        let more = page.len() as i64 > LISTED;
        page.truncate(LISTED as usize);
        Ok(Listed {
            items: page.into_iter().map(resource).collect(),
            next: more.then(|| (offset + LISTED).to_string()),
        })
    }

    /// The text at an address of a document.
    pub(crate) async fn knowledge_read(
        &self,
        caller: &Caller,
        uri: &str,
    ) -> Result<Vec<Contents>, Fault> {
        reads(caller)?;
        let place = place(uri).ok_or_else(no_such)?;
        let document = self.store.document(&caller.org, &place.document).await?;
        let document = document.ok_or_else(no_such)?;
        let (from, count) = match place.at {
            At::From(from) => (from, PIECES * PARTS),
            At::Piece(piece) => (piece, 1),
        };
        let pieces = self
            .store
            .document_chunks(&caller.org, &document.id, from, count)
            .await?;
        if pieces.is_empty() {
            return Err(unread(&document));
        }
        let mime = Some("text/markdown".to_owned());
        if let At::Piece(piece) = place.at {
            return match pieces.into_iter().next().filter(|found| found.n == piece) {
                Some(found) => Ok(vec![Contents {
                    uri: uri.to_owned(),
                    mime,
                    body: Body::Text(found.text),
                }]),
                None => Err(no_such()),
            };
        }
        let next = pieces.last().map_or(0, |last| last.n) + 1;
        let mut parts: Vec<Contents> = pieces
            .chunks(PIECES as usize)
            .map(|some| Contents {
                uri: format!("{SCHEME}{}?from={}", document.id, some[0].n),
                mime: mime.clone(),
                body: Body::Text(some.iter().map(|piece| piece.text.as_str()).collect()),
            })
            .collect();
        if next <= document.chunks {
            let uri = format!("{SCHEME}{}?from={next}", document.id);
            parts.push(Contents {
                body: Body::Text(format!("The document goes on at {uri}.")),
                uri,
                mime: Some("text/plain".to_owned()),
            });
        }
        Ok(parts)
    }
}

/// Whether the caller may read documents.
pub(crate) fn has_resources(caller: &Caller) -> bool {
    reads(caller).is_ok()
}

pub(crate) fn knowledge_templates(caller: &Caller) -> Result<Vec<TemplateDef>, Fault> {
    reads(caller)?;
    Ok(vec![TemplateDef {
        uri_template: "drive://{doc_id}".to_owned(),
        name: "document".to_owned(),
        title: Some("A document of the knowledge base".to_owned()),
        description: Some(
            "The text of a document in parts. Behind a # the number of a piece that search_knowledge found, \
             behind ?from= the number of the piece to go on from."
                .to_owned(),
        ),
        mime: Some("text/markdown".to_owned()),
    }])
}

fn reads(caller: &Caller) -> Result<(), Fault> {
    // Reading goes with the tool that finds what is read.
    if !caller.has(&Grant::Knowledge) || !caller.picks("search_knowledge") {
        return Err(Fault::not_found("This credential reaches no documents."));
    }
    caller.needs(Scope::ReadData)
}

fn resource(document: Document) -> ResourceDef {
    ResourceDef {
        uri: format!("{SCHEME}{}", document.id),
        name: document.path,
        title: Some(document.title),
        description: Some(format!("{} characters of text", document.characters)),
        mime: Some("text/markdown".to_owned()),
        size: None,
    }
}

/// Why there is nothing at an address.
fn unread(document: &Document) -> Fault {
    match document.state {
        State::Queued | State::Extracting => Fault::new(
            Code::Unavailable,
            "The document was not read yet; it waits for its turn.",
        )
        .hint("Try again in some seconds."),
        State::Failed => {
            let reason = document.reason.as_deref().unwrap_or_default();
            Fault::new(
                Code::NotText,
                format!(
                    "The document has no text that could be had. {}",
                    reason_in_words(reason)
                ),
            )
            .detail("reason", reason)
        }
        State::Indexed => Fault::not_found("The document has no piece of that number.")
            .detail("pieces", document.chunks),
    }
}

fn place(uri: &str) -> Option<Place> {
    let rest = uri.strip_prefix(SCHEME)?;
    let number = |text: &str| text.parse().ok().filter(|number| *number > 0);
    let (document, at) = if let Some((document, piece)) = rest.split_once('#') {
        (document, At::Piece(number(piece)?))
    } else if let Some((document, from)) = rest.split_once("?from=") {
        (document, At::From(number(from)?))
    } else {
        (rest, At::From(1))
    };
    Some(Place {
        document: document.parse().ok()?,
        at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_names_a_document_a_part_or_a_piece() {
        let id = "doc_01jd0000000000000000000000";
        let at = |uri: &str| place(&uri.replace("ID", id)).map(|place| place.at);
        assert_eq!(at("drive://ID"), Some(At::From(1)));
        assert_eq!(at("drive://ID?from=33"), Some(At::From(33)));
        assert_eq!(at("drive://ID#7"), Some(At::Piece(7)));
        for wrong in [
            "drive://",
            "drive://ID/",
            "drive://ID#",
            "drive://ID#0",
            "drive://ID#-1",
            "skill://ID",
            "drive://org_1",
        ] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
}
