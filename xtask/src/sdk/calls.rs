//! Which operations of the management API the clients have, and by what names.

use super::document::Document;

/// A member of the client, with its calls: the name here and the operation's id.
pub(super) struct Noun {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) calls: &'static [(&'static str, &'static str)],
}

/// The tags of the management API. The clients reach all others by `request`.
const TAGS: [&str; 7] = [
    "API keys",
    "Connectors",
    "End users",
    "Integrations",
    "MCP servers",
    "Organizations",
    "Workspaces",
];

/// Operations of [`TAGS`] that the clients have not, and why.
const LEFT_OUT: [(&str, &str); 4] = [
    (
        "begin_authorization",
        "a person goes on from the page; programs send a link of `connect`",
    ),
    ("read_authorization", "as `begin_authorization`"),
    ("poll_authorization", "as `begin_authorization`"),
    ("list_connect_lines", "what a page shows to a person"),
];

/// Inputs that are given by position and not by name.
pub(super) const BY_POSITION: [(&str, &str, &str); 4] = [
    ("connect", "poll", "token"),
    ("integrations", "get", "name"),
    ("mcp_servers", "execute_code", "code"),
    ("partials", "set_default", "isDefault"),
];

pub(super) const NOUNS: [Noun; 11] = [
    Noun {
        name: "workspaces",
        about: "Workspaces, and the integrations that are switched on in them.",
        calls: &[
            ("list", "list_workspaces"),
            ("create", "create_workspace"),
            ("get", "read_workspace"),
            ("update", "update_workspace"),
            ("delete", "delete_workspace"),
            ("list_integrations", "list_integrations"),
            ("add_integration", "add_integration"),
            ("update_integration", "update_integration"),
            ("remove_integration", "remove_integration"),
        ],
    },
    Noun {
        name: "connectors",
        about: "Outside services, the organization's own ones, and the apps by which accounts sign in.",
        calls: &[
            ("list", "list_connectors"),
            ("get", "read_connector"),
            ("get_module", "read_connector_module"),
            ("get_oauth_app", "read_oauth_app"),
            ("set_oauth_app", "set_oauth_app"),
            ("remove_oauth_app", "remove_oauth_app"),
            ("list_own", "list_own_connectors"),
            ("add_own", "add_own_connector"),
            ("get_own", "read_own_connector"),
            ("replace_own", "replace_own_connector"),
            ("delete_own", "delete_own_connector"),
            ("check_own", "check_own_connector"),
            ("import_own", "import_own_connector"),
        ],
    },
    Noun {
        name: "connections",
        about: "Connected accounts.",
        calls: &[
            ("list", "list_connections"),
            ("create", "create_connection"),
            ("get", "read_connection"),
            ("rename", "rename_connection"),
            ("delete", "disconnect_account"),
            ("resolve", "resolve_connection"),
            ("verify", "verify_connection"),
            ("replace_credentials", "replace_credentials"),
            ("list_tools", "list_connection_tools"),
            ("accept_tools", "accept_connection_tools"),
        ],
    },
    Noun {
        name: "connect",
        about: "Links by which a person connects an account without one here.",
        calls: &[
            ("create_token", "create_connect_token"),
            ("get_session", "read_connect_session"),
            ("poll", "poll_connect_session"),
        ],
    },
    Noun {
        name: "integrations",
        about: "What can be switched on.",
        calls: &[
            ("list", "list_integration_metadata"),
            ("get", "list_integration_metadata"),
            ("resolve_options", "list_property_options"),
            ("resolve_property", "resolve_property"),
            ("oauth_status", "read_oauth_status"),
        ],
    },
    Noun {
        name: "partials",
        about: "Saved inputs; those in `enforcedKeys` are locked, and hidden from agents.",
        calls: &[
            ("list", "list_partials"),
            ("create", "create_partial"),
            ("get", "read_partial"),
            ("update", "update_partial"),
            ("set_default", "set_default_partial"),
            ("delete", "delete_partial"),
        ],
    },
    Noun {
        name: "end_users",
        about: "The persons of your own product.",
        calls: &[
            ("list", "list_end_users"),
            ("create", "create_end_user"),
            ("get", "read_end_user"),
            ("update", "update_end_user"),
            ("delete", "delete_end_user"),
            ("create_connect_token", "create_end_user_link"),
            ("invite", "invite_end_user"),
        ],
    },
    Noun {
        name: "mcp_servers",
        about: "Hosted MCP servers, their tools and tokens.",
        calls: &[
            ("list", "list_servers"),
            ("create", "create_server"),
            ("get", "read_server"),
            ("update", "update_server"),
            ("delete", "delete_server"),
            ("regenerate_token", "regenerate_server_token"),
            ("create_access_token", "create_access_token"),
            ("create_oauth_token", "create_oauth_token"),
            ("list_tools", "list_server_tools"),
            ("add_tool", "add_server_tool"),
            ("update_tool", "update_server_tool"),
            ("delete_tool", "delete_server_tool"),
            ("pick_tools", "pick_server_tools"),
            ("estimate_list", "read_tool_list_size"),
            ("call_tool", "call_server_tool"),
            ("execute_code", "execute_code"),
            ("get_declarations", "read_declarations"),
        ],
    },
    Noun {
        name: "actions",
        about: "Actions of connectors, run without an agent.",
        calls: &[("execute", "execute_action")],
    },
    Noun {
        name: "api_keys",
        about: "Keys of this API.",
        calls: &[
            ("list", "list_api_keys"),
            ("create", "create_api_key"),
            ("update", "update_api_key"),
            ("regenerate", "regenerate_api_key"),
            ("delete", "revoke_api_key"),
        ],
    },
    Noun {
        name: "orgs",
        about: "Organizations, made with the operator's service key.",
        calls: &[("create", "create_organization")],
    },
];

