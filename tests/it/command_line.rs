//! What an operator does: back up, restore, look after the installation, make mistakes.

use crate::outside::tree;
use quaymaster_tests::{Mcp, Server, cli};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tempfile::TempDir;

fn said(output: &std::process::Output) -> String {
    let (out, error) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    format!("{out}{error}")
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[tokio::test]
async fn a_backup_of_a_running_server_restores_to_the_same_files_and_tokens() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    for n in 0..30 {
        let content = format!("{n}\n").repeat(n * 50);
        let arguments = json!({ "path": format!("d{}/f{n}.txt", n % 3), "content": content });
        mcp.call("write_file", arguments).await.unwrap();
    }
    mcp.call("delete_file", json!({ "path": "d0/f0.txt" }))
        .await
        .unwrap();
    std::os::unix::fs::symlink("d1", server.home().join("link")).unwrap();
    let apart = TempDir::new().unwrap();
    let archive = apart.path().join("backup.tar");
    let busy = async {
        for n in 0..200 {
            let arguments = json!({ "path": "busy.txt", "content": format!("{n}\n") });
            mcp.call("write_file", arguments).await.unwrap();
        }
    };
    let backup = ["backup", text(&archive)];
    let (made, ()) = tokio::join!(server.cli_json(&backup), busy);
    assert!(made["files"].as_i64().unwrap() > 30);
    let twice = server.cli(&["backup", text(&archive)]).await;
    assert!(
        !twice.status.success() && said(&twice).contains("exists"),
        "{}",
        said(&twice)
    );
    let saved = std::fs::read(&archive).unwrap();
    let key = std::fs::read_to_string(server.data.path().join("key")).unwrap();
    assert!(
        !String::from_utf8_lossy(&saved).contains(key.trim()),
        "the key is not in the archive"
    );

    // Another server's place, emptied.
    let mut other = Server::start().await;
    other.stop().await;
    let full = other.cli(&["restore", text(&archive)]).await;
    assert!(
        !full.status.success() && said(&full).contains("empty"),
        "{}",
        said(&full)
    );
    for entry in std::fs::read_dir(other.data.path()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            std::fs::remove_dir_all(path).unwrap();
        } else {
            std::fs::remove_file(path).unwrap();
        }
    }
    let restored = other.cli_json(&["restore", text(&archive)]).await;
    assert_eq!(restored["files"], made["files"]);
    let keyless = other.cli(&["token", "list"]).await;
    assert!(
        !keyless.status.success(),
        "without its key the database stays closed"
    );
    std::fs::copy(
        server.data.path().join("key"),
        other.data.path().join("key"),
    )
    .unwrap();
    other.restart().await;
    other.workspace = server.workspace.clone();
    let mcp = Mcp::open(&other.endpoint, &server.token).await;
    let listed = mcp
        .call("list_files", json!({ "recursive": true, "depth": 9 }))
        .await
        .unwrap();
    assert_eq!(listed["entries"].as_array().unwrap().len(), 3 + 29 + 2);
    let without_busy = |server: &Server| {
        let mut all = tree(&server.home());
        all.retain(|(name, _)| name != "busy.txt");
        all
    };
    assert!(without_busy(&other) == without_busy(&server));
    let busy = std::fs::read_to_string(other.home().join("busy.txt")).unwrap_or_default();
    assert!(
        busy.is_empty() || busy.trim_end().parse::<u32>().is_ok(),
        "{busy}"
    );
    let verified = other.cli_json(&["keys", "verify"]).await;
    assert_eq!(verified["unreadable"], 0);
    let key = other.api_key(&[]).await;
    let trash = format!("/api/v1/workspaces/{}/trash", server.workspace);
    let (status, trash) = other.rest(&key, "GET", &trash, None).await;
    assert_eq!(status, 200);
    assert!(
        trash.to_string().contains("f0.txt"),
        "the trash came along: {trash}"
    );
}

