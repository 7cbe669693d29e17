//! Every way to write a request and to sign it.

use crate::fixture::{REST, SECRET, account, action, connector, object};
use quaymaster_connectors::definition::Verb;
use quaymaster_connectors::request::{Built, Invocation, Prepared, build};
use quaymaster_core::Fault;
use serde_json::{Value, json};
use url::Url;

fn body(built: &Built) -> Value {
    serde_json::from_slice(&built.body).unwrap()
}

/// The usual connector with another way to put the credentials in.
fn injecting(inject: &str) -> Prepared {
    let rest = REST.replace("{header: {authorization: \"Bearer {token}\"}}", inject);
    connector("https://api.example.com/v1", &rest)
}

fn built(inject: &str, call: &Invocation) -> Result<Built, Fault> {
    build(
        &injecting(inject),
        &account("key", &[("token", SECRET)]),
        call,
    )
}

#[test]
fn credentials_go_where_the_definition_says() {
    let get = action("get_thing", json!({ "id": "7", "fields": ["a", "b"] }));
    let make = action("make_thing", json!({ "name": "x" }));
    let header = built("{header: {X-Api-Key: \"{token}\"}}", &get).unwrap();
    assert_eq!(header.headers["x-api-key"], SECRET);
    assert!(header.headers["x-api-key"].is_sensitive());
    assert_eq!(
        header.url.as_str(),
        "https://api.example.com/v1/things/7?fields=a,b"
    );
    let query = built("{query: {key: \"{token}\"}}", &get).unwrap();
    let pairs: Vec<_> = query.url.query_pairs().into_owned().collect();
    assert_eq!(pairs[1], ("key".into(), SECRET.into()));
    let prefix = built("{path_prefix: \"/bot{token}\"}", &get).unwrap();
    assert_eq!(prefix.url.path(), "/v1/bots3cr3t%2Fk%2By%3D7:Zq/things/7");
    let inside = built("{body: {api_key: \"{token}\"}}", &make).unwrap();
    assert_eq!(body(&inside), json!({ "name": "x", "api_key": SECRET }));
    let taken = action("make_thing", json!({ "name": "x", "api_key": "mine" }));
    assert!(built("{body: {api_key: \"{token}\"}}", &taken).is_err());
    assert!(!format!("{header:?}{query:?}{prefix:?}{inside:?}").contains("s3cr3t"));
}

#[test]
fn an_account_that_lacks_something_must_be_connected_again() {
    let call = action("get_thing", json!({ "id": "7" }));
    let prepared = injecting("{header: {X-Api-Key: \"{token}\"}}");
    for account in [
        account("key", &[]),
        account("key", &[("token", "")]),
        account("gone", &[]),
    ] {
        let fault = build(&prepared, &account, &call).unwrap_err();
        assert_eq!(fault.code.name(), "CONNECTION_REQUIRED");
    }
    let broken = account("key", &[("token", "a\r\nb")]);
    let fault = build(&prepared, &broken, &call).unwrap_err();
    assert_eq!(fault.code.name(), "CONNECTION_REQUIRED");
    assert!(!fault.to_json().to_string().contains("a\\r"));
}

#[test]
fn inputs_are_checked_before_anything_is_built() {
    for (call, pointer) in [
        (action("get_thing", json!({})), ""),
        (action("make_thing", json!({ "name": 1 })), "/name"),
        (
            action("make_thing", json!({ "name": "x", "count": "many" })),
            "/count",
        ),
        (
            Invocation {
                verb: Some(Verb::Post),
                path: Some("/things".into()),
                body: Some(json!({ "name": 1 })),
                ..action("make_thing", json!({}))
            },
            "/name",
        ),
    ] {
        let fault = built("{}", &call).unwrap_err();
        assert_eq!(fault.code.name(), "INVALID_ARG");
        assert_eq!(fault.details.unwrap()["errors"][0]["pointer"], pointer);
    }
    // What stands in a path or a query is text, whatever the schema wants.
    let call = Invocation {
        path: Some("/things".into()),
        verb: Some(Verb::Post),
        query: object(json!({ "count": "3" })),
        body: Some(json!({ "name": "x" })),
        ..action("make_thing", json!({}))
    };
    assert!(built("{}", &call).is_ok());
    let unknown = built("{}", &action("no_thing", json!({}))).unwrap_err();
    assert_eq!(unknown.code.name(), "NOT_FOUND");
}

