//! What is recorded of a file's changes. Contents of before are not kept.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::activity::Position;
use quaymaster_app::files::FileChangeRow;
use quaymaster_app::{Actor, App};
use quaymaster_core::Fault;
use quaymaster_core::id::{CredentialId, WorkspaceId};
use serde::Deserialize;

use super::{address, crumbs, name, parent};
use crate::handlers::answer::{At, Stop, shown};
use crate::handlers::looking::{Looking, day_of};
use crate::handlers::person::Person;
use crate::handlers::place;
use crate::handlers::writers::Writers;
use crate::views::{FileChangeView, FileHistoryPage, Place};

/// Rows of a page.
const ROWS: i64 = 50;
/// Characters of an etag that tell two versions apart.
const ETAG: usize = 19;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::handlers) struct Asked {
    path: String,
    before: String,
}

pub(in crate::handlers) async fn read(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let actor = &person.actor;
    let place = place::find(&app, actor, &id).await?;
    let before: Option<Position> = match asked.before.as_str() {
        "" => None,
        text => Some(text.parse().map_err(|_| {
            Fault::invalid_arg(
                "",
                "format",
                "The address does not lead to a page of the list.",
            )
        })?),
    };
    let path = asked.path.trim_matches('/');
    let history = app.file_history(actor, &id, path, before.as_ref(), ROWS + 1);
    let mut rows = history.await?;
    let has_more = rows.len() > usize::try_from(ROWS).unwrap_or(0);
    rows.truncate(usize::try_from(ROWS).unwrap_or(0));
    let last = rows.last().filter(|_| has_more);
    let next = last.map(|row| {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("path", path)
            .append_pair("before", &row.position().to_string())
            .finish();
        format!("{}/files/history?{query}", place.path())
    });
    let actors: Vec<_> = rows.iter().map(|row| row.actor.as_str()).collect();
    let writers = Writers::of(&app, actor, &actors).await?;
    let page = FileHistoryPage {
        name: name(path).to_owned(),
        crumbs: crumbs(&place, parent(path)),
        view: address(&place, "view", path),
        changes: rows
            .into_iter()
            .map(|row| change(&place, actor, &writers, row))
            .collect(),
        next,
        place,
        layout: person.layout,
    };
    Ok(shown(StatusCode::OK, &page))
}

fn change(place: &Place, actor: &Actor, writers: &Writers, row: FileChangeRow) -> FileChangeView {
    // Events are of people, and their actions have two parts.
    let is_call = !row.action.contains('.');
    let credential = row.actor.parse::<CredentialId>().ok();
    let day = day_of(row.at).to_string();
    let looking = Looking {
        workspace: place.id.clone(),
        from: day.clone(),
        to: day,
        ..Looking::default()
    };
    let href = if is_call && credential.is_none() {
        // By statements of a connection, whichever workspace they were of.
        let of = [("account", row.actor.as_str())];
        let anywhere = Looking {
            workspace: String::new(),
            ..looking
        };
        Some(anywhere.to("/activity", &of))
    } else if is_call {
        let of = [
            ("tool", row.action.as_str()),
            ("credential", row.actor.as_str()),
        ];
        Some(looking.to("/activity", &of))
    } else {
        let of = [
            ("action", row.action.as_str()),
            ("actor", row.actor.as_str()),
        ];
        let is_admin = actor.role.administers();
        is_admin.then(|| looking.to("/activity/changes", &of))
    };
    FileChangeView {
        at: row.at,
        what: row.action,
        href,
        who: writers.name(&row.actor),
        other_href: row
            .other
            .as_deref()
            .map(|path| address(place, "history", path)),
        other: row.other,
        etag: row.etag.map(|etag| etag.chars().take(ETAG).collect()),
    }
}
