//! Documents that are made to hurt: clear faults, bounded memory and time.

use crate::import::{document, gzipped, reads_back, source, taken, tarred, zipped};
use proptest::prelude::*;
use quaymaster_connectors::import::{Options, Progress, import};
use quaymaster_core::{Code, Fault};
use serde_json::{Value, json};
use std::fmt::Write as _;

fn api(paths: &Value, schemas: &Value) -> Vec<u8> {
    json!({
        "openapi": "3.0.0", "info": { "title": "T", "version": "1" },
        "servers": [{ "url": "https://api.example" }],
        "paths": paths, "components": { "schemas": schemas },
    })
    .to_string()
    .into_bytes()
}

fn posting(schema: &Value) -> Value {
    json!({ "/x": { "post": {
        "operationId": "make",
        "requestBody": { "required": true, "content": { "application/json": { "schema": schema } } },
        "responses": {},
    } } })
}

fn refused(bytes: impl Into<Vec<u8>>) -> Fault {
    let fault = taken(bytes).unwrap_err();
    assert!(
        matches!(fault.code, Code::InvalidArg | Code::TooLarge),
        "{fault:?}"
    );
    assert!(fault.hint.is_some(), "{fault:?}");
    fault
}

#[test]
fn what_is_no_document_is_refused_with_a_reason() {
    for (text, why) in [
        ("", "it is empty"),
        ("{", "cannot be read"),
        ("[1, 2", "cannot be read"),
        ("\u{0}\u{1}", "cannot be read"),
        ("hello", "neither an OpenAPI nor"),
        ("[]", "neither an OpenAPI nor"),
        ("a: [", "cannot be read"),
        ("openapi: 4.0.0", "OpenAPI 4.0.0 is not known"),
        (
            "openapi: 3.0.0\nservers: [{url: 'https://x.example'}]",
            "has no operations",
        ),
        (
            "swagger: 2.0\nhost: x.example\npaths: 7",
            "has no operations",
        ),
    ] {
        let fault = refused(text);
        assert!(fault.message.contains(why), "{text:?}: {fault}");
    }
    assert!(refused(vec![0xff, 0xfe, 0x41]).message.contains("UTF-8"));
    assert!(
        refused(b"PK\x03\x04rest".to_vec())
            .message
            .contains("archive cannot be read")
    );
    assert!(
        refused(vec![0x1f, 0x8b, 1, 2, 3])
            .message
            .contains("archive cannot be read")
    );
}

#[test]
fn aliases_do_not_make_a_small_file_large() {
    let mut text = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let before = format!("*a{}", level - 1);
        let _ = writeln!(
            text,
            "a{level}: &a{level} [{}]",
            [before.as_str(); 10].join(", ")
        );
    }
    text.push_str("openapi: 3.0.0\n");
    refused(text);
}

#[test]
fn what_is_nested_without_end_is_refused() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let text = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        refused(text);
    }
    refused("- ".repeat(50_000));
}

#[test]
fn schemas_that_contain_themselves_are_cut() {
    let schemas = json!({
        "A": { "type": "object", "properties": { "b": { "$ref": "#/components/schemas/B" }, "own": { "$ref": "#/components/schemas/A" } } },
        "B": { "allOf": [{ "$ref": "#/components/schemas/A" }, { "$ref": "#/components/schemas/B" }] },
        "Loop": { "$ref": "#/components/schemas/Loop" },
        "Ping": { "$ref": "#/components/schemas/Pong" },
        "Pong": { "$ref": "#/components/schemas/Ping" },
        "Into": { "$ref": "#/components/schemas/Into/properties/x" },
    });
    for name in ["A", "B", "Loop", "Ping", "Into"] {
        let reference = format!("#/components/schemas/{name}");
        let imported = taken(api(&posting(&json!({ "$ref": reference })), &schemas)).unwrap();
        reads_back(&imported);
        let told = &imported.report.operations[0].remarks;
        assert!(!told.is_empty(), "{name}");
    }
}

