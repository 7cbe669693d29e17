//! Official clients that know the address of the server and nothing else, with default settings:
//! they find out where to sign in, a person agrees, and they work until they are revoked.
//!
//! The scripts are in tests/clients; all take the steps of `oauth.mjs`.

use quaymaster_tests::oauth_client::param;
use quaymaster_tests::script::{Script, node, node_program, python, script_path};
use quaymaster_tests::{Answer, Database, FILE_TOOLS, OAuthClient, Person, Server, TlsServer};
use serde_json::{Value, json};
use std::process::Stdio;
use std::time::{Duration, Instant};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpListener;
use tokio::process::Command;

/// From connecting to the first list of tools, with the person's clicks.
const SOON: Duration = Duration::from_secs(5);

fn tools_of(step: &Value) -> Vec<&str> {
    let tools = step["tools"].as_array().expect("a list of tools");
    tools.iter().filter_map(Value::as_str).collect()
}

/// What the person does when the client shows an address: agrees, and the browser goes back to the
/// client. Answers the address that was shown.
async fn agree(person: &Person, script: &mut Script) -> String {
    let asked = script.step("authorize").await;
    let asked = asked["url"].as_str().expect("an address").to_owned();
    let back = person.agrees_to(&asked).await;
    let visited = reqwest::get(&back).await.expect("the client listens");
    assert_eq!(visited.status(), 200, "{back}");
    asked
}

