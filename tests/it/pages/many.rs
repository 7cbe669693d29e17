//! What is chosen on a page, where there is too much of it for a list: it is written.

use super::*;
use quaymaster_tests::{Database, Developer, Made, Person};

/// One more than a list has room for.
const MANY: usize = 101;

struct Desk {
    own: Developer,
    person: Person,
    workspace: String,
}

impl Desk {
    async fn open(database: Database) -> Desk {
        let own = Developer::open(database).await;
        Desk {
            person: Person::owner(&own.server.url, &own.server.sign_in_link).await,
            workspace: format!("/workspaces/{}", own.server.workspace),
            own,
        }
    }

    async fn with_accounts(database: Database) -> Desk {
        let desk = Desk::open(database).await;
        for n in 0..MANY {
            desk.own.chat_account(&format!("pier-{n}")).await;
        }
        desk
    }

    /// With partials as well, and a server with one tool.
    async fn with_integrations(database: Database) -> (Desk, Made) {
        let desk = Desk::open(database).await;
        let own = &desk.own;
        for n in 0..MANY {
            own.integrate(json!({
                "integrationName": "slack", "alias": format!("pier_{n}"), "connectionStrategy": "per_user",
            }))
            .await;
            own.partial(json!({ "name": format!("Only {n}"), "values": { "channel": "C1" } }))
                .await;
        }
        let hosted = own.serve(json!({})).await;
        own.add(
            &hosted,
            json!({ "integrationName": "slack", "integrationAlias": "pier_7", "actionName": "send_channel_message" }),
        )
        .await;
        (desk, hosted)
    }

    /// Sends a form of a page with some fields filled in.
    async fn fills(
        &self,
        page: &str,
        action: &str,
        given: &[(&str, &str)],
    ) -> quaymaster_tests::PersonPage {
        let form = self.person.get(page).await.form(action);
        self.person.send(action, &form, given).await
    }
}

fn is_written(page: &quaymaster_tests::PersonPage, name: &str) -> bool {
    assert_eq!(page.status, 200, "{}", page.html);
    let is_listed = !page.texts(&format!("select[name='{name}']")).is_empty();
    let is_written = !page
        .texts(&format!("input[type=text][name='{name}']"))
        .is_empty();
    assert!(is_listed != is_written, "{name} in {}", page.html);
    is_written
}

