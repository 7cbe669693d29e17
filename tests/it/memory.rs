//! Memory: what agents write down and find again, on both databases.

mod api;
mod finding;
mod room;
mod sharing;

use quaymaster_tests::{Database, Mcp, Server};
use serde_json::{Value, json};

pub(crate) const KEY: [&str; 2] = ["read:data", "write:tools"];

pub(crate) struct Notes {
    pub(crate) server: Server,
    pub(crate) key: String,
    pub(crate) mcp: Mcp,
}

impl Notes {
    pub(crate) async fn open(database: Database) -> Notes {
        Notes::open_with(database, &[("CALLS_PER_SECOND", "10000")]).await
    }

    pub(crate) async fn open_with(database: Database, settings: &[(&str, &str)]) -> Notes {
        let server = Server::start_with(database, settings).await;
        let key = server.api_key(&KEY).await;
        let mcp = Mcp::open(&server.endpoint, &key).await;
        Notes { server, key, mcp }
    }

    pub(crate) async fn read(&self, arguments: Value) -> Result<Value, Value> {
        self.mcp.call("read_memory", arguments).await
    }

    pub(crate) async fn write(&self, arguments: Value) -> Result<Value, Value> {
        self.mcp.call("write_memory", arguments).await
    }

    pub(crate) async fn create(&self, path: &str, content: &str) -> Value {
        let made = json!({ "command": "create", "path": path, "content": content });
        self.write(made).await.unwrap()
    }

    pub(crate) async fn content(&self, path: &str) -> Value {
        self.read(json!({ "path": path })).await.unwrap()["content"].clone()
    }
}

fn paths(list: &Value) -> Vec<&str> {
    let entries = list["entries"].as_array().unwrap();
    entries
        .iter()
        .filter_map(|one| one["path"].as_str())
        .collect()
}

// promise: S0.9, S0.44, S0.61
#[tokio::test]
async fn an_agent_writes_a_note_and_every_command_changes_it_as_it_says() {
    for database in Database::BOTH {
        let notes = Notes::open(database).await;
        let made = notes
            .create("projects/launch.md", "# Launch\n\nMonday\n")
            .await;
        assert_eq!(made["version"], 1);
        assert_eq!(made["created"], true);
        let whole = notes
            .read(json!({ "path": "projects/launch.md" }))
            .await
            .unwrap();
        assert_eq!(whole["content"], "# Launch\n\nMonday\n");
        assert_eq!(whole["etag"], made["etag"]);
        let part = json!({ "path": "projects/launch.md", "start_line": 3, "end_line": 3 });
        assert_eq!(notes.read(part).await.unwrap()["content"], "Monday\n");
        for (change, content) in [
            (
                json!({ "command": "str_replace", "old_str": "Monday", "new_str": "Friday" }),
                "# Launch\n\nFriday\n",
            ),
            (
                json!({ "command": "insert", "insert_line": 1, "content": "by Ada" }),
                "# Launch\nby Ada\n\nFriday\n",
            ),
            (
                json!({ "command": "append", "content": "Done\n" }),
                "# Launch\nby Ada\n\nFriday\nDone\n",
            ),
        ] {
            let mut change = change;
            change["path"] = json!("projects/launch.md");
            notes.write(change).await.unwrap();
            assert_eq!(notes.content("projects/launch.md").await, content);
        }
        let rename = json!({ "command": "rename", "path": "projects/launch.md", "new_path": "done/launch.md" });
        assert_eq!(notes.write(rename).await.unwrap()["path"], "done/launch.md");
        let gone = notes
            .read(json!({ "path": "projects/launch.md" }))
            .await
            .unwrap_err();
        assert_eq!(gone["code"], "NOT_FOUND", "{gone}");
        let close = notes
            .read(json!({ "path": "done/lanch.md" }))
            .await
            .unwrap_err();
        assert_eq!(
            close["details"]["did_you_mean"],
            json!(["done/launch.md"]),
            "{close}"
        );
        let early = json!({ "path": "done/launch.md", "version": 1 });
        assert_eq!(
            notes.read(early).await.unwrap()["content"],
            "# Launch\n\nMonday\n"
        );
        let delete = json!({ "command": "delete", "path": "done/launch.md" });
        notes.write(delete).await.unwrap();
        assert!(paths(&notes.read(json!({ "prefix": "" })).await.unwrap()).is_empty());
    }
}

