//! Calls that are not REST.

use crate::fixture::{SECRET, account, action, connector, quick, sender, value};
use crate::upstream::{Upstream, json as answer_json, reply};
use quaymaster_connectors::catalog::Catalog;
use quaymaster_connectors::passport::describe;
use quaymaster_connectors::request::{Account, Built, Invocation, Prepared, build};
use quaymaster_connectors::resolve;
use quaymaster_connectors::send::FailureKind;
use quaymaster_core::Code;
use serde_json::{Value, json};

fn body(built: &Built) -> Value {
    serde_json::from_slice(&built.body).unwrap()
}

/// An RPC connector with the methods `add` and `open`.
fn rpc(rpc: &str, inject: &str) -> Prepared {
    let rest = format!(
        r"
kind: rpc
open_methods: true
rpc: {rpc}
auth:
  - {{key: key, type: api_key, fields: {{token: {{secret: true}}, user: {{}}}}, inject: {inject}}}
modules:
  all:
    title: All
    actions:
      add:
        title: Add
        rpc: things.add
        params: {{type: object, properties: {{uris: {{type: array, x-order: 1}}, options: {{type: object, x-order: 2, default: {{}}}}, position: {{type: integer, x-order: 3}}}}, required: [uris]}}
"
    );
    connector("https://api.example.com/base", &rest)
}

fn own() -> Account {
    account("key", &[("token", SECRET), ("user", "7")])
}

fn named(method: &str, body: Option<Value>) -> Invocation {
    Invocation {
        rpc: Some(method.into()),
        body,
        ..Invocation::default()
    }
}

#[test]
fn a_method_may_be_carried_by_a_verb_and_a_path_of_its_own() {
    let definition = Catalog::embedded().get("onec").unwrap();
    let named_action = |method: &str| {
        let resolved = resolve::call(&definition, None, method, None).unwrap();
        assert_eq!(resolved.rpc.as_deref(), Some(method));
        assert_eq!(resolved.path, None);
        resolved
    };
    assert!(named_action("catalog.list").reads);
    assert!(!named_action("document.post").reads);
    let fault = resolve::call(&definition, None, "catalog.lst", None).unwrap_err();
    assert_eq!(fault.details.unwrap()["did_you_mean"][0], "catalog.list");
    resolve::call(&definition, None, "catalog.list", Some("/Catalog_X")).unwrap_err();

    let prepared = Prepared::new(definition.clone());
    let fields = [
        ("address", "https://1c.example.com/trade"),
        ("username", "mona"),
        ("password", SECRET),
    ];
    let account = account("basic", &fields);
    let call = |method: &str, body: Value| {
        let call = Invocation {
            action: named_action(method).action,
            ..named(method, Some(body))
        };
        build(&prepared, &account, &call)
    };
    let key = "cf6eca39-7e2d-11e4-93f9-00155d012345";
    let read = call("catalog.list", json!({ "name": "Goods", "$top": 2 })).unwrap();
    assert_eq!(read.verb, "GET");
    assert_eq!(
        read.url.as_str(),
        "https://1c.example.com/trade/odata/standard.odata/Catalog_Goods?%24top=2&%24format=json"
    );
    assert!(read.body.is_empty());
    let fields = json!({ "Description": "Socks" });
    let changes = json!({ "name": "Goods", "key": key, "fields": fields });
    let changed = call("catalog.update", changes).unwrap();
    assert_eq!(changed.verb, "PATCH");
    assert_eq!(body(&changed), fields);
    assert!(
        changed
            .url
            .path()
            .ends_with(&format!("/Catalog_Goods(guid'{key}')"))
    );
    for wrong in [
        json!({ "name": "../x" }),
        json!({ "name": "Goods/x" }),
        json!({}),
        json!(["Goods"]),
        json!("Goods"),
    ] {
        let fault = call("catalog.list", wrong.clone()).unwrap_err();
        assert_eq!(fault.code, Code::InvalidArg, "{wrong}");
    }
    let passport = describe(&definition, Some("catalogs")).unwrap();
    let list = &passport["actions"][0];
    assert_eq!(list["call"], "catalog.list");
    assert!(list["body"]["properties"]["$filter"].is_object(), "{list}");
    assert!(list.get("query").is_none() && list.get("path_values").is_none());
}

