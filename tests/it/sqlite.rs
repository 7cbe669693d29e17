//! Databases that are files of a workspace: read and changed by statements, whoever wrote them and whatever is in them.

mod access;
mod hostile;
mod statements;

use quaymaster_tests::{Database, Desk};
use rusqlite::Connection;
use serde_json::{Value, json};
use std::path::PathBuf;

/// A desk with a file of orders in its workspace, and a connection to it.
pub(crate) async fn desk() -> Desk {
    let desk = Desk::open(Database::Sqlite).await;
    let orders = Connection::open(path(&desk, "shop.db")).unwrap();
    orders
        .execute_batch(
            "CREATE TABLE orders (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, total REAL, note BLOB);
             INSERT INTO orders VALUES (1, 'ann@example.com', 10.5, x'00ff'), (2, 'bo@example.com', 3, NULL);
             CREATE TABLE counts (n INTEGER NOT NULL);
             INSERT INTO counts VALUES (0);",
        )
        .unwrap();
    orders.close().unwrap();
    let account = connect(&desk, "shop", "shop.db").await;
    assert_eq!(account["status"], "ACTIVE", "{account}");
    desk
}

pub(crate) fn path(desk: &Desk, file: &str) -> PathBuf {
    let home = desk.server.home();
    std::fs::create_dir_all(&home).unwrap();
    home.join(file)
}

/// Connects a file of the desk's own workspace.
pub(crate) async fn connect(desk: &Desk, name: &str, file: &str) -> Value {
    let workspace = desk.server.workspace.as_str();
    let body = json!({
        "connector": "sqlite", "name": name, "fields": { "workspace": workspace, "file": file },
    });
    let (status, answer) = desk.rest("POST", "/api/v1/connections", Some(body)).await;
    assert_eq!(status, 201, "{answer}");
    answer["connection"].clone()
}

/// A statement for the connection `shop`, by the tool that calls connectors.
pub(crate) async fn run(
    desk: &Desk,
    method: &str,
    query: &str,
    params: Value,
) -> Result<Value, Value> {
    run_over(desk, "shop", method, query, params).await
}

pub(crate) async fn run_over(
    desk: &Desk,
    name: &str,
    method: &str,
    query: &str,
    params: Value,
) -> Result<Value, Value> {
    let body = json!({ "query": query, "params": params });
    let call = json!({ "service": format!("sqlite:{name}"), "method": method, "body": body });
    let answer = desk.execute(call).await?;
    Ok(answer["data"].clone())
}

pub(crate) async fn refused(desk: &Desk, method: &str, query: &str, params: Value) -> Value {
    match run(desk, method, query, params).await {
        Err(fault) => fault,
        Ok(answer) => panic!("{query} was not refused: {answer}"),
    }
}

/// The count, as the server reads it.
pub(crate) async fn count(desk: &Desk) -> Value {
    let read = run(desk, "query", "SELECT n FROM counts", json!({})).await;
    read.unwrap()["rows"][0]["n"].clone()
}
