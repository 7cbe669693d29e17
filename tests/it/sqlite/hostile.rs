//! Statements and files that mean harm.

use super::{connect, count, desk, path, refused, run, run_over};
use rusqlite::Connection;
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn nothing_but_the_one_file_is_reached() {
    let desk = desk().await;
    let outside = path(&desk, "outside.db");
    for query in [
        format!("ATTACH '{}' AS other", outside.display()),
        "DETACH main".to_owned(),
        "VACUUM".to_owned(),
        format!("VACUUM INTO '{}'", outside.display()),
        "SELECT load_extension('/lib/x86_64-linux-gnu/libc.so.6')".to_owned(),
        "PRAGMA writable_schema = ON".to_owned(),
        "PRAGMA temp_store_directory = '/tmp'".to_owned(),
        "PRAGMA journal_mode = WAL".to_owned(),
        "BEGIN".to_owned(),
        "SAVEPOINT here".to_owned(),
    ] {
        let fault = refused(&desk, "execute", &query, json!({})).await;
        assert_eq!(fault["code"], "INVALID_ARG", "{query}: {fault}");
        assert!(
            fault["message"]
                .as_str()
                .unwrap()
                .contains("is not run here"),
            "{fault}"
        );
    }
    assert!(!outside.exists());
    let version = run(&desk, "execute", "PRAGMA user_version = 7", json!({})).await;
    version.unwrap();
    let version = run(&desk, "query", "PRAGMA user_version", json!({})).await;
    assert_eq!(version.unwrap()["rows"][0]["user_version"], 7);
}

#[tokio::test]
async fn a_statement_without_end_ends_in_its_time_and_one_that_is_too_large_changes_nothing() {
    // The time of a definition, which an organization may write for itself.
    let desk = desk().await;
    let own = include_str!("../../../catalog/sqlite/connector.yaml")
        .replace("key: sqlite", "key: files")
        .replace("timeout_s: 30", "timeout_s: 1");
    let body = Some(json!({ "source": own }));
    let (status, added) = desk.rest("POST", "/api/v1/connectors/own", body).await;
    assert_eq!(status, 201, "{added}");
    let fields = json!({ "workspace": desk.server.workspace, "file": "shop.db" });
    let body = json!({ "connector": "files", "name": "shop", "fields": fields });
    let (status, made) = desk.rest("POST", "/api/v1/connections", Some(body)).await;
    assert_eq!(status, 201, "{made}");
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) AS n FROM n";
    let begun = Instant::now();
    let fault = desk
        .refused(
            json!({ "service": "files:shop", "method": "query", "body": { "query": endless } }),
        )
        .await;
    assert_eq!(fault["code"], "TIMEOUT", "{fault}");
    assert!(begun.elapsed() < Duration::from_secs(15));

    for (query, said) in [
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 200) SELECT i FROM n",
            "more than 100 rows",
        ),
        (
            "SELECT hex(randomblob(1000000)) AS text",
            "more than 1048576 bytes",
        ),
        (
            "UPDATE counts SET n = 5 RETURNING hex(zeroblob(1000000)) AS text",
            "more than 1048576 bytes",
        ),
        (
            "INSERT INTO orders (email, note) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 100) SELECT i, randomblob(1000000) FROM n",
            "would have more than",
        ),
    ] {
        let fault = refused(&desk, "execute", query, json!({})).await;
        assert_eq!(fault["code"], "TOO_LARGE", "{query}: {fault}");
        assert!(fault["message"].as_str().unwrap().contains(said), "{fault}");
    }
    assert_eq!(count(&desk).await, 0);
    let orders = run(
        &desk,
        "query",
        "SELECT count(*) AS n FROM orders",
        json!({}),
    )
    .await;
    assert_eq!(orders.unwrap()["rows"][0]["n"], 2);
}

#[tokio::test]
async fn a_file_that_is_damaged_or_made_to_harm_is_a_fault_and_the_server_goes_on() {
    let desk = desk().await;
    let good = std::fs::read(path(&desk, "shop.db")).unwrap();
    let changed = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        bytes
    };
    let noise: Vec<u8> = (0..8_192_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let files = [
        ("text", b"id,name\n1,Ann\n".repeat(100)),
        ("short", b"SQLite format 3\0".to_vec()),
        ("noise", noise.clone()),
        ("half", good[..good.len() / 2].to_vec()),
        (
            "no page size",
            changed(&|bytes| bytes[16..18].copy_from_slice(&[0, 7])),
        ),
        (
            "pages of noise",
            changed(&|bytes| {
                let from = bytes.len() / 4;
                for (byte, noise) in bytes[from..].iter_mut().zip(noise.iter().cycle()) {
                    *byte = *noise;
                }
            }),
        ),
        (
            "a root that is itself",
            changed(&|bytes| {
                // The first page as an inner page whose child is the first page.
                bytes[100] = 5;
                bytes[108..112].copy_from_slice(&1_u32.to_be_bytes());
            }),
        ),
    ];
    for (number, (what, bytes)) in files.iter().enumerate() {
        let file = format!("bad{number}.db");
        std::fs::write(path(&desk, &file), bytes).unwrap();
        let name = format!("bad{number}");
        let account = connect(&desk, &name, &file).await;
        for (method, query) in [
            ("query", "SELECT * FROM orders, counts, sqlite_schema"),
            ("execute", "UPDATE orders SET total = 1"),
        ] {
            let ran = run_over(&desk, &name, method, query, json!({})).await;
            let fault = ran.expect_err(what);
            let code = fault["code"].as_str().unwrap();
            assert!(
                ["UPSTREAM_ERROR", "TOO_LARGE", "INVALID_ARG"].contains(&code),
                "{what}, {account}: {fault}"
            );
        }
        assert_eq!(std::fs::read(path(&desk, &file)).unwrap(), *bytes, "{what}");
    }
    assert_eq!(count(&desk).await, 0);
}

#[tokio::test]
async fn what_a_file_does_by_itself_reaches_nothing() {
    let desk = desk().await;
    let file = path(&desk, "trap.db");
    let trap = Connection::open(&file).unwrap();
    trap.execute_batch(
        "CREATE TABLE t (a);
         CREATE VIEW library AS SELECT load_extension('x') AS a;
         CREATE VIEW endless AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT zeroblob(i) AS a FROM n;
         CREATE TRIGGER more AFTER INSERT ON t BEGIN INSERT INTO t SELECT a || a FROM t; END;",
    )
    .unwrap();
    trap.close().unwrap();
    connect(&desk, "trap", "trap.db").await;
    for (method, query) in [
        ("query", "SELECT a FROM library"),
        ("query", "SELECT a FROM endless LIMIT 5000"),
    ] {
        let ran = run_over(&desk, "trap", method, query, json!({})).await;
        ran.expect_err(query);
    }
    let inserted = run_over(
        &desk,
        "trap",
        "execute",
        "INSERT INTO t VALUES ('x')",
        json!({}),
    )
    .await;
    inserted.unwrap();
    assert_eq!(count(&desk).await, 0);
}
