//! Invitations to join an organization. The secret of the link is stored as a digest.

use crate::db::{Store, StoreError, Tx, id};
use crate::member::Role;
use quaymaster_core::Instant;
use quaymaster_core::id::{InvitationId, OrgId, UserId};
use quaymaster_core::secret::SecretDigest;

#[derive(Debug, Clone)]
pub struct Invitation {
    pub id: InvitationId,
    pub org: OrgId,
    /// In lower case.
    pub email: String,
    pub role: Role,
    pub invited_by: UserId,
    pub secret: SecretDigest,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub accepted_at: Option<Instant>,
    /// By somebody, or by a newer one to the same address.
    pub revoked_at: Option<Instant>,
}

/// An invitation with the names that people read.
#[derive(Debug, Clone)]
pub struct NamedInvitation {
    pub invitation: Invitation,
    /// Name of the organization.
    pub organization: String,
    /// Name of the person who invited.
    pub inviter: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    email: String,
    role: String,
    invited_by: String,
    secret_sha256: Vec<u8>,
    created_at: i64,
    expires_at: i64,
    accepted_at: Option<i64>,
    revoked_at: Option<i64>,
    organization: String,
    inviter: String,
}

impl TryFrom<Row> for NamedInvitation {
    type Error = StoreError;
    fn try_from(row: Row) -> Result<Self, StoreError> {
        let secret: [u8; 32] = row
            .secret_sha256
            .try_into()
            .map_err(|_| StoreError::Corrupt(format!("invitation {}", row.id)))?;
        Ok(NamedInvitation {
            invitation: Invitation {
                id: id(&row.id)?,
                org: id(&row.org_id)?,
                email: row.email,
                role: Role::read(&row.role)?,
                invited_by: id(&row.invited_by)?,
                secret: SecretDigest(secret),
                created_at: Instant::from_micros(row.created_at),
                expires_at: Instant::from_micros(row.expires_at),
                accepted_at: row.accepted_at.map(Instant::from_micros),
                revoked_at: row.revoked_at.map(Instant::from_micros),
            },
            organization: row.organization,
            inviter: row.inviter,
        })
    }
}

macro_rules! columns {
    () => {
        "SELECT i.id, i.org_id, i.email, i.role, i.invited_by, i.secret_sha256, i.created_at, \
         i.expires_at, i.accepted_at, i.revoked_at, o.name AS organization, u.name AS inviter \
         FROM invitations i JOIN organizations o ON o.id = i.org_id JOIN users u ON u.id = i.invited_by "
    };
}

impl Store {
    /// An invitation that somebody opens; of which organization it is, only the row says.
    pub async fn invitation(
        &self,
        invitation: &InvitationId,
    ) -> Result<Option<NamedInvitation>, StoreError> {
        const SQL: &str = concat!(columns!(), "WHERE i.id = $1");
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(invitation.as_str()).fetch_optional(pool).await?
        });
        row.map(NamedInvitation::try_from).transpose()
    }

    /// Those that may still be accepted, newest first.
    pub async fn pending_invitations(
        &self,
        org: &OrgId,
        now: Instant,
    ) -> Result<Vec<NamedInvitation>, StoreError> {
        const SQL: &str = concat!(
            columns!(),
            "WHERE i.org_id = $1 AND i.accepted_at IS NULL AND i.revoked_at IS NULL \
             AND i.expires_at > $2 ORDER BY i.created_at DESC, i.id DESC"
        );
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL).bind(org.as_str()).bind(now.micros()).fetch_all(pool).await?
        });
        rows.into_iter().map(NamedInvitation::try_from).collect()
    }
}

impl Tx {
    pub async fn add_invitation(&mut self, invitation: &Invitation) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO invitations (id, org_id, email, role, invited_by, secret_sha256, \
             created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(invitation.id.as_str())
                .bind(invitation.org.as_str())
                .bind(&invitation.email)
                .bind(invitation.role.name())
                .bind(invitation.invited_by.as_str())
                .bind(invitation.secret.0.to_vec())
                .bind(invitation.created_at.micros())
                .bind(invitation.expires_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// How many an organization made since then.
    pub async fn invitations_since(
        &mut self,
        org: &OrgId,
        since: Instant,
    ) -> Result<i64, StoreError> {
        const SQL: &str = "SELECT COUNT(*) FROM invitations WHERE org_id = $1 AND created_at > $2";
        Ok(within!(self, conn => {
            sqlx::query_scalar::<_, i64>(SQL).bind(org.as_str()).bind(since.micros()).fetch_one(conn).await?
        }))
    }

    /// Uses an invitation up. `false` when somebody was faster, or it is revoked or has expired.
    pub async fn accept_invitation(
        &mut self,
        invitation: &InvitationId,
        now: Instant,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "UPDATE invitations SET accepted_at = $2 \
             WHERE id = $1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > $2";
        let changed = within!(self, conn => {
            sqlx::query(SQL).bind(invitation.as_str()).bind(now.micros()).execute(conn).await?.rows_affected()
        });
        Ok(changed == 1)
    }

    /// Takes an invitation back. Address and role it was for; none when there is no pending one.
    pub async fn revoke_invitation(
        &mut self,
        org: &OrgId,
        invitation: &InvitationId,
        now: Instant,
    ) -> Result<Option<(String, Role)>, StoreError> {
        const SQL: &str = "UPDATE invitations SET revoked_at = $3 WHERE org_id = $1 AND id = $2 \
             AND accepted_at IS NULL AND revoked_at IS NULL RETURNING email, role";
        let row = within!(self, conn => {
            sqlx::query_as::<_, (String, String)>(SQL)
                .bind(org.as_str())
                .bind(invitation.as_str())
                .bind(now.micros())
                .fetch_optional(conn)
                .await?
        });
        row.map(|(email, role)| Ok((email, Role::read(&role)?)))
            .transpose()
    }

    /// Takes back what an address was sent before; the role that it was for, if there was one.
    pub async fn revoke_invitation_to(
        &mut self,
        org: &OrgId,
        email: &str,
        now: Instant,
    ) -> Result<Option<Role>, StoreError> {
        const SQL: &str = "UPDATE invitations SET revoked_at = $3 WHERE org_id = $1 AND email = $2 \
             AND accepted_at IS NULL AND revoked_at IS NULL RETURNING role";
        let role = within!(self, conn => {
            sqlx::query_scalar::<_, String>(SQL)
                .bind(org.as_str())
                .bind(email)
                .bind(now.micros())
                .fetch_optional(conn)
                .await?
        });
        role.as_deref().map(Role::read).transpose()
    }

    /// Takes back what somebody invited to who may invite less from now on: with the role `left`,
    /// or as no member any more. How many went.
    pub async fn revoke_invitations_by(
        &mut self,
        org: &OrgId,
        user: &UserId,
        left: Option<Role>,
        now: Instant,
    ) -> Result<u64, StoreError> {
        const SQL: &str = "UPDATE invitations SET revoked_at = $4 WHERE org_id = $1 AND invited_by = $2 \
             AND (role = 'owner' OR $3 <> 'admin') AND accepted_at IS NULL AND revoked_at IS NULL";
        Ok(within!(self, conn => {
            sqlx::query(SQL)
                .bind(org.as_str())
                .bind(user.as_str())
                .bind(left.map_or("", Role::name))
                .bind(now.micros())
                .execute(conn)
                .await?
                .rows_affected()
        }))
    }
}
