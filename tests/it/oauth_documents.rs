//! Clients whose id is the address of a document (client ID metadata documents): what the server
//! fetches for whom, and what it takes.

use quaymaster_tests::oauth_client::{CALLBACK, OAuthClient, param};
use quaymaster_tests::person::Page;
use quaymaster_tests::{Answer, Canary, Database, Person, Server, TlsServer};
use serde_json::{Value, json};
use std::net::TcpStream;
use std::time::Duration;

const ALLOW: &str = "EGRESS_ALLOW_CLIENT_METADATA";

/// A server, its owner, and questions of clients with a document.
struct Door {
    server: Server,
    person: Person,
    client: OAuthClient,
}

impl Door {
    async fn open(settings: &[(&str, &str)]) -> Door {
        let server = Server::start_with(Database::Sqlite, settings).await;
        let person = Person::owner(&server.url, &server.sign_in_link).await;
        let client = OAuthClient::register(&server.url, "Nobody").await;
        Door {
            server,
            person,
            client,
        }
    }

    /// Which may fetch from that site.
    async fn open_to(site: &TlsServer) -> Door {
        let (allow, ca_file) = (json!([site.authority]).to_string(), site.ca_file());
        let settings = [
            (ALLOW, allow.as_str()),
            ("EGRESS_CA_FILE", ca_file.to_str().unwrap()),
        ];
        Door::open(&settings).await
    }

    fn question(&self, client_id: &str) -> String {
        self.client.question(&[("client_id", client_id)])
    }

    async fn asked(&self, client_id: &str) -> Page {
        self.person.get(&self.question(client_id)).await
    }
}

/// What a page says, when it refuses and sends the browser nowhere.
fn refusal(page: &Page, id: &str) -> String {
    assert_eq!(page.status, 400, "{id}: {}", page.html);
    assert_eq!(page.away, None, "{id}");
    page.texts("main").join(" ")
}

/// A document without fault for the client of that address.
fn document(id: &str) -> Value {
    json!({
        "client_id": id,
        "client_name": "A described client",
        "redirect_uris": [CALLBACK],
        "token_endpoint_auth_method": "none",
    })
}

#[tokio::test]
async fn no_document_is_fetched_from_inside_the_network() {
    let canaries: Vec<Canary> = ["127.0.0.1", "127.0.0.2", "127.3.2.1", "::1"]
        .into_iter()
        .filter_map(Canary::listen)
        .collect();
    let port = canaries[0].address.port();
    let door = Door::open(&[]).await;
    let mut ids: Vec<String> = canaries
        .iter()
        .map(|canary| format!("https://{}/client.json", canary.address))
        .collect();
    // Names that resolve inside, addresses that carry one of ours, private ranges, other ports.
    for host in [
        &format!("localhost:{port}"),
        &format!("localhost.:{port}"),
        &format!("[::ffff:7f00:1]:{port}"),
        &format!("[64:ff9b::7f00:1]:{port}"),
        &format!("[2002:7f00:1::]:{port}"),
        &format!("0.0.0.0:{port}"),
        &format!("[::]:{port}"),
        &door.server.listening,
        "127.0.0.1",
        "127.0.0.1:22",
        "localhost:80",
        "169.254.169.254",
        "169.254.169.254:80",
        "168.63.129.16",
        "100.100.100.200",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1:8443",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.0.1",
        "198.18.0.1",
        "240.0.0.1",
        "[::7f00:1]",
        "[64:ff9b:1::7f00:1]",
        "[2001::1]",
        "[fec0::1]",
        "[ff02::1]",
        "ip6-localhost",
    ] {
        // Whatever stands behind the host, and however its name continues.
        for rest in [
            "/client.json",
            "/.well-known/client",
            "/a/b/c?query=x",
            "/client.json?url=https://client.example/",
            "/%41/client.json",
            "/client.example",
            "/@client.example/client.json",
        ] {
            ids.push(format!("https://{host}{rest}"));
        }
    }
    assert!(ids.len() > 200, "{}", ids.len());
    for id in &ids {
        let page = door.asked(id).await;
        let said = refusal(&page, id);
        let why = "is not the address of a public server.";
        assert!(said.contains(why), "{id}: {said}");
    }
    // Other spellings are no ids at all.
    for id in [
        format!("https://2130706433:{port}/client.json"),
        format!("https://0x7f000001:{port}/client.json"),
        format!("https://0177.0.0.1:{port}/client.json"),
        format!("https://127.1:{port}/client.json"),
        format!("https://127.0.0.1.:{port}/client.json"),
        format!("https://[0:0:0:0:0:0:0:1]:{port}/client.json"),
        format!("https://[::ffff:127.0.0.1]:{port}/client.json"),
        format!("https://LOCALHOST:{port}/client.json"),
        format!("https://①②⑦.⓪.⓪.①:{port}/client.json"),
        format!("https://client.example@127.0.0.1:{port}/client.json"),
        format!("https://127.0.0.1:{port}/a/../client.json"),
        format!("https://127.0.0.1:{port}/client.json#client.example"),
        format!("https://127.0.0.1:{port}\\@client.example/client.json"),
        format!("https://127.0.0.1:{port}"),
        format!("https://127.0.0.1:{port}/{}", "a".repeat(1_000)),
        format!("http://127.0.0.1:{port}/client.json"),
        format!("HTTPS://127.0.0.1:{port}/client.json"),
        format!("gopher://127.0.0.1:{port}/client.json"),
        "file:///etc/passwd".to_owned(),
    ] {
        let page = door.asked(&id).await;
        let said = refusal(&page, &id);
        let known = [
            "The client's id is not an https address of a document.",
            "The client is not registered here.",
        ];
        assert!(known.iter().any(|why| said.contains(why)), "{id}: {said}");
    }
    for canary in &canaries {
        assert_eq!(canary.connections(), 0, "{}", canary.address);
        // It would have seen one.
        TcpStream::connect(canary.address).unwrap();
        assert_eq!(canary.connections(), 1, "{}", canary.address);
    }
}

