//! A document's bytes on their way in.

use super::shelf::Draft;
use super::{Document, MOST_DOCUMENTS, MOST_PATH, MOST_TITLE, State};
use crate::App;
use crate::actor::Admin;
use crate::homes::blocking;
use quaymaster_connectors::clean;
use quaymaster_core::id::{DocumentId, OrgId};
use quaymaster_core::{Code, Fault};
use quaymaster_store::upload::{Upload, UploadState};
use serde_json::json;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Documents of one organization that arrive at the same time.
const AT_A_TIME: usize = 4;
/// Bytes of a document that one request carries. A connection that breaks loses as much; larger ones come in parts.
const MOST_AT_ONCE: i64 = 64 * 1024 * 1024;

/// What somebody says of a document before its bytes.
#[derive(Debug, Clone, Default)]
pub struct NewDocument {
    /// `handbook/rules.pdf`; a slash in front is left out.
    pub path: String,
    /// Without one, the name in the path.
    pub title: Option<String>,
    /// A document at that path gets these bytes; without this it is refused.
    pub replace: bool,
    /// Bytes that are announced.
    pub size: Option<i64>,
}

/// Documents that arrive, by organization.
#[derive(Default)]
pub(crate) struct Arriving(Mutex<HashMap<OrgId, usize>>);

/// Counts one that arrives until it is dropped.
struct Place {
    arriving: Arc<Arriving>,
    org: OrgId,
}

impl Arriving {
    fn place(self: &Arc<Self>, org: &OrgId) -> Result<Place, Fault> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(org.clone()).or_default();
        if *count >= AT_A_TIME {
            return Err(Fault::new(
                Code::RateLimited,
                format!("{AT_A_TIME} documents of the organization arrive already."),
            )
            .hint("Send this one when one of them is there.")
            .detail("retry_after_s", 5));
        }
        *count += 1;
        Ok(Place {
            arriving: self.clone(),
            org: org.clone(),
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self
            .arriving
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.org) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.org);
            }
        }
    }
}

/// Takes a document's bytes. Dropped before [`Receiver::finish`], nothing is changed.
pub struct Receiver {
    app: App,
    admin: Admin,
    about: About,
    draft: Draft,
    _place: Place,
}

/// What a document is to be.
pub(crate) struct About {
    pub(crate) path: String,
    pub(crate) title: String,
    pub(crate) replace: bool,
    /// The session that its bytes came by, which ends when the document is there.
    pub(crate) upload: Option<Upload>,
}

impl About {
    pub(crate) fn new(given: &str, named: Option<&str>, replace: bool) -> Result<About, Fault> {
        let path = path(given)?;
        Ok(About {
            title: title(named, &path)?,
            path,
            replace,
            upload: None,
        })
    }
}

impl App {
    /// Begins to take a document.
    ///
    /// # Errors
    /// A path that is none, a document that is there already, one that is too large or for which there is no room.
    pub async fn receive_document(
        &self,
        admin: &Admin,
        new: NewDocument,
    ) -> Result<Receiver, Fault> {
        let about = About::new(&new.path, new.title.as_deref(), new.replace)?;
        self.receive(admin, about, new.size.unwrap_or(0)).await
    }

    /// The same of what was checked. `size` bytes are announced.
    pub(crate) async fn receive(
        &self,
        admin: &Admin,
        about: About,
        size: i64,
    ) -> Result<Receiver, Fault> {
        self.check_size(size, about.upload.is_none())?;
        let place = self.arriving.place(&admin.org)?;
        // Asked again when the bytes are there; asked here so that they are not sent in vain.
        let mut tx = self.store.begin().await?;
        self.check_room(&mut tx, admin, &about, size).await?;
        drop(tx);
        let (app, org, name) = (self.clone(), admin.org.clone(), self.fresh_call_id());
        let draft = blocking(move || app.shelf.draft(&org, name.as_str())).await?;
        Ok(Receiver {
            app: self.clone(),
            admin: admin.clone(),
            about,
            draft,
            _place: place,
        })
    }

    /// `is_at_once` when all of it comes with one request.
    pub(crate) fn check_size(&self, size: i64, is_at_once: bool) -> Result<(), Fault> {
        let most = self.settings.document_bytes;
        if is_at_once && size > MOST_AT_ONCE && size <= most {
            return Err(Fault::new(
                Code::TooLarge,
                format!("One request carries at most {MOST_AT_ONCE} bytes of a document."),
            )
            .hint("Send it in parts: POST /api/v1/documents/uploads begins an upload session.")
            .detail("limit", MOST_AT_ONCE)
            .detail("use", "POST /api/v1/documents/uploads"));
        }
        if size <= most {
            return Ok(());
        }
        Err(Fault::new(
            Code::TooLarge,
            format!("A document has at most {most} bytes."),
        )
        .hint("Split it, or ask the operator to raise document_bytes.")
        .detail("limit", most))
    }

