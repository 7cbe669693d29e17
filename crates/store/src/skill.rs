//! Skills of an organization: which there are, their versions, and the files of each version.
//!
//! A version never changes. Contents are kept once in an organization and written before the version
//! that has them, a few at a time, so that no transaction is long; [`Store::sweep`] takes those that
//! no version has.

use crate::clauses::Clauses;
use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, SkillId};

/// A skill with what its current version says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skill {
    pub id: SkillId,
    pub org: OrgId,
    /// Unique in the organization; never changes.
    pub name: String,
    pub enabled: bool,
    /// The version that is read, from 1.
    pub version: i64,
    pub created_at: Instant,
    pub updated_at: Instant,
    pub current: SkillVersion,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillVersion {
    pub version: i64,
    pub description: String,
    pub system_prompt: String,
    /// Key of the connector whose call the skill explains.
    pub service: Option<String>,
    /// The frontmatter of SKILL.md, a JSON object.
    pub frontmatter: String,
    /// Of paths and contents of all files; 64 hexadecimal digits.
    pub digest: String,
    pub note: Option<String>,
    /// Id of a person or credential, or `command line`.
    pub made_by: String,
    pub made_at: Instant,
}

/// A file of a version. The content is apart.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct SkillFile {
    /// From the skill's root, with `/`.
    pub path: String,
    /// 64 hexadecimal digits.
    pub sha256: String,
    /// In bytes.
    pub size: i64,
    pub executable: bool,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    name: String,
    enabled: bool,
    created_at: i64,
    updated_at: i64,
    #[sqlx(flatten)]
    current: VersionRow,
}

#[derive(sqlx::FromRow)]
struct VersionRow {
    version: i64,
    description: String,
    system_prompt: String,
    service: Option<String>,
    frontmatter: String,
    digest: String,
    note: Option<String>,
    made_by: String,
    made_at: i64,
}

impl From<VersionRow> for SkillVersion {
    fn from(row: VersionRow) -> Self {
        SkillVersion {
            version: row.version,
            description: row.description,
            system_prompt: row.system_prompt,
            service: row.service,
            frontmatter: row.frontmatter,
            digest: row.digest,
            note: row.note,
            made_by: row.made_by,
            made_at: Instant::from_micros(row.made_at),
        }
    }
}

impl TryFrom<Row> for Skill {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Skill {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            name: row.name,
            enabled: row.enabled,
            version: row.current.version,
            created_at: Instant::from_micros(row.created_at),
            updated_at: Instant::from_micros(row.updated_at),
            current: row.current.into(),
        })
    }
}

macro_rules! of_version {
    () => {
        "v.version, v.description, v.system_prompt, v.service, v.frontmatter, v.digest, v.note, v.made_by, v.made_at "
    };
}

macro_rules! with_version {
    () => {
        "skills s JOIN skill_versions v ON v.skill_id = s.id AND v.version = s.version "
    };
}

macro_rules! columns {
    () => {
        concat!(
            "SELECT s.id, s.org_id, s.name, s.enabled, s.created_at, s.updated_at, ",
            of_version!(),
            "FROM ",
            with_version!()
        )
    };
}

impl Store {
    /// All of an organization, by name.
    pub async fn skills(&self, org: &OrgId) -> Result<Vec<Skill>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE s.org_id = $1");
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(org.as_str()).fetch_all(pool).await?
        });
        let skills: Result<Vec<Skill>, StoreError> =
            rows.into_iter().map(Skill::try_from).collect();
        let mut skills = skills?;
        // By their bytes, as cursors are compared, whatever the locale of the database is.
        skills.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(skills)
    }

    /// A page of those with the words in their name, description or service, or of all, by name; and how
    /// many there are in all pages.
    pub async fn skills_page(
        &self,
        org: &OrgId,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<Skill>, i64), StoreError> {
        let mut clauses = Clauses::by("s.org_id", org);
        clauses.words(&["s.name", "v.description", "v.service"], words);
        let total = self.count_of(with_version!(), &clauses).await?;
        let page = self.page_of::<Row, _>(columns!(), clauses, "s.name", limit, offset);
        Ok((page.await?, total))
    }

    /// Ids, current versions and whether they are enabled: whether anything changed.
    pub async fn skill_revisions(
        &self,
        org: &OrgId,
    ) -> Result<Vec<(SkillId, i64, bool)>, StoreError> {
        const SQL: &str = "SELECT id, version, enabled FROM skills WHERE org_id = $1 ORDER BY name";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, (String, i64, bool)>(SQL)
                .bind(org.as_str())
                .fetch_all(pool)
                .await?
        });
        rows.into_iter()
            .map(|(skill, version, enabled)| Ok((id(&skill)?, version, enabled)))
            .collect()
    }

    pub async fn skill(&self, org: &OrgId, name: &str) -> Result<Option<Skill>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE s.org_id = $1 AND s.name = $2");
        self.row_of::<Row, _>(SQL, org, name).await
    }

    /// Newest first.
    pub async fn skill_versions(
        &self,
        org: &OrgId,
        skill: &SkillId,
    ) -> Result<Vec<SkillVersion>, StoreError> {
        const SQL: &str = concat!(
            "SELECT ",
            of_version!(),
            "FROM skill_versions v WHERE v.org_id = $1 AND v.skill_id = $2 ORDER BY v.version DESC"
        );
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, VersionRow>(SQL)
                .bind(org.as_str())
                .bind(skill.as_str())
                .fetch_all(pool)
                .await?
        });
        Ok(rows.into_iter().map(SkillVersion::from).collect())
    }

    /// The files of a version, by path.
    pub async fn skill_files(
        &self,
        org: &OrgId,
        skill: &SkillId,
        version: i64,
    ) -> Result<Vec<SkillFile>, StoreError> {
        const SQL: &str = "SELECT path, sha256, size, executable FROM skill_files \
             WHERE org_id = $1 AND skill_id = $2 AND version = $3 ORDER BY path";
        Ok(reading!(self, pool => {
            sqlx::query_as::<_, SkillFile>(SQL)
                .bind(org.as_str())
                .bind(skill.as_str())
                .bind(version)
                .fetch_all(pool)
                .await?
        }))
    }

    pub async fn skill_content(
        &self,
        org: &OrgId,
        sha256: &str,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        const SQL: &str = "SELECT bytes FROM skill_contents WHERE org_id = $1 AND sha256 = $2";
        Ok(reading!(self, pool => {
            sqlx::query_scalar::<_, Vec<u8>>(SQL)
                .bind(org.as_str())
                .bind(sha256)
                .fetch_optional(pool)
                .await?
        }))
    }
}

