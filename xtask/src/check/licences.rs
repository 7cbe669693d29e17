//! Each crate in Cargo.lock has a licence that deny.toml allows, and none is banned there.
//!
//! deny.toml is the one list, also for cargo-deny, which asks for more (advisories) but needs a
//! database from outside. An exception of deny.toml is for what runs only in tests, in chores or
//! while building: it is a fault when the crate becomes part of the program.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use super::{Findings, spdx};
use crate::workspace::{Package, Resolve, Workspace};

const FILE: &str = "deny.toml";
const PROGRAM: &str = "quaymaster";

#[derive(Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

#[derive(Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Ban>,
}

#[derive(Deserialize)]
struct Ban {
    #[serde(rename = "crate")]
    name: String,
}

pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let rules: Rules =
        toml::from_str(&workspace.text(FILE)?).with_context(|| format!("cannot read {FILE}"))?;
    let all = Workspace::read_with_dependencies()
        .context("cargo metadata --locked failed; is Cargo.lock up to date?")?;
    let shipped = all
        .resolve
        .as_ref()
        .map(|resolve| shipped(resolve, &all.packages));
    let shipped = shipped.context("cargo metadata told no resolution")?;
    ensure!(!shipped.is_empty(), "there is no package {PROGRAM}");
    let mut faults = Vec::new();
    for package in &all.packages {
        faults.extend(fault(
            package,
            &rules,
            shipped.contains(package.id.as_str()),
        ));
    }
    Ok(Findings::new(
        format!("{} crates, {} shipped", all.packages.len(), shipped.len()),
        faults,
    ))
}

fn fault(package: &Package, rules: &Rules, shipped: bool) -> Option<String> {
    let name = format!("{} {}", package.name, package.version);
    if rules.bans.deny.iter().any(|ban| ban.name == package.name) {
        return Some(format!("{name} is banned by {FILE}"));
    }
    let Some(expression) = &package.license else {
        return Some(format!("{name} has no licence in its manifest"));
    };
    let listed = |licence: &str| {
        rules
            .licenses
            .allow
            .iter()
            .any(|allowed| allowed == licence)
    };
    let excepted = |licence: &str| {
        let mine = rules
            .licenses
            .exceptions
            .iter()
            .filter(|e| e.name == package.name);
        listed(licence)
            || mine
                .flat_map(|e| &e.allow)
                .any(|allowed| allowed == licence)
    };
    match (
        spdx::satisfied(expression, &listed),
        spdx::satisfied(expression, &excepted),
    ) {
        (Ok(true), _) => None,
        (_, Ok(true)) if shipped => Some(format!(
            "{name}: {expression} is only excepted outside of the program, which contains it"
        )),
        (_, Ok(true)) => None,
        (_, Ok(false)) => Some(format!("{name}: {expression} is not allowed by {FILE}")),
        (_, Err(error)) => Some(format!("{name}: {error}")),
    }
}

/// The ids of everything that can end up in the program, on some platform. A derive macro runs
/// in the compiler, with all that it depends on.
fn shipped<'a>(resolve: &'a Resolve, packages: &'a [Package]) -> BTreeSet<&'a str> {
    let nodes: BTreeMap<&str, _> = resolve.nodes.iter().map(|n| (n.id.as_str(), n)).collect();
    let macros: BTreeSet<&str> = packages
        .iter()
        .filter(|p| {
            p.targets
                .iter()
                .any(|t| t.kind.iter().any(|kind| kind == "proc-macro"))
        })
        .map(|p| p.id.as_str())
        .collect();
    let mut open: Vec<&str> = packages
        .iter()
        .filter(|p| p.name == PROGRAM)
        .map(|p| p.id.as_str())
        .collect();
    let mut seen = BTreeSet::new();
    while let Some(id) = open.pop() {
        if macros.contains(id) || !seen.insert(id) {
            continue;
        }
        let dependencies = nodes.get(id).into_iter().flat_map(|node| &node.deps);
        let normal = dependencies.filter(|d| d.dep_kinds.iter().any(|kind| kind.kind.is_none()));
        open.extend(normal.map(|dependency| dependency.id.as_str()));
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULES: &str = r#"
        [licenses]
        allow = ["MIT"]
        exceptions = [{ crate = "odd", allow = ["MPL-2.0"] }]
        [bans]
        deny = [{ crate = "openssl", reason = "rustls instead" }]
    "#;

    fn found(name: &str, license: Option<&str>, shipped: bool) -> Option<String> {
        let package = Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            id: name.to_owned(),
            license: license.map(str::to_owned),
            dependencies: Vec::new(),
            targets: Vec::new(),
        };
        fault(&package, &toml::from_str(RULES).unwrap(), shipped)
    }

    #[test]
    fn a_listed_licence_passes_and_others_do_not() {
        assert_eq!(found("a", Some("MIT OR GPL-3.0"), true), None);
        assert!(
            found("a", Some("GPL-3.0"), true)
                .unwrap()
                .contains("not allowed")
        );
        assert!(
            found("a", Some("MPL-2.0"), false)
                .unwrap()
                .contains("not allowed")
        );
        assert!(found("a", None, false).unwrap().contains("no licence"));
    }

    #[test]
    fn an_exception_holds_only_outside_of_the_program() {
        assert_eq!(found("odd", Some("MPL-2.0"), false), None);
        assert!(
            found("odd", Some("MPL-2.0"), true)
                .unwrap()
                .contains("which contains it")
        );
    }

    #[test]
    fn a_banned_crate_is_a_fault_whatever_its_licence() {
        assert!(
            found("openssl", Some("MIT"), false)
                .unwrap()
                .contains("banned")
        );
    }

    #[test]
    fn only_what_is_linked_counts_as_part_of_the_program() {
        let package = |name: &str, kind: &str| {
            serde_json::json!({
                "name": name, "version": "1.0.0", "id": name, "dependencies": [],
                "targets": [{ "kind": [kind] }],
            })
        };
        let packages: Vec<Package> = serde_json::from_value(serde_json::json!([
            package(PROGRAM, "bin"),
            package("linked", "lib"),
            package("derive", "proc-macro"),
            package("of-derive", "lib"),
            package("test", "lib"),
        ]))
        .unwrap();
        let resolve: Resolve = serde_json::from_value(serde_json::json!({ "nodes": [
            { "id": PROGRAM, "deps": [
                { "pkg": "linked", "dep_kinds": [{ "kind": null }, { "kind": "build" }] },
                { "pkg": "test", "dep_kinds": [{ "kind": "dev" }] },
            ]},
            { "id": "linked", "deps": [{ "pkg": "derive", "dep_kinds": [{ "kind": null }] }] },
            { "id": "derive", "deps": [{ "pkg": "of-derive", "dep_kinds": [{ "kind": null }] }] },
        ]}))
        .unwrap();
        assert_eq!(
            shipped(&resolve, &packages),
            BTreeSet::from(["linked", PROGRAM])
        );
    }
}
