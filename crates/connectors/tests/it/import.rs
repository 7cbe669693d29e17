//! Documents of every format become definitions that keep all rules and build the right requests.

use quaymaster_connectors::import::{Imported, Options, Outcome, Source, import};
use quaymaster_connectors::load::load;
use quaymaster_connectors::request::{Account, Built, Invocation, Prepared, build};
use quaymaster_core::Fault;
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;

pub(crate) fn document(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/documents");
    std::fs::read(folder.join(name)).unwrap()
}

pub(crate) fn source(name: &str, bytes: impl Into<Vec<u8>>) -> Source {
    Source {
        name: name.into(),
        bytes: bytes.into(),
    }
}

pub(crate) fn taken(bytes: impl Into<Vec<u8>>) -> Result<Imported, Fault> {
    import(source("api.yaml", bytes), &Options::default())
}

fn imported(name: &str) -> Imported {
    let imported = import(source(name, document(name)), &Options::default()).unwrap();
    reads_back(&imported);
    imported
}

/// The text keeps all rules and is the same definition.
pub(crate) fn reads_back(imported: &Imported) {
    let read = load(&imported.yaml, "imported.yaml").unwrap_or_else(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}\n{}", lines.join("\n"), imported.yaml);
    });
    let value = |definition| serde_json::to_value(definition).unwrap();
    assert_eq!(value(&read), value(&imported.definition));
}

fn shown(imported: &Imported) -> String {
    let report = serde_json::to_string_pretty(&imported.report).unwrap();
    format!("{}\n{report}", imported.yaml)
}

#[test]
fn a_document_of_2_0_becomes_a_definition() {
    insta::assert_snapshot!(shown(&imported("shop_v2.yaml")));
}

#[test]
fn a_document_of_3_0_becomes_a_definition() {
    insta::assert_snapshot!(shown(&imported("desk_v30.yaml")));
}

#[test]
fn a_document_of_3_1_becomes_a_definition() {
    insta::assert_snapshot!(shown(&imported("hooks_v31.json")));
}

#[test]
fn a_google_discovery_document_becomes_a_definition() {
    insta::assert_snapshot!(shown(&imported("notes_discovery.json")));
}

fn request(imported: &Imported, auth: &str, action: &str, inputs: Value) -> Built {
    let prepared = Prepared::new(Arc::new(imported.definition.clone()));
    let fields = ["key", "token", "username", "password", "both_a", "both_b"];
    let account = Account {
        auth: auth.into(),
        fields: fields
            .map(|name| (name.to_owned(), format!("<{name}>").into()))
            .into(),
        access_token: Some("<access>".into()),
        local: false,
        ..Account::default()
    };
    let Value::Object(inputs) = inputs else {
        panic!("inputs are an object");
    };
    let call = Invocation {
        action: Some(action.into()),
        inputs,
        ..Invocation::default()
    };
    build(&prepared, &account, &call).unwrap()
}

/// Verb, address, headers in order of their names, body.
fn spelled(built: &Built) -> String {
    let mut headers: Vec<String> = built
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    headers.sort();
    let body = String::from_utf8_lossy(&built.body);
    format!(
        "{} {}\n{}\n{body}",
        built.verb,
        built.url,
        headers.join("\n")
    )
}