#[tokio::test]
async fn what_an_operator_allows_opens_no_other_port_and_no_other_name() {
    let site = TlsServer::start(|origin, path| match path {
        "/client.json" => Answer::json(document(&format!("{origin}{path}")).to_string()),
        _ => Answer::not_found(),
    })
    .await;
    let canary = Canary::listen("127.0.0.1").unwrap();
    let door = Door::open_to(&site).await;
    let page = door.asked(&site.url("/client.json")).await;
    assert_eq!(page.status, 200, "{}", page.html);
    assert!(page.html.contains("A described client"), "{}", page.html);
    let fetched = site.connections();
    for host in [
        canary.address.to_string(),
        format!("localhost:{}", canary.address.port()),
    ] {
        let id = format!("https://{host}/client.json");
        let said = refusal(&door.asked(&id).await, &id);
        assert!(said.contains("not the address of a public"), "{id}: {said}");
    }
    assert_eq!(canary.connections(), 0);
    assert_eq!(site.connections(), fetched);
}

#[tokio::test]
async fn a_document_with_a_fault_is_refused_on_a_page_that_names_it() {
    let canary = Canary::listen("127.0.0.1").unwrap();
    let inside = format!("https://{}/client.json", canary.address);
    let site = TlsServer::start(move |origin, path| {
        let mut good = document(&format!("{origin}{path}"));
        let mut with = |name: &str, value: Value| {
            good[name] = value;
            Answer::json(good.to_string())
        };
        match path {
            "/moved" => Answer::redirect("/client.json"),
            "/moved-inside" => Answer::redirect(&inside),
            "/large" => with("padding", "x".repeat(6_000).into()),
            "/page" => Answer::of("text/html", good.to_string()),
            "/broken" => Answer::json("{\"client_id\":"),
            "/list" => Answer::json(json!([good]).to_string()),
            "/of-another" => with("client_id", format!("{origin}/client.json").into()),
            "/nameless-id" => with("client_id", Value::Null),
            "/unsafe" => with("redirect_uris", json!([CALLBACK, "http://evil.example/cb"])),
            "/script" => with("redirect_uris", json!(["javascript://x/%0aalert(1)"])),
            "/nowhere" => with("redirect_uris", json!([])),
            "/elsewhere" => with("redirect_uris", json!(["https://client.example/cb"])),
            "/secret" => with("client_secret", "secret".into()),
            "/post" => with("token_endpoint_auth_method", "client_secret_post".into()),
            "/key" => with("token_endpoint_auth_method", "private_key_jwt".into()),
            "/machine" => with("grant_types", json!(["client_credentials"])),
            "/client.json" => Answer::json(good.to_string()),
            _ => Answer::not_found(),
        }
    })
    .await;
    let faults = [
        ("/moved", "it answered 302 and not JSON"),
        ("/moved-inside", "it answered 302 and not JSON"),
        ("/gone", "it answered 404 and not JSON"),
        ("/page", "it answered 200 and not JSON"),
        ("/large", "has more than 5120 bytes"),
        ("/broken", "The client's description is not valid"),
        ("/list", "The client's description is not valid"),
        ("/nameless-id", "The client's description is not valid"),
        ("/of-another", "The client's description is of another"),
        ("/unsafe", "The redirect URI is refused"),
        ("/script", "The redirect URI is refused"),
        ("/nowhere", "A client has 1 to 10 redirect URIs"),
        ("/elsewhere", "The redirect URI is not one of the client's"),
        ("/secret", "clients are public here"),
        ("/post", "clients are public here"),
        ("/key", "clients are public here"),
        ("/machine", "grant_types must have authorization_code"),
    ];
    // Nobody makes a server look at more than ten in a minute.
    for some in faults.chunks(10) {
        let door = Door::open_to(&site).await;
        for (path, why) in some {
            let id = site.url(path);
            let said = refusal(&door.asked(&id).await, &id);
            assert!(said.contains(why), "{id}: {said}");
        }
    }
    // One look each, and none where a redirect led.
    let looks = faults.map(|(path, _)| format!("GET {path}"));
    assert_eq!(site.requests(), looks);
    assert_eq!(canary.connections(), 0);
    let door = Door::open_to(&site).await;
    let page = door.asked(&site.url("/client.json")).await;
    assert_eq!(page.status, 200, "{}", page.html);
}

