//! `/connectors/own`: the organization's own connectors. Definitions are written, uploaded, imported
//! from an API's document, changed and deleted; what is wrong with one is shown at its lines.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::definitions::{
    Document, Fine, ImportedAs, MOST_BYTES, Outcome, OwnConnector, Report,
};
use quaymaster_app::{App, Problem, problems_of};
use quaymaster_core::{Code, Fault};

use super::answer::{self, At, Stop, shown, status_of_form};
use super::connections::said;
use super::mistakes::mistakes;
use super::notice::Notice;
use super::person::Administrator;
use super::posted::{Fields, File, Form, Posted};
use super::{Pages, connectors};
use crate::views::address::segment;
use crate::views::{
    Changed, DefinitionPage, Field, ImportPage, Layout, OperationRow, OwnConnectorsPage, OwnRow,
    ReportView,
};

/// Operations of a report that a page shows.
const MOST_OPERATIONS: usize = 500;

const TEMPLATE: &str = r#"quaymaster: 1
key: notes
kind: rest
version: "1.0.0"
title: Notes
summary: Notes and notebooks
base_url: https://api.notes.example/v1
auth:
  - key: token
    type: api_key
    title: Access token
    fields: {token: {title: Token, secret: true}}
    inject: {header: {authorization: "Bearer {token}"}}
verify: {action: get_me, label: /email}
modules:
  notes:
    title: Notes
    actions:
      get_me: {title: Get the signed-in person, method: GET, path: /me}
      list_notes:
        title: List notes
        method: GET
        path: /notes
        params: {type: object, properties: {tag: {type: string}}}
      create_note:
        title: Write a note
        method: POST
        path: /notes
        params: {type: object, required: [text], properties: {text: {type: string}}}
recipes:
  - {title: All notes, action: list_notes}
  - {title: Notes with a tag, action: list_notes, with: {tag: work}}
  - {title: Write down an idea, action: create_note, with: {text: Buy milk}}
"#;

pub(super) async fn list(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
) -> Result<Response, Stop> {
    let own = app.own_connectors(&admin).await?;
    let page = OwnConnectorsPage {
        layout: person.layout,
        connectors: own.into_iter().map(row).collect(),
    };
    Ok(shown(StatusCode::OK, &page))
}

fn row(own: OwnConnector) -> OwnRow {
    OwnRow {
        key: own.key,
        title: own.title,
        version: own.version,
        updated_at: own.updated_at,
        accounts: own.accounts,
        broken: own.broken,
    }
}

pub(super) struct Written {
    source: String,
    only_check: bool,
}

impl Form for Written {
    /// Also as an encoded form, in which a byte can be three.
    const MOST: usize = 3 * MOST_BYTES + 64 * 1024;

    fn read(fields: &Fields) -> Self {
        Written {
            source: fields.source(),
            only_check: fields.one("do") == "check",
        }
    }
}

fn empty(layout: Layout) -> DefinitionPage {
    DefinitionPage {
        layout,
        changed: None,
        source: String::new(),
        mistakes: Vec::new(),
        error: None,
        fine: None,
        report: None,
    }
}

