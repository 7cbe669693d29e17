//! Prometheus, which watches itself.

use super::{Account, Plan, SECRET, SECRET_BCRYPT, Service, USER, text_of, write};

const RULES: &str = r#"
groups:
  - name: example
    rules:
      - {record: "job:up:sum", expr: sum by (job) (up)}
      - {alert: AlwaysOn, expr: vector(1), labels: {severity: info}}
"#;

impl Service {
    /// Prometheus: REST with Basic. A rule fires always, and one target is up.
    pub async fn prometheus() -> Service {
        Service::start(|directory, [port]| {
            let users = format!("basic_auth_users: {{{USER}: \"{SECRET_BCRYPT}\"}}\n");
            let users = write(directory, "web.yml", &users);
            write(directory, "rules.yml", RULES);
            let settings = format!(
                "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
                 rule_files: [rules.yml]\n\
                 scrape_configs:\n\
                 - job_name: prometheus\n  \
                   basic_auth: {{username: {USER}, password: {SECRET}}}\n  \
                   static_configs: [{{targets: [\"127.0.0.1:{port}\"]}}]\n"
            );
            let settings = write(directory, "prometheus.yml", &settings);
            Plan::new("prometheus", Account::Basic)
                .arguments(["--web.enable-admin-api", "--web.enable-lifecycle"])
                .arguments([
                    format!("--config.file={settings}"),
                    format!("--web.config.file={users}"),
                    format!("--storage.tsdb.path={}", text_of(&directory.join("data"))),
                    format!("--web.listen-address=127.0.0.1:{port}"),
                ])
                .probe("/-/ready", 200)
        })
        .await
    }
}
