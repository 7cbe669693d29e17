//! `/guides`: how things are done, for everybody.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;

use super::answer::{At, Stop, no_page, shown};
use super::person::Visitor;
use crate::guides::Guide;
use crate::views::{GuidePage, GuidesPage};

pub(super) async fn list(visitor: Visitor) -> Response {
    shown(StatusCode::OK, &GuidesPage::new(visitor.layout))
}

pub(super) async fn read(
    State(app): State<App>,
    At(name): At<String>,
    visitor: Visitor,
) -> Result<Response, Stop> {
    let guide = Guide::find(&name).ok_or_else(no_page)?;
    let page = GuidePage {
        layout: visitor.layout,
        title: guide.title(),
        shown: guide.shown(&app.settings().public_url),
    };
    Ok(shown(StatusCode::OK, &page))
}
