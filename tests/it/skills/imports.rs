//! The folder of a skill as a zip archive: taken in, given out, and refused when it is hostile.

use super::Shelf;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quaymaster_tests::script::python;
use serde_json::{Value, json};
use std::io::{Cursor, Read as _, Write as _};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

const SKILL_MD: &str = "---\nname: refunds\ndescription: Decides about refunds.\nlicense: MIT\n\
    metadata:\n  version: 1.0\n---\n\n# Refunds\n\nSee references/limits.md.\n";

pub(crate) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(CompressionMethod::Deflated);
    for (name, bytes) in files {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

async fn import(shelf: &Shelf, archive: &[u8], more: Value) -> (u16, Value) {
    let mut body = json!({ "zipBase64": STANDARD.encode(archive) });
    for (key, value) in more.as_object().unwrap() {
        body[key] = value.clone();
    }
    shelf.ask("POST", "/import", Some(body)).await
}

async fn export(shelf: &Shelf, name: &str) -> Vec<u8> {
    let url = format!("{}/api/v1/skills/{name}/export", shelf.server.url);
    let client = reqwest::Client::new();
    let answer = client
        .get(url)
        .bearer_auth(&shelf.key)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "application/zip");
    answer.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn a_folder_of_the_open_format_comes_in_and_goes_out_again() {
    let shelf = Shelf::open().await;
    let archive = zip(&[
        ("refunds/SKILL.md", SKILL_MD.as_bytes()),
        ("refunds/references/limits.md", b"# Limits\n"),
        ("refunds/scripts/sum.py", b"print(1)\n"),
        ("__MACOSX/refunds/._SKILL.md", b"x"),
        ("refunds/.DS_Store", b"x"),
    ]);
    let (status, made) = import(&shelf, &archive, json!({ "service": "github" })).await;
    assert_eq!(status, 201, "{made}");
    let mut shown = made["skill"].clone();
    for changing in ["createdAt", "updatedAt", "madeBy"] {
        shown[changing] = json!("…");
    }
    insta::assert_json_snapshot!(shown);
    let out = export(&shelf, "refunds").await;
    let mut unpacked = ZipArchive::new(Cursor::new(&out)).unwrap();
    let names: Vec<String> = unpacked
        .file_names()
        .map(|name| name.unwrap().into_owned())
        .collect();
    assert_eq!(
        names,
        [
            "refunds/SKILL.md",
            "refunds/references/limits.md",
            "refunds/scripts/sum.py"
        ]
    );
    let mut text = String::new();
    let mut skill_md = unpacked.by_name("refunds/SKILL.md").unwrap();
    skill_md.read_to_string(&mut text).unwrap();
    assert!(text.contains("connector_execute"), "{text}");
    drop(skill_md);
    // Somebody else takes it in as it went out: prompt, service and bytes are the same.
    let (status, refused) = import(&shelf, &out, json!({})).await;
    assert_eq!(status, 409, "{refused}");
    let (status, again) = import(&shelf, &out, json!({ "replace": true })).await;
    assert_eq!(status, 201, "{again}");
    assert_eq!(again["skill"]["version"], 2);
    for same in ["digest", "systemPrompt", "service", "frontmatter"] {
        assert_eq!(again["skill"][same], made["skill"][same], "{same}");
    }
}

#[tokio::test]
async fn what_goes_out_is_valid_by_the_reference_of_the_format() {
    let shelf = Shelf::open().await;
    let more = json!({
        "description": "Refunds: \"when\" --- and how much?\nAlso: #1, {a}, [b], 100%.",
        "service": "github",
        "frontmatter": {
            "license": "MIT", "compatibility": "Python 3: yes",
            "metadata": { "a key": "--- 1.0", "empty": "" }, "allowed-tools": "Bash(git:*) Read",
        },
    });
    shelf.write("refunds", more).await;
    let place = tempfile::tempdir().unwrap();
    let out = export(&shelf, "refunds").await;
    ZipArchive::new(Cursor::new(&out))
        .unwrap()
        .extract(place.path())
        .unwrap();
    let reference = python().with_file_name("agentskills");
    let validated = tokio::process::Command::new(reference)
        .arg("validate")
        .arg(place.path().join("refunds"))
        .output()
        .await
        .unwrap();
    assert!(validated.status.success(), "{validated:?}");
}

#[tokio::test]
async fn hostile_archives_are_refused_with_a_reason_and_leave_nothing() {
    let shelf = Shelf::open().await;
    let md = ("SKILL.md", SKILL_MD.as_bytes());
    let link = {
        let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
        let options = SimpleFileOptions::default();
        writer.start_file("SKILL.md", options).unwrap();
        writer.write_all(SKILL_MD.as_bytes()).unwrap();
        writer
            .add_symlink("passwd", "/etc/passwd", options)
            .unwrap();
        writer.finish().unwrap().into_inner()
    };
    let bomb = zip(&[md, ("assets/zeros", &vec![0; 40 << 20])]);
    assert!(bomb.len() < 100_000);
    let many: Vec<String> = (0..512).map(|number| format!("f/{number}")).collect();
    let many: Vec<(&str, &[u8])> = many.iter().map(|name| (name.as_str(), &b"x"[..])).collect();
    let twins = same_name_twice();
    let cases: [(&str, Vec<u8>, &str); 15] = [
        ("a bomb", bomb, "larger than 16 MiB"),
        ("a link", link, "is a link"),
        ("a way out", zip(&[md, ("../x", b"x")]), "cannot be a file"),
        (
            "a way out behind",
            zip(&[md, ("a/../../x", b"x")]),
            "cannot be a file",
        ),
        (
            "an absolute path",
            zip(&[md, ("/etc/x", b"x")]),
            "cannot be a file",
        ),
        ("a drive", zip(&[md, ("C:/x", b"x")]), "cannot be a file"),
        (
            "a backslash",
            zip(&[md, ("a\\..\\x", b"x")]),
            "cannot be a file",
        ),
        (
            "twins by case",
            zip(&[md, ("a/B", b"x"), ("A/b", b"x")]),
            "one file on some systems",
        ),
        (
            "a file as a folder",
            zip(&[md, ("a", b"x"), ("a/b", b"x")]),
            "needs it as a folder",
        ),
        ("the same name twice", twins, "same name"),
        (
            "too many files",
            zip(&[&[md][..], &many].concat()),
            "more than 512 files",
        ),
        ("no SKILL.md", zip(&[("README.md", b"x")]), "no SKILL.md"),
        (
            "two skills",
            zip(&[("a/SKILL.md", b"x"), ("b/SKILL.md", b"x")]),
            "several skills",
        ),
        (
            "no frontmatter",
            zip(&[("SKILL.md", b"# Hello")]),
            "no frontmatter",
        ),
        ("no archive", b"hello".to_vec(), "cannot be read"),
    ];
    for (name, archive, reason) in cases {
        let (status, refused) = import(&shelf, &archive, json!({})).await;
        assert!(matches!(status, 400 | 413), "{name}: {status} {refused}");
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains(reason), "{name}: {message}");
    }
    let yaml = "---\nname: a\ndescription: &a [x, x]\nmetadata: {a: *a}\n---\n";
    let (status, _) = import(&shelf, &zip(&[("SKILL.md", yaml.as_bytes())]), json!({})).await;
    assert_eq!(status, 400);
    let (status, _) = shelf
        .ask("POST", "/import", Some(json!({ "zipBase64": "%%%" })))
        .await;
    assert_eq!(status, 400);
    assert_eq!(shelf.did("GET", "", None).await["total"], 0);
}

/// An archive whose list has one name twice, which no good program writes.
fn same_name_twice() -> Vec<u8> {
    let mut bytes = zip(&[
        ("SKILL.md", SKILL_MD.as_bytes()),
        ("a/1", b"x"),
        ("a/2", b"y"),
    ]);
    for at in 0..bytes.len() - 3 {
        if &bytes[at..at + 3] == b"a/2" {
            bytes[at + 2] = b'1';
        }
    }
    bytes
}
