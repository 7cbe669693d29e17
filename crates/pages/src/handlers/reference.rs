//! `/reference`: the API, for everybody.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::answer::shown;
use super::person::Visitor;
use crate::views::{ReferencePage, ReferenceView};

pub(super) async fn read(
    State(reference): State<Arc<ReferenceView>>,
    visitor: Visitor,
) -> Response {
    let page = ReferencePage {
        layout: visitor.layout,
        reference,
    };
    shown(StatusCode::OK, &page)
}
