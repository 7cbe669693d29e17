//! What the guide shows works.

use crate::samples::read;
use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::load::load;
use serde_json::Value;
use std::path::Path;

fn guide() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/connectors.md");
    std::fs::read_to_string(file).unwrap()
}

fn blocks(guide: &str) -> Vec<&str> {
    let parts = guide.split("```yaml\n").skip(1);
    parts
        .map(|part| part.split("```").next().unwrap())
        .collect()
}

#[test]
fn whole_definitions_of_the_guide_keep_all_rules() {
    let guide = guide();
    let whole: Vec<Definition> = blocks(&guide)
        .into_iter()
        .filter(|block| block.starts_with("quaymaster: 1"))
        .map(read)
        .collect();
    let keys: Vec<&str> = whole.iter().map(|one| one.key.as_str()).collect();
    assert_eq!(keys, ["notes", "desk"]);
}

/// Each other block takes the place of the same keys in the first definition. What a block alone
/// cannot have, such as a parameter that uses its enum, is the only thing that may be missing.
#[test]
fn parts_of_definitions_of_the_guide_are_read() {
    let guide = guide();
    let blocks = blocks(&guide);
    let base: Value = serde_saphyr::from_str(blocks[0]).unwrap();
    let mut parts = 0;
    for block in blocks
        .iter()
        .filter(|block| !block.starts_with("quaymaster: 1"))
    {
        let mut whole = base.clone();
        let part: Value = serde_saphyr::from_str(block).unwrap();
        for (key, value) in part.as_object().unwrap() {
            whole[key] = value.clone();
        }
        // JSON is YAML.
        let text = serde_json::to_string_pretty(&whole).unwrap();
        let problems = load(&text, "guide").err().unwrap_or_default();
        for problem in problems {
            let alone = problem.message.starts_with("No parameter has")
                || problem
                    .message
                    .starts_with("There is no action \"list_notebooks\"");
            assert!(alone, "{problem}\n{block}");
        }
        parts += 1;
    }
    assert!(parts >= 4);
}
