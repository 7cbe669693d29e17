//! What tokens, API keys and connected clients have in common: each is found in a list that somebody
//! sees, and revoked.

use quaymaster_app::Credential;
use quaymaster_core::Fault;
use quaymaster_core::id::CredentialId;
use serde::Serialize;
use utoipa::ToSchema;

/// What is dead now.
#[derive(Serialize, ToSchema)]
#[schema(as = RevokedCredential)]
pub(crate) struct Revoked {
    deleted: bool,
    #[schema(value_type = String)]
    id: CredentialId,
}

impl Revoked {
    pub(crate) fn of(id: CredentialId) -> axum::Json<Self> {
        axum::Json(Revoked { deleted: true, id })
    }
}

/// The one that a path names, when it is among those that the list at `list` has.
pub(crate) fn named(
    all: impl IntoIterator<Item = Credential>,
    id: &str,
    none: &str,
    list: &str,
) -> Result<CredentialId, Fault> {
    let found = all.into_iter().find(|one| one.id.as_str() == id);
    found
        .map(|found| found.id)
        .ok_or_else(|| Fault::not_found(none).hint(format!("GET {list} lists them.")))
}
