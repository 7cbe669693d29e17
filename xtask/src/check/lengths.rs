//! A Rust file has one subject, and at most [`LIMIT`] lines unless its first line says why:
//! `//! Length: one table that reads best in one piece.`

use std::path::Path;

use anyhow::Result;

use super::Findings;
use crate::workspace::Workspace;

const LIMIT: usize = 500;
const FOLDERS: [&str; 3] = ["crates", "tests", "xtask"];

pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let mut faults = Vec::new();
    let mut count = 0;
    for path in workspace.files()?.iter().filter(|path| counts(path)) {
        let text = workspace.text(path)?;
        let lines = text.lines().count();
        count += 1;
        if lines > LIMIT && !says_why(&text) {
            faults.push(format!(
                "{} has {lines} lines (more than {LIMIT}); split it by subject, or say why in \
                 its first line: `//! Length: ...`",
                path.display()
            ));
        }
    }
    Ok(Findings::new(format!("{count} files"), faults))
}

fn counts(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "rs")
        && FOLDERS.iter().any(|folder| path.starts_with(folder))
}

fn says_why(text: &str) -> bool {
    let first = text.lines().next().unwrap_or("");
    first
        .strip_prefix("//!")
        .and_then(|comment| comment.split_once("Length:"))
        .is_some_and(|(_, reason)| reason.split_whitespace().count() > 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_first_line_with_a_reason_excuses_length() {
        assert!(says_why("//! One table. Length: it is one table.\n"));
        assert!(!says_why("//! Length:\n//! it is one table\n"));
        assert!(!says_why("use std;\n//! Length: it is one table.\n"));
        assert!(!says_why("// Length: it is one table.\n"));
    }

    #[test]
    fn only_rust_files_of_the_source_folders_count() {
        assert!(counts(Path::new("crates/core/src/lib.rs")));
        assert!(!counts(Path::new("crates/pages/templates/page.html")));
        assert!(!counts(Path::new("docs/sample.rs")));
    }
}