#[test]
fn requests_of_imported_definitions_are_those_of_the_documents() {
    let shop = imported("shop_v2.yaml");
    let desk = imported("desk_v30.yaml");
    let hooks = imported("hooks_v31.json");
    let notes = imported("notes_discovery.json");
    let cases = [
        (
            &shop,
            "key",
            "list_orders",
            json!({ "status": ["open", "paid"], "ids": [1, 2], "page": 2 }),
            "GET https://api.shop.example/v1/orders?status=open,paid&ids=1&ids=2&page=2\naccept: application/json\nx-shop-key: <key>\n",
        ),
        (
            &shop,
            "oauth",
            "create_order",
            json!({ "X-Request-Id": "r1", "total": 2, "items": [{ "sku": "A" }] }),
            "POST https://api.shop.example/v1/orders\naccept: application/json\nauthorization: Bearer <access>\ncontent-type: application/json\nx-request-id: r1\n{\"total\":2,\"items\":[{\"sku\":\"A\"}]}",
        ),
        (
            &shop,
            "staff",
            "delete_order",
            json!({ "order_id": 7 }),
            "DELETE https://api.shop.example/v1/orders/7\naccept: application/json\nauthorization: Basic PHVzZXJuYW1lPjo8cGFzc3dvcmQ+\n",
        ),
        (
            &shop,
            "key",
            "get_orders_order_id_receipt",
            json!({ "order_id": 7 }),
            "GET https://api.shop.example/v1/orders/7/receipt\naccept: application/pdf\nx-shop-key: <key>\n",
        ),
        (
            &shop,
            "key",
            "log_in",
            json!({ "user": "mona", "roles": ["a", "b"] }),
            "POST https://api.shop.example/v1/login\naccept: application/json\ncontent-type: application/x-www-form-urlencoded\nx-shop-key: <key>\nuser=mona&roles=a%2Cb",
        ),
        (
            &desk,
            "token",
            "tickets_list",
            json!({ "filter": { "state": "new" }, "sort": ["a", "b"], "from": "x", "query": { "a": 1 } }),
            "GET https://eu.desk.example/api/v2/tickets?filter%5Bstate%5D=new&sort=a,b&from=x&query=%7B%22a%22%3A1%7D\naccept: application/json\nauthorization: Bearer <token>\n",
        ),
        (
            &desk,
            "token",
            "tickets_create",
            json!({ "notify": true, "name": "n", "subject": "s", "due": null }),
            "POST https://eu.desk.example/api/v2/tickets?notify=true\naccept: application/json\nauthorization: Bearer <token>\ncontent-type: application/json\n{\"name\":\"n\",\"subject\":\"s\",\"due\":null}",
        ),
        (
            &desk,
            "both_a_both_b",
            "tickets_replace",
            json!({ "path_id": "t/1", "id": "t/1" }),
            "PUT https://eu.desk.example/api/v2/tickets/t%2F1?app_key=%3Cboth_b%3E\naccept: application/json\ncontent-type: application/merge-patch+json\nx-app: <both_a>\n{\"id\":\"t/1\"}",
        ),
        (
            &desk,
            "token",
            "tickets_patch",
            json!({ "id": "7", "body": { "subject": "s" } }),
            "PATCH https://eu.desk.example/api/v2/tickets/7\naccept: application/json\nauthorization: Bearer <token>\ncontent-type: application/json\n{\"subject\":\"s\"}",
        ),
        (
            &desk,
            "token",
            "add_note",
            json!({ "id": "7", "text": "Hello" }),
            "POST https://eu.desk.example/api/v2/tickets/7/note\naccept: application/json\nauthorization: Bearer <token>\ncontent-type: text/plain; charset=utf-8\nHello",
        ),
        (
            &desk,
            "token",
            "put_tickets_id_labels",
            json!({ "id": "7", "body": ["a"] }),
            "PUT https://eu.desk.example/api/v2/tickets/7/labels\naccept: application/json\nauthorization: Bearer <token>\ncontent-type: application/json\n[\"a\"]",
        ),
        (
            &desk,
            "token",
            "export",
            json!({}),
            "GET https://files.desk.example/export\naccept: text/csv\nauthorization: Bearer <token>\n",
        ),
        (
            &hooks,
            "none",
            "create",
            json!({ "url": "https://example.com" }),
            "POST https://hooks.example/hooks\naccept: application/json\ncontent-type: application/json\n{\"url\":\"https://example.com\",\"kind\":\"web\"}",
        ),
        (
            &notes,
            "oauth2",
            "folders_notes_list",
            json!({ "foldersId": "f1", "colors": ["RED", "BLUE"], "pageSize": 5 }),
            "GET https://notes.example/v1/folders/f1/notes?colors=RED&colors=BLUE&pageSize=5\naccept: application/json\nauthorization: Bearer <access>\n",
        ),
        (
            &notes,
            "oauth2",
            "folders_notes_get_media",
            json!({ "noteId": "n1" }),
            "GET https://notes.example/v1/notes/n1?alt=media\naccept: */*\nauthorization: Bearer <access>\n",
        ),
        (
            &notes,
            "oauth2",
            "folders_notes_archive",
            json!({ "noteId": "n1" }),
            "POST https://notes.example/v1/notes/n1:archive\naccept: application/json\nauthorization: Bearer <access>\n",
        ),
    ];
    for (document, auth, action, inputs, expected) in cases {
        let built = request(document, auth, action, inputs);
        assert_eq!(spelled(&built), expected, "{action}");
    }
    let upload = request(
        &shop,
        "key",
        "upload_picture",
        json!({ "picture": { "filename": "a.png", "content": "bytes" }, "alt": "A cat" }),
    );
    let body = String::from_utf8_lossy(&upload.body).into_owned();
    assert!(
        body.contains("name=\"picture\"; filename=\"a.png\""),
        "{body}"
    );
    assert!(body.contains("name=\"alt\"\r\n\r\nA cat"), "{body}");
}