#[tokio::test]
async fn a_damaged_archive_is_refused_and_leaves_nothing() {
    let server = Server::start().await;
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    let content = "x".repeat(200_000);
    mcp.call("write_file", json!({ "path": "a", "content": content }))
        .await
        .unwrap();
    let apart = TempDir::new().unwrap();
    let archive = apart.path().join("backup.tar");
    server.cli_json(&["backup", text(&archive)]).await;
    let whole = std::fs::read(&archive).unwrap();
    let mut elsewhere = whole.clone();
    let at = elsewhere
        .windows(11)
        .position(|window| window == b"workspaces/")
        .unwrap();
    elsewhere[at..at + 11].copy_from_slice(b"../../../..");
    let mut other_format = whole.clone();
    let at = other_format
        .windows(10)
        .position(|window| window == b"\"format\":1")
        .unwrap();
    other_format[at + 9] = b'7';
    let damaged: [(&str, Vec<u8>); 7] = [
        ("empty", Vec::new()),
        ("no archive", b"plain text".repeat(200)),
        ("cut in the first file", whole[..1000].to_vec()),
        ("cut in the database", whole[..20_000].to_vec()),
        ("cut in the files", whole[..whole.len() - 100_000].to_vec()),
        ("a name that leads out", elsewhere),
        ("another format", other_format),
    ];
    for (what, content) in damaged {
        std::fs::write(&archive, content).unwrap();
        let target = TempDir::new().unwrap();
        let output = cli(target.path(), &[], &["restore", text(&archive)]).await;
        assert!(!output.status.success(), "{what}");
        assert!(
            said(&output).starts_with("error: "),
            "{what}: {}",
            said(&output)
        );
        let mut left = tree(target.path());
        left.retain(|(name, _)| name != "lock");
        assert!(left.is_empty(), "{what} left {:?}", left[0].0);
    }
}

#[tokio::test]
async fn a_second_server_on_one_data_directory_is_refused() {
    let server = Server::start().await;
    for arguments in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["serve", "--listen", "127.0.0.1:0", "--json"],
    ] {
        let output = server.cli(arguments).await;
        assert!(!output.status.success());
        assert!(
            said(&output).contains("another server uses the data directory"),
            "{}",
            said(&output)
        );
    }
    let mcp = Mcp::open(&server.endpoint, &server.token).await;
    mcp.call("list_files", json!({})).await.unwrap();
}

#[tokio::test]
async fn doctor_finds_a_running_server_well_and_a_stopped_one_not() {
    let mut server = Server::start().await;
    let open = server.cli(&["doctor"]).await;
    assert!(
        !open.status.success() && said(&open).contains("chmod 700"),
        "{}",
        said(&open)
    );
    let owner_only = std::fs::Permissions::from_mode(0o700);
    std::fs::set_permissions(server.data.path(), owner_only).unwrap();
    let report = server.cli_json(&["doctor"]).await;
    assert_eq!(report["ok"], true, "{report}");
    let checks = report["checks"].as_array().unwrap();
    assert!(
        checks.len() >= 6 && checks.iter().all(|check| check["ok"] == true),
        "{report}"
    );
    let sandbox = checks.iter().find(|check| check["check"] == "sandbox");
    let isolation = sandbox.unwrap()["message"].as_str().unwrap();
    assert!(isolation.contains("isolation"), "{isolation}");
    let listed = server.cli_json(&["token", "list"]).await;
    assert!(!listed.to_string().contains("Doctor"), "its token is gone");
    server.stop().await;
    let output = server.cli(&["doctor", "--json"]).await;
    assert!(!output.status.success());
    let report: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    assert_eq!(report["ok"], false);
}

#[tokio::test]
async fn a_worker_of_the_sandbox_is_not_for_people() {
    let data = TempDir::new().unwrap();
    let output = cli(data.path(), &[], &["__worker", "js"]).await;
    assert!(!output.status.success(), "{}", said(&output));
}

