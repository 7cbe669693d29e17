//! The guides, each as a server shows it.

use quaymaster_pages::guides::ALL;
use quaymaster_pages::views::{GuidePage, GuidesPage};

use super::{Page, Sample, page};

impl Sample {
    pub(super) fn of_guides(&self) -> Vec<Page> {
        let mut pages = vec![page("guides", &GuidesPage::new(self.inside()))];
        pages.extend(ALL.iter().map(|guide| {
            let shown = GuidePage {
                layout: self.inside(),
                title: guide.title(),
                shown: guide.shown(&self.t("https://quay.example.com")),
            };
            // Other pages have the plain names.
            page(format!("guide-{}", guide.name).leak(), &shown)
        }));
        pages
    }
}
