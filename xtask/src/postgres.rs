//! A temporary PostgreSQL server for tests, on a free port of loopback.
//!
//! The server is the child of a guard: this same program, in a process group of its own, waiting
//! for the end of its input. Its input ends when the chore drops the cluster and also when the
//! chore is interrupted, panics or is killed; then the guard ends the server and removes its
//! folder. Nobody but PostgreSQL itself writes to the folder, and PostgreSQL itself is never
//! killed in a test, so it need not sync its files.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};

use crate::workspace::stdout;

/// The verb, not meant for people, that runs [`guard`].
pub(crate) const GUARD: &str = "postgres-guard";
/// The account of Debian's packages. PostgreSQL refuses to run as root.
const ACCOUNT: &str = "postgres";
const START_LIMIT: Duration = Duration::from_mins(1);

/// A running server; ends when dropped.
pub(crate) struct Cluster {
    guard: Child,
    url: String,
}

impl Cluster {
    /// Starts a new and empty server; takes about two seconds.
    pub(crate) fn start() -> Result<Self> {
        let bin = binaries().context("the PostgreSQL server is missing: run cargo xtask tools")?;
        // Somebody else may take the free port before the server does.
        let mut attempts = 0;
        loop {
            attempts += 1;
            match Self::attempt(&bin) {
                Err(error) if attempts == 3 => return Err(error),
                Err(_) => {}
                started => return started,
            }
        }
    }

    /// The address of its maintenance database, with a superuser, without a password.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    fn attempt(bin: &Path) -> Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let folder = new_folder()?;
        let mut guard = Command::new(std::env::current_exe()?)
            .arg(GUARD)
            .args([bin, folder.as_path()])
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .process_group(0)
            .spawn()
            .context("cannot start the guard of PostgreSQL")?;
        let told = guard.stdout.take();
        // From here on, every way out drops the cluster and with it the server.
        let cluster = Self {
            guard,
            url: format!("postgres://{ACCOUNT}@127.0.0.1:{port}/postgres"),
        };
        let mut told = BufReader::new(told.context("the guard has no output")?);
        let mut line = String::new();
        told.read_line(&mut line)?;
        if line != "ready\n" {
            told.read_to_string(&mut line)?;
            bail!("PostgreSQL did not start: {}", line.trim());
        }
        Ok(cluster)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        if let Err(error) = self.guard.wait() {
            eprintln!("cannot wait for the end of PostgreSQL: {error}");
        }
    }
}

/// The folder of the server's programs; the newest where Debian has several.
pub(crate) fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let entry = entry.ok()?;
            Some((
                entry.file_name().to_str()?.parse().ok()?,
                entry.path().join("bin"),
            ))
        })
        .collect();
    versions.sort();
    folders.extend(versions.into_iter().rev().map(|(_, bin)| bin));
    let programs = ["initdb", "postgres", "pg_ctl", "pg_isready"];
    folders
        .into_iter()
        .find(|folder| programs.iter().all(|name| folder.join(name).is_file()))
}

/// A new folder for nobody else, short because a socket's path has at most 107 bytes.
fn new_folder() -> Result<PathBuf> {
    let parent = std::env::temp_dir();
    for attempt in 0..1000 {
        let folder = parent.join(format!("quaymaster-pg-{}-{attempt}", std::process::id()));
        match fs::DirBuilder::new().mode(0o700).create(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => {
                made.with_context(|| format!("cannot make {}", folder.display()))?;
                return Ok(folder);
            }
        }
    }
    bail!(
        "{} is full of old folders quaymaster-pg-*",
        parent.display()
    )
}

/// Runs a server in `folder` until the input ends, then removes both. Prints `ready`, or why not.
pub(crate) fn guard(bin: &Path, folder: &Path, port: &str) -> Result<()> {
    let started = account().and_then(|account| {
        let server = Server {
            bin,
            folder,
            account,
        };
        server.start(port).map(|child| (server, child))
    });
    let told = match &started {
        Ok(_) => "ready\n".to_owned(),
        Err(error) => {
            let log = fs::read_to_string(log_of(folder)).unwrap_or_default();
            format!("{error:#}\n{log}")
        }
    };
    // When nobody listens any more, the input has ended, too.
    let mut out = io::stdout();
    let _ = out.write_all(told.as_bytes()).and_then(|()| out.flush());
    let mut stopped = Ok(());
    if let Ok((server, child)) = started {
        io::copy(&mut io::stdin().lock(), &mut io::sink())?;
        stopped = server.stop(child);
    }
    fs::remove_dir_all(folder).context("cannot remove PostgreSQL's folder")?;
    stopped
}

