//! Which accounts a session is given: exactly those that the caller reaches with `connector_execute`, with
//! nothing in between. What is reached only through a hosted server, where inputs can be enforced, is not among
//! them.

use crate::App;
use crate::connections::Connected;
use crate::toolsets::catalog;
use quaymaster_connectors::redact::Redactor;
use quaymaster_connectors::{Handed, handed, resolve};
use quaymaster_core::{Caller, Code, Fault};
use quaymaster_egress::Place;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// What a session is given of the caller's accounts.
#[derive(Default)]
pub(super) struct Given {
    pub(super) variables: BTreeMap<String, String>,
    /// Values that nobody may see.
    secrets: BTreeSet<String>,
    pub(super) places: BTreeSet<Place>,
    /// As `service:account`.
    pub(super) accounts: Vec<String>,
    /// Accounts that were left out, and why.
    pub(super) left_out: Vec<Value>,
    ids: BTreeSet<String>,
}

impl Given {
    /// What makes it another session. No value is in it, since a renewed token does not.
    pub(super) fn having(&self) -> Value {
        let names: Vec<&String> = self.variables.keys().collect();
        let places = self.places.iter();
        let places: Vec<String> = places
            .map(|place| format!("{}:{}:{}", place.host, place.port, place.inside))
            .collect();
        json!([self.ids, names, places])
    }

    /// Finds its secrets, and those that the session had before. `environment` is what the session was given now,
    /// `known` all values that it ever had.
    pub(super) fn redactor(
        &self,
        environment: &BTreeMap<String, String>,
        known: &[String],
    ) -> Redactor {
        let plain: BTreeSet<&String> = environment
            .values()
            .filter(|value| !self.secrets.contains(*value))
            .collect();
        let before = known.iter().filter(|value| !plain.contains(value));
        Redactor::new(self.secrets.iter().chain(before).map(String::as_str))
    }

    fn add(&mut self, connected: &Connected, handed: Handed, is_only: bool) {
        let connection = &connected.connection;
        let mut end = if is_only {
            String::new()
        } else {
            format!("__{}", suffix(&connection.name))
        };
        // `shop-1` and `shop_1` end alike.
        let plain = end.clone();
        let mut next = 2;
        while handed
            .variables
            .iter()
            .any(|(name, _)| self.variables.contains_key(&format!("{name}{end}")))
        {
            end = format!("{plain}_{next}");
            next += 1;
        }
        for (name, value) in handed.variables {
            self.variables.insert(format!("{name}{end}"), value);
        }
        self.secrets.extend(handed.secrets);
        let inside = connected.account.local;
        let places = handed.places.into_iter();
        self.places
            .extend(places.map(|(host, port)| Place { host, port, inside }));
        self.accounts.push(connected.address());
        self.ids.insert(connection.id.to_string());
    }
}

/// An account's name as the end of a variable's.
fn suffix(account: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_uppercase()
        } else {
            '_'
        }
    };
    account.chars().map(plain).collect()
}

/// `services` are keys, or keys and accounts; without them all connected ones.
pub(super) async fn given(
    app: &App,
    caller: &Caller,
    services: Option<&[String]>,
) -> Result<Given, Fault> {
    let reached = catalog::reached(app, caller).await?;
    let wanted = match services {
        Some(services) => Some(named(app, caller, &reached, services).await?),
        None => None,
    };
    let mut given = Given::default();
    for connected in reached.iter() {
        let connection = &connected.connection;
        if wanted
            .as_ref()
            .is_some_and(|wanted| !wanted.contains(connection.id.as_str()))
        {
            continue;
        }
        let of_service = reached.iter();
        let of_service = of_service.filter(|one| one.connection.connector == connection.connector);
        let is_only = of_service.count() == 1;
        match looked_up(app, caller, connected).await {
            Ok(handed) => given.add(connected, handed, is_only),
            // The others are of use without it.
            Err(fault) => given.left_out.push(json!({
                "account": connected.address(),
                "code": fault.code, "message": fault.message,
            })),
        }
    }
    Ok(given)
}

/// The account with a token that is good, unless its credentials were given for another place.
async fn looked_up(app: &App, caller: &Caller, connected: &Connected) -> Result<Handed, Fault> {
    let connection = &connected.connection;
    let usable = app.usable(&caller.org, &connection.connector).await?;
    let destination = connection.destination.as_deref();
    if !usable.may_sign(&connection.auth, destination) {
        return Err(Fault::new(Code::ConnectionRequired, crate::invoke::MOVED));
    }
    let held = app.with_good_token(connected).await?;
    handed(usable.definition(), &held.account)
}

/// Ids of the connections that services stand for.
async fn named(
    app: &App,
    caller: &Caller,
    reached: &catalog::Reached,
    services: &[String],
) -> Result<BTreeSet<String>, Fault> {
    let known = app.catalog_of(&caller.org).await?;
    let mut ids = BTreeSet::new();
    for service in services {
        let addressed = resolve::service(service, known.keys())?;
        let of_it: Vec<&Connected> = reached
            .iter()
            .filter(|one| one.connection.connector == addressed.key)
            .collect();
        if of_it.is_empty() {
            let message = format!("No account of {} is connected.", addressed.key);
            let fault = Fault::new(Code::ConnectionRequired, message);
            return Err(app.must_reconnect(&addressed.key, fault));
        }
        let account = match &addressed.account {
            Some(name) => {
                let names = of_it.iter().map(|one| one.connection.name.as_str());
                Some(resolve::account(&addressed.key, name, names)?)
            }
            None => None,
        };
        let chosen = of_it.into_iter().filter(|one| {
            let name = &one.connection.name;
            account.as_ref().is_none_or(|account| account == name)
        });
        ids.extend(chosen.map(|one| one.connection.id.to_string()));
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_name_of_an_account_ends_a_variable() {
        assert_eq!(suffix("second-shop 2"), "SECOND_SHOP_2");
        assert_eq!(suffix("Лавка"), "_____");
    }
}
