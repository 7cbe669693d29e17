//! Schemas as model vendors want them.

use quaymaster_core::tool::JsonObject;
use quaymaster_files::*;
use serde_json::Value;

fn all() -> Vec<(&'static str, JsonObject)> {
    vec![
        ("list_files", schema_of::<ListFiles>()),
        ("search_files", schema_of::<SearchFiles>()),
        ("read_file", schema_of::<ReadFile>()),
        ("write_file", schema_of::<WriteFile>()),
        ("delete_file", schema_of::<DeleteFile>()),
        ("create_directory", schema_of::<CreateDirectory>()),
        ("move_file", schema_of::<MoveFile>()),
        ("copy_file", schema_of::<CopyFile>()),
        ("get_file_info", schema_of::<GetFileInfo>()),
        ("insert_lines", schema_of::<InsertLines>()),
        ("replace_lines", schema_of::<ReplaceLines>()),
        ("delete_lines", schema_of::<DeleteLines>()),
        ("find_replace", schema_of::<FindReplace>()),
        ("insert_after_pattern", schema_of::<InsertAfterPattern>()),
        ("list_files result", schema_of::<ListFilesResult>()),
        ("search_files result", schema_of::<SearchFilesResult>()),
        ("read_file result", schema_of::<ReadFileResult>()),
        ("write_file result", schema_of::<WriteFileResult>()),
        ("delete_file result", schema_of::<DeleteFileResult>()),
        (
            "create_directory result",
            schema_of::<CreateDirectoryResult>(),
        ),
        ("move_file result", schema_of::<MoveFileResult>()),
        ("copy_file result", schema_of::<CopyFileResult>()),
        ("get_file_info result", schema_of::<FileInfo>()),
        ("edit result", schema_of::<EditOut>()),
        ("find_replace result", schema_of::<FindReplaceResult>()),
        (
            "insert_after_pattern result",
            schema_of::<InsertAfterPatternResult>(),
        ),
    ]
}

fn walk(value: &Value, visit: &mut dyn FnMut(&serde_json::Map<String, Value>)) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, visit)),
        Value::Object(object) => {
            visit(object);
            object.values().for_each(|value| walk(value, visit));
        }
        _ => {}
    }
}

#[test]
fn every_schema_is_a_plain_closed_object() {
    for (name, schema) in all() {
        assert_eq!(schema["type"], "object", "{name}");
        assert_eq!(schema["additionalProperties"], false, "{name}");
        for word in ["anyOf", "oneOf", "allOf", "$defs"] {
            assert!(!schema.contains_key(word), "{name} has {word} at the top");
        }
        walk(&Value::Object(schema.clone()), &mut |object| {
            for (key, value) in object {
                assert_ne!(key, "$ref", "{name}");
                assert_ne!(value, "null", "{name}.{key}");
                assert!(!(key == "type" && value.is_array()), "{name}: {value}");
            }
        });
        quaymaster_core::schema::Checker::new(&schema).unwrap();
    }
}

#[test]
fn an_agent_reads_what_each_argument_is() {
    insta::assert_json_snapshot!(schema_of::<ReplaceLines>(), @r#"
    {
      "type": "object",
      "additionalProperties": false,
      "properties": {
        "path": {
          "type": "string",
          "description": "Text file to edit, relative to the workspace root.",
          "minLength": 1,
          "maxLength": 4096
        },
        "start_line": {
          "type": "integer",
          "minimum": 1,
          "description": "First line to replace, from 1."
        },
        "end_line": {
          "type": "integer",
          "minimum": -1,
          "description": "Last line to replace, inclusive; -1 = the last line of the file."
        },
        "content": {
          "type": "string",
          "description": "The new lines; the final line end may be left out. Empty = remove the lines."
        },
        "expect": {
          "type": "string",
          "description": "The text that these lines must have now; otherwise nothing is written."
        },
        "encoding": {
          "type": "string",
          "description": "Encoding label (WHATWG). Default: the file's own, detected."
        },
        "if_match": {
          "type": "string",
          "description": "Edit only if the file's etag is this one (from an earlier answer); `*` = any."
        },
        "dry_run": {
          "type": "boolean",
          "description": "Write nothing; answer what would happen.",
          "default": false
        }
      },
      "required": [
        "path",
        "start_line",
        "end_line",
        "content"
      ]
    }
    "#);
    insta::assert_json_snapshot!(schema_of::<FindReplace>()["properties"]["expected_count"], @r#"
    {
      "anyOf": [
        {
          "type": "integer",
          "minimum": 1
        },
        {
          "type": "string",
          "enum": [
            "all"
          ]
        }
      ],
      "description": "How often it must occur, else nothing is written; \"all\" = at least once.",
      "default": 1
    }
    "#);
}

#[test]
fn answers_fit_their_schemas() {
    let yard = crate::support::yard();
    yard.put("a.txt", "one\ntwo\n");
    let calls = [
        (
            "list_files",
            schema_of::<ListFilesResult>(),
            serde_json::json!({}),
        ),
        (
            "search_files",
            schema_of::<SearchFilesResult>(),
            serde_json::json!({ "query": "one" }),
        ),
        (
            "read_file",
            schema_of::<ReadFileResult>(),
            serde_json::json!({ "path": "a.txt" }),
        ),
        (
            "get_file_info",
            schema_of::<FileInfo>(),
            serde_json::json!({ "path": "a.txt" }),
        ),
        (
            "find_replace",
            schema_of::<FindReplaceResult>(),
            serde_json::json!({ "path": "a.txt", "find": "one", "replace": "1" }),
        ),
        (
            "insert_after_pattern",
            schema_of::<InsertAfterPatternResult>(),
            serde_json::json!({ "path": "a.txt", "pattern": "two", "content": "three" }),
        ),
        (
            "delete_file",
            schema_of::<DeleteFileResult>(),
            serde_json::json!({ "path": "a.txt" }),
        ),
    ];
    for (tool, schema, args) in calls {
        let answer = yard.ok(tool, args);
        let checker = quaymaster_core::schema::Checker::new(&schema).unwrap();
        checker
            .check(answer.as_object().unwrap())
            .unwrap_or_else(|f| panic!("{tool}: {f:?}"));
    }
}
