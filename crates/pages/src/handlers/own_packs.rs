//! `/workspaces/{id}/own-packs`: the text of a pack is given, checked and kept; it is installed on the page of the pack.

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::App;
use quaymaster_app::flows::{Checked, MOST_TEXT};
use quaymaster_core::Fault;
use quaymaster_core::id::WorkspaceId;
use serde::Deserialize;

use super::answer::{self, At, Stop, shown, status_of_form};
use super::connections::said;
use super::mistakes::found;
use super::notice::Notice;
use super::packs::path;
use super::person::Administrator;
use super::posted::{Fields, Form, Posted};
use super::{Pages, place};
use crate::views::{Layout, OwnPackPage, Place};

const EXAMPLE: &str = r#"pack: quaymaster/v1
id: greetings
title: Greetings
version: "1.0.0"
description: Greets people in the language of the house.
tested: mocks
variables:
  word: { type: string, title: Word of greeting, default: Hello }
flows:
  - flow: greet_somebody
    title: Greet somebody
    triggers:
      - mcp_tool:
          description: Greets a person by name. Use it when somebody wants to be greeted.
          annotations: { readOnlyHint: true, openWorldHint: false }
    input:
      type: object
      required: [name]
      properties:
        name: { type: string, minLength: 1, description: "Whom to greet: Ada" }
    steps:
      - id: greeting
        map: '"\(.vars.word), \(.input.name)"'
    return: "{ greeting: .steps.greeting }"
    tests:
      - name: a name
        input: { name: Ada }
        vars: { word: Hello }
        expect: { result: { greeting: "Hello, Ada" } }
"#;

#[derive(Deserialize)]
pub(super) struct Asked {
    pack: Option<String>,
}

fn empty(layout: Layout, place: Place, source: String) -> OwnPackPage {
    OwnPackPage {
        layout,
        place,
        changed: None,
        source,
        mistakes: Vec::new(),
        tests: Vec::new(),
        error: None,
        fine: None,
    }
}

pub(super) async fn write(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At(id): At<WorkspaceId>,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let place = place::find(&app, &admin, &id).await?;
    let mut page = empty(person.layout, place, EXAMPLE.to_owned());
    if let Some(pack) = asked.pack {
        let source = app.own_pack_source(&admin, &id, &pack).await?;
        page.source = source.ok_or_else(|| {
            Fault::not_found("The workspace was not given such a pack.")
                .hint("List the packs to see which there are.")
        })?;
        page.changed = Some(pack);
    }
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct Written {
    source: String,
    pack: String,
    only_check: bool,
}

impl Form for Written {
    /// Also as an encoded form, in which a byte can be three.
    const MOST: usize = 3 * MOST_TEXT + 64 * 1024;

    fn read(fields: &Fields) -> Self {
        Written {
            source: fields.source(),
            pack: fields.text("pack"),
            only_check: fields.one("do") == "check",
        }
    }
}

pub(super) async fn add(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<Written>,
) -> Result<Response, Stop> {
    let app = &pages.app;
    let place = place::find(app, &admin, &id).await?;
    let mut page = empty(person.layout, place.clone(), form.source);
    page.changed = Some(form.pack).filter(|pack| !pack.is_empty());
    let checked = match app.check_pack(&admin, &id, &page.source).await {
        Ok(checked) => checked,
        Err(fault) => return Ok(refused(page, fault)),
    };
    if form.only_check || !checked.is_good() {
        return Ok(told(page, checked, form.only_check));
    }
    match app.add_pack(&admin, &id, &page.source).await {
        Ok(added) => {
            let notice = match added.pack.installed {
                Some(_) => Notice::PackReplaced,
                None => Notice::PackAdded,
            };
            let path = path(&place, &added.pack.full.pack.id);
            Ok(answer::done(&pages, &path, notice))
        }
        Err(fault) => Ok(refused(page, fault)),
    }
}

/// What was found of a text that is not kept.
fn told(mut page: OwnPackPage, checked: Checked, only_check: bool) -> Response {
    let found = found("pack", &page.source, checked, only_check);
    page.fine = found.fine;
    page.mistakes = found.mistakes;
    page.tests = found.tests;
    shown(found.status, &page)
}

/// The page with what was written, whatever the reason is that it was not kept.
fn refused(mut page: OwnPackPage, fault: Fault) -> Response {
    let status = status_of_form(&fault);
    page.error = Some(said(fault));
    shown(status, &page)
}
