//! Users: people, with what they sign in with. Their membership is in [`member`](crate::member).

use crate::db::{Store, StoreError, Tx, id};
use quaymaster_core::Instant;
use quaymaster_core::id::{OrgId, UserId};

pub use crate::member::{Member, Role};

/// What checking a password needs. The hash is an argon2id PHC string.
#[derive(Clone)]
pub struct SignIn {
    pub user: UserId,
    /// The organization that the user was last seen in, or the first one.
    pub org: OrgId,
    pub password_hash: Option<String>,
}

/// Somebody who has an address.
#[derive(Debug, Clone)]
pub struct User {
    pub id: UserId,
    pub name: String,
    /// How many organizations the user is a member of.
    pub memberships: i64,
}

impl Store {
    /// Who signs in with this address. The organization is not known before that.
    pub async fn sign_in_by_email(&self, email: &str) -> Result<Option<SignIn>, StoreError> {
        const SQL: &str = "SELECT u.id, m.org_id, u.password_hash FROM users u \
             JOIN members m ON m.user_id = u.id WHERE u.email = $1 \
             ORDER BY COALESCE(m.last_seen_at, 0) DESC, m.created_at, m.org_id LIMIT 1";
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

    /// Who has this address, as a member of whatever organization, or of none.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<User>, StoreError> {
        let row = reading!(self, pool => {
            sqlx::query_as::<_, (String, String, i64)>(BY_EMAIL)
                .bind(email.to_lowercase())
                .fetch_optional(pool)
                .await?
        });
        row.map(user_of).transpose()
    }

    /// The argon2id digest of a user's password.
    pub async fn password_hash(&self, user: &UserId) -> Result<Option<String>, StoreError> {
        let row = reading!(self, pool => {
            sqlx::query_scalar::<_, Option<String>>(HASH).bind(user.as_str()).fetch_optional(pool).await?
        });
        Ok(row.flatten())
    }

    /// The address of a user, when there is one.
    pub async fn email(&self, user: &UserId) -> Result<Option<String>, StoreError> {
        const SQL: &str = "SELECT email FROM users WHERE id = $1";
        let row = reading!(self, pool => {
            sqlx::query_scalar::<_, Option<String>>(SQL).bind(user.as_str()).fetch_optional(pool).await?
        });
        Ok(row.flatten())
    }
}

const HASH: &str = "SELECT password_hash FROM users WHERE id = $1";
const BY_EMAIL: &str = "SELECT u.id, u.name, \
     (SELECT COUNT(*) FROM members m WHERE m.user_id = u.id) FROM users u WHERE u.email = $1";

fn user_of((user, name, memberships): (String, String, i64)) -> Result<User, StoreError> {
    Ok(User {
        id: id(&user)?,
        name,
        memberships,
    })
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

    /// Lets no other transaction change the user, their sessions or memberships before this one
    /// ends, provided that it asks for the same. Organizations are locked before users.
    pub async fn lock_user(&mut self, user: &UserId) -> Result<(), StoreError> {
        // A row of PostgreSQL stays locked from its update to the end; SQLite has one writer.
        const SQL: &str = "UPDATE users SET name = name WHERE id = $1";
        within!(self, conn => {
            sqlx::query(SQL).bind(user.as_str()).execute(conn).await?;
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

    /// As [`Store::user_by_email`], and locks the user.
    pub async fn locked_user_by_email(&mut self, email: &str) -> Result<Option<User>, StoreError> {
        const LOCK: &str = "UPDATE users SET name = name WHERE email = $1";
        let email = email.to_lowercase();
        let row = within!(self, conn => {
            sqlx::query(LOCK).bind(&email).execute(&mut *conn).await?;
            sqlx::query_as::<_, (String, String, i64)>(BY_EMAIL)
                .bind(&email)
                .fetch_optional(conn)
                .await?
        });
        row.map(user_of).transpose()
    }

    pub async fn password_hash(&mut self, user: &UserId) -> Result<Option<String>, StoreError> {
        let row = within!(self, conn => {
            sqlx::query_scalar::<_, Option<String>>(HASH).bind(user.as_str()).fetch_optional(conn).await?
        });
        Ok(row.flatten())
    }

    /// Sets the password, whether there was one or not.
    pub async fn set_password(
        &mut self,
        user: &UserId,
        password_hash: &str,
    ) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE users SET password_hash = $2 WHERE id = $1";
        within!(self, conn => {
            sqlx::query(SQL).bind(user.as_str()).bind(password_hash).execute(conn).await?;
        });
        Ok(())
    }

    pub async fn rename_user(&mut self, user: &UserId, name: &str) -> Result<(), StoreError> {
        const SQL: &str = "UPDATE users SET name = $2 WHERE id = $1";
        within!(self, conn => {
            sqlx::query(SQL).bind(user.as_str()).bind(name).execute(conn).await?;
        });
        Ok(())
    }
}