#[tokio::test]
async fn an_account_is_written_where_a_connector_has_many() {
    for database in Database::BOTH {
        let desk = Desk::with_accounts(database).await;
        let page = format!("{}/integrations/new/slack", desk.workspace);
        assert!(is_written(&desk.person.get(&page).await, "account"));
        let given = |account| {
            [
                ("alias", "quay"),
                ("strategy", "fixed"),
                ("account", account),
                ("which", "all"),
            ]
        };
        let again = desk.fills(&page, &page, &given("pier-none")).await;
        assert_eq!(again.status, 422);
        assert_eq!(
            again.texts("#account-error"),
            ["The workspace reaches no connection \"pier-none\" of slack."]
        );
        assert!(
            again.html.contains("value=\"pier-none\""),
            "what was written stays"
        );
        let done = desk.fills(&page, &page, &given("slack:pier-8")).await;
        assert_eq!(done.status, 200, "{}", done.html);
        let list = format!("{}/integrations?query=quay", desk.workspace);
        let row = desk.person.get(&list).await.texts("tbody tr").join(" ");
        assert!(row.contains("slack:pier-8"), "{row}");

        // Its page says which one it is, and saves it as it is.
        let found = desk.person.get(&list).await;
        let link = found.html.split("/integrations/int_").nth(1).unwrap();
        let page = format!("{}/integrations/int_{}", desk.workspace, &link[..26]);
        let shown = desk.person.get(&page).await;
        assert!(
            shown.html.contains("value=\"slack:pier-8\""),
            "{}",
            shown.html
        );
        // A name is meant, also where another account has it as the developer's own id.
        let all = desk.own.did("GET", "/connections?limit=200", None).await;
        let all = all["connections"].as_array().unwrap();
        for (external, name) in [("pier-8", "moved"), ("pier-9", "pier-8")] {
            let one = all
                .iter()
                .find(|one| one["externalId"] == external)
                .unwrap();
            let at = format!("/connections/{}", one["id"].as_str().unwrap());
            let done = desk
                .fills(&at, &format!("{at}/rename"), &[("name", name)])
                .await;
            assert_eq!(done.path, at, "{}", done.html);
        }
        let shown = desk.person.get(&page).await;
        assert!(
            shown.html.contains("value=\"slack:moved\""),
            "{}",
            shown.html
        );
        let given = [
            ("strategy", "fixed"),
            ("which", "all"),
            ("account", "pier-8"),
        ];
        let done = desk.fills(&page, &page, &given).await;
        assert_eq!(done.status, 200, "{}", done.html);
        let radios = [("strategy", "fixed"), ("which", "all")];
        let done = desk.fills(&page, &page, &radios).await;
        assert_eq!(done.status, 200, "{}", done.html);
        let shown = desk.person.get(&page).await;
        assert!(
            shown.html.contains("value=\"slack:pier-8\""),
            "{}",
            shown.html
        );

        // Trying a call.
        let page = "/connectors/slack/modules/chat/send_channel_message";
        assert!(is_written(&desk.person.get(page).await, "account"));
        let inputs = [
            ("account", "pier-none"),
            ("input.channel", "C1"),
            ("input.text", "Hello"),
        ];
        let again = desk.fills(page, page, &inputs).await;
        assert_eq!(
            again.texts("#account-error"),
            ["Slack has no such account."]
        );
        let inputs = [
            ("account", "pier-10"),
            ("input.channel", "C1"),
            ("input.text", "Hello"),
        ];
        let done = desk.fills(page, page, &inputs).await;
        assert!(
            done.texts("#outcome").join(" ").contains("OK"),
            "{}",
            done.html
        );
    }
}

#[tokio::test]
async fn integrations_partials_and_picked_tools_are_named_where_there_are_many() {
    for database in Database::BOTH {
        let (desk, hosted) = Desk::with_integrations(database).await;
        let new = format!("{}/partials/new", desk.workspace);
        assert!(is_written(&desk.person.get(&new).await, "integration"));
        let unknown = desk
            .person
            .get(&format!("{new}?integration=pier_none"))
            .await;
        assert_eq!(
            unknown.texts("#integration-error"),
            ["The workspace has no integration pier_none."]
        );
        let known = desk.person.get(&format!("{new}?integration=pier_8")).await;
        assert!(known.html.contains("value=\"pier_8\"") && known.html.contains("name=\"action\""));
        let form = desk
            .person
            .get(&format!("{new}?integration=pier_8&action=list_users"))
            .await;
        assert_eq!(form.texts("h1 + p"), ["For list_users of pier_8."]);

        let end_user = desk.own.end_user("customer-1").await;
        let (page, link) = (
            format!("/end-users/{end_user}"),
            format!("/end-users/{end_user}/link"),
        );
        assert!(is_written(&desk.person.get(&page).await, "integration"));
        let again = desk
            .fills(&page, &link, &[("integration", "pier_none")])
            .await;
        assert_eq!(
            again.texts("#integration-error"),
            ["The workspace has no such integration."]
        );
        let made = desk.fills(&page, &link, &[("integration", "pier_9")]).await;
        assert!(
            made.texts("#link-made")
                .join(" ")
                .contains("an account for pier_9")
        );

        // Partials of a tool.
        let server = format!("/servers/{}", hosted.id);
        let shown = desk.person.get(&server).await;
        let tool = shown.html.split("/tools/stl_").nth(1).unwrap();
        let tool = format!("{server}/tools/stl_{}", &tool[..26]);
        let shown = desk.person.get(&tool).await;
        assert!(shown.texts("input[name=partial]").is_empty());
        let given = |named| [("which", "ticked"), ("named_partials", named)];
        let again = desk.fills(&tool, &tool, &given("Only 3\nOnly none")).await;
        assert_eq!(
            again.texts("#partials-error"),
            ["The workspace has no partial \"Only none\"."]
        );
        assert!(
            again.html.contains("Only 3\nOnly none"),
            "what was written stays"
        );
        let other = json!({
            "name": "For others", "actionName": "list_users", "values": { "limit": 1 },
        });
        desk.own.partial(other).await;
        let again = desk.fills(&tool, &tool, &given("For others")).await;
        assert_eq!(
            again.texts("#partials-error"),
            ["The partial \"For others\" is for another action."]
        );
        let done = desk
            .fills(&tool, &tool, &given("Only 3\r\n Only 4 \r\n"))
            .await;
        assert_eq!(done.path, server, "{}", done.html);
        let shown = desk.person.get(&tool).await;
        assert_eq!(
            shown.texts("textarea[name=named_partials]"),
            ["Only 3 Only 4"]
        );

        // The picker finds integrations by their names.
        let picker = format!("{server}/tools");
        let shown = desk.person.get(&picker).await;
        assert_eq!(shown.texts("details.module").len(), 100);
        assert!(shown.html.contains("1 more integration."), "{}", shown.html);
        let look = [("query", "pier_100"), ("look", "for")];
        let found = desk.fills(&picker, &picker, &look).await;
        assert_eq!(found.texts("summary .module-title"), ["pier_100"]);
        let id = found.html.split("id=\"group-").nth(1).unwrap();
        let value = format!("{}/list_users", &id[..30]);
        let ticked = [("query", "pier_100"), ("shown", &value), ("tool", &value)];
        let done = desk.fills(&picker, &picker, &ticked).await;
        assert_eq!(done.path, server, "{}", done.html);
        let tools = done.texts("#tools tbody th");
        assert_eq!(
            tools,
            ["pier_7__send_channel_message", "pier_100__list_users"]
        );
    }
}

