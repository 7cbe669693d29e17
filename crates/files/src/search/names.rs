//! Files by name: the walk alone.

use super::walk::{Step, Walker};
use super::{Page, Reached, SearchFiles};
use cap_std::fs::Dir;
use std::ops::ControlFlow;
use std::os::fd::AsFd;

pub(crate) fn tree(mut walker: Walker<'_>, dir: &Dir, ask: &SearchFiles) -> Page {
    let limit = ask.limit.clamp(1, 1000) as usize;
    let mut page = Page::default();
    walker.run(dir.as_fd(), &mut |step| {
        match step {
            Step::Ignored => page.skipped.ignored += 1,
            Step::File(_) if page.files.len() == limit => {
                page.full = true;
                return ControlFlow::Break(());
            }
            Step::File(job) => {
                page.files_searched += 1;
                page.reached = Some(Reached {
                    path: job.path.clone(),
                    line: None,
                    shown: 0,
                });
                page.files.push(job.path);
            }
        }
        ControlFlow::Continue(())
    });
    page.timed_out = walker.stopped;
    page
}
