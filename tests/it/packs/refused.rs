//! What a pack would lose by a change that is refused.

use super::own::{PACK, given, list_of, newer};
use super::*;

#[tokio::test]
async fn an_upgrade_whose_flows_do_not_pass_their_tests_deletes_nothing() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let path = path_of(&desk, "greetings");
        desk.made(&list_of(&desk), json!({ "source": PACK })).await;
        let word = json!({ "variables": { "word": "Ahoy" } });
        desk.did("PUT", &path, Some(word)).await;
        // The test of its new flow passes until another word is chosen than the variable's name.
        let text = newer()
            .replace("map: '{ waved: true }'", "map: '{ waved: .vars.word }'")
            .replace("result: { waved: true }", "result: { waved: word }");
        desk.did("POST", &list_of(&desk), Some(given(&text))).await;

        let flows = json!(["greet", "wave"]);
        let body = Some(json!({ "flows": flows }));
        let refused = desk.refused(400, "PUT", &path, body).await;
        assert_eq!(refused["details"]["flow"], "wave", "{refused}");
        assert_eq!(refused["details"]["tests"][0]["passed"], false, "{refused}");
        assert!(source(&desk, "part").await.contains("Says goodbye."));
        assert_eq!(state(&desk, "greetings", "greet").await, "older");
        let read = desk.did("GET", &path, None).await;
        assert_eq!(read["pack"]["dropped"], json!(["part"]), "{read}");
        assert_eq!(read["pack"]["installed"]["version"], "1.0.0", "{read}");

        let body = json!({ "flows": flows, "variables": { "word": "word" } });
        let put = desk.did("PUT", &path, Some(body)).await;
        let wanted = [
            ("part", "removed"),
            ("greet", "updated"),
            ("wave", "created"),
        ];
        assert_eq!(became(&put), pairs(&wanted));
    }
}
