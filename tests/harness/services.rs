//! Real services that connectors are tried against, each on loopback ports and in a directory of
//! its own.
//!
//! `cargo xtask tools` installs them from Debian and `PyPI`. A service is started by a guard: a shell
//! in a process group of its own that waits for the end of its input. That ends when the
//! [`Service`] is dropped, and also when the test is interrupted or killed; then the guard ends the
//! processes that it started, and removes the directory.

mod files;
mod metrics;
mod names;
mod packages;
mod queues;
mod tickets;

use std::fs;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The user name of those services that have one.
const USER: &str = "carrier";
/// Password, token or key of all services.
pub const SECRET: &str = "harbour-secret";
/// [`SECRET`] as bcrypt, which Prometheus and the registry want.
const SECRET_BCRYPT: &str = "$2b$05$KOh.qq0tgnk.tmbn5zqSmOceEV3ppGnflvwDLJ/iK5siJVoFIJUK6";
const START_LIMIT: Duration = Duration::from_mins(2);

/// Runs the service `$2...` and ends it, with all that it started, at the end of the input; then
/// removes the directory `$1`. The polite signal comes first. (`-s` and `--`: dash takes the number of
/// a group in no other way.)
const GUARD: &str = r#"
directory=$1; shift
exec 3<&0
setsid "$@" </dev/null >"$directory/printed" 2>&1 &
service=$!
(
    read -r _ <&3
    kill -s TERM -- "-$service"
    tries=0
    while kill -s 0 -- "-$service" && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
    kill -s KILL -- "-$service"
) 2>/dev/null &
wait $service
echo "ended with $?" >"$directory/ended"
wait
rm -rf -- "$directory"
"#;

/// A running service. Dropping it ends it.
pub struct Service {
    /// Scheme, host and port.
    pub url: String,
    /// The way to sign in, by its key in the connector's definition.
    pub auth: &'static str,
    /// What an account of the connector holds, `url` among it.
    pub fields: Vec<(&'static str, String)>,
    /// How long it took until it answered.
    pub started_in: Duration,
    directory: PathBuf,
    guard: Child,
}

impl Drop for Service {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        if let Err(error) = self.guard.wait() {
            eprintln!("cannot wait for the end of {}: {error}", self.url);
        }
    }
}

/// How a service is started and asked whether it works.
struct Plan {
    program: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(&'static str, String)>,
    /// Below the address; asked until the answer has the status.
    probe: &'static str,
    ready: u16,
    account: Account,
}

/// How a connector signs in to it.
enum Account {
    Basic,
    Field {
        auth: &'static str,
        name: &'static str,
        value: String,
    },
}

impl Plan {
    fn new(program: impl Into<PathBuf>, account: Account) -> Plan {
        Plan {
            program: program.into(),
            arguments: Vec::new(),
            environment: Vec::new(),
            probe: "/",
            ready: 200,
            account,
        }
    }

    fn arguments<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Plan {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    fn environment(mut self, name: &'static str, value: impl Into<String>) -> Plan {
        self.environment.push((name, value.into()));
        self
    }

    fn probe(mut self, path: &'static str, ready: u16) -> Plan {
        self.probe = path;
        self.ready = ready;
        self
    }
}

impl Service {
    /// Starts what `plan` says for a directory and ports that are free at this moment.
    async fn start<const PORTS: usize>(plan: impl Fn(&Path, [u16; PORTS]) -> Plan) -> Service {
        let mut failure = String::new();
        // Somebody else may take a free port before the service does.
        for _ in 0..3 {
            match Service::attempt(&plan).await {
                Ok(service) => return service,
                Err(log) => failure = log,
            }
        }
        panic!("the service did not start: {failure}");
    }

    async fn attempt<const PORTS: usize>(
        plan: &impl Fn(&Path, [u16; PORTS]) -> Plan,
    ) -> Result<Service, String> {
        let directory = TempDir::with_prefix("quaymaster-service-")
            .expect("a directory")
            .keep();
        let ports = free_ports::<PORTS>();
        let plan = plan(&directory, ports);
        let mut command = Command::new("sh");
        command
            .args(["-c", GUARD, "guard"])
            .arg(&directory)
            .arg(&plan.program)
            .args(&plan.arguments)
            .current_dir(&directory)
            .env("HOME", &directory)
            .envs(plan.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            // The shell tells how jobs ended.
            .stderr(Stdio::null())
            .process_group(0);
        let begun = Instant::now();
        let guard = command.spawn().expect("a shell starts");
        let url = format!("http://127.0.0.1:{}", ports[0]);
        let own = |name, value: &str| (name, value.to_owned());
        let (auth, mut fields) = match &plan.account {
            Account::Basic => (
                "basic",
                vec![own("username", USER), own("password", SECRET)],
            ),
            Account::Field { auth, name, value } => (*auth, vec![(*name, value.clone())]),
        };
        fields.push(own("url", &url));
        let mut service = Service {
            url,
            auth,
            fields,
            started_in: Duration::ZERO,
            directory,
            guard,
        };
        let client = reqwest::Client::new();
        loop {
            let request = client.get(format!("{}{}", service.url, plan.probe));
            let request = match plan.account {
                Account::Basic => request.basic_auth(USER, Some(SECRET)),
                Account::Field { .. } => request,
            };
            let answer = request.timeout(Duration::from_secs(10)).send().await;
            if answer.is_ok_and(|answer| answer.status() == plan.ready) {
                service.started_in = begun.elapsed();
                return Ok(service);
            }
            if service.directory.join("ended").exists() || begun.elapsed() > START_LIMIT {
                return Err(service.log());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// What the service has printed.
    pub fn log(&self) -> String {
        fs::read_to_string(self.directory.join("printed")).unwrap_or_default()
    }

    /// The service's directory, for what a test puts there or looks for.
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

fn free_ports<const PORTS: usize>() -> [u16; PORTS] {
    // All at once, so that no two are the same.
    let listeners: [TcpListener; PORTS] =
        std::array::from_fn(|_| TcpListener::bind("127.0.0.1:0").expect("a free port"));
    listeners.map(|listener| listener.local_addr().expect("its address").port())
}

/// Writes a file of a service's directory, and answers its path.
fn write(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    fs::write(&path, text).expect("the service's directory takes files");
    text_of(&path)
}

fn text_of(path: &Path) -> String {
    path.to_str().expect("paths of tests are UTF-8").to_owned()
}

/// A program of the Python packages of tests/services/requirements.txt.
fn python_program(name: &str) -> PathBuf {
    crate::tools_directory().join("services/bin").join(name)
}
