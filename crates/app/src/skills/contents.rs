//! What is in a skill's files.

use super::SkillFile;
use super::archive::Packed;
use crate::App;
use quaymaster_core::Fault;
use quaymaster_core::id::OrgId;

impl App {
    pub(crate) async fn skill_contents(
        &self,
        org: &OrgId,
        files: &[SkillFile],
    ) -> Result<Vec<Packed>, Fault> {
        let mut packed = Vec::with_capacity(files.len());
        for file in files {
            let bytes = self.store.skill_content(org, &file.sha256).await?;
            packed.push(Packed {
                path: file.path.clone(),
                bytes: bytes.ok_or_else(|| {
                    tracing::error!(path = file.path, "a skill's content is missing");
                    Fault::internal()
                })?,
                executable: file.executable,
            });
        }
        Ok(packed)
    }
}
