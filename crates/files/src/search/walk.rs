//! A walk by directory handles: no path is ever looked up twice, so nobody can swap a directory
//! for a link between two steps. Order: names as bytes, directory by directory.

use super::Reached;
use super::ignore::{self, Excluded, Rules};
use crate::entries::{raw_entries, stat_raw};
use crate::jail::{EntryType, open_dir_at};
use crate::limits::Work;
use crate::list::below;
use crate::path::{DEPTH_MAX, RelPath, addressable};
use globset::GlobSet;
use std::ffi::CString;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;

/// What a walk visits.
pub(crate) struct Plan {
    pub(crate) globs: Option<GlobSet>,
    pub(crate) exclude: Option<GlobSet>,
    pub(crate) hidden: bool,
    pub(crate) after: Option<Reached>,
}

/// A file that the walk found; it is opened by name in its directory.
pub(crate) struct Job {
    pub(crate) dir: Arc<OwnedFd>,
    pub(crate) name: String,
    pub(crate) path: String,
}

/// What the walk tells whoever follows it.
pub(crate) enum Step {
    File(Job),
    /// Something was left out by rules.
    Ignored,
}

pub(crate) struct Walker<'w> {
    plan: Plan,
    root: RelPath,
    rules: Rules,
    work: &'w Work<'w>,
    /// Stopped by the deadline or the caller.
    pub(crate) stopped: bool,
}

struct Found {
    name: CString,
    is_dir: bool,
}

impl<'w> Walker<'w> {
    pub(crate) fn new(plan: Plan, root: &RelPath, rules: Rules, work: &'w Work<'w>) -> Self {
        Walker {
            plan,
            root: root.clone(),
            rules,
            work,
            stopped: false,
        }
    }

    /// Visits everything beneath `dir`, which is the walk's root.
    pub(crate) fn run(
        &mut self,
        dir: BorrowedFd<'_>,
        each: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) {
        let Ok(dir) = open_dir_at(dir, ".") else {
            return;
        };
        let root = self.root.clone();
        // Names on the way to where the previous page ended.
        let after: Option<Vec<String>> = self.plan.after.as_ref().map(|reached| {
            let reached = RelPath::parse(&reached.path, "/cursor").unwrap_or_default();
            below(&root, &reached)
                .split('/')
                .map(str::to_owned)
                .collect()
        });
        let _ = self.directory(&Arc::new(dir), &root, after.as_deref(), each);
    }

    fn directory(
        &mut self,
        dir: &Arc<OwnedFd>,
        path: &RelPath,
        after: Option<&[String]>,
        each: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        // What vanished or may not be read is passed by.
        let Ok(mut entries) = entries(dir) else {
            return ControlFlow::Continue(());
        };
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let has_rules = entries
            .iter()
            .any(|entry| entry.name.as_c_str() == ignore::FILE);
        let pushed = self.rules.enter(dir.as_fd(), path, has_rules);
        let mut flow = ControlFlow::Continue(());
        for entry in entries {
            if self.work.stopped() {
                self.stopped = true;
                flow = ControlFlow::Break(());
            }
            if flow.is_continue() {
                flow = self.entry(dir, path, &entry, after, each);
            }
        }
        self.rules.leave(pushed);
        flow
    }

    fn entry(
        &mut self,
        dir: &Arc<OwnedFd>,
        path: &RelPath,
        entry: &Found,
        after: Option<&[String]>,
        each: &mut dyn FnMut(Step) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let go_on = ControlFlow::Continue(());
        let Some(name) = addressable(&entry.name) else {
            return go_on;
        };
        let mut rest = None;
        if let Some((first, others)) = after.and_then(<[String]>::split_first) {
            match name.cmp(first) {
                std::cmp::Ordering::Less => return go_on,
                std::cmp::Ordering::Equal => rest = Some(others),
                std::cmp::Ordering::Greater => {}
            }
        }
        if !self.plan.hidden && name.starts_with('.') {
            return go_on;
        }
        let full = path.join(name);
        let short = below(&self.root, &full);
        let excluded = self
            .plan
            .exclude
            .as_ref()
            .is_some_and(|set| set.is_match(short));
        if excluded || self.rules.excluded(&full, name, entry.is_dir) == Excluded::Yes {
            return each(Step::Ignored);
        }
        if entry.is_dir {
            if full.depth() >= DEPTH_MAX {
                return go_on;
            }
            return match open_dir_at(dir.as_ref(), name) {
                Ok(inner) => self.directory(&Arc::new(inner), &full, rest, each),
                Err(_) => go_on,
            };
        }
        // The file where the previous page ended, if that is done.
        let done = rest.is_some_and(<[String]>::is_empty)
            && self
                .plan
                .after
                .as_ref()
                .is_some_and(|reached| reached.line.is_none());
        if done
            || self
                .plan
                .globs
                .as_ref()
                .is_some_and(|set| !set.is_match(short))
        {
            return go_on;
        }
        let path = full.to_string();
        each(Step::File(Job {
            dir: Arc::clone(dir),
            name: name.to_owned(),
            path,
        }))
    }
}

/// Directories and regular files of a directory.
fn entries(dir: &OwnedFd) -> Result<Vec<Found>, rustix::io::Errno> {
    let mut found = Vec::new();
    for (name, told) in raw_entries(dir)? {
        let kind = match told {
            Some(kind) => kind,
            None => match stat_raw(dir, &name) {
                Ok(meta) => meta.kind,
                Err(_) => continue,
            },
        };
        let is_dir = kind == EntryType::Directory;
        if is_dir || kind == EntryType::File {
            found.push(Found { name, is_dir });
        }
    }
    Ok(found)
}
