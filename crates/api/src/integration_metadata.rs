//! The catalog as developers of the management API read it: what can be switched on, with actions
//! and ways to sign in.

use crate::auth::{Person, Within};
use crate::error::{Answer, Faults};
use crate::read::Query;
use axum::extract::State;
use quaymaster_app::Actor;
use quaymaster_app::App;
use quaymaster_app::connectors::{AuthKind, Connector, Wanted};
use quaymaster_app::integrations::connector_key;
use quaymaster_core::Fault;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::{IntoParams, ToSchema};

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LookedIntegrations {
    /// Only this connector.
    name: Option<String>,
    /// Without actions.
    summary: Option<bool>,
}

/// A connector.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = IntegrationMetadata)]
pub(crate) struct MetadataView {
    name: String,
    display_name: String,
    description: String,
    /// Always empty: pages draw their own.
    logo_url: String,
    categories: Vec<&'static str>,
    /// `type`: the kinds of sign-in; `oauth2` when that is one.
    #[schema(value_type = Object)]
    auth: Value,
    /// Each `{key, type, displayName, description, oauth2}`.
    #[schema(value_type = Vec<Object>)]
    auth_options: Vec<Value>,
    /// By key, each `{name, displayName, description, inputSchema, readOnly}`.
    #[schema(value_type = Object)]
    actions: Map<String, Value>,
    #[schema(value_type = Object)]
    triggers: Map<String, Value>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct MetadataList {
    #[serde(skip_serializing_if = "Option::is_none")]
    integrations: Option<Vec<MetadataView>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<usize>,
    /// The keys of all.
    #[serde(skip_serializing_if = "Option::is_none")]
    registered: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    integration: Option<MetadataView>,
}

/// The categories of the management API for those of definitions, which are free words.
fn category(own: &str) -> &'static str {
    let own = own.to_ascii_lowercase().replace('_', " ");
    let table: [(&str, &[&str]); 13] = [
        ("AI", &["ai", "model", "models", "search"]),
        ("ANALYTICS", &["analytics", "monitoring"]),
        (
            "COMMERCE",
            &["commerce", "marketplace", "erp", "marketplaces"],
        ),
        ("COMMUNICATION", &["chat", "messaging", "mail", "telephony"]),
        (
            "CONTENT_AND_FILES",
            &["files", "documents", "downloads", "storage"],
        ),
        ("CUSTOMER_SUPPORT", &["support"]),
        ("DEVELOPER_TOOLS", &["code", "operations", "data", "dns"]),
        ("FINANCE", &["accounting", "money", "finance", "payments"]),
        ("FORMS_AND_SURVEYS", &["forms"]),
        ("HR_AND_RECRUITING", &["people", "recruiting"]),
        ("MARKETING", &["marketing"]),
        ("PROJECT_MANAGEMENT", &["work management", "projects"]),
        ("SALES_AND_CRM", &["crm", "sales"]),
    ];
    let found = table
        .iter()
        .find(|(_, words)| words.contains(&own.as_str()));
    found.map_or("PRODUCTIVITY", |(name, _)| name)
}

const fn kind(kind: AuthKind) -> &'static str {
    match kind {
        AuthKind::None => "NONE",
        AuthKind::ApiKey => "CUSTOM_AUTH",
        AuthKind::Basic => "BASIC_AUTH",
        AuthKind::Oauth2 => "OAUTH2",
    }
}

/// A way to sign in with one secret and nothing else takes it as `secretText`.
fn kind_of(way: &quaymaster_app::connectors::Auth, has_more: bool) -> &'static str {
    let mut secrets = way.fields.values().filter(|field| field.secret);
    let one = secrets.next().is_some() && secrets.next().is_none();
    match way.kind {
        AuthKind::ApiKey if one && way.fields.len() == 1 && !has_more => "SECRET_TEXT",
        other => kind(other),
    }
}

/// Where people of a service sign in by OAuth, and to what they say yes.
fn oauth2_of(way: &quaymaster_app::connectors::Auth) -> Option<Value> {
    let oauth2 = way.oauth2.as_ref()?;
    Some(json!({
        "authUrl": oauth2.authorize_url,
        "tokenUrl": oauth2.token_url,
        "scopes": oauth2.scopes.default,
        "grants": oauth2.grants,
    }))
}

