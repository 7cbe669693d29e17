//! `RabbitMQ` with its management plugin.

use super::{Account, Plan, SECRET, Service, USER, text_of, write};

/// The name server of Erlang would stay behind the broker as a daemon, and listen everywhere:
/// here it is a child like the broker itself.
const SCRIPT: &str = r#"
epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT" &
exec /usr/lib/rabbitmq/bin/rabbitmq-server
"#;

impl Service {
    /// `RabbitMQ`: REST with Basic, slashes in names, numbered pages.
    pub async fn rabbitmq() -> Service {
        Service::start(|directory, [port, amqp, epmd, erlang]| {
            let settings = format!(
                "listeners.tcp.1 = 127.0.0.1:{amqp}\n\
                 management.tcp.ip = 127.0.0.1\n\
                 management.tcp.port = {port}\n\
                 default_user = {USER}\n\
                 default_pass = {SECRET}\n\
                 collect_statistics_interval = 1000\n"
            );
            write(directory, "rabbitmq.conf", &settings);
            let loopback = "[{kernel, [{inet_dist_use_interface, {127,0,0,1}}]}].\n";
            let advanced = write(directory, "advanced.config", loopback);
            let plugins = write(directory, "enabled_plugins", "[rabbitmq_management].\n");
            let folder = text_of(directory);
            Plan::new("sh", Account::Basic)
                .arguments(["-e", "-c", SCRIPT])
                // The script then becomes the broker instead of watching over it.
                .environment("RUNNING_UNDER_SYSTEMD", "true")
                .environment("RABBITMQ_NODENAME", format!("q{port}@localhost"))
                .environment("ERL_EPMD_PORT", epmd.to_string())
                .environment("ERL_EPMD_ADDRESS", "127.0.0.1")
                .environment("RABBITMQ_DIST_PORT", erlang.to_string())
                .environment("RABBITMQ_CONF_ENV_FILE", "/dev/null")
                .environment("RABBITMQ_CONFIG_FILE", format!("{folder}/rabbitmq"))
                .environment("RABBITMQ_ADVANCED_CONFIG_FILE", advanced)
                .environment("RABBITMQ_ENABLED_PLUGINS_FILE", plugins)
                .environment("RABBITMQ_MNESIA_BASE", format!("{folder}/mnesia"))
                .environment("RABBITMQ_LOG_BASE", format!("{folder}/logs"))
                .probe("/api/health/checks/virtual-hosts", 200)
        })
        .await
    }
}
