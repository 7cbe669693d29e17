//! kill -9 in the middle of work: whatever was acknowledged is there afterwards, and whole.
//!
//! Twenty rounds; `QUAYMASTER_TEST_ROUNDS` asks for more.

use crate::outside::{Dice, sqlite, try_call};
use crate::sending::{Session, bytes, hex};
use crate::torn::{text, version_at};
use quaymaster_tests::{Database, Mcp, Server};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Writes a file anew again and again; the last version that was acknowledged.
async fn overwrite(mcp: &Mcp, path: &str, mut version: u64) -> u64 {
    loop {
        let next = json!({ "path": path, "content": text(version + 1) });
        match try_call(mcp, "write_file", next).await {
            Some(answer) => answer.unwrap(),
            None => return version,
        };
        version += 1;
    }
}

async fn edit(mcp: &Mcp, path: &str, mut version: u64) -> u64 {
    loop {
        let next = json!({
            "path": path, "find": format!("<{version}>"), "replace": format!("<{}>", version + 1),
            "expected_count": "all",
        });
        match try_call(mcp, "find_replace", next).await {
            Some(answer) => answer.unwrap(),
            None => return version,
        };
        version += 1;
    }
}

#[derive(Default)]
struct Uploads {
    completed: Vec<(String, Vec<u8>)>,
    /// Path, content, session; whether the part was acknowledged.
    open: Option<(String, Vec<u8>, Value, bool)>,
}

async fn upload(mcp: &Mcp, round: usize) -> Uploads {
    let mut done = Uploads::default();
    for n in 0.. {
        let (path, file) = (format!("up/{round}-{n}"), bytes(300_000 + n, round as u8));
        let arguments = json!({ "path": path, "size": file.len(), "sha256": hex(&file) });
        let Some(made) = try_call(mcp, "create_upload_session", arguments).await else {
            break;
        };
        let made = made.unwrap();
        let session = Session::of(made.clone());
        done.open = Some((path.clone(), file.clone(), made.clone(), false));
        let Some((status, fault)) = session.try_put(0, file.clone(), None).await else {
            break;
        };
        assert_eq!(status, 200, "{fault}");
        done.open = Some((path.clone(), file.clone(), made, true));
        let completion = try_call(mcp, "complete_upload_session", session.named());
        let Some(answer) = completion.await else {
            break;
        };
        answer.unwrap();
        done.open = None;
        done.completed.push((path, file));
    }
    done
}

#[derive(Default)]
struct Tokens {
    alive: Vec<String>,
    dead: Vec<String>,
}

async fn change_tokens(url: &str, key: &str, workspace: &str) -> Tokens {
    let mut tokens = Tokens::default();
    let client = Client::new();
    let base = format!("{url}/api/v1/workspaces/{workspace}/tokens");
    for n in 0.. {
        let new = client
            .post(&base)
            .bearer_auth(key)
            .json(&json!({ "name": format!("t{n}") }));
        let Ok(answer) = new.send().await else { break };
        let Ok(made) = answer.json::<Value>().await else {
            break;
        };
        let token = made["token"].as_str().expect("a token").to_owned();
        if n % 2 == 0 {
            tokens.alive.push(token);
            continue;
        }
        let id = made["credential"]["id"].as_str().unwrap();
        let gone = client
            .delete(format!("{base}/{id}"))
            .bearer_auth(key)
            .send()
            .await;
        let Ok(answer) = gone else { break };
        assert_eq!(answer.status(), 200);
        tokens.dead.push(token);
    }
    tokens
}

/// A server under test with what it has acknowledged so far.
struct Subject {
    server: Server,
    key: String,
    written: u64,
    edited: u64,
}

impl Subject {
    async fn start(database: Database) -> Subject {
        let settings = [("DAILY_CAP", "1000000"), ("CALLS_PER_SECOND", "100000")];
        let server = Server::start_with(database, &settings).await;
        let key = server.api_key(&[]).await;
        let mcp = Mcp::stateless(&server.endpoint, &server.token);
        for path in ["written.txt", "edited.txt"] {
            let first = json!({ "path": path, "content": text(0) });
            mcp.call("write_file", first).await.unwrap();
        }
        Subject {
            server,
            key,
            written: 0,
            edited: 0,
        }
    }

