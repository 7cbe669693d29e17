//! Integrations, hosted servers, their tools and their playground.

use quaymaster_pages::views::pager::Pager;
use quaymaster_pages::views::{
    Choice, ConnectorCard, Declared, Field, FreshServerTokenPage, IntegrationChoicePage,
    IntegrationPage, IntegrationRow, IntegrationsPage, Kept, OneOf, PickerGroup, PickerPage, Place,
    PlaygroundPage, PlaygroundTool, ProgramPage, Ran, RanCall, ServerFlowRow, ServerForm,
    ServerPage, ServerRow, ServerTokenRow, ServerToolPage, ServerToolRow, ServersPage, Tick, Tone,
    ToolCallPage, TriedOutcome,
};

use super::{ENDPOINT, Page, Sample, page};

impl Sample {
    pub(super) fn choices(&self, all: &[(&str, &str, &str)]) -> Vec<Choice> {
        let choice = |(at, (value, label, help)): (usize, &(&str, &str, &str))| {
            let choice = Choice::new(value, self.t(label), at == 0);
            match *help {
                "" => choice,
                help => choice.with_help(&self.t(help)),
            }
        };
        all.iter().enumerate().map(choice).collect()
    }

    fn member(&self) -> Place {
        Place {
            is_admin: false,
            ..self.place()
        }
    }

    fn tick(&self, name: &str, title: &str, is_ticked: bool) -> Tick {
        Tick {
            value: self.t(&format!("int_1/{name}")),
            title: self.t(title),
            name: self.t(name),
            summary: self.t("Also to a person, and as an answer in a thread."),
            reads: name.starts_with("list"),
            is_destructive: name.starts_with("delete"),
            is_ticked,
        }
    }

    fn ticks(&self) -> Vec<Tick> {
        vec![
            self.tick("send_channel_message", "Send a message to a channel", true),
            self.tick("list_channels", "List channels", true),
            self.tick("delete_message", "Delete a message", false),
        ]
    }

    pub(super) fn of_integrations(&self) -> Vec<Page> {
        let row = |id: &str, alias: &str, account: Option<&str>, actions| IntegrationRow {
            id: self.t(id),
            connector: self.t("slack"),
            alias: self.t(alias),
            strategy: self.t("One account for everybody"),
            account: account.map(|account| self.t(account)),
            actions,
        };
        let list = IntegrationsPage {
            layout: self.saying(Tone::Done, "The integration is switched on."),
            place: self.place(),
            query: self.t("slack"),
            integrations: vec![
                row("int_1", "slack", Some("slack:main"), None),
                row("int_2", "slack_bot", None, Some(3)),
            ],
            pager: Pager::new("/workspaces/ws_2/integrations", "slack", 1, 120),
        };
        let empty = IntegrationsPage {
            layout: self.inside(),
            query: String::new(),
            integrations: vec![],
            pager: Pager::default(),
            ..list.clone()
        };
        let member = IntegrationsPage {
            place: self.member(),
            ..list.clone()
        };
        let nothing_for_member = IntegrationsPage {
            place: self.member(),
            ..empty.clone()
        };
        let card = |key: &str, title: &str, accounts| ConnectorCard {
            key: key.to_owned(),
            title: self.t(title),
            summary: self.t("Messages, channels, users, files"),
            categories: vec![],
            accounts,
            broken: 0,
            is_own: false,
        };
        let choice = IntegrationChoicePage {
            layout: self.inside(),
            place: self.place(),
            query: self.t("chat"),
            connected: vec![card("slack", "Slack", 1)],
            others: vec![card("discord", "Discord", 0)],
            more: 3,
        };
        let nothing = IntegrationChoicePage {
            connected: vec![],
            others: vec![],
            more: 0,
            ..choice.clone()
        };
        let form = IntegrationPage {
            layout: self.inside(),
            place: self.place(),
            id: None,
            connector: self.t("slack"),
            title: self.t("Slack"),
            alias: self.field("slack"),
            strategies: self.choices(&[
                ("fixed", "One account for everybody", "The account below."),
                ("per_user", "Each end user’s own", "And nothing else."),
            ]),
            accounts: OneOf::listed(self.choices(&[("con_1", "slack:main", ""), ("", "None", "")])),
            has_accounts: true,
            account_error: None,
            which: self.choices(&[
                ("all", "All actions", "New ones, too."),
                ("ticked", "Only those ticked below", "And no others."),
            ]),
            actions: self.ticks(),
            actions_error: None,
            error: None,
        };
        let wrong = IntegrationPage {
            alias: self.wrong("Slack Bot", "The alias is taken."),
            accounts: OneOf::written(self.t("slack:maine")),
            account_error: Some(self.t("It needs an account.")),
            has_accounts: false,
            ..form.clone()
        };
        let present = IntegrationPage {
            id: Some(self.t("int_1")),
            ..form.clone()
        };
        vec![
            page("integrations", &list),
            page("integrations-empty", &empty),
            page("integrations-member", &member),
            page("integrations-member-empty", &nothing_for_member),
            page("integration-choice", &choice),
            page("integration-choice-nothing", &nothing),
            page("integration-new", &form),
            page("integration-wrong", &wrong),
            page("integration", &present),
        ]
    }

