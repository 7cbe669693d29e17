//! Workspaces, busy, empty and full.

use quaymaster_app::oauth::redirect::Destination;
use quaymaster_pages::views::pager::Pager;
use quaymaster_pages::views::{
    Access, BarChart, CallRow, ClientRow, Failing, FailingRow, Field, Figures, FreshTokenPage,
    HomePage, ListSize, TokenForm, TokenRow, Tone, TrashRow, Usage, WorkspacePage, WorkspaceRow,
};

use super::{ENDPOINT, Page, Sample, page};

impl Sample {
    pub(super) fn of_workspaces(&self) -> Vec<Page> {
        let row = |id: &str, name: &str, used, last: Option<i64>| WorkspaceRow {
            id: self.t(id),
            name: self.t(name),
            endpoint: self.t(ENDPOINT),
            calls: Usage {
                used,
                limit: 10_000,
            },
            last_call_at: last.map(|seconds| self.ago(seconds)),
        };
        let list = HomePage {
            layout: self.saying(Tone::Done, "Workspace Invoices created."),
            query: self.t("in"),
            pager: Pager::new("/", "in", 1, 120),
            workspaces: vec![
                row("ws_1", "Invoices", 0, None),
                row("ws_2", "Research notes", 3_412, Some(95)),
                row("ws_3", "Website", 9_480, Some(4_000)),
                row("ws_4", "Support archive", 10_000, Some(200_000)),
            ],
            create: Some(Field::default()),
            steps: self.steps(),
            today: Figures {
                calls: 1_204,
                errors: 17,
                ..Figures::default()
            },
            calls: BarChart::new(&self.moments(24, 1), 1),
            failing: Failing {
                rows: vec![FailingRow {
                    id: self.t("con_2"),
                    address: self.t("jira:second"),
                    problem: self.t("The service says that the token is not valid any more."),
                }],
                more: 3,
            },
            recent: self.activity_rows(),
        };
        let empty = HomePage {
            layout: self.inside(),
            query: String::new(),
            pager: Pager::default(),
            workspaces: vec![],
            steps: vec![],
            today: Figures::default(),
            failing: Failing::default(),
            recent: vec![],
            ..list.clone()
        };
        let member = HomePage {
            create: None,
            ..empty.clone()
        };
        let taken = self.wrong("Invoices", "A workspace has this name already.");
        let wrong = HomePage {
            layout: self.inside(),
            create: Some(taken),
            ..list.clone()
        };
        let busy = self.busy_workspace();
        let quiet = WorkspacePage {
            layout: self.inside(),
            tokens: vec![],
            clients: vec![],
            recent: vec![],
            trash: vec![],
            calls: Usage {
                used: 0,
                limit: 10_000,
            },
            storage: Usage {
                used: 0,
                limit: 5 << 30,
            },
            ..busy.clone()
        };
        let mut reader = WorkspacePage {
            token_form: None,
            cap: None,
            ..busy.clone()
        };
        for client in &mut reader.clients {
            client.may_revoke = false;
        }
        let refused = WorkspacePage {
            layout: self.inside(),
            calls: Usage {
                used: 10_000,
                limit: 10_000,
            },
            storage: Usage {
                used: 5 << 30,
                limit: 5 << 30,
            },
            cap: Some(self.wrong("-1", "A cap is a whole number from 0 to 1,000,000,000.")),
            token_form: Some(TokenForm {
                name: self.wrong("", "Name the token."),
                access: Access::ReadOnly,
                mix: self.mix(true),
            }),
            ..busy.clone()
        };
        let token = "crd_01jd2m8x4v7q9r3t5w6y8z0a1b.q1mS7xkzB0v4nT2wYd8hRfL5cJ9gP3uK6eXaWsZi0oM";
        let fresh = FreshTokenPage {
            layout: self.inside(),
            workspace_id: self.t("ws_2"),
            workspace_name: self.t("Research notes"),
            name: self.t("Build server"),
            access: Access::ReadWrite,
            token: self.t(token),
            replaced: true,
            size: ListSize {
                tools: 19,
                tokens: 4_812,
            },
            connect: self.connect(token),
        };
        vec![
            page("workspaces", &list),
            page("workspaces-empty", &empty),
            page("workspaces-empty-member", &member),
            page("workspaces-wrong", &wrong),
            page("workspace", &busy),
            page("workspace-empty", &quiet),
            page("workspace-member", &reader),
            page("workspace-wrong", &refused),
            page("fresh-token", &fresh),
        ]
    }

