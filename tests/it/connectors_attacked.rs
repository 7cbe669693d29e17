//! What strangers write into `connector_execute` and what services answer to it, at the MCP door:
//! no text leads elsewhere, no secret comes back, and nothing hidden stands in an answer.

#[path = "../../crates/connectors/tests/it/vectors.rs"]
mod vectors;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use quaymaster_tests::{Act, Canary, Database, Desk, Mcp, Upstream};
use serde_json::{Value, json};
use std::sync::Arc;
use tempfile::TempDir;

/// With characters that every encoding changes.
const SECRET: &str = "Harbour/Key+7=9:\"Zq\"";

/// Things behind verbs and paths.
pub(crate) const THINGS: &str = r#"quaymaster: 1
key: things
kind: rest
version: "1.0.0"
title: Things
summary: Things of a test
categories: [tests]
connection: {url: {title: Address, example: "https://things.example.com"}}
base_url: "{url}/v1"
auth:
  - {key: token, type: api_key, title: Token, fields: {token: {title: Token, secret: true}}, inject: {header: {authorization: "Bearer {token}"}}}
verify: {action: get_me}
defaults: {timeout_s: 1, retry: {max: 0}}
modules:
  things:
    title: Things
    actions:
      get_me: {title: Get the signed-in person, method: GET, path: /me}
      get_thing: {title: Get a thing, method: GET, path: "/things/{id}", params: {type: object, required: [id], properties: {id: {type: string}, trace: {type: string, x-in: header}}}}
      make_thing: {title: Make a thing, method: POST, path: /things, params: {type: object, required: [name], properties: {name: {type: string}}}}
recipes:
  - {title: A thing, action: get_thing, with: {id: "7"}}
  - {title: Another thing, action: get_thing, with: {id: "8"}}
  - {title: Make one, action: make_thing, with: {name: Crane}}
"#;

/// Methods that are called by name.
const METHODS: &str = r#"quaymaster: 1
key: methods
kind: rpc
version: "1.0.0"
title: Methods
summary: Methods of a test
categories: [tests]
connection: {url: {title: Address, example: "https://methods.example.com"}}
base_url: "{url}/v1"
auth:
  - {key: token, type: api_key, title: Token, fields: {token: {title: Token, secret: true}}, inject: {header: {authorization: "Bearer {token}"}}}
rpc: {envelope: path}
open_methods: true
modules:
  things:
    title: Things
    actions:
      thing_list: {title: List things, rpc: thing.list, read_only: true}
      thing_get: {title: Get a thing, rpc: thing.get, read_only: true, params: {type: object, properties: {id: {type: string}}}}
      thing_add: {title: Add a thing, rpc: thing.add, params: {type: object, properties: {name: {type: string}}}}
recipes:
  - {title: All things, action: thing_list}
  - {title: One thing, action: thing_get, with: {id: "7"}}
  - {title: A new thing, action: thing_add, with: {name: Crane}}
"#;

/// A server with both definitions, without limits of its own on calls.
pub(crate) async fn desk() -> (Desk, TempDir) {
    let directory = TempDir::new().unwrap();
    for (name, text) in [("things.yaml", THINGS), ("methods.yaml", METHODS)] {
        std::fs::write(directory.path().join(name), text).unwrap();
    }
    let settings = [
        ("DEFINITIONS", directory.path().to_str().unwrap()),
        ("DAILY_CAP", "1000000"),
        ("CALLS_PER_SECOND", "1000000"),
    ];
    let desk = Desk::open_with(Database::Sqlite, &settings).await;
    (desk, directory)
}

fn get(path: &str) -> Value {
    json!({ "service": "things", "module": "things", "method": "GET", "path": path })
}

