//! The organization's own connectors: their definitions are written, checked, imported from an API's
//! own document, replaced and deleted.

use crate::auth::{Administrator, Person};
use crate::error::{Answer, Faults};
use crate::paging::Paging;
use crate::problems::ProblemView;
use crate::read::{Json, Path, Query};
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use quaymaster_app::App;
use quaymaster_app::definitions::{Document, ImportedAs, Operation, Outcome, OwnConnector, Report};
use quaymaster_core::{Fault, Instant};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A body that carries a definition of 4 MiB, however its characters are escaped.
const DEFINITION: usize = 9 << 20;
/// A body that carries a document of 16 MiB as base64.
const DOCUMENT: usize = 23 << 20;

/// A connector that the organization wrote itself.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OwnConnector)]
pub(crate) struct OwnView {
    /// The name by which agents call it.
    key: String,
    title: String,
    summary: String,
    /// What the definition says, and a digest of its text behind a `+`.
    version: String,
    /// Counts replacements, from 1.
    revision: i64,
    #[schema(value_type = String, format = DateTime)]
    created_at: Instant,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Instant,
    /// How many accounts the organization has.
    accounts: usize,
    /// How many of them do not work.
    broken: usize,
}

impl From<OwnConnector> for OwnView {
    fn from(own: OwnConnector) -> Self {
        OwnView {
            key: own.key,
            title: own.title,
            summary: own.summary,
            version: own.version,
            revision: own.revision,
            created_at: own.created_at,
            updated_at: own.updated_at,
            accounts: own.accounts,
            broken: own.broken,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OwnList {
    connectors: Vec<OwnView>,
    /// How many there are in all pages.
    total: usize,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OneOwn {
    connector: OwnView,
}

/// Lists the organization's own connectors
///
/// By key.
#[utoipa::path(
    get, path = "/api/v1/connectors/own", tag = "Connectors",
    security(("bearer" = ["admin"])), params(Paging),
    responses((status = 200, description = "A page of connectors.", body = OwnList), Faults)
)]
pub(crate) async fn list_own_connectors(
    State(app): State<App>,
    Person(actor): Person,
    Query(paging): Query<Paging>,
) -> Answer<axum::Json<OwnList>> {
    let (page, total) = paging.cut(app.own_connectors(&actor).await?)?;
    let connectors = page.into_iter().map(OwnView::from).collect();
    Ok(axum::Json(OwnList { connectors, total }))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DefinitionSource {
    /// The definition as YAML, at most 4 MiB. `docs/connectors.md` describes the format.
    source: String,
}

/// Adds a connector of the organization's own
///
/// Nobody else sees it. Its key differs from those of all connectors that there are. What is wrong
/// with a definition stands in `details.problems`, each with `line`, `column`, `key` and `message`. Needs
/// an administrator.
#[utoipa::path(
    post, path = "/api/v1/connectors/own", tag = "Connectors",
    security(("bearer" = ["admin"])), request_body = DefinitionSource,
    responses((status = 201, description = "The connector.", body = OneOwn), Faults)
)]
pub(crate) async fn add_own_connector(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Json(new): Json<DefinitionSource, DEFINITION>,
) -> Answer<(StatusCode, axum::Json<OneOwn>)> {
    let added = app.add_definition(&admin, new.source).await?;
    let connector = added.into();
    Ok((StatusCode::CREATED, axum::Json(OneOwn { connector })))
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckDefinition {
    /// The definition as YAML, at most 4 MiB.
    source: String,
    /// Key of the connector that it shall replace; without one it is looked at as a new one.
    replacing: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct CheckedDefinition {
    /// Whether it could be saved as it is.
    fine: bool,
    problems: Vec<ProblemView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    modules: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    actions: Option<usize>,
}

/// Checks a definition without saving it
///
/// Answers everything that is wrong with it at once. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/connectors/own/check", tag = "Connectors",
    security(("bearer" = ["admin"])), request_body = CheckDefinition,
    responses((status = 200, description = "What is wrong with it.", body = CheckedDefinition), Faults)
)]
pub(crate) async fn check_own_connector(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Json(asked): Json<CheckDefinition, DEFINITION>,
) -> Answer<axum::Json<CheckedDefinition>> {
    let checked = app
        .check_definition(&admin, asked.source, asked.replacing.as_deref())
        .await?;
    Ok(axum::Json(match checked {
        Ok(fine) => CheckedDefinition {
            fine: true,
            problems: Vec::new(),
            key: Some(fine.key),
            title: Some(fine.title),
            modules: Some(fine.modules),
            actions: Some(fine.actions),
        },
        Err(problems) => CheckedDefinition {
            fine: false,
            problems: problems.into_iter().map(ProblemView::from).collect(),
            key: None,
            title: None,
            modules: None,
            actions: None,
        },
    }))
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OwnInFull {
    connector: OwnView,
    /// The definition as it was written.
    source: String,
}

/// Reads a connector of the organization's own
///
/// With its definition. Needs an administrator.
#[utoipa::path(
    get, path = "/api/v1/connectors/own/{key}", tag = "Connectors",
    security(("bearer" = ["admin"])),
    params(("key" = String, Path, description = "Key of the connector.")),
    responses((status = 200, description = "The connector.", body = OwnInFull), Faults)
)]
pub(crate) async fn read_own_connector(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(key): Path<String>,
) -> Answer<axum::Json<OwnInFull>> {
    let (own, source) = app.own_connector(&admin, &key).await?;
    let connector = own.into();
    Ok(axum::Json(OwnInFull { connector, source }))
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ReplacedOwn {
    connector: OwnView,
    /// Names of accounts that stopped: the definition now sends credentials to another place, so
    /// they have to be connected again.
    stopped_accounts: Vec<String>,
}

/// Replaces the definition of a connector of the organization's own
///
/// The key stays. When the definition leads credentials elsewhere (another host, another place in the
/// request, another authorization server), its accounts stop and nothing is sent with them until they get
/// new credentials. Needs an administrator.
#[utoipa::path(
    put, path = "/api/v1/connectors/own/{key}", tag = "Connectors",
    security(("bearer" = ["admin"])), request_body = DefinitionSource,
    params(("key" = String, Path, description = "Key of the connector.")),
    responses((status = 200, description = "The connector as it is now.", body = ReplacedOwn), Faults)
)]
pub(crate) async fn replace_own_connector(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(key): Path<String>,
    Json(new): Json<DefinitionSource, DEFINITION>,
) -> Answer<axum::Json<ReplacedOwn>> {
    let replaced = app.replace_definition(&admin, &key, new.source).await?;
    Ok(axum::Json(ReplacedOwn {
        connector: replaced.connector.into(),
        stopped_accounts: replaced.stopped,
    }))
}