#[tokio::test]
async fn what_connectors_may_reach_is_nothing_for_documents() {
    let site = TlsServer::start(|origin, path| {
        Answer::json(document(&format!("{origin}{path}")).to_string())
    })
    .await;
    let (allow, ca_file) = (json!([site.authority, "127.0.0.0/8"]), site.ca_file());
    let settings = [
        ("EGRESS_ALLOW", allow.to_string()),
        ("EGRESS_CA_FILE", ca_file.to_str().unwrap().to_owned()),
    ];
    let settings = settings
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let door = Door::open(&settings).await;
    let id = site.url("/client.json");
    let said = refusal(&door.asked(&id).await, &id);
    assert!(said.contains("not the address of a public"), "{said}");
    assert_eq!(site.connections(), 0);
}

/// The documents that `ChatGPT` publishes, one for all and one for each of a person's own.
#[tokio::test]
async fn a_client_that_would_rather_sign_with_a_key_steps_down() {
    const CHATGPT: &str = "https://chatgpt.example/connector_platform_oauth_redirect";
    let site = TlsServer::start(|origin, path| {
        let mut described = json!({
            "client_id": format!("{origin}{path}"),
            "client_uri": "https://chatgpt.example/",
            "redirect_uris": [CHATGPT],
            "token_endpoint_auth_method": "private_key_jwt",
            "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "client_name": "ChatGPT",
            "logo_uri": "https://chatgpt.example/logo.png",
            "token_endpoint_auth_signing_alg": "RS256",
            "jwks_uri": format!("{origin}/jwks.json"),
        });
        if path == "/oauth/own/client.json" {
            described["token_endpoint_auth_methods_supported"] = Value::Null;
        }
        Answer::json(described.to_string())
    })
    .await;
    let door = Door::open_to(&site).await;
    let metadata = format!("{}/.well-known/oauth-authorization-server", door.server.url);
    let metadata: Value = reqwest::get(&metadata).await.unwrap().json().await.unwrap();
    let methods = &metadata["token_endpoint_auth_methods_supported"];
    assert_eq!(methods, &json!(["none"]), "what it steps down to");
    for path in ["/oauth/client.json", "/oauth/own/client.json"] {
        let id = site.url(path);
        let asked = [("client_id", id.as_str()), ("redirect_uri", CHATGPT)];
        let question = door.client.question(&asked);
        let page = door.person.get(&question).await;
        // Another port of a host is another server.
        let vouches = format!("{} vouches for this name", site.authority);
        assert!(
            page.texts("main").join(" ").contains(&vouches),
            "{}",
            page.html
        );
        let back = door.person.agrees_to(&question).await;
        let code = param(&back, "code").unwrap();
        let pairs = [
            ("grant_type", "authorization_code"),
            ("code", &code),
            ("redirect_uri", CHATGPT),
            ("client_id", &id),
            ("code_verifier", quaymaster_tests::oauth_client::VERIFIER),
            ("client_assertion", "a.b.c"),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
        ];
        let (status, tokens) = door.client.post("/token", &pairs).await;
        assert_eq!(status, 200, "{tokens}");
    }
    let looks = site.requests();
    assert!(!looks.iter().any(|look| look.contains("jwks")), "{looks:?}");
}

