//! Declarations, read by the TypeScript compiler of the test tools.

use super::{EMBEDDED, definition};
use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::surface::{Switched, check_alias, declarations};
use serde_json::json;
use std::path::PathBuf;
use std::process::Command;

/// What the compiler says about a program; nothing when it is good.
fn compile(program: &str) -> String {
    let Some(tools) = std::env::var_os("QUAYMASTER_TEST_TOOLS") else {
        panic!("QUAYMASTER_TEST_TOOLS is not set; run `cargo xtask test`");
    };
    let programs = PathBuf::from(tools).join("node/node_modules/.bin");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("program.ts");
    std::fs::write(&file, program).unwrap();
    let output = Command::new(programs.join("tsc"))
        .args([
            "--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--types", "",
        ])
        .arg(&file)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.success(), said.trim().is_empty(), "{said}");
    said
}

#[test]
fn the_whole_catalog_compiles_and_checks_what_code_calls() {
    let switched: Vec<Switched<'_>> = EMBEDDED
        .iter()
        .map(|one| Switched::whole(&one.key, one))
        .collect();
    let declared = declarations(&switched);
    let good = r#"
        const sent = await quaymaster.slack.send_channel_message({ channel: "C0123456789", text: "Hello" });
        const ts: string = sent.ts;
        const issues = await quaymaster.github.list_issues({ owner: "o", repo: "r", state: "open" });
        for (const issue of issues) console.log(issue.number + 1, issue.title.length, ts);
        await quaymaster.google_sheets.read_rows({ spreadsheetId: "x", range: "A1:B2" });
        await quaymaster.onec.entity_list({ entity: "Catalog_Items", $top: 3 });
        await quaymaster.slack.get_team();
        declare const console: { log(...parts: unknown[]): void };
        export {};
    "#;
    assert_eq!(compile(&format!("{declared}{good}")), "");
    let bad = r#"
        await quaymaster.slack.send_channel_message({ text: "Hello" });
        await quaymaster.github.list_issues({ owner: "o", repo: "r", state: "ajar" });
        await quaymaster.github.no_such_action({});
        await quaymaster.github.get_repo({ owner: "o", repo: 5 });
        export {};
    "#;
    let said = compile(&format!("{declared}{bad}"));
    for wrong in [
        "'channel' is missing",
        "\"ajar\"",
        "no_such_action",
        "'number' is not assignable to type 'string'",
    ] {
        assert!(said.contains(wrong), "{wrong}: {said}");
    }
}

/// Names and texts that try to get out of where they stand.
fn hostile() -> Definition {
    let text =
        "*/ } declare const owned: any; /* \u{2028}\u{202e}\r\n`${evil}` \\ \" ' </script> **/";
    definition(
        &json!({ "m": { "title": text, "actions": {
            "delete": { "title": "Delete", "method": "POST", "path": "/a", "params": { "type": "object", "required": ["a\"b", "x y"], "properties": {
                "a\"b": { "type": "string", "description": text, "enum": ["\"", "*/", "\\", "\n", "\u{2028}", "`"] },
                "x y": { "type": "array", "items": { "type": ["string", "null"] }, "default": [text], "title": text },
                "*/": { "const": "*/" }, "__proto__": { "type": "object" }, "choice": { "enum": [1, 2.5, -3, true, null, {}, []] }, "constructor": {},
                "日本": { "oneOf": [{ "type": "object", "properties": { "1": { "type": "integer" } } }, { "type": "array" }, true] },
                "": { "type": "string", "examples": [text] },
                "a": { "allOf": [{ "properties": { "b-c": { "type": "boolean" } }, "required": ["b-c"] }, { "type": "object" }] }
            }, "additionalProperties": false },
                "response": { "example": { "*/": [{ "a": null }, { "b": [[]] }], "x\u{2029}": { "\"": 1 } } } },
            "1st": { "title": text, "summary": text, "method": "GET", "path": "/b" },
            "class": { "title": "Class", "method": "GET", "path": "/c", "response": { "example": [] } },
            "_": { "title": "/**", "method": "GET", "path": "/d", "response": { "example": [1, "a", null, [true]] } },
            "branches": { "title": "Branches", "method": "POST", "path": "/e", "params": { "type": "object", "properties": { "kind": { "type": "string" } },
                "oneOf": [{ "properties": { "a": { "type": "string" } }, "required": ["a"] }, { "properties": { "b": { "type": "integer" } } }] } },
        } } }),
        json!({ "title": "T */ }", "summary": "S */" }),
    )
}

#[test]
fn hostile_names_and_texts_stay_where_they_are() {
    let evil = hostile();
    let aliases = [
        "a",
        "a-b",
        "undefined_",
        "weavz",
        "quaymaster",
        "declare",
        "namespace",
        "type",
        "of",
        "async",
        "get",
        "any",
        "string",
        "number",
        "abstract",
    ];
    let switched: Vec<Switched<'_>> = aliases
        .iter()
        .map(|alias| {
            assert_eq!(check_alias(alias), Ok(()));
            Switched::whole(alias, &evil)
        })
        .collect();
    let declared = declarations(&switched);
    let calls = r#"
        await quaymaster.a.delete({ "a\"b": "*/", "x y": ["x", null] });
        await quaymaster.a["1st"]();
        await quaymaster.a_b.class();
        await quaymaster.a.branches({ a: "x", kind: "y" });
        export {};
    "#;
    assert_eq!(compile(&format!("{declared}{calls}")), "");
    let said = compile(&format!("{declared} owned; export {{}};"));
    assert!(said.contains("Cannot find name 'owned'"), "{said}");
    insta::assert_snapshot!(declarations(&switched[..1]));
}
