//! What can be called of a connector: its modules, their actions, recipes and limits.

use crate::auth::Person;
use crate::error::{Answer, Faults};
use crate::read::Path;
use axum::extract::State;
use quaymaster_app::App;
use quaymaster_app::connectors::{
    ActionInFull, ActionRow, ModuleInFull, ModuleRow, RateLimit, Recipe,
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// A callable operation.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Action)]
pub(crate) struct ActionView {
    /// Unique in the connector.
    key: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    /// `VERB /path`, or the name of a method.
    call: String,
    /// It changes nothing.
    read_only: bool,
    destructive: bool,
}

impl From<ActionRow> for ActionView {
    fn from(row: ActionRow) -> Self {
        ActionView {
            key: row.key,
            title: row.title,
            summary: row.summary,
            call: row.call,
            read_only: row.reads,
            destructive: row.is_destructive,
        }
    }
}

#[derive(Serialize, ToSchema)]
#[schema(as = Module)]
pub(crate) struct ModuleView {
    key: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    actions: Vec<ActionView>,
}

impl From<ModuleRow> for ModuleView {
    fn from(row: ModuleRow) -> Self {
        ModuleView {
            key: row.key,
            title: row.title,
            summary: row.summary,
            actions: row.actions.into_iter().map(ActionView::from).collect(),
        }
    }
}

/// An example of a call, as the arguments of `connector_execute`.
#[derive(Serialize, ToSchema)]
#[schema(as = Recipe)]
pub(crate) struct RecipeView {
    title: String,
    module: String,
    /// Key of the action.
    action: String,
    /// With the path filled in.
    call: String,
    #[schema(value_type = Option<Object>)]
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<Value>,
    /// Any JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl From<Recipe> for RecipeView {
    fn from(recipe: Recipe) -> Self {
        RecipeView {
            title: recipe.title,
            module: recipe.module,
            action: recipe.action,
            call: recipe.call,
            query: recipe.query,
            body: recipe.body,
            note: recipe.note,
        }
    }
}

/// A limit that the service documents.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = RateLimit)]
pub(crate) struct RateLimitView {
    requests: u32,
    /// Within how many seconds.
    per_seconds: u32,
    /// Only calls of this module count.
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
}

impl From<&RateLimit> for RateLimitView {
    fn from(limit: &RateLimit) -> Self {
        RateLimitView {
            requests: limit.requests,
            per_seconds: limit.per_s,
            module: limit.module.clone(),
            note: limit.note.clone(),
        }
    }
}

/// An action with what it takes and answers.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ActionInFullView {
    #[serde(flatten)]
    action: ActionView,
    /// JSON Schema 2020-12 of an object.
    #[schema(value_type = Object)]
    input_schema: Map<String, Value>,
    /// An example of the result, shortened. Any JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    response_example: Option<Value>,
    /// The answer is bytes.
    binary: bool,
}

impl From<ActionInFull> for ActionInFullView {
    fn from(action: ActionInFull) -> Self {
        ActionInFullView {
            action: action.row.into(),
            input_schema: action.inputs,
            response_example: action.example,
            binary: action.is_binary,
        }
    }
}

/// A module with its actions in full.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModuleInFullView {
    key: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    summary: Option<String>,
    actions: Vec<ActionInFullView>,
    recipes: Vec<RecipeView>,
}

impl From<ModuleInFull> for ModuleInFullView {
    fn from(module: ModuleInFull) -> Self {
        ModuleInFullView {
            key: module.key,
            title: module.title,
            summary: module.summary,
            actions: module
                .actions
                .into_iter()
                .map(ActionInFullView::from)
                .collect(),
            recipes: module.recipes.into_iter().map(RecipeView::from).collect(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneModule {
    module: ModuleInFullView,
}

/// Reads a module of a connector
///
/// With the inputs of its actions.
#[utoipa::path(
    get, path = "/api/v1/connectors/{key}/modules/{module}", tag = "Connectors",
    security(("bearer" = ["admin"])),
    params(
        ("key" = String, Path, description = "Key of the connector."),
        ("module" = String, Path, description = "Key of the module."),
    ),
    responses((status = 200, description = "The module.", body = OneModule), Faults)
)]
pub(crate) async fn read_connector_module(
    State(app): State<App>,
    Person(actor): Person,
    Path((key, module)): Path<(String, String)>,
) -> Answer<axum::Json<OneModule>> {
    let module = app.connector_module(&actor, &key, &module).await?;
    Ok(axum::Json(OneModule {
        module: module.into(),
    }))
}