#[test]
fn json_rpc_takes_named_parameters() {
    let prepared = rpc(
        "{envelope: jsonrpc2, path: /rpc, members: {auth: none}}",
        "{body: {key: \"{token}\"}}",
    );
    let built = build(&prepared, &own(), &action("add", json!({ "uris": ["a"] }))).unwrap();
    assert_eq!(built.url.as_str(), "https://api.example.com/base/rpc");
    assert_eq!(
        body(&built),
        json!({ "jsonrpc": "2.0", "id": 1, "method": "things.add", "params": { "uris": ["a"] }, "auth": "none", "key": SECRET })
    );
    let built = build(&prepared, &own(), &named("other.method", None)).unwrap();
    assert_eq!(body(&built)["params"], json!({}));
    let built = build(&prepared, &own(), &named("other", Some(json!([1, 2])))).unwrap();
    assert_eq!(body(&built)["params"], json!([1, 2]));
}

#[test]
fn json_rpc_takes_positional_parameters_behind_the_credentials() {
    let prepared = rpc(
        "{envelope: jsonrpc2, path: /jsonrpc, params: positional}",
        "{rpc_first: \"token:{token}\"}",
    );
    let first = format!("token:{SECRET}");
    for (inputs, params) in [
        (json!({ "uris": ["a"] }), json!([first, ["a"]])),
        (
            json!({ "uris": ["a"], "options": { "dir": "/x" } }),
            json!([first, ["a"], { "dir": "/x" }]),
        ),
        (
            json!({ "position": 0, "uris": ["a"] }),
            json!([first, ["a"], {}, 0]),
        ),
    ] {
        let built = build(&prepared, &own(), &action("add", inputs)).unwrap();
        assert_eq!(body(&built)["params"], params);
    }
    let by_hand = Invocation {
        action: Some("add".into()),
        ..named("things.add", Some(json!([["a"], {}])))
    };
    assert_eq!(
        body(&build(&prepared, &own(), &by_hand).unwrap())["params"],
        json!([first, ["a"], {}])
    );
    let astray = action("add", json!({ "uris": ["a"], "nowhere": 1 }));
    assert_eq!(
        build(&prepared, &own(), &astray).unwrap_err().code.name(),
        "INVALID_ARG"
    );
}

#[test]
fn a_method_can_stand_in_the_path_behind_the_credentials() {
    let prepared = rpc(
        "{envelope: path, suffix: .json}",
        "{path_prefix: \"/{user}/{token}\"}",
    );
    let built = build(&prepared, &own(), &action("add", json!({ "uris": ["a"] }))).unwrap();
    assert_eq!(
        built.url.as_str(),
        "https://api.example.com/base/7/s3cr3t%2Fk%2By%3D7:Zq/things.add.json"
    );
    assert_eq!(body(&built), json!({ "uris": ["a"] }));
    for method in [
        "", "../x", "a/../b", "a//b", "a?b", "a#b", "a b", "a\r\nb", "a%2fb", "http://x", "a\\b",
        "..", "/a", "a/",
    ] {
        assert!(
            build(&prepared, &own(), &named(method, None)).is_err(),
            "{method:?}"
        );
    }
}