    /// The document that is at the path, where these bytes may come in its place. What open sessions are to bring counts as
    /// if it were there.
    pub(crate) async fn check_room(
        &self,
        tx: &mut quaymaster_store::Tx,
        admin: &Admin,
        about: &About,
        size: i64,
    ) -> Result<Option<Document>, Fault> {
        let there = tx.document_at(&admin.org, &about.path).await?;
        if let Some(there) = &there
            && !about.replace
        {
            return Err(Fault::new(
                Code::AlreadyExists,
                format!("There is a document at {} already.", about.path),
            )
            .hint("Say that it is to be replaced, or take another path.")
            .detail("document", there.id.to_string()));
        }
        let usage = tx.document_usage(&admin.org).await?;
        if there.is_none() && usage.documents >= MOST_DOCUMENTS {
            return Err(Fault::new(
                Code::QuotaExceeded,
                format!("The organization has {MOST_DOCUMENTS} documents, which is as many as it may have."),
            )
            .hint("Delete documents that nobody needs."));
        }
        let own = about.upload.as_ref().map(|upload| &upload.id);
        let open = tx.open_document_uploads(&admin.org, own).await?;
        let used = usage.bytes + open.bytes;
        let most = self.settings.documents_quota_bytes;
        let before = there.as_ref().map_or(0, |there| there.size);
        if used - before + size > most {
            return Err(Fault::new(
                Code::QuotaExceeded,
                "The organization's room for documents is used up.",
            )
            .hint("Delete documents that nobody needs, or ask the operator to raise documents_quota_bytes.")
            .detail("limit", most)
            .detail("used", used));
        }
        Ok(there)
    }
}

impl Receiver {
    /// The next bytes.
    pub async fn write(self, bytes: Vec<u8>) -> Result<Receiver, Fault> {
        let size = self.draft.size + bytes.len() as i64;
        self.app.check_size(size, self.about.upload.is_none())?;
        blocking(move || {
            let mut receiver = self;
            receiver.draft.write(&bytes)?;
            Ok(receiver)
        })
        .await
    }

    /// All bytes are there: the document, which waits to be read.
    pub async fn finish(self) -> Result<Document, Fault> {
        let Receiver {
            app,
            admin,
            about,
            mut draft,
            _place,
        } = self;
        let (draft, sha256) = blocking(move || {
            let sha256 = draft.sync()?;
            Ok((draft, sha256))
        })
        .await?;
        let announced = about
            .upload
            .as_ref()
            .and_then(|upload| upload.sha256.as_deref());
        if let Some(announced) = announced
            && announced != sha256
        {
            return Err(Fault::new(
                Code::ChecksumMismatch,
                "The bytes that arrived do not have the announced digest.",
            )
            .hint("Send the parts again that differ, then complete again.")
            .detail("expected", announced)
            .detail("actual", sha256));
        }
        let size = draft.size;
        // Nobody removes these bytes between their getting a name and a row that refers to them.
        let alone = app.shelving.lock().await;
        let named = sha256.clone();
        blocking(move || draft.place(&named)).await?;
        let stored = store(&app, &admin, about, size, sha256.clone()).await;
        drop(alone);
        let (document, before) = match stored {
            Ok(stored) => stored,
            Err(fault) => {
                app.drop_bytes(&admin.org, &sha256).await?;
                return Err(fault);
            }
        };
        if let Some(before) = before
            && before.sha256 != document.sha256
        {
            app.drop_bytes(&before.org, &before.sha256).await?;
        }
        app.changed().await;
        app.wake.all();
        Ok(document)
    }
}

