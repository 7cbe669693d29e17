//! Searches files in two threads while a third walks; results come out in the walk's order.

use super::matcher::Content;
use super::sink::Lines;
use super::walk::{Job, Step, Walker};
use super::{FileCount, Page, Reached, SearchFiles, SearchMatch, SearchOutput};
use crate::home::Home;
use crate::jail::{Meta, Place, open_file_at};
use crate::limits::Work;
use cap_std::fs::Dir;
use grep_searcher::Searcher;
use quaymaster_core::Fault;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};

const WORKERS: usize = 2;
/// Files handed over at once.
const BATCH: usize = 32;
/// Batches that may wait: they hold their directories open.
const WAITING: usize = 16;
/// Bytes of text in one page.
const PAGE_MAX: usize = 256 * 1024;

/// What one file gave.
enum Outcome {
    Nothing,
    Binary,
    TooLarge,
    /// Vanished, or may not be read.
    Gone,
    Hit {
        count: u64,
        matches: Vec<SearchMatch>,
        capped: bool,
    },
}

struct Batch {
    number: u64,
    jobs: Vec<Job>,
    ignored: u64,
}

struct Done {
    number: u64,
    /// Shorter than the batch when the work was stopped.
    outcomes: Vec<(String, Outcome)>,
    whole: bool,
    ignored: u64,
}

/// What all threads of one search share.
struct Shared<'s> {
    home: &'s Home,
    matcher: &'s Content,
    ask: &'s SearchFiles,
    after: Option<Reached>,
    work: &'s Work<'s>,
    /// The page is full.
    enough: AtomicBool,
}

/// Searches one file that the agent named; its size does not matter.
pub(crate) fn one_file(
    home: &Home,
    place: &Place,
    matcher: &Content,
    ask: &SearchFiles,
    after: Option<Reached>,
    work: &Work<'_>,
) -> Result<Page, Fault> {
    let path = place.path.to_string();
    let shared = Shared {
        home,
        matcher,
        ask,
        after,
        work,
        enough: AtomicBool::new(false),
    };
    let mut page = Page::default();
    if shared
        .after
        .as_ref()
        .is_some_and(|reached| reached.line.is_none())
    {
        return Ok(page);
    }
    let (file, _) = open_file_at(&place.dir, &place.name, &path)?;
    match shared.search(&file, &path, &mut matcher.searcher(ask)) {
        Some(outcome) => {
            let _ = page.take(path, outcome, &shared);
        }
        None => page.timed_out = true,
    }
    Ok(page)
}

/// Searches everything that the walk finds.
pub(crate) fn tree(
    home: &Home,
    mut walker: Walker<'_>,
    dir: &Dir,
    matcher: &Content,
    ask: &SearchFiles,
    after: Option<Reached>,
    work: &Work<'_>,
) -> Page {
    let mut page = Page {
        reached: after.clone(),
        ..Page::default()
    };
    let shared = Shared {
        home,
        matcher,
        ask,
        after,
        work,
        enough: AtomicBool::new(false),
    };
    let (give, take) = sync_channel::<Batch>(WAITING);
    let take = Mutex::new(take);
    let (tell, hear) = sync_channel::<Done>(WAITING);
    let walked_all = std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            let (shared, take, tell) = (&shared, &take, tell.clone());
            scope.spawn(move || shared.worker(take, &tell));
        }
        drop(tell);
        let (walker, shared_by) = (&mut walker, &shared);
        let walk = scope.spawn(move || {
            walk(walker, dir, shared_by, &give);
            drop(give);
            !walker.stopped
        });
        page.collect(&hear, &shared);
        shared.enough.store(true, Ordering::Relaxed);
        drop(hear);
        walk.join().unwrap_or(false)
    });
    page.timed_out |= !walked_all && !page.full;
    page
}

