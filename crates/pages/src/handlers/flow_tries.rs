//! `/workspaces/{id}/flows/{name}/try`: a flow run by a person, with made-up answers or for real.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::flows::outline;
use quaymaster_app::flows::trying::FlowTrial;
use quaymaster_app::{Actor, App};
use quaymaster_core::Fault;
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::tool::JsonObject;
use serde_json::Value;

use super::answer::{At, Stop, field_of, shown};
use super::connections::said;
use super::connectors::pretty;
use super::inputs::{PREFIX, fill, inputs_of, place_of, read_inputs};
use super::person::Administrator;
use super::posted::{Fields, Form, Posted};
use super::{flow_runs, outcome, place};
use crate::views::{Field, FlowTryPage, Layout, TriedOutcome};

/// The page, the schema of its inputs, and what stands in it at first.
async fn page_of(
    app: &App,
    actor: &Actor,
    layout: Layout,
    id: &WorkspaceId,
    name: &str,
) -> Result<(FlowTryPage, Value), Fault> {
    let place = place::find(app, actor, id).await?;
    let full = app.flow(actor, id, name).await?;
    let outline = outline(&full.current.source).unwrap_or_default();
    let schema = Value::Object(outline.input);
    let mut page = FlowTryPage {
        layout,
        place,
        name: full.flow.name,
        title: full.flow.title,
        description: outline.description,
        inputs: inputs_of(&schema),
        mocks: Field::default(),
        reaching: outline.reaching,
        error: None,
        outcome: None,
        took: 0,
        steps: Vec::new(),
    };
    if let Some(example) = outline.example {
        fill(&mut page.inputs, &example.input);
        if example
            .mocks
            .as_object()
            .is_some_and(|mocks| !mocks.is_empty())
        {
            page.mocks = Field::new(pretty(&example.mocks));
        }
    }
    Ok((page, schema))
}

pub(super) async fn read(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At((id, name)): At<(WorkspaceId, String)>,
) -> Result<Response, Stop> {
    let (page, _) = page_of(&app, &admin, person.layout, &id, &name).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct Given {
    inputs: BTreeMap<String, String>,
    mocks: String,
    for_real: bool,
}

impl Form for Given {
    const MOST: usize = 1024 * 1024;

    fn read(fields: &Fields) -> Self {
        Given {
            inputs: fields.below(PREFIX),
            mocks: fields.text("mocks"),
            for_real: fields.one("do") == "real",
        }
    }
}

/// The answers that were typed; the error says what is wrong with them.
fn read_mocks(text: &str, reaching: &[String]) -> Result<JsonObject, String> {
    let mocks: JsonObject = match text.trim() {
        "" => JsonObject::new(),
        text => serde_json::from_str(text)
            .map_err(|error| format!("This is not a JSON object: {error}."))?,
    };
    match reaching.iter().find(|step| !mocks.contains_key(*step)) {
        Some(step) => Err(format!(
            "The step {step} has no answer here, and would reach the real service."
        )),
        None => Ok(mocks),
    }
}

pub(super) async fn run(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At((id, name)): At<(WorkspaceId, String)>,
    Posted(form): Posted<Given>,
) -> Result<Response, Stop> {
    let (mut page, schema) = page_of(&app, &admin, person.layout, &id, &name).await?;
    let input = read_inputs(&mut page.inputs, &schema, &form.inputs, true);
    page.mocks = Field::new(form.mocks.replace("\r\n", "\n"));
    let mocks = if form.for_real {
        JsonObject::new()
    } else {
        match read_mocks(&page.mocks.value, &page.reaching) {
            Ok(mocks) => mocks,
            Err(why) => {
                page.mocks.error = Some(why);
                JsonObject::new()
            }
        }
    };
    if !page.problems().is_empty() {
        return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let trial = FlowTrial {
        source: None,
        flow: Some(name),
        input,
        mocks,
    };
    match app.try_flow(&admin, &id, trial).await {
        Ok(tried) => {
            page.outcome = Some(match &tried.result {
                Ok(value) => result(value),
                Err(fault) => outcome::of_fault(fault),
            });
            page.took = u64::try_from(tried.duration_us / 1_000).unwrap_or(0);
            page.steps = tried.steps.into_iter().map(flow_runs::step).collect();
            Ok(shown(StatusCode::OK, &page))
        }
        Err(fault) => refused(page, fault),
    }
}

fn result(value: &Value) -> TriedOutcome {
    let (text, is_cut) = outcome::cut(pretty(value));
    TriedOutcome {
        code: "OK".to_owned(),
        failed: false,
        status: None,
        message: None,
        hint: None,
        text: Some(text),
        is_cut,
    }
}

fn refused(mut page: FlowTryPage, fault: Fault) -> Result<Response, Stop> {
    if field_of(&fault).is_some_and(|field| field.starts_with("/mocks")) {
        page.mocks.error = Some(said(fault));
    } else if let Some(fault) = place_of(&mut page.inputs, fault) {
        if fault.code.status() >= 500 {
            return Err(fault.into());
        }
        page.outcome = Some(outcome::of_fault(&fault));
    }
    Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

#[cfg(test)]
mod tests {
    use super::read_mocks;

    #[test]
    fn every_step_that_reaches_something_needs_an_answer() {
        let steps = ["geo".to_owned()];
        assert!(read_mocks("{\"geo\": {\"returns\": 1}}", &steps).is_ok());
        assert!(read_mocks("", &steps).unwrap_err().contains("geo"));
        assert!(
            read_mocks("[]", &steps)
                .unwrap_err()
                .contains("JSON object")
        );
        assert!(read_mocks(" ", &[]).is_ok());
    }
}
