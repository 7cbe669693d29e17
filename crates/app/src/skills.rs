//! An organization's skills: instructions with scripts, in the open Agent Skills format, which every
//! caller with the scope `read:data` sees as resources.
//!
//! `SKILL.md` is rendered once, when a version is saved, and its bytes are kept: clients that checked
//! a digest are not asked again because the program changed. A version never changes; restoring one
//! makes a new one with the same bytes.

pub mod archive;
mod contents;
pub mod format;
mod saving;
pub(crate) mod shelf;

pub use quaymaster_store::skill::{SkillFile, SkillVersion};

use crate::App;
use crate::actor::{Actor, Admin};
use archive::Packed;
use format::{Document, SKILL_MD};
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::tool::JsonObject;
use quaymaster_core::{Code, Fault, Instant};
use quaymaster_store::skill::Skill;
use saving::Draft;
use serde_json::json;

/// A skill in a list.
#[derive(Debug, Clone)]
pub struct SkillRow {
    pub name: String,
    pub description: String,
    /// Key of the connector whose call it explains.
    pub service: Option<String>,
    pub enabled: bool,
    pub version: i64,
    /// Of paths and contents of all files; 64 hexadecimal digits.
    pub digest: String,
    pub created_at: Instant,
    pub updated_at: Instant,
    /// Who made the current version: an id, or `command line`.
    pub made_by: String,
}

#[derive(Debug, Clone)]
pub struct SkillInFull {
    pub row: SkillRow,
    pub system_prompt: String,
    /// Without name, description and what binds the service.
    pub frontmatter: JsonObject,
    /// By path, `SKILL.md` included.
    pub files: Vec<SkillFile>,
}

/// A skill that somebody writes.
#[derive(Debug, Clone, Default)]
pub struct NewSkill {
    pub document: Document,
    pub enabled: bool,
}

/// What shall be different; what is absent stays.
#[derive(Debug, Clone, Default)]
pub struct SkillChange {
    pub description: Option<String>,
    pub system_prompt: Option<String>,
    /// `Some(None)` binds no service.
    pub service: Option<Option<String>>,
    pub frontmatter: Option<JsonObject>,
    pub enabled: Option<bool>,
    /// The version that was read; another one by now refuses the change.
    pub if_version: Option<i64>,
}

/// How an archive becomes a skill.
#[derive(Debug, Clone, Default)]
pub struct Import {
    pub archive: Vec<u8>,
    /// Instead of what `SKILL.md` says; empty binds none.
    pub service: Option<String>,
    /// The skill of that name, if there is one, gets a new version.
    pub replace: bool,
    pub enabled: bool,
}

fn row(skill: Skill) -> SkillRow {
    SkillRow {
        name: skill.name,
        description: skill.current.description,
        service: skill.current.service,
        enabled: skill.enabled,
        version: skill.version,
        digest: skill.current.digest,
        created_at: skill.created_at,
        updated_at: skill.updated_at,
        made_by: skill.current.made_by,
    }
}

fn changed_meanwhile(now: i64) -> Fault {
    Fault::new(
        Code::PreconditionFailed,
        "Somebody else has changed the skill meanwhile.",
    )
    .hint("Read it again, and change it as it is now.")
    .detail("version", now)
}

fn no_version(version: i64) -> Fault {
    Fault::not_found(format!("The skill has no version {version}."))
        .hint("List its versions; the last 100 are kept.")
}

impl App {
    /// By name.
    pub async fn skills(&self, actor: &Actor) -> Result<Vec<SkillRow>, Fault> {
        let all = self.store.skills(&actor.org).await?;
        Ok(all.into_iter().map(row).collect())
    }

    /// A page of those with the words in their name, description or service, or of all, by name; and how
    /// many there are in all pages.
    pub async fn skills_page(
        &self,
        actor: &Actor,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<SkillRow>, i64), Fault> {
        let page = self.store.skills_page(&actor.org, words, limit, offset);
        let (page, total) = page.await?;
        Ok((page.into_iter().map(row).collect(), total))
    }

    pub async fn skill(&self, actor: &Actor, name: &str) -> Result<SkillInFull, Fault> {
        let skill = self.named_skill(actor, name).await?;
        let files = self
            .store
            .skill_files(&actor.org, &skill.id, skill.version)
            .await?;
        let document = saving::document_of(&skill.name, &skill.current)?;
        Ok(SkillInFull {
            system_prompt: document.system_prompt,
            frontmatter: document.frontmatter,
            row: row(skill),
            files,
        })
    }

