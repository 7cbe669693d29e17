//! Limits of a session as a whole, by control groups: version 2 where a part of the tree was delegated to the server
//! (systemd's `Delegate=yes`), version 1 for root. Elsewhere there are the limits of each process, and
//! somebody looks at the memory of all of them (`usage`).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const ROOT: &str = "/sys/fs/cgroup";
/// In the names of groups, with the server's process id.
const OURS: &str = "quaymaster";
/// A group can be removed once the last process in it is gone.
const TRIES: u32 = 200;
const BETWEEN: Duration = Duration::from_millis(5);

/// How this server makes groups.
#[derive(Debug, Clone)]
pub(super) enum Groups {
    V2 { below: PathBuf },
    V1 { memory: PathBuf, pids: PathBuf },
    None,
}

/// One session's group.
#[derive(Debug)]
pub(super) struct Group {
    /// One for both limits, or one for each.
    places: Vec<PathBuf>,
    is_v2: bool,
}

/// In which of a group's places a file is, its name, its value, and whether the limit holds without it.
type Setting<'a> = (usize, &'a str, &'a str, bool);

impl Groups {
    /// What this machine lets the server do, tried out.
    pub(super) fn find() -> Groups {
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let found = v2(&own).or_else(|| v1(&own)).filter(|groups| {
            let tried = groups.make(64 << 20, 16);
            match tried {
                Ok(Some(group)) => {
                    group.remove();
                    true
                }
                Ok(None) | Err(_) => false,
            }
        });
        found.unwrap_or(Groups::None)
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Groups::V2 { .. } => "cgroup v2",
            Groups::V1 { .. } => "cgroup v1",
            Groups::None => "process limits",
        }
    }

    /// A group for so many bytes and processes; none where there are none.
    pub(super) fn make(&self, memory: u64, processes: u64) -> io::Result<Option<Group>> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{OURS}-{}-{next}", std::process::id());
        let (memory, processes) = (memory.to_string(), processes.to_string());
        let (places, settings): (_, Vec<Setting<'_>>) = match self {
            Groups::V2 { below } => (
                vec![below.join(name)],
                vec![
                    (0, "memory.max", &memory, true),
                    (0, "memory.swap.max", "0", false),
                    (0, "pids.max", &processes, true),
                ],
            ),
            Groups::V1 { memory: of, pids } => (
                vec![of.join(&name), pids.join(&name)],
                vec![
                    (0, "memory.limit_in_bytes", &memory, true),
                    (0, "memory.memsw.limit_in_bytes", &memory, false),
                    (0, "memory.swappiness", "0", false),
                    (1, "pids.max", &processes, true),
                ],
            ),
            Groups::None => return Ok(None),
        };
        let group = Group {
            places,
            is_v2: matches!(self, Groups::V2 { .. }),
        };
        for place in &group.places {
            fs::create_dir(place)?;
        }
        for (at, name, value, needed) in settings {
            let set = fs::write(group.places[at].join(name), value);
            if needed && let Err(error) = set {
                group.remove();
                return Err(error);
            }
        }
        Ok(Some(group))
    }
}

impl Group {
    /// Puts a process in, and with it all that it will start.
    pub(super) fn add(&self, process: u32) -> io::Result<()> {
        let mut places = self.places.iter();
        places.try_for_each(|place| fs::write(place.join("cgroup.procs"), process.to_string()))
    }

    /// Processes in it that were killed because it had no memory left.
    pub(super) fn killed_for_memory(&self) -> u64 {
        let name = if self.is_v2 {
            "memory.events"
        } else {
            "memory.oom_control"
        };
        let Some(told) = self
            .places
            .first()
            .and_then(|place| fs::read_to_string(place.join(name)).ok())
        else {
            return 0;
        };
        let mut lines = told.lines();
        let count = lines.find_map(|line| line.strip_prefix("oom_kill "));
        count.and_then(|count| count.parse().ok()).unwrap_or(0)
    }

    /// Ends what is in it, and takes it away. Blocks until that is done, a second at most.
    pub(super) fn remove(&self) {
        for place in &self.places {
            if self.is_v2 {
                let _ = fs::write(place.join("cgroup.kill"), "1");
            }
            let mut tries = 0;
            while let Err(error) = fs::remove_dir(place) {
                tries += 1;
                if error.kind() == io::ErrorKind::NotFound || tries == TRIES {
                    break;
                }
                std::thread::sleep(BETWEEN);
            }
        }
    }
}

/// Takes away what servers left behind that were killed.
fn tidy(below: &Path) {
    let Ok(all) = fs::read_dir(below) else {
        return;
    };
    for entry in all.flatten() {
        let name = entry.file_name();
        let owner = name.to_str().and_then(|name| {
            name.strip_prefix(OURS)?
                .strip_prefix('-')?
                .split('-')
                .next()
        });
        if let Some(owner) = owner
            && !Path::new("/proc").join(owner).exists()
        {
            let _ = fs::remove_dir(entry.path());
        }
    }
}

fn v2(own: &str) -> Option<Groups> {
    let path = own.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let mut below = Path::new(ROOT).join(path);
    if !below.join("cgroup.controllers").exists() {
        return None;
    }
    // A group with processes can have no groups with limits below it. systemd can start the server in a
    // group of its own (`DelegateSubgroup=`); else the server moves itself.
    if below.file_name().is_some_and(|name| name == "server") {
        below.pop();
    }
    let controllers = fs::read_to_string(below.join("cgroup.controllers")).ok()?;
    let has = |name| controllers.split_whitespace().any(|one| one == name);
    if !has("memory") || !has("pids") {
        return None;
    }
    let hand_on = || fs::write(below.join("cgroup.subtree_control"), "+memory +pids");
    if hand_on().is_err() {
        let inside = fs::read_to_string(below.join("cgroup.procs")).ok()?;
        let all: Vec<u32> = inside
            .lines()
            .filter_map(|line| line.parse().ok())
            .collect();
        // Never to move processes of others.
        if !all.iter().all(|process| is_ours(*process)) {
            return None;
        }
        let server = below.join("server");
        let _ = fs::create_dir(&server);
        for process in all {
            fs::write(server.join("cgroup.procs"), process.to_string()).ok()?;
        }
        hand_on().ok()?;
    }
    tidy(&below);
    Some(Groups::V2 { below })
}

fn is_ours(process: u32) -> bool {
    let me = std::process::id();
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let mut lines = status.lines();
    let parent = lines.find_map(|line| line.strip_prefix("PPid:"));
    process == me || parent.is_some_and(|parent| parent.trim() == me.to_string())
}

fn v1(own: &str) -> Option<Groups> {
    let place = |controller: &str| {
        let line = own.lines().find_map(|line| {
            let (controllers, path) = line.split_once(':')?.1.split_once(':')?;
            controllers
                .split(',')
                .any(|one| one == controller)
                .then_some((controllers, path))
        });
        let (controllers, path) = line?;
        // In a container the path is that of the machine, and what is mounted is the container's own.
        let mounted = [
            Path::new(ROOT).join(controllers),
            Path::new(ROOT).join(controller),
        ];
        let mounted = mounted.into_iter().find(|mounted| mounted.is_dir())?;
        let below = mounted.join(path.trim_start_matches('/'));
        Some(if below.is_dir() { below } else { mounted })
    };
    let groups = (place("memory")?, place("pids")?);
    tidy(&groups.0);
    tidy(&groups.1);
    Some(Groups::V1 {
        memory: groups.0,
        pids: groups.1,
    })
}
