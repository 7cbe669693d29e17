//! The interpreter: which one, and what of the machine it needs.

use super::PythonOptions;
use crate::isolation::Failure;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// `CPython` from here on.
const OLDEST: (u32, u32) = (3, 9);
/// What a found interpreter may take to tell of itself.
const PATIENCE: Duration = Duration::from_secs(10);
const USUAL: &[&str] = &["/usr/bin", "/usr/local/bin"];
/// Asked of every `python3` that is found: a name may stand for a script that starts another one, or for a
/// virtual environment.
const TELL: &str = "
import os, site, sys
real = os.path.realpath(getattr(sys, '_base_executable', None) or sys.executable)
print('%s %d %d' % (sys.implementation.name, *sys.version_info[:2]))
print(real)
print(os.path.realpath(sys.base_prefix))
print(os.path.realpath(sys.base_exec_prefix))
site.PREFIXES = [sys.base_prefix, sys.base_exec_prefix]
for path in site.getsitepackages():
    print(os.path.realpath(path))
";

/// An interpreter as a session starts it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Python {
    /// Inside of the session's root.
    pub(super) program: String,
    pub(super) version: String,
    /// What it needs beside the system's directories.
    pub(super) directories: Vec<PathBuf>,
    /// Where modules are that do not come with it.
    pub(super) modules: Vec<String>,
}

/// Those that could be started, in the order of the path. Blocks.
pub(super) fn candidates(options: &PythonOptions) -> Result<Vec<Python>, Failure> {
    let found = match &options.root {
        Some(root) => in_root(root).into_iter().collect(),
        None => on_machine(),
    };
    if found.is_empty() {
        return Err(Failure {
            stage: "python".to_owned(),
            errno: libc::ENOENT,
        });
    }
    Ok(found)
}

impl Python {
    /// Whether the directories that it needs have the home of whoever runs the server in them, which sessions would see.
    fn shows_a_home(&self) -> bool {
        let home = std::env::home_dir().unwrap_or_default();
        let mut directories = self.directories.iter();
        home.parent().is_some() && directories.any(|directory| home.starts_with(directory))
    }
}

/// In the root of an administrator, whose programs are not run outside of a session.
fn in_root(root: &Path) -> Option<Python> {
    let places = ["usr/local/bin", "usr/bin", "bin"];
    let program = places.into_iter().find_map(|place| {
        let program = Path::new(place).join("python3");
        // A link may be absolute, and then means a place in the root.
        let there = root.join(&program);
        let there = there.is_file() || there.is_symlink();
        there.then(|| format!("/{}", program.display()))
    })?;
    Some(Python {
        program,
        version: "of sandbox.python.root".to_owned(),
        directories: Vec::new(),
        modules: ["/usr/lib/python3/dist-packages"].map(str::to_owned).into(),
    })
}

fn on_machine() -> Vec<Python> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = USUAL.iter().map(PathBuf::from);
    let mut found: Vec<Python> = Vec::new();
    for directory in std::env::split_paths(&path).chain(usual) {
        let named = directory.join("python3");
        if directory.is_absolute()
            && named.is_file()
            && let Some(python) = asked(&named)
            && !python.shows_a_home()
            && !found.contains(&python)
        {
            found.push(python);
        }
    }
    found
}

/// What one tells of itself, with nothing of the server's but what its start needs.
fn asked(program: &Path) -> Option<Python> {
    let mut command = Command::new(program);
    command
        .args(["-I", "-S", "-c", TELL])
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    for name in [
        "PATH",
        "HOME",
        "LD_LIBRARY_PATH",
        "PYENV_ROOT",
        "PYENV_VERSION",
    ] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    let mut child = command.spawn().ok()?;
    let begun = std::time::Instant::now();
    // It says less than a pipe holds, so that it can be waited for before it is read.
    while child.try_wait().ok()?.is_none() {
        if begun.elapsed() > PATIENCE {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let said = child.wait_with_output().ok()?;
    said.status
        .success()
        .then(|| understood(&String::from_utf8(said.stdout).ok()?))?
}

fn understood(said: &str) -> Option<Python> {
    let mut lines = said.lines();
    let mut first = lines.next()?.split(' ');
    let name = first.next()?;
    let version = (first.next()?.parse().ok()?, first.next()?.parse().ok()?);
    if name != "cpython" || version < OLDEST {
        return None;
    }
    let program = lines.next()?.to_owned();
    let needed = [program.as_str(), lines.next()?, lines.next()?];
    let mut directories: Vec<PathBuf> = Vec::new();
    for path in needed.map(Path::new) {
        let is_there = |known: &Path| path.starts_with(known);
        // The program of another prefix, as where a distribution has one directory for each package.
        let directory = if path == Path::new(&program) {
            path.parent()?.parent()?
        } else {
            path
        };
        let known = is_there(Path::new("/usr")) || directories.iter().any(|one| is_there(one));
        if known || directory == Path::new("/") {
            continue;
        }
        let store = Path::new("/nix/store");
        let directory = if directory.starts_with(store) {
            store
        } else {
            directory
        };
        directories.push(directory.to_owned());
    }
    Some(Python {
        program,
        version: format!("{}.{}", version.0, version.1),
        directories,
        modules: lines.map(str::to_owned).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interpreter_outside_of_the_system_brings_its_directories() {
        let usual =
            "cpython 3 11\n/usr/bin/python3.11\n/usr\n/usr\n/usr/lib/python3/dist-packages\n";
        let python = understood(usual).unwrap();
        assert_eq!(python.directories, [] as [PathBuf; 0]);
        assert_eq!(python.modules, ["/usr/lib/python3/dist-packages"]);
        let own = "cpython 3 12\n/opt/py/bin/python3.12\n/opt/py\n/opt/py\n";
        assert_eq!(
            understood(own).unwrap().directories,
            [PathBuf::from("/opt/py")]
        );
        let store = "cpython 3 13\n/nix/store/a-python/bin/python3.13\n/nix/store/a-python\n/nix/store/a-python\n";
        let found = understood(store).unwrap().directories;
        assert_eq!(found, [PathBuf::from("/nix/store")]);
        for no in [
            "cpython 3 8\n/usr/bin/python3\n/usr\n/usr\n",
            "pypy 3 11\n/usr/bin/pypy\n/usr\n/usr\n",
            "",
            "x",
        ] {
            assert_eq!(understood(no), None, "{no}");
        }
    }
}
