//! The tools of the MCP server of a connection, on its page.

use axum::extract::State;
use axum::response::Response;
use quaymaster_app::connectors::{Connector, Kind};
use quaymaster_app::discovery::{FoundTools, ToolChanges};
use quaymaster_app::{Actor, App};
use quaymaster_core::Fault;
use quaymaster_core::id::ConnectionId;

use super::answer::{self, At, Stop};
use super::notice::Notice;
use super::person::Administrator;
use super::posted::Posted;
use super::{Pages, connections};
use crate::views::{ToolList, ToolRow};

/// Tools on the page; the API has all.
const MOST_TOOLS: usize = 300;
/// Names that a line of changes shows.
const MOST_NAMES: usize = 20;

pub(super) async fn accept(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(id): At<ConnectionId>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    pages.app.accept_tools(&admin, &id).await?;
    let path = connections::path(&id);
    Ok(answer::done(&pages, &path, Notice::ToolsAccepted))
}

/// None for connectors of another kind.
pub(super) async fn of(
    app: &App,
    actor: &Actor,
    connector: &Connector,
    id: &ConnectionId,
) -> Result<Option<ToolList>, Fault> {
    if connector.definition.kind != Kind::Mcp {
        return Ok(None);
    }
    let found = app.found_tools(actor, id).await?;
    Ok(Some(found.map_or_else(never, shown)))
}

fn never() -> ToolList {
    ToolList {
        tools: Vec::new(),
        found_at: None,
        is_partial: false,
        changes: Vec::new(),
    }
}

fn shown(found: FoundTools) -> ToolList {
    let FoundTools {
        tools,
        unusable,
        is_cut,
        found_at,
        changes,
        ..
    } = found;
    let is_changed = |name: &String| changes.added.contains(name) || changes.changed.contains(name);
    ToolList {
        is_partial: is_cut || unusable > 0 || tools.len() > MOST_TOOLS,
        tools: tools
            .into_iter()
            .take(MOST_TOOLS)
            .map(|tool| ToolRow {
                is_changed: is_changed(&tool.name),
                reads: tool.read_only == Some(true),
                is_destructive: tool.destructive == Some(true),
                name: tool.name,
                title: tool.title,
                description: tool.description,
            })
            .collect(),
        found_at: Some(found_at),
        changes: lines(&changes),
    }
}

fn lines(changes: &ToolChanges) -> Vec<String> {
    let kinds = [
        ("added", &changes.added),
        ("changed", &changes.changed),
        ("removed", &changes.removed),
    ];
    let line = |(kind, names): (&str, &Vec<String>)| {
        if names.is_empty() {
            return None;
        }
        let mut some: Vec<&str> = names.iter().map(String::as_str).take(MOST_NAMES).collect();
        if names.len() > some.len() {
            some.push("…");
        }
        Some(format!("{} {kind}: {}", names.len(), some.join(", ")))
    };
    kinds.into_iter().filter_map(line).collect()
}