#[tokio::test]
async fn a_batch_is_one_request_and_its_answers_stand_in_order() {
    let upstream = Upstream::start("127.77.23.5", |_, _| {
        answer_json(r#"[{"id": 3, "result": "c"}, {"id": 1, "result": ["a"]}, {"id": 2, "error": {"code": 5, "message": "no"}}, {"id": 99, "result": 0}, 7]"#)
    })
    .await;
    let rest = r#"
kind: rpc
rpc: {envelope: jsonrpc2, path: /rpc, params: positional, batch: {max: 4}}
auth: [{key: key, type: api_key, fields: {token: {secret: true}}, inject: {rpc_first: "{token}"}}]
modules: {all: {title: All, actions: {add: {title: Add, rpc: add, params: {type: object, properties: {n: {type: integer, x-order: 1}}}}}}}
"#;
    let prepared = connector(&upstream.url(""), rest);
    let own = account("key", &[("token", SECRET)]);
    let mut calls = Invocation {
        batch: (1..=4).map(|n| action("add", json!({ "n": n }))).collect(),
        ..Invocation::default()
    };
    let answer = sender()
        .send(&prepared, &own, "c", &calls, &quick())
        .await
        .unwrap();
    assert_eq!(
        value(&answer),
        &json!([{ "result": ["a"] }, { "error": { "code": 5, "message": "no" } }, { "result": "c" }, { "error": { "message": "There was no answer." } }])
    );
    let seen = upstream.seen();
    assert_eq!(seen.len(), 1);
    let sent: Value = serde_json::from_str(&seen[0].body).unwrap();
    assert_eq!(
        sent[1],
        json!({ "jsonrpc": "2.0", "id": 2, "method": "add", "params": [SECRET, 2] })
    );
    calls.batch.push(action("add", json!({ "n": 5 })));
    assert_eq!(
        build(&prepared, &own, &calls).unwrap_err().code.name(),
        "INVALID_ARG"
    );
}

#[tokio::test]
async fn a_handshake_is_made_once_for_each_connection() {
    let upstream = Upstream::start("127.77.23.1", |seen, _| match seen.header("x-session") {
        Some("fresh") => answer_json("{\"result\": \"success\", \"arguments\": {\"n\": 1}}"),
        _ => reply("409 Conflict\r\nx-session: fresh", "<h1>409: Conflict</h1>"),
    })
    .await;
    let rest = r"
kind: rpc
rpc: {envelope: method_arguments, path: /rpc, handshake: {status: 409, header: X-Session}}
auth: [{key: basic, type: basic}]
defaults: {result: /arguments, errors: {unless: {at: /result, value: success}, message: /result}}
modules:
  all: {title: All, actions: {add: {title: Add, rpc: torrent-add, params: {type: object}}}}
";
    let prepared = connector(&upstream.url(""), rest);
    let account = account("basic", &[("username", "me"), ("password", "swordfish")]);
    let sender = sender();
    for _ in 0..3 {
        let call = action("add", json!({ "url": "x" }));
        let answer = sender
            .send(&prepared, &account, "c", &call, &quick())
            .await
            .unwrap();
        assert_eq!(value(&answer), &json!({ "n": 1 }));
    }
    let seen = upstream.seen();
    assert_eq!(seen.len(), 4);
    assert_eq!(
        seen[0].header("authorization"),
        Some("Basic bWU6c3dvcmRmaXNo")
    );
    let sent: Value = serde_json::from_str(&seen[3].body).unwrap();
    assert_eq!(
        sent,
        json!({ "method": "torrent-add", "arguments": { "url": "x" } })
    );
}

#[tokio::test]
async fn an_error_inside_a_good_status_is_an_error() {
    let upstream = Upstream::start("127.77.23.2", |seen, _| {
        let sent: Value = serde_json::from_str(&seen.body).unwrap();
        answer_json(match sent["method"].as_str().unwrap() {
            "good" => r#"{"jsonrpc": "2.0", "id": 1, "result": [1]}"#,
            "expired" => r#"{"jsonrpc": "2.0", "id": 1, "error": {"code": "expired_token", "message": "over"}}"#,
            "busy" => r#"{"jsonrpc": "2.0", "id": 1, "error": {"code": "BUSY", "message": "later"}}"#,
            _ => r#"{"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "No\u200b such method", "data": {"a": 1}}}"#,
        })
    })
    .await;
    let rest = r"
kind: rpc
open_methods: true
rpc: {envelope: jsonrpc2}
auth: [{key: open, type: none}]
defaults: {errors: {auth_codes: [expired_token], retry_codes: [BUSY]}}
modules: {all: {title: All, actions: {read: {title: Read, rpc: busy, read_only: true}}}}
";
    let prepared = connector(&upstream.url("/rpc"), rest);
    let open = account("open", &[]);
    let sender = sender();
    let call = async |call: Invocation| sender.send(&prepared, &open, "c", &call, &quick()).await;
    assert_eq!(
        value(&call(named("good", None)).await.unwrap()),
        &json!([1])
    );
    let failure = call(named("none", None)).await.unwrap_err();
    assert_eq!(failure.fault.code.name(), "UPSTREAM_ERROR");
    let details = failure.fault.details.unwrap();
    assert_eq!(details["upstream_code"], "-32601");
    assert_eq!(details["upstream_message"], "No such method");
    assert_eq!(details["upstream_details"], json!({ "a": 1 }));
    let failure = call(named("expired", None)).await.unwrap_err();
    assert_eq!(
        (failure.kind, failure.fault.code.name()),
        (FailureKind::Auth, "CONNECTION_REQUIRED")
    );
    let before = upstream.seen().len();
    let failure = call(named("busy", None)).await.unwrap_err();
    assert!(failure.fault.retryable);
    assert_eq!(
        upstream.seen().len(),
        before + 1,
        "an unlisted method may change something"
    );
    let failure = call(action("read", json!({}))).await.unwrap_err();
    assert_eq!(failure.retries, 2);
}

#[tokio::test]
async fn graphql_sends_its_document_and_reads_its_errors() {
    let upstream = Upstream::start("127.77.23.3", |seen, _| {
        let sent: Value = serde_json::from_str(&seen.body).unwrap();
        if sent["variables"]["id"] == 1 {
            answer_json(r#"{"data": {"thing": {"id": 1}}, "errors": []}"#)
        } else {
            answer_json(r#"{"data": null, "errors": [{"message": "no such thing", "extensions": {"code": "MISSING"}}]}"#)
        }
    })
    .await;
    let rest = r#"
kind: graphql
graphql: {path: /graphql}
auth: [{key: oauth, type: oauth2}]
modules:
  all: {title: All, actions: {thing: {title: A thing, read_only: true, query: "query($id: Int!) { thing(id: $id) { id } }", params: {type: object, properties: {id: {type: integer}}, required: [id]}}}}
"#;
    let prepared = connector(&upstream.url(""), rest);
    let account = Account {
        auth: "oauth".into(),
        access_token: Some("an-access-token".into()),
        ..Account::default()
    };
    let sender = sender();
    let answer = sender
        .send(
            &prepared,
            &account,
            "c",
            &action("thing", json!({ "id": 1 })),
            &quick(),
        )
        .await
        .unwrap();
    assert_eq!(value(&answer), &json!({ "thing": { "id": 1 } }));
    let seen = &upstream.seen()[0];
    assert_eq!(seen.header("authorization"), Some("Bearer an-access-token"));
    assert_eq!(
        (seen.verb.as_str(), seen.target.as_str()),
        ("POST", "/graphql")
    );
    let failure = sender
        .send(
            &prepared,
            &account,
            "c",
            &action("thing", json!({ "id": 2 })),
            &quick(),
        )
        .await
        .unwrap_err();
    let details = failure.fault.details.unwrap();
    assert_eq!(
        (&details["upstream_code"], &details["upstream_message"]),
        (&json!("MISSING"), &json!("no such thing"))
    );
    let by_hand = Invocation {
        body: Some(json!({ "query": "{ things { id } }", "variables": { "id": 1 } })),
        ..Invocation::default()
    };
    assert!(
        sender
            .send(&prepared, &account, "c", &by_hand, &quick())
            .await
            .is_ok()
    );
}
