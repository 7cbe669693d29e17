//! What holds for every page of hosted servers: names are text, refusals lose nothing, and rights.

use super::servers::look_closely;
use super::*;
use quaymaster_tests::{Database, Developer, Person, Visitor};

#[tokio::test]
async fn hostile_names_are_shown_as_text_on_every_page_of_servers() {
    const HOSTILE: &str = "\"'><img src=x onerror=\"window.hit=1\"><script>window.hit=1</script>";
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    let own = desk
        .integrate(
            json!({ "integrationName": "slack", "connectionId": main, "displayName": HOSTILE }),
        )
        .await;
    let made = desk
        .serve(json!({ "name": &HOSTILE[..60], "description": HOSTILE }))
        .await;
    let tool = desk
        .add(
            &made,
            json!({
                "integrationName": "slack", "actionName": "send_channel_message",
                "displayName": HOSTILE, "description": HOSTILE,
                "inputDefaults": { "text": HOSTILE },
            }),
        )
        .await;
    let partial = desk
        .partial(json!({ "name": &HOSTILE[..60], "description": HOSTILE, "values": { "text": HOSTILE } }))
        .await;
    let person = desk.end_user(HOSTILE).await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    let workspace = format!("/workspaces/{}", desk.server.workspace);
    let server = format!("/servers/{}", made.id);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let paths = [
        format!("{workspace}/integrations"),
        format!("{workspace}/integrations/{}", text(&own["id"])),
        format!("{workspace}/integrations/new?query=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E"),
        format!("{workspace}/servers"),
        server.clone(),
        format!("{server}/tools?query=%22%3E%3Cimg%20src=x%3E"),
        format!("{server}/tools/{}", text(&tool["id"])),
        format!("{server}/try"),
        format!("{server}/try/slack__send_channel_message"),
        format!("{workspace}/partials"),
        format!("/partials/{}", text(&partial["id"])),
        format!("{workspace}/end-users?query=%3Cimg%20src=x%3E"),
        format!("{workspace}/end-users"),
        format!("/end-users/{person}"),
    ];
    for path in &paths {
        tab.open(&format!("{}{path}", desk.server.url)).await;
        let hit = tab.value("window.hit === undefined && !document.querySelector('main img')");
        assert_eq!(hit.await, true, "{path}");
        look_closely(&tab, path).await;
    }
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn a_conflict_of_partials_stands_at_its_field_and_nothing_typed_is_lost() {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    let own = desk
        .integrate(json!({ "integrationName": "slack", "connectionId": main }))
        .await;
    desk.partial(json!({
        "name": "first", "actionName": "send_channel_message", "values": { "channel": "C1" },
        "enforcedKeys": ["channel"], "isDefault": true,
    }))
    .await;
    let person = Person::owner(&desk.server.url, &desk.server.sign_in_link).await;
    let id = own["id"].as_str().unwrap();
    let path = format!("/workspaces/{}/partials/new/{id}", desk.server.workspace);
    let page = person
        .get(&format!("{path}?action=send_channel_message"))
        .await;
    let form = page.form(&path);
    let given = [
        ("name", "second"),
        ("input.channel", "C2"),
        ("input.text", "kept"),
        ("enforced", "channel"),
        ("default", "yes"),
    ];
    let refused = person.send(&path, &form, &given).await;
    assert_eq!(refused.status, 422, "{}", refused.html);
    let under = refused.texts("#input-0-error");
    assert!(under[0].contains("with different values"), "{under:?}");
    assert!(refused.html.contains("value=\"kept\""), "{}", refused.html);
    // Locked without a value.
    let given = [
        ("name", "second"),
        ("input.channel", ""),
        ("enforced", "channel"),
    ];
    let refused = person.send(&path, &form, &given).await;
    let under = refused.texts("#input-0-error");
    assert_eq!((refused.status, under.len()), (422, 1), "{}", refused.html);
    let given = [
        ("name", "second"),
        ("input.channel", "C2"),
        ("enforced", "channel"),
    ];
    let saved = person.send(&path, &form, &given).await;
    assert!(saved.html.contains("second"), "{}", saved.html);
}

#[tokio::test]
async fn a_member_sees_servers_and_tries_them_and_changes_nothing() {
    let desk = Developer::open(Database::Sqlite).await;
    let main = desk.chat_account("main").await;
    let own = desk
        .integrate(json!({ "integrationName": "slack", "connectionId": main }))
        .await;
    let made = desk.serve(json!({})).await;
    let tool = desk
        .add(
            &made,
            json!({ "integrationName": "slack", "actionName": "list_users" }),
        )
        .await;
    let partial = desk
        .partial(json!({ "name": "p", "values": { "text": "secret-of-admins" } }))
        .await;
    let end_user = desk.end_user("user_1").await;
    let mut owner = Visitor::owner(&desk.server).await;
    let mut member = owner.invite("member@example.com", "member").await;
    let workspace = format!("/workspaces/{}", desk.server.workspace);
    let server = format!("/servers/{}", made.id);
    let (integration, tool) = (own["id"].as_str().unwrap(), tool["id"].as_str().unwrap());
    for path in ["/servers", "/integrations"] {
        let page = member.get(&format!("{workspace}{path}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let posts = page.body.matches("method=\"post\"").count();
        assert_eq!(posts, 1, "only the one that signs out: {}", page.body);
        assert!(!page.body.contains("/partials") && !page.body.contains("/end-users"));
    }
    let page = member.get(&server).await;
    assert_eq!(
        (page.status, page.body.matches("method=\"post\"").count()),
        (200, 1)
    );
    assert!(
        !page.body.contains(&format!("{server}/tools")),
        "{}",
        page.body
    );
    let page = member.get(&format!("{server}/try/slack__list_users")).await;
    assert_eq!(page.status, 200, "{}", page.body);
    let tried = member
        .submit(&format!("{server}/try/slack__list_users"), &[])
        .await;
    assert!(tried.body.contains("unknown_method"), "{}", tried.body);

    let partial = format!("/partials/{}", partial["id"].as_str().unwrap());
    let end_user = format!("/end-users/{end_user}");
    let closed = [
        format!("{workspace}/integrations/new"),
        format!("{workspace}/integrations/new/slack"),
        format!("{workspace}/integrations/{integration}"),
        format!("{workspace}/partials"),
        format!("{workspace}/partials/new"),
        format!("{workspace}/partials/new/{integration}"),
        format!("{workspace}/end-users"),
        format!("{server}/tools"),
        format!("{server}/tools/{tool}"),
        partial.clone(),
        end_user.clone(),
    ];
    for path in &closed {
        let page = member.get(path).await;
        assert_eq!(page.status, 403, "{path}");
        assert!(!page.body.contains("secret-of-admins"), "{path}");
    }
    let changes = [
        format!("{workspace}/integrations/new/slack"),
        format!("{workspace}/integrations/{integration}"),
        format!("{workspace}/integrations/{integration}/remove"),
        format!("{workspace}/servers"),
        format!("{workspace}/partials/new/{integration}"),
        format!("{workspace}/end-users"),
        format!("{server}/settings"),
        format!("{server}/token"),
        format!("{server}/delete"),
        format!("{server}/tools"),
        format!("{server}/tools/{tool}"),
        format!("{server}/tools/{tool}/remove"),
        partial.clone(),
        format!("{partial}/delete"),
        format!("{end_user}/link"),
        format!("{end_user}/delete"),
    ];
    for path in &changes {
        assert_eq!(
            member.submit(path, &[("follow", "yes")]).await.status,
            403,
            "{path}"
        );
    }
    assert_eq!(status(&made.endpoint, &made.token).await, 200);

    // In another organization all of it is unknown.
    let made = desk
        .server
        .cli_json(&["organization", "create", "Other"])
        .await;
    let link = made["sign_in_link"].as_str().unwrap();
    let mut stranger = Visitor::first(&desk.server, link, "other@example.com", "Other").await;
    for path in closed.iter().chain([&server, &format!("{server}/try")]) {
        assert_eq!(stranger.get(path).await.status, 404, "{path}");
    }
    for path in changes
        .iter()
        .chain([&format!("{server}/try"), &format!("{server}/try/a")])
    {
        let fields = [
            ("follow", "yes"),
            ("strategy", "fixed"),
            ("mode", "TOOLS"),
            ("auth_mode", "bearer"),
            ("code", "return 1"),
            ("name", "n"),
            ("values", "{}"),
            ("external_id", "x"),
            ("integration", integration),
        ];
        assert_eq!(stranger.submit(path, &fields).await.status, 404, "{path}");
    }
}