#[derive(Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct WithAccounts {
    /// Its accounts go with it. Without this, a connector that has accounts is not deleted.
    with_accounts: Option<bool>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeletedOwn {
    deleted: bool,
    key: String,
    /// How many accounts went with it.
    accounts: usize,
}

/// Deletes a connector of the organization's own
///
/// Needs an administrator.
#[utoipa::path(
    delete, path = "/api/v1/connectors/own/{key}", tag = "Connectors",
    security(("bearer" = ["admin"])),
    params(("key" = String, Path, description = "Key of the connector."), WithAccounts),
    responses((status = 200, description = "It is gone.", body = DeletedOwn), Faults)
)]
pub(crate) async fn delete_own_connector(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Path(key): Path<String>,
    Query(with): Query<WithAccounts>,
) -> Answer<axum::Json<DeletedOwn>> {
    let with_accounts = with.with_accounts.unwrap_or(false);
    let accounts = app.delete_definition(&admin, &key, with_accounts).await?;
    Ok(axum::Json(DeletedOwn {
        deleted: true,
        key,
        accounts,
    }))
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ImportDefinition {
    /// OpenAPI 2.0, 3.0 or 3.1, or Google Discovery, as JSON or YAML, at most 16 MiB.
    document: Option<String>,
    /// Instead of `document`, as base64; this way also an archive of files that refer to each other.
    document_base64: Option<String>,
    /// The name of the file, for messages.
    name: Option<String>,
    /// Key of the connector; made from the document's title unless given.
    #[schema(pattern = "^[a-z][a-z0-9_]{0,62}$")]
    key: Option<String>,
    title: Option<String>,
    /// Instead of the document's servers; `{url}` makes each account give its address.
    base_url: Option<String>,
    /// Only operations with one of these tags; all when there are none.
    #[serde(default)]
    only: Vec<String>,
    /// Adds the connector when nothing is wrong. Without it, only what would be added is answered.
    save: Option<bool>,
}

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = ImportOutcome)]
pub(crate) enum OutcomeName {
    Imported,
    /// Imported, but not as the document has it.
    Changed,
    LeftOut,
}

