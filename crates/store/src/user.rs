//! Users and their membership in organizations.

use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, UserId};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Owner,
    Admin,
    Member,
}

impl Role {
    pub const fn name(self) -> &'static str {
        match self {
            Role::Owner => "owner",
            Role::Admin => "admin",
            Role::Member => "member",
        }
    }

    /// Whether the role may change the organization's settings.
    pub const fn administers(self) -> bool {
        matches!(self, Role::Owner | Role::Admin)
    }

    fn read(name: &str) -> Result<Self, StoreError> {
        match name {
            "owner" => Ok(Role::Owner),
            "admin" => Ok(Role::Admin),
            "member" => Ok(Role::Member),
            other => Err(StoreError::Corrupt(format!("role {other:?}"))),
        }
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
}

/// What checking a password needs. The hash is an argon2id PHC string.
#[derive(Clone)]
pub struct SignIn {
    pub user: UserId,
    pub org: OrgId,
    pub password_hash: Option<String>,
}

#[derive(sqlx::FromRow)]
struct Row {
    user_id: String,
    org_id: String,
    role: String,
    email: Option<String>,
    name: String,
    has_password: bool,
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
        })
    }
}

impl Store {
    pub async fn member(&self, org: &OrgId, user: &UserId) -> Result<Option<Member>, StoreError> {
        const SQL: &str = "SELECT m.user_id, m.org_id, m.role, u.email, u.name, \
             u.password_hash IS NOT NULL AS has_password \
             FROM members m JOIN users u ON u.id = m.user_id WHERE m.org_id = $1 AND m.user_id = $2";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(org.as_str()).bind(user.as_str()).fetch_optional(pool).await?
        });
        row.map(Member::try_from).transpose()
    }

    /// The members of an organization, owner first, then by time of joining.
    pub async fn members(&self, org: &OrgId) -> Result<Vec<Member>, StoreError> {
        const SQL: &str = "SELECT m.user_id, m.org_id, m.role, u.email, u.name, \
             u.password_hash IS NOT NULL AS has_password \
             FROM members m JOIN users u ON u.id = m.user_id WHERE m.org_id = $1 \
             ORDER BY CASE m.role WHEN 'owner' THEN 0 ELSE 1 END, m.created_at, m.user_id";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(org.as_str()).fetch_all(pool).await?
        });
        rows.into_iter().map(Member::try_from).collect()
    }

    /// Who signs in with this address. The organization is not known before that.
    pub async fn sign_in_by_email(&self, email: &str) -> Result<Option<SignIn>, StoreError> {
        const SQL: &str = "SELECT u.id, m.org_id, u.password_hash FROM users u \
             JOIN members m ON m.user_id = u.id WHERE u.email = $1 ORDER BY m.created_at LIMIT 1";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, (String, String, Option<String>)>(SQL)
                .bind(email.to_lowercase())
                .fetch_optional(pool)
                .await?
        });
        row.map(|(user, org, password_hash)| {
            Ok(SignIn {
                user: id(&user)?,
                org: id(&org)?,
                password_hash,
            })
        })
        .transpose()
    }
}

impl Tx {
    pub async fn add_user(
        &mut self,
        user: &UserId,
        name: &str,
        now: Instant,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO users (id, name, created_at) VALUES ($1, $2, $3)";
        within!(self, conn => {
            sqlx::query(SQL).bind(user.as_str()).bind(name).bind(now.micros()).execute(conn).await?;
        });
        Ok(())
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

    /// Sets what a user signs in with, once. The address is kept in lower case and is unique.
    /// `false` when the user has a password already.
    pub async fn set_sign_in(
        &mut self,
        user: &UserId,
        name: &str,
        email: &str,
        password_hash: &str,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE users SET name = $2, email = $3, password_hash = $4 WHERE id = $1 AND password_hash IS NULL";
        let set = within!(self, conn => {
            sqlx::query(SQL)
                .bind(user.as_str())
                .bind(name)
                .bind(email.to_lowercase())
                .bind(password_hash)
                .execute(conn)
                .await?
                .rows_affected()
        });
        Ok(set == 1)
    }
}
