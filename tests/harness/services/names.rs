//! `PowerDNS` with a database of its own.

use super::{Account, Plan, SECRET, Service, text_of};

/// Makes the tables that the package describes, then becomes the server.
const SCRIPT: &str = r#"
schema=/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql
python3 -c 'import sqlite3, sys
sqlite3.connect(sys.argv[2]).executescript(open(sys.argv[1]).read())' "$schema" zones.db
PATH=$PATH:/usr/sbin exec pdns_server "$@"
"#;

impl Service {
    /// The `PowerDNS` Authoritative Server: REST with a key in a header.
    pub async fn powerdns() -> Service {
        Service::start(|directory, [port, dns]| {
            let account = Account::Field {
                auth: "api_key",
                name: "api_key",
                value: SECRET.to_owned(),
            };
            let folder = text_of(directory);
            Plan::new("sh", account)
                .arguments(["-e", "-c", SCRIPT, "powerdns"])
                .arguments(["--daemon=no", "--guardian=no", "--disable-syslog=yes"])
                .arguments(["--launch=gsqlite3", "--gsqlite3-dnssec=yes"])
                .arguments([
                    "--api=yes",
                    "--webserver=yes",
                    "--webserver-address=127.0.0.1",
                ])
                // No question to the project's servers whether this version is safe.
                .arguments(["--local-address=127.0.0.1", "--security-poll-suffix="])
                .arguments([
                    format!("--config-dir={folder}"),
                    format!("--socket-dir={folder}"),
                    format!("--gsqlite3-database={folder}/zones.db"),
                    format!("--api-key={SECRET}"),
                    format!("--webserver-port={port}"),
                    format!("--local-port={dns}"),
                ])
                .probe("/api/v1/servers", 401)
        })
        .await
    }
}
