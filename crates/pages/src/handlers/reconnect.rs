//! `/reconnect/{id}`: opening it uses nothing up, the button makes a token for the client.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::links::LinkState;
use quaymaster_core::{Code, Fault};

use super::answer::{At, Stop, shown};
use super::person::{Newcomer, Person};
use super::posted::Posted;
use super::tokens;
use crate::views::{ReconnectPage, ReconnectState};

pub(super) async fn read(
    State(app): State<App>,
    newcomer: Newcomer,
    At(id): At<String>,
) -> Result<Response, Stop> {
    let page = page(&app, newcomer, id).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn confirm(
    State(app): State<App>,
    newcomer: Newcomer,
    At(id): At<String>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    match app.confirm_reconnect(&newcomer.actor, &id).await {
        Ok((workspace, fresh)) => {
            let person = Person::from(newcomer);
            tokens::shown_once(&app, person, &workspace, &fresh, false).await
        }
        Err(fault) if fault.code == Code::Forbidden => {
            let page = page(&app, newcomer, id).await?;
            Ok(shown(StatusCode::FORBIDDEN, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

async fn page(app: &App, newcomer: Newcomer, id: String) -> Result<ReconnectPage, Fault> {
    let state = match app.reconnect(&newcomer.actor, &id).await {
        Ok(link) => match link.state {
            LinkState::Good => ReconnectState::Ask {
                workspace: link.workspace.name,
                client_name: link.client_name,
                requested_at: link.requested_at,
                expires_at: link.expires_at,
            },
            LinkState::Expired => ReconnectState::Expired,
            LinkState::Used | LinkState::Withdrawn => ReconnectState::Used,
        },
        Err(fault) if fault.code == Code::Forbidden => {
            match app.reconnect_elsewhere(&newcomer.actor, &id).await? {
                Some(membership) => ReconnectState::Elsewhere {
                    id: membership.org.to_string(),
                    organization: membership.name,
                },
                None => ReconnectState::NotOwner,
            }
        }
        Err(fault) => return Err(fault),
    };
    Ok(ReconnectPage {
        layout: newcomer.layout,
        id,
        state,
    })
}
