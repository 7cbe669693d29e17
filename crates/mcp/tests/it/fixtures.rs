//! What the conformance suite wants a server to have, by subject.

pub(crate) mod asking;
pub(crate) mod prompts;
pub(crate) mod resources;
pub(crate) mod skills;
pub(crate) mod tools;

use quaymaster_core::tool::Content;

/// The smallest PNG and WAV.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==";
const WAV: &str = "UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAEAfAAABAAgAZGF0YQAAAAA=";

fn text(text: impl Into<String>) -> Content {
    Content::Text(text.into())
}

fn image() -> Content {
    Content::Image {
        data: PNG.to_owned(),
        mime: "image/png".to_owned(),
    }
}

fn embedded(uri: &str, mime: &str, text: &str) -> Content {
    Content::Embedded {
        uri: uri.to_owned(),
        mime: mime.to_owned(),
        text: text.to_owned(),
    }
}
