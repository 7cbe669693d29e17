//! What the server prints when it starts.

use crate::config::Config;
use crate::output;
use quaymaster_app::App;
use quaymaster_app::connect_lines::{Target, sign_in_lines, usual_lines};
use quaymaster_app::first_start::FirstStart;
use secrecy::ExposeSecret as _;
use serde_json::json;
use std::fmt::Write as _;
use std::net::SocketAddr;

pub(crate) fn print(
    config: &Config,
    app: &App,
    address: SocketAddr,
    first: Option<FirstStart>,
    as_json: bool,
) {
    let settings = app.settings();
    let endpoint = settings.endpoint();
    let mut value = json!({
        "listening": address.to_string(),
        "public_url": settings.public_url,
        "endpoint": endpoint,
        "data": config.data,
        "database": app.store_kind(),
    });
    let mut text = String::new();
    let _ = writeln!(text, "Quaymaster {} is running.", env!("CARGO_PKG_VERSION"));
    let _ = writeln!(text, "  Page       {}", settings.public_url);
    let _ = writeln!(text, "  MCP        {endpoint}");
    let _ = writeln!(
        text,
        "  Data       {} ({})",
        config.data.display(),
        app.store_kind()
    );
    match first {
        Some(first) => {
            let token = first.token.token.expose_secret();
            let link = first.sign_in_link.expose_secret();
            value["first_start"] = json!({
                "sign_in_link": link,
                "token": token,
                "id": first.token.credential.id,
                "workspace": first.workspace.id,
            });
            let _ = writeln!(
                text,
                "\nSign in to the page once with this link (24 hours):\n  {link}"
            );
            let _ = writeln!(
                text,
                "\nConnect a client to the workspace {:?}:",
                first.workspace.name
            );
            let program = std::env::current_exe().ok();
            let target = Target {
                name: &settings.server_name,
                endpoint: &endpoint,
                token: Some(token),
                program: program.as_deref().and_then(std::path::Path::to_str),
            };
            let signing_in = sign_in_lines(target.name, target.endpoint).into_iter();
            for line in usual_lines(target).into_iter().chain(signing_in.take(2)) {
                let _ = writeln!(text, "\n{} ({}):", line.client, line.place);
                for part in line.text.lines() {
                    let _ = writeln!(text, "  {part}");
                }
            }
            let _ = writeln!(
                text,
                "\nThe page has the same for Windsurf, Zed, Codex, Gemini CLI and others.\n\
                 The link and the token are shown this once."
            );
        }
        None => {
            let _ = writeln!(
                text,
                "\nSecrets are not printed again. For a new token run `quaymaster token create`,\n\
                 for a new sign-in link `quaymaster sign-in`."
            );
        }
    }
    output::print(as_json, &value, &text);
}
