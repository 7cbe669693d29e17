//! Flows and packs that are not saved yet: checked and tried. And the JSON Schema of the format.

use crate::auth::{Administrator, Person};
use crate::error::{Answer, Faults};
use crate::flow_runs::StepView;
use crate::flows::{TEXT, refused};
use crate::problems::ProblemView;
use crate::read::{Json, Path};
use crate::workspaces::find;
use axum::extract::State;
use axum::response::IntoResponse;
use http::header::CONTENT_TYPE;
use quaymaster_app::App;
use quaymaster_app::flows::trying::{FlowTrial, Tried};
use quaymaster_app::flows::{Checked, TestOutcome, format_schema};
use quaymaster_core::tool::JsonObject;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// One of the tests in the text.
#[derive(Serialize, ToSchema)]
#[schema(as = FlowTest)]
pub(crate) struct TestView {
    /// Of a pack with the flow in front: `count_orders: no orders`.
    name: String,
    passed: bool,
    /// Why it did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

impl From<TestOutcome> for TestView {
    fn from(test: TestOutcome) -> Self {
        TestView {
            name: test.name,
            passed: test.passed,
            message: test.message,
        }
    }
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct FlowText {
    /// A flow or a pack, YAML or JSON of the format `quaymaster/v1`.
    source: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct FlowCheck {
    /// It can be saved.
    valid: bool,
    /// The name of the flow, or the id of the pack, if the text could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    problems: Vec<ProblemView>,
    tests: Vec<TestView>,
}

impl From<Checked> for FlowCheck {
    fn from(checked: Checked) -> Self {
        FlowCheck {
            valid: checked.is_good(),
            name: checked.name,
            problems: checked.problems.into_iter().map(Into::into).collect(),
            tests: checked.tests.into_iter().map(Into::into).collect(),
        }
    }
}

/// Checks the text of a flow or a pack
///
/// As when it is saved: every problem with its place, and the outcome of its own tests, which
/// reach nothing. A text with the key `pack` is a pack. Saves nothing.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/flow-drafts/validate", tag = "Flows",
    security(("bearer" = ["admin"])), request_body = FlowText,
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    responses((status = 200, description = "What was found.", body = FlowCheck), Faults)
)]
pub(crate) async fn validate_flow(
    State(app): State<App>,
    Person(actor): Person,
    Path(id): Path<String>,
    Json(text): Json<FlowText, TEXT>,
) -> Answer<axum::Json<FlowCheck>> {
    let workspace = find(&app, &actor, &id).await?;
    let checked = app.check_text(&actor, &workspace.id, &text.source).await?;
    Ok(axum::Json(checked.into()))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TryFlow {
    /// The text of a flow; `flow` names a saved one instead.
    source: Option<String>,
    /// Id or name of a saved flow.
    flow: Option<String>,
    /// As `input` of the flow says.
    #[serde(default)]
    #[schema(value_type = Object)]
    input: JsonObject,
    /// Answers in the places of steps, by their ids, as in the flow's `tests`: `{"geo": {"returns": {"body": …}}}`.
    /// A step without one does what it does.
    #[serde(default)]
    #[schema(value_type = Object)]
    mocks: JsonObject,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct TriedFlow {
    /// The run ended well.
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<Value>,
    /// The fault with which it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<Value>,
    /// In milliseconds.
    duration_ms: f64,
    /// In the order in which they began.
    steps: Vec<StepView>,
}

impl From<Tried> for TriedFlow {
    fn from(tried: Tried) -> Self {
        let (result, error) = match tried.result {
            Ok(value) => (Some(value), None),
            Err(fault) => (None, Some(fault.to_json())),
        };
        TriedFlow {
            ok: error.is_none(),
            result,
            error,
            duration_ms: tried.duration_us as f64 / 1_000.0,
            steps: tried.steps.into_iter().map(StepView::from).collect(),
        }
    }
}

/// Tries a flow
///
/// Runs a saved flow or a text that is none yet, and answers with what each step did. Steps without a
/// mock do what they do: they reach services with the workspace's accounts. Counts as one tool call.
/// Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/workspaces/{id}/flow-drafts/try", tag = "Flows",
    security(("bearer" = ["admin"])), request_body = TryFlow,
    params(("id" = String, Path, description = "Id or slug of the workspace.")),
    responses(
        (status = 200, description = "How the run ended.", body = TriedFlow),
        Faults
    )
)]
pub(crate) async fn try_flow(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(id): Path<String>,
    Json(asked): Json<TryFlow, TEXT>,
) -> Answer<axum::Json<TriedFlow>> {
    let workspace = find(&app, &admin, &id).await?;
    let trial = FlowTrial {
        source: asked.source,
        flow: asked.flow,
        input: asked.input,
        mocks: asked.mocks,
    };
    let tried = app.try_flow(&admin, &workspace.id, trial).await;
    Ok(axum::Json(tried.map_err(refused)?.into()))
}

/// The JSON Schema of the format of flows
///
/// For editors and for models that write flows. Open to everybody.
#[utoipa::path(
    get, path = "/api/v1/schemas/flow.json", tag = "Flows",
    responses((status = 200, description = "JSON Schema 2020-12.", body = Object))
)]
pub(crate) async fn read_flow_schema() -> impl IntoResponse {
    ([(CONTENT_TYPE, "application/json")], format_schema())
}
