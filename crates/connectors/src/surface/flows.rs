//! Flows as actions of one more alias, for code that calls them.

use crate::definition::{
    Action, ContentType, Defaults, Definition, Kind, Module, Response, Template, Tested,
};
use indexmap::IndexMap;
use quaymaster_core::tool::ToolDef;

/// The alias of flows in programs: `quaymaster.flows.<name>(input)`. No integration has it.
pub const FLOWS: &str = "flows";

/// A definition whose actions are these tools, to be found, read about and declared like any other. It
/// leads nowhere: whoever runs a program calls the tools.
pub fn of_flows(tools: &[ToolDef]) -> Definition {
    let actions: IndexMap<String, Action> = tools
        .iter()
        .map(|tool| (tool.name.to_string(), action(tool)))
        .collect();
    let module = Module {
        title: "Flows".to_owned(),
        summary: None,
        base_url: None,
        actions,
    };
    Definition {
        quaymaster: 1,
        key: FLOWS.to_owned(),
        kind: Kind::Rpc,
        version: String::new(),
        ttl: 0,
        title: "Flows".to_owned(),
        summary: "Several steps in one call.".to_owned(),
        categories: Vec::new(),
        docs_url: None,
        tested: Tested::None,
        imported_from: None,
        connection: IndexMap::new(),
        base_url: Template::default(),
        allow_hosts: Vec::new(),
        env: IndexMap::new(),
        auth: Vec::new(),
        verify: None,
        defaults: Defaults::default(),
        rate_limits: Vec::new(),
        enums: IndexMap::new(),
        selects: IndexMap::new(),
        modules: IndexMap::from_iter([(FLOWS.to_owned(), module)]),
        recipes: Vec::new(),
        rpc: None,
        graphql: None,
        mcp: None,
        sql: None,
        open_methods: false,
    }
}

fn action(tool: &ToolDef) -> Action {
    Action {
        title: tool.title.to_string(),
        summary: Some(tool.description.clone()),
        method: None,
        path: None,
        rpc: None,
        query: None,
        params: tool.input.as_ref().clone(),
        content_type: ContentType::default(),
        read_only: Some(tool.nature.read_only),
        destructive: Some(tool.nature.destructive),
        idempotent: Some(tool.nature.idempotent),
        pagination: None,
        response: Response::default(),
    }
}
