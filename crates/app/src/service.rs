//! The operator's own backend: it makes organizations and acts in them, with one key that the
//! configuration holds.

use crate::App;
use crate::actor::Actor;
use crate::organizations::Organization;
use quaymaster_core::secret::SecretDigest;
use quaymaster_core::{Code, Fault};
use secrecy::ExposeSecret as _;

const LABEL: &str = "service key";

impl App {
    /// Whether a backend presented the configured key; `FORBIDDEN` where none is configured.
    pub fn check_service_key(&self, presented: &str) -> Result<(), Fault> {
        let Some(key) = &self.settings.service_key else {
            return Err(
                Fault::new(Code::Forbidden, "This server takes no service key.")
                    .hint("The operator sets service_key in the configuration."),
            );
        };
        if SecretDigest::of(key.expose_secret()).matches(presented) {
            Ok(())
        } else {
            Err(Fault::new(
                Code::Unauthenticated,
                "The service key is not right.",
            ))
        }
    }

    /// The owner of an organization, for the operator's backend.
    pub async fn actor_of_service(
        &self,
        presented: &str,
        org: Option<&str>,
    ) -> Result<Actor, Fault> {
        self.check_service_key(presented)?;
        let org = org.ok_or_else(|| {
            Fault::invalid_arg(
                "/X-Org-ID",
                "required",
                "With a service key, name the organization.",
            )
            .hint("Send the header X-Org-ID.")
        })?;
        let unknown = || Fault::not_found("There is no such organization.");
        let org = org.parse().map_err(|_| unknown())?;
        self.store.organization(&org).await?.ok_or_else(unknown)?;
        let mut actor = Actor::clone(&*self.actor_at_command_line(&org).await?);
        LABEL.clone_into(&mut actor.label);
        Ok(actor)
    }

    /// Makes an organization with its first workspace. Its owner has no address yet: keys act for
    /// them until somebody signs in by a link that the operator makes.
    pub async fn create_organization_of_service(
        &self,
        presented: &str,
        name: &str,
    ) -> Result<Organization, Fault> {
        self.check_service_key(presented)?;
        let (organization, _) = self.create_organization(name, None).await?;
        let admin = self.actor_at_command_line(&organization.id).await?;
        if self.store.workspaces(&organization.id).await?.is_empty() {
            self.create_workspace(&admin, "Main", None).await?;
        }
        Ok(organization)
    }
}