    async fn work_until_killed(&mut self, round: usize, after: Duration) -> (Uploads, Tokens) {
        let mcp = Mcp::stateless(&self.server.endpoint, &self.server.token);
        let (url, workspace) = (self.server.url.clone(), self.server.workspace.clone());
        let kill = async {
            tokio::time::sleep(after).await;
            self.server.kill().await;
        };
        let (written, edited, uploads, tokens, ()) = tokio::join!(
            overwrite(&mcp, "written.txt", self.written),
            edit(&mcp, "edited.txt", self.edited),
            upload(&mcp, round),
            change_tokens(&url, &self.key, &workspace),
            kill,
        );
        (self.written, self.edited) = (written, edited);
        (uploads, tokens)
    }

    /// What was under way may have happened or not; nothing else may differ.
    fn check_files(&mut self) {
        let home = self.server.home();
        for (path, acknowledged) in [
            ("written.txt", &mut self.written),
            ("edited.txt", &mut self.edited),
        ] {
            let found = version_at(&home.join(path)).unwrap();
            let next = *acknowledged + 1;
            assert!(
                found == *acknowledged || found == next,
                "{path}: {found}, not {acknowledged}"
            );
            *acknowledged = found;
        }
    }

    async fn check_uploads(&self, uploads: Uploads) {
        let home = self.server.home();
        for (path, file) in &uploads.completed {
            assert!(
                std::fs::read(home.join(path)).unwrap() == *file,
                "{path} is not whole"
            );
        }
        let Some((path, file, mut made, has_part)) = uploads.open else {
            return;
        };
        if let Ok(found) = std::fs::read(home.join(&path)) {
            assert!(found == file, "{path} appeared before it was whole");
        }
        // The client goes on where it was.
        let mcp = Mcp::stateless(&self.server.endpoint, &self.server.token);
        let template = made["part_url_template"].as_str().unwrap();
        let moved = format!(
            "{}{}",
            self.server.url,
            &template[template.find("/u/").unwrap()..]
        );
        made["part_url_template"] = json!(moved);
        let session = Session::of(made);
        let told = mcp
            .call("get_upload_status", session.named())
            .await
            .unwrap();
        if told["state"] == "open" {
            let missing = told["missing_parts"] == "0";
            assert!(
                !(has_part && missing),
                "an acknowledged part is missing: {told}"
            );
            if missing {
                assert_eq!(session.put(0, file.clone(), None).await.0, 200);
            }
        }
        mcp.call("complete_upload_session", session.named())
            .await
            .unwrap();
        assert!(
            std::fs::read(home.join(&path)).unwrap() == file,
            "{path} is not whole"
        );
    }

    async fn check_tokens(&self, tokens: Tokens) {
        for (all, wanted) in [(tokens.alive, 200), (tokens.dead, 401)] {
            for token in all.iter().rev().take(10) {
                let mcp = Mcp::stateless(&self.server.endpoint, token);
                let hello = mcp.initialize("2025-06-18").await;
                assert_eq!(hello.status, wanted, "{hello:?}");
                mcp.send(Method::DELETE, mcp.headers(), String::new()).await;
            }
        }
    }
}

#[tokio::test]
async fn nothing_acknowledged_is_lost_and_no_file_is_torn_when_the_server_is_killed() {
    let rounds = std::env::var("QUAYMASTER_TEST_ROUNDS").ok();
    let rounds: usize = rounds.map_or(20, |text| text.parse().expect("a number of rounds"));
    let mut subjects = [
        Subject::start(Database::Sqlite).await,
        Subject::start(Database::Postgres).await,
    ];
    let mut dice = Dice::new();
    let (mut completed, mut interrupted, mut changed) = (0, 0, 0);
    for round in 0..rounds {
        let subject = &mut subjects[round % 2];
        let after = Duration::from_millis(50 + dice.roll(450));
        let (uploads, tokens) = subject.work_until_killed(round, after).await;
        completed += uploads.completed.len();
        interrupted += usize::from(uploads.open.is_some());
        changed += tokens.alive.len() + tokens.dead.len();
        subject.check_files();
        if round % 2 == 0 {
            let found = sqlite(subject.server.data.path(), "PRAGMA integrity_check").await;
            assert_eq!(found, json!([["ok"]]));
        }
        let begun = Instant::now();
        subject.server.restart().await;
        assert!(
            begun.elapsed() < Duration::from_secs(5),
            "{:?}",
            begun.elapsed()
        );
        subject.check_uploads(uploads).await;
        subject.check_tokens(tokens).await;
    }
    // The rounds hit something.
    assert!(
        subjects
            .iter()
            .all(|subject| subject.written > 0 && subject.edited > 0)
    );
    assert!(
        completed > 0 && interrupted > 0 && changed > 0,
        "{completed} {interrupted} {changed}"
    );
}
