//! Membership of users in organizations.
//!
//! Whoever changes roles takes [`Tx::lock_organization`] first: two changes at once, each right
//! for itself, could leave an organization without an owner.

use crate::clauses::Clauses;
use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{CredentialId, OrgId, UserId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Owner,
    Admin,
    Member,
}

impl Role {
    /// From the most to the least.
    pub const ALL: [Role; 3] = [Role::Owner, Role::Admin, Role::Member];

    pub const fn name(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Admin => "admin",
            Role::Member => "member",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Role::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Whether the role may change the organization's settings.
    pub const fn administers(self) -> bool {
        matches!(self, Role::Owner | Role::Admin)
    }

    /// Whether the role may give another one and take it away: administrators neither change
    /// owners nor make them.
    pub fn may_give(self, other: Role) -> bool {
        match self {
            Role::Owner => true,
            Role::Admin => other != Role::Owner,
            Role::Member => false,
        }
    }

    pub(crate) fn read(name: &str) -> Result<Self, StoreError> {
        Role::from_name(name).ok_or_else(|| StoreError::Corrupt(format!("role {name:?}")))
    }
}

/// A user as a member of one organization.
#[derive(Debug, Clone)]
pub struct Member {
    pub user: UserId,
    pub org: OrgId,
    pub role: Role,
    /// Absent until the user signed in for the first time.
    pub email: Option<String>,
    pub name: String,
    pub has_password: bool,
    pub joined_at: Instant,
    /// In a browser, exact to a minute.
    pub last_seen_at: Option<Instant>,
}

/// An organization as one of its members sees it.
#[derive(Debug, Clone)]
pub struct Membership {
    pub org: OrgId,
    pub name: String,
    pub role: Role,
    pub joined_at: Instant,
}

#[derive(sqlx::FromRow)]
struct Row {
    user_id: String,
    org_id: String,
    role: String,
    email: Option<String>,
    name: String,
    has_password: bool,
    created_at: i64,
    last_seen_at: Option<i64>,
}

impl TryFrom<Row> for Member {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Member {
            user: id(&row.user_id)?,
            org: id(&row.org_id)?,
            role: Role::read(&row.role)?,
            email: row.email,
            name: row.name,
            has_password: row.has_password,
            joined_at: Instant::from_micros(row.created_at),
            last_seen_at: row.last_seen_at.map(Instant::from_micros),
        })
    }
}

macro_rules! columns {
    () => {
        "SELECT m.user_id, m.org_id, m.role, u.email, u.name, m.created_at, m.last_seen_at, \
         u.password_hash IS NOT NULL AS has_password \
         FROM members m JOIN users u ON u.id = m.user_id "
    };
}

fn fitting(org: &OrgId, words: &str) -> Clauses {
    let mut clauses = Clauses::of(org);
    clauses.words(&["u.name", "u.email"], words);
    clauses
}

impl Store {
    pub async fn member(&self, org: &OrgId, user: &UserId) -> Result<Option<Member>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE m.org_id = $1 AND m.user_id = $2");
        self.row_of::<Row, _>(SQL, org, user.as_str()).await
    }

    /// Members with the words in their name or address, or all: owners first, then by time of joining.
    pub async fn members(
        &self,
        org: &OrgId,
        words: &str,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Member>, StoreError> {
        // As in the index `members_in_order`.
        const ORDER: &str = "CASE m.role WHEN 'owner' THEN 0 ELSE 1 END, m.created_at, m.user_id";
        self.page_of::<Row, _>(columns!(), fitting(org, words), ORDER, limit, offset)
            .await
    }

    pub async fn count_members(&self, org: &OrgId, words: &str) -> Result<i64, StoreError> {
        let clauses = fitting(org, words);
        let from = if words.trim().is_empty() {
            "members m"
        } else {
            "members m JOIN users u ON u.id = m.user_id"
        };
        self.count_of(from, &clauses).await
    }

    /// The member with an address, which is in small letters.
    pub async fn member_by_email(
        &self,
        org: &OrgId,
        email: &str,
    ) -> Result<Option<Member>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE m.org_id = $1 AND u.email = $2");
        self.row_of::<Row, _>(SQL, org, email).await
    }

    /// The organizations of a user, the last one that they were seen in first.
    pub async fn memberships(&self, user: &UserId) -> Result<Vec<Membership>, StoreError> {
        const SQL: &str = "SELECT m.org_id, o.name, m.role, m.created_at \
             FROM members m JOIN organizations o ON o.id = m.org_id WHERE m.user_id = $1 \
             ORDER BY COALESCE(m.last_seen_at, 0) DESC, m.created_at, m.org_id";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, (String, String, String, i64)>(SQL)
                .bind(user.as_str())
                .fetch_all(pool)
                .await?
        });
        rows.into_iter()
            .map(|(org, name, role, joined_at)| {
                Ok(Membership {
                    org: id(&org)?,
                    name,
                    role: Role::read(&role)?,
                    joined_at: Instant::from_micros(joined_at),
                })
            })
            .collect()
    }
}