#[tokio::test]
async fn a_workspace_is_written_where_there_are_many() {
    for database in Database::BOTH {
        let own = Developer::open(database).await;
        for n in 1..MANY {
            own.made("/workspaces", json!({ "name": format!("Pier {n}") }))
                .await;
        }
        let person = Person::owner(&own.server.url, &own.server.sign_in_link).await;
        let keys = "/settings/api-keys";
        let page = person.get(keys).await;
        assert!(is_written(&page, "files"));
        let given = |files| {
            [
                ("name", "Key"),
                ("scopes", "read:tools"),
                ("files", files),
                ("expiry", "7"),
            ]
        };
        let again = person
            .send(keys, &page.form(keys), &given("Pier none"))
            .await;
        assert_eq!(again.status, 422);
        assert_eq!(again.texts("#files-error"), ["There is no such workspace."]);
        assert!(
            again.html.contains("value=\"Pier none\""),
            "what was written stays"
        );
        let made = person.send(keys, &page.form(keys), &given("pier-7")).await;
        assert_eq!(made.status, 200, "{}", made.html);
        assert!(made.html.contains("Pier 7"), "{}", made.html);
        let made = person.send(keys, &page.form(keys), &given("Pier 8")).await;
        assert!(made.html.contains("Pier 8"), "{}", made.html);
        let only = |names| [&given("")[..], &[("scopes", "admin"), ("only", names)]].concat();
        let wrong = only("Pier 8\r\nPier none\r\n");
        let again = person.send(keys, &page.form(keys), &wrong).await;
        assert_eq!(again.status, 422);
        let told = ["There is no workspace Pier none."];
        assert_eq!(again.texts("#only-error"), told);
        assert_eq!(again.texts("#only"), ["Pier 8 Pier none"]);
        let both = only("Pier 8\r\n\r\n pier-7 \r\nPier 8");
        let made = person.send(keys, &page.form(keys), &both).await;
        assert_eq!(made.status, 200, "{}", made.html);
        let key = &made.texts("#key")[0];
        let (_, seen) = own
            .server
            .rest(key, "GET", "/api/v1/workspaces", None)
            .await;
        let seen = seen["workspaces"].as_array().unwrap().iter();
        let seen: Vec<_> = seen.map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(seen, ["Pier 7", "Pier 8"]);
        let rows = person.get(keys).await.texts("td[data-label='Files of']");
        assert!(
            rows.contains(&"Pier 7".to_owned()) && rows.contains(&"Pier 8".to_owned()),
            "{rows:?}"
        );

        let connect = "/connectors/slack/connect";
        let page = person.get("/connectors/slack").await;
        assert!(is_written(&page, "workspace"));
        let given = |workspace| {
            [
                ("name", "main"),
                ("field.token", "xoxb-main"),
                ("workspace", workspace),
            ]
        };
        let again = person
            .send(connect, &page.form(connect), &given("Pier none"))
            .await;
        assert_eq!(
            again.texts("#workspace-error"),
            ["There is no such workspace."]
        );
        let done = person
            .send(connect, &page.form(connect), &given("Pier 9"))
            .await;
        assert!(done.html.contains("Only Pier 9"), "{}", done.html);
    }
}