#[tokio::test]
async fn a_document_is_looked_at_once_for_all_who_ask_and_a_failure_is_believed_for_a_while() {
    let site = TlsServer::start(|origin, path| match path {
        "/client.json" => Answer::json(document(&format!("{origin}{path}")).to_string()),
        _ => Answer::not_found(),
    })
    .await;
    let door = Door::open_to(&site).await;
    for (path, status) in [("/client.json", 200), ("/gone", 400)] {
        let id = site.url(path);
        let all = (0..8).map(|_| door.asked(&id));
        for page in futures_util::future::join_all(all).await {
            assert_eq!(page.status, status, "{}", page.html);
        }
        assert_eq!(door.asked(&id).await.status, status);
    }
    assert_eq!(site.requests(), ["GET /client.json", "GET /gone"]);
}

#[tokio::test]
async fn one_person_has_ten_documents_a_minute_looked_at() {
    let site = TlsServer::start(|origin, path| {
        Answer::json(document(&format!("{origin}{path}")).to_string())
    })
    .await;
    let door = Door::open_to(&site).await;
    for n in 0..12 {
        let page = door.asked(&site.url(&format!("/{n}.json"))).await;
        assert_eq!(page.status, if n < 10 { 200 } else { 429 }, "{n}");
    }
    assert_eq!(site.requests().len(), 10);
    // What is known already costs nothing.
    assert_eq!(door.asked(&site.url("/0.json")).await.status, 200);
}

#[tokio::test]
async fn four_documents_are_looked_at_at_a_time() {
    // It takes connections and says nothing.
    let silent = Canary::listen("127.0.0.1").unwrap();
    let allow = json!([silent.address.to_string()]).to_string();
    let door = Door::open(&[(ALLOW, &allow)]).await;
    let ids: Vec<_> = (0..6)
        .map(|n| format!("https://{}/{n}.json", silent.address))
        .collect();
    let all = futures_util::future::join_all(ids.iter().map(|id| door.asked(id)));
    let counted = async {
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        // Counting ends them, which makes room for the others.
        let first = silent.connections();
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        (first, silent.connections())
    };
    let looking = async {
        all.await;
        std::future::pending::<()>().await;
    };
    tokio::select! {
        counts = counted => assert_eq!(counts, (4, 2)),
        () = looking => unreachable!("it waits for ever"),
    }
}

#[tokio::test]
async fn a_site_without_a_believed_certificate_describes_no_client() {
    let site = TlsServer::start(|origin, path| {
        Answer::json(document(&format!("{origin}{path}")).to_string())
    })
    .await;
    let allow = json!([site.authority]).to_string();
    let door = Door::open(&[(ALLOW, &allow)]).await;
    let id = site.url("/client.json");
    let said = refusal(&door.asked(&id).await, &id);
    assert!(said.contains("No secure connection to"), "{said}");
    assert!(site.requests().is_empty());
}

#[tokio::test]
async fn nobody_who_is_not_signed_in_makes_the_server_fetch() {
    let site = TlsServer::start(|origin, path| match path {
        "/client.json" => {
            let mut described = document(&format!("{origin}{path}"));
            for name in ["logo_uri", "client_uri", "jwks_uri", "policy_uri"] {
                described[name] = format!("{origin}/{name}").into();
            }
            Answer::json(described.to_string())
        }
        _ => Answer::not_found(),
    })
    .await;
    let door = Door::open_to(&site).await;
    let id = site.url("/client.json");
    let question = door.question(&id);
    let (_, query) = question.split_once('?').unwrap();

    let stranger = Person::of(&door.server.url);
    let page = stranger.get(&question).await;
    assert!(page.path.starts_with("/sign-in"), "{}", page.path);
    let answer = [("query", query), ("answer", "allow")];
    let page = stranger.send("/authorize", &[], &answer).await;
    assert_eq!(page.away, None, "{page:?}");
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", "code"),
        ("client_id", &id),
        ("code_verifier", quaymaster_tests::oauth_client::VERIFIER),
    ];
    let (status, error) = door.client.post("/token", &pairs).await;
    assert_eq!(
        (status, &error["error"]),
        (400, &json!("invalid_grant")),
        "{error}"
    );
    let pairs = [("token", "token"), ("client_id", &id)];
    assert_eq!(door.client.post("/revoke", &pairs).await.0, 200);
    let mut metadata = document(&id);
    for name in ["logo_uri", "client_uri", "jwks_uri", "software_statement"] {
        metadata[name] = site.url(&format!("/{name}")).into();
    }
    let (status, registered) = door
        .server
        .rest("", "POST", "/register", Some(metadata))
        .await;
    assert_eq!(status, 201, "{registered}");
    assert_eq!(site.connections(), 0);

    // Signed in, the document is looked at once, and nothing that it mentions.
    let back = door.person.agrees_to(&question).await;
    assert!(param(&back, "code").is_some(), "{back}");
    door.person.agrees_to(&question).await;
    assert_eq!(site.requests(), ["GET /client.json"]);
}
