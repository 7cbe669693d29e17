//! Packs of a workspace's own: given as a text by the API and the page, checked with places, installed, upgraded and
//! removed like those of the program, and nobody else's.

use super::*;
use quaymaster_tests::Person;

pub(super) const PACK: &str = r#"pack: quaymaster/v1
id: greetings
title: Greetings
version: "1.0.0"
description: Greets people in the words of the house.
tested: mocks
variables:
  word: { type: string, title: Word of greeting }
flows:
  # For those who come.
  - flow: greet
    triggers: [{ mcp_tool: { description: Greets a person by name. } }]
    input: { type: object, required: [name], properties: { name: { type: string } } }
    output: { type: object, properties: { said: { type: string } } }
    # With the word of the house.
    steps: [{ id: said, map: '"\(.vars.word), \(.input.name)"' }]
    return: "{ said: .steps.said }"
    tests:
      - name: a name
        input: { name: Ada }
        vars: { word: Hi }
        expect: { result: { said: "Hi, Ada" } }

  - flow: part
    triggers: [{ mcp_tool: { description: Says goodbye. } }]
    steps: [{ map: '{ said: "Goodbye" }' }]
    tests: [{ name: goodbye, expect: { result: { said: Goodbye } } }]
"#;

/// The same a year later: another text of the first flow, the second is gone, and there is a third.
pub(super) fn newer() -> String {
    let (first, _) = PACK.split_once("\n  - flow: part").unwrap();
    let third = "\n  - flow: wave\n    triggers: [{ mcp_tool: { description: Waves. } }]\n    \
        steps: [{ map: '{ waved: true }' }]\n    tests: [{ name: a hand, expect: { result: { waved: true } } }]\n";
    let first = first.replace("Greets a person", "Greets somebody");
    first.replace("\"1.0.0\"", "\"1.1.0\"") + third
}

pub(super) fn list_of(desk: &Developer) -> String {
    format!("/workspaces/{}/packs", desk.server.workspace)
}

pub(super) fn given(source: &str) -> Value {
    json!({ "source": source })
}

/// The line, from 1, in which something stands.
fn line_of(text: &str, part: &str) -> usize {
    text.lines().position(|line| line.contains(part)).unwrap() + 1
}

/// Changes a flow of the workspace by hand. Answers its new text.
async fn change(desk: &Developer, flow: &str, old: &str, new: &str) -> String {
    let own = source(desk, flow).await.replace(old, new);
    let path = format!("/workspaces/{}/flows/{flow}", desk.server.workspace);
    desk.did("PUT", &path, Some(given(&own))).await;
    own
}