#[test]
fn every_operation_of_the_document_stands_in_the_report() {
    for (name, count) in [
        ("shop_v2.yaml", 8),
        ("desk_v30.yaml", 9),
        ("hooks_v31.json", 3),
        ("notes_discovery.json", 5),
    ] {
        let report = imported(name).report;
        assert_eq!(report.operations.len(), count, "{name}");
        let counts = report.counts;
        assert_eq!(counts.imported + counts.changed + counts.left_out, count);
        for one in report.operations {
            assert_eq!(
                one.outcome == Outcome::Imported,
                one.remarks.is_empty(),
                "{one:?}"
            );
            assert_eq!(
                one.outcome == Outcome::LeftOut,
                one.action.is_none(),
                "{one:?}"
            );
        }
    }
}

#[test]
fn only_what_is_asked_for_is_taken_and_the_rest_is_told() {
    let options = Options {
        only: vec!["People".into()],
        key: Some("desk".into()),
        title: Some("Our desk".into()),
        ..Options::default()
    };
    let imported = import(source("desk.yaml", document("desk_v30.yaml")), &options).unwrap();
    assert_eq!(imported.definition.key, "desk");
    assert_eq!(imported.definition.title, "Our desk");
    assert_eq!(imported.report.counts.imported, 1);
    assert_eq!(imported.report.counts.left_out, 8);
    assert_eq!(
        imported.report.operations[1].remarks,
        ["Left out: it was not asked for."]
    );
    let nothing = Options {
        only: vec!["poeple".into()],
        ..Options::default()
    };
    let fault = import(source("desk.yaml", document("desk_v30.yaml")), &nothing).unwrap_err();
    assert!(fault.message.contains("it was not asked for"), "{fault}");
}

fn with_server(server: &str, base_url: Option<&str>) -> Result<Imported, Fault> {
    let text = format!(
        "openapi: 3.0.0\ninfo: {{title: T, version: '1'}}\nservers: [{{url: '{server}'}}]\npaths: {{/x: {{get: {{responses: {{}}}}}}}}"
    );
    let options = Options {
        base_url: base_url.map(str::to_owned),
        ..Options::default()
    };
    import(source("t.yaml", text), &options)
}

