//! Who may enter: credentials, organizations, hosts, origins, and what is open to all.

use quaymaster_tests::{Mcp, Server};
use reqwest::{Client, Method};
use serde_json::{Value, json};

// promise: S0.16, S0.56
#[tokio::test]
async fn without_a_good_credential_every_method_answers_401_and_says_what_a_good_one_is() {
    let server = Server::start().await;
    let (id, secret) = server.token.split_once('.').unwrap();
    let unknown = format!("crd_01ARZ3NDEKTSV4RRFFQ69G5FAV.{secret}");
    let as_api_key = format!("sk-org-{}.{secret}", id.trim_start_matches("crd_"));
    let longer = format!("{}x", server.token);
    let bad = [
        "",
        "nonsense",
        id,
        "sk-org-",
        &unknown,
        &as_api_key,
        &longer,
    ];
    for token in bad {
        for method in [Method::POST, Method::GET, Method::DELETE, Method::PUT] {
            let mcp = Mcp::stateless(&server.endpoint, token);
            let reply = mcp.send(method.clone(), mcp.headers(), String::new()).await;
            assert_eq!(reply.status, 401, "{method} {token}");
            let challenge = reply.headers["www-authenticate"].to_str().unwrap();
            assert!(challenge.starts_with("Bearer "), "{challenge}");
            let fault: Value = serde_json::from_str(&reply.text).unwrap();
            assert_eq!(fault["code"], "UNAUTHENTICATED");
            assert_eq!(fault["retryable"], false);
            let text = fault["message"].as_str().unwrap();
            assert!(
                text.contains("sk-org-") && text.contains("expired"),
                "{text}"
            );
        }
    }
    let mut headers = Mcp::stateless(&server.endpoint, &server.token).headers();
    headers.remove("authorization");
    let mcp = Mcp::stateless(&server.endpoint, "");
    let reply = mcp.send(Method::POST, headers, "{}".into()).await;
    assert_eq!(reply.status, 401, "no header at all");
}

// promise: S0.22
#[tokio::test]
async fn the_header_of_another_organization_is_refused_and_the_own_one_is_not_needed() {
    let server = Server::start().await;
    let key = server.api_key(&[]).await;
    let (_, listed) = server.rest(&key, "GET", "/api/v1/workspaces", None).await;
    let own = listed["workspaces"][0]["orgId"].as_str().unwrap();
    let doors = [("POST", "/mcp"), ("GET", "/api/v1/workspaces")];
    for (method, path) in doors {
        for (org, wanted) in [
            (None, 200),
            (Some(own), 200),
            (Some("org_01ARZ3NDEKTSV4RRFFQ69G5FAV"), 403),
            (Some(""), 403),
            (Some("*"), 403),
        ] {
            let mcp = Mcp::stateless(&format!("{}{path}", server.url), &key);
            let mut headers = mcp.headers();
            if let Some(org) = org {
                headers.insert("x-org-id", org.parse().unwrap());
            }
            let body = json!({
                "jsonrpc": "2.0", "id": 1, "method": "initialize",
                "params": {
                    "protocolVersion": "2025-06-18", "capabilities": {},
                    "clientInfo": { "name": "tests", "version": "1" },
                },
            });
            let body = if method == "POST" {
                body.to_string()
            } else {
                String::new()
            };
            let reply = mcp.send(method.parse().unwrap(), headers, body).await;
            assert_eq!(reply.status, wanted, "{path} {org:?}: {}", reply.text);
        }
    }
}

#[tokio::test]
async fn every_door_refuses_hosts_and_origins_that_are_not_the_servers() {
    let server = Server::start().await;
    let client = Client::new();
    let port = server.url.rsplit_once(':').unwrap().1;
    let doors = [
        "/mcp",
        "/mcp/",
        "/api/v1/openapi.json",
        "/api/v1/workspaces",
        "/",
        "/u/upl_01ARZ3NDEKTSV4RRFFQ69G5FAV/parts/0?t=0",
        "/no/such/page",
    ];
    for door in doors {
        let send = |name: &'static str, value: String| {
            client
                .get(format!("{}{door}", server.url))
                .header(name, value)
                .send()
        };
        for host in [
            "evil.example".to_owned(),
            format!("evil.example:{port}"),
            format!("127.0.0.1.evil.example:{port}"),
            format!("user@127.0.0.1:{port}"),
        ] {
            let answer = send("host", host.clone()).await.unwrap();
            // Some are no host at all, which the HTTP library refuses first.
            assert!(
                [400, 403].contains(&answer.status().as_u16()),
                "{door} {host}"
            );
        }
        for origin in [
            "http://evil.example",
            "null",
            "file://",
            "http://user@127.0.0.1",
        ] {
            let answer = send("origin", origin.to_owned()).await.unwrap();
            assert_eq!(answer.status(), 403, "{door} {origin}");
        }
        for (name, value) in [
            ("host", format!("localhost:{port}")),
            ("origin", server.url.clone()),
            ("origin", format!("http://localhost:{port}")),
        ] {
            let answer = send(name, value.clone()).await.unwrap();
            assert_ne!(answer.status(), 403, "{door} {value}");
        }
    }
}

#[tokio::test]
async fn pages_of_any_origin_read_the_public_information_but_only_under_the_servers_name() {
    let server = Server::start().await;
    let get = |name: &'static str, value: &'static str| {
        let address = format!("{}/api/v1/mcp/info", server.url);
        Client::new().get(address).header(name, value).send()
    };
    let answer = get("origin", "http://elsewhere.example").await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    assert_eq!(
        get("host", "elsewhere.example").await.unwrap().status(),
        403
    );
}

// promise: S0.5, S0.23, S0.24, S0.25, S0.26, S0.27, S0.28
#[tokio::test]
async fn the_public_information_needs_no_credential_and_connects_a_client() {
    let server = Server::start().await;
    let (status, info) = server.rest("", "GET", "/api/v1/mcp/info", None).await;
    assert_eq!(status, 200);
    assert_eq!(info["url"], server.endpoint);
    assert_eq!(info["server_name"], "quaymaster");
    assert_eq!(info["protocol_version"], "2025-11-25");
    let versions = info["protocol_versions"].as_array().unwrap();
    for version in ["2026-07-28", "2025-06-18", "2024-11-05"] {
        assert!(versions.contains(&json!(version)), "{versions:?}");
    }
    let scopes = info["scopes"].as_array().unwrap();
    for scope in ["read:tools", "write:tools", "read:data", "admin", "chat"] {
        assert!(scopes.contains(&json!(scope)), "{scopes:?}");
    }
    // What a client reads from the example, with the placeholder filled in, connects it.
    let example = &info["example_config"]["mcpServers"]["quaymaster"];
    let header = example["headers"]["Authorization"].as_str().unwrap();
    let (scheme, placeholder) = header.split_once(' ').unwrap();
    assert_eq!(scheme, "Bearer");
    assert!(!server.token.contains(placeholder));
    let mcp = Mcp::open(example["url"].as_str().unwrap(), &server.token).await;
    let listed = mcp.request("tools/list", json!({})).await;
    assert_eq!(listed["result"]["tools"].as_array().unwrap().len(), 19);
    let hello = mcp
        .initialize(info["protocol_version"].as_str().unwrap())
        .await;
    assert_eq!(
        hello.message()["result"]["serverInfo"]["name"],
        info["server_name"]
    );
    let text = info.to_string();
    assert!(!text.contains(&server.token) && !text.contains(&server.workspace));
}
