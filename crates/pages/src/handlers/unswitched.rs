//! Connected accounts whose connector is not switched on in a workspace: what servers can have of them
//! all the same. Ticking one of their actions switches the connector on for the ticked ones, as adding a
//! tool over the API does.

use std::collections::BTreeMap;

use quaymaster_app::connections::Connection;
use quaymaster_app::picking::{OfferedAction, Pick};
use quaymaster_app::server_tools::NewTool;
use quaymaster_app::servers::Server;
use quaymaster_app::{Admin, App};
use quaymaster_core::Fault;
use quaymaster_core::id::{ConnectionId, WorkspaceId};

/// A connected account with the actions of its connector.
pub(super) struct Account {
    pub connection: Connection,
    /// What its connector is called.
    pub title: String,
    pub actions: Vec<OfferedAction>,
}

/// The first account by name that works, of each connector that the workspace has no integration of.
pub(super) async fn accounts(
    app: &App,
    admin: &Admin,
    workspace: &WorkspaceId,
) -> Result<Vec<Account>, Fault> {
    let mut accounts = Vec::new();
    for connection in app.unswitched_accounts(admin, workspace).await? {
        // A definition that was taken away hides no others.
        let connector = &connection.connector;
        let of = app.connector_actions(admin, connector, Some(&connection.id));
        let (Ok(actions), Ok(title)) = (of.await, app.connector_title(&admin.org, connector).await)
        else {
            continue;
        };
        accounts.push(Account {
            connection,
            title,
            actions,
        });
    }
    Ok(accounts)
}

/// Switches the connectors of ticked actions on, for a server. Answers the picks.
pub(super) async fn switch_on(
    app: &App,
    admin: &Admin,
    server: &Server,
    ticked: Vec<(ConnectionId, String)>,
) -> Result<Vec<Pick>, Fault> {
    let mut picks = Vec::<Pick>::new();
    let mut made = BTreeMap::new();
    for (connection, action) in ticked {
        if let Some(integration) = made.get(&connection) {
            picks.push(Pick {
                integration: Clone::clone(integration),
                action,
            });
            continue;
        }
        let all = accounts(app, admin, &server.workspace).await?;
        let account = all.into_iter().find(|one| one.connection.id == connection);
        let account = account.ok_or_else(|| {
            Fault::invalid_arg(
                "/tool",
                "enum",
                "Somebody has changed what can be ticked meanwhile.",
            )
            .hint("Look at the tools again.")
        })?;
        let new = NewTool {
            connector: account.connection.connector,
            action: action.clone(),
            connection: Some(connection.to_string()),
            ..NewTool::default()
        };
        let row = app.add_server_tool(admin, &server.id, new).await?;
        made.insert(connection, row.integration.id.clone());
        picks.push(Pick {
            integration: row.integration.id,
            action,
        });
    }
    Ok(picks)
}
