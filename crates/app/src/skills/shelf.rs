//! The enabled skills of an organization as its callers see them: resources, and the entries of the
//! protocol's skills extension.

use crate::App;
use crate::admit::{fresh, last};
use crate::skills::format::SKILL_MD;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use quaymaster_core::door::Listed;
use quaymaster_core::id::{OrgId, SkillId};
use quaymaster_core::resource::{Body, Contents, ResourceDef, SkillDef, SkillFileDef, TemplateDef};
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::tool::{Era, JsonObject};
use quaymaster_core::{Caller, Fault, Grant, Scope};
use quaymaster_files::mime_by_name;
use quaymaster_store::skill::SkillFile;
use std::sync::Arc;

const SCHEME: &str = "skill://";
const A_PAGE: usize = 100;
/// What RFC 3986 §2.3 leaves alone, and the slash between the parts of a path.
const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'/');

/// An enabled skill.
pub(crate) struct Shelved {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) digest: String,
    /// Whole, in its order.
    frontmatter: JsonObject,
    pub(crate) files: Vec<SkillFile>,
}

/// What was read, and the versions that it was read of.
pub(crate) struct Shelf {
    pub(crate) skills: Vec<Shelved>,
    revisions: Vec<(SkillId, i64, bool)>,
}

impl Shelf {
    pub(crate) fn find(&self, name: &str) -> Result<&Shelved, Fault> {
        self.skills
            .iter()
            .find(|skill| skill.name == name)
            .ok_or_else(|| {
                let shown = quaymaster_core::schema::shorten(name);
                let known = self.skills.iter().map(|skill| skill.name.as_str());
                let close = did_you_mean(name, known, 3);
                Fault::not_found(format!(
                    "There is no skill {shown:?}, or it is not enabled."
                ))
                .detail("did_you_mean", close.clone())
                .hint("resources/list shows the skills that there are.")
                .meant(&close)
            })
    }
}

fn uri(skill: &str, path: &str) -> String {
    format!("{SCHEME}{skill}/{}", utf8_percent_encode(path, IN_PATH))
}

/// Skill and path of a URI; the skill alone means its `SKILL.md`.
fn parse(uri: &str) -> Option<(&str, String)> {
    let rest = uri.strip_prefix(SCHEME)?;
    let (skill, path) = rest.split_once('/').unwrap_or((rest, SKILL_MD));
    let path = percent_decode_str(path).decode_utf8().ok()?;
    (!skill.is_empty()).then(|| (skill, path.into_owned()))
}

fn nothing_at(uri: &str) -> Fault {
    let shown = quaymaster_core::schema::shorten(uri);
    Fault::not_found(format!("There is no resource {shown:?}."))
        .hint("resources/list shows which there are; a skill's files are skill://{skill}/{path}.")
}

impl Shelved {
    fn file(&self, path: &str) -> Result<&SkillFile, Fault> {
        self.files
            .iter()
            .find(|file| file.path == path)
            .ok_or_else(|| {
                let close = did_you_mean(path, self.files.iter().map(|file| &*file.path), 3);
                let close: Vec<String> = close.iter().map(|path| uri(&self.name, path)).collect();
                nothing_at(&uri(&self.name, path)).meant(&close)
            })
    }

    fn resource(&self, era: Era) -> ResourceDef {
        let skill_md = self.files.iter().find(|file| file.path == SKILL_MD);
        ResourceDef {
            uri: match era {
                Era::Session => format!("{SCHEME}{}", self.name),
                Era::Stateless => uri(&self.name, SKILL_MD),
            },
            name: self.name.clone(),
            title: None,
            description: Some(self.description.clone()),
            mime: Some("text/markdown".to_owned()),
            size: skill_md.map(|file| file.size.cast_unsigned()),
        }
    }

    fn entry(&self) -> SkillDef {
        let files = self.files.iter().map(|file| SkillFileDef {
            uri: uri(&self.name, &file.path),
            digest: format!("sha256:{}", file.sha256),
            size: file.size.cast_unsigned(),
        });
        SkillDef {
            uri: uri(&self.name, SKILL_MD),
            frontmatter: self.frontmatter.clone(),
            files: files.collect(),
        }
    }
}

/// By what clients show a file, and what they run it with.
pub(crate) fn mime_of(path: &str, bytes: &[u8]) -> String {
    let otherwise = || match std::str::from_utf8(bytes) {
        Ok(_) => "text/plain".to_owned(),
        Err(_) => "application/octet-stream".to_owned(),
    };
    mime_by_name(path).unwrap_or_else(otherwise)
}

pub(crate) fn sees_skills(caller: &Caller) -> bool {
    caller.has(&Grant::Skills) && caller.scopes.has(Scope::ReadData)
}

impl App {
    pub(crate) async fn shelf_of(&self, caller: &Caller) -> Result<Arc<Shelf>, Fault> {
        if !caller.has(&Grant::Skills) {
            return Err(Fault::not_found("This credential sees no skills."));
        }
        caller.needs(Scope::ReadData)?;
        self.shelf(&caller.org).await
    }