#[tokio::test]
async fn a_pack_of_ones_own_is_installed_upgraded_with_the_changes_kept_and_removed() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let (list, path) = (list_of(&desk), path_of(&desk, "greetings"));
        let agent = Mcp::open(&desk.server.endpoint, &desk.key).await;
        let (status, added) = desk.ask("POST", &list, Some(given(PACK))).await;
        assert_eq!(status, 201, "{added}");
        assert_eq!(added["outcome"], "created", "{added}");
        let pack = &added["pack"];
        assert_eq!(
            (&pack["own"], &pack["tested"]),
            (&json!(true), &json!("mocks"))
        );
        // It is there, and not live yet.
        assert_eq!(pack["installed"], Value::Null, "{pack}");
        assert!(!agent.tool_names().await.contains(&"greet".to_owned()));
        let read = desk.did("GET", &path, None).await;
        assert_eq!(read["source"], PACK);
        let (status, again) = desk.ask("POST", &list, Some(given(PACK))).await;
        assert_eq!((status, &again["outcome"]), (200, &json!("unchanged")));

        let lacking = desk.refused(400, "PUT", &path, Some(json!({}))).await;
        let message = lacking["message"].as_str().unwrap();
        assert!(message.contains("Word of greeting"), "{lacking}");
        let body = json!({ "variables": { "word": "Ahoy" } });
        let (status, put) = desk.ask("PUT", &path, Some(body)).await;
        assert_eq!(status, 201, "{put}");
        assert_eq!(
            became(&put),
            pairs(&[("greet", "created"), ("part", "created")])
        );
        let said = agent.call("greet", json!({ "name": "Ada" })).await.unwrap();
        assert_eq!(said["said"], "Ahoy, Ada", "{said}");
        // As it stands in the pack, with its comment and what was chosen.
        let text = source(&desk, "greet").await;
        assert!(
            text.starts_with("flow: greet\nvars:\n  word: \"Ahoy\"\n"),
            "{text}"
        );
        assert!(text.contains("\n# With the word of the house.\n"), "{text}");

        // A newer text changes nothing until it is installed.
        let own = change(&desk, "greet", "Greets a person", "Greets a visitor").await;
        let (status, added) = desk.ask("POST", &list, Some(given(&newer()))).await;
        assert_eq!(
            (status, &added["outcome"]),
            (200, &json!("updated")),
            "{added}"
        );
        let pack = &added["pack"];
        assert_eq!(
            (&pack["version"], &pack["isOlder"]),
            (&json!("1.1.0"), &json!(true))
        );
        assert_eq!(pack["dropped"], json!(["part"]), "{pack}");
        assert_eq!(state(&desk, "greetings", "greet").await, "changed");
        assert!(agent.tool_names().await.contains(&"part".to_owned()));

        let body = json!({ "flows": ["greet", "wave"] });
        let put = desk.did("PUT", &path, Some(body)).await;
        let wanted = [("part", "removed"), ("greet", "kept"), ("wave", "created")];
        assert_eq!(became(&put), pairs(&wanted));
        assert_eq!(put["pack"]["isOlder"], false, "{put}");
        assert_eq!(source(&desk, "greet").await, own);
        let put = desk
            .did("PUT", &path, Some(json!({ "replaceChanged": true })))
            .await;
        assert_eq!(
            became(&put),
            pairs(&[("greet", "updated"), ("wave", "unchanged")])
        );
        assert!(source(&desk, "greet").await.contains("Greets somebody"));

        change(&desk, "wave", "Waves.", "Waves a hand.").await;
        let removed = desk.did("DELETE", &path, None).await;
        assert_eq!(removed["deleted"], json!(["greet"]), "{removed}");
        assert_eq!(removed["kept"], json!(["wave"]), "{removed}");
        desk.refused(404, "GET", &path, None).await;
        let listed = desk.did("GET", &list, None).await;
        assert!(!listed.to_string().contains("greetings"), "{listed}");
        let events = desk.did("GET", "/events?limit=50", None).await.to_string();
        for event in [
            "pack.added",
            "pack.installed",
            "pack.changed",
            "pack.removed",
        ] {
            assert!(events.contains(event), "{event} in {events}");
        }
    }
}

#[tokio::test]
async fn a_flow_that_a_newer_pack_has_no_longer_stays_where_somebody_changed_it() {
    let desk = Developer::open(Database::Sqlite).await;
    let path = path_of(&desk, "greetings");
    desk.made(&list_of(&desk), json!({ "source": PACK })).await;
    let body = json!({ "variables": { "word": "Ahoy" } });
    desk.did("PUT", &path, Some(body)).await;
    let own = change(&desk, "part", "Says goodbye.", "Says farewell.").await;
    desk.did("POST", &list_of(&desk), Some(given(&newer())))
        .await;
    let put = desk
        .did("PUT", &path, Some(json!({ "replaceChanged": true })))
        .await;
    assert_eq!(
        became(&put),
        pairs(&[("part", "kept"), ("greet", "updated")])
    );
    assert_eq!(put["pack"]["dropped"], json!([]), "{put}");
    assert_eq!(source(&desk, "part").await, own);
    // It is the workspace's own now.
    let removed = desk
        .did("DELETE", &format!("{path}?keepChanged=false"), None)
        .await;
    assert_eq!(removed["deleted"], json!(["greet"]), "{removed}");
    assert_eq!(source(&desk, "part").await, own);
}