/// Where a stranger's text can stand.
fn entries(text: &str) -> Vec<(&'static str, Value)> {
    let with = |name: &str, value: Value| {
        let mut arguments = get("/things/7");
        arguments[name] = value;
        arguments
    };
    let mut verb = get(text);
    verb["method"] = "POST".into();
    let mut made = get("/things");
    made["method"] = "POST".into();
    made["body"] = json!({ "name": text });
    vec![
        ("the path", get(text)),
        ("a path that is written to", verb),
        ("the name in a path", get(&format!("/things/{text}"))),
        ("the module", with("module", text.into())),
        ("the verb", with("method", text.into())),
        ("the service", with("service", text.into())),
        (
            "the account",
            with("service", format!("things:{text}").into()),
        ),
        ("the instance", with("instance_id", text.into())),
        ("a value of the query", with("query", json!({ "q": text }))),
        ("a name in the query", with("query", json!({ text: "x" }))),
        ("a header", with("query", json!({ "trace": text }))),
        ("the body", made),
        (
            "the name of a method",
            json!({ "service": "methods", "module": "things", "method": text }),
        ),
        (
            "a parameter of a method",
            json!({ "service": "methods", "method": "thing.get", "body": { "id": text } }),
        ),
    ]
}

fn canaries() -> Vec<Canary> {
    let listening = ["127.0.0.1", "127.0.0.2", "::1"];
    listening.into_iter().filter_map(Canary::listen).collect()
}

/// At least two hundred texts that lead elsewhere when they are put into addresses as they are.
fn texts(canary: &Canary) -> Vec<String> {
    let fixed = [
        vectors::PATHS,
        vectors::VALUES,
        vectors::KEPT,
        vectors::HOSTS,
    ];
    let mut texts: Vec<String> = fixed
        .concat()
        .iter()
        .map(|text| text.replace("{c}", &canary.address.to_string()))
        .collect();
    let inside = vectors::inside(canary.address);
    texts.extend(inside.iter().map(|host| format!("http://{host}/x")));
    assert!(texts.len() >= 200, "{}", texts.len());
    texts
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_hostile_texts_lead_nowhere_at_any_entry() {
    let (desk, _definitions) = desk().await;
    let upstream = Upstream::start("127.77.31.1", |_| Act::json("{}")).await;
    let canaries = canaries();
    for connector in ["things", "methods"] {
        let fields = [("url", &*upstream.url()), ("token", SECRET)];
        desk.connect_local(connector, "main", "token", &fields)
            .await;
    }
    upstream.take();
    let texts = Arc::new(texts(&canaries[0]));
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..4 {
        let (texts, endpoint, key) = (
            texts.clone(),
            desk.server.endpoint.clone(),
            desk.key.clone(),
        );
        workers.spawn(async move {
            let mcp = Mcp::open(&endpoint, &key).await;
            let mut calls = 0;
            for text in texts.iter().skip(worker).step_by(4) {
                for (entry, arguments) in entries(text) {
                    calls += 1;
                    if let Err(fault) = mcp.call("connector_execute", arguments).await {
                        let code = fault["code"].as_str().unwrap_or_default();
                        assert!(
                            !code.is_empty() && code != "INTERNAL",
                            "{text:?} in {entry}: {fault}"
                        );
                        let shown = fault.to_string();
                        assert!(
                            !shown.contains("Harbour/Key"),
                            "{text:?} in {entry}: {shown}"
                        );
                    }
                }
            }
            calls
        });
    }
    let mut calls = 0;
    while let Some(done) = workers.join_next().await {
        calls += done.unwrap();
    }
    assert!(calls >= 200 * 14, "{calls}");
    // What went out went to the service, below its address, signed once.
    let asked = upstream.take();
    assert!(asked.len() > 500, "{}", asked.len());
    for request in asked {
        assert!(request.target.starts_with("/v1/"), "{request:?}");
        let decoded = request.target.to_ascii_lowercase().replace("%2e", ".");
        let path = decoded.split('?').next().unwrap();
        let dots = path.split('/').any(|part| part == "." || part == "..");
        assert!(!dots, "{request:?}");
        assert_eq!(request.header("host"), [upstream.address.to_string()]);
        let signed = format!("Bearer {SECRET}");
        assert_eq!(request.header("authorization"), [signed.as_str()]);
    }
    for canary in &canaries {
        assert_eq!(canary.connections(), 0, "{}", canary.address);
    }
    let (status, _) = desk.server.rest("", "GET", "/health", None).await;
    assert_eq!(status, 200);
}

#[tokio::test]
async fn an_account_leads_into_the_network_only_when_an_administrator_says_that_it_is_there() {
    let (desk, _definitions) = desk().await;
    let canaries = canaries();
    let fixed = vectors::HOSTS.iter();
    let fixed = fixed.map(|text| text.replace("{c}", &canaries[0].address.to_string()));
    let hosts = fixed.chain(vectors::inside(canaries[0].address));
    for (number, host) in hosts.enumerate() {
        for scheme in ["http", "https"] {
            let body = json!({
                "connector": "things", "name": format!("{scheme}-{number}"), "auth": "token",
                "fields": { "url": format!("{scheme}://{host}"), "token": SECRET },
            });
            let path = "/api/v1/connections";
            let (status, answer) = desk.server.rest(&desk.key, "POST", path, Some(body)).await;
            assert!(matches!(status, 201 | 400), "{host:?}: {answer}");
            if status == 201 {
                let connection = &answer["connection"];
                assert_eq!(connection["status"], "ERROR", "{host:?}: {answer}");
                let problem = connection["problem"].as_str().unwrap();
                // What a name leads to is nobody's business.
                let tells = host.to_ascii_lowercase().starts_with("localhost");
                assert!(!tells || !problem.contains("127.0.0."), "{problem}");
                let mut call = get("/things/7");
                call["instance_id"] = connection["id"].clone();
                let fault = desk.refused(call).await;
                assert_ne!(fault["code"], "INTERNAL", "{host:?}: {fault}");
                let id = connection["id"].as_str().unwrap();
                let path = format!("/api/v1/connections/{id}");
                desk.server.rest(&desk.key, "DELETE", &path, None).await;
            }
        }
    }
    for canary in &canaries {
        assert_eq!(canary.connections(), 0, "{}", canary.address);
    }
}

/// The secret in every spelling that a service may send back.
fn spellings() -> Vec<String> {
    let digits = |byte: &u8| {
        [byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)]))
    };
    let hex = |bytes: &[u8]| -> String { bytes.iter().flat_map(digits).collect() };
    let json = Value::from(SECRET).to_string();
    let percent: String = SECRET
        .bytes()
        .map(|byte| match byte {
            b if b.is_ascii_alphanumeric() => char::from(b).to_string(),
            b => format!("%{b:02X}"),
        })
        .collect();
    let swapped = SECRET.chars().map(|c| {
        if c.is_ascii_uppercase() {
            c.to_ascii_lowercase()
        } else {
            c.to_ascii_uppercase()
        }
    });
    vec![
        SECRET.to_owned(),
        percent
            .to_lowercase()
            .replace("harbour", "Harbour")
            .replace("key", "Key")
            .replace("zq", "Zq"),
        percent,
        STANDARD.encode(SECRET),
        URL_SAFE_NO_PAD.encode(SECRET),
        STANDARD.encode(format!("Bearer {SECRET}")),
        json[1..json.len() - 1].to_owned(),
        hex(SECRET.as_bytes()),
        hex(SECRET.as_bytes()).to_uppercase(),
        swapped.collect(),
        SECRET.to_uppercase(),
        SECRET.to_lowercase(),
    ]
}

