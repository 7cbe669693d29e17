//! Making a version: what is in it is checked as a whole, rendered, and committed at once.

use super::archive::Packed;
use super::format::{self, Document, MOST_BYTES, MOST_FILES, SKILL_MD, Service};
use super::{SkillFile, SkillVersion, changed_meanwhile};
use crate::App;
use crate::actor::Admin;
use crate::wired::duplicate_or;
use quaymaster_connectors::passport::describe;
use quaymaster_connectors::resolve;
use quaymaster_core::id::{OrgId, SkillId};
use quaymaster_core::tool::JsonObject;
use quaymaster_core::{Code, Fault, hex};
use quaymaster_store::skill::Skill;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// Of one organization.
const MOST_SKILLS: i64 = 200;
/// Parts of addresses of ours, where the name of a skill stands too.
const RESERVED: [&str; 2] = ["import", "new"];
/// Of one skill; older ones are forgotten.
const MOST_VERSIONS: i64 = 100;
/// Contents that are written in one transaction, in bytes.
const AT_A_TIME: usize = 1 << 20;

/// A version before it is checked: what `SKILL.md` says, and files that are stored already.
pub(super) struct Draft {
    pub(super) document: Document,
    pub(super) files: Vec<SkillFile>,
    pub(super) note: Option<String>,
}

/// What a version says.
pub(super) fn document_of(name: &str, version: &SkillVersion) -> Result<Document, Fault> {
    let whole: JsonObject = serde_json::from_str(&version.frontmatter).map_err(|error| {
        tracing::error!(%error, skill = name, "a frontmatter does not read");
        Fault::internal()
    })?;
    Ok(format::from_parts(
        name,
        &version.description,
        &version.system_prompt,
        whole,
    ))
}

fn file_of(packed: &Packed) -> SkillFile {
    SkillFile {
        path: packed.path.clone(),
        sha256: hex(&Sha256::digest(&packed.bytes)),
        size: packed.bytes.len() as i64,
        executable: packed.executable,
    }
}

fn digest_of(files: &[SkillFile]) -> String {
    let mut hash = Sha256::new();
    for file in files {
        hash.update(format!(
            "{}\0{}\0{}\n",
            file.path, file.sha256, file.executable
        ));
    }
    hex(&hash.finalize())
}

impl App {
    /// The current version, to be changed.
    pub(super) async fn draft_of(&self, admin: &Admin, skill: &Skill) -> Result<Draft, Fault> {
        let files = self
            .store
            .skill_files(&admin.org, &skill.id, skill.version)
            .await?;
        Ok(Draft {
            document: document_of(&skill.name, &skill.current)?,
            files: files
                .into_iter()
                .filter(|file| file.path != SKILL_MD)
                .collect(),
            note: None,
        })
    }

