//! Where to go, found and not.

use quaymaster_pages::views::{FoundRow, SearchPage};

use super::{Page, Sample, page};

impl Sample {
    pub(super) fn of_search(&self) -> Vec<Page> {
        let found = SearchPage {
            layout: self.inside(),
            query: self.t("git"),
            found: vec![FoundRow {
                kind: "connector",
                name: self.t("GitHub"),
                note: self.t("Repositories, issues, pull requests"),
                href: self.t("/connectors/github"),
            }],
        };
        let none = SearchPage {
            found: vec![],
            ..found.clone()
        };
        vec![page("search", &found), page("search-none", &none)]
    }
}
