//! Redmine on a database of its own.

use super::{Account, Plan, Service, text_of, write};

/// The administrator's key.
const KEY: &str = "0123456789abcdef0123456789abcdef01234567";

/// Makes the tables (about ten seconds), switches the REST API on, gives the administrator the
/// key, then becomes the server.
const SCRIPT: &str = r#"
site=$PWD; port=$1; key=$2
cd /usr/share/redmine
rake db:migrate
rake redmine:load_default_data
python3 - "$site/redmine.db" "$key" <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
now = "datetime('now')"
db.execute(f"insert into settings(name, value, updated_on) values ('rest_api_enabled', '1', {now})")
db.execute(f"insert into tokens(user_id, action, value, created_on, updated_on) "
           f"values (1, 'api', ?, {now}, {now})", (sys.argv[2],))
db.execute("update users set must_change_passwd = 0 where id = 1")
db.commit()
END
exec puma -e production -b "tcp://127.0.0.1:$port" -t 1:2 --dir /usr/share/redmine
"#;

impl Service {
    /// Redmine: REST with a key in a header, offset and limit, lists of errors.
    pub async fn redmine() -> Service {
        Service::start(|directory, [port]| {
            for folder in ["config", "log", "tmp", "files"] {
                std::fs::create_dir(directory.join(folder)).expect("a folder");
            }
            let folder = text_of(directory);
            let database = format!(
                "production: {{adapter: sqlite3, database: {folder}/redmine.db, encoding: utf8}}\n"
            );
            write(directory, "config/database.yml", &database);
            let files = format!("default: {{attachments_storage_path: {folder}/files}}\n");
            write(directory, "config/configuration.yml", &files);
            write(directory, "config/secret_key.txt", &KEY.repeat(2));
            let account = Account::Field {
                auth: "api_key",
                name: "api_key",
                value: KEY.to_owned(),
            };
            Plan::new("sh", account)
                .arguments(["-e", "-c", SCRIPT, "redmine", &port.to_string(), KEY])
                .environment("RAILS_ENV", "production")
                .environment("REDMINE_LANG", "en")
                // Else a migration would write the schema into the package.
                .environment("SCHEMA", "/dev/null")
                // Debian looks for a site's files below /usr/share/redmine/instances.
                .environment("X_DEBIAN_SITEID", format!("../../../../../..{folder}"))
                .probe("/users/current.json", 401)
        })
        .await
    }
}
