//! Downloads: aria2 and Transmission.

use super::{Account, Plan, SECRET, Service, USER, text_of, write};
use serde_json::json;

impl Service {
    /// aria2: JSON-RPC 2.0 with the secret as the first parameter.
    pub async fn aria2() -> Service {
        Service::start(|directory, [port]| {
            let session = write(directory, "session", "");
            Plan::new("aria2c", field("secret"))
                .arguments(["--no-conf", "--enable-rpc", "--rpc-listen-all=false"])
                .arguments([
                    "--enable-dht=false",
                    "--bt-enable-lpd=false",
                    "--disable-ipv6",
                ])
                .arguments([
                    // Else its port for peers is open to the network while a torrent runs.
                    "--interface=127.0.0.1".to_owned(),
                    format!("--rpc-listen-port={port}"),
                    format!("--rpc-secret={SECRET}"),
                    format!("--dir={}", text_of(directory)),
                    format!("--save-session={session}"),
                ])
                .probe("/jsonrpc?method=system.listMethods&id=1", 200)
        })
        .await
    }

    /// Transmission: its own RPC, Basic, and a session id that it hands out with a 409.
    pub async fn transmission() -> Service {
        Service::start(|directory, [port, peers]| {
            let settings = json!({
                "rpc-enabled": true,
                "rpc-bind-address": "127.0.0.1",
                "rpc-port": port,
                "rpc-authentication-required": true,
                "rpc-username": USER,
                "rpc-password": SECRET,
                "bind-address-ipv4": "127.0.0.1",
                "bind-address-ipv6": "::1",
                "peer-port": peers,
                "dht-enabled": false,
                "lpd-enabled": false,
                "pex-enabled": false,
                "utp-enabled": false,
                "port-forwarding-enabled": false,
                "download-dir": directory,
            });
            write(directory, "settings.json", &settings.to_string());
            Plan::new("transmission-daemon", Account::Basic)
                .arguments(["--foreground", "--config-dir", &text_of(directory)])
                .probe("/transmission/rpc", 409)
        })
        .await
    }
}

fn field(name: &'static str) -> Account {
    Account::Field {
        auth: name,
        name,
        value: SECRET.to_owned(),
    }
}
