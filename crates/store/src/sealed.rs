//! Where values of organizations are sealed, for rotation and verification: every such column is in
//! [`SEALED`].

use crate::db::{Store, StoreError};
use crate::seal::Place;
use std::collections::BTreeSet;

/// A column of sealed values, in a table with `id` and `org_id`.
pub(crate) struct SealedColumn {
    table: &'static str,
    column: &'static str,
    /// Organization, id, value.
    all: &'static str,
    /// Of the organization `$1`: id, value.
    pub(crate) of_org: &'static str,
    /// Of the organization `$1` and the id `$2`: `$3` in the place of `$4`.
    pub(crate) reseal: &'static str,
}

macro_rules! sealed {
    ($table:literal, $column:literal) => {
        SealedColumn {
            table: $table,
            column: $column,
            all: concat!(
                "SELECT org_id, id, ",
                $column,
                " FROM ",
                $table,
                " WHERE ",
                $column,
                " IS NOT NULL ORDER BY org_id, id"
            ),
            of_org: concat!(
                "SELECT id, ",
                $column,
                " FROM ",
                $table,
                " WHERE org_id = $1 AND ",
                $column,
                " IS NOT NULL"
            ),
            reseal: concat!(
                "UPDATE ",
                $table,
                " SET ",
                $column,
                " = $3 WHERE org_id = $1 AND id = $2 AND ",
                $column,
                " = $4"
            ),
        }
    };
}

pub(crate) const SEALED: &[SealedColumn] = &[
    sealed!("connections", "secrets"),
    sealed!("oauth_apps", "secret"),
    sealed!("authorizations", "sealed"),
    sealed!("flow_secrets", "secret"),
];

impl SealedColumn {
    pub(crate) fn place<'a>(&self, org: &'a str, row: &'a str) -> Place<'a> {
        Place {
            table: self.table,
            column: self.column,
            row,
            org,
        }
    }
}

impl Store {
    /// Every value of a column: organization, id, value.
    pub(crate) async fn all_sealed(
        &self,
        column: &SealedColumn,
    ) -> Result<Vec<(String, String, Vec<u8>)>, StoreError> {
        Ok(reading!(self, pool => {
            sqlx::query_as::<_, (String, String, Vec<u8>)>(column.all).fetch_all(pool).await?
        }))
    }

    pub(crate) async fn organizations_with_sealed(&self) -> Result<BTreeSet<String>, StoreError> {
        let mut orgs = BTreeSet::new();
        for column in SEALED {
            let rows = self.all_sealed(column).await?;
            orgs.extend(rows.into_iter().map(|(org, _, _)| org));
        }
        Ok(orgs)
    }
}
