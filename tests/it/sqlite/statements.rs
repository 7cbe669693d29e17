//! What statements answer and change.

use super::{connect, count, desk, path, refused, run, run_over};
use crate::flows::{create, plain};
use quaymaster_tests::Mcp;
use rusqlite::Connection;
use serde_json::json;

// live: sqlite
#[tokio::test]
async fn rows_are_read_with_parameters_that_stay_values() {
    let desk = desk().await;
    let query = "SELECT id, total, note FROM orders WHERE email = :email";
    let found = run(&desk, "query", query, json!({ "email": "ann@example.com" }));
    assert_eq!(
        found.await.unwrap(),
        json!({ "columns": ["id", "total", "note"], "rows": [{ "id": 1, "total": 10.5, "note": "AP8=" }], "affected": 1 })
    );
    let injected = json!({ "email": "x' OR 1=1; DROP TABLE orders; --" });
    let found = run(&desk, "query", query, injected).await.unwrap();
    assert_eq!(found["rows"], json!([]));
    let values = "SELECT :whole AS whole, :none AS none, :yes AS yes, :text AS text, 9e999 AS large, \
                  (SELECT group_concat(value) FROM json_each(:list)) AS list, :whole AS again";
    let given = json!({ "whole": 9_007_199_254_740_993_i64, "none": null, "yes": true, "text": "é'\"", "list": [1, 2] });
    let found = run(&desk, "query", values, given).await.unwrap();
    assert_eq!(
        found["rows"][0],
        json!({ "whole": 9_007_199_254_740_993_i64, "none": null, "yes": 1, "text": "é'\"", "large": "Infinity", "list": "1,2", "again": 9_007_199_254_740_993_i64 })
    );
}

#[tokio::test]
async fn each_statement_draws_its_own_random_numbers() {
    let desk = desk().await;
    let query = "SELECT hex(randomblob(16)) AS drawn, random() AS number";
    let mut drawn = Vec::new();
    for _ in 0..4 {
        let found = run(&desk, "query", query, json!({})).await.unwrap();
        drawn.push(found["rows"][0].to_string());
    }
    drawn.sort();
    drawn.dedup();
    assert_eq!(drawn.len(), 4, "{drawn:?}");
}

#[tokio::test]
async fn what_a_statement_changed_is_in_the_file_for_everybody() {
    let desk = desk().await;
    let insert = "INSERT INTO orders (email, total) VALUES (:email, :total) RETURNING id";
    let given = json!({ "email": "cy@example.com", "total": 7 });
    let made = run(&desk, "execute", insert, given).await.unwrap();
    assert_eq!(
        made,
        json!({ "columns": ["id"], "rows": [{ "id": 3 }], "affected": 1 })
    );
    // Python's own library reads it.
    let python = tokio::process::Command::new("python3")
        .args([
            "-c",
            "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT total FROM orders WHERE id = 3').fetchone()[0])",
        ])
        .arg(path(&desk, "shop.db"))
        .output()
        .await
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&python.stdout),
        "7.0\n",
        "{python:?}"
    );
    // So do the file tools, which tell its new etag.
    let agent = Mcp::open(&desk.server.endpoint, &desk.server.token).await;
    let info = json!({ "path": "shop.db" });
    let before = agent.call("get_file_info", info.clone()).await.unwrap();
    let grow = "UPDATE orders SET note = zeroblob(200000) WHERE id = 1";
    let grown = run(&desk, "execute", grow, json!({})).await.unwrap();
    assert_eq!(grown["affected"], 1);
    let after = agent.call("get_file_info", info).await.unwrap();
    assert_ne!(before["etag"], after["etag"]);
    assert!(after["size"].as_u64().unwrap() > 200_000, "{after}");
    // Nothing is written by what only reads.
    let read = run(
        &desk,
        "execute",
        "SELECT count(*) AS n FROM orders",
        json!({}),
    )
    .await;
    assert_eq!(read.unwrap()["rows"][0]["n"], 3);
    let again = agent
        .call("get_file_info", json!({ "path": "shop.db" }))
        .await
        .unwrap();
    assert_eq!(after["etag"], again["etag"]);
}

