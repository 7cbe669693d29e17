use quaymaster_pages::openapi::from_openapi;
use quaymaster_pages::views::reference::{Auth, Operation, Row, Span};
use serde_json::{Value, json};

/// One operation at `POST /things/{id}`, with schemas beside it.
fn operation(operation: &Value, schemas: &Value) -> Operation {
    let document = json!({
        "servers": [{ "url": "https://quay.example.com/" }],
        "paths": { "/things/{id}": { "post": operation } },
        "components": { "schemas": schemas }
    });
    let mut view = from_openapi(&document);
    view.groups.remove(0).operations.remove(0)
}

fn body_of(schema: &Value, schemas: &Value) -> Operation {
    let content = json!({ "application/json": { "schema": schema } });
    operation(&json!({ "requestBody": { "content": content } }), schemas)
}

fn row<'a>(operation: &'a Operation, name: &str) -> &'a Row {
    let rows = &operation.request.as_ref().unwrap().rows;
    rows.iter()
        .find(|row| row.name == name)
        .unwrap_or_else(|| panic!("no row {name}: {rows:#?}"))
}

#[test]
fn groups_follow_the_list_of_tags_and_then_the_paths() {
    let view = from_openapi(&json!({
        "info": { "title": "API", "version": "1", "description": "First.\n\nSecond `code`." },
        "tags": [{ "name": "Keys" }, { "name": "Unused" }, { "name": "Files" }],
        "paths": {
            "/files": { "get": { "tags": ["Files"] } },
            "/extra": { "get": { "tags": ["Extra"] }, "delete": {} },
            "/keys": { "post": { "tags": ["Keys"] }, "get": { "tags": ["Keys"] } }
        }
    }));
    let names: Vec<_> = view
        .groups
        .iter()
        .map(|group| group.name.as_str())
        .collect();
    assert_eq!(names, ["Keys", "Files", "Extra", "Other"]);
    let methods: Vec<_> = view.groups[0]
        .operations
        .iter()
        .map(|one| one.method.as_str())
        .collect();
    assert_eq!(methods, ["GET", "POST"]);
    assert_eq!(view.description.len(), 2);
    assert_eq!(view.description[1][1], Span::Code("code".into()));
}

#[test]
fn an_operation_without_a_summary_is_called_by_its_path() {
    let read = operation(&json!({}), &json!({}));
    assert_eq!(read.summary, "POST /things/{id}");
    assert_eq!(read.name, "post-things-id");
}

#[test]
fn names_are_unique_and_safe_in_an_address() {
    let view = from_openapi(&json!({ "paths": {
        "/a": { "get": { "operationId": "same id" }, "post": { "operationId": "same id" } },
        "/b": { "get": { "operationId": "\"><x" } }
    } }));
    let names: Vec<_> = view.groups[0]
        .operations
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["same-id", "same-id-2", "x"]);
}

#[test]
fn a_parameter_of_the_operation_replaces_the_one_of_the_path() {
    let view = from_openapi(&json!({ "paths": { "/things/{id}": {
        "parameters": [
            { "name": "id", "in": "path", "required": true, "description": "old", "schema": { "type": "string" } },
            { "$ref": "#/components/parameters/Limit" }
        ],
        "get": { "parameters": [
            { "name": "id", "in": "path", "required": true, "description": "new", "schema": { "type": "string", "format": "uuid" } }
        ] }
    } }, "components": { "parameters": { "Limit": {
        "name": "limit", "in": "query", "schema": { "type": ["integer", "null"], "default": 20, "enum": [20, 50] }
    } } } }));
    let params = &view.groups[0].operations[0].params;
    assert_eq!(params.len(), 2);
    assert_eq!(params[0].description, [vec![Span::Text("new".into())]]);
    assert_eq!(
        (params[0].kind.as_str(), params[0].required),
        ("string (uuid)", true)
    );
    assert_eq!(
        (params[1].kind.as_str(), params[1].place.as_str()),
        ("integer or null", "query")
    );
    assert_eq!(
        (params[1].default.as_deref(), params[1].required),
        (Some("20"), false)
    );
    assert_eq!(params[1].allowed, ["20", "50"]);
}

