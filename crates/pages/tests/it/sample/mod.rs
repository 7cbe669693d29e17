//! Every page in every state, with sample data. Tests read them; the example `gallery` shows them.

mod accounts;
mod activity;
mod connectors;
mod consent;
mod documents;
mod files;
mod flow_tokens;
mod flows;
mod guides;
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
use quaymaster_app::connect_lines::{self, Target};
use quaymaster_core::Instant;
use quaymaster_pages::views::{
    Connect, ConnectKind, ConnectLine, Field, Flash, Layout, MixGroup, MixPicker, MixTick, Place,
    SignedIn, Tone,
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
        pages.extend(self.of_guides());
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
        let signing_in = connect_lines::sign_in_lines("quaymaster", ENDPOINT);
        let with_token = connect_lines::connect_lines(Target {
            name: "quaymaster",
            endpoint: ENDPOINT,
            token: Some(token),
            program: None,
        });
        let line = |line: connect_lines::ConnectLine| ConnectLine {
            client: self.t(line.client),
            kind: match line.kind {
                "command" => ConnectKind::Command,
                "url" => ConnectKind::Address,
                _ => ConnectKind::File,
            },
            where_: self.t(&line.place),
            text: self.t(&line.text),
        };
        let lines = signing_in.into_iter().chain(with_token);
        Connect::new(lines.map(line).collect())
    }

    /// As for a token of a workspace, with some of it changed where `changed`.
    fn mix(&self, changed: bool) -> MixPicker {
        let tool = |name: &str, title: &str, tokens, is_ticked| MixTick {
            name: self.t(name),
            title: self.t(title),
            reads: name.starts_with("read"),
            is_destructive: name.starts_with("delete"),
            tokens,
            is_ticked,
        };
        let group = |key: &str, title: &str, is_ticked, tools: Vec<MixTick>| MixGroup {
            key: self.t(key),
            title: self.t(title),
            help: self.t("Read and change the files of the workspace"),
            is_ticked,
            decided_by: (key == "files" && !changed).then_some("files"),
            count: tools.len() as u64,
            tokens: tools.iter().map(|tool| tool.tokens).sum(),
            tools,
            folded: (key == "skills").then(|| self.t("/mix?kind=client&toolset=skills&workspace=")),
        };
        let files = vec![
            tool("read_file", "Read a file", 312, true),
            tool("write_file", "Write a file", 287, !changed),
            tool("delete_file", "Delete a file", 190, !changed),
        ];
        let services = vec![
            tool("list_services", "List services", 144, true),
            tool("connector_execute", "Call a service", 1_020, true),
        ];
        MixPicker {
            groups: vec![
                group("files", "Files", true, files),
                group("catalog", "Connectors", changed, services),
                group("skills", "Skills", false, vec![]),
            ],
            is_open: changed,
            error: changed.then(|| {
                self.t("Its toolsets have no tool \"reed_file\". Did you mean read_file?")
            }),
        }
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
