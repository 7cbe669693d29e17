//! What belongs to the server itself: its sealed secrets.

use crate::db::{Store, StoreError};
use crate::keys::{INSTANCE, InstanceSecret};
use crate::seal::{KeyError, Place};
use quaymaster_core::{Entropy, Instant};

pub(crate) fn place(name: &str) -> Place<'_> {
    Place {
        table: "instance_secrets",
        column: "sealed",
        row: name,
        org: INSTANCE,
    }
}

impl Store {
    /// The server's secret of this name: 256 random bits, made at the first use, sealed at rest.
    /// All nodes on one database get the same.
    pub async fn instance_secret(
        &self,
        name: &'static str,
        now: Instant,
        entropy: &dyn Entropy,
    ) -> Result<InstanceSecret, StoreError> {
        const GET: &str = "SELECT sealed FROM instance_secrets WHERE name = $1";
        const ADD: &str =
            "INSERT INTO instance_secrets (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        let get = async || -> Result<Option<Vec<u8>>, StoreError> {
            Ok(reading!(self, pool => {
                sqlx::query_scalar::<_, Vec<u8>>(GET).bind(name).fetch_optional(pool).await?
            }))
        };
        if get().await?.is_none() {
            let mut secret = [0u8; 32];
            entropy.fill(&mut secret);
            self.prepare_sealing(now, INSTANCE).await?;
            let sealed = self.seal(place(name), &secret)?;
            let mut tx = self.begin().await?;
            within!(tx, conn => { sqlx::query(ADD).bind(name).bind(sealed).execute(conn).await?; });
            tx.commit().await?;
        }
        // Read back: another node may have been first.
        let sealed = get().await?.ok_or(KeyError::Sealed)?;
        let plain = self.unseal(place(name), &sealed).await?;
        Ok(InstanceSecret::new(
            plain.try_into().map_err(|_| KeyError::Sealed)?,
        ))
    }

    pub(crate) async fn instance_secrets(&self) -> Result<Vec<(String, Vec<u8>)>, StoreError> {
        const ALL: &str = "SELECT name, sealed FROM instance_secrets ORDER BY name";
        Ok(reading!(self, pool => {
            sqlx::query_as::<_, (String, Vec<u8>)>(ALL).fetch_all(pool).await?
        }))
    }
}