    /// The enabled skills of an organization, believed for half a second.
    pub(crate) async fn shelf(&self, org: &OrgId) -> Result<Arc<Shelf>, Fault> {
        let map = &self.callers.shelves;
        if let Some(known) = fresh(map, org) {
            return Ok(known);
        }
        let before = self.callers.generation();
        let revisions = self.store.skill_revisions(org).await?;
        let same = last(map, org).filter(|known: &Arc<Shelf>| known.revisions == revisions);
        let shelf = match same {
            Some(same) => same,
            None => Arc::new(self.read_shelf(org, revisions).await?),
        };
        self.callers
            .remember(map, before, org.clone(), shelf.clone());
        Ok(shelf)
    }

    async fn read_shelf(
        &self,
        org: &OrgId,
        revisions: Vec<(SkillId, i64, bool)>,
    ) -> Result<Shelf, Fault> {
        let enabled = revisions.iter().any(|(_, _, enabled)| *enabled);
        let mut skills = Vec::new();
        for skill in if enabled {
            self.store.skills(org).await?
        } else {
            Vec::new()
        } {
            if !skill.enabled {
                continue;
            }
            let files = self
                .store
                .skill_files(org, &skill.id, skill.version)
                .await?;
            let frontmatter =
                serde_json::from_str(&skill.current.frontmatter).map_err(|error| {
                    tracing::error!(%error, skill = skill.name, "a frontmatter does not read");
                    Fault::internal()
                })?;
            skills.push(Shelved {
                name: skill.name,
                description: skill.current.description,
                digest: skill.current.digest,
                frontmatter,
                files,
            });
        }
        Ok(Shelf { skills, revisions })
    }

    pub(crate) async fn skill_resources(
        &self,
        caller: &Caller,
        era: Era,
        cursor: Option<&str>,
    ) -> Result<Listed<ResourceDef>, Fault> {
        let shelf = self.shelf_of(caller).await?;
        Ok(page(&shelf, cursor, |skill| skill.resource(era)))
    }

    pub(crate) async fn skill_templates(&self, caller: &Caller) -> Result<Vec<TemplateDef>, Fault> {
        self.shelf_of(caller).await?;
        Ok(vec![TemplateDef {
            uri_template: format!("{SCHEME}{{skill_id}}/{{+path}}"),
            name: "skill-file".to_owned(),
            title: Some("File of a skill".to_owned()),
            description: Some(
                "SKILL.md and the files beside it, for example below scripts/ and references/."
                    .to_owned(),
            ),
            mime: None,
        }])
    }

    pub(crate) async fn read_skill_resource(
        &self,
        caller: &Caller,
        uri: &str,
    ) -> Result<Vec<Contents>, Fault> {
        let shelf = self.shelf_of(caller).await?;
        let (skill, path) = parse(uri).ok_or_else(|| nothing_at(uri))?;
        let file = shelf.find(skill)?.file(&path)?;
        let bytes = self.store.skill_content(&caller.org, &file.sha256).await?;
        let bytes = bytes.ok_or_else(|| nothing_at(uri))?;
        let mime = mime_of(&path, &bytes);
        let body = match String::from_utf8(bytes) {
            Ok(text) => Body::Text(text),
            Err(error) => Body::Blob(STANDARD.encode(error.as_bytes())),
        };
        Ok(vec![Contents {
            uri: uri.to_owned(),
            mime: Some(mime),
            body,
        }])
    }

    pub(crate) async fn skill_entries(
        &self,
        caller: &Caller,
        cursor: Option<&str>,
    ) -> Result<Listed<SkillDef>, Fault> {
        let shelf = self.shelf_of(caller).await?;
        Ok(page(&shelf, cursor, Shelved::entry))
    }

    pub(crate) async fn skill_entry(&self, caller: &Caller, uri: &str) -> Result<SkillDef, Fault> {
        let shelf = self.shelf_of(caller).await?;
        match parse(uri) {
            Some((skill, path)) if path == SKILL_MD => Ok(shelf.find(skill)?.entry()),
            _ => Err(nothing_at(uri)),
        }
    }
}

/// A page of the list by name; the cursor is the last name of the page before, so that a skill that
/// comes or goes meanwhile repeats or hides no other.
fn page<T>(shelf: &Shelf, cursor: Option<&str>, shown: impl Fn(&Shelved) -> T) -> Listed<T> {
    let behind = |skill: &&Shelved| cursor.is_none_or(|cursor| skill.name.as_str() > cursor);
    let mut left = shelf.skills.iter().filter(behind);
    let page: Vec<&Shelved> = left.by_ref().take(A_PAGE).collect();
    let next = left.next().and(page.last()).map(|skill| skill.name.clone());
    Listed {
        items: page.into_iter().map(shown).collect(),
        next,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_a_skill_and_a_file() {
        assert_eq!(parse("skill://a"), Some(("a", "SKILL.md".into())));
        assert_eq!(parse("skill://a/SKILL.md"), Some(("a", "SKILL.md".into())));
        assert_eq!(
            parse(&uri("a", "x y/ä?#%.md")),
            Some(("a", "x y/ä?#%.md".into()))
        );
        for none in ["", "skill://", "skill:///x", "file://a", "skill://a/%FF"] {
            assert_eq!(parse(none), None, "{none}");
        }
    }
}
