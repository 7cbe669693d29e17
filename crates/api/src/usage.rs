//! How much is called, how often it fails and how long it takes.

use crate::auth::Person;
use crate::error::{Answer, Faults};
use crate::read::Query;
use crate::workspaces::find;
use axum::Json;
use axum::extract::State;
use quaymaster_app::App;
use quaymaster_app::call_usage::{Measure, Report, Share, Slot, Window};
use quaymaster_core::{Fault, Instant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Asked {
    /// `24h` by the hour, `7d` by six hours, `30d` by the day, or `today` by the hour. Days end at 00:00 UTC.
    #[param(default = "24h")]
    window: Option<String>,
    /// Only calls that counted to this workspace, by its id or slug.
    workspace: Option<String>,
}

/// Calls and how they went. Durations come from counts in buckets: close, not exact.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CallMeasure)]
pub(crate) struct MeasureView {
    calls: u64,
    errors: u64,
    /// Half of the calls took no longer: microseconds. Absent without calls.
    #[serde(skip_serializing_if = "Option::is_none")]
    p50_us: Option<u64>,
    /// 95 of 100 calls took no longer: microseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    p95_us: Option<u64>,
}

impl From<Measure> for MeasureView {
    fn from(measure: Measure) -> Self {
        MeasureView {
            calls: measure.calls,
            errors: measure.errors,
            p50_us: measure.p50_us,
            p95_us: measure.p95_us,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UsageSlot)]
pub(crate) struct SlotView {
    /// When it begins.
    #[schema(value_type = String, format = DateTime)]
    at: Instant,
    #[serde(flatten)]
    measure: MeasureView,
}

impl From<Slot> for SlotView {
    fn from(slot: Slot) -> Self {
        SlotView {
            at: slot.at,
            measure: slot.measure.into(),
        }
    }
}

/// A tool, credential or account with its calls.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = UsageShare)]
pub(crate) struct ShareView {
    /// The tool, the credential's id, or the account as `service:account`.
    key: String,
    name: String,
    #[serde(flatten)]
    measure: MeasureView,
}

impl From<Share> for ShareView {
    fn from(share: Share) -> Self {
        ShareView {
            key: share.key,
            name: share.name,
            measure: share.measure.into(),
        }
    }
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = CallReport)]
pub(crate) struct ReportView {
    #[schema(value_type = String, format = DateTime)]
    from: Instant,
    #[schema(value_type = String, format = DateTime)]
    to: Instant,
    /// Hours of a slot.
    slot_hours: i64,
    total: MeasureView,
    /// One beside the other, oldest first.
    slots: Vec<SlotView>,
    /// Most called first, at most twenty of each.
    tools: Vec<ShareView>,
    credentials: Vec<ShareView>,
    /// A call that used several counts to each.
    accounts: Vec<ShareView>,
}

impl From<Report> for ReportView {
    fn from(report: Report) -> Self {
        let shares = |all: Vec<Share>| all.into_iter().map(ShareView::from).collect();
        ReportView {
            from: report.from,
            to: report.to,
            slot_hours: report.slot_hours,
            total: report.total.into(),
            slots: report.slots.into_iter().map(SlotView::from).collect(),
            tools: shares(report.tools),
            credentials: shares(report.credentials),
            accounts: shares(report.accounts),
        }
    }
}

/// Reads how much was called
///
/// Calls, errors and durations over time, and by tool, credential and account.
#[utoipa::path(
    get, path = "/api/v1/usage", tag = "Activity",
    security(("bearer" = ["admin"])), params(Asked),
    responses((status = 200, description = "What was called.", body = ReportView), Faults)
)]
pub(crate) async fn read_usage(
    State(app): State<App>,
    Person(actor): Person,
    Query(asked): Query<Asked>,
) -> Answer<Json<ReportView>> {
    let window = match asked.window.as_deref() {
        None | Some("24h") => Window::Day,
        Some("7d") => Window::Week,
        Some("30d") => Window::Month,
        Some("today") => Window::Today,
        Some(_) => {
            let said = "A window is 24h, 7d, 30d or today.";
            return Err(Fault::invalid_arg("/window", "enum", said).into());
        }
    };
    let workspace = match &asked.workspace {
        Some(id) => Some(find(&app, &actor, id).await?.id),
        None => None,
    };
    let report = app.call_report(&actor, window, workspace.as_ref()).await?;
    Ok(Json(report.into()))
}
