//! `/workspaces/{id}/packs`: packs installed, changed, upgraded and removed.

use std::collections::{BTreeMap, BTreeSet};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::packs::{
    Became, PackChoice, PackFlow, PackFlowState, PackSeen, PackTested, Variable, VariableType,
};
use quaymaster_app::{Actor, App};
use quaymaster_core::Fault;
use quaymaster_core::id::WorkspaceId;
use secrecy::SecretString;

use super::answer::{self, At, Stop, field_of, shown, status_of_form};
use super::connections::said;
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::writers::Writers;
use super::{Pages, choosing, place};
use crate::views::{
    Field, Layout, PackCard, PackDropped, PackFlowRow, PackInstalled, PackPage, PackTestedHow,
    PackVariable, PackVariableKind, PacksPage, Place,
};

pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
) -> Result<Response, Stop> {
    let place = place::find(&app, &person.actor, &id).await?;
    let packs = app.packs(&person.actor, &id).await?;
    let card = |seen: PackSeen| PackCard {
        id: seen.full.pack.id.clone(),
        title: seen.full.pack.title.clone(),
        summary: first_sentence(&seen.full.pack.description),
        flows: seen.flows.len(),
        tested: tested(seen.full.pack.tested),
        is_own: seen.is_own,
        is_installed: seen.installed.is_some(),
        is_older: seen.is_older(),
    };
    let page = PacksPage {
        packs: packs.into_iter().map(card).collect(),
        place,
        layout: person.layout,
    };
    Ok(shown(StatusCode::OK, &page))
}

const fn tested(tested: PackTested) -> PackTestedHow {
    match tested {
        PackTested::Live => PackTestedHow::Live,
        PackTested::Mocks => PackTestedHow::Mocks,
        PackTested::None => PackTestedHow::None,
    }
}

fn first_sentence(text: &str) -> String {
    let end = text.find(". ").map_or(text.len(), |dot| dot + 1);
    text[..end].trim().to_owned()
}

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At((id, pack)): At<(WorkspaceId, String)>,
) -> Result<Response, Stop> {
    let page = page_of(&app, &person.actor, person.layout, &id, &pack).await?;
    Ok(shown(StatusCode::OK, &page))
}

async fn page_of(
    app: &App,
    actor: &Actor,
    layout: Layout,
    id: &WorkspaceId,
    pack: &str,
) -> Result<PackPage, Fault> {
    let place = place::find(app, actor, id).await?;
    let seen = app.pack(actor, id, pack).await?;
    let mut variables = Vec::new();
    for (name, variable) in &seen.full.pack.variables {
        variables.push(variable_of(app, actor, id, &seen, name, variable).await?);
    }
    let is_older = seen.is_older();
    let installed = match &seen.installed {
        Some(installed) => Some(PackInstalled {
            version: installed.version.clone(),
            made_by: Writers::of(app, actor, &[&installed.made_by])
                .await?
                .name(&installed.made_by),
            updated_at: installed.updated_at,
        }),
        None => None,
    };
    let is_new = installed.is_none();
    let pack = &seen.full.pack;
    Ok(PackPage {
        id: pack.id.clone(),
        title: pack.title.clone(),
        version: pack.version.clone(),
        description: pack.description.trim().to_owned(),
        tested: tested(pack.tested),
        is_own: seen.is_own,
        installed,
        is_older,
        variables,
        dropped: seen
            .dropped
            .into_iter()
            .map(|flow| PackDropped {
                name: flow.own_name,
                is_changed: flow.is_changed,
            })
            .collect(),
        flows: seen
            .flows
            .into_iter()
            .map(|flow| row(flow, is_new))
            .collect(),
        error: None,
        flows_error: None,
        place,
        layout,
    })
}

fn row(flow: PackFlow, is_new: bool) -> PackFlowRow {
    PackFlowRow {
        is_ticked: flow.state.is_there() || (is_new && flow.state == PackFlowState::Absent),
        state: match flow.state {
            PackFlowState::Absent | PackFlowState::Same => None,
            PackFlowState::Taken => Some("name is taken"),
            PackFlowState::Older => Some("newer text"),
            PackFlowState::Changed => Some("changed by hand"),
        },
        name: flow.name,
        own_name: flow.own_name,
        title: flow.title,
        description: flow.description,
        reads: flow.read_only,
        is_destructive: flow.destructive,
    }
}

