//! The packs that come with the program, read when somebody asks for the first time.

use quaymaster_core::Fault;
use quaymaster_flows::pack::PackInFull;
use std::sync::{Arc, OnceLock};

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

fn read(name: &str, source: &str) -> Result<Arc<PackInFull>, String> {
    let read = PackInFull::read(source, name);
    read.map(Arc::new).map_err(|problems| {
        let first = problems.first();
        first.map_or_else(|| name.to_owned(), ToString::to_string)
    })
}

/// All of them, by id. A pack that cannot be read is a mistake of the program, which its tests find.
pub(crate) fn all() -> Result<&'static [Arc<PackInFull>], Fault> {
    static ALL: OnceLock<Result<Vec<Arc<PackInFull>>, String>> = OnceLock::new();
    let all = ALL.get_or_init(|| {
        let packs = TEXTS.iter().map(|(name, text)| read(name, text));
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
    use quaymaster_flows::format::{Flow, Kind};
    use quaymaster_flows::pack::PackTested;
    use std::collections::BTreeMap;

    #[test]
    fn every_call_is_an_action_of_the_catalog_and_gives_inputs_that_the_action_has() {
        let catalog = Catalog::embedded();
        for pack in all().unwrap() {
            for flow in &pack.pack.flows {
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
            for flow in &pack.pack.flows {
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
            assert_ne!(pack.pack.tested, PackTested::None, "{name}");
            let vars: BTreeMap<String, String> = pack
                .pack
                .variables
                .keys()
                .map(|name| (name.clone(), format!("\"{name}\": x")))
                .collect();
            for flow in &pack.pack.flows {
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