#[test]
fn a_body_lists_the_properties_of_properties() {
    let schemas = json!({
        "Thing": { "type": "object", "required": ["name"], "properties": {
            "name": { "type": "string", "description": "Its name." },
            "owner": { "oneOf": [{ "$ref": "#/components/schemas/Owner" }, { "type": "null" }] },
            "parts": { "type": "array", "items": { "$ref": "#/components/schemas/Part" } }
        } },
        "Owner": { "type": "object", "properties": { "email": { "type": "string", "format": "email" } } },
        "Part": { "allOf": [{ "$ref": "#/components/schemas/Sized" }, { "properties": { "colour": { "type": "string" } } }] },
        "Sized": { "type": "object", "required": ["size"], "properties": { "size": { "type": "integer" } } }
    });
    let read = body_of(&json!({ "$ref": "#/components/schemas/Thing" }), &schemas);
    assert_eq!(read.request.as_ref().unwrap().kind, "Thing");
    assert!(row(&read, "name").required);
    assert_eq!(row(&read, "owner").kind, "Owner or null");
    assert_eq!(row(&read, "owner.email").kind, "string (email)");
    assert!(row(&read, "parts[].size").required);
    assert_eq!(row(&read, "parts[].colour").kind, "string");
    assert_eq!(
        serde_json::from_str::<Value>(read.request.unwrap().example.as_deref().unwrap()).unwrap(),
        json!({
            "name": "string",
            "owner": { "email": "string" },
            "parts": [{ "colour": "string", "size": 1 }]
        })
    );
}

#[test]
fn a_schema_that_contains_itself_ends() {
    let schemas = json!({
        "Node": { "type": "object", "properties": {
            "next": { "$ref": "#/components/schemas/Node" },
            "all": { "type": "array", "items": { "$ref": "#/components/schemas/Node" } } } },
        "Loop": { "$ref": "#/components/schemas/Loop" },
        "Sum": { "allOf": [{ "$ref": "#/components/schemas/Sum" }] },
        "Either": { "anyOf": [{ "$ref": "#/components/schemas/Either" }, { "type": "string" }] }
    });
    for name in ["Node", "Loop", "Sum", "Either"] {
        let read = body_of(
            &json!({ "$ref": format!("#/components/schemas/{name}") }),
            &schemas,
        );
        assert!(read.request.unwrap().rows.len() < 60, "{name}");
    }
}

#[test]
fn references_out_of_the_document_are_not_followed() {
    for target in [
        "https://elsewhere.example/schema.json",
        "#/nowhere",
        "other.yaml#/a",
    ] {
        let read = body_of(&json!({ "$ref": target }), &json!({}));
        let body = read.request.unwrap();
        assert!(body.rows.is_empty() && body.example.is_none(), "{target}");
    }
}

#[test]
fn the_example_of_the_document_is_preferred() {
    let content = json!({ "application/json": { "schema": { "type": "object" }, "examples": {
        "first": { "value": { "it's": "mine" } } } } });
    let read = operation(
        &json!({ "security": [{ "key": [] }], "requestBody": { "content": content } }),
        &json!({}),
    );
    assert_eq!(
        read.request.as_ref().unwrap().example.as_deref(),
        Some("{\n  \"it's\": \"mine\"\n}")
    );
    assert_eq!(
        read.curl,
        "curl -g -X POST 'https://quay.example.com/things/{id}' \\\n  \
         -H \"Authorization: Bearer $QUAYMASTER_KEY\" \\\n  \
         -H 'Content-Type: application/json' \\\n  \
         -d '{\n  \"it'\\''s\": \"mine\"\n}'"
    );
}

#[test]
fn required_query_parameters_stand_in_the_command() {
    let read = operation(
        &json!({ "parameters": [
            { "name": "q", "in": "query", "required": true, "schema": { "type": "string" } },
            { "name": "limit", "in": "query", "schema": { "type": "integer" } }
        ] }),
        &json!({}),
    );
    assert_eq!(
        read.curl,
        "curl -g -X POST 'https://quay.example.com/things/{id}?q={q}'"
    );
}

#[test]
fn security_of_the_operation_beats_that_of_the_document() {
    let auth = |of_document: Value, of_operation: Option<Value>| {
        let mut document = json!({ "paths": { "/a": { "get": {} } }, "security": of_document });
        if let Some(security) = of_operation {
            document["paths"]["/a"]["get"]["security"] = security;
        }
        from_openapi(&document)
            .groups
            .remove(0)
            .operations
            .remove(0)
            .auth
    };
    let needed = |scopes: &[&str]| Auth::Needed {
        scopes: scopes.iter().map(|s| (*s).into()).collect(),
    };
    assert_eq!(
        auth(json!([{ "key": ["admin"] }]), None),
        needed(&["admin"])
    );
    assert_eq!(
        auth(json!([{ "key": ["admin"] }]), Some(json!([]))),
        Auth::None
    );
    assert_eq!(
        auth(json!([{ "key": [] }]), Some(json!([{ "key": [] }, {} ]))),
        Auth::None
    );
    let both = json!([{ "key": ["a"] }, { "oauth": ["a", "b"] }]);
    assert_eq!(auth(json!([]), Some(both)), needed(&["a", "b"]));
}

#[test]
fn nonsense_makes_an_empty_reference() {
    for document in [
        json!(null),
        json!([]),
        json!({ "paths": 3 }),
        json!({ "paths": { "/a": [] } }),
    ] {
        assert!(from_openapi(&document).is_empty(), "{document}");
    }
}
