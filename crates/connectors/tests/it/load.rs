//! Definitions are read strictly, and every problem is told at its place.

use crate::samples::{CRM, TRACKER, changed};
use quaymaster_connectors::lint::lint;
use quaymaster_connectors::load::{Problem, load};
use std::fmt::Write as _;

fn problems(text: &str) -> Vec<Problem> {
    load(text, "a.yaml").err().unwrap_or_default()
}

/// The line of the sample on which a text begins.
fn line_of(text: &str, part: &str) -> u64 {
    let at = text.find(part).unwrap();
    text[..at].matches('\n').count() as u64 + 1
}

#[test]
fn samples_keep_all_rules() {
    assert_eq!(problems(TRACKER), []);
    assert_eq!(problems(CRM), []);
}

#[test]
fn every_structural_problem_is_told_at_once() {
    let text = TRACKER
        .replace(
            "title: Tracker\nsummary: Projects and issues",
            "titel: Tracker\nsummary: Projects and issues",
        )
        .replace("kind: rest", "kind: restt")
        .replace("version: \"1.2.0\"", "version: 1.2")
        .replace("method: DELETE", "metod: DELETE")
        .replace("{secret: true}", "{secret: yes}");
    let shown: Vec<String> = problems(&text).iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    a.yaml:1:1: The key `title` is missing.
    a.yaml:3:1: kind: "restt" is not possible here. Did you mean `rest`?
    a.yaml:4:1: version: Wrong type: floating point `1.2`, expected a string. Put it in quotes.
    a.yaml:6:1: titel: There is no key `titel` here. Did you mean `title`?
    a.yaml:14:71: auth.0.fields.token.secret: Wrong type: string "yes", expected a boolean. Write true or false.
    a.yaml:62:9: modules.issues.actions.delete_issue.metod: There is no key `metod` here. Did you mean `method`?
    "#);
}

#[test]
fn a_problem_stands_where_its_key_stands() {
    let text = changed("x-in: query", "x-in: querry");
    let found = problems(&text);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].line, line_of(&text, "x-in: querry"));
    let line = text.lines().nth(found[0].line as usize - 1).unwrap();
    assert!(line[found[0].column as usize - 1..].starts_with("x-in"));
    assert!(found[0].to_string().starts_with(&format!(
        "a.yaml:{}:{}: modules.",
        found[0].line, found[0].column
    )));
}

#[test]
fn without_a_text_the_same_problems_have_no_place() {
    let mut definition = crate::samples::tracker();
    definition.recipes.clear();
    let found = lint(&definition);
    assert_eq!(found.len(), 1);
    assert_eq!((found[0].line, found[0].file.as_str()), (0, ""));
    assert_eq!(
        found[0].to_string(),
        "recipes: There are 0 recipes; at least 3 show how calls look."
    );
}

#[test]
fn keys_stand_once_and_unquoted_words_stay_words() {
    let doubled = problems(&changed("ttl: 3600", "ttl: 3600\nttl: 60"));
    assert_eq!(doubled.len(), 1);
    assert_eq!(
        (doubled[0].line, doubled[0].message.as_str()),
        (6, "The key `ttl` stands here twice.")
    );
    let definition = crate::samples::read(&changed(
        "{value: open}",
        "{value: open}, {value: off}, {value: no}",
    ));
    assert_eq!(definition.enums["state"][1].value, "off");
    assert_eq!(definition.enums["state"][2].value, "no");
}

#[test]
fn a_small_file_cannot_become_large() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..10 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        writeln!(bomb, "a{level}: &a{level} [{items}]").unwrap();
    }
    let deep = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    let merged = changed("ttl: 3600", "<<: {ttl: 3600}");
    let two = format!("{TRACKER}---\n{TRACKER}");
    let huge = format!("{TRACKER}# {}", "x".repeat(5 << 20));
    for text in [&bomb, &deep, &merged, &two, &huge] {
        let began = std::time::Instant::now();
        assert!(!problems(text).is_empty(), "{}", &text[..40]);
        assert!(began.elapsed().as_secs() < 5);
    }
}

#[test]
fn what_is_no_yaml_has_a_problem_with_a_place() {
    for text in [
        "",
        "a: [",
        "\t- x",
        "- 1\n- 2",
        "hello",
        "a: *nowhere",
        "\u{0}",
        "a: !!binary x",
    ] {
        let found = problems(text);
        assert!(!found.is_empty(), "{text:?}");
        assert!(
            found
                .iter()
                .all(|one| one.line > 0 && !one.message.is_empty()),
            "{found:?}"
        );
    }
}