fn log_of(folder: &Path) -> PathBuf {
    folder.join("log")
}

/// The user and group id to become, when this runs as root.
fn account() -> Result<Option<(u32, u32)>> {
    let id = |args: &[&str]| -> Result<u32> {
        Ok(stdout(Command::new("id").args(args))?.trim().parse()?)
    };
    if id(&["-u"])? != 0 {
        return Ok(None);
    }
    let ids = id(&["-u", ACCOUNT]).and_then(|user| Ok((user, id(&["-g", ACCOUNT])?)));
    Ok(Some(ids.with_context(|| {
        format!("root needs the account {ACCOUNT} to run PostgreSQL")
    })?))
}

struct Server<'a> {
    bin: &'a Path,
    folder: &'a Path,
    account: Option<(u32, u32)>,
}

impl Server<'_> {
    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// One of PostgreSQL's programs, as the right user, writing to the log.
    fn program(&self, name: &str) -> Result<Command> {
        let log = fs::File::options()
            .create(true)
            .append(true)
            .open(log_of(self.folder))?;
        let mut command = Command::new(self.bin.join(name));
        command
            .current_dir(self.folder)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        // Settings of the machine's own servers.
        for (setting, _) in std::env::vars_os() {
            if setting.to_string_lossy().starts_with("PG") {
                command.env_remove(setting);
            }
        }
        if let Some((user, group)) = self.account {
            command.uid(user).gid(group);
        }
        Ok(command)
    }

    fn start(&self, port: &str) -> Result<Child> {
        if let Some((user, group)) = self.account {
            chown(self.folder, Some(user), Some(group))?;
        }
        let made = self
            .program("initdb")?
            .args(["--username", ACCOUNT, "--auth", "trust"])
            .args([
                "--encoding",
                "UTF8",
                "--locale",
                "C.UTF-8",
                "--no-sync",
                "--pgdata",
            ])
            .arg(self.data())
            .status()
            .with_context(|| format!("cannot run initdb in {}", self.folder.display()))?;
        ensure!(made.success(), "initdb ended with {made}");
        let sockets = format!("unix_socket_directories={}", self.folder.display());
        let mut child = self
            .program("postgres")?
            .arg("-D")
            .arg(self.data())
            .args(["-p", port])
            .args(["-c", "listen_addresses=127.0.0.1", "-c", &sockets])
            .args(["-c", "fsync=off", "-c", "full_page_writes=off"])
            // Many tests at once, each with pools of its own.
            .args(["-c", "max_connections=400"])
            .spawn()?;
        let begun = Instant::now();
        let failure = loop {
            if let Some(status) = child.try_wait()? {
                bail!("postgres ended with {status}");
            }
            let probe = self
                .program("pg_isready")?
                .args(["-q", "-h", "127.0.0.1", "-p", port])
                .status();
            match probe {
                Ok(status) if status.success() => return Ok(child),
                Err(error) => break error.into(),
                Ok(_) if begun.elapsed() > START_LIMIT => {
                    break anyhow::anyhow!("postgres did not answer within {START_LIMIT:?}");
                }
                Ok(_) => std::thread::sleep(Duration::from_millis(30)),
            }
        };
        self.stop(child)?;
        Err(failure)
    }

    /// Without a last checkpoint: the folder goes, too.
    fn stop(&self, mut child: Child) -> Result<()> {
        let asked = self
            .program("pg_ctl")?
            .args(["stop", "--wait", "--mode", "immediate", "--pgdata"])
            .arg(self.data())
            .status();
        if !asked.is_ok_and(|status| status.success()) {
            child.kill()?;
        }
        child.wait()?;
        Ok(())
    }
}
