//! Media types by content, then by name.

use crate::text::Facts;

const FALLBACK: &str = "application/octet-stream";

/// The media type of a file whose content was scanned.
pub(crate) fn of(name: &str, facts: &Facts) -> String {
    let by_name = mime_guess::from_path(name).first();
    if facts.text.is_none() {
        return match (facts.sniffed, by_name) {
            // An office file is a zip archive by its first bytes.
            (Some("application/zip"), Some(by_name)) => by_name.essence_str().to_owned(),
            (Some(sniffed), _) => sniffed.to_owned(),
            (None, Some(by_name)) if by_name.type_() != "text" => by_name.essence_str().to_owned(),
            _ => FALLBACK.to_owned(),
        };
    }
    match by_name {
        // `.ts` is a video to mime_guess, and text is none.
        Some(by_name)
            if !matches!(
                by_name.type_().as_str(),
                "video" | "audio" | "image" | "font"
            ) || by_name.essence_str() == "image/svg+xml" =>
        {
            by_name.essence_str().to_owned()
        }
        _ => "text/plain".to_owned(),
    }
}

/// A guess by the name alone.
pub fn by_name(name: &str) -> Option<String> {
    if name
        .rsplit_once('.')
        .is_some_and(|(_, extension)| matches!(extension, "ts" | "mts"))
    {
        return Some("text/plain".to_owned());
    }
    mime_guess::from_path(name)
        .first()
        .map(|mime| mime.essence_str().to_owned())
}

/// Whether clients can show it: an image or a sound.
pub(crate) fn is_media(mime: &str) -> bool {
    matches!(
        mime,
        "image/png" | "image/jpeg" | "image/gif" | "image/webp"
    ) || mime.starts_with("audio/")
}
