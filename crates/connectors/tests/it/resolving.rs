//! From `service`, `module`, `method` and `path` to what is called.

use crate::samples::{CRM, changed, crm, read, tracker};
use quaymaster_connectors::definition::{Definition, Verb};
use quaymaster_connectors::resolve::{self, Resolved};
use quaymaster_core::{Code, Fault};
use serde_json::{Value, json};

fn call(
    definition: &Definition,
    module: &str,
    method: &str,
    path: &str,
) -> Result<Resolved, Fault> {
    let given = |text: &'_ str| (!text.is_empty()).then(|| text.to_owned());
    resolve::call(
        definition,
        given(module).as_deref(),
        method,
        given(path).as_deref(),
    )
}

fn detail(fault: &Fault, name: &str) -> Value {
    fault
        .details
        .as_ref()
        .map_or(Value::Null, |details| details[name].clone())
}

#[test]
fn a_service_is_named_alone_or_with_an_account() {
    let known = || ["google_sheets", "ozon", "ozon_performance"].into_iter();
    let one = |name: &str| {
        let addressed = resolve::service(name, known()).unwrap();
        (addressed.key, addressed.account)
    };
    assert_eq!(one("ozon"), ("ozon".to_owned(), None));
    assert_eq!(one("Google-Sheets"), ("google_sheets".to_owned(), None));
    assert_eq!(one("ozon:"), ("ozon".to_owned(), None));
    assert_eq!(
        one("ozon:second shop"),
        ("ozon".to_owned(), Some("second shop".to_owned()))
    );
    assert_eq!(one("ozon:a:b"), ("ozon".to_owned(), Some("a:b".to_owned())));
    let fault = resolve::service("quantum", known()).unwrap_err();
    assert_eq!(fault.code, Code::UnknownService);
    assert!(
        fault
            .hint
            .unwrap()
            .starts_with("Known services: google_sheets, ozon, ozon_performance.")
    );
    let fault = resolve::service("sheets", known()).unwrap_err();
    assert_eq!(detail(&fault, "did_you_mean"), json!(["google_sheets"]));
    let long = resolve::service(&"x".repeat(1_000_000), known()).unwrap_err();
    assert!(long.message.len() < 500);
}

#[test]
fn an_account_is_only_what_it_is_called() {
    let known = || ["Main", "second"].into_iter();
    assert_eq!(
        resolve::account("ozon", "second", known()).unwrap(),
        "second"
    );
    let fault = resolve::account("ozon", "main", known()).unwrap_err();
    assert_eq!(fault.code, Code::UnknownInstance);
    assert_eq!(fault.hint.as_deref(), Some("Did you mean ozon:Main?"));
    assert_eq!(detail(&fault, "candidates"), json!(["Main", "second"]));
}

#[test]
fn a_listed_path_is_its_action_with_the_values_in_it() {
    let tracker = tracker();
    let found = call(&tracker, "issues", "get", "projects/web%20site/issues/7").unwrap();
    assert_eq!(found.action.as_deref(), Some("get_issue"));
    assert_eq!(found.verb, Some(Verb::Get));
    assert_eq!(found.path.as_deref(), Some("/projects/web%20site/issues/7"));
    assert_eq!(
        Value::Object(found.path_values),
        json!({ "project": "web site", "number": "7" })
    );
    assert!(found.reads && found.hints.is_empty());
    let found = call(&tracker, "issues", "DELETE", "/projects/web/issues/7").unwrap();
    assert_eq!(
        (found.action.as_deref(), found.reads),
        (Some("delete_issue"), false)
    );
    let found = call(&tracker, "users", "POST", "/users/search").unwrap();
    assert_eq!(
        (found.action.as_deref(), found.reads),
        (Some("search_users"), true)
    );
}

#[test]
fn the_fixed_path_goes_before_the_one_with_a_name() {
    let tracker = tracker();
    assert_eq!(
        call(&tracker, "users", "GET", "/users/me")
            .unwrap()
            .action
            .as_deref(),
        Some("get_me")
    );
    let found = call(&tracker, "users", "GET", "/users/mona").unwrap();
    assert_eq!(found.action.as_deref(), Some("get_user"));
}

#[test]
fn a_name_may_stand_beside_text_and_over_several_segments() {
    let tracker = tracker();
    let found = call(&tracker, "reports", "GET", "/reports/june.2026.csv").unwrap();
    assert_eq!(found.path_values["name"], "june.2026");
    let found = call(&tracker, "reports", "GET", "/files/a/b/c.txt").unwrap();
    assert_eq!(found.path_values["path"], "a/b/c.txt");
    let unlisted = call(&tracker, "reports", "GET", "/reports/.csv").unwrap();
    assert_eq!(unlisted.action, None);
}

#[test]
fn without_a_module_the_path_says_it() {
    let tracker = tracker();
    let found = call(&tracker, "", "GET", "/reports/x.csv").unwrap();
    assert_eq!(found.module.as_deref(), Some("reports"));
    let fault = call(&tracker, "", "GET", "/report/x.csv").unwrap_err();
    assert_eq!(fault.code, Code::InvalidArg);
    assert_eq!(
        detail(&fault, "known_modules"),
        json!(["issues", "users", "reports"])
    );
    assert_eq!(
        fault.hint.as_deref(),
        Some("Did you mean GET /reports/{name}.csv (module reports)?")
    );
}