async fn view(
    app: &App,
    actor: &Actor,
    connector: &Connector,
    summary: bool,
) -> Result<MetadataView, Fault> {
    let definition = &connector.definition;
    let has_more = definition.connection.values().any(|field| !field.optional);
    let options = definition.auth.iter().map(|way| {
        let mut option = json!({
            "key": way.key,
            "type": kind_of(way, has_more),
            "displayName": way.title.as_ref().unwrap_or(&way.key),
            "description": way.help,
        });
        if let Some(oauth2) = oauth2_of(way) {
            option["oauth2"] = oauth2;
        }
        option
    });
    let mut actions = Map::new();
    if !summary {
        for module in &connector.modules {
            let module = app
                .connector_module(actor, &definition.key, &module.key)
                .await?;
            for action in module.actions {
                let shown = json!({
                    "name": action.row.key,
                    "displayName": action.row.title,
                    "description": action.row.summary,
                    "inputSchema": action.inputs,
                    "readOnly": action.row.reads,
                });
                actions.insert(action.row.key, shown);
            }
        }
    }
    let mut kinds: Vec<&str> = definition
        .auth
        .iter()
        .map(|way| kind_of(way, has_more))
        .collect();
    kinds.dedup();
    let mut auth = json!({ "type": kinds });
    if let Some(oauth2) = definition.auth.iter().find_map(oauth2_of) {
        auth["oauth2"] = oauth2;
    }
    let mut categories: Vec<&'static str> = definition
        .categories
        .iter()
        .map(|own| category(own))
        .collect();
    categories.sort_unstable();
    categories.dedup();
    Ok(MetadataView {
        name: definition.key.clone(),
        display_name: definition.title.clone(),
        description: definition.summary.clone(),
        logo_url: String::new(),
        categories,
        auth,
        auth_options: options.collect(),
        actions,
        triggers: Map::new(),
    })
}

/// Lists what can be switched on
///
/// With `name` one connector. With `summary=true` without actions, which makes the answer short.
#[utoipa::path(
    get, path = "/api/v1/integrations", tag = "Integrations",
    security(("bearer" = ["admin"])), params(LookedIntegrations),
    responses((status = 200, description = "All of them, or the one.", body = MetadataList), Faults)
)]
pub(crate) async fn list_integration_metadata(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
    Query(looked): Query<LookedIntegrations>,
) -> Answer<axum::Json<MetadataList>> {
    let summary = looked.summary.unwrap_or(false);
    if let Some(name) = &looked.name {
        let connector = app.connector(&actor, &connector_key(name)).await?;
        return Ok(axum::Json(MetadataList {
            integrations: None,
            total: None,
            registered: None,
            integration: Some(view(&app, &actor, &connector, summary).await?),
        }));
    }
    let rows = app.connectors(&actor, &Wanted::default()).await?;
    let mut all = Vec::new();
    for row in &rows {
        let connector = app.connector(&actor, &row.key).await?;
        all.push(view(&app, &actor, &connector, summary).await?);
    }
    Ok(axum::Json(MetadataList {
        total: Some(all.len()),
        registered: Some(rows.into_iter().map(|row| row.key).collect()),
        integrations: Some(all),
        integration: None,
    }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OAuthStatus {
    /// Keys of the connectors for which the organization has set its own OAuth app.
    configured: Vec<String>,
}

/// Lists the connectors that people can sign in to by OAuth
///
/// Those for which the organization's own app is set.
#[utoipa::path(
    get, path = "/api/v1/integrations/oauth-status", tag = "Integrations",
    security(("bearer" = ["admin"])),
    responses((status = 200, description = "The connectors.", body = OAuthStatus), Faults)
)]
pub(crate) async fn read_oauth_status(
    State(app): State<App>,
    Within(Person(actor)): Within<Person>,
) -> Answer<axum::Json<OAuthStatus>> {
    let configured = app.oauth_app_ids(&actor).await?.into_keys().collect();
    Ok(axum::Json(OAuthStatus { configured }))
}
