//! The tools of a hosted server: which account a call uses, with which inputs, and what comes back.

use super::catalog::{data_of, shown_media, text_of};
use crate::App;
use crate::connections::Connected;
use crate::guard::Admitted;
use crate::hosted::{Hosted, HostedTool, Part};
use crate::integrations::{open_way, opens};
use crate::invoke::Target;
use quaymaster_connectors::request::{Account, Invocation};
use quaymaster_connectors::send::{Answer, FailureKind};
use quaymaster_connectors::surface::{self, Asked, What};
use quaymaster_core::id::{ConnectionId, EndUserId, OrgId};
use quaymaster_core::tool::{JsonObject, ToolResult};
use quaymaster_core::{Code, Fault};
use quaymaster_store::integration::Strategy;
use serde_json::{Value, json};
use std::sync::Arc;

/// Whose call it is and what it goes through.
pub(crate) struct Calling<'a> {
    pub(crate) hosted: &'a Hosted,
    pub(crate) tool: &'a HostedTool,
    /// Instead of the tool's and the integration's.
    pub(crate) connection: Option<&'a ConnectionId>,
    pub(crate) end_user: Option<&'a EndUserId>,
    /// Sent to the service as `Idempotency-Key`.
    pub(crate) idempotency_key: Option<&'a str>,
}

impl Calling<'_> {
    pub(crate) fn part(&self) -> &Part {
        &self.hosted.parts[self.tool.part]
    }

    fn org(&self) -> &OrgId {
        &self.hosted.server.org
    }
}

/// Runs an admitted call of a tool.
pub(crate) async fn run(
    app: &App,
    admitted: &Admitted,
    calling: &Calling<'_>,
) -> Result<ToolResult, Fault> {
    let inputs = JsonObject::clone(&admitted.call().args);
    match &calling.tool.what {
        What::Action(action) => {
            let inputs = calling.tool.whole(&inputs)?;
            let answer = act(app, admitted, calling, action, inputs).await?;
            let (data, media) = data_of(answer.data);
            let mut shown = json!({ "data": data });
            if let (Value::Object(shown), Ok(Value::Object(meta))) =
                (&mut shown, serde_json::to_value(&answer.meta))
                && !meta.is_empty()
            {
                shown.insert("meta".to_owned(), Value::Object(meta));
            }
            let mut result = text_of(&shown);
            result.content.extend(media);
            result.content.extend(shown_media(answer.media));
            Ok(result)
        }
        What::Companion {
            property,
            select,
            for_actions,
        } => {
            let asked = Asked {
                property,
                select: Some(select),
                actions: for_actions,
                input: &inputs,
                search: inputs.get("search").and_then(Value::as_str),
            };
            options(app, admitted, calling, &asked).await
        }
    }
}

/// Calls one action with inputs that are whole.
pub(crate) async fn act(
    app: &App,
    admitted: &Admitted,
    calling: &Calling<'_>,
    action: &str,
    inputs: JsonObject,
) -> Result<Answer, Fault> {
    let part = calling.part();
    // Before an account is looked for, so that a wrong call learns first what is wrong with it.
    part.prepared.check(action, &inputs)?;
    let own = account_of(app, calling).await?;
    let nobody;
    let target = match &own {
        Some(account) => account.target(),
        None => {
            nobody = open_account(part);
            Target {
                org: calling.org(),
                connector: &part.integration.connector,
                name: "open",
                id: part.integration.id.as_str(),
                account: &nobody,
                destination: None,
                connected: None,
                tools: None,
            }
        }
    };
    let rpc = part.tool_of_server(action);
    let key = calling.idempotency_key;
    let call = Invocation {
        headers: key
            .map(|key| ("Idempotency-Key".to_owned(), key.to_owned()))
            .into_iter()
            .collect(),
        // Accounts of one MCP server or another may have a tool under different keys.
        action: rpc.is_none().then(|| action.to_owned()),
        rpc,
        inputs,
        ..Invocation::default()
    };
    let answer = app.invoke(target, &call, 0).await;
    let status = match &answer {
        Ok(answer) => Some(answer.status),
        Err(failure) => failure.status,
    };
    admitted.reached(format!("{}:{}", target.connector, target.name), status);
    let answer = answer.map_err(|mut failure| {
        // As connector_execute tells it, whatever was made of the answer.
        if let Some(status) = status
            && !failure.fault.has_detail("upstream_status")
        {
            failure.fault = failure.fault.detail("upstream_status", status);
        }
        failure
    });
    match answer {
        Ok(answer) => Ok(answer),
        Err(failure) if failure.kind == FailureKind::Auth && calling.end_user.is_some() => {
            let of_theirs = own
                .as_ref()
                .is_some_and(|own| own.connection.end_user.is_some());
            Err(if of_theirs {
                app.must_set_up(calling, failure.fault).await?
            } else {
                failure.fault
            })
        }
        Err(failure) => Err(failure.fault),
    }
}

