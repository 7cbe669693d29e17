//! The tool that a flow is.

use quaymaster_core::tool::{Nature, ToolDef};
use quaymaster_flows::format::{self, Mode};
use quaymaster_flows::prepared::Prepared;
use std::sync::Arc;

/// What a model is told of tools whose runs may take longer than it waits.
const LATER: &str =
    " If this takes long, the answer is {run_id, state} and get_run tells how it ends.";

/// The same of tools that nobody waits for.
const AT_ONCE: &str = " The answer is {run_id, state} at once; get_run tells how the run ends and what its result is.";

/// Whether its tool answers before a run may have ended.
pub(super) fn is_later(flow: &format::Flow) -> bool {
    flow.durable || is_async(flow)
}

fn is_async(flow: &format::Flow) -> bool {
    flow.tool().is_some_and(|tool| tool.mode == Mode::Async)
}

/// As callers of its own workspace see it; none when it is no tool.
pub(super) fn tool_of(prepared: &Prepared) -> Option<ToolDef> {
    let flow = prepared.flow();
    let tool = flow.tool()?;
    let name = flow.tool_name()?.to_owned();
    let title = flow.title.clone().unwrap_or_else(|| name.clone());
    let mut description = tool
        .description
        .clone()
        .or_else(|| flow.description.clone())
        .unwrap_or_default();
    if is_async(flow) {
        description.push_str(AT_ONCE);
    } else if flow.durable {
        description.push_str(LATER);
    }
    let hints = tool.annotations;
    Some(ToolDef {
        name: name.into(),
        title: title.into(),
        description,
        input: Arc::new(flow.input_schema()),
        // What takes long is answered with the id of the run.
        output: flow
            .output
            .clone()
            .filter(|_| !is_later(flow))
            .map(Arc::new),
        nature: Nature {
            read_only: hints.read_only_hint,
            destructive: hints.destructive_hint && !hints.read_only_hint,
            idempotent: hints.idempotent_hint,
            open_world: hints.open_world_hint,
        },
    })
}
