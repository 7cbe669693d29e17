//! Line edits against a simple model: a list of lines, each with its own end.

use crate::support::yard;
use proptest::prelude::*;
use serde_json::json;

#[derive(Debug, Clone)]
struct Doc {
    bom: bool,
    lines: Vec<(String, &'static str)>,
}

impl Doc {
    fn bytes(&self) -> String {
        let lines: String = self
            .lines
            .iter()
            .flat_map(|(text, eol)| [text.as_str(), eol])
            .collect();
        format!("{}{lines}", if self.bom { "\u{feff}" } else { "" })
    }

    /// The bytes of some lines.
    fn part(&self, from: usize, to: usize) -> String {
        self.lines[from..to]
            .iter()
            .flat_map(|(text, eol)| [text.as_str(), eol])
            .collect()
    }
}

fn doc() -> impl Strategy<Value = Doc> {
    let text = prop_oneof!["[a-c]{0,4}", "[é€𝄞\r\t ]{0,3}x"];
    let eol = prop_oneof![Just("\n"), Just("\r\n")];
    let lines = prop::collection::vec((text, eol), 0..8);
    (any::<bool>(), lines, any::<bool>()).prop_map(|(bom, mut lines, open)| {
        if let Some(last) = lines.last_mut().filter(|last| open && !last.0.is_empty()) {
            last.1 = "";
        }
        Doc { bom, lines }
    })
}

fn content() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[x-z€]{0,3}", 0..4)
}

/// What a tool writes for lines, with the given ends between and after them.
fn joined(lines: &[String]) -> String {
    lines.join("\n")
        + if lines.last().is_some_and(String::is_empty) {
            "\n"
        } else {
            ""
        }
}

/// Ends of lines made alike, for comparing what was added.
fn plain(text: &str) -> String {
    text.replace("\r\n", "\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn replacing_lines_never_touches_the_others(
        doc in doc(), new in content(), a in any::<prop::sample::Index>(), b in any::<prop::sample::Index>()
    ) {
        prop_assume!(!doc.lines.is_empty());
        let (a, b) = (a.index(doc.lines.len()), b.index(doc.lines.len()));
        let (start, end) = (a.min(b), a.max(b));
        let yard = yard();
        yard.put("a.txt", doc.bytes());
        let out = yard.ok("replace_lines", json!({
            "path": "a.txt", "start_line": start + 1, "end_line": end + 1, "content": joined(&new)
        }));
        let before = format!("{}{}", if doc.bom { "\u{feff}" } else { "" }, doc.part(0, start));
        let after = doc.part(end + 1, doc.lines.len());
        let now = yard.text("a.txt");
        prop_assert!(now.starts_with(&before) && now.ends_with(&after), "{now:?}");
        let middle = &now[before.len()..now.len() - after.len()];
        let open = doc.lines[end].1.is_empty() && !new.is_empty();
        let expected: String = new.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        let expected = if open { expected.strip_suffix('\n').unwrap() } else { &expected };
        prop_assert_eq!(plain(middle), expected);
        // A line that takes the place of another takes its end.
        for (index, line) in middle.split_inclusive('\n').enumerate() {
            if let Some((_, eol)) = doc.lines[start..=end].get(index).filter(|_| line.ends_with('\n')) {
                prop_assert!(eol.is_empty() || line.ends_with("\r\n") == (*eol == "\r\n"));
            }
        }
        prop_assert_eq!(out["total_lines"].as_u64().unwrap() as usize, now_lines(&now));
        prop_assert_eq!(&out["etag"], &json!(yard.etag("a.txt")));
    }

    #[test]
    fn inserting_lines_never_touches_the_others(
        doc in doc(), new in content(), at in any::<prop::sample::Index>()
    ) {
        let at = at.index(doc.lines.len() + 1);
        let yard = yard();
        yard.put("a.txt", doc.bytes());
        let before = format!("{}{}", if doc.bom { "\u{feff}" } else { "" }, doc.part(0, at));
        let after = doc.part(at, doc.lines.len());
        let args = json!({ "path": "a.txt", "line": at, "content": joined(&new), "dry_run": true });
        let dry = yard.ok("insert_lines", args.clone());
        prop_assert_eq!(yard.text("a.txt"), doc.bytes());
        let mut args = args;
        args["dry_run"] = json!(false);
        let out = yard.ok("insert_lines", args);
        prop_assert_eq!(&dry["etag"], &out["etag"]);
        prop_assert_eq!(&dry["diff"], &out["diff"]);
        let now = yard.text("a.txt");
        prop_assert!(now.starts_with(&before) && now.ends_with(&after), "{now:?}");
        let middle = &now[before.len()..now.len() - after.len()];
        let lines: String = new.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        let open = at > 0 && doc.lines[at - 1].1.is_empty() && !new.is_empty();
        let expected = if open { format!("\n{}", lines.strip_suffix('\n').unwrap()) } else { lines };
        prop_assert_eq!(plain(middle), expected);
    }

    #[test]
    fn a_diff_of_replaced_text_can_be_undone(doc in doc(), find in "[a-c]{1,2}", new in "[x-z\n]{0,3}") {
        let yard = yard();
        yard.put("a.txt", doc.bytes());
        let args = json!({ "path": "a.txt", "find": find, "replace": new, "expected_count": "all" });
        let old = doc.bytes();
        match yard.call("find_replace", args) {
            Ok(out) => {
                prop_assert_eq!(plain(&yard.text("a.txt")), plain(&old).replace(&find, &new));
                prop_assert_eq!(out["replacements"].as_u64().unwrap() as usize, old.matches(&find).count());
            }
            Err(fault) => {
                prop_assert_eq!(fault.code, quaymaster_core::Code::NoMatch);
                prop_assert!(!old.contains(&find));
            }
        }
    }

    #[test]
    fn no_spelling_of_a_path_escapes(
        path in prop_oneof!["[a./\\\\ -]{0,24}", "(\\.\\./|[ab]/|/|\\./|//){0,12}[ab.]{0,3}", "\\PC{0,40}"]
    ) {
        let Ok(parsed) = quaymaster_files::RelPath::parse(&path, "/path") else { return Ok(()) };
        for name in parsed.names() {
            prop_assert!(name != "." && name != ".." && !name.is_empty() && !name.contains('/'));
        }
        prop_assert!(!parsed.as_str().starts_with('/'));
        let again = quaymaster_files::RelPath::parse(parsed.as_str(), "/path");
        prop_assert_eq!(again.unwrap(), parsed);
    }

    #[test]
    fn text_comes_back_from_every_encoding(
        text in "[a-zA-Z é\n]{1,40}",
        label in prop_oneof![Just("utf-8"), Just("utf-16le"), Just("utf-16be"), Just("windows-1252"), Just("gb18030"), Just("iso-8859-15")]
    ) {
        let yard = yard();
        yard.ok("write_file", json!({ "path": "a.txt", "content": text, "encoding": label }));
        let read = yard.ok("read_file", json!({ "path": "a.txt", "encoding": label, "line_numbers": false }));
        prop_assert_eq!(read["content"].as_str().unwrap(), text);
    }
}

fn now_lines(text: &str) -> usize {
    text.trim_start_matches('\u{feff}')
        .split_inclusive('\n')
        .count()
}