/// The values that an input can have.
async fn options(
    app: &App,
    admitted: &Admitted,
    calling: &Calling<'_>,
    asked: &Asked<'_>,
) -> Result<ToolResult, Fault> {
    let part = calling.part();
    let lookup = part.switched(|switched| surface::option_call(switched, asked))?;
    let answer = act(
        app,
        admitted,
        calling,
        &lookup.action,
        lookup.inputs.clone(),
    )
    .await?;
    let (data, _) = data_of(answer.data);
    Ok(text_of(&Value::Object(lookup.options(&data).to_json())))
}

/// The account that a call uses; none for a service that is open.
async fn account_of(app: &App, calling: &Calling<'_>) -> Result<Option<Reached>, Fault> {
    let integration = &calling.part().integration;
    let fixed = calling
        .connection
        .or(calling.tool.connection.as_ref())
        .or(integration.connection.as_ref());
    let named = calling.connection.is_some() || calling.tool.connection.is_some();
    let strategy = if named {
        Strategy::Fixed
    } else {
        integration.strategy
    };
    if matches!(strategy, Strategy::PerUser | Strategy::PerUserWithFallback) {
        if let Some(end_user) = calling.end_user
            && let Some(own) = of_end_user(app, calling, end_user).await?
        {
            return Ok(Some(own));
        }
        if strategy == Strategy::PerUser || fixed.is_none() {
            return if opens(calling.part().definition()) {
                Ok(None)
            } else {
                Err(app.must_set_up(calling, not_connected(calling)).await?)
            };
        }
    }
    let Some(fixed) = fixed else {
        return if opens(calling.part().definition()) {
            Ok(None)
        } else {
            Err(app.must_reconnect(&integration.connector, not_connected(calling)))
        };
    };
    let accounts = app.accounts(calling.org(), None).await?;
    let found = accounts.iter().position(|account| {
        let connection = &account.connection;
        let workspace = connection.workspace.as_ref();
        connection.id == *fixed
            && connection.connector == integration.connector
            && workspace.is_none_or(|workspace| *workspace == integration.workspace)
    });
    match found {
        Some(index) => Ok(Some(Reached { accounts, index })),
        None => Err(app.must_reconnect(&integration.connector, not_connected(calling))),
    }
}

/// An account among those that were looked at.
struct Reached {
    accounts: Arc<[Connected]>,
    index: usize,
}

impl std::ops::Deref for Reached {
    type Target = Connected;
    fn deref(&self) -> &Connected {
        &self.accounts[self.index]
    }
}

/// An end user's account for an integration: the newest one that was connected for it, else the
/// newest that was connected for none.
async fn of_end_user(
    app: &App,
    calling: &Calling<'_>,
    end_user: &EndUserId,
) -> Result<Option<Reached>, Fault> {
    let integration = &calling.part().integration;
    let accounts = app.accounts(calling.org(), Some(end_user)).await?;
    let fits = accounts.iter().enumerate().filter(|(_, account)| {
        let connection = &account.connection;
        let of = connection.integration.as_ref();
        connection.connector == integration.connector
            && of.is_none_or(|of| *of == integration.id)
            && integration
                .auth
                .as_ref()
                .is_none_or(|auth| *auth == connection.auth)
    });
    let best = fits.max_by_key(|(_, account)| {
        let connection = &account.connection;
        (
            connection.integration.is_some(),
            connection.created_at,
            connection.id.clone(),
        )
    });
    let index = best.map(|(index, _)| index);
    Ok(index.map(|index| Reached { accounts, index }))
}

fn not_connected(calling: &Calling<'_>) -> Fault {
    let part = calling.part();
    Fault::new(
        Code::ConnectionRequired,
        format!(
            "No account of {} is connected for {}.",
            part.definition().title,
            part.integration.alias
        ),
    )
}

fn open_account(part: &Part) -> Account {
    Account {
        auth: open_way(part.definition())
            .map(|way| way.key.clone())
            .unwrap_or_default(),
        ..Account::default()
    }
}

impl App {
    /// A call for an end user needs an account that they connect themselves: where they do it.
    async fn must_set_up(&self, calling: &Calling<'_>, mut fault: Fault) -> Result<Fault, Fault> {
        let integration = &calling.part().integration;
        let Some(end_user) = calling.end_user else {
            return Ok(fault
                .hint(
                    "The call is for no end user. Make the server with endUserId, a token for an end \
                     user, or the person who signed in an end user: POST /api/v1/end-users with their \
                     user id as externalId.",
                )
                .detail("integration", integration.alias.as_str()));
        };
        let link = self
            .setup_link(integration, end_user, &calling.hosted.server.user)
            .await?;
        fault.code = Code::ConnectionRequired;
        fault.retryable = Code::ConnectionRequired.retryable();
        // Clients show the message and not always the details.
        fault.message = format!(
            "{} Ask the user to connect the account at {} and call again.",
            fault.message, link.url
        );
        Ok(fault
            .hint(format!(
                "The link works until {}, and once.",
                link.expires_at
            ))
            .detail("setup_url", link.url)
            .detail("expires_at", link.expires_at.to_string()))
    }
}
