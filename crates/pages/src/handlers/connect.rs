//! The lines to paste, from the product to the views.

use quaymaster_app::App;
use quaymaster_app::connect_lines::{self, TOKEN_PLACEHOLDER, Target};

use crate::views::{Connect, ConnectKind, ConnectLine};

/// With a token that was just made.
pub(super) fn with_token(app: &App, token: &str) -> Connect {
    Connect::new(lines(app, token).collect())
}

/// For clients that sign in by themselves, and with a placeholder for those that need a token.
pub(super) fn without_token(app: &App) -> Connect {
    let settings = app.settings();
    let signing_in = connect_lines::sign_in_lines(&settings.server_name, &settings.endpoint());
    let signing_in = signing_in.into_iter().map(shown);
    Connect::new(signing_in.chain(lines(app, TOKEN_PLACEHOLDER)).collect())
}

fn lines(app: &App, token: &str) -> impl Iterator<Item = ConnectLine> {
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
