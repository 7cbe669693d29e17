//! `flow apply` with the files of packs: checked with the flows beside them, installed, upgraded, left alone.

use super::*;
use quaymaster_tests::{Act, Asked, Upstream};
use std::fmt::Write as _;
use std::path::Path;
use tempfile::TempDir;

const FLOW: &str = "flow: two\nsteps: [{ map: \"2\" }]\n";

fn pack(version: &str, flows: &[(&str, &str)]) -> String {
    let mut text = format!(
        "pack: quaymaster/v1\nid: answers\ntitle: Answers\nversion: \"{version}\"\ndescription: Answers.\n\
         variables:\n  what: {{ type: string, title: What }}\n  KEY: {{ type: secret, title: Key }}\nflows:\n"
    );
    for (flow, answer) in flows {
        let _ = write!(
            text,
            "  - flow: {flow}\n    steps: [{{ map: '{{ {answer}: .vars.what }}' }}]\n    \
             tests: [{{ name: it, vars: {{ what: x }}, expect: {{ result: {{ {answer}: x }} }} }}]\n"
        );
    }
    text
}

struct Folder<'d> {
    desk: &'d Developer,
    folder: TempDir,
}

impl Folder<'_> {
    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Whether all went well, what was told of each file, and the problems.
    async fn apply(&self, more: &[&str]) -> (bool, Value, String) {
        let folder: &Path = self.folder.path();
        let mut arguments = vec!["flow", "apply", folder.to_str().unwrap()];
        arguments.extend([
            "--server",
            &self.desk.server.url,
            "--key",
            &self.desk.key,
            "--json",
        ]);
        arguments.extend(more);
        let output = self.desk.server.cli(&arguments).await;
        let told = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let problems = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success(), told, problems)
    }
}

#[tokio::test]
async fn a_directory_with_packs_is_applied_and_its_packs_are_installed_and_upgraded() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let folder = Folder {
            desk: &desk,
            folder: TempDir::new().unwrap(),
        };
        folder.write("a.yaml", FLOW);
        let first = pack("1", &[("one", "a"), ("three", "b"), ("four", "c")]);

        // A mistake in a pack keeps the flow from being saved.
        folder.write("b.yaml", &first.replacen("map:", "mapp:", 1));
        let (good, told, _) = folder.apply(&[]).await;
        assert!(!good, "{told}");
        assert_eq!(told["files"][0]["outcome"], "left alone", "{told}");
        assert_eq!(told["files"][1]["outcome"], "refused", "{told}");
        assert_eq!(told["files"][1]["pack"], "", "{told}");
        let problem = &told["files"][1]["fault"]["problems"][0];
        assert_eq!(problem["line"], 11, "{told}");
        folder.write("b.yaml", &first.replace("id: answers", "id: weather"));
        let (good, told, _) = folder.apply(&[]).await;
        assert!(
            !good && told["files"][0]["outcome"] == "left alone",
            "{told}"
        );
        assert_eq!(
            told["files"][1]["fault"]["problems"][0]["line"], 2,
            "{told}"
        );

        // So does a variable that no pack has, and a secret is none that can be given here.
        folder.write("b.yaml", &first);
        for given in ["wat=x", "KEY=x"] {
            let (good, _, problems) = folder.apply(&["--var", given]).await;
            assert!(!good && problems.contains("has a variable"), "{problems}");
        }
        let flows = format!("/workspaces/{}/flows", desk.server.workspace);
        assert_eq!(desk.did("GET", &flows, None).await["total"], 0);

        let (good, told, _) = folder.apply(&["--var", "what=x=y"]).await;
        assert!(!good, "the secret is not there: {told}");
        let key = format!("/workspaces/{}/flow-secrets/KEY", desk.server.workspace);
        desk.did("PUT", &key, Some(json!({ "value": "k" }))).await;
        let (good, told, problems) = folder.apply(&["--var", "what=x=y"]).await;
        assert!(good, "{told} {problems}");
        assert_eq!(told["files"][1]["outcome"], "created", "{told}");
        assert_eq!(became(&told["files"][1]).len(), 3, "{told}");
        assert!(source(&desk, "one").await.contains("what: \"x=y\""));
        let (good, told, _) = folder.apply(&[]).await;
        assert!(good && told["files"][1]["outcome"] == "unchanged", "{told}");

        // Somebody takes a flow away and changes another: both stay so, what is new comes.
        let path = path_of(&desk, "answers");
        let some = json!({ "flows": ["one", "four"] });
        desk.did("PUT", &path, Some(some)).await;
        let own = source(&desk, "one").await + "# Ours.\n";
        desk.did(
            "PUT",
            &format!("{flows}/one"),
            Some(json!({ "source": own })),
        )
        .await;
        folder.write(
            "b.yaml",
            &pack(
                "2",
                &[("one", "z"), ("three", "b"), ("four", "c"), ("five", "d")],
            ),
        );
        let (good, told, problems) = folder.apply(&[]).await;
        assert!(good, "{told} {problems}");
        assert_eq!(told["files"][1]["outcome"], "updated", "{told}");
        let wanted = [
            pair("one", "kept"),
            pair("four", "unchanged"),
            pair("five", "created"),
        ];
        assert_eq!(became(&told["files"][1]), wanted);
        assert_eq!(source(&desk, "one").await, own);
        let read = desk.did("GET", &path, None).await;
        assert_eq!(read["pack"]["installed"]["version"], "2", "{read}");
    }
}