impl Tx {
    /// Lets no other transaction change roles, members or invitations of the organization before
    /// this one ends, provided that it asks for the same.
    pub async fn lock_organization(&mut self, org: &OrgId) -> Result<(), StoreError> {
        // A row of PostgreSQL stays locked from its update to the end; SQLite has one writer.
        const SQL: &str = "UPDATE organizations SET name = name WHERE id = $1";
        within!(self, conn => {
            sqlx::query(SQL).bind(org.as_str()).execute(conn).await?;
        });
        Ok(())
    }

    /// The role as it is in this very transaction.
    pub async fn role_of(
        &mut self,
        org: &OrgId,
        user: &UserId,
    ) -> Result<Option<Role>, StoreError> {
        const SQL: &str = "SELECT role FROM members WHERE org_id = $1 AND user_id = $2";
        let role = within!(self, conn => {
            sqlx::query_scalar::<_, String>(SQL)
                .bind(org.as_str())
                .bind(user.as_str())
                .fetch_optional(conn)
                .await?
        });
        role.as_deref().map(Role::read).transpose()
    }

    pub async fn owners(&mut self, org: &OrgId) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM members WHERE org_id = $1 AND role = 'owner'";
        Ok(within!(self, conn => {
            sqlx::query_scalar::<_, i64>(SQL).bind(org.as_str()).fetch_one(conn).await?
        }))
    }

    /// The organizations that a user is a member of, in the order of joining.
    pub async fn organizations_of(&mut self, user: &UserId) -> Result<Vec<OrgId>, StoreError> {
        const SQL: &str =
            "SELECT org_id FROM members WHERE user_id = $1 ORDER BY created_at, org_id";
        let rows = within!(self, conn => {
            sqlx::query_scalar::<_, String>(SQL).bind(user.as_str()).fetch_all(conn).await?
        });
        rows.iter().map(|org| id(org)).collect()
    }

    pub async fn add_member(
        &mut self,
        org: &OrgId,
        user: &UserId,
        role: Role,
        now: Instant,
    ) -> Result<(), StoreError> {
        const SQL: &str =
            "INSERT INTO members (org_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(user.as_str())
                .bind(role.name())
                .bind(now.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    pub async fn set_role(
        &mut self,
        org: &OrgId,
        user: &UserId,
        role: Role,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE members SET role = $3 WHERE org_id = $1 AND user_id = $2";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(user.as_str())
                .bind(role.name())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    pub async fn remove_member(&mut self, org: &OrgId, user: &UserId) -> Result<(), StoreError> {
        const SQL: &str = "DELETE FROM members WHERE org_id = $1 AND user_id = $2";
        within!(self, conn => {
            sqlx::query(SQL).bind(org.as_str()).bind(user.as_str()).execute(conn).await?;
        });
        Ok(())
    }

    /// Revokes whatever a user made or acts with in an organization. Which ones those were, with
    /// their names.
    pub async fn revoke_credentials_of(
        &mut self,
        org: &OrgId,
        user: &UserId,
        now: Instant,
    ) -> Result<Vec<(CredentialId, String)>, StoreError> {
        const SQL: &str = "UPDATE credentials SET revoked_at = $3 \
             WHERE org_id = $1 AND user_id = $2 AND revoked_at IS NULL RETURNING id, name";
        let rows = within!(self, conn => {
            sqlx::query_as::<_, (String, String)>(SQL)
                .bind(org.as_str())
                .bind(user.as_str())
                .bind(now.micros())
                .fetch_all(conn)
                .await?
        });
        rows.into_iter()
            .map(|(credential, name)| Ok((id(&credential)?, name)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn administrators_neither_change_owners_nor_make_them() {
        let allowed: Vec<_> = Role::ALL
            .into_iter()
            .flat_map(|mine| Role::ALL.map(|other| (mine, other)))
            .filter(|(mine, other)| mine.may_give(*other))
            .map(|(mine, other)| (mine.name(), other.name()))
            .collect();
        let wanted = [
            ("owner", "owner"),
            ("owner", "admin"),
            ("owner", "member"),
            ("admin", "admin"),
            ("admin", "member"),
        ];
        assert_eq!(allowed, wanted);
    }
}
