//! Accounts of outside services: connected to a real one, wrong and right, used by an agent,
//! disconnected.

use super::looks::look;
use super::*;
use quaymaster_tests::Service;
use quaymaster_tests::services::SECRET;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// Fills in the form of the page of `PowerDNS` and sends it. The path of the account.
async fn connect(tab: &Tab, server: &Server, name: &str, url: &str, key: &str) -> String {
    tab.open(&format!("{}/connectors/powerdns", server.url))
        .await;
    tab.fill("#field-url", url).await;
    tab.fill("#field-api_key", key).await;
    tab.fill("#account-name", name).await;
    tab.click("#local").await;
    tab.follow("form[action$='/connect'] button").await;
    tab.path().await
}

#[tokio::test]
async fn an_account_is_connected_to_a_real_service_used_and_disconnected() {
    let service = Service::powerdns().await;
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    tab.follow("nav.nav a[href='/connectors']").await;
    tab.fill("#query", "name server").await;
    tab.follow(".search button").await;
    tab.follow(".card > a[href='/connectors/powerdns']").await;
    tab.until_text("#accounts", "No account yet").await;
    // The browser itself asks for what is needed.
    tab.click("form[action$='/connect'] button").await;
    tab.until("document.querySelector('#field-url:invalid') !== null")
        .await;
    assert_eq!(tab.path().await, "/connectors/powerdns");

    let path = connect(&tab, &server, "harbour", &service.url, "no-such-key").await;
    assert!(path.starts_with("/connections/con_"), "{path}");
    tab.until_text("#notices", "it does not work yet").await;
    assert_eq!(tab.text("#account .status").await, "ERROR");
    let problem = tab.text(".account-problem").await;
    assert!(problem.contains("PowerDNS"), "{problem}");
    assert!(!has(&tab, "no-such-key").await);
    look(&tab, "an account that does not work").await;

    tab.fill("#field-api_key", SECRET).await;
    tab.follow("form[action$='/credentials'] button").await;
    tab.until_text("#notices", "The new credentials are stored, and work.")
        .await;
    assert_eq!(tab.text("#account .status").await, "ACTIVE");
    assert!(!has(&tab, SECRET).await);
    look(&tab, "an account that works").await;
    tab.click("form[action$='/verify'] button").await;
    tab.until_text("#notices", "The account works.").await;

    let key = server.api_key(&["read:tools", "write:tools"]).await;
    let agent = Mcp::open(&server.endpoint, &key).await;
    let call =
        json!({ "service": "powerdns", "method": "GET", "path": "/servers/localhost/zones" });
    agent.call("connector_execute", call.clone()).await.unwrap();
    tab.open(&format!("{}/workspaces/{}", server.url, server.workspace))
        .await;
    tab.until_text("#calls", "powerdns:harbour").await;
    tab.until_text("#calls", "service: 200").await;

    tab.open(&format!("{}{path}", server.url)).await;
    tab.fill("#account-name", "quay").await;
    tab.follow("form[action$='/rename'] button").await;
    tab.until_text("h1", "powerdns:quay").await;
    tab.click("[data-dialog='disconnect']").await;
    tab.until("document.getElementById('disconnect').matches(':modal')")
        .await;
    tab.follow("#disconnect .destructive").await;
    assert_eq!(tab.path().await, "/connectors/powerdns");
    tab.until_text("#notices", "The account is disconnected.")
        .await;
    tab.until_text("#accounts", "No account yet").await;
    let refused = agent.call("connector_execute", call).await.unwrap_err();
    assert!(
        refused.to_string().contains("CONNECTION_REQUIRED"),
        "{refused:?}"
    );
    assert_eq!(tab.complaints().await, NOTHING);
}

/// A service that calls itself a script, and answers anybody.
async fn hostile_service(says: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 8192];
            let read = stream.read(&mut request).await.unwrap_or(0);
            let is_known = String::from_utf8_lossy(&request[..read]).contains("right-key");
            let (status, member) = if is_known {
                ("200 OK", "version")
            } else {
                ("401 Unauthorized", "error")
            };
            let body = json!({ member: says }).to_string();
            let answer = format!(
                "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn what_a_hostile_service_answers_runs_in_no_browser() {
    const HOSTILE: &str = "\"'><img src=x onerror=\"window.hit=1\"><script>window.hit=1</script>";
    let url = hostile_service(HOSTILE).await;
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    let works = connect(&tab, &server, "works", &url, "right-key").await;
    tab.until_text("#account .summary", "onerror").await;
    let fails = connect(&tab, &server, "fails", &url, "wrong-key").await;
    tab.until_text(".account-problem", "onerror").await;
    for path in [&works, &fails, "/connectors/powerdns", "/connectors"] {
        tab.open(&format!("{}{path}", server.url)).await;
        let hit = tab.value("window.hit === undefined && !document.querySelector('main img')");
        assert_eq!(hit.await, true, "{path}");
        look(&tab, path).await;
    }
    assert_eq!(tab.complaints().await, NOTHING);
}
