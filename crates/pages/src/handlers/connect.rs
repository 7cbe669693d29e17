//! The lines to paste, from the product to the views.

use quaymaster_app::App;
use quaymaster_app::connect_lines::{self, TOKEN_PLACEHOLDER, Target};

use crate::views::{Connect, ConnectKind, ConnectLine};

/// With a token that was just made.
pub(super) fn with_token(app: &App, token: &str) -> Connect {
    Connect::new(lines(app, Some(token)).collect())
}

/// For clients that sign in by themselves, and with a placeholder for those that need a token.
pub(super) fn without_token(app: &App) -> Connect {
    let settings = app.settings();
    let signing_in = connect_lines::sign_in_lines(&settings.server_name, &settings.endpoint());
    let signing_in = signing_in.into_iter().map(shown);
    Connect::new(
        signing_in
            .chain(lines(app, Some(TOKEN_PLACEHOLDER)))
            .collect(),
    )
}

/// For the flows of a workspace: through the bridge for clients that take an address, where the token
/// may stand in one, and with the header for those that send it. An open workspace needs no token.
pub(super) fn to_flows(app: &App, token: Option<&str>, in_url: bool) -> Connect {
    let settings = app.settings();
    let (name, endpoint) = (&settings.server_name, settings.endpoint());
    let address = match token {
        None => Some(endpoint),
        Some(token) => in_url.then(|| format!("{endpoint}?token={token}")),
    };
    let by_address = address.map(|address| connect_lines::bridge_lines(name, &address));
    let by_address = by_address.into_iter().flatten().map(shown);
    Connect::new(by_address.chain(lines(app, token)).collect())
}

/// For a hosted server: with its token or a placeholder, and for clients that sign in where they may.
pub(super) fn of_server(
    name: &str,
    endpoint: &str,
    token: Option<&str>,
    signs_in: bool,
) -> Connect {
    let name = name_in_client(name);
    let with_token = connect_lines::connect_lines(Target {
        name: &name,
        endpoint,
        token: Some(token.unwrap_or(TOKEN_PLACEHOLDER)),
        program: None,
    });
    let mut lines = Vec::new();
    if signs_in {
        lines.extend(connect_lines::sign_in_lines(&name, endpoint));
    }
    Connect::new(lines.into_iter().chain(with_token).map(shown).collect())
}

/// For a hosted server that has no tokens.
pub(super) fn signing_in(name: &str, endpoint: &str) -> Connect {
    let lines = connect_lines::sign_in_lines(&name_in_client(name), endpoint);
    Connect::new(lines.into_iter().map(shown).collect())
}

/// What a client calls the server: small letters, digits and hyphens, so that it needs no quotes in
/// a shell.
fn name_in_client(name: &str) -> String {
    let mut short = String::new();
    for c in name.chars().take(40) {
        if c.is_ascii_alphanumeric() {
            short.push(c.to_ascii_lowercase());
        } else if !short.is_empty() && !short.ends_with('-') {
            short.push('-');
        }
    }
    let short = short.trim_end_matches('-');
    if short.is_empty() {
        "server".to_owned()
    } else {
        short.to_owned()
    }
}

fn lines(app: &App, token: Option<&str>) -> impl Iterator<Item = ConnectLine> {
    let settings = app.settings();
    let lines = connect_lines::connect_lines(Target {
        name: &settings.server_name,
        endpoint: &settings.endpoint(),
        token,
        program: None,
    });
    lines.into_iter().map(shown)
}

fn shown(line: connect_lines::ConnectLine) -> ConnectLine {
    ConnectLine {
        client: line.client.to_owned(),
        kind: match line.kind {
            "command" => ConnectKind::Command,
            "url" => ConnectKind::Address,
            _ => ConnectKind::File,
        },
        where_: line.place,
        text: line.text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_in_a_client_is_one_word_of_a_shell() {
        let names = ["My AI Tools", "  $(rm -rf) ", "Größe 2", "'\"", ""];
        assert_eq!(
            names.map(name_in_client),
            ["my-ai-tools", "rm-rf", "gr-e-2", "server", "server"]
        );
    }
}