#[tokio::test]
async fn what_is_wrong_with_a_pack_is_told_at_its_place_and_nothing_is_kept() {
    let desk = Developer::open(Database::Sqlite).await;
    let list = list_of(&desk);
    let check = format!("/workspaces/{}/flow-drafts/validate", desk.server.workspace);
    for (old, new, key) in [
        ("map: '\"", "mapp: '\"", "flows.0.steps.0.mapp"),
        (
            "{ said: .steps.said }",
            "{ said: .steps.said",
            "flows.0.return",
        ),
        (
            "{ said: .steps.said }",
            "{ said: (.steps.said | nosuch) }",
            "flows.0.return",
        ),
        (".vars.word", ".vars.wort", "flows.0.steps.0.map"),
        ("id: greetings", "id: Greetings", "id"),
        ("id: greetings", "id: ../greetings", "id"),
        ("id: greetings", "id: \"a\\u0000\"", "id"),
        ("flow: part", "flow: greet # twice", "flows.1.flow"),
        ("flow: part", "flow: \"<b>\"", "flows.1.flow"),
    ] {
        let text = PACK.replacen(old, new, 1);
        let refused = desk.refused(422, "POST", &list, Some(given(&text))).await;
        let first = &refused["details"]["problems"][0];
        assert_eq!(first["key"], key, "{refused}");
        assert_eq!(first["line"], line_of(&text, new), "{refused}");
        let checked = desk.did("POST", &check, Some(given(&text))).await;
        assert_eq!(checked["valid"], false, "{checked}");
        assert_eq!(checked["problems"], refused["details"]["problems"]);
    }
    let text = PACK.replace("\"Hi, Ada\"", "\"Ho, Ada\"");
    let refused = desk.refused(422, "POST", &list, Some(given(&text))).await;
    let first = &refused["details"]["tests"][0];
    assert_eq!(first["name"], "greet: a name", "{refused}");
    assert_eq!(first["passed"], false, "{refused}");

    // The id of one of the program's.
    let text = PACK.replace("id: greetings", "id: weather");
    let taken = desk.refused(409, "POST", &list, Some(given(&text))).await;
    assert!(
        taken["hint"].as_str().unwrap().contains("another `id`"),
        "{taken}"
    );
    let checked = desk.did("POST", &check, Some(given(&text))).await;
    assert_eq!(checked["problems"][0]["line"], 2, "{checked}");
    let shipped = desk.did("GET", &path_of(&desk, "weather"), None).await;
    assert_eq!(shipped["pack"]["own"], false, "{shipped}");

    let checked = desk.did("POST", &check, Some(given(PACK))).await;
    assert_eq!(checked["valid"], true, "{checked}");
    assert_eq!(checked["name"], "greetings", "{checked}");
    assert_eq!(checked["tests"].as_array().unwrap().len(), 2, "{checked}");
    desk.refused(404, "GET", &path_of(&desk, "greetings"), None)
        .await;
}