#[test]
fn schemas_that_multiply_are_cut() {
    // Each level has the next one ten times: ten to the power of forty parts.
    let mut schemas = serde_json::Map::new();
    for level in 0..40 {
        let next = json!({ "$ref": format!("#/components/schemas/S{}", level + 1) });
        let properties: serde_json::Map<String, Value> =
            (0..10).map(|n| (format!("p{n}"), next.clone())).collect();
        schemas.insert(
            format!("S{level}"),
            json!({ "type": "object", "properties": properties }),
        );
    }
    schemas.insert("S40".into(), json!({ "type": "string" }));
    let paths: serde_json::Map<String, Value> = (0..8)
        .map(|n| {
            let schema = json!({ "$ref": "#/components/schemas/S0" });
            (format!("/x{n}"), posting(&schema)["/x"].clone())
        })
        .collect();
    let imported = taken(api(&paths.into(), &schemas.into())).unwrap();
    reads_back(&imported);
    assert_eq!(imported.report.counts.changed, 8);
    let told = &imported.report.operations[0].remarks;
    assert!(
        told.iter()
            .any(|one| one.contains("more parts than are written out")),
        "{told:?}"
    );
}

#[test]
fn references_lead_nowhere_else() {
    for reference in [
        "http://169.254.169.254/latest#/x",
        "https://evil.example/schema.json",
        "//evil.example/schema.json",
        "file:///etc/passwd",
        "/etc/passwd",
        "../../../etc/passwd",
        "..%2f..%2fetc/passwd",
        "C:\\secrets.json",
        "other.yaml#/x",
        "#/components/schemas/No",
        "#no",
        "#/%zz/~9",
        "",
    ] {
        let imported = taken(api(
            &posting(&json!({ "properties": { "a": { "$ref": reference } } })),
            &json!({}),
        ))
        .unwrap();
        let told = &imported.report.operations[0].remarks;
        assert!(!told.is_empty() || reference.is_empty(), "{reference}");
        let whole = taken(api(
            &json!({ "/x": { "get": { "parameters": [{ "$ref": reference }], "responses": {} } } }),
            &json!({}),
        ));
        if !reference.is_empty() {
            assert!(
                whole
                    .unwrap_err()
                    .message
                    .contains("a parameter cannot be read"),
                "{reference}"
            );
        }
    }
}

#[test]
fn names_in_archives_stay_inside() {
    let root = "openapi: 3.0.0\n";
    for name in [
        "../up.yaml",
        "/abs.yaml",
        "a/../../b.yaml",
        "a\\b.yaml",
        "C:/x.yaml",
    ] {
        let fault = refused(tarred(&[("api.yaml", root), (name, "x: 1")]));
        assert!(fault.message.contains("leads out of it"), "{name}: {fault}");
    }
    let fault = refused(zipped(&[("api.yaml", root), ("../up.yaml", "x: 1")]));
    assert!(fault.message.contains("leads out of it"), "{fault}");
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    tar.append_link(&mut header, "api.yaml", "/etc/passwd")
        .unwrap();
    let fault = refused(tar.into_inner().unwrap());
    assert!(fault.message.contains("is a link"), "{fault}");
    assert!(
        refused(zipped(&[]))
            .message
            .contains("No file of the archive")
    );
    let two = [("a.yaml", root), ("b.yaml", root)];
    assert!(refused(zipped(&two)).message.contains("Several files"));
}

#[test]
fn bombs_in_archives_are_not_unpacked() {
    let zeros = "0".repeat(60 << 20);
    for bytes in [
        zipped(&[("api.yaml", &zeros)]),
        gzipped(&tarred(&[("api.yaml", &zeros)])),
    ] {
        assert!(bytes.len() < 1 << 20);
        let fault = refused(bytes);
        assert_eq!(fault.code, Code::TooLarge);
    }
    let many: Vec<(String, &str)> = (0..20_001).map(|n| (format!("f{n}.txt"), "")).collect();
    let many: Vec<(&str, &str)> = many
        .iter()
        .map(|(name, text)| (name.as_str(), *text))
        .collect();
    assert!(
        refused(zipped(&many))
            .message
            .contains("more than 20000 files")
    );
}