    fn server_form(&self) -> ServerForm {
        ServerForm {
            name: self.field("My AI tools"),
            description: self.field("For the support team"),
            modes: self.choices(&[
                ("TOOLS", "TOOLS", "Every action is a tool of its own."),
                ("CODE", "CODE", "Three tools for all actions."),
            ]),
            auth_modes: self.choices(&[
                ("oauth_and_bearer", "Signing in, or a token", "Whichever."),
                ("bearer", "Only a token", "In a header."),
            ]),
            end_user: Field::default(),
            error: None,
        }
    }

    pub(super) fn of_servers(&self) -> Vec<Page> {
        let row = |id: &str, name: &str, mode, is_picked, end_user: Option<&str>| ServerRow {
            id: self.t(id),
            name: self.t(name),
            mode,
            is_picked,
            end_user: end_user.map(|end_user| self.t(end_user)),
            endpoint: self.t(&format!("{ENDPOINT}/{id}")),
            created_at: self.ago(90_000),
        };
        let list = ServersPage {
            layout: self.inside(),
            place: self.place(),
            query: self.t("ai"),
            pager: Pager::new("/workspaces/ws_2/servers", "ai", 1, 120),
            servers: vec![
                row("srv_1", "My AI tools", "TOOLS", true, None),
                row(
                    "srv_2",
                    "Agent of user 123",
                    "CODE",
                    false,
                    Some("user_123"),
                ),
            ],
            form: Some(self.server_form()),
        };
        let member = ServersPage {
            place: self.member(),
            query: String::new(),
            servers: vec![],
            pager: Pager::default(),
            form: None,
            ..list.clone()
        };
        let mut wrong = list.clone();
        wrong.servers = vec![];
        wrong.pager = Pager::default();
        if let Some(form) = &mut wrong.form {
            form.name = self.wrong("", "A name has 1 to 80 characters.");
            form.end_user = self.wrong("nobody", "There is no such end user.");
        }
        let tool = |name: &str, title: &str, path: Option<&str>| ServerToolRow {
            path: path.map(str::to_owned),
            name: self.t(name),
            title: self.t(title),
            alias: self.t("slack"),
            reads: false,
            is_destructive: name.contains("delete"),
        };
        let server = ServerPage {
            layout: self.saying(Tone::Done, "The tools are saved."),
            place: self.place(),
            id: self.t("srv_1"),
            name: self.t("My AI tools"),
            description: Some(self.t("For the support team")),
            mode: "TOOLS",
            is_picked: true,
            end_user: Some(self.t("user_123")),
            endpoint: self.t(&format!("{ENDPOINT}/srv_1")),
            protocol: self.t("https://quay.example.com/api/v1/mcp/servers/srv_1/protocol"),
            connect: self.connect("<token>"),
            tools: vec![
                tool(
                    "slack__send_channel_message",
                    "Send a message",
                    Some("/servers/srv_1/tools/srt_1"),
                ),
                tool(
                    "slack__delete_message",
                    "Delete a message",
                    Some("/servers/srv_1/tools/srt_2"),
                ),
            ],
            query: self.t("message"),
            pager: Pager::new("/servers/srv_1", "message", 1, 120),
            tools_total: 240,
            companions: 1,
            flows: vec![ServerFlowRow {
                path: "/workspaces/wsp_1/flows/flow_1".into(),
                name: self.t("get_weather"),
                title: self.t("Current weather"),
                reads: true,
                is_destructive: false,
            }],
            flows_total: 120,
            left_out: 3,
            tools_tokens: 12_840,
            code_tokens: 640,
            token: Some(ServerTokenRow {
                created_at: self.ago(90_000),
                last_used_at: None,
            }),
            takes_tokens: true,
            form: Some(self.server_form()),
        };
        let code = ServerPage {
            mode: "CODE",
            is_picked: false,
            description: None,
            end_user: None,
            tools: vec![],
            query: String::new(),
            pager: Pager::default(),
            tools_total: 0,
            companions: 0,
            tools_tokens: 2,
            takes_tokens: false,
            token: None,
            ..server.clone()
        };
        let seen = ServerPage {
            place: self.member(),
            form: None,
            tools: vec![tool("slack__send_channel_message", "Send a message", None)],
            query: String::new(),
            pager: Pager::new("/servers/srv_1", "", 0, 1),
            tools_total: 1,
            token: None,
            ..server.clone()
        };
        let fresh = FreshServerTokenPage {
            layout: self.inside(),
            place: self.place(),
            id: self.t("srv_1"),
            name: self.t("My AI tools"),
            token: self.t("mcp_q1mS7xkzB0v4"),
            endpoint: self.t(&format!("{ENDPOINT}/srv_1")),
            replaced: true,
            connect: self.connect("mcp_q1mS7xkzB0v4"),
        };
        vec![
            page("servers", &list),
            page("servers-member", &member),
            page("servers-wrong", &wrong),
            page("server", &server),
            page("server-code", &code),
            page("server-member", &seen),
            page("server-fresh-token", &fresh),
        ]
    }

