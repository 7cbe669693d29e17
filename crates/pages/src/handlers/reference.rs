//! `/reference`: the API, for everybody. Each operation has a page of its own.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::answer::{At, Stop, no_page, shown};
use super::person::Visitor;
use crate::views::{OperationPage, ReferencePage, ReferenceView};

pub(super) async fn list(
    State(reference): State<Arc<ReferenceView>>,
    visitor: Visitor,
) -> Response {
    let page = ReferencePage {
        layout: visitor.layout,
        reference,
    };
    shown(StatusCode::OK, &page)
}

pub(super) async fn read(
    State(reference): State<Arc<ReferenceView>>,
    At(name): At<String>,
    visitor: Visitor,
) -> Result<Response, Stop> {
    let page = OperationPage::find(visitor.layout, reference, &name).ok_or_else(no_page)?;
    Ok(shown(StatusCode::OK, &page))
}
