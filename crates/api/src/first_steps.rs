//! What somebody new does first, and how far they are.

use crate::auth::Person;
use crate::error::{Answer, Faults};
use axum::Json;
use axum::extract::State;
use http::StatusCode;
use quaymaster_app::App;
use serde::Serialize;
use utoipa::ToSchema;

#[derive(Serialize, ToSchema)]
#[schema(as = FirstStep)]
pub(crate) struct StepView {
    /// `connect_client`, `connect_account`, `make_server`, `install_pack` or `invite_somebody`.
    step: &'static str,
    done: bool,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FirstSteps)]
pub(crate) struct StepsView {
    steps: Vec<StepView>,
    /// The first page does not show them to this person any more.
    dismissed: bool,
}

/// Reads the first steps
///
/// Ticked off by what is there: a credential that was used, an account, a server, a pack, somebody else.
#[utoipa::path(
    get, path = "/api/v1/first-steps", tag = "Activity",
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "The steps.", body = StepsView), Faults)
)]
pub(crate) async fn read_first_steps(
    State(app): State<App>,
    Person(actor): Person,
) -> Answer<Json<StepsView>> {
    let first = app.first_steps(&actor).await?;
    let view = |(step, done): (quaymaster_app::first_steps::Step, bool)| StepView {
        step: step.name(),
        done,
    };
    Ok(Json(StepsView {
        steps: first.steps.into_iter().map(view).collect(),
        dismissed: first.is_dismissed,
    }))
}

/// Dismisses the first steps
///
/// The first page does not show them to this person any more.
#[utoipa::path(
    post, path = "/api/v1/first-steps/dismiss", tag = "Activity",
    security(("bearer" = ["admin"])),
    responses((status = 204, description = "They are dismissed."), Faults)
)]
pub(crate) async fn dismiss_first_steps(
    State(app): State<App>,
    Person(actor): Person,
) -> Answer<StatusCode> {
    app.dismiss_first_steps(&actor).await?;
    Ok(StatusCode::NO_CONTENT)
}
