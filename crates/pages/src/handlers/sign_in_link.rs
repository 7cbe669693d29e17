//! `/sign-in/link/{id}`: opening it uses nothing up, the button does.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use quaymaster_app::links;
use quaymaster_core::Code;

use super::answer::{At, Stop, shown};
use super::person::{AskedBy, Visitor};
use super::posted::PostedOutside;
use super::{Pages, cookie, way_back};
use crate::views::{LinkState, SignInLinkPage};

pub(super) async fn read(
    State(pages): State<Pages>,
    visitor: Visitor,
    At(id): At<String>,
) -> Result<Response, Stop> {
    let page = page(&pages, visitor, id).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn submit(
    State(pages): State<Pages>,
    visitor: Visitor,
    AskedBy(browser): AskedBy,
    At(id): At<String>,
    headers: HeaderMap,
    PostedOutside(()): PostedOutside<()>,
) -> Result<Response, Stop> {
    match pages.app.sign_in_by_link(&id, &browser).await {
        Ok(secret) => {
            let next = way_back::remembered(&pages.app, &headers);
            let mut response = Redirect::to(next).into_response();
            cookie::add(&mut response, &cookie::signed_in(&pages.app, &secret));
            way_back::forget(&pages.app, &mut response);
            Ok(response)
        }
        Err(fault) if fault.code == Code::Forbidden => {
            let page = page(&pages, visitor, id).await?;
            Ok(shown(StatusCode::FORBIDDEN, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

async fn page(pages: &Pages, visitor: Visitor, id: String) -> Result<SignInLinkPage, Stop> {
    let link = pages.app.sign_in_link(&id).await?;
    Ok(SignInLinkPage {
        layout: visitor.layout,
        id,
        state: match link.state {
            links::LinkState::Good => LinkState::Ready { email: link.email },
            links::LinkState::Expired => LinkState::Expired,
            links::LinkState::Used | links::LinkState::Withdrawn => LinkState::Used,
        },
    })
}