#[test]
fn bodies_are_written_as_their_content_type_says() {
    let rest = r#"
kind: rest
auth: [{key: key, type: api_key, fields: {token: {secret: true}}, inject: {body: {key: "{token}"}}}, {key: open, type: none}]
modules:
  all:
    title: All
    actions:
      form:
        title: Form
        method: POST
        path: /form
        content_type: form
        params: {type: object, properties: {tags: {type: array}, ids: {type: array, x-style: brackets}, list: {type: array, x-style: comma}, blocks: {type: array, x-style: json}, to: {type: object}}}
      upload:
        title: Upload
        method: POST
        path: /upload
        content_type: multipart
        params: {type: object}
      text:
        title: Text
        method: POST
        path: /text
        content_type: text
        params: {type: object, properties: {text: {type: string}}}
      whole:
        title: Whole
        method: PUT
        path: /whole
        params: {type: object, properties: {items: {type: array, x-in: entire_body}, dry: {type: boolean, x-in: query}, version: {const: 7, x-in: query}}}
      tags:
        title: Tags
        method: GET
        path: "/v2/{name}/tags"
        params: {type: object, properties: {name: {type: string, x-style: segments}}, required: [name]}
"#;
    let prepared = connector("https://api.example.com", rest);
    let (own, open) = (account("key", &[("token", SECRET)]), account("open", &[]));
    let inputs = json!({ "tags": ["a", "b"], "ids": [1, 2], "list": [1, 2], "blocks": [{ "a": 1 }], "to": { "x": { "y": "é &" } } });
    let form = build(&prepared, &own, &action("form", inputs)).unwrap();
    assert_eq!(
        form.headers["content-type"],
        "application/x-www-form-urlencoded"
    );
    let pairs: Vec<(String, String)> = url::form_urlencoded::parse(&form.body)
        .into_owned()
        .collect();
    let expected = [
        ("tags", "a"),
        ("tags", "b"),
        ("ids[]", "1"),
        ("ids[]", "2"),
        ("list", "1,2"),
        ("blocks", "[{\"a\":1}]"),
        ("to[x][y]", "é &"),
        ("key", SECRET),
    ];
    assert_eq!(
        pairs,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );

    let file = json!({ "content": "--quaymaster-part-0\r\n", "filename": "a\"\r\nb", "media_type": "text/x" });
    let upload = build(
        &prepared,
        &own,
        &action(
            "upload",
            json!({ "title": "t", "file": file, "raw": { "content_base64": "AAH/" } }),
        ),
    )
    .unwrap();
    assert_eq!(
        upload.headers["content-type"],
        "multipart/form-data; boundary=quaymaster-part-1"
    );
    let sent = String::from_utf8_lossy(&upload.body);
    assert!(sent.contains("form-data; name=\"file\"; filename=\"a%22%0D%0Ab\"\r\nContent-Type: text/x\r\n\r\n--quaymaster-part-0\r\n\r\n--quaymaster-part-1"), "{sent}");
    assert!(upload.body.windows(3).any(|window| window == [0, 1, 0xff]));
    assert!(sent.ends_with("--quaymaster-part-1--\r\n"));

    let text = build(
        &prepared,
        &open,
        &action("text", json!({ "text": "Привет" })),
    )
    .unwrap();
    assert_eq!(&text.body[..], "Привет".as_bytes());
    assert_eq!(text.headers["content-type"], "text/plain; charset=utf-8");
    let whole = build(
        &prepared,
        &open,
        &action("whole", json!({ "items": [1], "dry": true })),
    )
    .unwrap();
    assert_eq!(body(&whole), json!([1]));
    assert_eq!(whole.url.query(), Some("dry=true&version=7"));
    let tags = build(
        &prepared,
        &open,
        &action("tags", json!({ "name": "library/ubuntu" })),
    )
    .unwrap();
    assert_eq!(tags.url.path(), "/v2/library/ubuntu/tags");
    for name in ["a//b", "a/../b", "..", "a/.", "a/%2e%2e/b"] {
        assert!(
            build(&prepared, &open, &action("tags", json!({ "name": name }))).is_err(),
            "{name}"
        );
    }
}

#[test]
fn a_base_address_takes_fields_of_the_account() {
    let call = action("get_thing", json!({ "id": "7" }));
    for (base, portal, expected) in [
        (
            "https://{portal}/rest",
            "b24.example.com",
            "https://b24.example.com/rest/things/7",
        ),
        (
            "https://{portal}/rest",
            "b24.example.com:8443",
            "https://b24.example.com:8443/rest/things/7",
        ),
        (
            "https://{portal}.example.com",
            "shop",
            "https://shop.example.com/things/7",
        ),
        (
            "https://api.example.com/{portal}/v1",
            "a b/c",
            "https://api.example.com/a%20b%2Fc/v1/things/7",
        ),
        (
            "{portal}/api",
            "http://192.168.1.5:3000/redmine/",
            "http://192.168.1.5:3000/redmine/api/things/7",
        ),
        (
            "{portal}",
            "https://example.com",
            "https://example.com/things/7",
        ),
    ] {
        let prepared = connector(
            base,
            &format!("connection: {{portal: {{title: Portal}}}}\n{REST}"),
        );
        let account = account("key", &[("token", SECRET), ("portal", portal)]);
        assert_eq!(
            build(&prepared, &account, &call).unwrap().url,
            Url::parse(expected).unwrap()
        );
    }
    let prepared = connector(
        "https://{portal}",
        &format!("connection: {{portal: {{title: Portal, default: eu.example.com}}}}\n{REST}"),
    );
    let account = account("key", &[("token", SECRET)]);
    assert_eq!(
        build(&prepared, &account, &call).unwrap().url.host_str(),
        Some("eu.example.com")
    );
}
