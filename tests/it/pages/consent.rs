//! An OAuth client sends its person to the consent page; a program on this machine waits for the
//! answer.

use super::*;
use quaymaster_tests::OAuthClient;
use quaymaster_tests::oauth_client::{VERIFIER, param};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

/// What a client opens on its machine while it waits: it answers every request with a page, or
/// sends the browser on, and says what was asked for.
pub(super) struct Listener {
    address: String,
    asked: mpsc::UnboundedReceiver<String>,
}

impl Listener {
    pub(super) async fn showing(html: String) -> Listener {
        let length = html.len();
        Listener::answering(format!(
            "200 OK\r\ncontent-type: text/html\r\ncontent-length: {length}\r\n\r\n{html}"
        ))
        .await
    }

    async fn sending_on(to: &str) -> Listener {
        Listener::answering(format!(
            "302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"
        ))
        .await
    }

    async fn answering(answer: String) -> Listener {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (tell, asked) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer_one(stream, answer.clone(), tell.clone()));
            }
        });
        Listener { address, asked }
    }

    /// The address that the client gave as its redirect address.
    pub(super) fn callback(&self) -> String {
        format!("{}/callback", self.address)
    }

    /// The whole address with which the browser came back.
    pub(super) async fn came_back(&mut self) -> String {
        let wait = Duration::from_secs(20);
        loop {
            let asked = tokio::time::timeout(wait, self.asked.recv()).await;
            let path = asked.expect("the browser comes back").unwrap();
            if path.starts_with("/callback") {
                return format!("{}{path}", self.address);
            }
        }
    }
}

