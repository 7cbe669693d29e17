//! The pictures of guides: some of `docs/screenshots`, each in light and in dark.

use std::fmt;

use crate::assets::{self, Asset};

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Picture {
    light: String,
    dark: String,
    /// In pixels.
    width: u32,
    height: u32,
}

impl Picture {
    /// The one that a guide shows with a link to the light one; none when the server has no such
    /// picture.
    pub(super) fn read(link: &str) -> Option<Picture> {
        let name = link.strip_prefix("screenshots/")?;
        let dark = format!("{}-dark.webp", name.strip_suffix("-light.webp")?);
        let (width, height) = size(&Asset::named(name)?.bytes)?;
        Asset::named(&dark)?;
        Some(Picture {
            light: assets::url(name),
            dark: assets::url(&dark),
            width,
            height,
        })
    }

    /// Loaded when somebody comes near it. `alt` is escaped already.
    pub(super) fn write(&self, out: &mut impl fmt::Write, alt: &str) -> fmt::Result {
        let Picture {
            light,
            dark,
            width,
            height,
        } = self;
        write!(
            out,
            "<picture><source srcset=\"{dark}\" media=\"(prefers-color-scheme: dark)\">\
             <img src=\"{light}\" width=\"{width}\" height=\"{height}\" alt=\"{alt}\" loading=\"lazy\"></picture>"
        )
    }
}

/// Width and height of a WebP file with an extended header, as browsers write it (RFC 9649 §2.7).
fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let head = bytes.first_chunk::<30>()?;
    if !head.starts_with(b"RIFF") || head[8..16] != *b"WEBPVP8X" {
        return None;
    }
    let one_less = |at: usize| u32::from_le_bytes([head[at], head[at + 1], head[at + 2], 0]);
    Some((one_less(24) + 1, one_less(27) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_of_a_picture_is_read_from_its_head() {
        let mut head = Vec::from(*b"RIFF\x90\xa7\0\0WEBPVP8X\x0a\0\0\0\x20\0\0\0");
        head.extend([0xff, 0x04, 0x00, 0x4b, 0x04, 0x00]);
        assert_eq!(size(&head), Some((1280, 1100)));
        assert_eq!(size(&head[..29]), None);
        head[15] = b' ';
        assert_eq!(size(&head), None);
    }
}