#[test]
fn a_server_is_https_or_somebodys_own() {
    for (server, base) in [
        ("https://api.example.com/v1/", "https://api.example.com/v1"),
        ("http://localhost:8080/api", "{url}/api"),
        ("http://192.168.0.7", "{url}"),
        ("https://10.1.2.3:8443/x", "{url}/x"),
        ("http://[::1]:80/x", "{url}/x"),
        ("https://nas.local/x", "{url}/x"),
    ] {
        let imported = with_server(server, None).unwrap();
        assert_eq!(imported.definition.base_url.as_str(), base, "{server}");
        assert_eq!(
            imported.definition.connection.contains_key("url"),
            base.starts_with('{')
        );
        reads_back(&imported);
    }
    for (server, why) in [
        ("/v1", "is relative"),
        ("http://api.example.com", "is http"),
        ("ftp://api.example.com", "not reached by https"),
        (
            "https://user:secret@api.example.com",
            "user name or password",
        ),
        (
            "https://api.example.com/?x=1",
            "more than a host and a path",
        ),
    ] {
        let fault = with_server(server, None).unwrap_err();
        assert!(fault.message.contains(why), "{server}: {fault}");
        assert!(!fault.message.contains("secret"), "{fault}");
        let hint = fault.hint.unwrap();
        assert!(hint.contains("Give the base address"), "{hint}");
    }
    for (given, base) in [
        ("https://api.example.com/v2/", "https://api.example.com/v2"),
        ("{url}/v2", "{url}/v2"),
        (
            "https://{tenant}.example.com",
            "https://{tenant}.example.com",
        ),
    ] {
        let imported = with_server("/v1", Some(given)).unwrap();
        assert_eq!(imported.definition.base_url.as_str(), base);
        reads_back(&imported);
    }
    for given in [
        "http://api.example.com",
        "api.example.com",
        "https://x@y.example",
        "https://{",
    ] {
        let fault = with_server("/v1", Some(given)).unwrap_err();
        assert!(
            fault.message.starts_with("The base address cannot be used"),
            "{fault}"
        );
    }
}

pub(crate) fn zipped(files: &[(&str, &str)]) -> Vec<u8> {
    use std::io::Write as _;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, text) in files {
        zip.start_file(*name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

pub(crate) fn tarred(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, text) in files {
        let mut header = tar::Header::new_ustar();
        // As it is: the library itself refuses names that lead out.
        header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append(&header, text.as_bytes()).unwrap();
    }
    tar.into_inner().unwrap()
}

pub(crate) fn gzipped(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(bytes).unwrap();
    gz.finish().unwrap()
}

const ROOT: &str = "openapi: 3.1.0\ninfo: {title: Parts, version: '1'}\nservers: [{url: 'https://parts.example'}]\npaths:\n  /pets: {$ref: paths/pets.yaml}\n  /lost: {$ref: paths/lost.yaml}\n";
const PETS: &str = "get:\n  operationId: listPets\n  parameters: [{$ref: '../parameters.json#/limit'}]\n  responses: {'200': {description: ok}}\npost:\n  operationId: makePet\n  requestBody: {required: true, content: {application/json: {schema: {$ref: '../schemas/pet.yml#/Pet'}}}}\n  responses: {}\n";
const PARAMETERS: &str =
    r#"{ "limit": { "name": "limit", "in": "query", "schema": { "type": "integer" } } }"#;
const PET: &str = "Pet: {type: object, properties: {name: {$ref: '#/Name'}, parent: {$ref: 'pet.yml#/Pet'}}}\nName: {type: string}\n";

#[test]
fn an_archive_of_files_that_refer_to_each_other_is_one_document() {
    let files = [
        ("spec/openapi.yaml", ROOT),
        ("spec/paths/pets.yaml", PETS),
        ("spec/parameters.json", PARAMETERS),
        ("spec/schemas/pet.yml", PET),
        ("spec/README.md", "# Parts"),
    ];
    let tar = tarred(&files);
    for bytes in [zipped(&files), gzipped(&tar), tar] {
        let imported = taken(bytes).unwrap();
        reads_back(&imported);
        let (_, _, action) = imported.definition.action("make_pet").unwrap();
        assert_eq!(
            Value::from(action.params.clone()),
            json!({ "type": "object", "properties": { "name": { "type": "string" }, "parent": { "type": "object" } } })
        );
        let (_, _, action) = imported.definition.action("list_pets").unwrap();
        assert_eq!(action.params["properties"]["limit"]["type"], "integer");
        let lost = &imported.report.operations[2];
        assert_eq!(lost.operation, "ANY /lost");
        assert_eq!(
            lost.remarks,
            [
                "Left out: its path cannot be read: the archive has no readable file \"spec/paths/lost.yaml\"."
            ]
        );
    }
    let alone = taken(ROOT).unwrap_err();
    assert!(
        alone
            .message
            .contains("pack it and the document into one archive"),
        "{alone}"
    );
}
