//! The organization's own connectors.

use quaymaster_pages::views::{
    Changed, DefinitionPage, ImportPage, Mistake, OperationRow, OwnConnectorsPage, OwnRow,
    ReportView,
};

use super::{Page, Sample, page};

impl Sample {
    pub(super) fn of_own_connectors(&self) -> Vec<Page> {
        let row = |key: &str, title: &str, accounts, broken| OwnRow {
            key: self.t(key),
            title: self.t(title),
            version: self.t("1.0.0+0a1b2c3d"),
            updated_at: self.ago(4_000),
            accounts,
            broken,
        };
        let list = OwnConnectorsPage {
            layout: self.inside(),
            connectors: vec![row("notes", "Notes", 2, 1), row("crane", "Crane", 0, 0)],
        };
        let none = OwnConnectorsPage {
            connectors: vec![],
            ..list.clone()
        };
        let new = DefinitionPage {
            layout: self.inside(),
            changed: None,
            source: self.t("quaymaster: 1\nkey: notes\nkind: rest\n"),
            mistakes: vec![],
            error: None,
            fine: None,
            report: None,
        };
        let fine = DefinitionPage {
            fine: Some(
                self.t("The definition of Notes is fine: 1 modules, 3 calls. It is not saved yet."),
            ),
            ..new.clone()
        };
        let wrong = DefinitionPage {
            mistakes: vec![
                Mistake {
                    line: 9,
                    column: 1,
                    message: self.t("base_url: Leave out the slash at the end."),
                    text: self.t("base_url: https://api.notes.example/v1/"),
                },
                Mistake {
                    line: 0,
                    column: 0,
                    message: self.t("The key `auth` is missing."),
                    text: String::new(),
                },
            ],
            ..new.clone()
        };
        let changed = Changed {
            key: self.t("notes"),
            title: self.t("Notes"),
            accounts: 2,
            stopped: vec![],
        };
        let edit = DefinitionPage {
            changed: Some(changed.clone()),
            ..new.clone()
        };
        let stopped = DefinitionPage {
            changed: Some(Changed {
                stopped: vec![self.t("main"), self.t("second")],
                ..changed
            }),
            error: Some(self.t("Accounts of it are connected: main.")),
            ..new.clone()
        };
        let operation = |text: &str, is_left_out, remark: &str| OperationRow {
            operation: self.t(text),
            is_left_out,
            remarks: vec![self.t(remark)],
        };
        let imported = DefinitionPage {
            report: Some(ReportView {
                format: self.t("OpenAPI 3.0.3"),
                imported: 41,
                changed: 1,
                left_out: 1,
                notes: vec![self.t("The document has two servers; the first is used.")],
                operations: vec![
                    operation("GET /notes/{id}", false, "A circle of references was cut."),
                    operation("POST /import", true, "Its body is XML."),
                ],
                more: 12,
            }),
            ..new.clone()
        };
        let import = ImportPage {
            layout: self.inside(),
            key: self.field(""),
            title: self.field(""),
            base_url: self.field(""),
            only: self.field(""),
            error: None,
        };
        let refused = ImportPage {
            key: self.field("notes"),
            base_url: self.field("{url}/api"),
            error: Some(self.t("The document is neither OpenAPI nor Google Discovery.")),
            ..import.clone()
        };
        vec![
            page("own-connectors", &list),
            page("own-connectors-none", &none),
            page("definition-new", &new),
            page("definition-fine", &fine),
            page("definition-wrong", &wrong),
            page("definition-edit", &edit),
            page("definition-stopped", &stopped),
            page("definition-imported", &imported),
            page("import", &import),
            page("import-refused", &refused),
        ]
    }
}
