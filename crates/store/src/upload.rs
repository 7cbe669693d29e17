//! Upload sessions and their parts. The bytes are files; this is what is known of them.

use crate::db::{Store, StoreError, Tx, id};
use crate::document::DocumentUsage;
use quaymaster_core::Instant;
use quaymaster_core::id::{CredentialId, OrgId, UploadId, UserId, WorkspaceId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UploadState {
    Open,
    /// The file is being moved into place; a restart finishes or repeats it.
    Completing,
    Completed,
    Aborted,
    Expired,
}

impl UploadState {
    pub const fn name(self) -> &'static str {
        match self {
            UploadState::Open => "open",
            UploadState::Completing => "completing",
            UploadState::Completed => "completed",
            UploadState::Aborted => "aborted",
            UploadState::Expired => "expired",
        }
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        [
            UploadState::Open,
            UploadState::Completing,
            UploadState::Completed,
            UploadState::Aborted,
            UploadState::Expired,
        ]
        .into_iter()
        .find(|state| state.name() == name)
        .ok_or_else(|| StoreError::Corrupt(format!("upload state {name:?}")))
    }
}

/// What the bytes of a session become, and who sends them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A file of a workspace.
    File {
        workspace: WorkspaceId,
        credential: CredentialId,
    },
    /// A document of the organization.
    Document { user: UserId, title: String },
}

#[derive(Debug, Clone)]
pub struct Upload {
    pub id: UploadId,
    pub org: OrgId,
    pub destination: Destination,
    pub path: String,
    /// Bytes of the whole file, of each part but the last, and number of parts.
    pub size: i64,
    pub part_size: i64,
    pub part_count: i64,
    pub mime: Option<String>,
    /// What the creator said the file will have, 64 hexadecimal digits.
    pub sha256: Option<String>,
    pub overwrite: bool,
    pub if_match: Option<String>,
    pub idempotency_key: Option<String>,
    pub state: UploadState,
    pub created_at: Instant,
    pub expires_at: Instant,
    /// The digest found at completion, written before the file moves into place.
    pub final_sha256: Option<String>,
    /// The answer of the completion, as JSON; of a document, its id.
    pub result: Option<String>,
}

/// A part that has arrived whole.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct UploadPart {
    pub n: i64,
    pub size: i64,
    pub sha256: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    workspace_id: Option<String>,
    credential_id: Option<String>,
    user_id: Option<String>,
    title: Option<String>,
    path: String,
    size: i64,
    part_size: i64,
    part_count: i64,
    mime: Option<String>,
    sha256: Option<String>,
    overwrite: bool,
    if_match: Option<String>,
    idempotency_key: Option<String>,
    state: String,
    created_at: i64,
    expires_at: i64,
    final_sha256: Option<String>,
    result: Option<String>,
}

impl TryFrom<Row> for Upload {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let destination = match (row.workspace_id, row.credential_id, row.user_id, row.title) {
            (Some(workspace), Some(credential), _, _) => Destination::File {
                workspace: id(&workspace)?,
                credential: id(&credential)?,
            },
            (_, _, Some(user), Some(title)) => Destination::Document {
                user: id(&user)?,
                title,
            },
            _ => return Err(StoreError::Corrupt(format!("upload {} of nobody", row.id))),
        };
        Ok(Upload {
            id: id(&row.id)?,
            org: id(&row.org_id)?,
            destination,
            path: row.path,
            size: row.size,
            part_size: row.part_size,
            part_count: row.part_count,
            mime: row.mime,
            sha256: row.sha256,
            overwrite: row.overwrite,
            if_match: row.if_match,
            idempotency_key: row.idempotency_key,
            state: UploadState::read(&row.state)?,
            created_at: Instant::from_micros(row.created_at),
            expires_at: Instant::from_micros(row.expires_at),
            final_sha256: row.final_sha256,
            result: row.result,
        })
    }
}

macro_rules! columns {
    () => {
        "SELECT id, org_id, workspace_id, credential_id, user_id, title, path, size, part_size, part_count, mime, sha256, \
         overwrite, if_match, idempotency_key, state, created_at, expires_at, final_sha256, result FROM uploads "
    };
}

impl Store {
    /// An upload session of this credential; another's is not found.
    pub async fn upload(
        &self,
        org: &OrgId,
        credential: &CredentialId,
        upload: &UploadId,
    ) -> Result<Option<Upload>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND credential_id = $2 AND id = $3"
        );
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(credential.as_str())
                .bind(upload.as_str())
                .fetch_optional(pool)
                .await?
        });
        row.map(Upload::try_from).transpose()
    }

    /// A session by its id alone: whose it is was made sure of before.
    pub async fn upload_by_id(&self, upload: &UploadId) -> Result<Option<Upload>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE id = $1");
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(upload.as_str()).fetch_optional(pool).await?
        });
        row.map(Upload::try_from).transpose()
    }

    pub async fn upload_by_key(
        &self,
        org: &OrgId,
        credential: &CredentialId,
        idempotency_key: &str,
    ) -> Result<Option<Upload>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND credential_id = $2 AND idempotency_key = $3"
        );
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(credential.as_str())
                .bind(idempotency_key)
                .fetch_optional(pool)
                .await?
        });
        row.map(Upload::try_from).transpose()
    }

    /// A session of the organization whose bytes become a document.
    pub async fn document_upload(
        &self,
        org: &OrgId,
        upload: &UploadId,
    ) -> Result<Option<Upload>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND id = $2 AND user_id IS NOT NULL"
        );
        self.row_of::<Row, _>(SQL, org, upload.as_str()).await
    }

    /// All such sessions in one state, oldest first.
    pub async fn document_uploads(
        &self,
        org: &OrgId,
        state: UploadState,
    ) -> Result<Vec<Upload>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE org_id = $1 AND state = $2 AND user_id IS NOT NULL ORDER BY id"
        );
        self.rows_of::<Row, _>(SQL, org, state.name()).await
    }

    /// Sessions of all organizations that still hold bytes. For the node that keeps them.
    pub async fn unfinished_uploads(&self) -> Result<Vec<Upload>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE state IN ('open', 'completing') ORDER BY id"
        );
        let rows = reading!(self, pool => sqlx::query_as::<_, Row>(SQL).fetch_all(pool).await?);
        rows.into_iter().map(Upload::try_from).collect()
    }

    /// The parts that are there, by number.
    pub async fn upload_parts(&self, upload: &UploadId) -> Result<Vec<UploadPart>, StoreError> {
        const SQL: &str = "SELECT n, size, sha256 FROM upload_parts \
             WHERE upload_id = $1 AND sha256 IS NOT NULL ORDER BY n";
        Ok(reading!(self, pool => {
            sqlx::query_as::<_, UploadPart>(SQL).bind(upload.as_str()).fetch_all(pool).await?
        }))
    }
}

