//! `token`: credentials on the data directory, with or without a running server.

use crate::cli::TokenVerb;
use crate::config::Config;
use crate::{open, output};
use anyhow::Context as _;
use quaymaster_app::credentials::{Expiry, Fresh, NewApiKey, NewWorkspaceToken};
use quaymaster_app::mixing::Ticked;
use quaymaster_app::{Admin, App};
use quaymaster_core::id::CredentialId;
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Fault, Scope, Scopes};
use quaymaster_store::credential::Credential;
use quaymaster_store::workspace::Workspace;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::time::Duration;

pub(crate) async fn token(config: &Config, verb: TokenVerb, as_json: bool) -> anyhow::Result<()> {
    let app = match verb {
        TokenVerb::Create { .. } => open::app_at_command_line(config).await?,
        TokenVerb::List { .. } | TokenVerb::Revoke { .. } => open::app_in_use(config).await?,
    };
    let done = run(&app, verb, as_json).await;
    app.shut_down(Duration::from_secs(5)).await;
    done
}

async fn run(app: &App, verb: TokenVerb, as_json: bool) -> anyhow::Result<()> {
    match verb {
        TokenVerb::Create {
            workspace,
            org,
            name,
            scopes,
            expires,
            files,
            read_only,
            toolsets,
            tools,
        } => {
            let ticked = Ticked {
                toolsets: (!toolsets.is_empty()).then_some(toolsets),
                tools: (!tools.is_empty()).then_some(tools),
            };
            let named = org.as_deref().filter(|name| !name.is_empty());
            let admin = admin(app, named).await?;
            let fresh = if org.is_some() {
                let files = match files {
                    Some(files) => Some(find_workspace(app, &admin, Some(&files)).await?.id),
                    None => None,
                };
                let new = NewApiKey {
                    name,
                    scopes: parse_scopes(&scopes)?,
                    expires: parse_expiry(expires.as_deref())?,
                    files,
                    ticked,
                    ..NewApiKey::default()
                };
                app.create_api_key(&admin, new).await?
            } else {
                anyhow::ensure!(
                    expires.is_none(),
                    "workspace tokens do not expire; --expires is for API keys"
                );
                let workspace = find_workspace(app, &admin, workspace.as_deref()).await?;
                let new = NewWorkspaceToken {
                    name,
                    read_only,
                    ticked,
                };
                app.create_workspace_token(&admin, &workspace.id, new)
                    .await?
            };
            print_fresh(app, &fresh, as_json).await?;
        }
        TokenVerb::List { org } => {
            let admin = admin(app, org.as_deref()).await?;
            list(app, &admin, as_json).await?;
        }
        TokenVerb::Revoke { id, org } => {
            let admin = admin(app, org.as_deref()).await?;
            let id: CredentialId = id.parse().context("see `quaymaster token list` for ids")?;
            app.revoke(&admin, &id).await?;
            output::print(
                as_json,
                &json!({ "id": id, "revoked": true }),
                &format!("Revoked {id}."),
            );
        }
    }
    Ok(())
}

async fn admin(app: &App, org: Option<&str>) -> anyhow::Result<Admin> {
    let org = app.organization_at_command_line(org).await?;
    Ok(app.actor_at_command_line(&org.id).await?)
}

async fn find_workspace(
    app: &App,
    admin: &Admin,
    named: Option<&str>,
) -> anyhow::Result<Workspace> {
    let all = app.workspaces(admin).await?;
    let found = match named {
        None => all.into_iter().next(),
        Some(named) => all
            .into_iter()
            .find(|ws| ws.name == named || ws.id.as_str() == named),
    };
    Ok(found.ok_or_else(|| Fault::not_found("There is no such workspace."))?)
}

fn parse_scopes(names: &[String]) -> anyhow::Result<Option<Scopes>> {
    if names.is_empty() {
        return Ok(None);
    }
    let scopes: Result<Scopes, _> = names
        .iter()
        .map(|name| name.trim().parse::<Scope>())
        .collect();
    Ok(Some(scopes?))
}

fn parse_expiry(text: Option<&str>) -> anyhow::Result<Expiry> {
    match text {
        None => Ok(Expiry::default()),
        Some("never") => Ok(Expiry::Never),
        Some(text) => {
            let days = text.strip_suffix('d').unwrap_or(text);
            Ok(Expiry::Days(
                days.parse()
                    .context("--expires takes a number of days, or never")?,
            ))
        }
    }
}

async fn print_fresh(app: &App, fresh: &Fresh, as_json: bool) -> anyhow::Result<()> {
    let endpoint = app.settings().endpoint();
    let token = fresh.token.expose_secret();
    let mut value = described(app, &fresh.credential).await?;
    value["token"] = json!(token);
    value["endpoint"] = json!(endpoint);
    let text = format!(
        "{token}\n\nThe token is shown this once. Endpoint: {endpoint}\nId: {}",
        fresh.credential.id
    );
    output::print(as_json, &value, &text);
    Ok(())
}

async fn described(app: &App, credential: &Credential) -> anyhow::Result<Value> {
    Ok(json!({
        "id": credential.id,
        "kind": match credential.kind {
            TokenKind::ApiKey => "api_key",
            TokenKind::WorkspaceToken => "workspace_token",
            TokenKind::OAuthGrant => "oauth_grant",
            TokenKind::ServerToken => "server_token",
            TokenKind::FlowToken => "flow_token",
        },
        "name": credential.name,
        "workspace": credential.workspace,
        "origin": credential.origin.name(),
        "scopes": credential.scopes,
        "toolsets": credential.mix.toolsets,
        "tools": app.ticked_tools(credential).await?,
        "created_at": credential.created_at,
        "expires_at": credential.expires_at,
        "last_used_at": credential.last_used_at,
    }))
}

async fn list(app: &App, admin: &Admin, as_json: bool) -> anyhow::Result<()> {
    let (mut all, _) = app.api_keys(admin, i64::MAX, 0).await?;
    for workspace in app.workspaces(admin).await? {
        all.extend(app.workspace_tokens(admin, &workspace.id).await?);
        all.extend(app.flow_tokens(admin, &workspace.id).await?);
        let clients = app.connected_clients(admin, &workspace.id).await?;
        all.extend(clients.into_iter().map(|client| client.credential));
    }
    let mut text = String::new();
    for credential in &all {
        let scopes: Vec<_> = credential.scopes.iter().map(Scope::name).collect();
        let expires = credential
            .expires_at
            .map_or("never expires".to_owned(), |at| format!("until {at}"));
        let _ = writeln!(
            text,
            "{}  {}  [{}]  {expires}",
            credential.id,
            credential.name,
            scopes.join(" ")
        );
    }
    let mut values = Vec::new();
    for credential in &all {
        values.push(described(app, credential).await?);
    }
    output::print(as_json, &json!({ "credentials": values }), &text);
    Ok(())
}