#[tokio::test]
async fn a_pack_that_stopped_halfway_says_what_was_done_and_the_next_apply_does_the_rest() {
    for database in Database::BOTH {
        let desk = Developer::open(database).await;
        let folder = Folder {
            desk: &desk,
            folder: TempDir::new().unwrap(),
        };
        let flows = format!("/workspaces/{}/flows", desk.server.workspace);
        let key = format!("/workspaces/{}/flow-secrets/KEY", desk.server.workspace);
        desk.did("PUT", &key, Some(json!({ "value": "k" }))).await;
        let say = "triggers: [{ mcp_tool: { name: say, description: Says it. } }]\n";
        let mine = format!("flow: mine\n{say}steps: [{{ map: \"1\" }}]\n");
        desk.made(&flows, json!({ "source": mine })).await;
        let text = pack("1", &[("one", "a"), ("three", "b"), ("four", "c")]);
        let says = format!("- flow: three\n    {say}");
        folder.write("b.yaml", &text.replace("- flow: three\n", &says));

        let (good, told, _) = folder.apply(&["--var", "what=x"]).await;
        let file = &told["files"][0];
        assert!(!good && file["outcome"] == "refused", "{told}");
        assert_eq!(became(file), [pair("one", "created")]);
        assert_eq!(file["fault"]["details"]["flow"], "three", "{told}");

        desk.did("DELETE", &format!("{flows}/mine"), None).await;
        let (good, told, problems) = folder.apply(&[]).await;
        assert!(good, "{told} {problems}");
        let wanted = [
            pair("one", "unchanged"),
            pair("three", "created"),
            pair("four", "created"),
        ];
        assert_eq!(became(&told["files"][0]), wanted);

        // What somebody deletes by hand is taken away, too.
        desk.did("DELETE", &format!("{flows}/four"), None).await;
        let (good, told, problems) = folder.apply(&[]).await;
        assert!(good, "{told} {problems}");
        assert_eq!(told["files"][0]["outcome"], "unchanged", "{told}");
        desk.refused(404, "GET", &format!("{flows}/four"), None)
            .await;
        let read = desk.did("GET", &path_of(&desk, "answers"), None).await;
        let read = read["pack"]["flows"].as_array().unwrap();
        let left_out: Vec<&Value> = read.iter().map(|flow| &flow["leftOut"]).collect();
        assert_eq!(left_out, [false, false, true]);
    }
}

/// A server that finds every text good, saves the flow `one` and then says nothing more.
fn gone_in_the_middle(asked: &Asked) -> Vec<Act> {
    if asked.target.ends_with("/flow-drafts/validate") {
        let body: Value = serde_json::from_str(&asked.body).unwrap();
        let source = body["source"].as_str().unwrap();
        let name = source.lines().next().unwrap().strip_prefix("flow: ");
        return Act::json(&json!({ "valid": true, "name": name.unwrap() }).to_string());
    }
    if asked.target.ends_with("/flows/one") {
        return Act::json(r#"{ "outcome": "created" }"#);
    }
    vec![Act::Close]
}

#[tokio::test]
async fn what_was_saved_is_told_when_the_server_is_gone_in_the_middle() {
    let server = Upstream::start("127.0.0.1", gone_in_the_middle).await;
    let folder = TempDir::new().unwrap();
    for (file, flow) in [("a.yaml", "one"), ("b.yaml", "two"), ("c.yaml", "three")] {
        let text = format!("flow: {flow}\nsteps: [{{ map: \"1\" }}]\n");
        std::fs::write(folder.path().join(file), text).unwrap();
    }
    let url = server.url();
    let output = program()
        .args([
            "flow",
            "apply",
            "--json",
            "--key",
            "k",
            "--workspace",
            "main",
        ])
        .args(["--server", &url])
        .arg(folder.path())
        .output()
        .await
        .unwrap();
    assert!(!output.status.success());
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let files = told["files"].as_array().unwrap().iter();
    let outcomes: Vec<&Value> = files.map(|file| &file["outcome"]).collect();
    assert_eq!(outcomes, ["created", "not known", "left alone"], "{told}");
    let hint = told["files"][1]["fault"]["hint"].as_str().unwrap();
    assert!(hint.contains("Apply the directory again"), "{told}");
}