#[tokio::test]
async fn a_pack_of_ones_own_is_its_workspaces_alone() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let (list, path) = (list_of(&desk), path_of(&desk, "greetings"));
        desk.made(&list, json!({ "source": PACK })).await;
        let other = desk
            .made("/workspaces", json!({ "name": "Other quay" }))
            .await;
        let other = other["workspace"]["id"].as_str().unwrap().to_owned();
        let there = format!("/workspaces/{other}/packs/greetings");
        for method in ["GET", "PUT", "DELETE"] {
            let body = (method == "PUT").then(|| json!({}));
            desk.refused(404, method, &there, body).await;
        }
        let reader = desk.server.api_key(&["read:tools"]).await;
        let stranger = desk.server.stranger().await;
        for (method, path) in [
            ("POST", &list),
            ("GET", &path),
            ("PUT", &path),
            ("DELETE", &path),
        ] {
            let body = match method {
                "POST" => Some(given(PACK)),
                "PUT" => Some(json!({})),
                _ => None,
            };
            let path = format!("/api/v1{path}");
            let (status, answer) = desk.server.rest(&stranger, method, &path, body).await;
            assert_eq!(status, 404, "{method} {answer}");
        }
        // Who may not manage gives none.
        let rest = desk
            .server
            .rest(
                &reader,
                "POST",
                &format!("/api/v1{list}"),
                Some(given(PACK)),
            )
            .await;
        assert_eq!(rest.0, 403);
        let read = desk.did("GET", &path, None).await;
        assert_eq!(read["source"], PACK, "{read}");
        // Each workspace can have its own of the same id.
        let theirs = PACK.replace("title: Greetings", "title: Salutations");
        desk.made(
            &format!("/workspaces/{other}/packs"),
            json!({ "source": theirs }),
        )
        .await;
        let read = desk.did("GET", &path, None).await;
        assert_eq!(read["pack"]["title"], "Greetings", "{read}");
    }
}

#[tokio::test]
async fn a_pack_may_be_json_and_a_workspace_has_room_for_twenty() {
    let desk = Developer::open(Database::Sqlite).await;
    let list = list_of(&desk);
    let pack = |n: usize| {
        let pack = json!({
            "pack": "quaymaster/v1", "id": format!("pack_{n}"), "title": "Answers", "version": "1",
            "description": "Answers.", "variables": { "what": { "type": "string", "title": "What" } },
            "flows": [{
                "title": "An answer", "flow": format!("answer_{n}"), "steps": [{ "map": "{ what: .vars.what }" }],
                "triggers": [{ "mcp_tool": { "description": "Answers." } }],
            }],
        });
        Some(given(&pack.to_string()))
    };
    for n in 1..=20 {
        let (status, answer) = desk.ask("POST", &list, pack(n)).await;
        assert_eq!(status, 201, "{n}: {answer}");
        assert_eq!(answer["pack"]["tested"], "none", "{answer}");
    }
    let full = desk.refused(507, "POST", &list, pack(21)).await;
    assert!(
        full["message"].as_str().unwrap().contains("20 packs"),
        "{full}"
    );
    desk.refused(404, "GET", &path_of(&desk, "pack_21"), None)
        .await;
    // One that is there is still written over.
    let (status, answer) = desk.ask("POST", &list, pack(20)).await;
    assert_eq!((status, &answer["outcome"]), (200, &json!("unchanged")));

    let body = json!({ "variables": { "what": "42: \"yes\"" } });
    desk.did("PUT", &path_of(&desk, "pack_7"), Some(body)).await;
    let text = source(&desk, "answer_7").await;
    assert!(text.starts_with("flow: answer_7\nvars:\n"), "{text}");
    let tried = format!("/workspaces/{}/flow-drafts/try", desk.server.workspace);
    let tried = desk
        .did("POST", &tried, Some(json!({ "flow": "answer_7" })))
        .await;
    assert_eq!(tried["result"]["what"], "42: \"yes\"", "{tried}");
    assert_eq!(state(&desk, "pack_7", "answer_7").await, "same");
}

#[tokio::test]
async fn every_pack_says_how_it_was_tested() {
    let desk = Developer::open(Database::Sqlite).await;
    let listed = desk.did("GET", &list_of(&desk), None).await;
    let packs = listed["packs"].as_array().unwrap();
    assert!(packs.len() >= 8, "{listed}");
    for pack in packs {
        assert_eq!(pack["tested"], "mocks", "{pack}");
        assert_eq!(pack["own"], false, "{pack}");
    }
    let person = Person::owner(&desk.server.url, &desk.server.sign_in_link).await;
    for path in [list_of(&desk), path_of(&desk, "weather")] {
        let chips = person.get(&path).await.texts(".chip");
        assert!(
            chips.contains(&"Tested with mocks alone".to_owned()),
            "{chips:?}"
        );
    }
}