impl Tx {
    /// Writes a content, or says that it is wanted still: it is safe from the sweep for a day.
    pub async fn put_skill_content(
        &mut self,
        org: &OrgId,
        sha256: &str,
        bytes: &[u8],
        now: Instant,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO skill_contents (org_id, sha256, bytes, written_at) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (org_id, sha256) DO UPDATE SET written_at = excluded.written_at";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(sha256)
                .bind(bytes)
                .bind(now.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// How many skills the organization has.
    pub async fn count_skills(&mut self, org: &OrgId) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM skills WHERE org_id = $1";
        Ok(within!(self, conn => {
            sqlx::query_scalar::<_, i64>(SQL).bind(org.as_str()).fetch_one(conn).await?
        }))
    }

    pub async fn add_skill(
        &mut self,
        skill: &Skill,
        files: &[SkillFile],
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO skills (id, org_id, name, enabled, version, created_at, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(skill.id.as_str())
                .bind(skill.org.as_str())
                .bind(&skill.name)
                .bind(skill.enabled)
                .bind(skill.version)
                .bind(skill.created_at.micros())
                .bind(skill.updated_at.micros())
                .execute(conn)
                .await?;
        });
        self.add_version(&skill.org, &skill.id, &skill.current, files)
            .await
    }

    /// Makes `version` the current one, if the current one is still the one before it.
    pub async fn add_skill_version(
        &mut self,
        org: &OrgId,
        skill: &SkillId,
        version: &SkillVersion,
        files: &[SkillFile],
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE skills SET version = $3, updated_at = $4 \
             WHERE org_id = $1 AND id = $2 AND version = $3 - 1";
        let moved = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(skill.as_str())
                .bind(version.version)
                .bind(version.made_at.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        if moved == 1 {
            self.add_version(org, skill, version, files).await?;
        }
        Ok(moved == 1)
    }

    async fn add_version(
        &mut self,
        org: &OrgId,
        skill: &SkillId,
        version: &SkillVersion,
        files: &[SkillFile],
    ) -> Result<(), StoreError> {
        const VERSION: &str = "INSERT INTO skill_versions (skill_id, org_id, version, description, system_prompt, \
             service, frontmatter, digest, note, made_by, made_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
        const FILE: &str = "INSERT INTO skill_files (skill_id, version, org_id, path, sha256, size, executable) \
             VALUES ($1, $2, $3, $4, $5, $6, $7)";
        within!(self, conn => {
            sqlx::query(VERSION)
                .bind(skill.as_str())
                .bind(org.as_str())
                .bind(version.version)
                .bind(&version.description)
                .bind(&version.system_prompt)
                .bind(&version.service)
                .bind(&version.frontmatter)
                .bind(&version.digest)
                .bind(&version.note)
                .bind(&version.made_by)
                .bind(version.made_at.micros())
                .execute(&mut *conn)
                .await?;
            for file in files {
                sqlx::query(FILE)
                    .bind(skill.as_str())
                    .bind(version.version)
                    .bind(org.as_str())
                    .bind(&file.path)
                    .bind(&file.sha256)
                    .bind(file.size)
                    .bind(file.executable)
                    .execute(&mut *conn)
                    .await?;
            }
        });
        Ok(())
    }

    /// Forgets versions up to `version`.
    pub async fn forget_skill_versions(
        &mut self,
        org: &OrgId,
        skill: &SkillId,
        version: i64,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "DELETE FROM skill_versions WHERE org_id = $1 AND skill_id = $2 AND version <= $3";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(skill.as_str())
                .bind(version)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// `false` when there is no such skill, or it was so already.
    pub async fn enable_skill(
        &mut self,
        org: &OrgId,
        name: &str,
        enabled: bool,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE skills SET enabled = $3, updated_at = $4 \
             WHERE org_id = $1 AND name = $2 AND enabled <> $3";
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(name)
                .bind(enabled)
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// `false` when there is no such skill. Its versions go with it.
    pub async fn delete_skill(&mut self, org: &OrgId, name: &str) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM skills WHERE org_id = $1 AND name = $2";
        self.of_one(SQL, org, name).await
    }
}
