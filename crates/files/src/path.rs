//! Paths as agents write them, made into paths that cannot leave the workspace by their spelling.
//!
//! Spelling is half of the jail: symbolic links are the other half, and [`crate::jail`] sees to it.

use quaymaster_core::{Code, Fault};

/// The longest path in bytes (Linux `PATH_MAX`).
const PATH_MAX: usize = 4096;
/// The longest name in bytes (Linux `NAME_MAX`).
const NAME_MAX: usize = 255;
/// The most names in a path.
pub(crate) const DEPTH_MAX: usize = 64;

/// A relative path with `/` between names, without `.`, `..`, empty names or control characters.
/// The root is the empty text.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct RelPath(String);

impl RelPath {
    pub const ROOT: RelPath = RelPath(String::new());

    /// Reads an agent's path. `pointer` is the JSON Pointer of the argument, for the fault.
    ///
    /// A leading `/` means the root of the workspace. `INVALID_ARG` or `PATH_OUTSIDE_WORKSPACE`.
    pub fn parse(text: &str, pointer: &str) -> Result<Self, Fault> {
        let invalid = |rule: &str, message: &str| Fault::invalid_arg(pointer, rule, message);
        if text.len() > PATH_MAX {
            return Err(invalid("maxLength", "The path is longer than 4,096 bytes."));
        }
        if text.chars().any(char::is_control) {
            return Err(invalid("pattern", "The path has a control character."));
        }
        let drive = text.as_bytes();
        if drive.len() >= 3
            && drive[0].is_ascii_alphabetic()
            && drive[1] == b':'
            && drive[2] == b'/'
        {
            return Err(invalid("pattern", "The path has a drive letter.")
                .hint("Paths are relative to the workspace's root, for example `src/main.rs`."));
        }
        if text.contains('\\') {
            return Err(invalid("pattern", "The path has a backslash.")
                .hint("Write `/` between names, for example `src/main.rs`."));
        }
        let mut names: Vec<&str> = Vec::new();
        for name in text.split('/') {
            match name {
                "" | "." => {}
                ".." if names.pop().is_some() => {}
                ".." => {
                    return Err(Fault::new(
                        Code::PathOutsideWorkspace,
                        "The path would leave the workspace.",
                    )
                    .hint(
                        "Paths are relative to the workspace's root; there is nothing above it.",
                    ));
                }
                _ if name.len() > NAME_MAX => {
                    return Err(invalid(
                        "maxLength",
                        "A name in the path is longer than 255 bytes.",
                    ));
                }
                _ => names.push(name),
            }
        }
        if names.len() > DEPTH_MAX {
            return Err(invalid("maxItems", "The path is deeper than 64 names."));
        }
        Ok(RelPath(names.join("/")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }

    /// For messages: the root has a name there.
    pub(crate) fn shown(&self) -> &str {
        if self.is_root() { "the root" } else { &self.0 }
    }

    pub fn names(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/').filter(|name| !name.is_empty())
    }

    pub fn depth(&self) -> usize {
        self.names().count()
    }

    /// Directory and name; `None` for the root.
    pub fn split(&self) -> Option<(RelPath, &str)> {
        if self.is_root() {
            return None;
        }
        match self.0.rsplit_once('/') {
            Some((parent, name)) => Some((RelPath(parent.to_owned()), name)),
            None => Some((RelPath::ROOT, &self.0)),
        }
    }

    /// The path of an entry that was read from this directory.
    #[must_use]
    pub(crate) fn join(&self, name: &str) -> RelPath {
        if self.is_root() {
            RelPath(name.to_owned())
        } else {
            RelPath(format!("{}/{name}", self.0))
        }
    }

    /// Whether `self` is `other` or lies beneath it.
    pub(crate) fn within(&self, other: &RelPath) -> bool {
        other.is_root()
            || self
                .0
                .strip_prefix(&other.0)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

impl std::fmt::Display for RelPath {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether an agent can name this entry: UTF-8, without control characters or backslashes.
pub(crate) fn addressable(name: &std::ffi::CStr) -> Option<&str> {
    let name = name.to_str().ok()?;
    (!name.chars().any(char::is_control) && !name.contains('\\')).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(text: &str) -> Code {
        RelPath::parse(text, "/path").unwrap_err().code
    }

    #[test]
    fn the_root_has_many_spellings() {
        for text in ["", "/", ".", "./", "//", "a/..", "/./."] {
            assert!(RelPath::parse(text, "/path").unwrap().is_root(), "{text}");
        }
    }

    #[test]
    fn paths_are_normalised() {
        for (text, path) in [
            ("/a//b/", "a/b"),
            ("./a/./b", "a/b"),
            ("a/../b", "b"),
            ("%2e%2e/x", "%2e%2e/x"),
        ] {
            assert_eq!(RelPath::parse(text, "/path").unwrap().as_str(), path);
        }
    }

    #[test]
    fn what_cannot_be_a_path_is_refused() {
        assert_eq!(code(".."), Code::PathOutsideWorkspace);
        assert_eq!(code("a/../../b"), Code::PathOutsideWorkspace);
        for text in [
            "C:\\x",
            "C:/x",
            "\\\\host\\share",
            "a\0b",
            "a\nb",
            "a\u{85}b",
        ] {
            assert_eq!(code(text), Code::InvalidArg, "{text:?}");
        }
        assert_eq!(code(&"x".repeat(256)), Code::InvalidArg);
        assert_eq!(code(&"x/".repeat(65)), Code::InvalidArg);
        assert_eq!(code(&"./".repeat(3000)), Code::InvalidArg);
    }

    #[test]
    fn within_compares_whole_names() {
        let path = |text| RelPath::parse(text, "/path").unwrap();
        assert!(path("a/b").within(&path("a")));
        assert!(!path("ab").within(&path("a")));
        assert!(path("a").within(&RelPath::ROOT));
    }
}
