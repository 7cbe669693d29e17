//! Services of the kind `mcp`, whose calls are those that the servers of the accounts offer: each
//! account may have others.

use super::accounts::{Reached, ambiguous};
use crate::App;
use crate::connections::Connected;
use crate::discovery::WithTools;
use quaymaster_connectors::definition::{AuthKind, Definition};
use quaymaster_connectors::passport;
use quaymaster_connectors::resolve::{self, Resolved};
use quaymaster_connectors::upstream::{Tool, with_tools};
use quaymaster_core::{Caller, Code, Fault};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;

impl App {
    /// The definition with the tools of an account; without them when none were found yet.
    async fn of_account(
        &self,
        account: &Connected,
        definition: &Arc<Definition>,
    ) -> Result<Option<WithTools>, Fault> {
        match &account.tools {
            Some(mark) => self.with_tools(mark, definition).await.map(Some),
            None => Ok(None),
        }
    }
}

/// What is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Asked<'a> {
    pub(crate) module: Option<&'a str>,
    pub(crate) method: &'a str,
    pub(crate) path: Option<&'a str>,
    /// The account that the call names.
    pub(crate) account: Option<&'a str>,
}

impl Asked<'_> {
    fn of(self, definition: &Definition) -> Result<Resolved, Fault> {
        resolve::call(definition, self.module, self.method, self.path)
    }
}

/// What a call means at the accounts that have it; the others are taken out of those reached.
/// When the only account that is meant has a server that never said what it has, it is asked now:
/// this call may wait for it.
pub(crate) async fn resolved(
    app: &App,
    caller: &Caller,
    definition: &Arc<Definition>,
    reached: &mut Reached,
    asked: Asked<'_>,
) -> Result<Resolved, Fault> {
    if let Some(resolved) = known(app, definition, reached, asked).await? {
        return Ok(resolved);
    }
    for account in reached
        .iter()
        .filter(|account| is_meant(account, asked.account))
    {
        if account.tools.is_none() {
            app.find_tools_now(account).await?;
        }
    }
    *reached = super::accounts::of_service(app, caller, &definition.key).await?;
    let resolved = known(app, definition, reached, asked).await?;
    resolved.ok_or_else(Fault::internal)
}

/// The same as far as it is known without asking anybody; none when a server never said what it has.
pub(super) async fn known(
    app: &App,
    definition: &Arc<Definition>,
    reached: &mut Reached,
    asked: Asked<'_>,
) -> Result<Option<Resolved>, Fault> {
    let named = asked.account;
    if reached.iter().len() == 0 {
        return without_account(definition, asked).map(Some);
    }
    let is_meant = |account: &Connected| is_meant(account, named);
    is_known(definition, reached, named)?;
    let mut tools: Vec<Tool> = Vec::new();
    let mut having = BTreeSet::new();
    let mut found: Option<Resolved> = None;
    for account in reached.iter().filter(|account| is_meant(account)) {
        let own = app.of_account(account, definition).await?;
        let own_definition = own
            .as_ref()
            .map_or(definition, |own| own.prepared.definition());
        match asked.of(own_definition) {
            Ok(resolved) if resolved.action.is_some() => {
                having.insert(account.connection.id.clone());
                // A call reads when it does so wherever it goes.
                let reads = resolved.reads && found.as_ref().is_none_or(|found| found.reads);
                found = Some(Resolved { reads, ..resolved });
            }
            _ => tools.extend(own.into_iter().flat_map(|own| own.found.tools.clone())),
        }
    }
    let Some(found) = found else {
        let meant: Vec<&Connected> = reached.iter().filter(|one| is_meant(one)).collect();
        // Of several, one that does not answer may not keep the others waiting.
        if let [only] = meant.as_slice()
            && only.tools.is_none()
        {
            return Ok(None);
        }
        // Perhaps it is new there.
        for account in meant {
            app.look_at_tools_again(&account.connection.org, &account.connection.id);
        }
        let all = with_tools(definition, &tools);
        return asked.of(&all).map(Some);
    };
    if named.is_none() && reached.iter().len() > 1 {
        reached.retain(|account| having.contains(&account.connection.id));
        if !found.reads {
            return Err(ambiguous(reached));
        }
    }
    Ok(Some(found))
}

fn is_meant(account: &Connected, named: Option<&str>) -> bool {
    let connection = &account.connection;
    named.is_none_or(|named| connection.name == named || connection.id.as_str() == named)
}

/// `UNKNOWN_INSTANCE` when an account is named that is not reached.
fn is_known(definition: &Definition, reached: &Reached, named: Option<&str>) -> Result<(), Fault> {
    if let Some(named) = named
        && !reached.iter().any(|account| is_meant(account, Some(named)))
    {
        let names = reached.iter();
        let names = names.map(|account| account.connection.name.as_str());
        resolve::account(&definition.key, named, names)?;
    }
    Ok(())
}

/// A server that needs no account, if its definition lists the call; else an account is needed to
/// know what there is.
fn without_account(definition: &Definition, asked: Asked<'_>) -> Result<Resolved, Fault> {
    let is_open = definition
        .auth
        .iter()
        .any(|auth| auth.kind == AuthKind::None);
    if is_open && definition.base_url.names().next().is_none() {
        return asked.of(definition);
    }
    let message = format!("No account of {} is connected.", definition.title);
    Err(Fault::new(Code::ConnectionRequired, message))
}

/// The passport with the tools of every account that is reached, or of the named one. Accounts that
/// have different ones say which.
pub(super) async fn described(
    app: &App,
    definition: &Arc<Definition>,
    reached: &Reached,
    named: Option<&str>,
    module: Option<&str>,
) -> Result<Value, Fault> {
    let is_meant = |account: &&Connected| is_meant(account, named);
    is_known(definition, reached, named)?;
    let accounts: Vec<&Connected> = reached.iter().filter(is_meant).collect();
    let mut all: Vec<Option<WithTools>> = Vec::with_capacity(accounts.len());
    for account in &accounts {
        all.push(app.of_account(account, definition).await?);
    }
    let found = || all.iter().flatten();
    let mut passport = match (all.as_slice(), found().next()) {
        ([_], Some(only)) => passport::describe(only.prepared.definition(), module)?,
        _ => {
            let mut union = with_tools(definition, found().flat_map(|own| &own.found.tools));
            let versions = found().map(|own| own.prepared.definition().version.as_str());
            let versions: BTreeSet<&str> = versions.collect();
            let version = versions.into_iter().collect::<Vec<_>>().join(",");
            if !version.is_empty() {
                union.version = version;
            }
            passport::describe(&union, module)?
        }
    };
    let calls = |own: &Option<WithTools>| -> BTreeSet<String> {
        let tools = own.iter().flat_map(|own| &own.found.tools);
        tools.map(|tool| tool.name.clone()).collect()
    };
    let sets: Vec<BTreeSet<String>> = all.iter().map(calls).collect();
    let differ = sets.windows(2).any(|pair| pair[0] != pair[1]);
    let shown: Vec<Value> = accounts
        .iter()
        .zip(&sets)
        .map(|(account, calls)| {
            let mut shown = account.shown();
            if differ {
                shown["calls"] = json!(calls);
            }
            shown
        })
        .collect();
    passport["accounts"] = json!(shown);
    Ok(passport)
}
