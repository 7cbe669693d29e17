//! `sign-in`: a new one-time link for the owner.

use crate::config::Config;
use crate::{open, output};
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::time::Duration;

pub(crate) async fn sign_in(config: &Config, as_json: bool) -> anyhow::Result<()> {
    let app = open::app_at_command_line(config).await?;
    let org = app.organization_at_command_line(None).await?;
    let owner = app.actor_at_command_line(&org.id).await?;
    let link = app.create_sign_in_link(&org.id, &owner.user).await?;
    app.shut_down(Duration::from_secs(5)).await;
    let link = link.expose_secret();
    output::print(
        as_json,
        &json!({ "sign_in_link": link }),
        &format!("Open this link to sign in. It works once, for 24 hours:\n{link}"),
    );
    Ok(())
}