    /// A skill of the organization, whether it is enabled or not.
    async fn named_skill(&self, actor: &Actor, name: &str) -> Result<Skill, Fault> {
        if let Some(found) = self.store.skill(&actor.org, name).await? {
            return Ok(found);
        }
        let all = self.store.skills(&actor.org).await?;
        let close = did_you_mean(name, all.iter().map(|skill| &*skill.name), 3);
        let shown = quaymaster_core::schema::shorten(name);
        Err(Fault::not_found(format!("There is no skill {shown:?}."))
            .hint("List the skills to see which there are.")
            .meant(&close))
    }

    pub async fn add_skill(&self, admin: &Admin, new: NewSkill) -> Result<SkillInFull, Fault> {
        let draft = Draft {
            document: new.document,
            files: Vec::new(),
            note: None,
        };
        let name = draft.document.name.clone();
        self.save_new_skill(admin, draft, Vec::new(), new.enabled, "skill.created")
            .await?;
        self.skill(admin, &name).await
    }

    pub async fn update_skill(
        &self,
        admin: &Admin,
        name: &str,
        change: SkillChange,
    ) -> Result<SkillInFull, Fault> {
        let skill = self.named_skill(admin, name).await?;
        if change
            .if_version
            .is_some_and(|version| version != skill.version)
        {
            return Err(changed_meanwhile(skill.version));
        }
        let mut draft = self.draft_of(admin, &skill).await?;
        let before = draft.document.clone();
        let document = &mut draft.document;
        change.description.put_into(&mut document.description);
        change.system_prompt.put_into(&mut document.system_prompt);
        change.service.put_into(&mut document.service);
        change.frontmatter.put_into(&mut document.frontmatter);
        if *document != before {
            self.save_skill_version(admin, &skill, draft, Vec::new(), "skill.updated")
                .await?;
        }
        if let Some(enabled) = change.enabled {
            self.enable_skill(admin, name, enabled).await?;
        }
        self.skill(admin, name).await
    }