pub(super) async fn write(Administrator { person, .. }: Administrator) -> Result<Response, Stop> {
    let mut page = empty(person.layout);
    TEMPLATE.clone_into(&mut page.source);
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn add(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    Posted(form): Posted<Written>,
) -> Result<Response, Stop> {
    let mut page = empty(person.layout);
    page.source.clone_from(&form.source);
    if form.only_check {
        let checked = pages.app.check_definition(&admin, form.source, None);
        return Ok(told(page, checked.await));
    }
    match pages.app.add_definition(&admin, form.source).await {
        Ok(added) => {
            let path = connectors::path(&added.key);
            Ok(answer::done(&pages, &path, Notice::DefinitionAdded))
        }
        Err(fault) => Ok(refused(page, fault)),
    }
}

pub(super) async fn read(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At(key): At<String>,
) -> Result<Response, Stop> {
    let (own, source) = app.own_connector(&admin, &key).await?;
    let mut page = empty(person.layout);
    page.source = source;
    page.changed = Some(changed(own));
    Ok(shown(StatusCode::OK, &page))
}

fn changed(own: OwnConnector) -> Changed {
    Changed {
        key: own.key,
        title: own.title,
        accounts: own.accounts,
        stopped: Vec::new(),
    }
}

pub(super) async fn replace(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(key): At<String>,
    Posted(form): Posted<Written>,
) -> Result<Response, Stop> {
    let app = &pages.app;
    let mut page = empty(person.layout);
    page.source.clone_from(&form.source);
    match app.own_connector(&admin, &key).await {
        Ok((own, _)) => page.changed = Some(changed(own)),
        // Somebody deleted it meanwhile: the text is there to be saved as a new one.
        Err(fault) => return Ok(refused(page, fault)),
    }
    if form.only_check {
        let checked = app.check_definition(&admin, form.source, Some(&key));
        return Ok(told(page, checked.await));
    }
    match app.replace_definition(&admin, &key, form.source).await {
        Ok(replaced) if replaced.stopped.is_empty() => {
            let path = path(&key);
            Ok(answer::done(&pages, &path, Notice::DefinitionReplaced))
        }
        // Said here, since a notice carries no names.
        Ok(replaced) => {
            let stopped = replaced.stopped;
            page.changed = Some(Changed {
                stopped,
                ..changed(replaced.connector)
            });
            Ok(shown(StatusCode::OK, &page))
        }
        Err(fault) => Ok(refused(page, fault)),
    }
}

pub(super) struct Deleting {
    with_accounts: bool,
}

impl Form for Deleting {
    fn read(fields: &Fields) -> Self {
        Deleting {
            with_accounts: !fields.one("accounts").is_empty(),
        }
    }
}

pub(super) async fn delete(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(key): At<String>,
    Posted(form): Posted<Deleting>,
) -> Result<Response, Stop> {
    let app = &pages.app;
    match app
        .delete_definition(&admin, &key, form.with_accounts)
        .await
    {
        Ok(_) => Ok(answer::done(
            &pages,
            "/connectors/own",
            Notice::DefinitionDeleted,
        )),
        Err(fault) if fault.code == Code::InvalidArg => {
            let (own, source) = app.own_connector(&admin, &key).await?;
            let mut page = empty(person.layout);
            page.source = source;
            page.changed = Some(changed(own));
            page.error = Some(said(fault));
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

pub(super) async fn choose(Administrator { person, .. }: Administrator) -> Result<Response, Stop> {
    let page = ImportPage {
        layout: person.layout,
        key: Field::default(),
        title: Field::default(),
        base_url: Field::default(),
        only: Field::default(),
        error: None,
    };
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct Given {
    file: Option<File>,
    key: String,
    title: String,
    base_url: String,
    only: String,
}

impl Form for Given {
    const MOST: usize = Document::MOST + 64 * 1024;

    fn read(fields: &Fields) -> Self {
        Given {
            file: fields.file("file"),
            key: fields.text("key"),
            title: fields.text("title"),
            base_url: fields.text("base_url"),
            only: fields.text("only"),
        }
    }
}

/// Shows what a document becomes; it is saved from there.
pub(super) async fn import(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    Posted(form): Posted<Given>,
) -> Result<Response, Stop> {
    let made = match form.file {
        Some(file) => {
            let filled = |text: &str| {
                let text = text.trim();
                (!text.is_empty()).then(|| text.to_owned())
            };
            let document = Document {
                name: file.name,
                bytes: file.bytes.to_vec(),
                wanted: ImportedAs {
                    key: filled(&form.key),
                    title: filled(&form.title),
                    base_url: filled(&form.base_url),
                    only: form.only.split(',').filter_map(filled).collect(),
                },
            };
            app.import_definition(&admin, document).await
        }
        None => Err(Fault::invalid_arg(
            "/file",
            "required",
            "Choose the file of the document.",
        )),
    };
    match made {
        Ok(imported) => {
            let mut page = empty(person.layout);
            page.mistakes = mistakes(&imported.yaml, imported.problems);
            page.source = imported.yaml;
            page.report = Some(report(imported.report));
            Ok(shown(StatusCode::OK, &page))
        }
        Err(fault) => {
            let status = status_of_form(&fault);
            let page = ImportPage {
                layout: person.layout,
                key: Field::new(form.key),
                title: Field::new(form.title),
                base_url: Field::new(form.base_url),
                only: Field::new(form.only),
                error: Some(said(fault)),
            };
            Ok(shown(status, &page))
        }
    }
}

/// Where a definition is written.
fn path(key: &str) -> String {
    format!("/connectors/own/{}", segment(key))
}

/// What a check found.
fn told(mut page: DefinitionPage, checked: Result<Result<Fine, Vec<Problem>>, Fault>) -> Response {
    let status = match checked {
        Err(fault) => return refused(page, fault),
        Ok(Ok(fine)) => {
            page.fine = Some(format!(
                "The definition of {} is fine: {} modules, {} calls. It is not saved yet.",
                fine.title, fine.modules, fine.actions
            ));
            StatusCode::OK
        }
        Ok(Err(problems)) => {
            page.mistakes = mistakes(&page.source, problems);
            StatusCode::UNPROCESSABLE_ENTITY
        }
    };
    shown(status, &page)
}

/// The text once more with the reason, whatever it is.
fn refused(mut page: DefinitionPage, fault: Fault) -> Response {
    let status = status_of_form(&fault);
    match problems_of(&fault) {
        Some(problems) => page.mistakes = mistakes(&page.source, problems),
        None => page.error = Some(said(fault)),
    }
    shown(status, &page)
}

fn report(report: Report) -> ReportView {
    let told = report
        .operations
        .into_iter()
        .filter(|one| one.outcome != Outcome::Imported);
    let mut operations: Vec<OperationRow> = told
        .map(|one| OperationRow {
            operation: one.operation,
            is_left_out: one.outcome == Outcome::LeftOut,
            remarks: one.remarks,
        })
        .collect();
    let more = operations.len().saturating_sub(MOST_OPERATIONS);
    operations.truncate(MOST_OPERATIONS);
    ReportView {
        format: report.format,
        imported: report.counts.imported,
        changed: report.counts.changed,
        left_out: report.counts.left_out,
        notes: report.notes,
        operations,
        more,
    }
}
