//! How much memory processes have, as `/proc` tells it: for sessions without a control group.
//!
//! A session looks itself where it sees its processes. Elsewhere, on a machine that hides parts of its `/proc` and gives no
//! other one to namespaces, the server looks from outside.

use crate::isolation::Failure;
use std::fs;
use std::path::Path;
use std::time::Duration;
use tokio::sync::oneshot;

/// Between two looks.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Processes of a session that has begun: the one outside, the first one inside, and the driver.
const FIRST: usize = 3;

/// A process and all below it.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Family {
    processes: usize,
    bytes: u64,
}

/// Bytes of all processes that can be seen.
pub(super) fn of_all() -> u64 {
    numbers(Path::new("/proc")).filter_map(of_process).sum()
}

/// Ends when a process and all below it have more than so many bytes together; never without a process.
/// Dropping it ends the looking.
pub(super) async fn over(process: Option<u32>, most: u64) {
    if let Some(process) = process {
        let (tell, told) = oneshot::channel();
        // A thread of its own, of which there are as many as calls run: those of the runtime that may block can all be taken,
        // and then nobody would look.
        let looking = std::thread::Builder::new().name("memory".to_owned());
        let begun = looking.spawn(move || {
            while !tell.is_closed() {
                if family(process).bytes > most {
                    let _ = tell.send(());
                    return;
                }
                std::thread::sleep(LOOK_EVERY);
            }
        });
        if let Err(error) = begun {
            // As if there were too much of it: nothing runs unwatched.
            tracing::error!(%error, "the memory of a session cannot be looked at");
            return;
        }
        if told.await.is_ok() {
            return;
        }
    }
    std::future::pending::<()>().await;
}

/// Whether the memory of a session that has begun can be looked at.
pub(super) fn can_be_seen(process: u32) -> Result<(), Failure> {
    if family(process).processes >= FIRST {
        return Ok(());
    }
    Err(Failure {
        stage: "memory".to_owned(),
        errno: 0,
    })
}

fn family(first: u32) -> Family {
    let mut all = Family::default();
    let mut next = vec![first];
    while let Some(process) = next.pop() {
        if let Some(bytes) = of_process(process) {
            all.processes += 1;
            all.bytes += bytes;
        }
        let tasks = format!("/proc/{process}/task");
        let tasks = Path::new(&tasks);
        for task in numbers(tasks) {
            let children = fs::read_to_string(tasks.join(format!("{task}/children")));
            let children = children.unwrap_or_default();
            next.extend(children.split(' ').filter_map(|id| id.parse::<u32>().ok()));
        }
    }
    all
}

/// Entries of a directory that are numbers.
fn numbers(directory: &Path) -> impl Iterator<Item = u32> {
    let entries = fs::read_dir(directory).into_iter().flatten();
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
}

/// Of its first thread that lives: the one that it began with may have ended, and tells nothing then.
fn of_process(process: u32) -> Option<u64> {
    let tasks = format!("/proc/{process}/task");
    let tasks = Path::new(&tasks);
    numbers(tasks).find_map(|task| {
        // A name in it can be any bytes.
        let status = fs::read(tasks.join(format!("{task}/status"))).ok()?;
        of_status(&String::from_utf8_lossy(&status))
    })
}

/// Memory that no file is behind (`proc_pid_status(5)`). What processes share counts for each of them.
fn of_status(status: &str) -> Option<u64> {
    let of = |name: &str| -> Option<u64> {
        let value = status.lines().find_map(|line| line.strip_prefix(name))?;
        value.trim().strip_suffix(" kB")?.parse().ok()
    };
    Some((of("RssAnon:")? + of("RssShmem:")? + of("VmSwap:").unwrap_or(0)) * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_what_the_kernel_tells_and_a_dead_process_has_none() {
        let told = "Name:\tRssAnon:\t9 kB\nRssAnon:\t    1200 kB\nRssFile:\t 7000 kB\nRssShmem:\t      30 kB\nVmSwap:\t       4 kB\n";
        assert_eq!(of_status(told), Some(1234 * 1024));
        assert_eq!(of_status("Name:\tpython3\nState:\tZ (zombie)\n"), None);
    }

    #[test]
    fn a_family_has_its_own_process_and_those_that_it_started() {
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        let (alone, all) = (family(child.id()), family(std::process::id()));
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(alone.processes == 1 && alone.bytes > 0, "{alone:?}");
        assert!(
            all.processes > 1 && all.bytes > alone.bytes,
            "{all:?} with {alone:?}"
        );
    }
}