// promise: S2.44
#[tokio::test]
async fn no_secret_comes_back_however_a_service_writes_it() {
    let (desk, _definitions) = desk().await;
    let spellings = spellings();
    let echoed = spellings.clone();
    let upstream = Upstream::start("127.77.31.2", move |asked| {
        let number: Option<usize> = asked
            .target
            .rsplit(['/', '?'])
            .next()
            .and_then(|last| last.parse().ok());
        let Some(number) = number else {
            return Act::json("{}");
        };
        let echo = &echoed[number % echoed.len()];
        let json = json!({ "token": echo, "message": format!("Bearer {echo} is wrong"), echo.as_str(): [echo] });
        let json = json.to_string();
        let header = "content-type: application/json";
        match number / echoed.len() {
            0 => Act::reply(&format!("200 OK\r\n{header}"), json),
            1 => Act::reply(&format!("422 Unprocessable\r\n{header}"), json),
            2 => Act::reply("200 OK\r\ncontent-type: text/plain", format!("you sent {echo}.")),
            3 => Act::reply("500 Oops\r\ncontent-type: text/html", format!("<title>{echo}</title>")),
            4 => Act::reply(&format!("401 Unauthorized\r\n{header}"), json),
            5 => Act::reply(&format!("429 Slow\r\n{header}\r\nratelimit-policy: {echo}"), json),
            6 => Act::reply(&format!("200 OK\r\n{header}\r\nratelimit: {echo}"), json),
            _ => Act::reply(&format!("302 Found\r\nlocation: http://{echo}/"), ""),
        }
    })
    .await;
    let fields = [("url", &*upstream.url()), ("token", SECRET)];
    let account = desk.connect_local("things", "main", "token", &fields).await;
    assert_eq!(account["status"], "ACTIVE", "{account}");
    let mut answers = String::new();
    for number in 0..spellings.len() * 8 {
        let call =
            json!({ "name": "connector_execute", "arguments": get(&format!("/things/{number}")) });
        let message = desk.mcp.request("tools/call", call).await;
        let shown = message.to_string();
        if number / spellings.len() != 7 {
            assert!(shown.contains("[redacted]"), "{number}: {shown}");
        }
        answers.push_str(&shown);
    }
    let (_, connections) = desk
        .server
        .rest(&desk.key, "GET", "/api/v1/connections", None)
        .await;
    answers.push_str(&connections.to_string());
    let (_, calls) = desk
        .server
        .rest(&desk.key, "GET", "/api/v1/calls?limit=500", None)
        .await;
    answers.push_str(&calls.to_string());
    answers.push_str(&std::fs::read_to_string(desk.server.data.path().join("server.log")).unwrap());
    for spelling in &spellings {
        let within = Value::from(spelling.as_str()).to_string();
        let twice = Value::from(&within[1..within.len() - 1]).to_string();
        for form in [
            spelling,
            &within[1..within.len() - 1].to_owned(),
            &twice[1..twice.len() - 1].to_owned(),
        ] {
            assert!(!answers.contains(form.as_str()), "{form} came back");
        }
    }
}

