//! Connectors and accounts of tests.

use crate::upstream::Upstream;
use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::load;
use quaymaster_connectors::request::{Account, Invocation, Prepared};
use quaymaster_connectors::send::{Answer, Data, Failure, Options, Sender};
use quaymaster_core::clock::SystemClock;
use quaymaster_egress::{Egress, Policy};
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;

/// Longer than six characters, and with some that encodings change.
pub(crate) const SECRET: &str = "s3cr3t/k+y=7:Zq";

pub(crate) fn prepared(yaml: &str) -> Prepared {
    let definition: Definition = load::parse(yaml, "test.yaml").unwrap();
    Prepared::new(Arc::new(definition))
}

/// A connector with one account, `rest` being everything behind `auth`.
pub(crate) fn connector(base: &str, rest: &str) -> Prepared {
    let lines = [
        "quaymaster: 1",
        "key: test",
        "version: \"1\"",
        "title: Test service",
        "summary: A service of tests",
        &format!("base_url: \"{base}\""),
        rest,
    ];
    prepared(&lines.join("\n"))
}

/// Two actions behind a bearer key.
pub(crate) const REST: &str = r#"
kind: rest
auth:
  - {key: key, type: api_key, fields: {token: {secret: true}}, inject: {header: {authorization: "Bearer {token}"}}}
modules:
  things:
    title: Things
    actions:
      get_thing:
        title: Get a thing
        method: GET
        path: "/things/{id}"
        params: {type: object, properties: {id: {type: string}, fields: {type: array, items: {type: string}, x-style: comma}, trace: {type: string, x-in: header}}, required: [id]}
      make_thing:
        title: Make a thing
        method: POST
        path: /things
        params: {type: object, properties: {name: {type: string}, count: {type: integer}}, required: [name]}
      replace_thing:
        title: Replace a thing
        method: PUT
        path: "/things/{id}"
        idempotent: true
        params: {type: object, properties: {id: {type: string}, name: {type: string}}, required: [id]}
"#;

pub(crate) fn account(auth: &str, fields: &[(&str, &str)]) -> Account {
    let fields = fields.iter();
    Account {
        auth: auth.into(),
        fields: fields
            .map(|(name, value)| ((*name).to_owned(), (*value).into()))
            .collect(),
        ..Account::default()
    }
}

pub(crate) fn signed() -> Account {
    account("key", &[("token", SECRET)])
}

pub(crate) fn action(key: &str, inputs: Value) -> Invocation {
    let Value::Object(inputs) = inputs else {
        panic!("inputs are an object");
    };
    Invocation {
        action: Some(key.into()),
        inputs,
        ..Invocation::default()
    }
}

pub(crate) fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("{other} is no object"),
    }
}

/// A way out to loopback addresses that no canary listens at.
pub(crate) fn sender() -> Sender {
    let policy = Policy {
        allow: vec!["127.77.0.0/16".parse().unwrap()],
        connect_timeout: Duration::from_millis(500),
        ..Policy::default()
    };
    Sender::new(Egress::new(policy).unwrap(), Arc::new(SystemClock))
}

pub(crate) fn quick() -> Options {
    Options {
        timeout: Some(Duration::from_millis(400)),
        max_wait: Duration::from_millis(300),
        backoff: Duration::from_millis(20),
        ..Options::default()
    }
}

/// Calls `get_thing` of the usual connector at this upstream.
pub(crate) async fn get(upstream: &Upstream) -> Result<Answer, Failure> {
    let prepared = connector(&upstream.url(""), REST);
    let call = action("get_thing", serde_json::json!({ "id": "7" }));
    sender()
        .send(&prepared, &signed(), "c", &call, &quick())
        .await
}

pub(crate) fn value(answer: &Answer) -> &Value {
    match &answer.data {
        Data::Value(value) => value,
        other => panic!("{other:?} is no JSON"),
    }
}
