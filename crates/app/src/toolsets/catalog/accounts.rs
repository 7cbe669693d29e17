//! Which accounts a caller reaches, and which of them a call means.

use crate::App;
use crate::connections::Connected;
use crate::integrations::opens;
use quaymaster_connectors::definition::{AuthKind, Definition};
use quaymaster_connectors::request::Account;
use quaymaster_connectors::resolve;
use quaymaster_core::{Caller, Code, Fault};
use serde_json::{Value, json};
use std::sync::Arc;

/// The accounts of an organization with the ones that a caller reaches.
pub(crate) struct Reached {
    all: Arc<[Connected]>,
    of: Vec<usize>,
}

impl Reached {
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Connected> {
        self.of.iter().map(|index| &self.all[*index])
    }

    /// Leaves only these.
    pub(super) fn retain(&mut self, wanted: impl Fn(&Connected) -> bool) {
        let all = &self.all;
        self.of.retain(|index| wanted(&all[*index]));
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.iter().map(|account| account.connection.name.as_str())
    }
}

impl Connected {
    /// `service:account`.
    pub(crate) fn address(&self) -> String {
        format!("{}:{}", self.connection.connector, self.connection.name)
    }

    /// As agents see it.
    pub(super) fn shown(&self) -> Value {
        let connection = &self.connection;
        json!({
            "account": connection.name,
            "instance_id": connection.id,
            "label": connection.label,
            "status": if connection.problem.is_none() { "ACTIVE" } else { "ERROR" },
        })
    }
}

/// All accounts that a caller reaches: the organization's, and those of its own workspace.
pub(crate) async fn reached(app: &App, caller: &Caller) -> Result<Reached, Fault> {
    reached_where(app, caller, |_| true).await
}

pub(crate) async fn of_service(app: &App, caller: &Caller, key: &str) -> Result<Reached, Fault> {
    reached_where(app, caller, |account| account.connection.connector == key).await
}

async fn reached_where(
    app: &App,
    caller: &Caller,
    wanted: impl Fn(&Connected) -> bool,
) -> Result<Reached, Fault> {
    let all = app.accounts(&caller.org, None).await?;
    let ours = |account: &Connected| match &account.connection.workspace {
        Some(workspace) => caller.files() == Some(workspace),
        None => true,
    };
    let of = all.iter().enumerate();
    let of = of.filter(|(_, account)| ours(account) && wanted(account));
    let of = of.map(|(index, _)| index).collect();
    Ok(Reached { all, of })
}

/// What a call shall use.
pub(crate) enum Chosen<'a> {
    /// One, because it was named or is the only one.
    One(&'a Connected),
    /// A service that needs no account.
    Nobody,
    /// Every account, each for itself.
    All,
}

/// Which of the accounts is meant by a suffix or an `instance_id`.
pub(crate) fn choose<'a>(
    definition: &Definition,
    reached: &'a Reached,
    suffix: Option<&str>,
    instance: Option<&str>,
    reads: bool,
) -> Result<Chosen<'a>, Fault> {
    let named = |name: &str| {
        let by_id = reached
            .iter()
            .find(|account| account.connection.id.as_str() == name);
        match by_id {
            Some(account) => Ok(account),
            None => {
                let name = resolve::account(&definition.key, name, reached.names())?;
                let found = reached
                    .iter()
                    .find(|account| account.connection.name == name);
                found.ok_or_else(Fault::internal)
            }
        }
    };
    match (suffix, instance) {
        (Some(suffix), Some(instance)) => {
            let (one, other) = (named(suffix)?, named(instance)?);
            if one.connection.id != other.connection.id {
                return Err(Fault::invalid_arg(
                    "/instance_id",
                    "const",
                    "service and instance_id name different accounts.",
                )
                .hint("Name the account in one of the two."));
            }
            Ok(Chosen::One(one))
        }
        (Some(name), None) | (None, Some(name)) => Ok(Chosen::One(named(name)?)),
        (None, None) => unnamed(definition, reached, reads),
    }
}

/// A call that changes something could go to several accounts.
pub(super) fn ambiguous(reached: &Reached) -> Fault {
    let candidates: Vec<String> = reached.iter().map(Connected::address).collect();
    let first = candidates.first().cloned().unwrap_or_default();
    Fault::invalid_arg(
        "/service",
        "ambiguous",
        "A call that changes something must name one account.",
    )
    .hint(format!("Pass service as {first}, or instance_id."))
    .detail("candidates", candidates)
}

fn unnamed<'a>(
    definition: &Definition,
    reached: &'a Reached,
    reads: bool,
) -> Result<Chosen<'a>, Fault> {
    let mut accounts = reached.iter();
    match (accounts.next(), accounts.len()) {
        (Some(only), 0) => Ok(Chosen::One(only)),
        (Some(_), _) if reads => Ok(Chosen::All),
        (Some(_), _) => Err(ambiguous(reached)),
        (None, _) if opens(definition) => Ok(Chosen::Nobody),
        (None, _) => Err(Fault::new(
            Code::ConnectionRequired,
            format!("No account of {} is connected.", definition.title),
        )),
    }
}

/// The account of a service that needs none.
pub(crate) fn nobody(definition: &Definition) -> Account {
    let open = definition
        .auth
        .iter()
        .find(|auth| auth.kind == AuthKind::None);
    Account {
        auth: open.map(|auth| auth.key.clone()).unwrap_or_default(),
        ..Account::default()
    }
}