    pub(super) fn of_server_tools(&self) -> Vec<Page> {
        let group = |alias: &str, is_open: bool| PickerGroup {
            id: format!("int_{alias}"),
            alias: self.t(alias),
            title: self.t("Slack"),
            account: is_open.then(|| self.t("slack:main")),
            count: 3,
            ticked: 1,
            is_changed: is_open,
            ticks: if is_open { self.ticks() } else { vec![] },
        };
        let kept = |value: &str, is_ticked| Kept {
            value: self.t(value),
            is_ticked,
        };
        let picker = PickerPage {
            layout: self.inside(),
            place: self.place(),
            server_id: self.t("srv_1"),
            server_name: self.t("My AI tools"),
            is_picked: true,
            query: self.t("message"),
            picked: 2,
            groups: vec![group("slack", true), group("slack_bot", false)],
            is_many: true,
            more: 240,
            kept: vec![
                kept("int_linear/list_cycles", true),
                kept("int_linear/list_issues", false),
            ],
            error: None,
        };
        let following = PickerPage {
            is_picked: false,
            query: String::new(),
            is_many: false,
            more: 0,
            groups: vec![],
            kept: vec![],
            error: Some(self.t("Tick at least one tool.")),
            ..picker.clone()
        };
        let tool = ServerToolPage {
            layout: self.inside(),
            place: self.place(),
            server_id: self.t("srv_1"),
            server_name: self.t("My AI tools"),
            id: self.t("srt_1"),
            name: self.t("slack__send_channel_message"),
            alias: self.t("slack"),
            is_code: false,
            usual_title: self.t("Send a message to a channel"),
            usual_description: self.t("Also to a person."),
            title: self.field(""),
            description: self.field("Tell the harbour."),
            accounts: OneOf::listed(self.choices(&[("", "What the integration says", "")])),
            account_error: None,
            defaults: self.try_inputs(),
            which: self.choices(&[
                ("usual", "The default ones", "Those that are marked."),
                ("ticked", "Only those ticked below", "With none, none."),
            ]),
            partials: self.choices(&[("prt_1", "only general", "channel")]),
            named_partials: None,
            partials_error: Some(self.t("Two of them lock one input.")),
            error: None,
        };
        let many = ServerToolPage {
            accounts: OneOf::written(self.t("slack:main")),
            partials: vec![],
            named_partials: Some(self.field("only general\nonly harbour")),
            partials_error: None,
            ..tool.clone()
        };
        let listed = |name: &str| PlaygroundTool {
            name: self.t(name),
            title: self.t("Send a message to a channel"),
            reads: false,
            is_destructive: false,
        };
        let playground = PlaygroundPage {
            layout: self.inside(),
            place: self.place(),
            server_id: self.t("srv_1"),
            server_name: self.t("My AI tools"),
            query: self.t("message"),
            pager: Pager::new("/servers/srv_1/try", "message", 1, 120),
            tools: vec![listed("slack__send_channel_message")],
        };
        let nothing = PlaygroundPage {
            pager: Pager::default(),
            tools: vec![],
            ..playground.clone()
        };
        let outcome = TriedOutcome {
            code: self.t("OK"),
            failed: false,
            status: Some(200),
            message: None,
            hint: None,
            text: Some(self.t("{ \"ok\": true }")),
            is_cut: false,
        };
        let call = ToolCallPage {
            layout: self.inside(),
            place: self.place(),
            server_id: self.t("srv_1"),
            server_name: self.t("My AI tools"),
            tool: listed("slack__send_channel_message"),
            description: self.t("Also to a person."),
            inputs: self.try_inputs(),
            error: None,
            outcome: Some(outcome.clone()),
        };
        let declared = |alias: &str, is_open: bool| Declared {
            alias: self.t(alias),
            text: is_open.then(|| self.t("declare namespace slack {}")),
            is_open,
        };
        let program = ProgramPage {
            layout: self.inside(),
            place: self.place(),
            server_id: self.t("srv_1"),
            server_name: self.t("My AI tools"),
            code: self.field("return 1;"),
            declarations: vec![declared("slack", true), declared("slack_bot", false)],
            more: 7,
            ran: Some(Ran {
                outcome,
                console: vec![self.t("looking"), self.t("warn: twice")],
                calls: vec![RanCall {
                    name: self.t("slack.list_channels"),
                    result: self.t("ok"),
                    took: self.t("12.5 ms"),
                }],
                took: Some(self.t("14 ms")),
            }),
        };
        vec![
            page("picker", &picker),
            page("picker-following", &following),
            page("server-tool", &tool),
            page("server-tool-many", &many),
            page("playground", &playground),
            page("playground-nothing", &nothing),
            page("tool-call", &call),
            page("program", &program),
        ]
    }
}
