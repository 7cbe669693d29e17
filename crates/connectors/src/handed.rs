//! What a program in a sandbox is handed of an account: environment variables, and where they may be used.

use crate::definition::Definition;
use crate::lint;
use crate::request::{Account, Base, Signer};
use quaymaster_core::Fault;
use std::collections::{BTreeMap, BTreeSet};
use url::Url;

/// An account as programs see it. `Debug` shows no value.
pub struct Handed {
    /// By name, as the definition's `env` says: `<SERVICE>_<FIELD>`.
    pub variables: BTreeMap<String, String>,
    /// Values that nobody may see, whether a variable has them or not.
    pub secrets: Vec<String>,
    /// Hosts of the service, with the port of its address.
    pub places: BTreeSet<(String, u16)>,
}

impl std::fmt::Debug for Handed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

/// Looks an account up. `CONNECTION_REQUIRED` when the definition no longer has its way to sign in, or the account
/// lacks what an address needs.
pub fn handed(definition: &Definition, account: &Account) -> Result<Handed, Fault> {
    let signer = Signer::new(definition, account)?;
    let mut variables = BTreeMap::new();
    let mut hand = |field: &str, variable: &str| {
        if let Some(value) = signer.value(field)
            && lint::is_variable(variable)
        {
            let name = variable.to_owned();
            variables.entry(name).or_insert_with(|| value.to_owned());
        }
    };
    for (field, variable) in &definition.env {
        hand(field, variable);
    }
    if definition.env.is_empty() {
        let own = signer.auth.fields.iter();
        let secret = own.filter(|(_, field)| field.secret);
        let names = secret.map(|(name, _)| name.as_str());
        for field in names.chain(account.access_token.is_some().then_some("access_token")) {
            hand(
                field,
                &format!("{}_{field}", definition.key).to_ascii_uppercase(),
            );
        }
    }
    let mut places = BTreeSet::new();
    let mut add = |url: &Url| {
        if let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) {
            places.insert((host.to_owned(), port));
        }
    };
    // A file is at no address that a program could reach.
    if !definition.is_file() {
        add(&Base::resolve(&definition.base_url, signer)?.url);
    }
    for module in definition.modules.values() {
        if let Some(base) = &module.base_url {
            add(&Base::resolve(base, signer)?.url);
        }
    }
    for host in &definition.allow_hosts {
        places.insert((host.to_ascii_lowercase(), 443));
    }
    Ok(Handed {
        variables,
        secrets: signer.secrets().map(str::to_owned).collect(),
        places,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load;

    const SHOP: &str = r#"
quaymaster: 1
key: shop
kind: rest
version: "1"
title: Shop
summary: A shop
base_url: https://api.shop.example/v1
allow_hosts: [Files.shop.example]
env: {token: SHOP_API_KEY, access_token: SHOP_API_KEY, note: SHOP_NOTE}
auth:
  - key: token
    type: api_key
    fields: {token: {secret: true}, note: {}}
    inject: {header: {authorization: "Bearer {token}"}}
modules:
  a: {title: A, base_url: "https://a.shop.example:8443", actions: {get_a: {title: Get a, method: GET, path: /a}}}
"#;

    #[test]
    fn an_account_is_variables_secrets_and_places() {
        let definition = load::parse(SHOP, "").unwrap();
        let fields = [("token", "very-secret"), ("note", "plain")];
        let account = Account {
            auth: "token".into(),
            fields: fields
                .map(|(name, value)| (name.to_owned(), value.to_owned().into()))
                .into(),
            ..Account::default()
        };
        let handed = handed(&definition, &account).unwrap();
        let variables: Vec<(&str, &str)> = handed
            .variables
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(
            variables,
            [("SHOP_API_KEY", "very-secret"), ("SHOP_NOTE", "plain")]
        );
        assert_eq!(handed.secrets, ["very-secret"]);
        let places: Vec<(&str, u16)> = handed
            .places
            .iter()
            .map(|(host, port)| (host.as_str(), *port))
            .collect();
        assert_eq!(
            places,
            [
                ("a.shop.example", 8443),
                ("api.shop.example", 443),
                ("files.shop.example", 443)
            ]
        );
        assert!(!format!("{handed:?}").contains("very-secret"));
    }
}
