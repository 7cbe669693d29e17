//! What was called and changed, and how much.

use quaymaster_pages::views::{
    ActivityPage, ActivityRow, BarChart, ChangeRow, ChangesPage, Choice, Figures, Filter,
    LineChart, Moment, Narrowing, Preset, StepRow, UsagePage, UsagePart, UsageRow,
};

use super::{Page, Sample, page};

impl Sample {
    pub(super) fn of_activity(&self) -> Vec<Page> {
        let calls = ActivityPage {
            layout: self.inside(),
            is_admin: true,
            filter: self.filter("/activity"),
            calls: self.activity_rows(),
            next: Some(self.t("/activity?before=1.call_1")),
        };
        let mut none = ActivityPage {
            is_admin: false,
            calls: vec![],
            next: None,
            ..calls.clone()
        };
        none.filter.is_set = false;
        let narrowed = ActivityPage {
            calls: vec![],
            ..calls.clone()
        };
        let changes = ChangesPage {
            layout: self.inside(),
            filter: self.filter("/activity/changes"),
            changes: vec![ChangeRow {
                at: self.ago(300),
                action: self.t("credential.created"),
                actor: self.t("Owner"),
                workspace: Some(self.t("Research notes")),
                details: vec![
                    (self.t("name"), self.t("Laptop")),
                    (self.t("origin"), self.t("manual")),
                ],
            }],
            next: None,
        };
        let unchanged = ChangesPage {
            changes: vec![],
            ..changes.clone()
        };
        let usage = self.usage();
        let unused = UsagePage {
            total: Figures::default(),
            calls: BarChart::new(&[], 1),
            durations: LineChart::new(&[], 1),
            slots: vec![],
            parts: vec![UsagePart {
                rows: vec![],
                ..usage.parts[0].clone()
            }],
            ..usage.clone()
        };
        vec![
            page("activity", &calls),
            page("activity-none", &none),
            page("activity-narrowed", &narrowed),
            page("changes", &changes),
            page("changes-none", &unchanged),
            page("usage", &usage),
            page("usage-none", &unused),
        ]
    }

    fn filter(&self, path: &'static str) -> Filter {
        Filter {
            path,
            presets: vec![
                self.preset("All", path, false),
                self.preset("Yesterday", path, true),
            ],
            narrowings: vec![Narrowing {
                key: "workspace",
                label: "Workspace",
                choices: vec![
                    Choice::new("", self.t("Any"), false),
                    Choice::new(&self.t("ws_1"), self.t("Invoices"), true),
                ],
            }],
            from: self.t("2026-11-25"),
            to: self.t("2026-11-25"),
            is_set: true,
            files: vec![("CSV", self.t("/activity/export?format=csv"))],
        }
    }

    fn preset(&self, label: &str, path: &str, is_current: bool) -> Preset {
        Preset {
            label: self.t(label),
            href: self.t(path),
            is_current,
        }
    }

    pub(super) fn activity_rows(&self) -> Vec<ActivityRow> {
        let good = ActivityRow {
            at: self.ago(40),
            tool: self.t("connector_execute"),
            tool_href: self.t("/activity?tool=connector_execute"),
            accounts: Some(self.t("github:work, github:home")),
            outcome: self.t("OK"),
            failed: false,
            upstream_status: Some(200),
            credential: self.t("Laptop"),
            credential_href: self.t("/activity?credential=crd_1"),
            person: Some(self.t("Owner")),
            workspace: Some(self.t("Research notes")),
            client: Some(self.t("claude-code")),
            source: self.t("mcp-session"),
            duration_ms: 240,
        };
        let bad = ActivityRow {
            outcome: self.t("NOT_FOUND"),
            failed: true,
            accounts: None,
            upstream_status: None,
            person: None,
            workspace: None,
            client: None,
            ..good.clone()
        };
        vec![good, bad]
    }

    pub(super) fn moments(&self, many: i64, hours: i64) -> Vec<Moment> {
        let moment = |n: i64| {
            let calls = (n * 37 % 11 * 12).unsigned_abs();
            Moment {
                at: self.ago((many - n) * hours * 3_600),
                figures: Figures {
                    calls,
                    errors: calls / 9,
                    p50_us: (calls > 0).then_some(calls * 300 + 900),
                    p95_us: (calls > 0).then_some(calls * 900 + 4_000),
                },
            }
        };
        (0..many).map(moment).collect()
    }

    pub(super) fn steps(&self) -> Vec<StepRow> {
        let step = |title, is_done| StepRow {
            title,
            help: "What it is good for.",
            href: self.t("/connectors"),
            is_done,
        };
        vec![
            step("Connect a client", true),
            step("Connect an account", false),
        ]
    }

    fn usage(&self) -> UsagePage {
        let slots = self.moments(28, 6);
        let figures = |calls, errors| Figures {
            calls,
            errors,
            p50_us: Some(2_300),
            p95_us: Some(480_000),
        };
        let row = |name: &str, calls, percent| UsageRow {
            name: self.t(name),
            href: self.t("/activity?tool=x"),
            figures: figures(calls, calls / 1_500),
            percent,
        };
        UsagePage {
            layout: self.inside(),
            is_admin: true,
            windows: vec![
                self.preset("24 hours", "/usage?window=24h", false),
                self.preset("7 days", "/usage?window=7d", true),
            ],
            window: self.t("7d"),
            workspaces: vec![
                Choice::new("", self.t("Any"), true),
                Choice::new(&self.t("ws_1"), self.t("Invoices"), false),
                Choice::new(&self.t("ws_2"), self.t("Research notes"), false),
            ],
            total: figures(18_230, 214),
            calls: BarChart::new(&slots, 6),
            durations: LineChart::new(&slots, 6),
            slots,
            slot_hours: 6,
            parts: vec![UsagePart {
                id: "tools",
                title: "By tool",
                head: "Tool",
                help: "",
                rows: vec![
                    row("read_file", 12_000, 100),
                    row("connector_execute", 900, 7),
                ],
            }],
        }
    }
}
