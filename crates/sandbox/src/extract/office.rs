//! Which of the office formats a file has.

use super::package::Package;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Office {
    Word,
    Excel,
    Slides,
}

impl Office {
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Office::Word => {
                "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
            }
            Office::Excel => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Office::Slides => {
                "application/vnd.openxmlformats-officedocument.presentationml.presentation"
            }
        }
    }
}

/// By the part that each of them has. An archive that does not open is none.
pub(super) fn kind(bytes: &[u8]) -> Option<Office> {
    let package = Package::open(bytes).ok()?;
    [
        ("word/document.xml", Office::Word),
        ("xl/workbook.xml", Office::Excel),
        ("ppt/presentation.xml", Office::Slides),
    ]
    .into_iter()
    .find_map(|(part, office)| package.has(part).then_some(office))
}

/// Whether a compound file is a newer one with a password ([MS-OFFCRYPTO] §2.3.4.4): its directory then has an
/// entry of that name, in UTF-16.
pub(super) fn is_encrypted(bytes: &[u8]) -> bool {
    let name: Vec<u8> = "EncryptedPackage"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    memchr::memmem::find(bytes, &name).is_some()
}
