//! Statements for a real PostgreSQL server.

use quaymaster_connectors::sql::{Answer, Query, Server, Tls, run};
use quaymaster_core::{Code, Fault};
use quaymaster_egress::{Egress, Policy};
use secrecy::SecretString;
use serde_json::{Map, Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A database of its own, and the way to it.
pub(crate) struct Database {
    pub(crate) server: Server,
    pub(crate) egress: Egress,
}

/// Reaches this machine, and believes an authority more.
pub(crate) fn egress(ca_file: Option<&Path>) -> Egress {
    Egress::new(Policy::configured(&["127.0.0.1".to_owned()], ca_file).unwrap()).unwrap()
}

impl Database {
    pub(crate) fn new() -> Database {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let base = std::env::var("QUAYMASTER_TEST_PG")
            .expect("QUAYMASTER_TEST_PG is not set; run `cargo xtask test`");
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("q{}_{number}", std::process::id());
        let made = std::process::Command::new("psql")
            .args([&base, "-q", "-c", &format!("CREATE DATABASE {name}")])
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{}",
            String::from_utf8_lossy(&made.stderr)
        );
        let url = url::Url::parse(&base).unwrap();
        Database {
            server: Server {
                host: url.host_str().unwrap().to_owned(),
                port: url.port().unwrap(),
                database: name,
                user: url.username().to_owned(),
                password: SecretString::from("not asked for"),
                tls: Tls::Off,
            },
            egress: egress(None),
        }
    }

    pub(crate) async fn with(
        &self,
        text: &str,
        params: Value,
        change: impl FnOnce(&mut Query<'_>),
    ) -> Result<Answer, Fault> {
        let params: Map<String, Value> = serde_json::from_value(params).unwrap();
        let mut query = Query {
            text,
            params: &params,
            read_only: false,
            max_rows: 100,
            max_bytes: 1024 * 1024,
            timeout: Duration::from_secs(20),
        };
        change(&mut query);
        run(&self.egress, &self.server, &query).await
    }

    async fn run(&self, text: &str, params: Value) -> Answer {
        match self.with(text, params, |_| {}).await {
            Ok(answer) => answer,
            Err(fault) => panic!("{text}: {fault}"),
        }
    }

    pub(crate) async fn one(&self, text: &str, params: Value) -> Value {
        self.run(text, params).await.rows.remove(0)
    }

    pub(crate) async fn refused(&self, text: &str, params: Value) -> Fault {
        self.with(text, params, |_| {}).await.unwrap_err()
    }

    async fn count(&self, table: &str) -> Value {
        self.one(&format!("SELECT count(*) AS n FROM {table}"), json!({}))
            .await["n"]
            .clone()
    }
}

#[tokio::test]
async fn columns_keep_their_types() {
    let database = Database::new();
    database
        .run("CREATE TYPE mood AS ENUM ('calm', 'loud')", json!({}))
        .await;
    database
        .run("CREATE DOMAIN small AS int CHECK (VALUE < 10)", json!({}))
        .await;
    let row = database
        .one(
            "SELECT 1::int2 AS a, 2::int4 AS b, 9007199254740993::int8 AS c, 1.1::float4 AS d, 0.1::float8 AS e, 'NaN'::float8 AS nan,
                10.50::numeric AS price, 12345678901234567890.12::numeric AS large, -0.0001::numeric AS tiny, 300::numeric AS whole,
                true AS yes, NULL::text AS nothing, 'ä'::text AS text, 'x'::char(3) AS padded, 'n'::name AS name,
                '{\"a\":[1,null]}'::jsonb AS jsonb, '[1, 2.5]'::json AS json,
                '\\x00ff'::bytea AS bytes, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid AS uuid,
                '2024-02-29'::date AS date, 'infinity'::date AS never, '2024-02-29 01:02:03.5'::timestamp AS local,
                '2024-02-29 01:02:03+02'::timestamptz AS instant, '01:02:03'::time AS time, '01:02:03+05:30'::timetz AS zoned,
                '1 year 2 months 3 days 04:05:06.7'::interval AS span,
                ARRAY[1, NULL, 3] AS list, ARRAY[['a'], ['b']] AS table, '{}'::int[] AS empty,
                '10.0.0.1'::inet AS host, '10.0.0.0/8'::cidr AS net, '::1'::inet AS six,
                'loud'::mood AS mood, 7::small AS small, ARRAY['calm'::mood] AS moods",
            json!({}),
        )
        .await;
    assert_eq!(
        row,
        json!({
            "a": 1, "b": 2, "c": 9_007_199_254_740_993_i64, "d": 1.1, "e": 0.1, "nan": "NaN",
            "price": 10.5, "large": "12345678901234567890.12", "tiny": -0.0001, "whole": 300,
            "yes": true, "nothing": null, "text": "ä", "padded": "x  ", "name": "n",
            "jsonb": { "a": [1, null] }, "json": [1, 2.5],
            "bytes": "AP8=", "uuid": "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            "date": "2024-02-29", "never": "infinity", "local": "2024-02-29T01:02:03.5",
            "instant": "2024-02-28T23:02:03Z", "time": "01:02:03", "zoned": "01:02:03+05:30",
            "span": "P1Y2M3DT4H5M6.7S",
            "list": [1, null, 3], "table": [["a"], ["b"]], "empty": [],
            "host": "10.0.0.1", "net": "10.0.0.0/8", "six": "::1",
            "mood": "loud", "small": 7, "moods": ["calm"],
        })
    );
    let point = database
        .refused("SELECT point(1, 2) AS place", json!({}))
        .await;
    assert_eq!(point.code, Code::UpstreamError);
    assert!(point.hint.unwrap().contains("place::text"));
    let twice = database.refused("SELECT 1 AS n, 2 AS n", json!({})).await;
    assert_eq!(twice.message, "Two columns are called n.");
}

#[tokio::test]
async fn parameters_are_values_whatever_they_hold() {
    let database = Database::new();
    database
        .run("CREATE TABLE orders (id int, status text, tags text[], more jsonb, at timestamptz, price numeric)", json!({}))
        .await;
    let hostile = "'; DROP TABLE orders; -- $1 :status \\ \"";
    let insert = "INSERT INTO orders VALUES (:id, :status, :tags, :more, :at, :price)";
    for (id, status) in [(1, "open"), (2, hostile)] {
        let params = json!({
            "id": id, "status": status, "tags": ["a,b", "{\"}", null], "more": { "k": hostile },
            "at": "2024-01-02T03:04:05Z", "price": "12345678901234567890.5",
        });
        assert_eq!(database.run(insert, params).await.affected, 1);
    }
    let found = database
        .run(
            "SELECT * FROM orders WHERE (:status IS NULL OR status = :status) ORDER BY id LIMIT :limit",
            json!({ "status": hostile, "limit": 5 }),
        )
        .await;
    assert_eq!(
        found.columns,
        ["id", "status", "tags", "more", "at", "price"]
    );
    assert_eq!(
        found.rows,
        [json!({
            "id": 2, "status": hostile, "tags": ["a,b", "{\"}", null], "more": { "k": hostile },
            "at": "2024-01-02T03:04:05Z", "price": "12345678901234567890.5",
        })]
    );
    let all =
        "SELECT id FROM orders WHERE (:status IS NULL OR status = :status) AND id = ANY(:ids)";
    let all = database
        .run(all, json!({ "status": null, "ids": [1, 2, 3] }))
        .await;
    assert_eq!(all.rows.len(), 2);
    let json = database
        .one(
            "SELECT :a::jsonb AS a, :b::jsonb AS b, :c::int + 1 AS c",
            json!({ "a": "text", "b": [1], "c": "41" }),
        )
        .await;
    assert_eq!(json, json!({ "a": "text", "b": [1], "c": 42 }));
    for (text, params, said) in [
        (
            "SELECT :a",
            json!({}),
            "The statement has :a, and no such parameter is given.",
        ),
        ("SELECT 1", json!({ "a": 1 }), "The statement has no :a."),
        (
            "SELECT :a::int",
            json!({ "a": {} }),
            ":a is int4 to the server, which an object cannot be.",
        ),
        (
            "SELECT $1",
            json!({}),
            "Parameters are written `:name`, not `$1`.",
        ),
        (
            "SELECT 1; SELECT 2",
            json!({}),
            "There is more than one statement; a step runs one.",
        ),
        (" ", json!({}), "The statement is empty."),
    ] {
        let fault = database.refused(text, params).await;
        assert_eq!(
            (fault.code, fault.message.as_str()),
            (Code::InvalidArg, said),
            "{text}"
        );
    }
    let wrong = database
        .refused("SELECT :a::int", json!({ "a": "x" }))
        .await;
    assert_eq!(wrong.details.unwrap()["sqlstate"], "22P02");
}

#[tokio::test]
async fn a_read_only_statement_changes_nothing() {
    let database = Database::new();
    database.run("CREATE TABLE t (n int)", json!({})).await;
    database.run("CREATE FUNCTION sneak() RETURNS int AS 'INSERT INTO t VALUES (1) RETURNING n' LANGUAGE sql", json!({})).await;
    for text in [
        "INSERT INTO t VALUES (1)",
        "WITH made AS (INSERT INTO t VALUES (1) RETURNING n) SELECT n FROM made",
        "SELECT sneak() AS n",
        "DROP TABLE t",
        "DO $$ BEGIN INSERT INTO t VALUES (1); END $$",
    ] {
        let fault = database
            .with(text, json!({}), |query| query.read_only = true)
            .await
            .unwrap_err();
        assert_eq!(fault.details.unwrap()["sqlstate"], "25006", "{text}");
        assert!(fault.hint.unwrap().contains("read_only"), "{text}");
    }
    assert_eq!(database.count("t").await, 0);
    let read = database
        .with("SELECT 1 AS n", json!({}), |query| query.read_only = true)
        .await;
    assert_eq!(read.unwrap().rows, [json!({ "n": 1 })]);
    database
        .run("INSERT INTO t VALUES (1), (2)", json!({}))
        .await;
    assert_eq!(database.count("t").await, 2);
}

#[tokio::test]
async fn an_answer_that_is_too_large_changes_nothing() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (n int, filler text)", json!({}))
        .await;
    let rows = "INSERT INTO t SELECT n, 'x' FROM generate_series(1, 101) AS n RETURNING n";
    let fault = database.refused(rows, json!({})).await;
    assert_eq!(
        (fault.code, fault.message.as_str()),
        (Code::TooLarge, "The statement gave more than 100 rows.")
    );
    // One value, and many.
    for text in [
        "INSERT INTO t VALUES (1, repeat('x', 100000000)) RETURNING filler",
        "INSERT INTO t SELECT n, repeat('x', 100000) FROM generate_series(1, 100) AS n RETURNING filler",
    ] {
        let fault = database.refused(text, json!({})).await;
        assert_eq!(fault.code, Code::TooLarge, "{text} {fault}");
    }
    assert_eq!(database.count("t").await, 0);
    let exactly = database
        .run("SELECT n FROM generate_series(1, 100) AS n", json!({}))
        .await;
    assert_eq!(exactly.rows.len(), 100);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_ends_at_the_server_too() {
    let database = Database::new();
    let text = "SELECT pg_sleep(:s), 'a mark'";
    let fault = database
        .with(text, json!({ "s": 60 }), |query| {
            query.timeout = Duration::from_millis(500);
        })
        .await
        .unwrap_err();
    assert_eq!(fault.code, Code::Timeout, "{fault}");
    let running = "SELECT count(*) AS n FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%a mark%' AND pid <> pg_backend_pid() AND state = 'active'";
    while database.one(running, json!({})).await["n"] != 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn what_a_server_refuses_is_told_in_its_words() {
    let database = Database::new();
    database
        .run("CREATE TABLE t (n int PRIMARY KEY)", json!({}))
        .await;
    for (text, state, words) in [
        ("SELEC 1", "42601", "syntax error"),
        (
            "SELECT nothing FROM t",
            "42703",
            "\"nothing\" does not exist",
        ),
        ("INSERT INTO t VALUES (1), (1)", "23505", "duplicate key"),
        ("SELECT 1 / 0", "22012", "division by zero"),
        ("VACUUM", "25001", "VACUUM"),
    ] {
        let fault = database.refused(text, json!({})).await;
        assert_eq!(fault.details.clone().unwrap()["sqlstate"], state, "{fault}");
        assert!(fault.message.contains(words), "{fault}");
        assert!(!fault.retryable);
    }
    let copied = database.refused("COPY t TO STDOUT", json!({})).await;
    assert_eq!(copied.code, Code::UpstreamError, "{copied}");
    assert!(copied.message.contains("COPY"), "{copied}");
    let mut stranger = Database::new();
    "nobody_of_that_name".clone_into(&mut stranger.server.user);
    let fault = stranger.refused("SELECT 1", json!({})).await;
    assert_eq!(fault.code, Code::ConnectionRequired, "{fault}");
    stranger.server.port = 1;
    let fault = stranger.refused("SELECT 1", json!({})).await;
    assert_eq!((fault.code, fault.retryable), (Code::UpstreamError, true));
}
