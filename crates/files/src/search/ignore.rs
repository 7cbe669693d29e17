//! What a walk leaves out: `.gitignore` files and directories that hold no one's own work.

use crate::home::Home;
use crate::jail::open_file_at;
use crate::path::RelPath;
use crate::read::read_range;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use std::ffi::CStr;
use std::os::fd::AsFd;
use std::sync::Arc;

/// Tools make these again by themselves; searching them floods every answer.
const GENERATED: &[&str] = &[
    ".git",
    ".hg",
    ".svn",
    "node_modules",
    "target",
    "__pycache__",
    ".venv",
    "venv",
    ".tox",
    ".mypy_cache",
    ".pytest_cache",
    ".ruff_cache",
    ".next",
    ".gradle",
    ".terraform",
];

/// A larger `.gitignore` is not one.
const LARGEST: u64 = 256 * 1024;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Excluded {
    No,
    Yes,
}

/// The rules in force at one point of a walk, outermost directory first. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Rules {
    active: bool,
    files: Vec<Arc<Gitignore>>,
}

/// The name of a file of rules.
pub(crate) const FILE: &CStr = c".gitignore";

impl Rules {
    /// Adds the rules of a directory that the walk enters, if a file of them is among its names;
    /// [`Rules::leave`] takes the answer.
    pub(crate) fn enter(&mut self, dir: impl AsFd, path: &RelPath, has_rules: bool) -> bool {
        self.active && has_rules && self.read(dir, path)
    }

    fn read(&mut self, dir: impl AsFd, path: &RelPath) -> bool {
        let read = open_file_at(dir, ".gitignore", "")
            .ok()
            .and_then(|(file, meta)| read_range(&file, 0, meta.size.min(LARGEST)).ok());
        let Some(bytes) = read else { return false };
        // An absolute root keeps the matcher from asking for the current directory.
        let mut builder = GitignoreBuilder::new(rooted(path.as_str()));
        for line in String::from_utf8_lossy(&bytes).lines() {
            // A line that is no pattern is left out, as git does.
            let _ = builder.add_line(None, line);
        }
        match builder.build() {
            Ok(rules) if !rules.is_empty() => {
                self.files.push(Arc::new(rules));
                true
            }
            _ => false,
        }
    }

    pub(crate) fn leave(&mut self, pushed: bool) {
        if pushed {
            self.files.pop();
        }
    }

    pub(crate) fn excluded(&self, path: &RelPath, name: &str, is_dir: bool) -> Excluded {
        if !self.active {
            return Excluded::No;
        }
        if is_dir && GENERATED.contains(&name) {
            return Excluded::Yes;
        }
        if self.files.is_empty() {
            return Excluded::No;
        }
        let path = rooted(path.as_str());
        for rules in self.files.iter().rev() {
            match rules.matched(&path, is_dir) {
                ignore::Match::None => {}
                ignore::Match::Ignore(_) => return Excluded::Yes,
                ignore::Match::Whitelist(_) => return Excluded::No,
            }
        }
        Excluded::No
    }
}

fn rooted(path: &str) -> String {
    format!("/{path}")
}

impl Home {
    /// The rules of all directories above `path`, itself not included.
    pub(crate) fn rules_above(&self, path: &RelPath, active: bool) -> Rules {
        let mut rules = Rules {
            active,
            files: Vec::new(),
        };
        let mut at = RelPath::ROOT;
        for name in path.names().take(if active { usize::MAX } else { 0 }) {
            if let Ok(dir) = self.directory(&at) {
                rules.read(&dir, &at);
            }
            at = at.join(name);
        }
        rules
    }
}