    pub(super) async fn save_new_skill(
        &self,
        admin: &Admin,
        draft: Draft,
        packed: Vec<Packed>,
        enabled: bool,
        action: &str,
    ) -> Result<(), Fault> {
        format::check_name(&draft.document.name)?;
        let name = draft.document.name.clone();
        if RESERVED.contains(&name.as_str()) {
            let message =
                format!("{name:?} is an address of ours, so no skill can have that name.");
            return Err(Fault::invalid_arg("/name", "not", message).hint("Choose another name."));
        }
        let taken = || {
            Fault::new(
                Code::AlreadyExists,
                format!("There is a skill {name:?} already."),
            )
            .hint("Choose another name, or change that one.")
        };
        if self.store.skill(&admin.org, &name).await?.is_some() {
            return Err(taken());
        }
        let (version, files) = self.finished(admin, draft, packed, 1).await?;
        let skill = Skill {
            id: SkillId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            name: name.clone(),
            enabled,
            version: 1,
            created_at: version.made_at,
            updated_at: version.made_at,
            current: version,
        };
        let mut tx = self.store.begin().await?;
        tx.lock_organization(&admin.org).await?;
        if tx.count_skills(&admin.org).await? >= MOST_SKILLS {
            return Err(Fault::new(
                Code::QuotaExceeded,
                format!("The organization has {MOST_SKILLS} skills, and no more fit."),
            )
            .hint("Delete one that nobody uses."));
        }
        tx.add_skill(&skill, &files)
            .await
            .map_err(|error| duplicate_or(error, taken))?;
        let details = json!({ "skill": name, "version": 1, "enabled": enabled });
        let event = self.event(&admin.org, &admin.label, action, details);
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    pub(super) async fn save_skill_version(
        &self,
        admin: &Admin,
        skill: &Skill,
        draft: Draft,
        packed: Vec<Packed>,
        action: &str,
    ) -> Result<(), Fault> {
        let (version, files) = self
            .finished(admin, draft, packed, skill.version + 1)
            .await?;
        self.commit_skill_version(admin, skill, &version, &files, action)
            .await
    }

    pub(super) async fn commit_skill_version(
        &self,
        admin: &Admin,
        skill: &Skill,
        version: &SkillVersion,
        files: &[SkillFile],
        action: &str,
    ) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        let is_next = tx
            .add_skill_version(&admin.org, &skill.id, version, files)
            .await?;
        if !is_next {
            return Err(changed_meanwhile(skill.version + 1));
        }
        tx.forget_skill_versions(&admin.org, &skill.id, version.version - MOST_VERSIONS)
            .await?;
        let details =
            json!({ "skill": skill.name, "version": version.version, "note": version.note });
        let event = self.event(&admin.org, &admin.label, action, details);
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    /// Checks everything, renders `SKILL.md` and stores the contents, which no version has yet.
    async fn finished(
        &self,
        admin: &Admin,
        mut draft: Draft,
        mut packed: Vec<Packed>,
        number: i64,
    ) -> Result<(SkillVersion, Vec<SkillFile>), Fault> {
        format::check(&draft.document)?;
        let service = match draft.document.service.take() {
            Some(name) => Some(self.service_of_skill(&admin.org, &name).await?),
            None => None,
        };
        draft.document.service = service.as_ref().map(|service| service.key.clone());
        let skill_md = format::render(&draft.document, service.as_ref());
        packed.push(Packed {
            path: SKILL_MD.to_owned(),
            bytes: skill_md.into_bytes(),
            executable: false,
        });
        let mut files = draft.files;
        files.extend(packed.iter().map(file_of));
        files.sort_by(|a, b| a.path.cmp(&b.path));
        format::check_paths(files.iter().map(|file| file.path.as_str()))?;
        let bytes: i64 = files.iter().map(|file| file.size).sum();
        if files.len() > MOST_FILES || bytes > MOST_BYTES as i64 {
            return Err(Fault::new(
                Code::TooLarge,
                "A skill has at most 512 files and 16 MiB, SKILL.md included.",
            )
            .detail("files", files.len())
            .detail("bytes", bytes));
        }
        self.store_contents(&admin.org, &files, &packed).await?;
        let frontmatter = Value::Object(format::frontmatter_of(&draft.document));
        let version = SkillVersion {
            version: number,
            description: draft.document.description,
            system_prompt: draft.document.system_prompt,
            service: draft.document.service,
            frontmatter: frontmatter.to_string(),
            digest: digest_of(&files),
            note: draft.note,
            made_by: admin.label.clone(),
            made_at: self.now(),
        };
        Ok((version, files))
    }

    /// A few at a time, so that no transaction is long; the sweep takes them when no version follows.
    async fn store_contents(
        &self,
        org: &OrgId,
        files: &[SkillFile],
        packed: &[Packed],
    ) -> Result<(), Fault> {
        let mut left = packed.iter().peekable();
        while left.peek().is_some() {
            let mut tx = self.store.begin().await?;
            let mut room = AT_A_TIME;
            while let Some(file) =
                left.next_if(|file| room == AT_A_TIME || file.bytes.len() <= room)
            {
                room = room.saturating_sub(file.bytes.len().max(1));
                let known = files.iter().find(|one| one.path == file.path);
                let sha256 = known.map_or_else(|| file_of(file).sha256, |one| one.sha256.clone());
                tx.put_skill_content(org, &sha256, &file.bytes, self.now())
                    .await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// The connector that a skill is bound to, with an example of a call.
    async fn service_of_skill(&self, org: &OrgId, name: &str) -> Result<Service, Fault> {
        let catalog = self.catalog_of(org).await?;
        let key = resolve::service(name, catalog.keys())?.key;
        let definition = self.definition(org, &key).await?;
        let passport = describe(&definition, None)?;
        let recipes = crate::connectors::recipes(&passport);
        let mut example = json!({ "service": key });
        if let Some(recipe) = recipes.into_iter().next() {
            example["module"] = json!(recipe.module);
            match recipe.call.split_once(' ') {
                Some((verb, path)) => {
                    example["method"] = json!(verb);
                    example["path"] = json!(path);
                }
                None => example["method"] = json!(recipe.call),
            }
            for (part, value) in [("query", recipe.query), ("body", recipe.body)] {
                if let Some(value) = value {
                    example[part] = value;
                }
            }
        } else {
            example["method"] = json!("GET");
            example["path"] = json!("/");
        }
        Ok(Service {
            title: definition.title.clone(),
            key,
            example,
        })
    }
}
