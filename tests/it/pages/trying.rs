//! A person tries a call of a connector on its page.

use super::looks::look;
use super::*;
use quaymaster_tests::services::SECRET;
use quaymaster_tests::{Database, Desk, Person, Service};

const PAGE: &str = "/connectors/powerdns/modules/zones/create_zone";

#[tokio::test]
async fn a_call_is_tried_and_its_result_or_fault_is_shown() {
    let service = Service::powerdns().await;
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    tab.open(&format!("{}/connectors/powerdns/modules/zones", server.url))
        .await;
    tab.follow(&format!("a[href='{PAGE}']")).await;
    tab.until_text("#try", "No account to call it with").await;
    look(&tab, "a call without an account").await;

    tab.open(&format!("{}/connectors/powerdns", server.url))
        .await;
    tab.fill("#field-url", &service.url).await;
    tab.fill("#field-api_key", SECRET).await;
    tab.fill("#account-name", "harbour").await;
    tab.click("#local").await;
    tab.follow("form[action$='/connect'] button").await;
    tab.open(&format!("{}{PAGE}", server.url)).await;
    tab.until_text("#account", "powerdns:harbour").await;
    look(&tab, "the form of a call").await;

    let field = |name: &str| format!("[name='input.{name}']");
    let send = "#try button[type=submit]";
    tab.fill(&field("name"), "example.org.").await;
    tab.fill(&field("nameservers"), "ns1").await;
    tab.follow(send).await;
    tab.until_text("#notices", "This is not JSON").await;
    // The browser tells that the page came with 422.
    assert_eq!(tab.complaints().await.len(), 1);
    look(&tab, "an input that is wrong").await;
    tab.fill(&field("nameservers"), "[\"ns1.example.org.\"]")
        .await;
    tab.value(&format!(
        "document.querySelector(\"{}\").value = 'Native'",
        field("kind")
    ))
    .await;
    tab.follow(send).await;
    tab.until_text("#outcome", "The service answered 201.")
        .await;
    tab.until_text("#outcome-text", "example.org.").await;
    look(&tab, "a result").await;
    assert!(!has(&tab, SECRET).await);

    // What was given stands there still; once more is refused by the service.
    tab.follow(send).await;
    tab.until_text("#outcome", "It failed").await;
    tab.until_text("#outcome", "UPSTREAM_ERROR").await;
    tab.until_text("#outcome", "Correct the inputs").await;
    look(&tab, "a fault").await;
    assert_eq!(tab.complaints().await, NOTHING);

    // Both are written down as the person's.
    tab.open(&format!("{}/workspaces/{}", server.url, server.workspace))
        .await;
    tab.until_text("#calls", "connector_execute").await;
    tab.until_text("#calls", "Owner").await;
    tab.until_text("#calls", "page").await;
}

#[tokio::test]
async fn it_works_without_a_script_and_only_for_those_who_may() {
    let service = Service::powerdns().await;
    let desk = Desk::open(Database::Sqlite).await;
    let account = desk.connect("powerdns", "main", &service, &[]).await;
    let server = &desk.server;
    let person = Person::owner(&server.url, &server.sign_in_link).await;
    let page = person.get(PAGE).await;
    let form = page.form(PAGE);
    let given = [
        ("input.name", "<script>alert(1)</script>.example."),
        ("input.kind", "Native"),
        ("input.nameservers", "[\"ns1.example.org.\"]"),
    ];
    let answer = person.send(PAGE, &form, &given).await;
    assert!(answer.html.contains("&#60;script"), "{}", answer.html);
    assert!(!answer.html.contains("<script>alert"), "{}", answer.html);
    let given = [("input.name", "plain.example."), given[1], given[2]];
    let answer = person.send(PAGE, &form, &given).await;
    assert!(
        answer.html.contains("The service answered 201."),
        "{}",
        answer.html
    );
    let given = [given[1], given[2]];
    let answer = person.send(PAGE, &form, &given).await;
    assert_eq!(answer.status, 422, "{}", answer.html);

    // Not by somebody else's form, not by strangers, and with no account of others.
    let foreign = [("csrf", "no-such-token"), ("input.name", "other.example.")];
    let refused = person.send(PAGE, &form, &foreign).await;
    assert_eq!(refused.status, 403, "{}", refused.html);
    let stranger = Person::of(&server.url);
    let led = stranger.get(PAGE).await;
    assert!(led.path.starts_with("/sign-in"), "{}", led.path);
    let other = Desk::open(Database::Sqlite).await;
    let foreign = other.connect("powerdns", "main", &service, &[]).await;
    assert_ne!(foreign["id"], account["id"]);
    let foreign = [
        ("account", foreign["id"].as_str().unwrap()),
        ("input.name", "stolen.example."),
        given[0],
        given[1],
    ];
    let refused = person.send(PAGE, &form, &foreign).await;
    assert_eq!(refused.status, 422, "{}", refused.html);
    let said = refused.texts("#account-error");
    assert_eq!(said, ["PowerDNS has no such account."]);
    let zones =
        json!({ "service": "powerdns", "method": "GET", "path": "/servers/localhost/zones" });
    let zones = desk.execute(zones).await.unwrap().to_string();
    assert!(
        zones.contains("plain.example.") && !zones.contains("stolen"),
        "{zones}"
    );
}