#[tokio::test]
async fn a_change_stands_in_the_history_of_the_file() {
    let desk = desk().await;
    for query in ["UPDATE counts SET n = 1", "SELECT n FROM counts"] {
        run(&desk, "execute", query, json!({})).await.unwrap();
    }
    let address = format!(
        "/api/v1/workspaces/{}/files/history?path=shop.db",
        desk.server.workspace
    );
    let (status, history) = desk.rest("GET", &address, None).await;
    assert_eq!(status, 200, "{history}");
    let changes = history["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{history}");
    assert_eq!(changes[0]["action"], "execute");
    assert_eq!(changes[0]["actor"], "sqlite:shop");
}

#[tokio::test]
async fn an_empty_file_is_an_empty_database_and_a_missing_one_is_told() {
    let desk = desk().await;
    let missing = connect(&desk, "missing", "none.db").await;
    assert_eq!(missing["status"], "ERROR", "{missing}");
    let fault = run_over(&desk, "missing", "query", "SELECT 1", json!({})).await;
    let fault = fault.unwrap_err();
    assert_eq!(fault["code"], "NOT_FOUND", "{fault}");
    std::fs::write(path(&desk, "new.db"), b"").unwrap();
    assert_eq!(connect(&desk, "new", "new.db").await["status"], "ACTIVE");
    for (method, query) in [
        ("execute", "CREATE TABLE t (a)"),
        ("execute", "INSERT INTO t VALUES (1), (2)"),
    ] {
        run_over(&desk, "new", method, query, json!({}))
            .await
            .unwrap();
    }
    let sum = run_over(
        &desk,
        "new",
        "query",
        "SELECT sum(a) AS sum FROM t",
        json!({}),
    )
    .await;
    assert_eq!(sum.unwrap()["rows"][0]["sum"], 3);
}

#[tokio::test]
async fn a_reading_statement_changes_nothing_and_a_changing_one_says_so() {
    let desk = desk().await;
    for query in [
        "UPDATE counts SET n = 9",
        "DROP TABLE orders",
        "INSERT INTO counts VALUES (1) RETURNING n",
        "PRAGMA user_version = 3",
    ] {
        let fault = refused(&desk, "query", query, json!({})).await;
        assert_eq!(fault["code"], "UPSTREAM_ERROR", "{query}: {fault}");
        assert_eq!(fault["details"]["sqlite"], "SQLITE_READONLY", "{fault}");
    }
    assert_eq!(count(&desk).await, 0);
    let twice = "INSERT INTO orders (email) VALUES ('ann@example.com')";
    let fault = refused(&desk, "execute", twice, json!({})).await;
    assert_eq!(
        fault["details"]["sqlite"], "SQLITE_CONSTRAINT_UNIQUE",
        "{fault}"
    );
    let fault = refused(&desk, "query", "SELECT x FROM orders", json!({})).await;
    assert!(
        fault["message"]
            .as_str()
            .unwrap()
            .contains("no such column: x"),
        "{fault}"
    );
}