    fn busy_workspace(&self) -> WorkspacePage {
        let token = |id: &str, name: &str, kind: &str, access, last: Option<i64>| TokenRow {
            id: self.t(id),
            name: self.t(name),
            kind: self.t(kind),
            is_default: id == "crd_1",
            may_change: true,
            access,
            mix: (id == "crd_2").then(|| self.t("Files, Connectors: 4 tools")),
            created_by: self.t("Owner"),
            created_at: self.ago(1_000_000),
            last_used_at: last.map(|seconds| self.ago(seconds)),
        };
        let call = |tool: &str, outcome: &str, ago, duration_ms| CallRow {
            at: self.ago(ago),
            tool: self.t(tool),
            credential: self.t("Default token"),
            client: (tool != "get_file_info").then(|| self.t("claude-code 2.1.0")),
            outcome: self.t(outcome),
            failed: outcome != "OK",
            duration_ms,
            source: self.t("mcp"),
            accounts: None,
            upstream_status: None,
        };
        let outside = |outcome: &str, accounts: &str, status| CallRow {
            accounts: Some(self.t(accounts)),
            upstream_status: Some(status),
            ..call("connector_execute", outcome, 20, 412)
        };
        let deleted = |path: &str, size, kept: Option<i64>| TrashRow {
            id: self.t("1-a"),
            path: self.t(path),
            is_directory: path == "drafts",
            size,
            deleted_at: self.ago(7_300),
            kept_until: kept.map(|seconds| self.now.plus_seconds(seconds)),
        };
        let client = |id: &str, name: &str, destination, access, last: Option<i64>| ClientRow {
            id: self.t(id),
            name: self.t(name),
            destination,
            server: (id == "crd_7").then(|| self.t("Support desk")),
            access,
            mix: None,
            connected_by: self.t("Owner"),
            connected_at: self.ago(400_000),
            last_used_at: last.map(|seconds| self.ago(seconds)),
            may_revoke: true,
        };
        WorkspacePage {
            layout: self.saying(Tone::Warning, "The daily cap is lower than today's calls."),
            place: self.place(),
            id: self.t("ws_2"),
            name: self.t("Research notes"),
            endpoint: self.t(ENDPOINT),
            connect: self.connect("<token>"),
            tokens: vec![
                token(
                    "crd_1",
                    "Default token",
                    "default",
                    Access::ReadWrite,
                    Some(95),
                ),
                token(
                    "crd_2",
                    "Build server",
                    "created",
                    Access::ReadOnly,
                    Some(90_000),
                ),
                token(
                    "crd_3",
                    "Reconnected Cursor",
                    "reconnect",
                    Access::ReadWrite,
                    None,
                ),
            ],
            token_form: Some(TokenForm {
                mix: self.mix(false),
                ..TokenForm::default()
            }),
            clients: vec![
                client(
                    "crd_4",
                    "Claude",
                    Some(Destination::Host(self.t("claude.ai"))),
                    Access::ReadWrite,
                    Some(60),
                ),
                client(
                    "crd_5",
                    "Claude Code (quaymaster)",
                    Some(Destination::ThisMachine),
                    Access::ReadOnly,
                    None,
                ),
                client(
                    "crd_6",
                    "Cursor",
                    Some(Destination::Program(self.t("cursor"))),
                    Access::ReadWrite,
                    Some(7_000),
                ),
                client("crd_7", "Old program", None, Access::ReadOnly, None),
            ],
            calls: Usage {
                used: 3_412,
                limit: 10_000,
            },
            resets_at: self.now.next_utc_day(),
            cap: Some(self.field("10000")),
            storage: Usage {
                used: 4_900 << 20,
                limit: 5 << 30,
            },
            recent: vec![
                call("write_file", "OK", 12, 9),
                outside(
                    "OK",
                    "github:work, github:private-account-with-a-long-name",
                    200,
                ),
                outside("UPSTREAM_ERROR", "powerdns:main", 404),
                call("find_replace", "COUNT_MISMATCH", 40, 3),
                call("search_files", "OK", 95, 1_240),
                call("get_file_info", "OK", 600, 1),
                call("read_file", "PATH_OUTSIDE_WORKSPACE", 8_000, 1),
            ],
            trash: vec![
                deleted(
                    "notes/2026/october/interview-transcript-and-summary.md",
                    48_200,
                    Some(500_000),
                ),
                deleted("drafts", 3 << 20, None),
            ],
        }
    }
}
