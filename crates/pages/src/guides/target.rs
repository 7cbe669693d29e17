//! Where a link of a guide leads in the page.

use super::Guide;

/// Files of `docs/` that a server has under another address.
const SERVED: [(&str, &str); 2] = [
    ("flow.schema.json", "/api/v1/schemas/flow.json"),
    ("openapi.json", "/api/v1/openapi.json"),
];

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Of this server.
    Here(String),
    Away(String),
    /// A file of the project that no server has.
    File(String),
    Nothing,
}

impl Target {
    pub(super) fn read(link: &str) -> Target {
        if link.starts_with('#') {
            return Target::Here(link.to_owned());
        }
        if link.starts_with("https://") {
            return Target::Away(link.to_owned());
        }
        if link.contains(':') || link.starts_with('/') {
            return Target::Nothing;
        }
        let (path, anchor) = link.split_at(link.find('#').unwrap_or(link.len()));
        let guide = path.strip_suffix(".md").and_then(Guide::find);
        if let Some(guide) = guide {
            return Target::Here(format!("/guides/{}{anchor}", guide.name));
        }
        if let Some((_, address)) = SERVED.iter().find(|(name, _)| *name == path) {
            return Target::Here((*address).to_owned());
        }
        // Links stand in `docs/`, and are told from the root of the project.
        match path.strip_prefix("../") {
            Some(path) => Target::File(path.to_owned()),
            None => Target::File(format!("docs/{path}")),
        }
    }
}
