//! A container registry, and what `PyPI` brings: Jupyter, Kinto, Datasette.

use super::{Account, Plan, SECRET, SECRET_BCRYPT, Service, USER, python_program, text_of, write};

/// Datasette signs its tokens with a secret: the server and whoever makes a token need the same.
const DATASETTE_SECRET: &str = "0123456789abcdef";

/// A database for Datasette: 250 ships in two ports.
const SHIPS: &str = r#"
import sqlite3
db = sqlite3.connect("harbour.db")
db.execute("create table ships(id integer primary key, name text, tons integer, port text)")
rows = [(f"Ship {i}", i * 10, "HAM" if i % 2 else "RTM") for i in range(1, 251)]
db.executemany("insert into ships(name, tons, port) values (?, ?, ?)", rows)
db.commit()
"#;
const QUERIES: &str = "databases: {harbour: {queries: {by_port: \
    {sql: select name from ships where port = :port}}}}\n";

const KINTO: &str = "[app:main]\n\
    use = egg:kinto\n\
    kinto.includes = kinto.plugins.accounts kinto.plugins.history\n\
    kinto.storage_backend = kinto.core.storage.memory\n\
    kinto.permission_backend = kinto.core.permission.memory\n\
    kinto.cache_backend = kinto.core.cache.memory\n\
    multiauth.policies = account\n\
    multiauth.policy.account.use = \
    kinto.plugins.accounts.authentication.AccountsAuthenticationPolicy\n\
    kinto.account_create_principals = system.Everyone\n\
    kinto.account_write_principals = account:carrier\n\
    kinto.bucket_create_principals = system.Authenticated\n\
    kinto.userid_hmac_secret = 0123456789\n";

impl Service {
    /// Debian's docker-registry: REST with Basic and `Link`.
    pub async fn docker_registry() -> Service {
        Service::start(|directory, [port]| {
            let users = format!("{USER}:{SECRET_BCRYPT}\n");
            let users = write(directory, "htpasswd", &users);
            let settings = format!(
                "version: 0.1\n\
                 storage: {{filesystem: {{rootdirectory: {}}}, delete: {{enabled: true}}}}\n\
                 http: {{addr: \"127.0.0.1:{port}\", secret: {SECRET}}}\n\
                 auth: {{htpasswd: {{realm: registry, path: {users}}}}}\n",
                text_of(&directory.join("data"))
            );
            let settings = write(directory, "config.yml", &settings);
            Plan::new("docker-registry", Account::Basic)
                .arguments(["serve".to_owned(), settings])
                .probe("/v2/", 200)
        })
        .await
    }

    /// Jupyter Server: REST with a token in a header.
    pub async fn jupyter() -> Service {
        Service::start(|directory, [port]| {
            let account = Account::Field {
                auth: "token",
                name: "token",
                value: SECRET.to_owned(),
            };
            std::fs::create_dir(directory.join("notebooks")).expect("a folder");
            Plan::new(python_program("jupyter-server"), account)
                .arguments([
                    "--allow-root",
                    "--no-browser",
                    "--ip=127.0.0.1",
                    "--port-retries=0",
                ])
                .arguments([
                    format!("--port={port}"),
                    format!("--IdentityProvider.token={SECRET}"),
                    format!("--ServerApp.root_dir={}/notebooks", text_of(directory)),
                ])
                .probe("/api", 200)
        })
        .await
    }

    /// Kinto: REST with Basic, `ETag`s, and a header with the address of the next page.
    pub async fn kinto() -> Service {
        let service = Service::start(|directory, [port]| {
            let server = "[server:main]\nuse = egg:waitress#main\nhost = 127.0.0.1\n";
            let settings = format!("{KINTO}{server}port = {port}\n");
            let settings = write(directory, "kinto.ini", &settings);
            // Nobody has an account yet, so the probe is one without.
            let account = Account::Field {
                auth: "basic",
                name: "username",
                value: USER.to_owned(),
            };
            Plan::new(python_program("kinto"), account)
                .arguments(["start", "--ini", &settings, "--port", &port.to_string()])
                .probe("/v1/__heartbeat__", 200)
        })
        .await;
        service.with_kinto_account().await
    }

    async fn with_kinto_account(mut self) -> Service {
        let account = serde_json::json!({ "data": { "id": USER, "password": SECRET } });
        let made = reqwest::Client::new()
            .post(format!("{}/v1/accounts", self.url))
            .json(&account)
            .send()
            .await
            .expect("Kinto answers");
        assert_eq!(made.status(), 201, "{}", self.log());
        self.fields.push(("password", SECRET.to_owned()));
        self
    }

    /// Datasette with the table `ships` of the database `harbour`; its token may write.
    pub async fn datasette() -> Service {
        let token = datasette_token().await;
        Service::start(|directory, [port]| {
            write(directory, "datasette.yaml", QUERIES);
            write(directory, "ships.py", SHIPS);
            let account = Account::Field {
                auth: "token",
                name: "token",
                value: token.clone(),
            };
            let script = "\"$1/python\" ships.py; exec \"$1/datasette\" serve harbour.db \
                          --config datasette.yaml --root --host 127.0.0.1 --port \"$2\"";
            Plan::new("sh", account)
                .arguments(["-e", "-c", script, "datasette"])
                .arguments([text_of(&python_program("")), port.to_string()])
                .environment("DATASETTE_SECRET", DATASETTE_SECRET)
                .probe("/-/versions.json", 200)
        })
        .await
    }
}

/// A token of the user root, signed with the secret that the server gets.
async fn datasette_token() -> String {
    let made = tokio::process::Command::new(python_program("datasette"))
        .args(["create-token", "root", "--secret", DATASETTE_SECRET])
        .output()
        .await
        .expect("datasette starts");
    let token = String::from_utf8_lossy(&made.stdout).trim().to_owned();
    assert!(
        token.starts_with("dstok_"),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    token
}
