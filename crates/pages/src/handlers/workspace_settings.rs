//! `/workspaces/{id}/settings`: whether flows need a credential, and flow tokens, made and revoked.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::credentials::{Credential, Expiry};
use quaymaster_app::flow_tokens::NewFlowToken;
use quaymaster_app::workspaces::WorkspaceChange;
use quaymaster_app::{Actor, App};
use quaymaster_core::caller::Pick;
use quaymaster_core::id::{CredentialId, WorkspaceId};
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Code, Fault};
use secrecy::ExposeSecret as _;

use super::answer::{self, At, Stop, field_of, shown};
use super::choosing::ROOM;
use super::connections::said;
use super::mixing::Ticked;
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::{Pages, connect, mixing, place, workspace, writers};
use crate::views::{
    Choice, Field, FlowTokenForm, FlowTokenRow, FreshFlowTokenPage, WorkspaceSettingsPage,
};

const KIND: TokenKind = TokenKind::FlowToken;

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
) -> Result<Response, Stop> {
    let page = page(&app, person, &id).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct Switched {
    require: bool,
}

impl Form for Switched {
    fn read(fields: &Fields) -> Self {
        Switched {
            require: fields.one("require") == "yes",
        }
    }
}

pub(super) async fn switch(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<Switched>,
) -> Result<Response, Stop> {
    let change = WorkspaceChange {
        requires_authentication: Some(form.require),
        ..WorkspaceChange::default()
    };
    match pages.app.update_workspace(&admin, &id, change).await {
        Ok(_) => {
            let notice = if form.require {
                Notice::AuthenticationRequired
            } else {
                Notice::AuthenticationOff
            };
            Ok(answer::done(&pages, &path(&id), notice))
        }
        // Another workspace is open.
        Err(fault) if fault.code == Code::AlreadyExists => {
            let mut page = page(&pages.app, person, &id).await?;
            page.refused = Some(fault.message);
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

pub(super) struct NewToken {
    name: String,
    flows: Vec<String>,
    named_flows: String,
    in_url: bool,
    mix: Option<Ticked>,
}

impl NewToken {
    /// None for all that there are.
    fn only(&self) -> Option<Vec<String>> {
        let named = self.named_flows.split_whitespace().map(str::to_owned);
        let only: Vec<String> = self.flows.iter().cloned().chain(named).collect();
        Some(only).filter(|only| !only.is_empty())
    }
}

impl Form for NewToken {
    const MOST: usize = mixing::MOST;
    fn read(fields: &Fields) -> Self {
        NewToken {
            name: fields.text("name"),
            flows: fields.all("flows").map(str::to_owned).collect(),
            named_flows: fields.text("named_flows"),
            in_url: fields.one("in_url") == "yes",
            mix: Ticked::read(fields),
        }
    }
}

pub(super) async fn create(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<NewToken>,
) -> Result<Response, Stop> {
    let ticked = form.mix.as_ref();
    let asked = mixing::asked(&app, &person.actor, KIND, Some(&id), ticked).await;
    let made = match asked {
        Ok(ticked) => {
            let new = NewFlowToken {
                name: form.name.clone(),
                flows: form.only(),
                in_url: form.in_url,
                expires: Expiry::Never,
                ticked,
            };
            app.create_flow_token(&person.actor, &id, new).await
        }
        Err(fault) => Err(fault),
    };
    match made {
        Ok(fresh) => {
            let token = fresh.token.expose_secret();
            let page = FreshFlowTokenPage {
                place: place::find(&app, &person.actor, &id).await?,
                layout: person.layout,
                name: fresh.credential.name.clone(),
                token: token.to_owned(),
                in_url: form.in_url,
                size: mixing::size(&app, &fresh.credential).await?,
                connect: connect::to_flows(&app, Some(token), form.in_url),
            };
            Ok(shown(StatusCode::OK, &page))
        }
        Err(fault)
            if matches!(
                fault.code,
                Code::InvalidArg | Code::AlreadyExists | Code::ScopeDenied
            ) =>
        {
            let mut mix = mixing::picker(&app, &person.actor, KIND, Some(&id), ticked).await?;
            let mut page = page(&app, person, &id).await?;
            let is_about_flows = field_of(&fault).is_some_and(|field| field.starts_with("/flows"));
            page.form.name = Field::new(form.name);
            if let Some(named) = &mut page.form.named_flows {
                *named = Field::new(form.named_flows);
            }
            if mixing::is_about(&fault) || fault.code == Code::ScopeDenied {
                mix.error = Some(said(fault));
            } else if let Some(named) = page.form.named_flows.as_mut().filter(|_| is_about_flows) {
                named.error = Some(said(fault));
            } else {
                page.form.name.error = Some(fault.message);
            }
            page.form.mix = mix;
            page.form.in_url = form.in_url;
            for choice in &mut page.form.flows {
                choice.is_chosen = form.flows.contains(&choice.value);
            }
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

pub(super) async fn revoke(
    State(pages): State<Pages>,
    person: Person,
    At((id, token)): At<(WorkspaceId, CredentialId)>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    let all = pages.app.flow_tokens(&person.actor, &id).await?;
    if !all.iter().any(|one| one.id == token) {
        let fault = "The workspace has no such flow token, or it was revoked before.";
        return Err(Fault::not_found(fault).into());
    }
    pages.app.revoke(&person.actor, &token).await?;
    Ok(answer::done(&pages, &path(&id), Notice::TokenRevoked))
}

fn path(id: &WorkspaceId) -> String {
    format!("{}/settings", workspace::path(id))
}

/// The page with empty forms.
async fn page(app: &App, person: Person, id: &WorkspaceId) -> Result<WorkspaceSettingsPage, Fault> {
    let actor = &person.actor;
    let workspace = app.workspace(actor, id).await?;
    let connect = if workspace.requires_authentication {
        connect::to_flows(
            app,
            Some(quaymaster_app::connect_lines::TOKEN_PLACEHOLDER),
            true,
        )
    } else {
        connect::to_flows(app, None, true)
    };
    let (flows, count) = app.flows_page(actor, id, "", ROOM, 0).await?;
    let named_flows = (count > ROOM).then(Field::default);
    let ticks = flows.into_iter().filter(|_| named_flows.is_none());
    let ticks =
        ticks.map(|flow| Choice::new(flow.id.as_str(), flow.title, false).with_help(&flow.name));
    Ok(WorkspaceSettingsPage {
        place: place::of(actor, &workspace),
        endpoint: app.settings().endpoint(),
        requires_authentication: workspace.requires_authentication,
        refused: None,
        tokens: rows(app, actor, id).await?,
        form: FlowTokenForm {
            flows: ticks.collect(),
            named_flows,
            mix: mixing::picker(app, actor, KIND, Some(id), None).await?,
            ..FlowTokenForm::default()
        },
        connect,
        layout: person.layout,
    })
}

async fn rows(
    app: &App,
    actor: &Actor,
    workspace: &WorkspaceId,
) -> Result<Vec<FlowTokenRow>, Fault> {
    let all = app.flow_tokens(actor, workspace).await?;
    let people = app
        .member_names(&actor.org, all.iter().map(|token| token.user.clone()))
        .await?;
    let row = |token: Credential| FlowTokenRow {
        id: token.id.to_string(),
        flows: match &token.flows {
            Pick::All => None,
            Pick::Only(flows) => Some(flows.len()),
        },
        in_url: token.in_url,
        mix: mixing::said(&token.mix),
        may_change: actor.role.administers() || token.user == actor.user,
        created_by: writers::name_of(&people, &token.user),
        created_at: token.created_at,
        last_used_at: token.last_used_at,
        expires_at: token.expires_at,
        name: token.name,
    };
    Ok(all.into_iter().map(row).collect())
}
