//! Who asks. A handler that takes one of these types is reached by nobody else.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use quaymaster_app::browsers::Browser;
use quaymaster_app::sign_in::SignedIn;
use quaymaster_app::{Actor, Admin};
use quaymaster_core::Fault;

use super::answer::Stop;
use super::{Pages, cookie, local, notice};
use crate::views::{self, Layout};

/// Somebody signed in who has said who they are. Others are sent there first.
pub(super) struct Person {
    pub(super) actor: Actor,
    pub(super) browser: Arc<SignedIn>,
    pub(super) layout: Layout,
}

/// Somebody signed in, possibly for the first time and without a password yet.
pub(super) struct Newcomer {
    pub(super) actor: Actor,
    pub(super) browser: Arc<SignedIn>,
    pub(super) layout: Layout,
}

/// The browser itself: where it is, and what it calls itself.
pub(super) struct AskedBy(pub(super) Browser);

/// A [`Person`] who administers the organization.
pub(super) struct Administrator {
    pub(super) admin: Admin,
    pub(super) person: Person,
}

/// Anybody.
pub(super) struct Visitor {
    pub(super) layout: Layout,
    pub(super) is_signed_in: bool,
}

/// The session of the request, once it was looked up.
#[derive(Clone)]
struct Seen(Option<Arc<SignedIn>>);

/// The signed-in browser that sent the request.
pub(super) async fn browser(
    parts: &mut Parts,
    pages: &Pages,
) -> Result<Option<Arc<SignedIn>>, Fault> {
    if let Some(Seen(known)) = parts.extensions.get() {
        return Ok(known.clone());
    }
    let found = look_up(pages, &parts.headers).await?;
    parts.extensions.insert(Seen(found.clone()));
    Ok(found)
}

async fn look_up(pages: &Pages, headers: &HeaderMap) -> Result<Option<Arc<SignedIn>>, Fault> {
    match cookie::session(&pages.app, headers) {
        Some(secret) => Ok(pages.app.signed_in(secret).await?.map(Arc::new)),
        None => Ok(None),
    }
}

/// To the sign-in page; from there back, when the request can be repeated by following a link.
pub(super) fn to_sign_in(parts: &Parts) -> Stop {
    Stop::Elsewhere(if parts.method.is_safe() {
        local::before("/sign-in", &parts.uri)
    } else {
        "/sign-in".to_owned()
    })
}

impl FromRequestParts<Pages> for Newcomer {
    type Rejection = Stop;
    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Stop> {
        let Some(browser) = browser(parts, pages).await? else {
            return Err(to_sign_in(parts));
        };
        let member = &browser.member;
        let actor = pages.app.actor_of_user(&member.org, &member.user).await?;
        let layout = layout(pages, &parts.headers, &browser).await?;
        Ok(Newcomer {
            actor,
            browser,
            layout,
        })
    }
}

impl From<Newcomer> for Person {
    fn from(newcomer: Newcomer) -> Self {
        Person {
            actor: newcomer.actor,
            browser: newcomer.browser,
            layout: newcomer.layout,
        }
    }
}

impl From<Newcomer> for Visitor {
    fn from(newcomer: Newcomer) -> Self {
        Visitor {
            layout: newcomer.layout,
            is_signed_in: true,
        }
    }
}

impl FromRequestParts<Pages> for AskedBy {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, _: &Pages) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        let agent = parts.headers.get(header::USER_AGENT);
        Ok(AskedBy(Browser {
            address: peer.map(|ConnectInfo(peer)| peer.ip()),
            agent: agent
                .and_then(|agent| agent.to_str().ok())
                .map(str::to_owned),
        }))
    }
}

impl FromRequestParts<Pages> for Person {
    type Rejection = Stop;
    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Stop> {
        let newcomer = Newcomer::from_request_parts(parts, pages).await?;
        if !newcomer.browser.member.has_password {
            return Err(Stop::Elsewhere(if parts.method.is_safe() {
                local::before("/welcome", &parts.uri)
            } else {
                "/welcome".to_owned()
            }));
        }
        Ok(Person::from(newcomer))
    }
}

impl FromRequestParts<Pages> for Administrator {
    type Rejection = Stop;
    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Stop> {
        let person = Person::from_request_parts(parts, pages).await?;
        let admin = person.actor.clone().admin()?;
        Ok(Administrator { admin, person })
    }
}

impl FromRequestParts<Pages> for Visitor {
    type Rejection = std::convert::Infallible;
    async fn from_request_parts(parts: &mut Parts, pages: &Pages) -> Result<Self, Self::Rejection> {
        Ok(Visitor::of(pages, &parts.headers).await)
    }
}

impl Visitor {
    /// Never fails, since error pages are shown to visitors: who cannot be looked up is nobody.
    pub(super) async fn of(pages: &Pages, headers: &HeaderMap) -> Self {
        if let Ok(Some(browser)) = look_up(pages, headers).await
            && let Ok(layout) = layout(pages, headers, &browser).await
        {
            return Visitor {
                layout,
                is_signed_in: true,
            };
        }
        Visitor {
            layout: Layout {
                flash: notice::flash(&pages.app, headers),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                ..Layout::default()
            },
            is_signed_in: false,
        }
    }
}

async fn layout(pages: &Pages, headers: &HeaderMap, browser: &SignedIn) -> Result<Layout, Fault> {
    let member = &browser.member;
    Ok(Layout {
        organization: Some(pages.app.organization_name(&member.org).await?),
        user: Some(views::SignedIn {
            name: member.name.clone(),
            email: member.email.clone().unwrap_or_default(),
        }),
        csrf: pages.app.csrf_token(&browser.session),
        flash: notice::flash(&pages.app, headers),
        version: env!("CARGO_PKG_VERSION").to_owned(),
    })
}