/// The connections of OAuth clients: credential and name.
async fn connected(server: &Server) -> Vec<(String, String)> {
    let listed = server.cli_json(&["token", "list"]).await;
    let all = listed["credentials"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    all.iter()
        .filter(|one| one["kind"] == "oauth_grant")
        .map(|one| (text(&one["id"]), text(&one["name"])))
        .collect()
}

/// Takes the steps of `oauth.mjs` with a client that is to be named `name` on the pages. Answers
/// the address that it first showed.
async fn accompany(server: &Server, mut script: Script, name: &str) -> String {
    let person = Person::owner(&server.url, &server.sign_in_link).await;
    let asked = agree(&person, &mut script).await;
    assert_eq!(param(&asked, "resource"), Some(server.endpoint.clone()));
    let listed = script.step("listed").await;
    assert_eq!(tools_of(&listed), FILE_TOOLS);
    let took = Duration::from_millis(listed["ms"].as_u64().unwrap());
    println!("{name}: {} ms", took.as_millis());
    assert!(took < SOON, "{took:?}");

    let edited = script.step("edited").await;
    assert_eq!(edited["content"], "one\nzwei\n");
    let on_disk = std::fs::read_to_string(server.home().join("notes/a.txt"));
    assert_eq!(on_disk.unwrap(), "one\nzwei\n");

    // Without another question to the person.
    let refreshed = script.step("refreshed").await;
    assert_eq!(refreshed["anew"], true);

    let clients = connected(server).await;
    let [(credential, shown)] = clients.as_slice() else {
        panic!("one connection, not {clients:?}");
    };
    assert_eq!(shown, name);
    let workspace = format!("/workspaces/{}", server.workspace);
    let path = format!("{workspace}/connected-clients/{credential}/revoke");
    let page = person.get(&workspace).await;
    let page = person.send(&path, &page.form(&path), &[]).await;
    assert_eq!(page.status, 200, "{}", page.html);
    script.say("go").await;
    agree(&person, &mut script).await;
    assert_eq!(tools_of(&script.step("again").await), FILE_TOOLS);
    script.end().await;
    let clients = connected(server).await;
    assert!(clients.iter().all(|(id, _)| id != credential));
    assert_eq!(clients.len(), 1, "{clients:?}");
    asked
}

// promise: S1.23, S1.24, S1.27
#[tokio::test]
async fn the_typescript_sdk_1_signs_in() {
    let server = Server::start().await;
    let arguments = [&script_path("oauth1.mjs"), server.endpoint.as_str()];
    let script = Script::start(&node(), &arguments, "");
    accompany(&server, script, "oauth1").await;
}

async fn through_sdk2(era: &str) {
    let server = Server::start().await;
    let arguments = [&script_path("oauth2.mjs"), server.endpoint.as_str(), era];
    let script = Script::start(&node(), &arguments, "");
    accompany(&server, script, "oauth2").await;
}

// promise: S1.23, S1.24, S1.27
#[tokio::test]
async fn the_typescript_sdk_2_signs_in_in_its_default_era() {
    through_sdk2("legacy").await;
}

// promise: S1.23, S1.24, S1.27
#[tokio::test]
async fn the_typescript_sdk_2_signs_in_without_sessions() {
    through_sdk2("2026-07-28").await;
}

// promise: S1.23, S1.24, S1.27
#[tokio::test]
async fn the_python_sdk_registers_and_signs_in() {
    let server = Server::start().await;
    let arguments = [&script_path("oauth.py"), server.endpoint.as_str()];
    let script = Script::start(&python(), &arguments, "");
    let asked = accompany(&server, script, "oauth.py").await;
    let id = param(&asked, "client_id").unwrap();
    assert!(id.starts_with("dcr_"), "{id}");
}

// promise: S1.23, S1.24, S1.27
#[tokio::test]
async fn the_python_sdk_signs_in_with_a_document_that_describes_it() {
    let site = TlsServer::start(|origin, path| match path {
        "/oauth/client.json" => Answer::json(
            json!({
                "client_id": format!("{origin}{path}"),
                "client_name": "A described client",
                "redirect_uris": ["http://127.0.0.1/callback"],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "token_endpoint_auth_method": "none",
            })
            .to_string(),
        ),
        _ => Answer::not_found(),
    })
    .await;
    let (allow, ca_file) = (json!([site.authority]).to_string(), site.ca_file());
    let settings = [
        ("EGRESS_ALLOW_CLIENT_METADATA", allow.as_str()),
        ("EGRESS_CA_FILE", ca_file.to_str().unwrap()),
    ];
    let server = Server::start_with(Database::Sqlite, &settings).await;
    let document = site.url("/oauth/client.json");
    let arguments = [
        &script_path("oauth.py"),
        server.endpoint.as_str(),
        &document,
    ];
    let script = Script::start(&python(), &arguments, "");
    let asked = accompany(&server, script, "A described client").await;
    assert_eq!(param(&asked, "client_id"), Some(document));
    // Believed for a while: two questions and two answers took one look.
    assert_eq!(site.requests(), ["GET /oauth/client.json"]);
}

// promise: S1.23, S1.24, S1.27
#[tokio::test]
async fn a_client_of_standard_input_and_output_signs_in_through_mcp_remote() {
    let server = Server::start().await;
    let kept = server.data.path().join("mcp-remote");
    std::fs::create_dir(&kept).unwrap();
    let (node, bridge) = (node(), node_program("mcp-remote"));
    let arguments = [
        &script_path("oauth_bridge.mjs"),
        &server.endpoint,
        kept.to_str().unwrap(),
        node.to_str().unwrap(),
        bridge.to_str().unwrap(),
        &server.endpoint,
        "--allow-http",
    ];
    let script = Script::start(&node, &arguments, "");
    accompany(&server, script, "MCP CLI Proxy").await;
}

/// The suite's scenarios for authorization servers. It asks its person on standard output.
// promise: S1.23, S1.24
#[tokio::test]
async fn the_authorization_server_conforms() {
    let server = Server::start().await;
    let person = Person::owner(&server.url, &server.sign_in_link).await;
    let client = OAuthClient::register(&server.url, "Conformance suite").await;
    let unused = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = unused.local_addr().unwrap().port().to_string();
    drop(unused);
    let results = server.data.path().join("conformance");
    let mut suite = Command::new(node())
        .arg(node_program("conformance"))
        .args(["authorization", "--url", &server.url])
        .args(["--client-id", &client.id, "--resource", &server.endpoint])
        .args(["-p", &port, "-o"])
        .arg(&results)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the suite starts");
    let mut lines = BufReader::new(suite.stdout.take().unwrap()).lines();
    let mut text = String::new();
    // Node has started when it says something.
    let mut began = None;
    let whole = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            began.get_or_insert_with(Instant::now);
            if line.starts_with(&server.url) && line.contains("/authorize?") {
                let back = person.agrees_to(&line).await;
                assert!(param(&back, "iss").is_some(), "{back}");
                assert_eq!(reqwest::get(&back).await.unwrap().status(), 200);
            }
            text.push_str(&line);
            text.push('\n');
        }
        suite.wait().await.unwrap()
    };
    let status = tokio::time::timeout(Duration::from_mins(1), whole).await;
    let status = status.expect("the suite ends in time");
    let took = began.map(|began| began.elapsed()).unwrap();
    println!("conformance: {} ms", took.as_millis());
    assert!(took < SOON, "{took:?}");
    assert!(status.success(), "{text}");
    for scenario in [
        "authorization-server-metadata-endpoint",
        "authorization-code-grant",
    ] {
        assert!(text.contains(&format!("✓ {scenario}:")), "{text}");
    }
    assert!(text.contains("0 failed") && !text.contains("⚠"), "{text}");
}
