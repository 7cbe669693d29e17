//! `organization`: made and listed by the operator.

use crate::cli::OrganizationVerb;
use crate::config::Config;
use crate::{open, output};
use quaymaster_app::App;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

pub(crate) async fn organization(
    config: &Config,
    verb: OrganizationVerb,
    as_json: bool,
) -> anyhow::Result<()> {
    let app = match verb {
        OrganizationVerb::Create { .. } => open::app_at_command_line(config).await?,
        OrganizationVerb::List => open::app_in_use(config).await?,
    };
    let done = run(&app, verb, as_json).await;
    app.shut_down(Duration::from_secs(5)).await;
    done
}

async fn run(app: &App, verb: OrganizationVerb, as_json: bool) -> anyhow::Result<()> {
    match verb {
        OrganizationVerb::Create { name, owner } => {
            let (org, link) = app.create_organization(&name, owner.as_deref()).await?;
            let link = link.expose_secret();
            output::print(
                as_json,
                &json!({ "id": org.id, "name": org.name, "sign_in_link": link }),
                &format!(
                    "{} is made. Open this link to sign in as its owner. It works once, for 24 hours:\n{link}",
                    org.name
                ),
            );
        }
        OrganizationVerb::List => {
            let all = app.organizations_at_command_line().await?;
            let mut text = String::new();
            let mut list = Vec::new();
            for org in all {
                let _ = writeln!(text, "{}  {}", org.id, org.name);
                list.push(json!({ "id": org.id, "name": org.name, "created_at": org.created_at }));
            }
            output::print(
                as_json,
                &json!({ "organizations": Value::Array(list) }),
                &text,
            );
        }
    }
    Ok(())
}