// promise: S0.45
#[tokio::test]
async fn a_list_below_a_prefix_comes_in_pages_and_folders_stay_closed() {
    for database in Database::BOTH {
        let notes = Notes::open(database).await;
        for number in 0..7 {
            notes.create(&format!("a/deep/{number}.md"), "x").await;
            notes.create(&format!("b{number}.md"), "x").await;
        }
        let mut all: Vec<String> = Vec::new();
        let mut asked = json!({ "prefix": "", "limit": 3 });
        loop {
            let page = notes.read(asked.clone()).await.unwrap();
            assert!(page["entries"][0]["content"].is_null());
            all.extend(paths(&page).into_iter().map(str::to_owned));
            if page["next_cursor"].is_null() {
                break;
            }
            asked["cursor"] = page["next_cursor"].clone();
        }
        assert_eq!(all.len(), 14);
        assert!(all.is_sorted(), "{all:?}");
        let closed = json!({ "prefix": "", "depth": 1, "limit": 2 });
        let closed = notes.read(closed).await.unwrap();
        assert_eq!(closed["prefixes"], json!(["a/"]));
        assert_eq!(paths(&closed), ["b0.md"]);
        let next = json!({ "prefix": "", "depth": 1, "cursor": closed["next_cursor"] });
        let next = notes.read(next).await.unwrap();
        assert_eq!(paths(&next).len(), 6, "{next}");
        assert_eq!(next["prefixes"], json!([]));
        let below = notes.read(json!({ "prefix": "a/deep/3" })).await.unwrap();
        assert_eq!(paths(&below), ["a/deep/3.md"]);
    }
}

