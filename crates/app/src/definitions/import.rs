//! A definition made from an API's own document. Nothing is kept unless somebody says so.

use super::faults::wrong;
use super::{Checked, OwnConnector, a_place, checked, foreign};
use crate::App;
use crate::actor::Admin;
use crate::problems::Problem;
use quaymaster_connectors::catalog::Entry;
use quaymaster_connectors::import::{self, Options, Report, Source};
use quaymaster_core::{Code, Fault};

/// A document that somebody gives.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// The name of the file, for messages.
    pub name: String,
    /// OpenAPI or Google Discovery as JSON or YAML, or an archive of such files.
    pub bytes: Vec<u8>,
    pub wanted: ImportedAs,
}

/// What the document does not say, or shall not decide.
#[derive(Debug, Clone, Default)]
pub struct ImportedAs {
    pub key: Option<String>,
    pub title: Option<String>,
    /// Instead of the document's servers; `{url}` makes each account give its address.
    pub base_url: Option<String>,
    /// Only operations with one of these tags.
    pub only: Vec<String>,
}

/// What a document became.
#[derive(Debug, Clone)]
pub struct Imported {
    pub yaml: String,
    pub key: String,
    pub title: String,
    pub report: Report,
    /// What keeps it from being saved, for example a key that another connector has.
    pub problems: Vec<Problem>,
}

impl Document {
    /// In bytes.
    pub const MOST: usize = 16 << 20;
}

impl App {
    /// Makes a definition of a document. One at a time in the whole server: the largest take seconds
    /// and a hundred megabytes.
    pub async fn import_definition(
        &self,
        admin: &Admin,
        document: Document,
    ) -> Result<Imported, Fault> {
        let size = document.bytes.len();
        if size > Document::MOST {
            let message = format!(
                "The document has {size} bytes; at most {} are read.",
                Document::MOST
            );
            return Err(Fault::new(Code::TooLarge, message).detail("limit_bytes", Document::MOST));
        }
        let permit = a_place(&self.ready.importing).await?;
        let done = tokio::task::spawn_blocking(move || imported(document)).await;
        drop(permit);
        let (checked, report) = done.map_err(|error| {
            tracing::error!(%error, "a document was not imported");
            Fault::internal()
        })??;
        let catalog = self.catalog_of(&admin.org).await?;
        let own: Vec<&Entry> = catalog.own_ones().iter().map(|own| &own.entry).collect();
        let problems = foreign(&checked, &self.shared_entries(), &own, None);
        Ok(Imported {
            yaml: checked.source,
            key: checked.fine.key,
            title: checked.fine.title,
            report,
            problems,
        })
    }

    /// The same, and keeps it.
    pub async fn import_and_add(
        &self,
        admin: &Admin,
        document: Document,
    ) -> Result<(Imported, OwnConnector), Fault> {
        let imported = self.import_definition(admin, document).await?;
        if !imported.problems.is_empty() {
            return Err(wrong(&imported.problems));
        }
        let added = self.add_definition(admin, imported.yaml.clone()).await?;
        Ok((imported, added))
    }
}

fn imported(document: Document) -> Result<(Checked, Report), Fault> {
    let Document {
        name,
        bytes,
        wanted,
    } = document;
    let options = Options {
        key: wanted.key,
        title: wanted.title,
        base_url: wanted.base_url,
        only: wanted.only,
        ..Options::default()
    };
    let made = import::import(Source { name, bytes }, &options)?;
    Ok((checked(made.yaml, &made.definition), made.report))
}