#[tokio::test]
async fn hidden_characters_of_a_service_are_taken_out() {
    const HIDDEN: &[char] = &[
        '\0',
        '\u{1}',
        '\u{8}',
        '\u{1b}',
        '\u{7f}',
        '\u{85}',
        '\u{ad}',
        '\u{61c}',
        '\u{200b}',
        '\u{200d}',
        '\u{200e}',
        '\u{202a}',
        '\u{202e}',
        '\u{2028}',
        '\u{2060}',
        '\u{2066}',
        '\u{2069}',
        '\u{feff}',
        '\u{fff9}',
        '\u{e0041}',
        '\u{e0100}',
    ];
    let (desk, _definitions) = desk().await;
    let upstream = Upstream::start("127.77.31.3", |asked| {
        let hidden: String = HIDDEN.iter().flat_map(|c| ['a', *c]).collect();
        let json = json!({ "text": hidden, hidden.as_str(): 1, "message": hidden }).to_string();
        let header = "content-type: application/json";
        match asked.target.as_str() {
            "/v1/things/1" => Act::reply(&format!("422 Unprocessable\r\n{header}"), json),
            "/v1/things/2" => Act::reply("200 OK\r\ncontent-type: text/plain", hidden),
            _ => Act::reply(&format!("200 OK\r\n{header}"), json),
        }
    })
    .await;
    let fields = [("url", &*upstream.url()), ("token", SECRET)];
    desk.connect_local("things", "main", "token", &fields).await;
    for number in 0..3 {
        let call = get(&format!("/things/{number}"));
        let call = json!({ "name": "connector_execute", "arguments": call });
        let message = desk.mcp.request("tools/call", call).await;
        let text = message["result"]["content"][0]["text"].as_str().unwrap();
        let read: Value = serde_json::from_str(text).unwrap();
        let visible = "a".repeat(HIDDEN.len());
        assert!(text.contains(&visible), "{text}");
        let mut all = format!("{text}{}", message["result"]["structuredContent"]);
        all.push_str(&texts_of(&read));
        for hidden in HIDDEN {
            assert!(!all.contains(*hidden), "{hidden:?} in {all:?}");
        }
    }
}

/// Every text of a value, as it reads.
fn texts_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(texts_of).collect(),
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, member)| [name.clone(), texts_of(member)])
            .collect(),
        _ => String::new(),
    }
}
