//! `/search`: where to go, by a part of a name.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::finding::{Kind, NamedThing, fit};
use serde::Deserialize;

use super::answer::{Stop, shown};
use super::person::Person;
use crate::views::address::segment;
use crate::views::{FoundRow, SearchPage};

/// Pages of everybody, and those of administrators.
const PAGES: [(&str, &str); 16] = [
    ("Home", "/"),
    ("Connectors", "/connectors"),
    ("Own connectors", "/connectors/own"),
    ("Skills", "/skills"),
    ("New skill", "/skills/new"),
    ("Memory", "/memory"),
    ("New note", "/memory/new"),
    ("Documents", "/documents"),
    ("Activity", "/activity"),
    ("Usage", "/usage"),
    ("Settings", "/settings"),
    ("Account", "/settings/account"),
    ("Members", "/settings/members"),
    ("API keys", "/settings/api-keys"),
    ("API reference", "/reference"),
    ("Search", "/search"),
];
const FOR_ADMINISTRATORS: [(&str, &str); 1] = [("Changes", "/activity/changes")];

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
    let things = app.find_by_name(actor, &query).await?;
    found.extend(things.into_iter().map(row));
    let page = SearchPage {
        layout: person.layout,
        query,
        found,
    };
    Ok(shown(StatusCode::OK, &page))
}

fn row(thing: NamedThing) -> FoundRow {
    let path = match thing.kind {
        Kind::Workspace => "/workspaces",
        Kind::Server => "/servers",
        Kind::Account => "/connections",
        Kind::Connector => "/connectors",
        Kind::Skill => "/skills",
        Kind::Document => "/documents",
    };
    FoundRow {
        kind: thing.kind.name(),
        href: format!("{path}/{}", segment(&thing.id)),
        name: thing.name,
        note: thing.note,
    }
}
