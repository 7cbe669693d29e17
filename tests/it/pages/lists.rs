//! Lists that are longer than a page.

use super::looks::look;
use super::*;
use quaymaster_tests::{Database, Developer, Person};

const MANY: usize = 51;

fn flow(name: &str) -> Value {
    let source = format!(
        "flow: {name}\ntriggers:\n  - mcp_tool: {{ description: One of many }}\nsteps:\n  - map: \"1\"\n"
    );
    json!({ "source": source })
}

/// One more of everything than a page has.
async fn fill(desk: &Developer) {
    let here = format!("/workspaces/{}", desk.server.workspace);
    for number in 0..MANY {
        let alias = format!("chat_{number:02}");
        desk.integrate(json!({
            "integrationName": "slack", "alias": alias, "connectionStrategy": "per_user",
        }))
        .await;
        desk.serve(json!({ "name": format!("Server {number:02}") }))
            .await;
        desk.partial(json!({
            "name": format!("partial {number:02}"), "values": { "channel": "C1" },
        }))
        .await;
        let name = format!("flow_{number:02}");
        desk.did("PUT", &format!("{here}/flows/{name}"), Some(flow(&name)))
            .await;
        let skill = json!({
            "name": format!("skill-{number:02}"), "description": "One of many.", "systemPrompt": "Wait.",
        });
        desk.made("/skills", skill).await;
    }
}

#[tokio::test]
async fn every_list_of_a_workspace_goes_on_with_a_next_page_and_is_searched() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        fill(&desk).await;
        let person = Person::owner(&desk.server.url, &desk.server.sign_in_link).await;
        let here = format!("/workspaces/{}", desk.server.workspace);
        let lists = [
            (format!("{here}/servers"), "server 07", "Server 07"),
            (format!("{here}/integrations"), "CHAT_07", "chat_07"),
            (format!("{here}/partials"), "partial 07", "partial 07"),
            (format!("{here}/flows"), "flow_07", "flow_07"),
            ("/skills".to_owned(), "skill-07", "skill-07"),
        ];
        for (path, words, found) in lists {
            let first = person.get(&path).await;
            assert_eq!(first.texts("main tbody tr").len(), 50, "{path}");
            let pager = first.texts(".pager").join(" ");
            assert_eq!(pager, format!("{MANY} in all. Next"), "{path}");
            let second = person.get(&format!("{path}?query=&page=1")).await;
            let rows = second.texts("main tbody tr");
            assert_eq!(rows.len(), 1, "{path}: {rows:?}");
            let all = first.texts("main tbody th");
            assert!(!all.contains(&second.texts("main tbody th")[0]), "{path}");
            let query = words.replace(' ', "%20");
            let search = person.get(&format!("{path}?query={query}")).await;
            let rows = search.texts("main tbody tr");
            assert_eq!(rows.len(), 1, "{path}: {rows:?}");
            assert!(rows[0].contains(found), "{path}: {rows:?}");
            let nothing = person.get(&format!("{path}?query=zeppelin")).await;
            assert!(nothing.texts("main tbody tr").is_empty(), "{path}");
            let said = nothing.texts(".empty").join(" ");
            assert!(said.contains("fits Look at all of them"), "{path}: {said}");
            for nonsense in ["page=-1", "page=99999999999999999999", "query=%25&page=x"] {
                let answer = person.get(&format!("{path}?{nonsense}")).await;
                assert_eq!(answer.status, 200, "{path}?{nonsense}");
            }
        }
    }
}

#[tokio::test]
async fn a_long_list_of_servers_is_gone_through_and_searched_in_a_browser() {
    let desk = Developer::open(Database::Sqlite).await;
    for number in 0..MANY {
        desk.serve(json!({ "name": format!("Server {number:02}") }))
            .await;
    }
    let browser = Browser::start().await;
    let tab = owner(&desk.server, &browser).await;
    to_workspace(&tab).await;
    tab.follow(".subnav a[href$='/servers']").await;
    tab.follow(".pager a[href*='page=1']").await;
    // The newest one is first, so the oldest one is alone.
    tab.until_text("#servers", "Server 00").await;
    look(&tab, "the second page of servers").await;
    tab.fill("#query", "server 1").await;
    tab.follow(".search button").await;
    tab.until_text("main", "10 in all.").await;
    tab.follow(".search a").await;
    tab.until_text(".pager", "51 in all.").await;
    assert_eq!(tab.complaints().await, NOTHING);
}

#[tokio::test]
async fn documents_come_in_pages() {
    let desk = Developer::open(Database::Sqlite).await;
    for number in 0..MANY {
        let path = format!("/api/v1/documents?path=notes/{number:02}.md");
        let answer = reqwest::Client::new()
            .post(format!("{}{path}", desk.server.url))
            .bearer_auth(&desk.key)
            .body(format!("# Note {number:02}\n"))
            .send();
        assert!(answer.await.unwrap().status().is_success(), "{path}");
    }
    let person = Person::owner(&desk.server.url, &desk.server.sign_in_link).await;
    let first = person.get("/documents").await;
    assert_eq!(first.texts("#documents tbody tr").len(), 50);
    assert_eq!(first.texts(".pager").join(" "), "51 in all. Next");
    let second = person.get("/documents?query=&page=1").await;
    let rows = second.texts("#documents tbody tr");
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert!(rows[0].contains("notes/50.md"), "{rows:?}");
    assert_eq!(second.texts(".pager").join(" "), "51 in all. Previous");
}
