//! Skills: their list, the page on which one is written, and the one that imports a folder.

use askama::Template;

use super::amount::Amount;
use super::form::{Field, Problem, problems};
use super::layout::Layout;
use super::moment::Shown;
use super::pager::Pager;
use quaymaster_core::Instant;

/// `/skills`: asks itself with `query` and `page`.
#[derive(Debug, Clone, Template)]
#[template(path = "skills.html")]
pub struct SkillsPage {
    pub layout: Layout,
    pub query: String,
    pub skills: Vec<SkillRow>,
    pub pager: Pager,
    /// The person may write skills.
    pub may_write: bool,
}

#[derive(Debug, Clone)]
pub struct SkillRow {
    /// Part of its path.
    pub name: String,
    pub description: String,
    pub service: Option<String>,
    pub enabled: bool,
    pub version: i64,
    pub updated_at: Instant,
}

/// `/skills/new` and `/skills/{name}`: posts `name`, `description`, `system_prompt`, `service`,
/// `enabled` and `version` to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "skill.html")]
pub struct SkillPage {
    pub layout: Layout,
    /// None for a new one.
    pub saved: Option<SavedSkill>,
    pub name: Field,
    pub description: Field,
    pub system_prompt: Field,
    /// The bound connector.
    pub service: Field,
    /// Keys of the connectors that can be bound.
    pub services: Vec<String>,
    pub enabled: bool,
    /// Why the whole was refused.
    pub error: Option<String>,
    /// Why a file was refused.
    pub file_error: Option<String>,
    pub may_write: bool,
}

/// A skill that is there already.
#[derive(Debug, Clone)]
pub struct SavedSkill {
    pub name: String,
    pub version: i64,
    pub enabled: bool,
    pub files: Vec<SkillFileRow>,
    pub versions: Vec<SkillVersionRow>,
}

#[derive(Debug, Clone)]
pub struct SkillFileRow {
    pub path: String,
    /// In bytes.
    pub size: u64,
    pub executable: bool,
    /// Made from the form, so that it is not deleted.
    pub is_skill_md: bool,
}

#[derive(Debug, Clone)]
pub struct SkillVersionRow {
    pub version: i64,
    pub note: Option<String>,
    pub made_by: String,
    pub made_at: Instant,
    pub is_current: bool,
}

impl SkillPage {
    pub fn problems(&self) -> Vec<Problem> {
        let fields = [
            ("name", self.name.error.as_ref()),
            ("description", self.description.error.as_ref()),
            ("system_prompt", self.system_prompt.error.as_ref()),
            ("service", self.service.error.as_ref()),
            ("file", self.file_error.as_ref()),
        ];
        problems(self.error.as_ref(), fields)
    }
}

/// `/skills/import`: posts `file` and `replace` to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "import_skill.html")]
pub struct ImportSkillPage {
    pub layout: Layout,
    pub replace: bool,
    /// Why the archive cannot be used.
    pub error: Option<String>,
}

impl ImportSkillPage {
    pub fn problems(&self) -> Vec<Problem> {
        problems(None, [("file", self.error.as_ref())])
    }
}
