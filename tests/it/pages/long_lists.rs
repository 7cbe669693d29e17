//! Lists of the whole organization that are longer than a page: workspaces, and accounts of a connector.

use super::*;
use quaymaster_tests::{Database, Developer, Person};

const MANY: usize = 51;

#[tokio::test]
async fn the_first_page_goes_through_many_workspaces_and_finds_them() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        for number in 1..MANY {
            let name = format!("Pier {number:02}");
            desk.made("/workspaces", json!({ "name": name })).await;
        }
        let person = Person::owner(&desk.server.url, &desk.server.sign_in_link).await;
        let rows = "#workspaces tbody tr";
        let first = person.get("/").await;
        assert_eq!(first.texts(rows).len(), 50);
        assert_eq!(first.texts(".pager").join(" "), "51 in all. Next");
        // The steps begin in the oldest one, whichever are shown.
        let step = format!("/workspaces/{}/servers", desk.server.workspace);
        let second = person.get("/?query=&page=1").await;
        assert!(second.html.contains(&step), "{}", second.html);
        let last = second.texts(rows);
        assert_eq!(last.len(), 1, "{last:?}");
        assert!(last[0].contains("Pier 50"), "{last:?}");
        let found = person.get("/?query=pier%2007").await.texts(rows);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("Pier 07"), "{found:?}");
        let nothing = person.get("/?query=zeppelin").await;
        assert!(nothing.texts(rows).is_empty());
        let said = nothing.texts(".empty").join(" ");
        assert!(said.contains("No workspace fits"), "{said}");

        // Calls and changes still say where they were.
        let changes = person.get("/activity/changes").await;
        let said = changes.texts("td[data-label=Workspace]");
        assert!(said.contains(&"Pier 50".to_owned()), "{said:?}");
    }
}

#[tokio::test]
async fn the_accounts_of_a_connector_come_in_pages_and_one_comes_back_to_them() {
    let desk = Developer::open(Database::Sqlite).await;
    for number in 0..MANY {
        desk.chat_account(&format!("pier-{number:02}")).await;
    }
    let person = Person::owner(&desk.server.url, &desk.server.sign_in_link).await;
    let first = person.get("/connectors/slack").await;
    assert_eq!(first.texts(".account").len(), 50);
    assert_eq!(first.texts(".pager").join(" "), "51 in all. Next");
    let page = "/connectors/slack?query=&page=1";
    let second = person.get(page).await;
    let rest = second.texts(".account");
    assert_eq!(rest.len(), 1, "{rest:?}");
    let found = person.get("/connectors/slack?query=pier-07").await;
    assert_eq!(found.texts(".account").len(), 1);

    let verify = second.html.split("action=\"/connections/").nth(1).unwrap();
    let verify = format!("/connections/{}", verify.split('"').next().unwrap());
    let verify = verify.replace("&#38;", "&");
    assert!(verify.ends_with("/verify?query=&page=1"), "{verify}");
    let back = person.send(&verify, &second.form(&verify), &[]).await;
    assert_eq!(back.path, page, "{}", back.html);
    assert_eq!(back.texts(".account").len(), 1);
}