// promise: S0.46
#[tokio::test]
async fn up_to_fifty_files_are_read_at_once_and_a_missing_one_fails_nothing() {
    let notes = Notes::open(Database::Sqlite).await;
    let large = "x".repeat(100 * 1024);
    for name in ["a", "b", "c"] {
        notes.create(name, &large).await;
    }
    notes.create("small", "y").await;
    let asked = json!({ "read_many": ["a", "none", "b", "../up", "c", "small"] });
    let answer = notes.read(asked).await.unwrap();
    let read: Vec<&Value> = answer["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| &file["path"])
        .collect();
    assert_eq!(read, ["a", "b", "small"]);
    assert_eq!(answer["omitted"], json!(["c"]));
    assert_eq!(answer["errors"][0]["path"], "none");
    assert_eq!(answer["errors"][0]["code"], "NOT_FOUND");
    assert_eq!(answer["errors"][1]["code"], "INVALID_ARG");
    let paths: Vec<String> = (0..51).map(|number| format!("f{number}")).collect();
    let refused = notes.read(json!({ "read_many": paths })).await.unwrap_err();
    assert_eq!(refused["code"], "INVALID_ARG");
    assert_eq!(
        notes
            .read(json!({ "read_many": paths[..50] }))
            .await
            .unwrap()["errors"]
            .as_array()
            .unwrap()
            .len(),
        50
    );
}

#[tokio::test]
async fn words_are_found_in_both_databases_also_in_other_scripts() {
    for database in Database::BOTH {
        let notes = Notes::open(database).await;
        notes
            .create("trips/lisbon.md", "Flight at nine.\nHotel by the river.\n")
            .await;
        notes
            .create("заметки.md", "Список покупок: молоко, Хлеб.\n")
            .await;
        notes.create("other.md", "Nothing of that.").await;
        for (query, path, line) in [
            ("hotel RIVER", "trips/lisbon.md", 2),
            ("flig", "trips/lisbon.md", 1),
            ("lisbon", "trips/lisbon.md", 0),
            ("хлеб", "заметки.md", 1),
            ("c++ 'lisbon' OR \"*:", "", 0),
        ] {
            let found = notes.read(json!({ "query": query })).await.unwrap();
            let results = found["results"].as_array().unwrap();
            assert_eq!(
                results.len(),
                usize::from(!path.is_empty()),
                "{query}: {found}"
            );
            if !path.is_empty() {
                assert_eq!(results[0]["path"], path);
                assert_eq!(results[0]["line"].as_i64().unwrap_or(0), line, "{query}");
            }
        }
        // What a file no longer says does not find it.
        let change = json!({ "command": "str_replace", "path": "trips/lisbon.md", "old_str": "Hotel", "new_str": "Hostel" });
        notes.write(change).await.unwrap();
        let found = notes.read(json!({ "query": "hotel" })).await.unwrap();
        assert_eq!(found["results"], json!([]));
        notes
            .write(json!({ "command": "delete", "path": "trips/lisbon.md" }))
            .await
            .unwrap();
        let found = notes.read(json!({ "query": "hostel" })).await.unwrap();
        assert_eq!(found["results"], json!([]));
        let none = notes.read(json!({ "query": "!?" })).await.unwrap_err();
        assert_eq!(none["code"], "INVALID_ARG");
    }
}

#[tokio::test]
async fn bad_calls_say_what_is_wrong_and_write_nothing() {
    let notes = Notes::open(Database::Sqlite).await;
    notes.create("a/b", "one one").await;
    for (call, code) in [
        (
            json!({ "command": "create", "path": "../x", "content": "" }),
            "INVALID_ARG",
        ),
        (
            json!({ "command": "create", "path": "/x", "content": "" }),
            "INVALID_ARG",
        ),
        (
            json!({ "command": "create", "path": "org", "content": "" }),
            "INVALID_ARG",
        ),
        (json!({ "command": "create", "path": "x" }), "INVALID_ARG"),
        (
            json!({ "command": "create", "path": "x", "content": "a", "old_str": "b" }),
            "INVALID_ARG",
        ),
        (
            json!({ "command": "create", "path": "x", "content": "a\u{0}" }),
            "INVALID_ARG",
        ),
        (
            json!({ "command": "create", "path": "x", "content": "y".repeat(102_401) }),
            "TOO_LARGE",
        ),
        (
            json!({ "command": "create", "path": "a", "content": "" }),
            "IS_A_DIRECTORY",
        ),
        (
            json!({ "command": "create", "path": "a/b/c", "content": "" }),
            "NOT_A_DIRECTORY",
        ),
        (
            json!({ "command": "create", "path": "a/b", "content": "" }),
            "ALREADY_EXISTS",
        ),
        (
            json!({ "command": "create", "path": "x", "content": "", "if_match": "*" }),
            "PRECONDITION_FAILED",
        ),
        (
            json!({ "command": "str_replace", "path": "a/b", "old_str": "two", "new_str": "" }),
            "NO_MATCH",
        ),
        (
            json!({ "command": "str_replace", "path": "a/b", "old_str": "one", "new_str": "" }),
            "COUNT_MISMATCH",
        ),
        (
            json!({ "command": "insert", "path": "a/b", "insert_line": 5, "content": "" }),
            "LINE_OUT_OF_RANGE",
        ),
        (
            json!({ "command": "append", "path": "x", "content": "" }),
            "NOT_FOUND",
        ),
        (
            json!({ "command": "rename", "path": "a/b", "new_path": "org/b" }),
            "INVALID_ARG",
        ),
        (json!({ "command": "erase", "path": "a/b" }), "INVALID_ARG"),
    ] {
        let refused = notes.write(call.clone()).await.unwrap_err();
        assert_eq!(refused["code"], code, "{call}: {refused}");
    }
    for call in [
        json!({}),
        json!({ "path": "a/b", "prefix": "" }),
        json!({ "prefix": "", "version": 1 }),
        json!({ "path": "a/b", "limit": 3 }),
        json!({ "paths": ["a/b"] }),
    ] {
        let refused = notes.read(call.clone()).await.unwrap_err();
        assert_eq!(refused["code"], "INVALID_ARG", "{call}");
    }
    assert_eq!(notes.content("a/b").await, "one one");
    assert_eq!(
        paths(&notes.read(json!({ "prefix": "" })).await.unwrap()),
        ["a/b"]
    );
}

#[tokio::test]
async fn of_many_writers_at_once_none_loses_its_line_and_none_overwrites_unread() {
    const WRITERS: usize = 12;
    for database in Database::BOTH {
        let notes = Notes::open(database).await;
        let made = notes.create("log.md", "start\n").await;
        let append = |number: usize| {
            let line = format!("line {number}\n");
            notes.write(json!({ "command": "append", "path": "log.md", "content": line }))
        };
        let all = futures_util::future::join_all((0..WRITERS).map(append)).await;
        assert!(all.iter().all(Result::is_ok), "{all:?}");
        let whole = notes.content("log.md").await;
        let lines: Vec<&str> = whole.as_str().unwrap().lines().collect();
        assert_eq!(lines.len(), WRITERS + 1);
        for number in 0..WRITERS {
            let line = format!("line {number}");
            assert_eq!(
                lines.iter().filter(|one| **one == line).count(),
                1,
                "{line}"
            );
        }
        // They all read the first version: it is another one by now.
        let etag = &made["etag"];
        let over =
            json!({ "command": "create", "path": "log.md", "content": "mine", "if_match": etag });
        let refused = notes.write(over).await.unwrap_err();
        assert_eq!(refused["code"], "PRECONDITION_FAILED");
        let now = refused["details"]["current_etag"].clone();
        let race = |number: usize| {
            let content = format!("winner {number}");
            let if_match = now.clone();
            notes.write(json!({ "command": "create", "path": "log.md", "content": content, "if_match": if_match }))
        };
        let all = futures_util::future::join_all((0..WRITERS).map(race)).await;
        assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1, "{all:?}");
        // A new path has one winner, too.
        let new = |number: usize| {
            let content = format!("new {number}");
            notes.write(json!({ "command": "create", "path": "new.md", "content": content }))
        };
        let all = futures_util::future::join_all((0..WRITERS).map(new)).await;
        assert_eq!(all.iter().filter(|one| one.is_ok()).count(), 1, "{all:?}");
        // What was sent twice because an answer was lost is done once.
        let content = notes.content("new.md").await;
        let again = json!({ "command": "create", "path": "new.md", "content": content });
        assert_eq!(notes.write(again).await.unwrap()["unchanged"], true);
    }
}

