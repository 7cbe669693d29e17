//! What is in a skill, for programs that read files.

use super::shelf::Shelved;
use crate::App;
use quaymaster_core::Fault;
use quaymaster_core::id::OrgId;

/// A file of a skill.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SkillContent {
    /// Below the skill's folder.
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) executable: bool,
}

impl App {
    /// `SKILL.md` and the files beside it.
    pub(crate) async fn skill_contents(
        &self,
        org: &OrgId,
        skill: &Shelved,
    ) -> Result<Vec<SkillContent>, Fault> {
        let mut files = Vec::with_capacity(skill.files.len());
        for file in &skill.files {
            let bytes = self.store.skill_content(org, &file.sha256).await?;
            files.push(SkillContent {
                path: file.path.clone(),
                bytes: bytes.ok_or_else(|| {
                    tracing::error!(skill = skill.name, path = file.path, "a content is missing");
                    Fault::internal()
                })?,
                executable: file.executable,
            });
        }
        Ok(files)
    }
}