fn walk(walker: &mut Walker<'_>, dir: &Dir, shared: &Shared<'_>, give: &SyncSender<Batch>) {
    let mut batch = Batch {
        number: 0,
        jobs: Vec::with_capacity(BATCH),
        ignored: 0,
    };
    walker.run(dir.as_fd(), &mut |step| {
        match step {
            Step::Ignored => batch.ignored += 1,
            Step::File(job) => batch.jobs.push(job),
        }
        if batch.jobs.len() == BATCH {
            let next = Batch {
                number: batch.number + 1,
                jobs: Vec::new(),
                ignored: 0,
            };
            let full = std::mem::replace(&mut batch, next);
            if shared.enough.load(Ordering::Relaxed) || give.send(full).is_err() {
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    });
    let _ = give.send(batch);
}

impl Shared<'_> {
    fn worker(&self, take: &Mutex<Receiver<Batch>>, tell: &SyncSender<Done>) {
        let mut searcher = self.matcher.searcher(self.ask);
        loop {
            let next = take.lock().unwrap_or_else(PoisonError::into_inner).recv();
            let Ok(batch) = next else { return };
            let mut outcomes = Vec::with_capacity(batch.jobs.len());
            let mut whole = true;
            for job in batch.jobs {
                if self.enough.load(Ordering::Relaxed) {
                    whole = false;
                    break;
                }
                let Some(outcome) = self.job(&job, &mut searcher) else {
                    whole = false;
                    break;
                };
                outcomes.push((job.path, outcome));
            }
            let done = Done {
                number: batch.number,
                outcomes,
                whole,
                ignored: batch.ignored,
            };
            // Draining goes on after the page is full, so that the walk is never stuck.
            let _ = tell.send(done);
        }
    }

    /// `None`: stopped before the file was done.
    fn job(&self, job: &Job, searcher: &mut Searcher) -> Option<Outcome> {
        let opened: Result<(File, Meta), Fault> = open_file_at(&*job.dir, &job.name, &job.path);
        let Ok((file, meta)) = opened else {
            return Some(Outcome::Gone);
        };
        if meta.size > self.home.limits.search_file_max {
            return Some(Outcome::TooLarge);
        }
        self.search(&file, &job.path, searcher)
    }

    fn search(&self, file: &File, path: &str, searcher: &mut Searcher) -> Option<Outcome> {
        let resumed = self.after.as_ref().filter(|reached| reached.path == path);
        let line = resumed.and_then(|reached| reached.line).unwrap_or(0);
        let shown = resumed.map_or(0, |reached| reached.shown);
        let chars = self.home.limits.line_chars;
        let mut lines = Lines::new(self.matcher, self.ask, chars, line, shown);
        let mut stopped = false;
        let reader = Stoppable {
            file,
            work: self.work,
            stopped: &mut stopped,
        };
        let searched = searcher.search_reader(&self.matcher.regex, reader, &mut lines);
        if stopped {
            return None;
        }
        if searched.is_err() {
            // Larger than the memory for matches over several lines.
            return Some(Outcome::TooLarge);
        }
        if lines.binary {
            return Some(Outcome::Binary);
        }
        if lines.count == 0 {
            return Some(Outcome::Nothing);
        }
        let (count, capped) = (lines.count, lines.capped);
        Some(Outcome::Hit {
            count,
            matches: lines.into_matches(path),
            capped,
        })
    }
}

/// Fails a read once the work is stopped.
struct Stoppable<'r> {
    file: &'r File,
    work: &'r Work<'r>,
    stopped: &'r mut bool,
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.work.stopped() {
            *self.stopped = true;
            return Err(io::Error::other("stopped"));
        }
        self.file.read(buffer)
    }
}

impl Page {
    /// Takes outcomes in the walk's order until the page is full or one is missing.
    fn collect(&mut self, hear: &Receiver<Done>, shared: &Shared<'_>) {
        let mut waiting = BTreeMap::new();
        let mut next = 0;
        while let Ok(done) = hear.recv() {
            waiting.insert(done.number, done);
            while let Some(done) = waiting.remove(&next) {
                next += 1;
                self.skipped.ignored += done.ignored;
                for (path, outcome) in done.outcomes {
                    if self.take(path, outcome, shared).is_break() {
                        return;
                    }
                }
                if !done.whole {
                    self.timed_out = true;
                    return;
                }
            }
        }
    }

    fn take(&mut self, path: String, outcome: Outcome, shared: &Shared<'_>) -> ControlFlow<()> {
        let limit = shared.ask.limit.clamp(1, 1000) as usize;
        match outcome {
            Outcome::Gone => return ControlFlow::Continue(()),
            Outcome::Nothing => {}
            Outcome::Binary => self.skipped.binary += 1,
            Outcome::TooLarge => self.skipped.too_large += 1,
            Outcome::Hit {
                count,
                matches,
                capped,
            } => {
                let full = match shared.ask.output {
                    SearchOutput::Files if self.files.len() < limit => {
                        self.files.push(path.clone());
                        false
                    }
                    SearchOutput::Count if self.counts.len() < limit => {
                        self.counts.push(FileCount {
                            path: path.clone(),
                            count,
                        });
                        false
                    }
                    SearchOutput::Files | SearchOutput::Count => true,
                    SearchOutput::Matches => self.take_matches(matches, limit, shared),
                };
                if full {
                    self.full = true;
                    return ControlFlow::Break(());
                }
                self.capped |= capped;
            }
        }
        self.reached = Some(Reached {
            path,
            line: None,
            shown: 0,
        });
        self.files_searched += 1;
        ControlFlow::Continue(())
    }

    /// Whether the page was full before all were taken.
    fn take_matches(
        &mut self,
        matches: Vec<SearchMatch>,
        limit: usize,
        shared: &Shared<'_>,
    ) -> bool {
        let size = |m: &SearchMatch| {
            m.path.len()
                + m.text.len()
                + m.before
                    .iter()
                    .chain(&m.after)
                    .map(String::len)
                    .sum::<usize>()
        };
        let mut used: usize = self.matches.iter().map(size).sum();
        for found in matches {
            used += size(&found);
            if self.matches.len() == limit || (used > PAGE_MAX && !self.matches.is_empty()) {
                return true;
            }
            let before = match &self.reached {
                Some(reached) if reached.path == found.path && reached.line.is_some() => {
                    reached.shown
                }
                _ => shared
                    .after
                    .as_ref()
                    .filter(|after| after.path == found.path)
                    .map_or(0, |after| after.shown),
            };
            self.reached = Some(Reached {
                path: found.path.clone(),
                line: Some(found.line),
                shown: before + 1,
            });
            self.matches.push(found);
        }
        false
    }
}