#[tokio::test]
async fn parameters_that_do_not_fit_are_told_before_anything_runs() {
    let desk = desk().await;
    let update = "UPDATE counts SET n = :n";
    for (query, params, said) in [
        (update, json!({}), "The statement has :n"),
        (update, json!({ "n": 1, "m": 2 }), "The statement has no :m"),
        (update, json!({ "n": u64::MAX }), "no place for"),
        ("UPDATE counts SET n = ?", json!({}), "written `:name`"),
        (
            "UPDATE counts SET n = $n",
            json!({ "n": 1 }),
            "written `:name`",
        ),
        (
            "SELECT 1 AS a, 2 AS a",
            json!({}),
            "Two columns are called a",
        ),
        (" -- nothing", json!({}), "empty"),
        (
            "UPDATE counts SET n = 1; UPDATE counts SET n = 2",
            json!({}),
            "more than one statement",
        ),
        (
            "UPDATE counts SET n = 1; DROP TABLE nowhere",
            json!({}),
            "more than one statement",
        ),
    ] {
        let fault = refused(&desk, "execute", query, params).await;
        assert_eq!(fault["code"], "INVALID_ARG", "{query}: {fault}");
        assert!(fault["message"].as_str().unwrap().contains(said), "{fault}");
    }
    assert_eq!(count(&desk).await, 0);
    // What follows the statement and says nothing is no second one.
    let once = run(
        &desk,
        "execute",
        "UPDATE counts SET n = 4; -- done",
        json!({}),
    );
    assert_eq!(once.await.unwrap()["affected"], 1);
}

#[tokio::test]
async fn twenty_statements_at_once_lose_no_change() {
    let desk = desk().await;
    let calls = (0..20).map(|_| run(&desk, "execute", "UPDATE counts SET n = n + 1", json!({})));
    for done in futures_util::future::join_all(calls).await {
        done.unwrap();
    }
    assert_eq!(count(&desk).await, 20);
}

#[tokio::test]
async fn a_step_of_a_flow_reads_and_changes_the_file_as_it_would_a_server() {
    let desk = desk().await;
    let flow = plain(
        "order",
        r#"input:
  type: object
  required: [email]
  properties: { email: { type: string } }
steps:
  - id: change
    sql: { connection: "sqlite:shop", query: "UPDATE orders SET total = total + 1 WHERE email = :email", params: { email: "${{ .input.email }}" } }
  - id: read
    sql: { connection: shop, read_only: true, query: "SELECT total FROM orders WHERE email = :email", params: { email: "${{ .input.email }}" } }
return: "[.steps.change.affected, .steps.read.rows[0].total]"
"#,
    );
    create(&desk, &flow).await;
    let answer = desk
        .text("order", json!({ "email": "ann@example.com" }))
        .await;
    assert_eq!(
        serde_json::from_str::<serde_json::Value>(&answer).unwrap(),
        json!([1, 11.5])
    );
    let wrong = plain(
        "wrong",
        "steps:\n  - id: x\n    sql: { connection: shop, read_only: true, query: DELETE FROM orders }\n",
    );
    create(&desk, &wrong).await;
    let fault = desk.mcp.call("wrong", json!({})).await.unwrap_err();
    let message = fault["message"].as_str().unwrap();
    assert!(message.contains("it only reads"), "{fault}");
}

#[tokio::test]
async fn a_database_with_a_log_is_read_when_the_log_is_in_it_and_keeps_its_mode() {
    let desk = desk().await;
    let file = path(&desk, "log.db");
    let database = Connection::open(&file).unwrap();
    database
        .execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a); INSERT INTO t VALUES (1);")
        .unwrap();
    connect(&desk, "log", "log.db").await;
    let fault = run_over(&desk, "log", "query", "SELECT a FROM t", json!({})).await;
    let fault = fault.unwrap_err();
    assert_eq!(fault["details"]["sqlite"], "SQLITE_BUSY", "{fault}");
    assert!(
        fault["hint"]
            .as_str()
            .unwrap()
            .contains("journal_mode=DELETE"),
        "{fault}"
    );
    database.close().unwrap();
    let add = run_over(
        &desk,
        "log",
        "execute",
        "INSERT INTO t VALUES (2)",
        json!({}),
    )
    .await;
    assert_eq!(add.unwrap()["affected"], 1);
    let bytes = std::fs::read(&file).unwrap();
    assert_eq!(bytes[18..20], [2, 2]);
    let database = Connection::open(&file).unwrap();
    let sum: i64 = database
        .query_row("SELECT sum(a) FROM t", [], |row| row.get(0))
        .unwrap();
    assert_eq!(sum, 3);
}
