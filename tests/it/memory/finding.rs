//! Finding in many files, and in large ones.

use super::Notes;
use quaymaster_tests::Database;
use serde_json::{Value, json};

/// What a search finds, in pages of so many.
async fn found(notes: &Notes, query: &str, limit: usize) -> Vec<Value> {
    let mut all = Vec::new();
    let mut asked = json!({ "query": query, "limit": limit });
    loop {
        let page = notes.read(asked.clone()).await.unwrap();
        let results = page["results"].as_array().unwrap();
        assert!(results.len() <= limit);
        all.extend(results.iter().cloned());
        if page["next_cursor"].is_null() {
            return all;
        }
        asked["cursor"] = page["next_cursor"].clone();
    }
}

#[tokio::test]
async fn large_files_are_all_found_and_each_shows_its_line_as_far_as_it_is_looked_through() {
    for database in Database::BOTH {
        let notes = Notes::open(database).await;
        let filler = "Nothing of that here.\n".repeat(4_600);
        for number in 0..15 {
            let content = format!("One.\nThe Überseehafen {number}.\n{filler}");
            notes.create(&format!("{number:02}.md"), &content).await;
        }
        let small = format!("{}The überseehafen.\n", &filler[..22_000]);
        notes.create("small.md", &small).await;
        let large = format!("{filler}The überseehafen, at last.\n");
        notes.create("large.md", &large).await;
        let at_once = found(&notes, "übersee", 20).await;
        let in_pages = found(&notes, "übersee", 4).await;
        let paths = |found: &[Value]| -> Vec<String> {
            let paths = found.iter().filter_map(|one| one["path"].as_str());
            paths.map(str::to_owned).collect()
        };
        assert_eq!(paths(&at_once), paths(&in_pages));
        assert_eq!(at_once.len(), 17);
        // The shortest comes first and is looked through as a whole, the longest comes last.
        assert_eq!(
            (&at_once[0]["path"], &at_once[0]["line"]),
            (&json!("small.md"), &json!(1_001))
        );
        assert!(at_once[1..16].iter().all(|one| one["line"] == 2));
        assert_eq!(at_once[16]["path"], "large.md");
        assert!(at_once[16]["line"].is_null(), "there was no room for it");
        assert_eq!(
            in_pages[16]["line"], 4_601,
            "alone on its page there is room"
        );
    }
}

#[tokio::test]
async fn a_page_ends_where_it_is_told_to_and_the_next_one_goes_on() {
    for database in Database::BOTH {
        let notes = Notes::open(database).await;
        for number in 0..21 {
            notes.create(&format!("a/{number:02}.md"), "harbour").await;
        }
        for limit in [1, 7, 20, 21, 22] {
            let mut listed = Vec::new();
            let mut asked = json!({ "prefix": "a/", "limit": limit });
            loop {
                let page = notes.read(asked.clone()).await.unwrap();
                let paths = super::paths(&page);
                assert!(paths.len() <= limit, "{limit}: {page}");
                listed.extend(paths.into_iter().map(str::to_owned));
                if page["next_cursor"].is_null() {
                    break;
                }
                asked["cursor"] = page["next_cursor"].clone();
            }
            let expected: Vec<String> = (0..21).map(|number| format!("a/{number:02}.md")).collect();
            assert_eq!(listed, expected, "{limit}");
            assert_eq!(found(&notes, "harbour", limit).await.len(), 21, "{limit}");
        }
    }
}
