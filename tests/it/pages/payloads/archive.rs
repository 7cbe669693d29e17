//! A skill that comes as an archive: names of files, and texts in them.

use super::{PAYLOADS, Places};
use crate::skills::imports::zip;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quaymaster_tests::Developer;
use serde_json::json;

/// Whether a payload can be in the name of a file of a skill.
fn is_name(payload: &str) -> bool {
    !payload.contains([':', '\\', '\t', '\0']) && !payload.contains("//")
}

fn skill_md(places: &mut Places) -> String {
    // No text of the format has these.
    let prompt = places.put_all("text of an imported skill", &[9, 32]);
    let description = json!(places.put("description of an imported skill", 39));
    let license = json!(places.put("license of an imported skill", 2));
    let author = json!(places.put("author of an imported skill", 3));
    format!(
        "---\nname: of-payloads\ndescription: {description}\nlicense: {license}\n\
         metadata:\n  author: {author}\n---\n\n{}\n",
        prompt.join("\n")
    )
}

pub(super) async fn import(desk: &Developer, places: &mut Places) {
    let mut files = vec![("of-payloads/SKILL.md".to_owned(), skill_md(places))];
    let named = (1..=PAYLOADS.len()).filter(|one| is_name(&PAYLOADS[one - 1].text));
    for one in named {
        let name = places.put("name of a file of a skill", one);
        let text = places.put("text of a file of a skill", one);
        files.push((format!("of-payloads/references/{name}"), text));
    }
    assert!(files.len() > 20, "{}", files.len());
    let files = files.iter();
    let files: Vec<(&str, &[u8])> = files
        .map(|(name, text)| (name.as_str(), text.as_bytes()))
        .collect();
    let body = json!({ "zipBase64": STANDARD.encode(zip(&files)) });
    desk.made("/skills/import", body).await;
}