#[test]
fn a_hundred_thousand_operations_are_refused_with_the_tags_to_take() {
    let mut text = String::from(
        r#"{"openapi":"3.0.0","info":{"title":"T","version":"1"},"servers":[{"url":"https://x.example"}],"paths":{"#,
    );
    for n in 0..50_000 {
        let comma = if n > 0 { "," } else { "" };
        let _ = write!(
            text,
            r#"{comma}"/p{n}":{{"get":{{"tags":["t{}"]}},"post":{{}}}}"#,
            n % 30
        );
    }
    text.push_str("}}");
    let fault = refused(text.clone());
    assert_eq!(fault.code, Code::TooLarge);
    assert!(fault.message.starts_with("100000 operations"), "{fault}");
    assert!(fault.hint.unwrap().contains("api (50000), t0 (1667)"));
    let options = Options {
        only: vec!["t7".into()],
        ..Options::default()
    };
    let imported = import(source("t.json", text), &options).unwrap();
    assert_eq!(imported.report.counts.imported, 1_667);
    assert_eq!(imported.report.operations.len(), 100_000);
}

#[test]
fn many_values_are_refused_before_they_fill_the_memory() {
    let text = format!("{{\"x\":[{}0]}}", "0,".repeat(5_000_000));
    let fault = refused(text);
    assert_eq!(fault.code, Code::TooLarge);
    let fault = refused(vec![b' '; (48 << 20) + 1]);
    assert_eq!(fault.code, Code::TooLarge);
}

#[test]
fn what_does_not_fit_is_cut_or_left_out_and_told() {
    let values: Vec<String> = (0..5_000).map(|n| format!("value-{n}")).collect();
    let long = "d".repeat(5_000);
    let wide: serde_json::Map<String, Value> = (0..4_000)
        .map(|n| (format!("property_{n}"), json!({ "type": "string" })))
        .collect();
    let some: Vec<String> = values.iter().take(900).cloned().collect();
    let paths = json!({
        "/enum": posting(&json!({ "type": "object", "properties": { "a": { "enum": values } } }))["/x"],
        "/some": posting(&json!({ "type": "object", "properties": { "a": { "enum": some }, "b": { "enum": some, "type": "string" } } }))["/x"],
        "/long": posting(&json!({ "type": "object", "properties": { "a": { "description": long } } }))["/x"],
        "/wide": posting(&json!({ "type": "object", "properties": wide }))["/x"],
    });
    let imported = taken(api(&paths, &json!({}))).unwrap();
    reads_back(&imported);
    let told: Vec<String> = imported
        .report
        .operations
        .iter()
        .map(|one| one.remarks.join(" "))
        .collect();
    assert!(
        told[0].contains("A choice among 5000 values"),
        "{}",
        told[0]
    );
    assert!(told[1].contains("long lists of values"), "{}", told[1]);
    assert_eq!(told[2], "");
    assert!(
        told[3].starts_with("Left out: the schema of its inputs has"),
        "{}",
        told[3]
    );
}

#[test]
fn hidden_characters_and_secrets_of_the_format_do_not_come_in() {
    let paths = json!({ "/x": { "get": {
        "summary": "Get\u{202e} it\u{200b}", "description": "a\u{e0041}b", "responses": {},
        "parameters": [
            { "name": "q", "in": "query", "schema": { "type": "string", "description": "x\u{feff}y", "$enum": "e", "x-in": "header", "x-select": "s", "x-order": 1 } },
            { "name": "Host", "in": "header", "schema": {} },
        ],
    } } });
    let imported = taken(api(&paths, &json!({}))).unwrap();
    reads_back(&imported);
    let (_, _, action) = imported.definition.action("get_x").unwrap();
    assert_eq!(action.title, "Get it");
    assert_eq!(
        action.params["properties"],
        json!({ "q": { "type": "string", "description": "xy" } })
    );
}

