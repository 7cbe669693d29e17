//! Things by a part of their name, the best few, without reading all.

use crate::db::{Db, Store, StoreError};
use quaymaster_core::id::OrgId;

/// What is looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shelf {
    Workspaces,
    Servers,
    Flows,
    /// Those that were given to a workspace.
    OwnPacks,
    /// Accounts of the organization and its workspaces, named `connector:name`.
    Accounts,
    Skills,
}

/// Something whose name has the words in it.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Named {
    pub id: String,
    pub name: String,
    /// A server's, flow's or pack's workspace, a skill's description, an account's label; may be empty.
    pub note: String,
}

/// `$has` finds where one text is in another. Those that begin with the words come first, then short ones.
macro_rules! named {
    ($has:literal, $of:literal) => {
        concat!(
            "SELECT id, name, note FROM (",
            $of,
            ") AS n WHERE ",
            $has,
            "(lower(name), $2) > 0 OR ",
            $has,
            "(name, $3) > 0 ORDER BY CASE WHEN ",
            $has,
            "(lower(name), $2) = 1 THEN 0 ELSE 1 END, length(name), name, id LIMIT $4"
        )
    };
}

/// One text for each database.
macro_rules! both {
    ($of:literal) => {
        (named!("instr", $of), named!("strpos", $of))
    };
}

const fn text_of(shelf: Shelf) -> (&'static str, &'static str) {
    match shelf {
        Shelf::Workspaces => both!(
            "SELECT id, name, '' AS note FROM workspaces WHERE org_id = $1 AND deleted_at IS NULL"
        ),
        Shelf::Servers => {
            both!("SELECT id, name, workspace_id AS note FROM servers WHERE org_id = $1")
        }
        Shelf::Flows => {
            both!("SELECT id, title AS name, workspace_id AS note FROM flows WHERE org_id = $1")
        }
        Shelf::OwnPacks => {
            both!(
                "SELECT pack AS id, title AS name, workspace_id AS note FROM own_packs WHERE org_id = $1"
            )
        }
        Shelf::Accounts => both!(
            "SELECT id, connector || ':' || name AS name, COALESCE(label, '') AS note \
             FROM connections WHERE org_id = $1 AND end_user_id IS NULL"
        ),
        Shelf::Skills => both!(
            "SELECT s.name AS id, s.name AS name, v.description AS note FROM skills s \
             JOIN skill_versions v ON v.skill_id = s.id AND v.version = s.version WHERE s.org_id = $1"
        ),
    }
}

impl Store {
    /// At most `most`. Other letters than ASCII are told from their capitals by some databases.
    pub async fn named(
        &self,
        org: &OrgId,
        shelf: Shelf,
        words: &str,
        most: usize,
    ) -> Result<Vec<Named>, StoreError> {
        let (sqlite, postgres) = text_of(shelf);
        let sql = match &self.db {
            Db::Sqlite { .. } => sqlite,
            Db::Postgres(_) => postgres,
        };
        Ok(reading!(self, pool => {
            sqlx::query_as::<_, Named>(sql)
                .bind(org.as_str())
                .bind(words.to_lowercase())
                .bind(words)
                .bind(i64::try_from(most).unwrap_or(i64::MAX))
                .fetch_all(pool)
                .await?
        }))
    }
}
