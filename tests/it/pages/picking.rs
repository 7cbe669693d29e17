//! The picker of a server whose workspace has more actions than a page has room for: integrations are
//! folded, and what is not shown stays as it is.

use super::looks::look;
use super::servers::{look_closely, of};
use super::*;
use quaymaster_tests::{Database, Developer, Made, Person};

/// Ten integrations with some hundreds of actions, and one action of each.
pub(super) const TEN: [(&str, &str); 10] = [
    ("github", "get_me"),
    ("gitlab", "get_me"),
    ("slack", "search_files"),
    ("jira", "search_issues"),
    ("notion", "delete_comment"),
    ("bitrix24", "crm_deal_list"),
    ("google_drive", "list_files"),
    ("gmail", "list_messages"),
    ("hubspot", "remove_from_list"),
    ("linear", "list_cycles"),
];

/// Switches the ten on. Answers the ids of the integrations.
pub(super) async fn ten(desk: &Developer) -> Vec<String> {
    let mut ids = Vec::new();
    for (connector, _) in TEN {
        let made = desk
            .integrate(json!({ "integrationName": connector, "connectionStrategy": "per_user" }))
            .await;
        ids.push(made["id"].as_str().unwrap().to_owned());
    }
    ids
}

/// Ticks one action of each of the ten.
pub(super) async fn pick(desk: &Developer, server: &Made, ids: &[String]) {
    let picks = ids
        .iter()
        .zip(TEN)
        .map(|(id, (_, action))| json!({ "workspaceIntegrationId": id, "actionName": action }));
    let picks: Vec<Value> = picks.collect();
    let path = format!("/mcp/servers/{}/tools/picked", server.id);
    desk.did("PUT", &path, Some(json!({ "tools": picks })))
        .await;
}

/// What a server has, as `<integration>/<action>`, sorted.
async fn picked(desk: &Developer, server: &Made) -> Vec<String> {
    let path = format!("/mcp/servers/{}/tools", server.id);
    let answer = desk.did("GET", &path, None).await;
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let tools = answer["tools"].as_array().unwrap().iter().map(|tool| {
        let integration = text(&tool["sourceWorkspaceIntegrationId"]);
        format!("{integration}/{}", text(&tool["actionName"]))
    });
    let mut tools: Vec<String> = tools.collect();
    tools.sort();
    tools
}

fn has_field(form: &[(String, String)], name: &str, value: &str) -> bool {
    form.iter().any(|(own, is)| own == name && is == value)
}

#[tokio::test]
async fn saving_the_tools_of_a_server_keeps_the_ticks_of_what_is_folded() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let ids = ten(&desk).await;
        let server = desk.serve(json!({})).await;
        pick(&desk, &server, &ids).await;
        let before = picked(&desk, &server).await;
        assert_eq!(before.len(), TEN.len());
        let person = Person::owner(&desk.server.url, &desk.server.sign_in_link).await;
        let path = format!("/servers/{}/tools", server.id);

        let page = person.get(&path).await;
        let folded = page.texts("details.module:not([open]) summary");
        assert!(folded.len() > 3, "{folded:?}");
        assert!(folded.iter().all(|one| one.contains("1 of ")), "{folded:?}");
        assert!(!page.texts("details.module[open]").is_empty());
        let linear = format!("{}/list_cycles", ids[9]);
        let mut form = page.form(&path);
        assert!(!has_field(&form, "shown", &linear));
        let saved = person.send(&path, &form, &[]).await;
        assert_eq!(saved.path, format!("/servers/{}", server.id));
        assert_eq!(picked(&desk, &server).await, before);

        // One tick is taken away and not saved; then somebody looks at what is folded.
        let github = format!("{}/get_me", ids[0]);
        assert!(has_field(&form, "tool", &github));
        form.retain(|(name, value)| name != "tool" || *value != github);
        let looked = person.send(&path, &form, &[("open", &ids[9])]).await;
        assert_eq!(looked.status, 200, "{}", looked.html);
        assert_eq!(picked(&desk, &server).await, before);
        let form = looked.form(&path);
        assert!(!has_field(&form, "tool", &github));
        assert!(has_field(&form, "tool", &linear) && has_field(&form, "opened", &ids[0]));
        let saved = person.send(&path, &form, &[]).await;
        assert_eq!(saved.path, format!("/servers/{}", server.id));
        let mut after = before.clone();
        after.retain(|tool| *tool != github);
        assert_eq!(picked(&desk, &server).await, after);

        // The last tick of what alone was opened.
        let form = person.get(&format!("{path}?open={}", ids[9])).await;
        let mut form = form.form(&path);
        assert!(!has_field(&form, "opened", &ids[1]));
        form.retain(|(name, _)| name != "tool");
        person.send(&path, &form, &[]).await;
        after.retain(|tool| *tool != linear);
        assert_eq!(picked(&desk, &server).await, after);
    }
}

