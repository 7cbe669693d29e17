//! The lines to paste, from the product to the views.

use quaymaster_app::App;
use quaymaster_app::connect_lines::{Target, connect_lines};

use crate::views::{Connect, ConnectKind, ConnectLine};

pub(super) fn with_token(app: &App, token: &str) -> Connect {
    let settings = app.settings();
    let lines = connect_lines(Target {
        name: &settings.server_name,
        endpoint: &settings.endpoint(),
        token,
        program: None,
    });
    let shown = lines.into_iter().map(|line| ConnectLine {
        client: line.client.to_owned(),
        kind: match line.kind {
            "command" => ConnectKind::Command,
            _ => ConnectKind::File,
        },
        where_: line.place,
        text: line.text,
    });
    Connect::new(shown.collect())
}
