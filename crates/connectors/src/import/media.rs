//! Media types (RFC 9110 §8.3.1) as far as the format tells them apart.

/// How a body is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Media {
    /// JSON, with its name when that is not `application/json`.
    Json(Option<String>),
    Form,
    Multipart,
    Text,
}

/// Type and subtype in small letters, without parameters.
pub(super) fn bare(name: &str) -> String {
    let bare = name.split(';').next().unwrap_or_default();
    bare.trim().to_ascii_lowercase()
}

pub(super) fn is_json(bare: &str) -> bool {
    bare == "application/json" || bare == "text/json" || bare.ends_with("+json")
}

fn is_any(bare: &str) -> bool {
    matches!(bare, "*/*" | "application/*" | "")
}

/// Whether an answer of this type can be shown as text.
pub(super) fn is_text(bare: &str) -> bool {
    let words = [
        "json",
        "xml",
        "yaml",
        "csv",
        "javascript",
        "urlencoded",
        "graphql",
        "html",
        "jwt",
    ];
    is_any(bare) || bare.starts_with("text/") || words.iter().any(|word| bare.contains(word))
}

/// The one of several types that says most, and how it is written.
pub(super) fn best(names: &[&str]) -> Option<(usize, Media)> {
    let all: Vec<String> = names.iter().map(|name| bare(name)).collect();
    let find = |fits: &dyn Fn(&str) -> bool| all.iter().position(|bare| fits(bare));
    if let Some(at) = find(&|bare| bare == "application/json") {
        return Some((at, Media::Json(None)));
    }
    if let Some(at) = find(&is_json) {
        let name = all.get(at).filter(|name| is_plain(name)).cloned();
        return Some((at, Media::Json(name)));
    }
    if let Some(at) = find(&is_any) {
        return Some((at, Media::Json(None)));
    }
    if let Some(at) = find(&|bare| bare == "application/x-www-form-urlencoded") {
        return Some((at, Media::Form));
    }
    if let Some(at) = find(&|bare| bare == "multipart/form-data" || bare == "multipart/*") {
        return Some((at, Media::Multipart));
    }
    find(&|bare| bare == "text/plain").map(|at| (at, Media::Text))
}

/// Whether a type can stand in a header.
pub(super) fn is_plain(bare: &str) -> bool {
    bare.len() <= 120
        && bare.contains('/')
        && bare
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/+-._".contains(&byte))
}
