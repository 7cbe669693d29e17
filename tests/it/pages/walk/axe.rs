//! axe-core, which knows the rules of WCAG and finds where a page breaks them.
//!
//! `cargo xtask tools` installs it. It is given to the browser as what a test asks, so the policy of the pages stays as it is.

use super::{Found, Stop};
use quaymaster_tests::{Tab, tools_directory};
use serde_json::Value;

const RUN: &str = r#"axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"],
    resultTypes: ["violations"],
}).then(({ violations }) => violations.flatMap(({ id, nodes }) => nodes.slice(0, 5).map(
    ({ target, failureSummary }) => `${id} at ${target.join(" ")}: ${failureSummary.replace(/\s+/g, " ")}`)))"#;

/// Of the reference, the first groups stand for all: they are made alike, and have thousands of elements.
const SHORTEN: &str = "document.querySelectorAll('.operations > .group:nth-of-type(n+3), .contents details:nth-of-type(n+3)')
    .forEach((group) => group.remove())";

pub(super) struct Axe(String);

impl Axe {
    pub(super) fn read() -> Axe {
        let path = tools_directory().join("node/node_modules/axe-core/axe.min.js");
        let source = std::fs::read_to_string(&path);
        let source = source.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // A value that can be sent back, and is true.
        Axe(format!("{source};typeof axe.run === 'function'"))
    }

    /// `how` the page looks at this moment, for who reads what was found.
    pub(super) async fn look(&self, tab: &Tab, stop: &Stop, how: &str) -> Found {
        if tab.value("typeof axe").await != "object" {
            tab.value(SHORTEN).await;
            assert_eq!(tab.value(&self.0).await, true, "axe-core is loaded");
        }
        let found = tab.value(RUN).await;
        let Value::Array(found) = found else {
            return vec![stop.says("could not be looked at by axe-core")];
        };
        let line =
            |line: &Value| stop.says(&format!("in {how}: {}", line.as_str().unwrap_or_default()));
        found.iter().map(line).collect()
    }
}