#[tokio::test]
async fn a_pack_is_pasted_into_the_page_with_its_faults_at_their_lines_and_installed_from_there() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let person = Person::owner(&desk.server.url, &desk.server.sign_in_link).await;
        let (form, path) = (
            format!("/workspaces/{}/own-packs", desk.server.workspace),
            path_of(&desk, "greetings"),
        );
        let list = person.get(&list_of(&desk)).await;
        assert!(
            list.html.contains(&format!("href=\"{form}\"")),
            "{}",
            list.html
        );
        let page = person.get(&form).await;
        let send = async |text: &str, act: &str| {
            // As a browser sends lines.
            let text = text.replace('\n', "\r\n");
            let given = [("source", text.as_str()), ("do", act)];
            person.send(&form, &page.form(&form), &given).await
        };
        let text = PACK.replacen("map: '\"", "mapp: '\"", 1);
        let refused = send(&text, "save").await;
        assert_eq!(refused.status, 422, "{}", refused.html);
        let told = refused.texts("#mistakes li p");
        let place = format!("Line {}", line_of(&text, "mapp:"));
        assert!(
            told[0].starts_with(&place) && told[0].contains("mapp"),
            "{told:?}"
        );
        assert!(refused.texts("#source")[0].contains("mapp"));
        let refused = send(&PACK.replace("\"Hi, Ada\"", "\"Ho, Ada\""), "save").await;
        assert_eq!(refused.status, 422, "{}", refused.html);
        assert!(refused.texts("#mistakes li")[0].contains("greet: a name"));
        let refused = send(&PACK.replace("id: greetings", "id: weather"), "save").await;
        assert_eq!(refused.status, 422, "{}", refused.html);
        assert!(refused.texts("#mistakes li")[0].contains("another `id`"));
        let fine = send(PACK, "check").await;
        assert_eq!(
            fine.texts(".notice.done"),
            ["The pack is fine. Its 2 tests pass. Nothing was saved."]
        );
        assert_eq!(person.get(&path).await.status, 404);

        let page = send(PACK, "save").await;
        assert_eq!(
            (page.status, page.path.as_str()),
            (200, path.as_str()),
            "{}",
            page.html
        );
        let given = [("var.word", "Ahoy"), ("flow", "greet")];
        let page = person.send(&path, &page.form(&path), &given).await;
        assert_eq!(
            page.texts("#notices"),
            ["The tools are installed. Connected clients are told."]
        );
        assert!(source(&desk, "greet").await.contains("Ahoy"));

        // Its text is changed where it is shown, and what is newer is offered.
        let edit = person.get(&format!("{form}?pack=greetings")).await;
        assert!(edit.texts("#source")[0].starts_with("pack: quaymaster/v1"));
        let text = newer();
        let given = [("source", text.as_str()), ("do", "save")];
        let page = person.send(&form, &edit.form(&form), &given).await;
        assert_eq!(page.path, path, "{}", page.html);
        assert!(page.texts("button.primary").contains(&"Upgrade".to_owned()));
        let given = [("flow", "wave")];
        let page = person.send(&path, &page.form(&path), &given).await;
        assert_eq!(page.status, 200, "{}", page.html);
        let listed = desk.did("GET", &path, None).await;
        assert_eq!(listed["pack"]["installed"]["version"], "1.1.0", "{listed}");
        let search = person.get("/search?q=greetings").await;
        assert!(
            search.html.contains(&format!("href=\"{path}\"")),
            "{}",
            search.html
        );

        let remove = format!("{path}/remove");
        let gone = person.send(&remove, &page.form(&remove), &[]).await;
        assert_eq!(gone.path, list_of(&desk), "{}", gone.html);
        assert_eq!(person.get(&path).await.status, 404);
        assert_eq!(
            person.get(&format!("{form}?pack=greetings")).await.status,
            404
        );
    }
}