async fn answer_one(stream: TcpStream, answer: String, tell: mpsc::UnboundedSender<String>) {
    let mut stream = BufReader::new(stream);
    let mut first = String::new();
    // Browsers open connections that they may need later.
    if stream.read_line(&mut first).await.is_err() || first.is_empty() {
        return;
    }
    let mut line = String::new();
    while stream.read_line(&mut line).await.is_ok_and(|read| read > 2) {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let answer = if path == "/favicon.ico" {
        "204 No Content\r\n\r\n"
    } else {
        let _ = tell.send(path.to_owned());
        &answer
    };
    let answer = format!("HTTP/1.1 {answer}");
    let _ = stream.write_all(answer.as_bytes()).await;
    let _ = stream.shutdown().await;
}

pub(super) fn done() -> String {
    "<!doctype html><title>Done</title><h1>Connected</h1>".to_owned()
}

pub(super) async fn exchange(client: &OAuthClient, answer: &str, callback: &str) -> String {
    let code = param(answer, "code").unwrap();
    let pairs = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", callback),
        ("client_id", &client.id),
        ("code_verifier", VERIFIER),
    ];
    let (status, tokens) = client.post("/token", &pairs).await;
    assert_eq!(status, 200, "{tokens}");
    tokens["access_token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn somebody_unknown_signs_in_allows_a_client_and_revokes_it() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    owner(&server, &browser).await;
    let client = OAuthClient::register(&server.url, "Test client").await;
    let mut listener = Listener::showing(done()).await;
    let callback = listener.callback();
    let question = client.question(&[("redirect_uri", &callback)]);

    let tab = browser.tab().await;
    tab.open(&question).await;
    assert_eq!(tab.path().await, "/sign-in");
    tab.fill("#email", EMAIL).await;
    tab.fill("#password", PASSWORD).await;
    tab.follow("main button[type=submit]").await;
    assert_eq!(tab.path().await, "/authorize");
    let asked = tab.text("main").await;
    for part in [
        "Test client asks to use the files of a workspace of Harbour works.",
        "This name is what the program says of itself.",
        "Goes back to A program on this computer",
        "Signed in as owner@example.com",
    ] {
        assert!(asked.contains(part), "{part}: {asked}");
    }
    tab.follow("button[value=allow]").await;
    assert_eq!(tab.text("h1").await, "Connected");
    let answer = listener.came_back().await;
    assert_eq!(param(&answer, "state").as_deref(), Some("a-state"));
    assert_eq!(param(&answer, "iss"), Some(server.url.clone()));
    let token = exchange(&client, &answer, &callback).await;
    let bearer = format!("Bearer {token}");
    assert_eq!(tools(&server.endpoint, &bearer).await, 19);
    assert_eq!(tab.complaints().await, NOTHING);

    tab.open(&server.url).await;
    to_workspace(&tab).await;
    let row = "Test client A program on Owner’s computer Read and write";
    tab.until_text("#connected-clients", row).await;
    let button = confirm(&tab, "#connected-clients", "Test client", "Revoke").await;
    tab.click(&button).await;
    tab.until_text("#connected-clients", "No client connected yet")
        .await;
    assert_eq!(status(&server.endpoint, &token).await, 401);
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn somebody_new_comes_back_to_the_client_and_may_cancel() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let client = OAuthClient::register(&server.url, "Test client").await;
    let mut listener = Listener::showing(done()).await;
    let question = client.question(&[("redirect_uri", &listener.callback())]);

    let tab = browser.tab().await;
    tab.open(&question).await;
    assert_eq!(tab.path().await, "/sign-in");
    tab.open(&server.sign_in_link).await;
    tab.follow("main button[type=submit]").await;
    assert_eq!(tab.path().await, "/welcome");
    tab.fill("#name", "Owner").await;
    tab.fill("#email", EMAIL).await;
    tab.fill("#password", PASSWORD).await;
    tab.fill("#organization", "Harbour works").await;
    tab.follow("main button[type=submit]").await;
    assert_eq!(tab.path().await, "/authorize");
    tab.follow("button[value=cancel]").await;
    let answer = listener.came_back().await;
    let error = param(&answer, "error");
    assert_eq!(error.as_deref(), Some("access_denied"));
    assert_eq!(param(&answer, "code"), None);
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn the_answer_may_lead_on_from_the_client_to_wherever_it_wants() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    let client = OAuthClient::register(&server.url, "Test client").await;
    let last = Listener::showing(done()).await;
    let mut first = Listener::sending_on(&last.address).await;
    let question = client.question(&[("redirect_uri", &first.callback())]);
    tab.open(&question).await;
    tab.follow("button[value=allow]").await;
    assert!(param(&first.came_back().await, "code").is_some());
    assert_eq!(tab.text("h1").await, "Connected");
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn no_page_frames_the_consent_page() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    let client = OAuthClient::register(&server.url, "Test client").await;
    let question = client.question(&[]);
    tab.open(&question).await;
    assert_eq!(tab.text("h1").await, "Connect a client");
    assert_eq!(tab.complaints().await, NOTHING);
    // Another port is the same site, so that the cookie is sent.
    let question = question.replace('&', "&amp;");
    let frame = format!("<!doctype html><title>Trap</title><iframe src=\"{question}\"></iframe>");
    let trap = Listener::showing(frame).await;
    tab.open(&trap.address).await;
    let complaints = tab.complaints().await.join(" ");
    assert!(complaints.contains("frame-ancestors"), "{complaints}");
}

#[tokio::test]
async fn a_client_that_opens_a_window_keeps_hold_of_it() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    let client = OAuthClient::register(&server.url, "Test client").await;
    let opener = |name: &str, url: &str| {
        let url = url.replace('&', "&amp;");
        format!(
            "<button id={name} data-url=\"{url}\" onclick=\"w.{name} = window.open(dataset.url)\">"
        )
    };
    let html = format!(
        "<!doctype html><title>Client</title><script>w = {{}}</script>{}{}",
        opener("consent", &client.question(&[])),
        opener("settings", &format!("{}/settings", server.url)),
    );
    let page = Listener::showing(html).await;
    tab.open(&page.address).await;
    tab.click("#consent").await;
    tab.until("w.consent.closed === false").await;
    // Any other page parts with whoever opened it, which looks from there as if it closed.
    tab.click("#settings").await;
    tab.until("w.settings.closed === true").await;
    tab.until("w.consent.closed === false").await;
}