#[tokio::test]
async fn a_search_finds_the_actions_of_folded_integrations() {
    let desk = Developer::open(Database::Sqlite).await;
    ten(&desk).await;
    let server = desk.serve(json!({})).await;
    let person = Person::owner(&desk.server.url, &desk.server.sign_in_link).await;
    let path = format!("/servers/{}/tools", server.id);
    let all = person.get(&path).await;
    assert!(
        all.texts(".module .choice").is_empty(),
        "{:?}",
        all.texts(".module .choice")
    );
    assert_eq!(all.texts("details.module").len(), TEN.len());
    let found = person
        .get(&format!("{path}?query=linear%20list_cycles"))
        .await;
    let found = found.texts(".module .choice");
    assert!(
        found.len() == 1 && found[0].contains("list_cycles"),
        "{found:?}"
    );
    // What fits is more than the page has room for: the others say how many there are.
    let wide = person.get(&format!("{path}?query=e")).await;
    assert!(!wide.texts("details.module:not([open])").is_empty());
    assert!(wide.texts(".module .choice").len() > 50);
}

#[tokio::test]
async fn ticks_outlive_searches_until_they_are_saved() {
    let desk = Developer::open(Database::Sqlite).await;
    let ids = ten(&desk).await;
    let server = desk.serve(json!({})).await;
    pick(&desk, &server, &ids).await;
    let mut wanted = picked(&desk, &server).await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    let page = format!("{}/servers/{}/tools", desk.server.url, server.id);
    let search = async |query: &str| {
        tab.fill("#query", query).await;
        tab.follow(".search button").await;
    };
    let (slack, linear) = (
        format!("{}/list_users", ids[2]),
        format!("{}/list_issues", ids[9]),
    );
    let github = format!("{}/get_me", ids[0]);
    for scripts in [true, false] {
        tab.open(&page).await;
        // One tick is taken away and two are set, each found by a search of its own; then the other way round.
        for (query, tick) in [
            ("github get_me", &github),
            ("slack list_users", &slack),
            ("linear list_issues", &linear),
        ] {
            search(query).await;
            tab.click(&of(tick)).await;
        }
        search("nothing of this name").await;
        let said = tab.text("main").await;
        assert!(
            said.contains("3 changes that are not shown here are kept"),
            "{said}"
        );
        search("linear").await;
        if scripts {
            look(&tab, "a search in the picker with ticks that are not saved").await;
        }
        assert_eq!(picked(&desk, &server).await, wanted);
        tab.follow(".search button[value=all]").await;
        for (tick, is_ticked) in [(&slack, scripts), (&linear, scripts), (&github, !scripts)] {
            let ticked = format!("document.querySelector({}).checked", json!(of(tick)));
            assert_eq!(tab.value(&ticked).await, is_ticked, "{tick}");
        }
        tab.follow(".sticky .primary").await;
        tab.until_text("#tools", "Picked by hand.").await;
        let changed = [&slack, &linear, &github];
        let (gone, mut left): (Vec<String>, Vec<String>) =
            wanted.into_iter().partition(|tool| changed.contains(&tool));
        left.extend(
            changed
                .into_iter()
                .filter(|tool| !gone.contains(tool))
                .cloned(),
        );
        left.sort();
        wanted = left;
        assert_eq!(picked(&desk, &server).await, wanted);
        tab.forbid_scripts().await;
    }
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn a_refused_save_of_tools_keeps_what_was_ticked() {
    let desk = Developer::open(Database::Sqlite).await;
    let own = desk
        .integrate(json!({ "integrationName": "slack", "connectionStrategy": "per_user" }))
        .await;
    let id = own["id"].as_str().unwrap();
    let server = desk.serve(json!({})).await;
    let person = Person::owner(&desk.server.url, &desk.server.sign_in_link).await;
    let path = format!("/servers/{}/tools", server.id);
    let mut form = person.get(&path).await.form(&path);
    let ticked = format!("{id}/list_users");
    form.push(("tool".to_owned(), ticked.clone()));
    form.push(("tool".to_owned(), format!("{id}/no_such_action")));
    let refused = person.send(&path, &form, &[]).await;
    assert_eq!(refused.status, 422, "{}", refused.html);
    assert!(has_field(&refused.form(&path), "tool", &ticked));
}

#[tokio::test]
async fn a_folded_integration_is_opened_in_place_and_no_tick_is_lost() {
    let desk = Developer::open(Database::Sqlite).await;
    let ids = ten(&desk).await;
    let server = desk.serve(json!({})).await;
    pick(&desk, &server, &ids).await;
    let mut wanted = picked(&desk, &server).await;
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    let page = format!("{}/servers/{}/tools", desk.server.url, server.id);
    tab.open(&page).await;
    look_closely(&tab, "the picker with folded integrations").await;
    tab.click(&of(&format!("{}/get_user", ids[0]))).await;
    tab.click(&format!("#group-{} summary", ids[9])).await;
    let tick = of(&format!("{}/list_issues", ids[9]));
    tab.until(&format!("document.querySelector({}) !== null", json!(tick)))
        .await;
    tab.click(&tick).await;
    look(&tab, "the picker with an integration that was opened").await;
    tab.follow(".sticky .primary").await;
    tab.until_text("#tools", "Picked by hand.").await;
    wanted.push(format!("{}/get_user", ids[0]));
    wanted.push(format!("{}/list_issues", ids[9]));
    wanted.sort();
    assert_eq!(picked(&desk, &server).await, wanted);

    // Without the script the same page comes again, with that one open.
    tab.forbid_scripts().await;
    tab.open(&page).await;
    tab.click(&of(&format!("{}/get_user", ids[0]))).await;
    tab.click(&format!("#group-{} summary", ids[8])).await;
    tab.follow(&format!("#group-{} button[name=open]", ids[8]))
        .await;
    tab.click(&of(&format!("{}/list_objects", ids[8]))).await;
    tab.follow(".sticky .primary").await;
    tab.until_text("#tools", "Picked by hand.").await;
    wanted.retain(|tool| *tool != format!("{}/get_user", ids[0]));
    wanted.push(format!("{}/list_objects", ids[8]));
    wanted.sort();
    assert_eq!(picked(&desk, &server).await, wanted);
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn the_tools_of_a_server_come_in_pages_and_are_searched() {
    let desk = Developer::open(Database::Sqlite).await;
    for connector in ["slack", "linear"] {
        desk.integrate(json!({ "integrationName": connector, "connectionStrategy": "per_user" }))
            .await;
    }
    let server = desk.serve(json!({})).await;
    let person = Person::owner(&desk.server.url, &desk.server.sign_in_link).await;
    for (path, table) in [("", "#tools"), ("/try", "#playground")] {
        let path = format!("/servers/{}{path}", server.id);
        let rows = format!("{table} tbody tr");
        let first = person.get(&path).await;
        assert_eq!(first.texts(&rows).len(), 50, "{path}");
        let second = person.get(&format!("{path}?query=&page=1")).await;
        let more = second.texts(&rows);
        assert!(
            !more.is_empty() && !first.texts(&rows).contains(&more[0]),
            "{path}"
        );
        let found = person.get(&format!("{path}?query=linear%20CYCLES")).await;
        let found = found.texts(&rows);
        assert!(
            found.len() == 1 && found[0].contains("list_cycles"),
            "{found:?}"
        );
        let nothing = person.get(&format!("{path}?query=zeppelin")).await;
        assert!(nothing.texts(&rows).is_empty(), "{path}");
        let said = nothing.texts(".empty").join(" ");
        assert!(said.contains("ook at all"), "{path}: {said}");
    }
}
