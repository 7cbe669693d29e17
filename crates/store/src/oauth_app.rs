//! The apps that organizations registered at the authorization servers of services.

use crate::connection::corrupt;
use crate::db::{Store, StoreError, Tx, id};
use crate::seal::Place;
use quaymaster_core::Instant;
use quaymaster_core::id::{OAuthAppId, OrgId, UserId};
use secrecy::{ExposeSecret as _, SecretString};
use std::collections::{BTreeMap, BTreeSet};

/// An organization's app for a connector.
#[derive(Debug, Clone)]
pub struct OAuthApp {
    pub id: OAuthAppId,
    pub org: OrgId,
    /// The connector's key.
    pub connector: String,
    pub client_id: String,
    /// None for a public client.
    pub secret: Option<SecretString>,
    /// Where an organization's own definition sends the secret, by way to sign in; empty for a
    /// connector of everybody.
    pub destinations: BTreeMap<String, String>,
    /// Where else it goes if an account names the host: what administrators signed in at.
    pub origins: BTreeSet<String>,
    /// Who set it last.
    pub user: UserId,
    pub changed_at: Instant,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    connector: String,
    client_id: String,
    secret: Option<Vec<u8>>,
    destinations: String,
    origins: String,
    user_id: String,
    changed_at: i64,
}

fn place<'a>(org: &'a str, row: &'a str) -> Place<'a> {
    Place {
        table: "oauth_apps",
        column: "secret",
        row,
        org,
    }
}

impl Store {
    /// The apps of an organization by the keys of their connectors.
    pub async fn oauth_app_ids(
        &self,
        org: &OrgId,
    ) -> Result<BTreeMap<String, OAuthAppId>, StoreError> {
        const SQL: &str = "SELECT connector, id FROM oauth_apps WHERE org_id = $1";
        let rows = reading!(self, pool => {
            sqlx::query_as::<_, (String, String)>(SQL).bind(org.as_str()).fetch_all(pool).await?
        });
        let read = |(connector, row): (String, String)| Ok((connector, id(&row)?));
        rows.into_iter().map(read).collect()
    }

    pub async fn oauth_app(
        &self,
        org: &OrgId,
        connector: &str,
    ) -> Result<Option<OAuthApp>, StoreError> {
        const SQL: &str = "SELECT id, connector, client_id, secret, destinations, origins, user_id, \
             changed_at FROM oauth_apps WHERE org_id = $1 AND connector = $2";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(SQL)
                .bind(org.as_str())
                .bind(connector)
                .fetch_optional(pool)
                .await?
        });
        let Some(row) = row else {
            return Ok(None);
        };
        let secret = match &row.secret {
            Some(sealed) => {
                let plain = self.unseal(place(org.as_str(), &row.id), sealed).await?;
                let text = String::from_utf8(plain)
                    .map_err(|_| StoreError::Corrupt("the secret of an app".into()))?;
                Some(text.into())
            }
            None => None,
        };
        Ok(Some(OAuthApp {
            id: id(&row.id)?,
            org: org.clone(),
            connector: row.connector,
            client_id: row.client_id,
            secret,
            destinations: serde_json::from_str(&row.destinations)
                .map_err(|error| corrupt(&error))?,
            origins: serde_json::from_str(&row.origins).map_err(|error| corrupt(&error))?,
            user: id(&row.user_id)?,
            changed_at: Instant::from_micros(row.changed_at),
        }))
    }

    /// Seals the secret of an app ([`Store::prepare_sealing`] comes before).
    pub fn seal_oauth_app(
        &self,
        org: &OrgId,
        app: &OAuthAppId,
        secret: &SecretString,
    ) -> Result<Vec<u8>, StoreError> {
        let plain = secret.expose_secret().as_bytes();
        self.seal(place(org.as_str(), app.as_str()), plain)
    }
}

impl Tx {
    /// Puts an app in the place of the one that the organization has for the connector, if any.
    pub async fn set_oauth_app(
        &mut self,
        app: &OAuthApp,
        sealed: Option<Vec<u8>>,
    ) -> Result<(), StoreError> {
        const SQL: &str = "INSERT INTO oauth_apps (id, org_id, connector, client_id, secret, \
             destinations, origins, user_id, changed_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
        let destinations =
            serde_json::to_string(&app.destinations).map_err(|error| corrupt(&error))?;
        let origins = serde_json::to_string(&app.origins).map_err(|error| corrupt(&error))?;
        self.remove_oauth_app(&app.org, &app.connector).await?;
        within!(self, conn => {
            sqlx::query(SQL)
                .bind(app.id.as_str())
                .bind(app.org.as_str())
                .bind(&app.connector)
                .bind(&app.client_id)
                .bind(sealed)
                .bind(destinations)
                .bind(origins)
                .bind(app.user.as_str())
                .bind(app.changed_at.micros())
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// Adds origins to those of the organization's app for a connector, if it has one. Of two
    /// transactions at once none is lost when both lock the organization before.
    pub async fn add_oauth_app_origins(
        &mut self,
        org: &OrgId,
        connector: &str,
        more: &BTreeSet<String>,
    ) -> Result<(), StoreError> {
        const READ: &str =
            "SELECT id, origins FROM oauth_apps WHERE org_id = $1 AND connector = $2";
        const WRITE: &str = "UPDATE oauth_apps SET origins = $1 WHERE org_id = $2 AND id = $3";
        let found = within!(self, conn => {
            sqlx::query_as::<_, (String, String)>(READ)
                .bind(org.as_str())
                .bind(connector)
                .fetch_optional(conn)
                .await?
        });
        let Some((row, origins)) = found else {
            return Ok(());
        };
        let mut all: BTreeSet<String> =
            serde_json::from_str(&origins).map_err(|error| corrupt(&error))?;
        all.extend(more.iter().cloned());
        let all = serde_json::to_string(&all).map_err(|error| corrupt(&error))?;
        within!(self, conn => {
            sqlx::query(WRITE)
                .bind(all)
                .bind(org.as_str())
                .bind(row)
                .execute(conn)
                .await?;
        });
        Ok(())
    }

    /// `false` when there was none.
    pub async fn remove_oauth_app(
        &mut self,
        org: &OrgId,
        connector: &str,
    ) -> Result<bool, StoreError> {
        const SQL: &str = "DELETE FROM oauth_apps WHERE org_id = $1 AND connector = $2";
        self.of_one(SQL, org, connector).await
    }
}