    async fn enable_skill(&self, admin: &Admin, name: &str, enabled: bool) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        if tx
            .enable_skill(&admin.org, name, enabled, self.now())
            .await?
        {
            let action = if enabled {
                "skill.enabled"
            } else {
                "skill.disabled"
            };
            let event = self.event(&admin.org, &admin.label, action, json!({ "skill": name }));
            tx.record(&event).await?;
            tx.commit().await?;
            self.changed().await;
        }
        Ok(())
    }

    pub async fn delete_skill(&self, admin: &Admin, name: &str) -> Result<(), Fault> {
        let skill = self.named_skill(admin, name).await?;
        let mut tx = self.store.begin().await?;
        if !tx.delete_skill(&admin.org, &skill.name).await? {
            return Err(Fault::not_found("The skill is gone already."));
        }
        let details = json!({ "skill": skill.name, "version": skill.version });
        let event = self.event(&admin.org, &admin.label, "skill.deleted", details);
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    /// Newest first.
    pub async fn skill_versions(
        &self,
        actor: &Actor,
        name: &str,
    ) -> Result<Vec<SkillVersion>, Fault> {
        let skill = self.named_skill(actor, name).await?;
        Ok(self.store.skill_versions(&actor.org, &skill.id).await?)
    }

    /// Makes a new version with the bytes of an old one.
    pub async fn restore_skill_version(
        &self,
        admin: &Admin,
        name: &str,
        version: i64,
    ) -> Result<SkillInFull, Fault> {
        let skill = self.named_skill(admin, name).await?;
        let versions = self.store.skill_versions(&admin.org, &skill.id).await?;
        let old = versions.into_iter().find(|one| one.version == version);
        let old = old.ok_or_else(|| no_version(version))?;
        let files = self
            .store
            .skill_files(&admin.org, &skill.id, version)
            .await?;
        let again = SkillVersion {
            version: skill.version + 1,
            note: Some(format!("restored version {version}")),
            made_by: admin.label.clone(),
            made_at: self.now(),
            ..old
        };
        self.commit_skill_version(admin, &skill, &again, &files, "skill.restored")
            .await?;
        self.skill(admin, name).await
    }

    /// A file of the current version, with its media type.
    pub async fn skill_file(
        &self,
        actor: &Actor,
        name: &str,
        path: &str,
    ) -> Result<(SkillFile, String, Vec<u8>), Fault> {
        let skill = self.skill(actor, name).await?;
        let close = did_you_mean(path, skill.files.iter().map(|file| &*file.path), 3);
        let file = skill.files.into_iter().find(|file| file.path == path);
        let missing = || {
            let shown = quaymaster_core::schema::shorten(path);
            Fault::not_found(format!("The skill has no file {shown:?}.")).meant(&close)
        };
        let file = file.ok_or_else(missing)?;
        let bytes = self.store.skill_content(&actor.org, &file.sha256).await?;
        let bytes = bytes.ok_or_else(missing)?;
        let mime = shelf::mime_of(path, &bytes);
        Ok((file, mime, bytes))
    }

    /// Writes a file into a skill, over what is at the path.
    pub async fn put_skill_file(
        &self,
        admin: &Admin,
        name: &str,
        file: Packed,
    ) -> Result<SkillInFull, Fault> {
        is_beside_skill_md(&file.path)?;
        let skill = self.named_skill(admin, name).await?;
        let mut draft = self.draft_of(admin, &skill).await?;
        draft.files.retain(|one| one.path != file.path);
        draft.note = Some(format!("wrote {}", file.path));
        self.save_skill_version(admin, &skill, draft, vec![file], "skill.updated")
            .await?;
        self.skill(admin, name).await
    }

    pub async fn delete_skill_file(
        &self,
        admin: &Admin,
        name: &str,
        path: &str,
    ) -> Result<SkillInFull, Fault> {
        is_beside_skill_md(path)?;
        let skill = self.named_skill(admin, name).await?;
        let mut draft = self.draft_of(admin, &skill).await?;
        let before = draft.files.len();
        draft.files.retain(|one| one.path != path);
        if draft.files.len() == before {
            let shown = quaymaster_core::schema::shorten(path);
            return Err(Fault::not_found(format!(
                "The skill has no file {shown:?}."
            )));
        }
        draft.note = Some(format!("deleted {path}"));
        self.save_skill_version(admin, &skill, draft, Vec::new(), "skill.updated")
            .await?;
        self.skill(admin, name).await
    }

    /// Takes in the folder of a skill as a zip archive.
    pub async fn import_skill(&self, admin: &Admin, import: Import) -> Result<SkillInFull, Fault> {
        let archive = import.archive;
        let mut packed = crate::homes::blocking(move || archive::unpack(&archive)).await?;
        let at = packed.iter().position(|file| file.path == SKILL_MD);
        let skill_md = at
            .map(|at| packed.swap_remove(at))
            .ok_or_else(Fault::internal)?;
        let text = String::from_utf8(skill_md.bytes)
            .map_err(|_| Fault::new(Code::InvalidArg, "SKILL.md is not UTF-8."))?;
        let mut document = format::read(&text)?;
        if let Some(service) = import.service {
            document.service = (!service.is_empty()).then_some(service);
        }
        format::check_name(&document.name)?;
        let name = document.name.clone();
        let mut draft = Draft {
            document,
            files: Vec::new(),
            note: Some("imported".to_owned()),
        };
        match self.store.skill(&admin.org, &name).await? {
            Some(skill) if import.replace => {
                draft.note = Some("imported over the version before".to_owned());
                self.save_skill_version(admin, &skill, draft, packed, "skill.imported")
                    .await?;
            }
            _ => {
                self.save_new_skill(admin, draft, packed, import.enabled, "skill.imported")
                    .await?;
            }
        }
        self.skill(admin, &name).await
    }

    /// The folder of a skill as a zip archive.
    pub async fn export_skill(&self, actor: &Actor, name: &str) -> Result<Vec<u8>, Fault> {
        let skill = self.skill(actor, name).await?;
        let packed = self.skill_contents(&actor.org, &skill.files).await?;
        let name = name.to_owned();
        crate::homes::blocking(move || archive::pack(&name, &packed)).await
    }
}

fn is_beside_skill_md(path: &str) -> Result<(), Fault> {
    if path.eq_ignore_ascii_case(SKILL_MD) {
        return Err(Fault::invalid_arg(
            "/path",
            "pattern",
            "SKILL.md is made from the description and the system prompt.",
        )
        .hint("Change those instead."));
    }
    Ok(())
}

/// Puts what is there in the place of what was.
trait PutInto<T> {
    fn put_into(self, place: &mut T);
}

impl<T> PutInto<T> for Option<T> {
    fn put_into(self, place: &mut T) {
        if let Some(what) = self {
            *place = what;
        }
    }
}
