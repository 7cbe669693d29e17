//! A flow run by hand: a saved one, or a text that is none yet; with answers that are made up, by step,
//! or real ones.

use super::reading;
use super::running::{Past, Starting, shown_person};
use crate::App;
use crate::actor::Admin;
use crate::guard::Trace;
use crate::trying::credential_of_person;
use quaymaster_core::Fault;
use quaymaster_core::id::{FlowId, WorkspaceId};
use quaymaster_core::tool::JsonObject;
use quaymaster_flows::format::Mocks;
use quaymaster_flows::prepared::Prepared;
use quaymaster_store::flow::Flow;
use quaymaster_store::flow_run::RunStep;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// What is tried.
#[derive(Debug, Clone, Default)]
pub struct FlowTrial {
    /// A text; otherwise `flow` is the id or name of a saved flow.
    pub source: Option<String>,
    pub flow: Option<String>,
    pub input: JsonObject,
    /// Answers by the ids of steps, as in the `tests` of a flow.
    pub mocks: JsonObject,
}

/// How it ended.
#[derive(Debug, Clone)]
pub struct Tried {
    pub result: Result<Value, Fault>,
    pub duration_us: i64,
    /// In the order in which they began.
    pub steps: Vec<RunStep>,
}

impl App {
    /// Runs a flow for a person. It counts as one call of the workspace; a saved flow's run is kept.
    pub async fn try_flow(
        &self,
        admin: &Admin,
        workspace: &WorkspaceId,
        trial: FlowTrial,
    ) -> Result<Tried, Fault> {
        let workspace = self.believed_workspace(&admin.org, workspace).await?;
        let mocks = mocks_of(trial.mocks)?;
        let (flow, prepared, is_saved) = match (&trial.source, &trial.flow) {
            (Some(source), None) => {
                let (prepared, checked) = self.read_flow_text(&admin.org, source).await?;
                let prepared = prepared.ok_or_else(|| reading::wrong("flow", &checked.problems))?;
                (self.draft(admin, &workspace.id, &prepared), prepared, false)
            }
            (None, Some(named)) => {
                let full = self.flow(admin, &workspace.id, named).await?;
                let source = full.current.source;
                let read = reading::off_the_threads(move || reading::prepared(&source));
                let prepared = read
                    .await?
                    .map_err(|problems| reading::wrong("flow", &problems))?;
                (full.flow, prepared, true)
            }
            _ => {
                return Err(Fault::invalid_arg(
                    "",
                    "oneOf",
                    "Pass either the text of a flow as `source`, or the name of a saved one as `flow`.",
                ));
            }
        };
        let input = prepared.input(trial.input)?;
        let credential = credential_of_person(&admin.user)?;
        self.rates.one_more(&credential)?;
        self.count_call(&workspace).await?;
        let begun = std::time::Instant::now();
        let starting = Starting {
            flow,
            prepared: Arc::new(prepared),
            input,
            started_by: "try",
            label: admin.label.clone(),
            caller: shown_person(&admin.user),
            owner: None,
            trace: Trace::default(),
            progress: None,
            cancel: CancellationToken::new(),
            mocks,
        };
        let ended = self.run_unrecorded(&credential, starting).await?;
        if is_saved {
            let past = Past(ended.record, ended.steps.clone());
            self.past_runs.write_soon(self, past).await;
        }
        Ok(Tried {
            result: ended.result,
            duration_us: i64::try_from(begun.elapsed().as_micros()).unwrap_or(i64::MAX),
            steps: ended.steps,
        })
    }

    /// A flow that nobody saved, for one run.
    fn draft(&self, admin: &Admin, workspace: &WorkspaceId, prepared: &Prepared) -> Flow {
        let now = self.now();
        let flow = prepared.flow();
        Flow {
            id: FlowId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            workspace: workspace.clone(),
            name: flow.flow.clone(),
            tool: None,
            title: flow.flow.clone(),
            enabled: false,
            durable: false,
            version: 0,
            versions: 0,
            created_at: now,
            updated_at: now,
        }
    }
}

fn mocks_of(mocks: JsonObject) -> Result<HashMap<String, Mocks>, Fault> {
    mocks
        .into_iter()
        .map(|(step, mock)| {
            let pointer = format!("/mocks/{step}");
            let read: Mocks = serde_json::from_value(mock).map_err(|error| {
                Fault::invalid_arg(
                    &pointer,
                    "type",
                    format!("The mock cannot be read: {error}."),
                )
                .hint("Write {\"returns\": …} or {\"fails\": {\"code\": …}}, or a list of them.")
            })?;
            Ok((step, read))
        })
        .collect()
}