// promise: S0.47
#[tokio::test]
async fn the_documented_sequence_of_calls_runs_as_it_is_written() {
    let page =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/agents.md")).unwrap();
    let (_, part) = page.split_once("## A typical sequence of calls").unwrap();
    let server = Server::start().await;
    let key = server.api_key(&[]).await;
    let skill = json!({ "name": "weekly-report", "description": "Writes the report.", "systemPrompt": "Be short." });
    let (status, made) = server
        .rest(&key, "POST", "/api/v1/skills", Some(skill))
        .await;
    assert_eq!(status, 201, "{made}");
    let mcp = Mcp::open(&server.endpoint, &key).await;
    let mut calls = 0;
    for block in part.split("```json\n").skip(1) {
        let call: Value = serde_json::from_str(block.split("```").next().unwrap()).unwrap();
        let answer = mcp
            .request(call["method"].as_str().unwrap(), call["params"].clone())
            .await;
        let result = &answer["result"];
        assert!(result.is_object(), "{call}: {answer}");
        let text = result["content"][0]["text"].as_str().unwrap_or_default();
        // Nothing is connected to an outside service in this test; the answer says how to.
        let waits = text.contains("CONNECTION_REQUIRED");
        assert!(result["isError"] != true || waits, "{call}: {answer}");
        calls += 1;
    }
    assert!(calls >= 6, "{calls} calls");
}