impl From<Outcome> for OutcomeName {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Imported => OutcomeName::Imported,
            Outcome::Changed => OutcomeName::Changed,
            Outcome::LeftOut => OutcomeName::LeftOut,
        }
    }
}

/// What became of an operation of the document.
#[derive(Serialize, ToSchema)]
#[schema(as = ImportedOperation)]
pub(crate) struct OperationView {
    /// Its verb and path as the document has them.
    operation: String,
    /// The document's own name for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<String>,
    outcome: OutcomeName,
    /// Each change in words, or why it was left out.
    remarks: Vec<String>,
}

impl From<Operation> for OperationView {
    fn from(operation: Operation) -> Self {
        OperationView {
            operation: operation.operation,
            id: operation.id,
            module: operation.module,
            action: operation.action,
            outcome: operation.outcome.into(),
            remarks: operation.remarks,
        }
    }
}

/// What became of a document.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ImportReport)]
pub(crate) struct ReportView {
    /// The format of the document with its version.
    format: String,
    /// The document's title and version as it says them.
    title: String,
    version: String,
    imported: usize,
    changed: usize,
    left_out: usize,
    /// What concerns the whole document.
    notes: Vec<String>,
    /// Every operation of the document, in its order.
    operations: Vec<OperationView>,
}

impl From<Report> for ReportView {
    fn from(report: Report) -> Self {
        let operations = report.operations.into_iter();
        ReportView {
            format: report.format,
            title: report.title,
            version: report.version,
            imported: report.counts.imported,
            changed: report.counts.changed,
            left_out: report.counts.left_out,
            notes: report.notes,
            operations: operations.map(OperationView::from).collect(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ImportedDefinition {
    /// The definition as YAML, for reading, changing and adding.
    source: String,
    /// What keeps it from being added as it is.
    problems: Vec<ProblemView>,
    report: ReportView,
    /// The connector that was added.
    #[serde(skip_serializing_if = "Option::is_none")]
    connector: Option<OwnView>,
}

/// Imports a definition from an API's own document
///
/// Answers the definition and what became of each operation, and adds the connector when `save` says so.
/// Nothing is fetched: references lead to the same document or the same archive. Needs an administrator.
#[utoipa::path(
    post, path = "/api/v1/connectors/own/import", tag = "Connectors",
    security(("bearer" = ["admin"])), request_body = ImportDefinition,
    responses((status = 200, description = "The definition, and what became of the document.", body = ImportedDefinition), Faults)
)]
pub(crate) async fn import_own_connector(
    State(app): State<App>,
    Administrator(admin): Administrator,
    Json(asked): Json<ImportDefinition, DOCUMENT>,
) -> Answer<axum::Json<ImportedDefinition>> {
    let bytes = match (asked.document, asked.document_base64) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(text)) => STANDARD.decode(text).map_err(|error| {
            let message = format!("The document is not base64: {error}.");
            Fault::invalid_arg("/documentBase64", "contentEncoding", message)
        })?,
        _ => {
            let message = "Give the document as `document` or as `documentBase64`.";
            return Err(Fault::invalid_arg("/document", "oneOf", message).into());
        }
    };
    let document = Document {
        name: asked.name.unwrap_or_default(),
        bytes,
        wanted: ImportedAs {
            key: asked.key,
            title: asked.title,
            base_url: asked.base_url,
            only: asked.only,
        },
    };
    let (imported, connector) = if asked.save == Some(true) {
        let (imported, added) = app.import_and_add(&admin, document).await?;
        (imported, Some(added.into()))
    } else {
        (app.import_definition(&admin, document).await?, None)
    };
    let problems = imported.problems.into_iter();
    Ok(axum::Json(ImportedDefinition {
        source: imported.yaml,
        problems: problems.map(ProblemView::from).collect(),
        report: imported.report.into(),
        connector,
    }))
}