/// A definition with so many actions.
fn wide(actions: usize) -> String {
    let actions = (0..actions)
        .map(|n| format!("      call_{n}: {{title: Call {n}, method: GET, path: /c/{n}}}\n"));
    let actions: String = actions.collect();
    crate::definitions::NOTES.replace("    actions:\n", &format!("    actions:\n{actions}"))
}

#[tokio::test]
async fn a_server_leaves_out_what_it_has_no_room_for_and_says_so() {
    let own = Developer::open(Database::Sqlite).await;
    own.made("/connectors/own", json!({ "source": wide(997) }))
        .await;
    for n in 0..22 {
        own.integrate(json!({
            "integrationName": "notes", "alias": format!("notes_{n}"), "connectionStrategy": "per_user",
        }))
        .await;
    }
    let hosted = own.serve(json!({})).await;
    let size = format!("/mcp/servers/{}/tool-list-size", hosted.id);
    let size = own.did("GET", &size, None).await;
    assert_eq!(
        (&size["tools"], &size["leftOut"]),
        (&json!(20_000), &json!(2)),
        "{size}"
    );
    let person = Person::owner(&own.server.url, &own.server.sign_in_link).await;
    let page = person.get(&format!("/servers/{}", hosted.id)).await;
    let warning = page.texts("#tools .warning").join(" ");
    assert!(
        warning.contains("no room for 2 of the workspace’s integrations"),
        "{warning}"
    );
    assert_eq!(page.texts("#tools tbody tr").len(), 50);
    // What was left out can be picked.
    let picker = format!("/servers/{}/tools", hosted.id);
    let look = [("query", "notes_21"), ("look", "for")];
    let form = person.get(&picker).await.form(&picker);
    let found = person.send(&picker, &form, &look).await;
    assert_eq!(found.texts("summary .module-title"), ["notes_21"]);
}

#[tokio::test]
async fn the_playground_of_programs_shows_what_there_is_room_for() {
    let own = Developer::open(Database::Sqlite).await;
    for n in 0..12 {
        own.integrate(json!({
            "integrationName": "slack", "alias": format!("pier_{n}"), "connectionStrategy": "per_user",
        }))
        .await;
    }
    let hosted = own.serve(json!({ "mode": "CODE" })).await;
    let person = Person::owner(&own.server.url, &own.server.sign_in_link).await;
    let page = person.get(&format!("/servers/{}/try", hosted.id)).await;
    assert!(page.html.len() < 100_000, "{}", page.html.len());
    assert_eq!(page.texts("details.module").len(), 12);
    let shown = page.texts("details.module pre").len();
    assert!(shown > 0 && shown < 12, "{shown}");
    let opened = person
        .get(&format!("/servers/{}/try?open=pier_11", hosted.id))
        .await;
    let shown = opened.texts("details.module[open] pre");
    assert_eq!(shown.len(), 1);
    assert!(shown[0].contains("pier_11"), "{shown:?}");
    // Without the script, the program stays.
    let path = format!("/servers/{}/try", hosted.id);
    let typed = [("code", "return 7;"), ("open", "pier_11")];
    let opened = person.send(&path, &page.form(&path), &typed).await;
    assert_eq!(opened.texts("#code"), ["return 7;"]);
    assert_eq!(opened.texts("details.module[open] pre").len(), 1);
    assert!(opened.texts("#outcome").is_empty(), "nothing ran");
}
