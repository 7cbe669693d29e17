//! Flows that get another name: whether one may have it.
//!
//! A flow is called what the text of its current version says. Whatever names a flow for good does it by its
//! id; only steps of other flows say a name, so a flow keeps its own while one of them calls it.

use crate::App;
use quaymaster_core::{Code, Fault};
use quaymaster_flows::format;
use quaymaster_store::flow::Flow;
use serde_json::Value;

/// Names of callers that a message has; all are in the details.
const NAMED: usize = 10;

pub(super) fn name_taken(name: &str) -> Fault {
    Fault::new(
        Code::AlreadyExists,
        format!("The workspace has a flow {name:?} already."),
    )
}

/// Whether a step runs the flow of that name.
fn calls(flow: &format::Flow, name: &str) -> bool {
    let mut found = false;
    flow.every_step(&mut |step| {
        found |= step.flow.as_ref().is_some_and(|call| call.name == name);
    });
    found
}

fn called_by(name: &str, callers: &[String]) -> Fault {
    let mut named: Vec<&str> = callers.iter().take(NAMED).map(String::as_str).collect();
    if callers.len() > NAMED {
        named.push("and others");
    }
    let message = format!(
        "The flow {name:?} cannot get another name while steps of flows call it by this one: {}.",
        named.join(", ")
    );
    Fault::invalid_arg("/source", "const", message)
        .detail("callers", callers)
        .hint("Save those flows with the new name in their steps first, then give it to this one.")
}

/// What an event of a flow tells, with the name that the flow had before if it had another one.
pub(super) fn renamed(mut details: Value, before: &str, name: &str) -> Value {
    if before != name {
        details["renamed_from"] = before.into();
    }
    details
}

impl App {
    /// Whether a flow may be called what a text says that it becomes.
    pub(super) async fn check_name(&self, flow: &Flow, text: &format::Flow) -> Result<(), Fault> {
        if text.flow == flow.name {
            return Ok(());
        }
        let (org, workspace) = (&flow.org, &flow.workspace);
        let other = self.store.flow_named(org, workspace, &text.flow).await?;
        if other.is_some() {
            return Err(name_taken(&text.flow).hint("Give this one another name."));
        }
        let mut callers = Vec::new();
        for other in self.store.flows(org, workspace).await? {
            let is_caller = if other.id == flow.id {
                calls(text, &flow.name)
            } else {
                let ready = self.flow_ready(&other).await?;
                ready.is_some_and(|ready| calls(ready.prepared.flow(), &flow.name))
            };
            if is_caller {
                callers.push(other.name);
            }
        }
        if callers.is_empty() {
            Ok(())
        } else {
            Err(called_by(&flow.name, &callers))
        }
    }
}