impl Tx {
    /// Open sessions of the organization whose bytes become documents, but for one: how many, and the bytes that they are for.
    pub async fn open_document_uploads(
        &mut self,
        org: &OrgId,
        but: Option<&UploadId>,
    ) -> Result<DocumentUsage, StoreError> {
        const SQL: &str = "SELECT COUNT(*) AS documents, CAST(COALESCE(SUM(size), 0) AS BIGINT) AS bytes \
             FROM uploads WHERE org_id = $1 AND state = 'open' AND user_id IS NOT NULL AND id <> $2";
        Ok(within!(self, conn => {
            sqlx::query_as::<_, DocumentUsage>(SQL)
                .bind(org.as_str())
                .bind(but.map_or("", UploadId::as_str))
                .fetch_one(conn)
                .await?
        }))
    }

    pub async fn add_upload(&mut self, upload: &Upload) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO uploads (id, org_id, workspace_id, credential_id, path, size, part_size, \
             part_count, mime, sha256, overwrite, if_match, idempotency_key, state, created_at, expires_at, \
             user_id, title) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)";
        let (file, document) = match &upload.destination {
            Destination::File {
                workspace,
                credential,
            } => (Some((workspace, credential)), None),
            Destination::Document { user, title } => (None, Some((user, title))),
        };
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(upload.id.as_str())
                .bind(upload.org.as_str())
                .bind(file.map(|(workspace, _)| workspace.as_str()))
                .bind(file.map(|(_, credential)| credential.as_str()))
                .bind(&upload.path)
                .bind(upload.size)
                .bind(upload.part_size)
                .bind(upload.part_count)
                .bind(&upload.mime)
                .bind(&upload.sha256)
                .bind(upload.overwrite)
                .bind(&upload.if_match)
                .bind(&upload.idempotency_key)
                .bind(upload.state.name())
                .bind(upload.created_at.micros())
                .bind(upload.expires_at.micros())
                .bind(document.map(|(user, _)| user.as_str()))
                .bind(document.map(|(_, title)| title.as_str()))
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Moves a session from one state to another. `false` when it was not in the first.
    pub async fn move_upload(
        &mut self,
        upload: &UploadId,
        from: UploadState,
        to: UploadState,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE uploads SET state = $3 WHERE id = $1 AND state = $2";
        let changed = within!(self, conn => {
            sqlx::query(SQL)
                .bind(upload.as_str())
                .bind(from.name())
                .bind(to.name())
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(changed == 1)
    }

    /// Remembers what the file's bytes are, before it moves into place.
    pub async fn set_upload_digest(
        &mut self,
        upload: &UploadId,
        sha256: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE uploads SET final_sha256 = $2 WHERE id = $1";
        within!(self, conn => {
            sqlx::query(SQL).bind(upload.as_str()).bind(sha256).execute(conn).await?;
        });
        Ok(())
    }

    /// Remembers the answer, so that a repeated completion gets the same.
    pub async fn set_upload_result(
        &mut self,
        upload: &UploadId,
        result: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE uploads SET result = $2 WHERE id = $1";
        within!(self, conn => {
            sqlx::query(SQL).bind(upload.as_str()).bind(result).execute(conn).await?;
        });
        Ok(())
    }

    /// A part has arrived whole, or (`sha256` absent) its bytes can no longer be relied on.
    pub async fn set_upload_part(
        &mut self,
        upload: &UploadId,
        n: i64,
        size: i64,
        sha256: Option<&str>,
        expires_at: Instant,
    ) -> Result<(), StoreError> {
        const PART: &str = "INSERT INTO upload_parts (upload_id, n, size, sha256) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (upload_id, n) DO UPDATE SET size = excluded.size, sha256 = excluded.sha256";
        const KEEP: &str = "UPDATE uploads SET expires_at = $2 WHERE id = $1";
        within!(self, conn => {
            sqlx::query(PART)
                .bind(upload.as_str())
                .bind(n)
                .bind(size)
                .bind(sha256)
                .execute(&mut *conn)
                .await?;
            sqlx::query(KEEP).bind(upload.as_str()).bind(expires_at.micros()).execute(conn).await?;
        });
        Ok(())
    }
}
