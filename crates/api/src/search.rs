//! Things by a part of their name.

use crate::auth::Person;
use crate::error::{Answer, Faults};
use crate::read::Query;
use axum::Json;
use axum::extract::State;
use quaymaster_app::App;
use quaymaster_app::finding::NamedThing;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct AskedName {
    /// Letters of a name.
    q: String,
}

#[derive(Serialize, ToSchema)]
#[schema(as = NamedThing)]
pub(crate) struct ThingView {
    /// `workspace`, `server`, `flow`, `pack`, `account`, `connector`, `skill` or `document`.
    kind: &'static str,
    /// An id; the key of a connector, the name of a skill.
    id: String,
    name: String,
    /// What tells it from others of the same name; may be empty.
    note: String,
}

impl From<NamedThing> for ThingView {
    fn from(thing: NamedThing) -> Self {
        ThingView {
            kind: thing.kind.name(),
            id: thing.id,
            name: thing.name,
            note: thing.note,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ThingList {
    results: Vec<ThingView>,
}

/// Finds things by name
///
/// At most eight of each kind, those first whose name begins so.
#[utoipa::path(
    get, path = "/api/v1/search", tag = "Activity",
    security(("bearer" = ["admin"])), params(AskedName),
    responses((status = 200, description = "What was found.", body = ThingList), Faults)
)]
pub(crate) async fn search(
    State(app): State<App>,
    Person(actor): Person,
    Query(asked): Query<AskedName>,
) -> Answer<Json<ThingList>> {
    let found = app.find_by_name(&actor, &asked.q).await?;
    Ok(Json(ThingList {
        results: found.into_iter().map(ThingView::from).collect(),
    }))
}
