//! What callers read by URI: skills, then documents.

use crate::App;
use crate::documents::{has_resources, knowledge_templates};
use crate::skills::shelf::sees_skills;
use quaymaster_core::door::{Fut, Listed, Offers};
use quaymaster_core::resource::{Contents, ResourceDef, TemplateDef};
use quaymaster_core::tool::Era;
use quaymaster_core::{Caller, Fault};

/// In front of cursors of documents; those of skills have none.
const DOCUMENTS: &str = "documents:";

impl App {
    /// What there is for a caller besides tools.
    pub(crate) fn offers(caller: &Caller) -> Offers {
        let skills = sees_skills(caller);
        Offers {
            resources: skills || has_resources(caller),
            skills,
            ..Offers::default()
        }
    }

    /// All skills, and documents in what room a page has behind them.
    pub(crate) async fn resources_of(
        &self,
        caller: &Caller,
        era: Era,
        cursor: Option<&str>,
    ) -> Result<Listed<ResourceDef>, Fault> {
        let of_documents = cursor.and_then(|cursor| cursor.strip_prefix(DOCUMENTS));
        let mut listed = if of_documents.is_some() || !sees_skills(caller) {
            Listed::all(Vec::new())
        } else {
            self.skill_resources(caller, era, cursor).await?
        };
        if listed.next.is_some() || !has_resources(caller) {
            return Ok(listed);
        }
        let documents = self.knowledge_resources(caller, of_documents).await?;
        listed.items.extend(documents.items);
        listed.next = documents.next.map(|next| format!("{DOCUMENTS}{next}"));
        Ok(listed)
    }

    pub(crate) fn templates_of<'a>(
        &'a self,
        caller: &'a Caller,
    ) -> Fut<'a, Result<Listed<TemplateDef>, Fault>> {
        Box::pin(async move {
            let mut all = Vec::new();
            if sees_skills(caller) {
                all.extend(self.skill_templates(caller).await?);
            }
            if has_resources(caller) {
                all.extend(knowledge_templates(caller)?);
            }
            Ok(Listed::all(all))
        })
    }

    pub(crate) async fn read_resource(
        &self,
        caller: &Caller,
        uri: &str,
    ) -> Result<Vec<Contents>, Fault> {
        if uri.starts_with("drive://") {
            return self.knowledge_read(caller, uri).await;
        }
        self.read_skill_resource(caller, uri).await
    }
}
