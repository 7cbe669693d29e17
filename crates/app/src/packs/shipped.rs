//! The packs that come with the program, read when somebody asks for the first time.

use super::text;
use quaymaster_core::Fault;
use quaymaster_flows::format::Flow;
use quaymaster_flows::pack::{Pack, VariableType};
use std::collections::BTreeMap;
use std::sync::OnceLock;

macro_rules! texts {
    ($($name:literal)*) => {
        [$(($name, include_str!(concat!("../../../../packs/", $name, ".yaml")))),*]
    };
}

/// By id.
const TEXTS: [(&str, &str); 10] = texts! {
    "github_triage" "google_calendar" "google_drive" "google_sheets" "hacker_news" "postgresql_reporting"
    "shopify" "slack_digest" "weather" "web_pages"
};

/// A pack of the program.
#[derive(Debug)]
pub struct Shipped {
    pub pack: Pack,
    /// By the name of the flow, its own text.
    texts: BTreeMap<String, String>,
}

impl Shipped {
    fn read(name: &str, source: &str) -> Result<Self, String> {
        let pack = quaymaster_flows::load::pack(source, name).map_err(|problems| {
            problems
                .first()
                .map_or_else(|| name.to_owned(), ToString::to_string)
        })?;
        let texts = text::of_flows(source);
        if texts.len() != pack.flows.len() {
            return Err(format!("{name}: the texts of its flows were not found"));
        }
        let names = pack.flows.iter().map(|flow| flow.flow.clone());
        Ok(Shipped {
            texts: names.zip(texts).collect(),
            pack,
        })
    }

    pub fn flows(&self) -> impl Iterator<Item = &Flow> {
        self.pack.flows.iter()
    }

    /// The names of the secrets that it needs.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let variables = self.pack.variables.iter();
        variables
            .filter(|(_, variable)| variable.r#type == VariableType::Secret)
            .map(|(name, _)| &**name)
    }

    /// The keys of the connectors that its accounts belong to.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        let variables = self.pack.variables.values();
        variables.filter_map(|variable| variable.service.as_deref())
    }

    /// A flow as it is installed with these values.
    pub(super) fn text(&self, flow: &str, vars: &BTreeMap<String, String>) -> String {
        let text = self.texts.get(flow).map(String::as_str).unwrap_or_default();
        text::with_vars(text, vars)
    }
}

/// All of them, by id. A pack that cannot be read is a mistake of the program, which its tests find.
pub(crate) fn all() -> Result<&'static [Shipped], Fault> {
    static ALL: OnceLock<Result<Vec<Shipped>, String>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let packs = TEXTS.iter().map(|(name, text)| Shipped::read(name, text));
        packs.collect()
    });
    all.as_deref().map_err(|problem| {
        tracing::error!(problem, "a pack of the program cannot be read");
        Fault::internal()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use quaymaster_connectors::catalog::Catalog;
    use quaymaster_connectors::params::input_schema;
    use quaymaster_flows::format::Kind;

    #[test]
    fn every_call_is_an_action_of_the_catalog_and_gives_inputs_that_the_action_has() {
        let catalog = Catalog::embedded();
        for pack in all().unwrap() {
            for flow in pack.flows() {
                flow.every_step(&mut |step| {
                    let Some(Kind::Call(call)) = step.kind() else {
                        return;
                    };
                    let definition = catalog.get(&call.service).unwrap();
                    let action = call.action.as_deref().unwrap();
                    let (_, _, found) = definition.action(action).unwrap();
                    let schema = input_schema(&definition, found);
                    let of = |key: &str| schema.get(key).cloned().unwrap_or_default();
                    for name in call.with.keys() {
                        let known = of("properties").get(name).is_some();
                        assert!(known, "{}: {action} has no {name}", flow.flow);
                    }
                    for name in of("required").as_array().into_iter().flatten() {
                        let name = name.as_str().unwrap();
                        let given = call.with.contains_key(name);
                        assert!(given, "{}: {action} needs {name}", flow.flow);
                    }
                });
            }
        }
    }

    #[test]
    fn accounts_of_a_pack_are_of_the_services_that_its_flows_call() {
        for pack in all().unwrap() {
            let services: Vec<&str> = pack.services().collect();
            for flow in pack.flows() {
                flow.every_step(&mut |step| {
                    if let Some(Kind::Call(call)) = step.kind() {
                        assert!(services.contains(&&*call.service), "{}", flow.flow);
                        assert!(call.account.is_some(), "{}", flow.flow);
                    }
                });
            }
        }
    }

    #[test]
    fn every_pack_is_read_and_the_texts_of_its_flows_are_the_flows() {
        let all = all().unwrap();
        assert_eq!(all.len(), TEXTS.len());
        for (pack, (name, _)) in all.iter().zip(TEXTS) {
            assert_eq!(pack.pack.id, name);
            let vars: BTreeMap<String, String> = pack
                .pack
                .variables
                .keys()
                .map(|name| (name.clone(), format!("\"{name}\": x")))
                .collect();
            for flow in pack.flows() {
                let text = pack.text(&flow.flow, &vars);
                let mut own = quaymaster_flows::load::flow(&text, &flow.flow).unwrap();
                assert_eq!(own.vars.len(), vars.len());
                own.vars.clear();
                let value = |flow: &Flow| serde_json::to_value(flow).unwrap();
                assert_eq!(value(&own), value(flow), "{}", flow.flow);
            }
        }
    }
}