pub(super) fn count() -> usize {
    NOUNS.iter().map(|noun| noun.calls.len()).sum()
}

/// Operations that the clients lack without a reason, and lines here that are of no use.
pub(super) fn faults(document: &Document) -> Vec<String> {
    let called = |id: &str| {
        let mut calls = NOUNS.iter().flat_map(|noun| noun.calls);
        calls.any(|(_, operation)| *operation == id)
    };
    let left_out = |id: &str| LEFT_OUT.iter().any(|(operation, _)| *operation == id);
    let managed: Vec<(&str, &str)> = document
        .operations()
        .map(|operation| (operation.tag(), operation.id()))
        .filter(|(tag, _)| TAGS.contains(tag))
        .collect();
    let mut faults = Vec::new();
    for &(tag, id) in &managed {
        if !called(id) && !left_out(id) {
            faults.push(format!(
                "the SDKs have no call for `{id}` of \"{tag}\"; add one in xtask/src/sdk/calls.rs, \
                 or say there why not"
            ));
        }
    }
    for tag in TAGS {
        if !managed.iter().any(|(used, _)| *used == tag) {
            faults.push(format!("no operation has the tag \"{tag}\""));
        }
    }
    for (id, _) in LEFT_OUT {
        if called(id) || !managed.iter().any(|(_, known)| *known == id) {
            faults.push(format!("`{id}` need not be left out of the SDKs"));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operation_of_the_management_api_that_no_client_has_is_a_fault() {
        let text = r#"{ "paths": { "/api/v1/cranes": {
            "get": { "operationId": "list_cranes", "tags": ["Workspaces"] },
            "post": { "operationId": "read_files", "tags": ["Files"] }
        } } }"#;
        let faults = faults(&Document::of(text).unwrap());
        assert!(
            faults[0].contains("no call for `list_cranes`"),
            "{faults:?}"
        );
        assert!(faults.iter().all(|fault| !fault.contains("read_files")));
    }
}