async fn variable_of(
    app: &App,
    actor: &Actor,
    id: &WorkspaceId,
    seen: &PackSeen,
    name: &str,
    variable: &Variable,
) -> Result<PackVariable, Fault> {
    let installed = seen.installed.as_ref();
    let value = installed.and_then(|installed| installed.vars.get(name).cloned());
    let value = value
        .or_else(|| variable.default.clone())
        .unwrap_or_default();
    let mut help = variable.description.clone().unwrap_or_default();
    let kind = match variable.r#type {
        VariableType::String => PackVariableKind::Text,
        VariableType::Secret => {
            let is_set = seen.secrets.contains(name);
            if is_set {
                help.push_str(" It is set; left empty, it stays.");
            }
            PackVariableKind::Secret(is_set)
        }
        VariableType::Connection => {
            let service = variable.service.clone().unwrap_or_default();
            let accounts = choosing::account_names(app, actor, id, &service, &value).await?;
            if accounts.written.is_some() {
                help.push_str(" Write the name of the account.");
            }
            PackVariableKind::Account(service, accounts)
        }
    };
    Ok(PackVariable {
        name: name.to_owned(),
        title: variable.title.clone(),
        help: help.trim().to_owned(),
        kind,
        field: Field::new(value),
    })
}

pub(super) struct Given {
    variables: BTreeMap<String, String>,
    secrets: BTreeMap<String, SecretString>,
    flows: BTreeSet<String>,
    replace_changed: bool,
}

impl Form for Given {
    fn read(fields: &Fields) -> Self {
        let secrets = fields.below("secret.").into_iter();
        Given {
            variables: fields.below("var."),
            secrets: secrets
                .filter(|(_, value)| !value.is_empty())
                .map(|(name, value)| (name, SecretString::from(value)))
                .collect(),
            flows: fields.all("flow").map(str::to_owned).collect(),
            replace_changed: !fields.one("replace_changed").is_empty(),
        }
    }
}

pub(super) async fn put(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At((id, pack)): At<(WorkspaceId, String)>,
    Posted(form): Posted<Given>,
) -> Result<Response, Stop> {
    let app = &pages.app;
    let choice = PackChoice {
        variables: form.variables.clone(),
        secrets: form.secrets,
        flows: Some(form.flows.clone()),
        replace_changed: form.replace_changed,
    };
    match app.put_pack(&admin, &id, &pack, &choice).await {
        Ok(put) => {
            let place = place::find(app, &admin, &id).await?;
            let kept = put.flows.iter().any(|flow| flow.became == Became::Kept);
            let notice = if kept {
                Notice::PackKept
            } else {
                Notice::PackSaved
            };
            Ok(answer::done(&pages, &path(&place, &pack), notice))
        }
        Err(fault) => {
            let mut page = page_of(app, &admin, person.layout, &id, &pack).await?;
            for variable in &mut page.variables {
                let typed = form.variables.get(&variable.name);
                let typed = typed.cloned().unwrap_or_default();
                if let PackVariableKind::Account(_, accounts) = &mut variable.kind {
                    accounts.put(&typed);
                }
                variable.field.value = typed;
            }
            for flow in &mut page.flows {
                flow.is_ticked = form.flows.contains(&flow.name);
            }
            Ok(refused(page, fault))
        }
    }
}

pub(super) fn path(place: &Place, pack: &str) -> String {
    format!(
        "{}/packs/{}",
        place.path(),
        crate::views::address::segment(pack)
    )
}

/// What was chosen once more with the reason, whatever it is.
fn refused(mut page: PackPage, fault: Fault) -> Response {
    let status = status_of_form(&fault);
    let field = field_of(&fault).unwrap_or_default().to_owned();
    let name = field
        .strip_prefix("/variables/")
        .or(field.strip_prefix("/secrets/"));
    let variable = page.variables.iter_mut();
    let variable = variable.into_iter().find(|one| Some(&*one.name) == name);
    let message = Some(said(fault));
    match variable {
        Some(variable) => variable.field.error = message,
        None if field == "/flows" => page.flows_error = message,
        None => page.error = message,
    }
    shown(status, &page)
}

pub(super) struct Removing {
    keep_changed: bool,
}

impl Form for Removing {
    fn read(fields: &Fields) -> Self {
        Removing {
            keep_changed: !fields.one("keep_changed").is_empty(),
        }
    }
}

pub(super) async fn remove(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At((id, pack)): At<(WorkspaceId, String)>,
    Posted(form): Posted<Removing>,
) -> Result<Response, Stop> {
    let app = &pages.app;
    let place = place::find(app, &admin, &id).await?;
    app.remove_pack(&admin, &id, &pack, form.keep_changed)
        .await?;
    let list = format!("{}/packs", place.path());
    Ok(answer::done(&pages, &list, Notice::PackRemoved))
}
