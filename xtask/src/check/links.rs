//! Each relative link in a Markdown file leads to a file or folder of the repository. Anchors
//! and links with a scheme are not followed.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use anyhow::Result;

use super::Findings;
use crate::workspace::Workspace;

pub(crate) fn check(workspace: &Workspace) -> Result<Findings> {
    let files = workspace.files()?;
    // An ignored file would be missing in somebody else's checkout: only listed ones count.
    let known: BTreeSet<&Path> = files.iter().flat_map(|file| file.ancestors()).collect();
    let mut faults = Vec::new();
    let mut count = 0;
    for path in files
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "md"))
    {
        for (line, target) in targets(&workspace.text(path)?) {
            count += 1;
            let folder = path.parent().unwrap_or(Path::new(""));
            let found = resolve(folder, &target).is_some_and(|to| known.contains(to.as_path()));
            if !found {
                faults.push(format!("{}:{line}: no such file: {target}", path.display()));
            }
        }
    }
    Ok(Findings::new(format!("{count} links"), faults))
}

/// The relative targets of a page, without their anchors, each with its line from 1.
fn targets(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut fence: Option<&str> = None;
    for (index, line) in text.lines().enumerate() {
        let start = line.trim_start();
        let mark = ["```", "~~~"]
            .into_iter()
            .find(|mark| start.starts_with(mark));
        if mark.is_some() && (fence.is_none() || fence == mark) {
            fence = if fence.is_none() { mark } else { None };
            continue;
        }
        if fence.is_some() {
            continue;
        }
        let prose = without_code(line);
        // `[text](target)`, then `[name]: target` at the beginning of a line.
        let mut links: Vec<&str> = prose
            .split("](")
            .skip(1)
            .map(|rest| until(rest, ')'))
            .collect();
        if let Some((_, rest)) = prose
            .strip_prefix('[')
            .and_then(|rest| rest.split_once("]: "))
        {
            links.push(rest);
        }
        found.extend(
            links
                .into_iter()
                .filter_map(relative)
                .map(|target| (index + 1, target)),
        );
    }
    found
}

/// The line with each code span left out.
fn without_code(line: &str) -> String {
    line.split('`').step_by(2).collect()
}

fn until(text: &str, end: char) -> &str {
    text.split(end).next().unwrap_or("")
}

fn relative(link: &str) -> Option<String> {
    let link = link.trim();
    let target = match link.strip_prefix('<') {
        Some(rest) => until(rest, '>'),
        // A title may follow the target.
        None => link.split_whitespace().next().unwrap_or(""),
    };
    let path = until(until(target, '#'), '?');
    let scheme = path
        .split_once(':')
        .is_some_and(|(scheme, _)| !scheme.contains('/'));
    (!path.is_empty() && !scheme && !path.starts_with("//")).then(|| path.replace("%20", " "))
}

/// The path from the root of the repository; `None` when it would leave it.
fn resolve(folder: &Path, target: &str) -> Option<PathBuf> {
    let whole = match target.strip_prefix('/') {
        Some(from_root) => PathBuf::from(from_root),
        None => folder.join(target),
    };
    let mut path = PathBuf::new();
    for part in whole.components() {
        match part {
            Component::Normal(name) => path.push(name),
            Component::ParentDir if !path.pop() => return None,
            _ => {}
        }
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inline_links_and_definitions_are_found() {
        let page = "See [a](docs/a.md#part \"Title\"), [b](<b c.md>).\n\n[c]: ../c%20d.md\n";
        let found: Vec<_> = targets(page);
        let expected = [(1, "docs/a.md"), (1, "b c.md"), (3, "../c d.md")];
        assert_eq!(
            found,
            expected.map(|(line, target)| (line, target.to_owned()))
        );
    }

    #[test]
    fn code_anchors_and_other_sites_are_not_followed() {
        let page = "`[a](b)` [x](#y) [z](https://example.com) <a@example.com>\n\
                    [m](mailto:a@example.com)\n```\n[a](b)\n~~~\n[a](b)\n```\n";
        assert_eq!(targets(page), []);
    }

    #[test]
    fn targets_resolve_from_the_folder_of_the_page() {
        let from = |target: &str| resolve(Path::new("docs/adr"), target);
        assert_eq!(from("../a.md"), Some(PathBuf::from("docs/a.md")));
        assert_eq!(from("./b.md"), Some(PathBuf::from("docs/adr/b.md")));
        assert_eq!(from("/README.md"), Some(PathBuf::from("README.md")));
        assert_eq!(from("../../../x"), None);
    }
}