#[tokio::test]
async fn the_way_out_is_checked_before_anything_begins() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("settings.toml");
    let empty = data.path().join("empty.pem");
    std::fs::write(&empty, "").unwrap();
    let refused = async |settings: &str, environment: &[(&str, &str)], reasons: &[&str]| {
        std::fs::write(&file, format!("[egress]\n{settings}")).unwrap();
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| (format!("QUAYMASTER_EGRESS_{name}"), (*value).to_owned()))
            .collect();
        let words = ["serve", "--listen", "127.0.0.1:0", "--config", text(&file)];
        let output = cli(data.path(), &environment, &words).await;
        let said = said(&output);
        assert!(!output.status.success(), "{settings}");
        for reason in reasons {
            assert!(said.contains(reason), "{reason}: {said}");
        }
    };
    let not_a_start = ["egress.allow", "\"10.1.2.3/8\"", "write 10.0.0.0/8"];
    refused("allow = [\"10.1.2.3/8\"]", &[], &not_a_start).await;
    refused("allow = \"10.0.0.0/8\"", &[], &["egress.allow"]).await;
    refused("", &[("ALLOW", "[intern, 10.1.2.3/8]")], &not_a_start).await;
    let for_metadata = ["egress.allow_client_metadata", "\"10.1.2.3/8\""];
    refused(
        "allow_client_metadata = [\"10.1.2.3/8\"]",
        &[],
        &for_metadata,
    )
    .await;
    let variable = [("ALLOW_CLIENT_METADATA", "[10.1.2.3/8]")];
    refused("", &variable, &for_metadata).await;
    let no_file = ["egress.ca_file", "/no/such.pem"];
    refused("ca_file = \"/no/such.pem\"", &[], &no_file).await;
    refused("", &[("CA_FILE", "/no/such.pem")], &no_file).await;
    let no_certificate = ["egress.ca_file", "no certificate"];
    refused("", &[("CA_FILE", text(&empty))], &no_certificate).await;
    refused("proxy = true", &[], &["proxy"]).await;
    refused("", &[("PROXY", "true")], &["proxy"]).await;
    assert!(
        !data.path().join("quaymaster.db").exists(),
        "nothing was begun"
    );

    std::fs::write(
        &file,
        "[egress]\nallow = [\"10.0.0.0/8\", \"*.intern:8443\"]",
    )
    .unwrap();
    let environment = [(
        "QUAYMASTER_EGRESS_ALLOW".to_owned(),
        "[\"fd00::/8\", localhost, 127.0.0.1]".to_owned(),
    )];
    for environment in [&[][..], &environment] {
        let words = ["token", "create", "--config", text(&file)];
        let output = cli(data.path(), environment, &words).await;
        assert!(output.status.success(), "{}", said(&output));
    }
}

#[tokio::test]
async fn a_setting_that_does_not_exist_or_does_not_fit_is_named() {
    let data = TempDir::new().unwrap();
    let file = data.path().join("settings.toml");
    for (line, name) in [
        ("daily_kap = 5", "daily_kap"),
        ("daily_cap = \"many\"", "daily_cap"),
    ] {
        std::fs::write(&file, line).unwrap();
        let output = cli(data.path(), &[], &["serve", "--config", text(&file)]).await;
        assert!(!output.status.success());
        assert!(said(&output).contains(name), "{}", said(&output));
    }
    let environment = [("QUAYMASTER_DAILY_KAP".to_owned(), "5".to_owned())];
    let output = cli(
        data.path(),
        &environment,
        &["serve", "--listen", "127.0.0.1:0"],
    )
    .await;
    assert!(!output.status.success());
    assert!(
        said(&output).to_lowercase().contains("daily_kap"),
        "{}",
        said(&output)
    );
    let output = cli(
        data.path(),
        &[],
        &["serve", "--config", "/no/such/file.toml"],
    )
    .await;
    assert!(!output.status.success() && said(&output).contains("/no/such/file.toml"));
    assert!(
        !data.path().join("quaymaster.db").exists(),
        "nothing was begun"
    );
}

#[tokio::test]
async fn looking_at_an_empty_data_directory_does_not_use_up_the_first_start() {
    let data = TempDir::new().unwrap();
    let target = data.path().join("backup.tar");
    let looks: [&[&str]; 6] = [
        &["doctor"],
        &["token", "list"],
        &["token", "revoke", "cred_01arz3ndektsv4rrffq69g5fav"],
        &["keys", "verify"],
        &["keys", "rotate"],
        &["backup", text(&target)],
    ];
    // Once with nothing there, once with a database that nobody used.
    for key_there in [false, true] {
        if key_there {
            std::fs::write(data.path().join("quaymaster.db"), "").unwrap();
        }
        for arguments in looks {
            let output = cli(data.path(), &[], arguments).await;
            assert!(!output.status.success(), "{arguments:?}");
            let hint = "Start the server once, or run `quaymaster token create`";
            assert!(
                said(&output).contains(hint),
                "{arguments:?}: {}",
                said(&output)
            );
        }
    }
    assert!(!target.exists());
    // The first start is still to come: making a token is one.
    let made = cli(data.path(), &[], &["token", "create", "--json"]).await;
    assert!(made.status.success(), "{}", said(&made));
    let listed = cli(data.path(), &[], &["token", "list"]).await;
    assert!(listed.status.success(), "{}", said(&listed));
}

