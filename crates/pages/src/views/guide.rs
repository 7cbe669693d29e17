//! The guides: their list, and each.

use askama::Template;

use super::layout::Layout;
use crate::guides::{ALL, Guide, Part, Shown};

/// `/guides`.
#[derive(Debug, Clone, Template)]
#[template(path = "guides.html")]
pub struct GuidesPage {
    pub layout: Layout,
    pub groups: Vec<GuideGroup>,
}

#[derive(Debug, Clone)]
pub struct GuideGroup {
    pub title: &'static str,
    pub guides: Vec<&'static Guide>,
}

impl GuidesPage {
    pub fn new(layout: Layout) -> Self {
        let group = |part: Part| GuideGroup {
            title: part.title(),
            guides: ALL.iter().filter(|guide| guide.part == part).collect(),
        };
        GuidesPage {
            layout,
            groups: Part::ALL.map(group).into(),
        }
    }
}

/// `/guides/{name}`.
#[derive(Debug, Clone, Template)]
#[template(path = "guide.html")]
pub struct GuidePage {
    pub layout: Layout,
    pub title: &'static str,
    pub shown: Shown,
}

impl GuidePage {
    /// Where there is little, nobody needs a list of it.
    fn has_contents(&self) -> bool {
        self.shown.headings.len() > 2
    }
}
