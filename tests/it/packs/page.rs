//! Packs in the pages: a form that was refused, the first step, and the way there by name.

use super::*;
use quaymaster_tests::Person;

#[tokio::test]
async fn a_form_that_is_refused_keeps_the_account_that_was_chosen() {
    let desk = Developer::open(Database::Sqlite).await;
    desk.chat_account("main").await;
    desk.chat_account("spare").await;
    let person = Person::owner(&desk.server.url, &desk.server.sign_in_link).await;
    let path = path_of(&desk, "slack_digest");
    let page = person.get(&path).await;
    let mut fields = page.form(&path);
    fields.retain(|(name, _)| name != "flow");
    let given = [("var.slack", "spare"), ("flow", "no_such_flow")];
    let refused = person.send(&path, &fields, &given).await;
    assert_eq!(refused.status, 422, "{}", refused.html);
    let chosen = refused.texts("select[name='var.slack'] option[selected]");
    assert_eq!(chosen, ["spare (Harbour)"]);
}

#[tokio::test]
async fn installing_a_pack_is_a_first_step_and_a_part_of_its_name_leads_to_it() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        desk.chat_account("main").await;
        let person = Person::owner(&desk.server.url, &desk.server.sign_in_link).await;
        let page = person.get("/").await;
        let steps = page.texts("#steps .step a");
        assert!(steps.contains(&"Install a pack".to_owned()), "{steps:?}");
        let found = person.get("/search?q=slack+d").await;
        let path = path_of(&desk, "slack_digest");
        assert!(
            found.html.contains(&format!("href=\"{path}\"")),
            "{}",
            found.html
        );
        assert_eq!(person.get(&path).await.status, 200);

        let body = json!({ "variables": { "slack": "main" } });
        desk.did("PUT", &path, Some(body)).await;
        let page = person.get("/").await;
        let done = page.texts("#steps .step.done a");
        assert!(done.contains(&"Install a pack".to_owned()), "{done:?}");
        // Its flows are found, too, and so are the pages of the workspace.
        let found = person.get("/search?q=find+a+channel").await;
        let rows = found.texts("#found li");
        assert!(rows.iter().any(|row| row.ends_with("flow")), "{rows:?}");
        let found = person.get("/search?q=flow+r").await;
        let runs = format!("/workspaces/{}/flow-runs", desk.server.workspace);
        assert!(
            found.html.contains(&format!("href=\"{runs}\"")),
            "{}",
            found.html
        );
        assert_eq!(person.get(&runs).await.status, 200);
    }
}
