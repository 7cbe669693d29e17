//! Actions with an idempotency key: the same request has one effect.

use quaymaster_tests::{Database, Developer};
use serde_json::{Value, json};

fn message(desk: &Developer, key: &str, text: &str) -> Value {
    json!({
        "integrationName": "slack", "actionName": "send_channel_message", "workspaceId": desk.server.workspace,
        "connectionExternalId": "main", "idempotencyKey": key, "input": { "channel": "C1", "text": text },
    })
}

/// What reads, which needs no key.
fn listing(desk: &Developer, key: &str) -> Value {
    json!({
        "integrationName": "slack", "actionName": "list_channels", "workspaceId": desk.server.workspace,
        "connectionExternalId": "main", "idempotencyKey": key,
    })
}

fn sent(desk: &Developer) -> usize {
    let asked = desk.chat.asked();
    let posts = asked
        .iter()
        .filter(|one| one.path == "/api/chat.postMessage");
    posts.count()
}

#[tokio::test]
async fn the_same_request_with_the_same_key_writes_once_and_answers_the_same() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        desk.chat_account("main").await;
        let execute = async |body: Value| desk.ask("POST", "/actions/execute", Some(body)).await;
        let (status, first) = execute(message(&desk, "order-17", "Hello")).await;
        assert_eq!(status, 200, "{first}");
        let (status, again) = execute(message(&desk, "order-17", "Hello")).await;
        assert_eq!(
            (status, &again["output"]),
            (200, &first["output"]),
            "{again}"
        );
        assert_eq!(sent(&desk), 1);
        let (status, other) = execute(message(&desk, "order-17", "Something else")).await;
        assert_eq!(
            (status, &other["code"]),
            (400, &json!("VALIDATION_ERROR")),
            "{other}"
        );
        let (status, _) = execute(message(&desk, "order-18", "Hello")).await;
        assert_eq!((status, sent(&desk)), (200, 2));
        // Members are the same in any order.
        let mut turned = message(&desk, "order-18", "Hello");
        turned["input"] = json!({ "text": "Hello", "channel": "C1" });
        let (status, again) = execute(turned).await;
        assert_eq!((status, sent(&desk)), (200, 2), "{again}");
        for bad in ["", "a b", "straße", &"k".repeat(256)] {
            let (status, refused) = execute(message(&desk, bad, "Hello")).await;
            assert_eq!(status, 400, "{bad:?}: {refused}");
            let (status, refused) = execute(listing(&desk, bad)).await;
            assert_eq!(status, 400, "{bad:?}: {refused}");
        }
        assert_eq!(sent(&desk), 2);
    }
}

#[tokio::test]
async fn of_two_at_once_the_second_learns_that_the_first_runs_and_later_what_came_of_it() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        desk.chat_account("main").await;
        let before = desk.chat.asked().len();
        desk.chat.hold();
        let first = desk.ask(
            "POST",
            "/actions/execute",
            Some(message(&desk, "k", "Hello")),
        );
        let second = async {
            desk.chat.has_come(before + 1).await;
            let body = message(&desk, "k", "Hello");
            let answer = desk.ask("POST", "/actions/execute", Some(body)).await;
            desk.chat.let_go();
            answer
        };
        let ((first, answer), (second, refused)) = tokio::join!(first, second);
        assert_eq!((first, second), (200, 409), "{answer} {refused}");
        assert_eq!(refused["retryable"], true, "{refused}");
        let (status, again) = desk
            .ask(
                "POST",
                "/actions/execute",
                Some(message(&desk, "k", "Hello")),
            )
            .await;
        assert_eq!(
            (status, &again["output"]),
            (200, &answer["output"]),
            "{again}"
        );
        assert_eq!(sent(&desk), 1);
    }
}

#[tokio::test]
async fn a_refusal_of_the_service_is_kept_and_one_before_it_is_not() {
    let desk = Developer::open(Database::Sqlite).await;
    let execute = async |body: Value| desk.ask("POST", "/actions/execute", Some(body)).await;
    // No account yet: nothing was asked for, and the key stays free.
    let (status, refused) = execute(message(&desk, "k", "Hello")).await;
    assert_eq!(status, 404, "{refused}");
    desk.chat_account("main").await;
    let (status, done) = execute(message(&desk, "k", "Hello")).await;
    assert_eq!(status, 200, "{done}");
    let unknown = |key: &str| {
        let mut body = message(&desk, key, "x");
        body["actionName"] = json!("update_message");
        body["input"] = json!({ "channel": "C1", "ts": "1.2", "text": "x" });
        body
    };
    let before = desk.chat.asked().len();
    let (status, failed) = execute(unknown("u")).await;
    assert_eq!(
        (status, &failed["code"]),
        (502, &json!("ACTION_FAILED")),
        "{failed}"
    );
    let (status, again) = execute(unknown("u")).await;
    assert_eq!(
        (status, &again["error"]),
        (502, &failed["error"]),
        "{again}"
    );
    assert_eq!(desk.chat.asked().len(), before + 1);
    // What reads is asked each time.
    let before = desk.chat.asked().len();
    for _ in 0..2 {
        let (status, listed) = execute(listing(&desk, "r")).await;
        assert_eq!(status, 200, "{listed}");
    }
    assert_eq!(desk.chat.asked().len(), before + 2);
}

#[tokio::test]
async fn what_may_have_been_done_is_not_done_again_with_the_same_key() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        desk.chat_account("main").await;
        let late = || Some(message(&desk, "late", "late"));
        for _ in 0..2 {
            let (status, failed) = desk.ask("POST", "/actions/execute", late()).await;
            assert_eq!(status, 502, "{failed}");
            assert_eq!(failed["details"]["upstream_status"], 504, "{failed}");
            assert_eq!(
                (&failed["retryable"], &failed["details"]["maybe_done"]),
                (&json!(false), &json!(true)),
                "{failed}"
            );
        }
        assert_eq!(sent(&desk), 1);

        // The service goes away with the message that it was sent.
        let body = message(&desk, "gone", "Hello");
        let Developer {
            server, key, chat, ..
        } = desk;
        let execute = async || {
            let path = "/api/v1/actions/execute";
            server.rest(&key, "POST", path, Some(body.clone())).await
        };
        let before = chat.asked().len();
        chat.hold();
        let going = async move {
            chat.has_come(before + 1).await;
            drop(chat);
        };
        let ((status, failed), ()) = tokio::join!(execute(), going);
        assert_eq!(status, 502, "{failed}");
        assert_eq!(failed["details"]["maybe_done"], true, "{failed}");
        let (status, again) = execute().await;
        assert_eq!((status, &again), (502, &failed), "{again}");
    }
}
