//! The settings of a workspace, closed, open and refused, and a fresh flow token.

use quaymaster_pages::views::{
    Choice, FlowTokenForm, FlowTokenRow, FreshFlowTokenPage, ListSize, WorkspaceSettingsPage,
};

use super::{ENDPOINT, Page, Sample, page};

impl Sample {
    pub(super) fn of_flow_tokens(&self) -> Vec<Page> {
        let row = |id: &str, name: &str, flows, last: Option<i64>| FlowTokenRow {
            id: self.t(id),
            name: self.t(name),
            flows,
            in_url: flows.is_none(),
            mix: flows.map(|_| self.t("Flows, Memory")),
            may_change: id != "crd_3",
            created_by: self.t("Owner"),
            created_at: self.ago(1_000_000),
            last_used_at: last.map(|seconds| self.ago(seconds)),
            expires_at: flows.map(|_| self.now.plus_seconds(1_000_000)),
        };
        let closed = WorkspaceSettingsPage {
            layout: self.inside(),
            place: self.place(),
            endpoint: self.t(ENDPOINT),
            requires_authentication: true,
            refused: None,
            tokens: vec![
                row("crd_1", "Claude Desktop", None, Some(95)),
                row("crd_2", "Cursor", Some(1), None),
                row("crd_3", "Build server", Some(3), Some(200_000)),
            ],
            form: FlowTokenForm {
                flows: vec![
                    Choice::new("flow_1", self.t("Current weather"), false)
                        .with_help(&self.t("get_weather")),
                    Choice::new("flow_2", self.t("Rates"), true).with_help(&self.t("get_rates")),
                ],
                mix: self.mix(false),
                ..FlowTokenForm::default()
            },
            connect: self.connect("<token>"),
        };
        let mut open = WorkspaceSettingsPage {
            requires_authentication: false,
            tokens: vec![],
            ..closed.clone()
        };
        open.place.is_admin = false;
        let refused = WorkspaceSettingsPage {
            refused: Some(self.t("The workspace Invoices is open at /mcp already.")),
            form: FlowTokenForm {
                name: self.wrong("Cursor", "There is a flow token named Cursor already."),
                named_flows: Some(self.wrong("get_weather", "The workspace has no such flow.")),
                in_url: false,
                mix: self.mix(true),
                ..FlowTokenForm::default()
            },
            ..closed.clone()
        };
        let token = "at_01jd2m8x4v7q9r3t5w6y8z0a1b.q1mS7xkzB0v4nT2wYd8hRfL5cJ9gP3uK6eXaWsZi0oM";
        let fresh = FreshFlowTokenPage {
            layout: self.inside(),
            place: self.place(),
            name: self.t("Claude Desktop"),
            token: self.t(token),
            in_url: true,
            size: ListSize {
                tools: 19,
                tokens: 4_812,
            },
            connect: self.connect(token),
        };
        vec![
            page("workspace-settings", &closed),
            page("workspace-settings-open", &open),
            page("workspace-settings-wrong", &refused),
            page("fresh-flow-token", &fresh),
        ]
    }
}