#[test]
fn a_path_of_two_addresses_needs_a_module() {
    let text = changed("path: \"/reports/{name}.csv\"", "path: \"/users/{name}\"");
    let definition = read(&text);
    let fault = call(&definition, "", "GET", "/users/mona").unwrap_err();
    assert_eq!(detail(&fault, "known_modules"), json!(["users", "reports"]));
    let found = call(&definition, "reports", "GET", "/users/mona").unwrap();
    assert_eq!(found.action.as_deref(), Some("get_report"));
}

#[test]
fn an_unknown_module_stops_the_call() {
    let fault = call(&tracker(), "isues", "GET", "/users/me").unwrap_err();
    insta::assert_json_snapshot!(fault, @r#"
    {
      "code": "INVALID_ARG",
      "message": "tracker has no module \"isues\".",
      "retryable": false,
      "hint": "Did you mean \"issues\"?",
      "details": {
        "errors": [
          {
            "pointer": "/module",
            "rule": "enum",
            "message": "tracker has no module \"isues\"."
          }
        ],
        "did_you_mean": [
          "issues"
        ],
        "known_modules": [
          "issues",
          "users",
          "reports"
        ]
      }
    }
    "#);
}

#[test]
fn an_unlisted_path_goes_on_with_hints() {
    let found = call(&tracker(), "issues", "GET", "/projects/web/isues").unwrap();
    assert_eq!((found.action, found.reads), (None, true));
    assert_eq!(found.module.as_deref(), Some("issues"));
    insta::assert_json_snapshot!(found.hints, @r#"
    {
      "path_did_you_mean": [
        "GET /projects/{project}/issues",
        "POST /projects/{project}/issues",
        "GET /projects/{project}/labels"
      ],
      "available_paths": [
        "GET /projects/{project}/issues",
        "GET /projects/{project}/issues/{number}",
        "POST /projects/{project}/issues",
        "DELETE /projects/{project}/issues/{number}",
        "GET /projects/{project}/labels"
      ]
    }
    "#);
    let found = call(&tracker(), "issues", "PUT", "/projects/web/issues/7").unwrap();
    assert!(!found.reads);
    assert_eq!(
        found.hints.path_did_you_mean[0],
        "GET /projects/{project}/issues/{number}"
    );
}

#[test]
fn naming_another_module_does_not_hide_an_action() {
    let tracker = tracker();
    let found = call(&tracker, "users", "DELETE", "/projects/web/%69ssues/7").unwrap();
    assert_eq!(found.action.as_deref(), Some("delete_issue"));
    assert_eq!(found.module.as_deref(), Some("issues"));
    assert!(
        found
            .hints
            .note
            .unwrap()
            .contains("\"issues\", not in \"users\"")
    );
    let found = call(&tracker, "reports", "DELETE", "/projects/web/issues/7").unwrap();
    assert_eq!(
        (found.module.as_deref(), found.action),
        (Some("reports"), None)
    );
    assert_eq!(
        found.hints.path_did_you_mean[0],
        "DELETE /projects/{project}/issues/{number} (module issues)"
    );
}

#[test]
fn an_unknown_verb_stops_the_call() {
    let tracker = tracker();
    let fault = call(&tracker, "users", "GTE", "/users/me").unwrap_err();
    assert_eq!(fault.hint.as_deref(), Some("Did you mean GET?"));
    let fault = call(&tracker, "", "create_issue", "").unwrap_err();
    assert_eq!(
        fault.hint.as_deref(),
        Some("Call it by verb and path: module \"issues\", POST /projects/{project}/issues.")
    );
    let fault = call(&tracker, "users", "GET", "").unwrap_err();
    assert_eq!(
        detail(&fault, "available_paths"),
        json!(["GET /users/me", "GET /users/{login}", "POST /users/search"])
    );
}

#[test]
fn a_method_is_named_as_the_service_or_as_the_connector_has_it() {
    let crm = crm();
    for method in ["crm.deal.add", "deal_add"] {
        let found = call(&crm, "", method, "").unwrap();
        assert_eq!(found.module.as_deref(), Some("deals"));
        assert_eq!(found.action.as_deref(), Some("deal_add"));
        assert_eq!(found.rpc.as_deref(), Some("crm.deal.add"));
        assert!(!found.reads);
    }
    assert!(call(&crm, "deals", "crm.deal.list", "").unwrap().reads);
    let fault = call(&crm, "", "crm.deal.lst", "").unwrap_err();
    assert_eq!(fault.code, Code::InvalidArg);
    assert_eq!(
        fault.hint.as_deref(),
        Some("Did you mean \"crm.deal.list\"?")
    );
    let fault = call(&crm, "", "POST", "/crm.deal.list").unwrap_err();
    assert_eq!(
        fault.hint.as_deref(),
        Some("Put \"crm.deal.list\" into `method` and leave `path` out.")
    );
}

#[test]
fn an_open_connector_calls_unlisted_methods_as_writes() {
    let open = read(&format!("{CRM}open_methods: true\n"));
    let found = call(&open, "deals", "crm.deal.get", "").unwrap();
    assert_eq!(
        (found.action, found.rpc.as_deref(), found.reads),
        (None, Some("crm.deal.get"), false)
    );
    assert!(
        !found.hints.method_did_you_mean.is_empty() && found.hints.method_did_you_mean.len() <= 3
    );
}
