//! `/usage`: charts of calls.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::call_usage::{Measure, Share, Slot, Window};

use super::answer::{Stop, shown};
use super::looking::{Looking, of_workspaces, read_id};
use super::person::Person;
use crate::views::{BarChart, Figures, LineChart, Moment, Preset, UsagePage, UsagePart, UsageRow};

const PATH: &str = "/usage";
const WINDOWS: [(&str, &str, Window); 3] = [
    ("24h", "24 hours", Window::Day),
    ("7d", "7 days", Window::Week),
    ("30d", "30 days", Window::Month),
];

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    Query(looking): Query<Looking>,
) -> Result<Response, Stop> {
    let actor = &person.actor;
    let chosen = WINDOWS.iter().find(|(key, ..)| *key == looking.window);
    let (key, _, window) = *chosen.unwrap_or(&WINDOWS[0]);
    let workspace = read_id(&looking.workspace)?;
    let report = app.call_report(actor, window, workspace.as_ref()).await?;
    let slots = moments(report.slots);
    let preset = |(other, label, _): &(&str, &str, Window)| Preset {
        label: (*label).to_owned(),
        href: looking.to(PATH, &[("window", other)]),
        is_current: *other == key,
    };
    let rows = |shares: Vec<Share>, field: &str| -> Vec<UsageRow> {
        let most = shares.iter().map(|share| share.measure.calls).max();
        let most = most.unwrap_or(0).max(1);
        let row = |share: Share| UsageRow {
            href: looking.to("/activity", &[(field, &share.key)]),
            percent: share.measure.calls * 100 / most,
            name: share.name,
            figures: figures(share.measure),
        };
        shares.into_iter().map(row).collect()
    };
    let page = UsagePage {
        is_admin: actor.role.administers(),
        windows: WINDOWS.iter().map(preset).collect(),
        window: key.to_owned(),
        workspaces: of_workspaces(&app, actor, &looking.workspace).await?,
        total: figures(report.total),
        calls: BarChart::new(&slots, report.slot_hours),
        durations: LineChart::new(&slots, report.slot_hours),
        slots,
        slot_hours: report.slot_hours,
        parts: vec![
            UsagePart {
                id: "tools",
                title: "By tool",
                head: "Tool",
                help: "",
                rows: rows(report.tools, "tool"),
            },
            UsagePart {
                id: "credentials",
                title: "By credential",
                head: "Credential",
                help: "",
                rows: rows(report.credentials, "credential"),
            },
            UsagePart {
                id: "accounts",
                title: "By connected account",
                head: "Account",
                help: "A call that used several accounts counts to each of them.",
                rows: rows(report.accounts, "account"),
            },
        ],
        layout: person.layout,
    };
    Ok(shown(StatusCode::OK, &page))
}

pub(super) fn figures(measure: Measure) -> Figures {
    Figures {
        calls: measure.calls,
        errors: measure.errors,
        p50_us: measure.p50_us,
        p95_us: measure.p95_us,
    }
}

pub(super) fn moments(slots: Vec<Slot>) -> Vec<Moment> {
    let moment = |slot: Slot| Moment {
        at: slot.at,
        figures: figures(slot.measure),
    };
    slots.into_iter().map(moment).collect()
}
