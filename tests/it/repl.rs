//! `repl_execute` at the MCP door: Python with connected accounts, over live services, through the proxy.

use quaymaster_tests::services::{SECRET, Service};
use quaymaster_tests::{Database, Desk, Mcp};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

impl Python for Mcp {
    async fn python(&self, code: &str) -> Result<Value, Value> {
        self.call("repl_execute", json!({ "code": code })).await
    }
}

trait Python {
    async fn python(&self, code: &str) -> Result<Value, Value>;
}

/// Asks the name server for its name, with what the environment says.
const ASK: &str = "
import json, os, urllib.request
asked = urllib.request.Request(os.environ['POWERDNS_URL'] + '/api/v1/servers', headers={'X-API-Key': os.environ['POWERDNS_API_KEY']})
json.load(urllib.request.urlopen(asked))[0]['id']
";

// promise: S0.8, S0.40, S0.41
#[tokio::test]
async fn python_keeps_its_state_and_calls_a_service_with_the_key_it_was_given() {
    for database in Database::BOTH {
        let desk = Desk::open(database).await;
        let service = Service::powerdns().await;
        let alone = desk
            .mcp
            .python("import os; x = 41; sorted(k for k in os.environ if 'POWER' in k)");
        let alone = alone.await.unwrap();
        assert_eq!(
            (&alone["state"], &alone["result"]),
            (&json!("new"), &json!("[]")),
            "{alone}"
        );
        let kept = desk.mcp.python("print('seen'); x + 1").await.unwrap();
        assert_eq!(kept["state"], "kept");
        assert_eq!(
            (&kept["result"], &kept["stdout"]),
            (&json!("42"), &json!("seen\n"))
        );
        assert_eq!(kept["session_id"], alone["session_id"]);

        desk.connect("powerdns", "main", &service, &[]).await;
        let asked = desk.mcp.python(ASK).await.unwrap();
        assert_eq!(asked["result"], "'localhost'", "{asked}");
        assert_eq!(asked["state"], "new");
        let reason = asked["reason"].as_str().unwrap();
        assert!(reason.contains("connected accounts"), "{reason}");
        assert_eq!(asked["network"][0]["host"], "127.0.0.1", "{asked}");
        let elsewhere = desk
            .mcp
            .python("urllib.request.urlopen('http://example.com/')")
            .await
            .unwrap_err();
        assert_eq!(elsewhere["code"], "CODE_ERROR", "{elsewhere}");
        assert!(
            elsewhere["message"].as_str().unwrap().contains("403"),
            "{elsewhere}"
        );
        assert_eq!(elsewhere["details"]["network"][0]["host"], "example.com");

        let path = "/api/v1/calls?limit=50";
        let begun = Instant::now();
        let calls = loop {
            let (_, calls) = desk.rest("GET", path, None).await;
            let rows = calls["calls"].as_array().unwrap().clone();
            if rows.iter().any(|row| row["tool"] == "example.com:80") {
                break rows;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{calls}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        let row = |tool: &str| calls.iter().find(|row| row["tool"] == tool);
        assert_eq!(row("example.com:80").unwrap()["outcome"], "FORBIDDEN");
        let port = service.url.rsplit(':').next().unwrap();
        let reached = row(&format!("127.0.0.1:{port}")).unwrap();
        assert_eq!(
            (&reached["source"], &reached["outcome"]),
            (&json!("python"), &json!("OK"))
        );
        let used = calls
            .iter()
            .any(|row| row["accounts"] == "powerdns:main" && row["tool"] == "repl_execute");
        assert!(used, "{calls:?}");
    }
}

#[tokio::test]
async fn no_answer_has_a_secret_in_it_however_it_is_written() {
    // py_secret_echo
    let desk = Desk::open(Database::Sqlite).await;
    let service = Service::powerdns().await;
    desk.connect("powerdns", "main", &service, &[]).await;
    for code in [
        "import os; os.environ['POWERDNS_API_KEY']",
        "import os; print(os.environ['POWERDNS_API_KEY'])",
        "import os, sys; sys.stderr.write(os.environ['POWERDNS_API_KEY'])",
        "import os; raise ValueError(os.environ['POWERDNS_API_KEY'])",
        "import os, sys; sys.exit(os.environ['POWERDNS_API_KEY'])",
        "import os, base64; base64.b64encode(b'x' + os.environ['POWERDNS_API_KEY'].encode())",
        "import os; os.environ['POWERDNS_API_KEY'].encode().hex()",
        "import os; os.environ['POWERDNS_API_KEY'].upper()",
        "import subprocess; subprocess.run('env')",
        "import os, urllib.request; urllib.request.urlopen('http://' + os.environ['POWERDNS_API_KEY'] + '/')",
    ] {
        let (Ok(said) | Err(said)) = desk.mcp.python(code).await;
        let text = said.to_string();
        assert!(text.contains("[redacted]"), "{code}: {text}");
        for secret in [SECRET, &SECRET.to_uppercase(), "686172626f7572"] {
            assert!(!text.contains(secret), "{code}: {text}");
        }
    }
    let plain = desk
        .mcp
        .python("import os; os.environ['POWERDNS_URL']")
        .await
        .unwrap();
    assert_eq!(
        plain["result"],
        format!("'{}'", service.url),
        "an address is no secret"
    );
}

#[tokio::test]
async fn a_secret_that_stands_where_a_text_is_cut_comes_back_in_no_part() {
    let desk = Desk::open(Database::Sqlite).await;
    let service = Service::powerdns().await;
    desk.connect("powerdns", "main", &service, &[]).await;
    let key = "import os, sys; key = os.environ['POWERDNS_API_KEY']\n";
    for most in [1_000, 2_000, 65_536, 80_000, 200_000] {
        for code in [
            format!("sys.exit('x' * ({most} - 9) + key)"),
            format!("raise ValueError('x' * ({most} - 21) + key)"),
            format!("raise type('x' * ({most} - 9) + key, (Exception,), {{}})"),
            format!("'x' * ({most} - 10) + key"),
            format!("print('x' * ({most} - 9) + key)"),
        ] {
            let (Ok(said) | Err(said)) = desk.mcp.python(&format!("{key}{code}")).await;
            let text = said.to_string();
            assert!(!text.contains(&SECRET[..6]), "{code}");
        }
    }
}

#[tokio::test]
async fn two_accounts_have_variables_of_their_own_and_services_choose_among_them() {
    let desk = Desk::open(Database::Sqlite).await;
    let (dns, metrics) = (Service::powerdns().await, Service::prometheus().await);
    desk.connect("powerdns", "main", &dns, &[]).await;
    desk.connect("powerdns", "second-shop", &dns, &[]).await;
    desk.connect("prometheus", "main", &metrics, &[]).await;
    let names =
        "import os; sorted(k for k in os.environ if k.startswith(('POWERDNS', 'PROMETHEUS')))";
    let all = desk.mcp.python(names).await.unwrap();
    let all = all["result"].as_str().unwrap();
    for name in [
        "POWERDNS_API_KEY__MAIN",
        "POWERDNS_API_KEY__SECOND_SHOP",
        "PROMETHEUS_PASSWORD",
    ] {
        assert!(all.contains(&format!("'{name}'")), "{all}");
    }
    assert!(!all.contains("'POWERDNS_API_KEY'"), "{all}");
    let call = |arguments: Value| desk.mcp.call("repl_execute", arguments);
    let one = json!({ "code": names, "services": ["powerdns:second-shop"] });
    let one = call(one).await.unwrap();
    assert_eq!(
        one["result"], "['POWERDNS_API_KEY__SECOND_SHOP', 'POWERDNS_URL__SECOND_SHOP']",
        "{one}"
    );
    assert_eq!(one["state"], "new");
    let still = desk.mcp.python(names).await.unwrap();
    assert_eq!(
        (&still["state"], &still["result"]),
        (&json!("kept"), &one["result"])
    );
    let none = call(json!({ "code": names, "services": [] }))
        .await
        .unwrap();
    assert_eq!(none["result"], "[]");
    let unknown = call(json!({ "code": "1", "services": ["powerdnss"] }))
        .await
        .unwrap_err();
    assert_eq!(unknown["code"], "UNKNOWN_SERVICE");
    let unconnected = call(json!({ "code": "1", "services": ["github"] }))
        .await
        .unwrap_err();
    assert_eq!(unconnected["code"], "CONNECTION_REQUIRED", "{unconnected}");
    assert!(unconnected["details"]["setup_url"].is_string());
}

#[tokio::test]
async fn an_unknown_skill_is_refused_before_anything_runs() {
    let desk = Desk::open(Database::Sqlite).await;
    desk.mcp.python("x = 1").await.unwrap();
    let arguments = json!({ "code": "x = 2", "skills": ["no-such-skill"] });
    let refused = desk.mcp.call("repl_execute", arguments).await.unwrap_err();
    assert_eq!(refused["code"], "NOT_FOUND", "{refused}");
    let still = desk.mcp.python("x").await.unwrap();
    assert_eq!(
        (&still["result"], &still["state"]),
        (&json!("1"), &json!("kept"))
    );
}

#[tokio::test]
async fn sessions_belong_to_one_person_of_one_organization_and_need_a_scope_that_writes() {
    let desk = Desk::open(Database::Sqlite).await;
    let reader = desk.server.api_key(&["read:tools"]).await;
    let service = Service::powerdns().await;
    desk.connect("powerdns", "main", &service, &[]).await;
    let first = desk
        .mcp
        .python("mine = 'secret'; open('/scratch/mine', 'w').write(mine)")
        .await
        .unwrap();
    let key = desk.server.stranger().await;
    let other = Mcp::open(&desk.server.endpoint, &key).await;
    let theirs = other
        .python("import os; 'mine' in globals(), os.listdir('/scratch'), 'POWERDNS_API_KEY' in os.environ")
        .await
        .unwrap();
    assert_eq!(theirs["result"], "(False, [], False)", "{theirs}");
    assert_ne!(theirs["session_id"], first["session_id"]);
    let reader = Mcp::open(&desk.server.endpoint, &reader).await;
    assert!(
        !reader
            .tool_names()
            .await
            .contains(&"repl_execute".to_owned())
    );
    let refused = reader.python("1").await.unwrap_err();
    assert_eq!(refused["code"], "SCOPE_DENIED");
    let again = desk.mcp.python("mine").await.unwrap();
    assert_eq!(
        (&again["result"], &again["state"]),
        (&json!("'secret'"), &json!("kept"))
    );
}

#[tokio::test]
async fn a_program_is_stopped_in_time_and_what_it_printed_is_told() {
    let desk = Desk::open(Database::Sqlite).await;
    let arguments = json!({ "code": "x = 5\nprint('so far')\nwhile True: pass", "timeout_s": 3 });
    let stopped = desk.mcp.call("repl_execute", arguments).await.unwrap_err();
    assert_eq!(stopped["code"], "TIMEOUT", "{stopped}");
    assert_eq!(stopped["details"]["stdout"], "so far\n");
    assert_eq!(
        stopped["details"]["state"], "new",
        "it is there for the next call"
    );
    assert_eq!(desk.mcp.python("x").await.unwrap()["result"], "5");
    let died = desk.mcp.python("import os; os._exit(3)").await.unwrap_err();
    assert_eq!(
        (&died["code"], &died["details"]["state"]),
        (&json!("CODE_ERROR"), &json!("lost"))
    );
    let next = desk.mcp.python("1").await.unwrap();
    assert_eq!(next["state"], "new");
    assert!(
        next["reason"].as_str().unwrap().contains("status 3"),
        "{next}"
    );
}

#[tokio::test]
async fn a_call_that_waits_for_another_goes_on_with_the_same_accounts() {
    let desk = Desk::open(Database::Sqlite).await;
    let service = Service::powerdns().await;
    desk.connect("powerdns", "main", &service, &[]).await;
    let without = json!({ "code": "mine = 1", "services": [] });
    let begun = desk.mcp.call("repl_execute", without).await.unwrap();
    let long = desk.mcp.python("import time; time.sleep(1)");
    let meanwhile = async {
        // Into the midst of the other; before or after it, the same must come of it.
        tokio::time::sleep(Duration::from_millis(300)).await;
        desk.mcp.python("mine").await
    };
    let (long, meanwhile) = tokio::join!(long, meanwhile);
    for call in [long.unwrap(), meanwhile.unwrap()] {
        assert_eq!(
            (&call["state"], &call["session_id"]),
            (&json!("kept"), &begun["session_id"]),
            "{call}"
        );
    }
}

#[tokio::test]
async fn python_reaches_nobody_where_the_operator_switched_that_off() {
    let off = ("SANDBOX_PYTHON_EGRESS", "off");
    let desk = Desk::open_with(Database::Sqlite, &[off]).await;
    let service = Service::powerdns().await;
    desk.connect("powerdns", "main", &service, &[]).await;
    let refused = desk.mcp.python(ASK).await.unwrap_err();
    assert_eq!(refused["code"], "CODE_ERROR", "{refused}");
    assert!(
        refused["message"].as_str().unwrap().contains("URLError"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_killed_server_leaves_no_session_behind() {
    let mut desk = Desk::open(Database::Sqlite).await;
    desk.mcp.python("1").await.unwrap();
    let server = desk.server.pid().to_string();
    // A session's processes, but for the interpreter, say whose they are.
    let sessions = || {
        let all = std::fs::read_dir("/proc").unwrap().flatten();
        let is_one = |line: Vec<u8>| {
            let line = String::from_utf8_lossy(&line).into_owned();
            let words: Vec<&str> = line.split('\0').collect();
            words.ends_with(&["__worker", "python", &server, ""])
        };
        let lines = all.filter_map(|entry| std::fs::read(entry.path().join("cmdline")).ok());
        lines.filter(|line| is_one(line.clone())).count()
    };
    assert!(sessions() >= 2, "one outside and one inside");
    desk.server.kill().await;
    let begun = Instant::now();
    while sessions() > 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{} are left",
            sessions()
        );
        tokio::task::yield_now().await;
    }
}