/// The row of bytes that are in their place, and the one that was there before.
async fn store(
    app: &App,
    admin: &Admin,
    about: About,
    size: i64,
    sha256: String,
) -> Result<(Document, Option<Document>), Fault> {
    let mut tx = app.store.begin().await?;
    tx.lock_organization(&admin.org).await?;
    let there = app.check_room(&mut tx, admin, &about, size).await?;
    let now = app.now();
    let document = Document {
        id: match &there {
            Some(there) => there.id.clone(),
            None => DocumentId::fresh(&*app.clock, &*app.entropy),
        },
        org: admin.org.clone(),
        media_type: media_type(&about.path).to_owned(),
        path: about.path,
        title: about.title,
        size,
        sha256,
        state: State::Queued,
        reason: None,
        chunks: there.as_ref().map_or(0, |there| there.chunks),
        characters: there.as_ref().map_or(0, |there| there.characters),
        user: admin.user.clone(),
        created_at: there.as_ref().map_or(now, |there| there.created_at),
        updated_at: now,
        indexed_at: there.as_ref().and_then(|there| there.indexed_at),
    };
    let action = match there {
        Some(_) => {
            tx.replace_document(&document).await?;
            "document.replaced"
        }
        None => {
            tx.add_document(&document).await?;
            "document.added"
        }
    };
    if let Some(upload) = &about.upload {
        let (open, done) = (UploadState::Open, UploadState::Completed);
        if !tx.move_upload(&upload.id, open, done).await? {
            return Err(
                Fault::new(Code::Unavailable, "Somebody else ends the upload session.")
                    .hint("Ask for its state."),
            );
        }
        tx.set_upload_result(&upload.id, document.id.as_str())
            .await?;
    }
    let details = json!({ "document": document.id, "path": document.path });
    tx.record(&app.event(&admin.org, &admin.label, action, details))
        .await?;
    tx.commit().await?;
    Ok((document, there))
}

/// Relative, with names between slashes and nothing hidden.
fn path(given: &str) -> Result<String, Fault> {
    let wrong = |rule, message: &str| {
        Err(Fault::invalid_arg("/path", rule, message).hint("For example handbook/rules.pdf."))
    };
    let path = given.trim().trim_start_matches('/');
    if path.is_empty() || path.len() > MOST_PATH {
        return wrong("length", &format!("A path has 1 to {MOST_PATH} bytes."));
    }
    if clean::text(path) != path || path.contains(['\n', '\t', '\r', '\\']) {
        return wrong(
            "format",
            "A path has no hidden characters, line ends or backslashes.",
        );
    }
    let is_name = |name: &str| !matches!(name.trim(), "" | "." | "..");
    if !path.split('/').all(is_name) {
        return wrong(
            "format",
            "A path is names with slashes between them; none of them is empty, `.` or `..`.",
        );
    }
    Ok(path.to_owned())
}

fn title(given: Option<&str>, path: &str) -> Result<String, Fault> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let given = clean::text(given.unwrap_or_default());
    let words: Vec<&str> = given.split_whitespace().collect();
    let title = words.join(" ");
    if title.is_empty() {
        return Ok(name.chars().take(MOST_TITLE).collect());
    }
    if title.chars().count() > MOST_TITLE {
        let message = format!("A title has at most {MOST_TITLE} characters.");
        return Err(Fault::invalid_arg("/title", "maxLength", message));
    }
    Ok(title)
}

/// By the name, until the bytes have been looked at.
fn media_type(path: &str) -> &'static str {
    let end = path
        .rsplit_once('.')
        .map(|(_, end)| end.to_ascii_lowercase());
    match end.as_deref() {
        Some("pdf") => "application/pdf",
        Some("docx") => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        Some("xlsx") => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        Some("pptx") => "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        Some("html" | "htm" | "xhtml") => "text/html",
        Some("md" | "markdown") => "text/markdown",
        Some("csv" | "tsv") => "text/csv",
        Some("txt" | "text" | "log") => "text/plain",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_names_between_slashes() {
        assert_eq!(
            path(" /handbook/Rules of 2026.pdf ").unwrap(),
            "handbook/Rules of 2026.pdf"
        );
        let long = "x".repeat(513);
        for wrong in [
            "",
            "/",
            "a//b",
            "../a",
            "a/./b",
            "a/",
            "a\u{202e}b",
            "a\nb",
            "a\\b",
            "a\0",
            &long,
        ] {
            assert_eq!(path(wrong).unwrap_err().code, Code::InvalidArg, "{wrong:?}");
        }
    }

    #[test]
    fn a_document_without_a_title_is_called_by_its_name() {
        assert_eq!(title(None, "a/b.md").unwrap(), "b.md");
        assert_eq!(title(Some(" \u{202e}\n "), "b.md").unwrap(), "b.md");
        assert_eq!(title(Some(" The\n rules "), "b.md").unwrap(), "The rules");
        assert!(title(Some(&"x".repeat(201)), "b.md").is_err());
    }
}