#[test]
fn progress_is_told_to_the_end() {
    let last = std::sync::Arc::new(std::sync::Mutex::new((0, 0)));
    let told = std::sync::Arc::clone(&last);
    let options = Options {
        progress: Progress(Some(Box::new(move |done, all| {
            *told.lock().unwrap() = (done, all);
        }))),
        ..Options::default()
    };
    import(source("shop.yaml", document("shop_v2.yaml")), &options).unwrap();
    assert_eq!(*last.lock().unwrap(), (8, 8));
}

/// Schemas of any shape, with words in places where they do not belong.
fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        Just(json!(-1)),
        Just(json!("x: {y} # z")),
        Just(json!([])),
        Just(json!({ "type": "string", "nullable": true })),
        Just(json!({ "type": ["integer", "null"], "exclusiveMinimum": true, "minimum": 1 })),
        Just(json!({ "$ref": "#/components/schemas/S" })),
        "[\\PC]{0,12}".prop_map(Value::from),
    ];
    let words = prop::sample::select(vec![
        "type",
        "properties",
        "required",
        "items",
        "allOf",
        "oneOf",
        "anyOf",
        "not",
        "enum",
        "const",
        "default",
        "example",
        "examples",
        "pattern",
        "minimum",
        "maxLength",
        "additionalProperties",
        "nullable",
        "$ref",
        "format",
        "readOnly",
        "x-in",
        "description",
        "deprecated",
        "patternProperties",
        "uniqueItems",
        "$defs",
    ]);
    leaf.prop_recursive(5, 60, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((words.clone(), inner.clone()), 0..6)
                .prop_map(|all| all.into_iter().map(|(word, value)| (word.to_owned(), value)).collect::<serde_json::Map<_, _>>().into()),
            prop::collection::vec(("[a-zA-Z_$. {}]{1,8}", inner), 0..4)
                .prop_map(|all| json!({ "type": "object", "properties": all.into_iter().collect::<serde_json::Map<_, _>>() })),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a schema says: a definition that keeps all rules, or a fault that says why.
    #[test]
    fn any_schema_is_imported_or_told(schema in any_schema(), shared in any_schema(), path in "/[a-z{}?#/. -]{0,20}", name in "[\\PC]{0,10}") {
        let paths = json!({ path: { "put": {
            "operationId": name,
            "parameters": [{ "name": name, "in": "query", "schema": shared, "example": schema }, { "name": "a", "in": "path", "schema": schema }, { "name": name, "in": "header", "schema": schema }],
            "requestBody": { "content": { "application/json": { "schema": schema, "example": shared } }, "required": true },
            "responses": { "200": { "content": { "application/json": { "schema": shared } } } },
        }, "get": { "summary": name, "responses": { "200": { "content": { "application/json": { "schema": schema, "example": shared } } } } } } });
        match taken(api(&paths, &json!({ "S": shared }))) {
            Ok(imported) => reads_back(&imported),
            Err(fault) => prop_assert!(fault.code == Code::InvalidArg, "{fault:?}"),
        }
    }

    /// Bytes of any kind are refused or read, and nothing else happens.
    #[test]
    fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..400), at in 0usize..2_000) {
        let _ = taken(bytes.clone());
        let mut changed = document("desk_v30.yaml");
        let at = at.min(changed.len() - 1);
        let end = (at + bytes.len() / 16).min(changed.len());
        changed.splice(at..end, bytes.into_iter().take(8));
        if let Ok(imported) = taken(changed) {
            reads_back(&imported);
        }
    }
}
