//! Finding actions by plain words. The questions were written before the ranking.

use super::{EMBEDDED, embedded};
use quaymaster_connectors::surface::{Index, Switched};

fn whole() -> Index {
    let switched: Vec<Switched<'_>> = EMBEDDED
        .iter()
        .map(|one| Switched::whole(&one.key, one))
        .collect();
    Index::new(&switched)
}

#[test]
fn plain_words_find_the_right_action_among_the_first_five() {
    let index = whole();
    let questions: Vec<(&str, &str)> = include_str!("../code_queries.txt")
        .lines()
        .map(|line| line.split_once(" | ").unwrap())
        .collect();
    assert_eq!(questions.len(), 100);
    let mut missed = Vec::new();
    for (question, right) in &questions {
        let (alias, action) = right.split_once('.').unwrap();
        assert!(embedded(alias).action(action).is_some(), "{right}");
        let found: Vec<String> = index
            .search(question, None, 5)
            .iter()
            .map(|hit| format!("{}.{}", hit.alias, hit.action))
            .collect();
        if !found.iter().any(|one| one == right) {
            missed.push(format!("{question}: {right} is not in {found:?}"));
        }
    }
    assert!(
        missed.len() <= 10,
        "{} missed:\n{}",
        missed.len(),
        missed.join("\n")
    );
}

#[test]
fn a_hit_says_how_the_action_is_called() {
    let hits = whole().search("post a message to a Slack channel", None, 3);
    assert_eq!(hits.len(), 3);
    let first = hits
        .iter()
        .find(|hit| hit.action == "send_channel_message")
        .unwrap();
    assert_eq!(first.alias, "slack");
    assert_eq!(first.title, "Send a message to a channel");
    assert_eq!(
        first.signature,
        "send_channel_message(channel, text?, blocks?, thread_ts?, reply_broadcast?, unfurl_links?, …)"
    );
    assert!(hits.is_sorted_by(|a, b| a.score >= b.score));
}

#[test]
fn slips_endings_and_odd_questions_do_no_harm() {
    let index = whole();
    for question in [
        "sendng telegarm messages",
        "TELEGRAM SEND MESSAGE",
        "send_message telegram",
        "telegram.send_message",
    ] {
        let found = index.search(question, None, 5);
        assert!(
            found
                .iter()
                .any(|hit| hit.alias == "telegram" && hit.action == "send_message"),
            "{question}: {found:?}"
        );
    }
    for odd in [
        "",
        " ",
        "the of and",
        "🙂",
        "\u{0}",
        &"word ".repeat(10_000),
        &"x".repeat(100_000),
    ] {
        assert!(index.search(odd, None, 5).len() <= 5);
    }
    assert!(index.search("github", None, 0).is_empty());
    assert!(Index::new(&[]).search("anything", None, 5).is_empty());
}

#[test]
fn only_what_is_on_is_found_and_under_its_alias() {
    let slack = embedded("slack");
    let some = ["send_channel_message".to_owned()];
    let index = Index::new(&[
        Switched {
            actions: Some(&some),
            ..Switched::whole("bot", &slack)
        },
        Switched::whole("person", &slack),
    ]);
    assert_eq!(
        index.len(),
        1 + Switched::whole("person", &slack).on().count()
    );
    let found = index.search("delete a message", None, 50);
    assert!(
        found
            .iter()
            .all(|hit| hit.alias == "person" || hit.action == "send_channel_message")
    );
    let both = index.search("bot send message", None, 1);
    assert_eq!(both[0].alias, "bot");
    let person = index.search("bot send message", Some("person"), 1);
    assert_eq!((person.len(), person[0].alias.as_str()), (1, "person"));
    let all = index.search(" ", Some("bot"), 10);
    assert_eq!(all.len(), 1);
    assert!(index.search("", Some("nobody"), 10).is_empty());
    // The few that are wanted are the first of all.
    let (few, many) = (
        index.search("message", None, 3),
        index.search("message", None, 500),
    );
    assert_eq!(few, many[..3]);
}
