//! `sign-in`: a new one-time link for a person, or one that sets a new password.

use crate::config::Config;
use crate::{open, output};
use quaymaster_app::members::Member;
use quaymaster_app::{Admin, App};
use quaymaster_core::Fault;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::time::Duration;

/// Whose link; the first owner of the only organization when nothing is said.
pub(crate) struct Whom {
    pub org: Option<String>,
    pub email: Option<String>,
}

pub(crate) async fn sign_in(
    config: &Config,
    whom: Whom,
    reset: bool,
    as_json: bool,
) -> anyhow::Result<()> {
    let app = open::app_at_command_line(config).await?;
    let done = run(&app, &whom, reset, as_json).await;
    app.shut_down(Duration::from_secs(5)).await;
    done
}

async fn run(app: &App, whom: &Whom, reset: bool, as_json: bool) -> anyhow::Result<()> {
    let org = app
        .organization_at_command_line(whom.org.as_deref())
        .await?;
    let owner = app.actor_at_command_line(&org.id).await?;
    let user = match &whom.email {
        None => owner.user.clone(),
        Some(email) => by_email(app, &owner, email).await?.user,
    };
    if reset {
        let link = app.issue_reset_at_command_line(&org.id, &user).await?;
        let link = link.url.expose_secret();
        output::print(
            as_json,
            &json!({ "reset_link": link }),
            &format!("Open this link to set a new password. It works once, for an hour:\n{link}"),
        );
        return Ok(());
    }
    let link = app.create_sign_in_link(&org.id, &user).await?;
    let link = link.expose_secret();
    output::print(
        as_json,
        &json!({ "sign_in_link": link }),
        &format!("Open this link to sign in. It works once, for 24 hours:\n{link}"),
    );
    Ok(())
}

async fn by_email(app: &App, owner: &Admin, email: &str) -> Result<Member, Fault> {
    let email = email.trim().to_lowercase();
    let found = app.member_by_email(owner, &email).await?;
    found.ok_or_else(|| {
        Fault::not_found(format!("The organization has no member {email:?}."))
            .hint("Name another organization with --org, or leave --email out for the owner.")
    })
}
