//! The knowledge base.

use quaymaster_pages::views::pager::Pager;
use quaymaster_pages::views::{
    DocumentForm, DocumentPage, DocumentRow, DocumentStatus, DocumentsPage, Field, PassageRow,
    PieceView, Usage,
};

use super::{Page, Sample, page};

impl Sample {
    pub(super) fn of_documents(&self) -> Vec<Page> {
        let row = |path: &str, title: &str, status| DocumentRow {
            id: "doc_01jd0000000000000000000000".to_owned(),
            path: self.t(path),
            title: self.t(title),
            size: 123_456,
            status,
            updated_at: self.ago(4_000),
        };
        let failed = DocumentStatus::Failed(self.t("It has a password. Save it without one."));
        let list = DocumentsPage {
            layout: self.inside(),
            query: String::new(),
            found: vec![],
            documents: vec![
                row("handbook/rules.pdf", "Rules", DocumentStatus::Indexed(12)),
                row("handbook/cranes.docx", "Cranes", DocumentStatus::Extracting),
                row("berths.xlsx", "Berths", DocumentStatus::Queued),
                row("secret.pdf", "Secret", failed.clone()),
            ],
            pager: Pager::new("/documents", "", 1, 104),
            room: Usage {
                used: 5_000_000,
                limit: 5_368_709_120,
            },
            form: Some(DocumentForm {
                most_bytes: 67_108_864,
                whole_bytes: 33_554_432,
                ..DocumentForm::default()
            }),
        };
        let none = DocumentsPage {
            documents: vec![],
            pager: Pager::default(),
            ..list.clone()
        };
        let refused = DocumentsPage {
            form: Some(DocumentForm {
                folder: Field::wrong(
                    self.t("a//b"),
                    self.t("A path is names with slashes between."),
                ),
                title: Field::wrong(
                    self.t("Rules"),
                    self.t("A title has at most 200 characters."),
                ),
                replace: true,
                most_bytes: 67_108_864,
                whole_bytes: 33_554_432,
                error: Some(self.t("There is a document at a.pdf already.")),
            }),
            ..list.clone()
        };
        let member = DocumentsPage {
            form: None,
            ..none.clone()
        };
        let found = DocumentsPage {
            query: self.t("crane"),
            found: vec![PassageRow {
                document: "/documents/doc_01jd0000000000000000000000?from=3#piece-4".to_owned(),
                title: self.t("Cranes"),
                path: self.t("handbook/cranes.docx"),
                heading: self.t("Cranes > North quay"),
                snippet: self.t("… the crane lifts containers at berth seven …"),
            }],
            ..list.clone()
        };
        let nothing = DocumentsPage {
            found: vec![],
            ..found.clone()
        };
        let one = DocumentPage {
            layout: self.inside(),
            id: "doc_01jd0000000000000000000000".to_owned(),
            path: self.t("handbook/cranes.docx"),
            title: self.t("Cranes"),
            media_type: self.t("text/markdown"),
            size: 123_456,
            status: DocumentStatus::Indexed(2),
            characters: 3_400,
            updated_at: self.ago(4_000),
            indexed_at: Some(self.ago(3_000)),
            pieces: vec![PieceView {
                n: 1,
                heading: self.t("Cranes"),
                text: self.t("# Cranes\n\nThe crane lifts containers.\n"),
            }],
            previous: None,
            next: Some(20),
            may_change: true,
        };
        let broken = DocumentPage {
            status: failed,
            pieces: vec![],
            characters: 0,
            indexed_at: None,
            next: None,
            ..one.clone()
        };
        vec![
            page("documents", &list),
            page("documents-none", &none),
            page("documents-refused", &refused),
            page("documents-member", &member),
            page("documents-found", &found),
            page("documents-nothing", &nothing),
            page("document", &one),
            page("document-failed", &broken),
        ]
    }
}
