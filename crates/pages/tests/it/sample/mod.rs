//! Every page in every state, with sample data. Tests read them; the example `gallery` shows them.

mod accounts;
mod activity;
mod connectors;
mod consent;
mod documents;
mod files;
mod flow_tokens;
mod flows;
mod memory;
mod outside;
mod own_connectors;
mod people;
mod reference;
mod search;
mod servers;
mod settings;
mod skills;
mod trying;
mod workspaces;

use askama::Template;
use quaymaster_core::Instant;
use quaymaster_pages::views::{
    Connect, ConnectKind, ConnectLine, Field, Flash, Layout, Place, SignedIn, Tone,
};

/// Sample data around an instant. Every text passes `text`, so that a test can make all hostile.
#[derive(Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) now: Instant,
    pub(crate) text: fn(&str) -> String,
}

pub(crate) struct Page {
    pub(crate) name: &'static str,
    pub(crate) html: String,
}

const ENDPOINT: &str = "https://quay.example.com/mcp";

impl Sample {
    pub(crate) fn pages(&self) -> Vec<Page> {
        let mut pages = self.of_signing_in();
        pages.extend(self.of_workspaces());
        pages.extend(self.of_flow_tokens());
        pages.extend(self.of_activity());
        pages.extend(self.of_files());
        pages.extend(self.of_search());
        pages.extend(self.of_integrations());
        pages.extend(self.of_servers());
        pages.extend(self.of_server_tools());
        pages.extend(self.of_partials());
        pages.extend(self.of_end_users());
        pages.extend(self.of_connectors());
        pages.extend(self.of_own_connectors());
        pages.extend(self.of_skills());
        pages.extend(self.of_memory());
        pages.extend(self.of_documents());
        pages.extend(self.of_flows());
        pages.extend(self.of_settings());
        pages.extend(self.of_accounts());
        pages.extend(self.of_invitations());
        pages.extend(self.of_links_and_errors());
        pages.extend(self.of_consent());
        pages.extend(self.of_reference());
        pages
    }

    fn t(&self, text: &str) -> String {
        (self.text)(text)
    }

    fn field(&self, text: &str) -> Field {
        Field::new(self.t(text))
    }

    fn wrong(&self, text: &str, error: &str) -> Field {
        Field::wrong(self.t(text), self.t(error))
    }

    fn ago(&self, seconds: i64) -> Instant {
        self.now.plus_seconds(-seconds)
    }

    fn outside(&self) -> Layout {
        Layout {
            csrf: self.t("csrf"),
            version: self.t("0.1.0"),
            ..Layout::default()
        }
    }

    fn inside(&self) -> Layout {
        Layout {
            organization: Some(self.t("Harbour works")),
            user: Some(SignedIn {
                name: self.t("Owner"),
                email: self.t("owner@example.com"),
            }),
            ..self.outside()
        }
    }

    fn place(&self) -> Place {
        Place {
            id: self.t("ws_2"),
            name: self.t("Research notes"),
            is_admin: true,
        }
    }

    fn saying(&self, tone: Tone, message: &str) -> Layout {
        Layout {
            flash: Some(Flash {
                tone,
                message: self.t(message),
            }),
            ..self.inside()
        }
    }

    fn connect(&self, token: &str) -> Connect {
        let json = |key: &str, extra: &str| {
            format!(
                "{{\n  \"{key}\": {{\n    \"workspace\": {{\n{extra}      \"url\": \"{ENDPOINT}\",\n      \"headers\": {{\n        \"Authorization\": \"Bearer {token}\"\n      }}\n    }}\n  }}\n}}"
            )
        };
        let http = "      \"type\": \"http\",\n";
        let command = format!(
            "claude mcp add --transport http workspace {ENDPOINT} --header \"Authorization: Bearer {token}\""
        );
        let lines = [
            (
                "Claude, any client that signs in",
                ConnectKind::Address,
                "Claude on the web and desktop: Settings → Connectors → Add custom connector",
                ENDPOINT.to_owned(),
            ),
            ("Claude Code", ConnectKind::Command, "Terminal", command),
            (
                "Claude Code",
                ConnectKind::File,
                ".mcp.json",
                json("mcpServers", http),
            ),
            (
                "Claude Desktop",
                ConnectKind::File,
                "claude_desktop_config.json",
                json("mcpServers", ""),
            ),
            (
                "Cursor",
                ConnectKind::File,
                "~/.cursor/mcp.json",
                json("mcpServers", ""),
            ),
            (
                "VS Code",
                ConnectKind::File,
                ".vscode/mcp.json",
                json("servers", http),
            ),
            (
                "Any other",
                ConnectKind::File,
                "Configuration of the client",
                json("mcpServers", http),
            ),
        ];
        let line = |(client, kind, place, text): (&str, ConnectKind, &str, String)| ConnectLine {
            client: self.t(client),
            kind,
            where_: self.t(place),
            text: self.t(&text),
        };
        Connect::new(lines.into_iter().map(line).collect())
    }
}

fn page(name: &'static str, view: &impl Template) -> Page {
    Page {
        name,
        html: view
            .render()
            .unwrap_or_else(|error| panic!("{name}: {error}")),
    }
}