#[tokio::test]
async fn toolsets_and_tools_are_ticked_at_the_command_line() {
    let server = Server::start().await;
    let ticked = ["--toolset", "files,catalog", "--tool", "read_file"];
    let ticked = [
        &["token", "create"],
        &ticked[..],
        &["--tool", "list_services"],
    ]
    .concat();
    let made = server.cli_json(&ticked).await;
    assert_eq!(made["toolsets"], json!(["files", "catalog"]));
    assert_eq!(made["tools"], json!(["list_services", "read_file"]));
    let mcp = Mcp::open(&server.endpoint, made["token"].as_str().unwrap()).await;
    let mut names = mcp.tool_names().await;
    names.sort();
    assert_eq!(names, ["list_services", "read_file"]);
    let ticked = ["token", "create", "--org", "--toolset", "memory"];
    let key = server.cli_json(&ticked).await;
    let mcp = Mcp::open(&server.endpoint, key["token"].as_str().unwrap()).await;
    assert_eq!(mcp.tool_names().await, ["read_memory", "write_memory"]);
    for wrong in [["--toolset", "file"], ["--tool", "reed_file"]] {
        let output = server
            .cli(&[&["token", "create"], &wrong[..]].concat())
            .await;
        assert!(!output.status.success(), "{}", said(&output));
    }
}

#[tokio::test]
async fn no_restriction_of_a_token_is_silently_left_out() {
    let server = Server::start().await;
    let workspace = &server.workspace;
    let refused: [&[&str]; 10] = [
        &["--scopes", "read:tools"],
        &["--files", workspace],
        &["--read-only", "--org"],
        &["--read-only", "--scopes", "read:tools"],
        &["--workspace", workspace, "--org"],
        &["--workspace", workspace, "--scopes", "read:tools"],
        &["--workspace", workspace, "--files", workspace],
        &["--read-only", "--files", workspace],
        &["--org", "--expires", "0"],
        &["--expires", "5"],
    ];
    let before = server.cli_json(&["token", "list"]).await;
    for arguments in refused {
        let output = server
            .cli(&[&["token", "create"], arguments].concat())
            .await;
        assert!(!output.status.success(), "{arguments:?}: {}", said(&output));
    }
    assert_eq!(server.cli_json(&["token", "list"]).await, before);
    let scopeless = server
        .cli(&["token", "create", "--scopes", "read:tools"])
        .await;
    assert!(said(&scopeless).contains("--org"), "{}", said(&scopeless));
}

#[tokio::test]
async fn doctors_token_is_gone_after_a_failure_and_after_ctrl_c() {
    let server = Server::start().await;
    // Somebody who answers the probe and then no more.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let (tell, mut called) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
        while let Ok((mut stream, _)) = listener.accept().await {
            let tell = tell.clone();
            tokio::spawn(async move {
                let mut got = [0; 4096];
                let count = stream.read(&mut got).await.unwrap_or(0);
                if got[..count].starts_with(b"POST") {
                    let _ = tell.send(());
                    tokio::time::sleep(std::time::Duration::from_mins(1)).await;
                }
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = stream.write_all(answer).await;
            });
        }
    });
    let mut doctor = quaymaster_tests::server::program()
        .args(["doctor", "--public-url", &url, "--data"])
        .arg(server.data.path())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    called.recv().await.unwrap();
    let listed = server.cli_json(&["token", "list"]).await;
    let all = listed["credentials"].as_array().unwrap();
    let own = all.iter().find(|one| one["name"] == "Doctor").unwrap();
    assert!(own["expires_at"].is_string(), "it dies by itself: {own}");
    let pid = doctor.id().unwrap().to_string();
    let interrupted = tokio::process::Command::new("kill")
        .args(["-INT", &pid])
        .status()
        .await;
    assert!(interrupted.unwrap().success());
    assert!(!doctor.wait().await.unwrap().success());
    let listed = server.cli_json(&["token", "list"]).await;
    assert!(!listed.to_string().contains("Doctor"), "{listed}");
    // Nobody answers any more.
    let failed = server
        .cli(&["doctor", "--public-url", "http://127.0.0.1:1"])
        .await;
    assert!(!failed.status.success());
    let listed = server.cli_json(&["token", "list"]).await;
    assert!(!listed.to_string().contains("Doctor"), "{listed}");
}
