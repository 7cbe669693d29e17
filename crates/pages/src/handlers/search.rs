//! `/search`: where to go, by a part of a name.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::finding::{Kind, NamedThing, fit};
use quaymaster_app::{Actor, App};
use quaymaster_core::Fault;
use serde::Deserialize;

use super::answer::{Stop, shown};
use super::person::Person;
use crate::guides;
use crate::views::address::segment;
use crate::views::{FoundRow, SearchPage};

/// Pages of everybody, and those of administrators.
const PAGES: [(&str, &str); 15] = [
    ("Home", "/"),
    ("Connectors", "/connectors"),
    ("Skills", "/skills"),
    ("Memory", "/memory"),
    ("New note", "/memory/new"),
    ("Documents", "/documents"),
    ("Activity", "/activity"),
    ("Usage", "/usage"),
    ("Settings", "/settings"),
    ("Account", "/settings/account"),
    ("Members", "/settings/members"),
    ("API keys", "/settings/api-keys"),
    ("Guides", "/guides"),
    ("API reference", "/reference"),
    ("Search", "/search"),
];
const FOR_ADMINISTRATORS: [(&str, &str); 6] = [
    ("Changes", "/activity/changes"),
    ("New skill", "/skills/new"),
    ("Import a skill", "/skills/import"),
    ("Own connectors", "/connectors/own"),
    ("New connector", "/connectors/own/new"),
    ("Import a connector", "/connectors/own/import"),
];
/// Pages that each workspace has, and those of its administrators.
const OF_WORKSPACE: [(&str, &str); 8] = [
    ("Files", "files"),
    ("Servers", "servers"),
    ("Flows", "flows"),
    ("Flow runs", "flow-runs"),
    ("Flow secrets", "flow-secrets"),
    ("Packs", "packs"),
    ("Integrations", "integrations"),
    ("Settings", "settings"),
];
const OF_WORKSPACE_FOR_ADMINISTRATORS: [(&str, &str); 3] = [
    ("New flow", "flows/new"),
    ("Partials", "partials"),
    ("End users", "end-users"),
];
/// Pages of workspaces that are shown.
const MOST: usize = 12;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    q: String,
}

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let actor = &person.actor;
    let query: String = asked.q.trim().chars().take(100).collect();
    let more: &[_] = if actor.role.administers() {
        &FOR_ADMINISTRATORS
    } else {
        &[]
    };
    let mut pages: Vec<_> = PAGES
        .iter()
        .chain(more)
        .filter_map(|(name, href)| Some((fit(name, &query)?, name, href)))
        .collect();
    pages.sort_by_key(|(rank, ..)| *rank);
    let page = |(_, name, href): (usize, &&'static str, &&'static str)| FoundRow {
        kind: "page",
        name: (*name).to_owned(),
        note: String::new(),
        href: (*href).to_owned(),
    };
    let mut found: Vec<FoundRow> = pages.into_iter().map(page).collect();
    found.extend(guides(&query));
    found.extend(of_workspaces(&app, actor, &query).await?);
    let things = app.find_by_name(actor, &query).await?;
    found.extend(things.into_iter().map(row));
    let page = SearchPage {
        layout: person.layout,
        query,
        found,
    };
    Ok(shown(StatusCode::OK, &page))
}

fn guides(query: &str) -> Vec<FoundRow> {
    if query.is_empty() {
        return Vec::new();
    }
    let fitting = guides::ALL
        .iter()
        .filter_map(|guide| Some((fit(guide.title(), query)?, guide)));
    let mut fitting: Vec<_> = fitting.collect();
    fitting.sort_by_key(|(rank, _)| *rank);
    let row = |(_, guide): (usize, &guides::Guide)| FoundRow {
        kind: "guide",
        name: guide.title().to_owned(),
        note: guide.summary.to_owned(),
        href: format!("/guides/{}", guide.name),
    };
    fitting.into_iter().map(row).collect()
}

/// The pages of workspaces whose own name fits.
async fn of_workspaces(app: &App, actor: &Actor, query: &str) -> Result<Vec<FoundRow>, Fault> {
    if query.is_empty() {
        return Ok(Vec::new());
    }
    let more: &[_] = if actor.role.administers() {
        &OF_WORKSPACE_FOR_ADMINISTRATORS
    } else {
        &[]
    };
    let fitting = OF_WORKSPACE.iter().chain(more);
    let fitting = fitting.filter_map(|(name, path)| Some((fit(name, query)?, name, path)));
    let mut fitting: Vec<_> = fitting.collect();
    if fitting.is_empty() {
        return Ok(Vec::new());
    }
    fitting.sort_by_key(|(rank, ..)| *rank);
    let workspaces = app.some_workspaces(actor, MOST).await?;
    let rows = fitting.into_iter().flat_map(|(_, name, path)| {
        workspaces.iter().map(move |(id, workspace)| FoundRow {
            kind: "page",
            name: (*name).to_owned(),
            note: workspace.clone(),
            href: format!("/workspaces/{}/{path}", segment(id)),
        })
    });
    Ok(rows.take(MOST).collect())
}

fn row(thing: NamedThing) -> FoundRow {
    // Of what belongs to a workspace, the id has both.
    if let (Kind::Flow | Kind::Pack, Some((workspace, id))) = (thing.kind, thing.id.split_once('/'))
    {
        let under = if thing.kind == Kind::Flow {
            "flows"
        } else {
            "packs"
        };
        return FoundRow {
            kind: thing.kind.name(),
            href: format!("/workspaces/{}/{under}/{}", segment(workspace), segment(id)),
            name: thing.name,
            note: thing.note,
        };
    }
    let path = match thing.kind {
        Kind::Server => "/servers",
        Kind::Account => "/connections",
        Kind::Connector => "/connectors",
        Kind::Skill => "/skills",
        Kind::Document => "/documents",
        Kind::Workspace | Kind::Flow | Kind::Pack => "/workspaces",
    };
    FoundRow {
        kind: thing.kind.name(),
        href: format!("{path}/{}", segment(&thing.id)),
        name: thing.name,
        note: thing.note,
    }
}
