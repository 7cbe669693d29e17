//! The connector catalog, connectors, their modules, and accounts.

use quaymaster_pages::views::pager::Pager;
use quaymaster_pages::views::reference::{Row, Span};
use quaymaster_pages::views::{
    AccountCard, ActionInFull, ActionView, AuthorizationPage, Changing, Connecting, ConnectionPage,
    ConnectorCard, ConnectorPage, ConnectorsPage, DeviceView, Field, Flows, InputRow, ModulePage,
    ModuleView, OneOf, RecipeView, SigningIn, TestedHow, Tone, ToolList, ToolRow, Underway,
    WayChoice,
};

use super::{Page, Sample, page};

impl Sample {
    pub(super) fn of_connectors(&self) -> Vec<Page> {
        let mut pages = self.of_the_catalog();
        pages.extend(self.of_a_connector());
        pages.extend(self.of_a_connection());
        pages.extend(self.of_a_sign_in());
        pages.extend(self.of_a_trial());
        pages
    }

    fn of_a_sign_in(&self) -> Vec<Page> {
        let sign_in = |underway| AuthorizationPage {
            layout: self.inside(),
            id: self.t("aut_1"),
            connector_key: self.t("github"),
            connector_title: self.t("GitHub"),
            underway,
        };
        let device = DeviceView {
            user_code: self.t("WDJB-MJHT"),
            address: self.t("https://example.com/device?code=WDJB-MJHT"),
            shown_address: self.t("https://example.com/device"),
            seconds: 5,
        };
        let done = Underway::Done {
            account: self.t("/connections/con_1"),
        };
        let failed = Underway::Failed {
            problem: self.t("The sign-in at GitHub was refused there."),
        };
        vec![
            page("authorization", &sign_in(Underway::ToGo)),
            page("authorization-device", &sign_in(Underway::OnDevice(device))),
            page("authorization-done", &sign_in(done)),
            page("authorization-failed", &sign_in(failed)),
            page("authorization-other", &sign_in(Underway::NotYours)),
        ]
    }

    fn of_the_catalog(&self) -> Vec<Page> {
        let card =
            |key: &str, title: &str, summary: &str, categories: &[&str], accounts, broken| {
                ConnectorCard {
                    key: self.t(key),
                    title: self.t(title),
                    summary: self.t(summary),
                    categories: categories.iter().map(|one| self.t(one)).collect(),
                    accounts,
                    broken,
                    is_own: accounts == 1,
                }
            };
        let code = ["code", "work management"];
        let list = ConnectorsPage {
            layout: self.inside(),
            query: String::new(),
            category: String::new(),
            categories: ["code", "dns", "downloads", "messaging"]
                .map(|one| self.t(one))
                .to_vec(),
            connected: vec![
                card(
                    "github",
                    "GitHub",
                    "Repos, issues, pull requests, CI",
                    &code,
                    2,
                    1,
                ),
                card(
                    "powerdns",
                    "PowerDNS",
                    "DNS zones, records, DNSSEC keys",
                    &["dns"],
                    1,
                    0,
                ),
            ],
            others: vec![
                card(
                    "aria2",
                    "aria2",
                    "Downloads by HTTP, FTP, BitTorrent",
                    &["downloads"],
                    0,
                    0,
                ),
                card(
                    "slack",
                    "Slack",
                    "Channels, messages, files, users",
                    &["messaging"],
                    0,
                    0,
                ),
                card(
                    "transmission",
                    "Transmission",
                    "BitTorrent downloads and seeding",
                    &["downloads"],
                    0,
                    0,
                ),
            ],
            more: 0,
            may_write: true,
        };
        let nobody = ConnectorsPage {
            connected: vec![],
            more: 1_204,
            ..list.clone()
        };
        let nothing = ConnectorsPage {
            query: self.t("make coffee"),
            category: self.t("dns"),
            connected: vec![],
            others: vec![],
            ..list.clone()
        };
        let none = ConnectorsPage {
            query: String::new(),
            category: String::new(),
            ..nothing.clone()
        };
        vec![
            page("connectors", &list),
            page("connectors-none-connected", &nobody),
            page("connectors-nothing-fits", &nothing),
            page("connectors-empty", &none),
        ]
    }

    fn account(&self, id: &str, name: &str) -> AccountCard {
        AccountCard {
            id: self.t(id),
            name: self.t(name),
            address: self.t(&format!("powerdns:{name}")),
            label: Some(self.t("4.9.3")),
            problem: None,
            way: self.t("API key"),
            workspace: None,
            is_local: true,
            connected_by: self.t("Owner"),
            connected_at: self.ago(900_000),
            verified_at: Some(self.ago(400)),
        }
    }

    fn broken_account(&self) -> AccountCard {
        AccountCard {
            problem: Some(self.t("PowerDNS answered 401: Unauthorized.")),
            workspace: Some(self.t("Research notes")),
            label: None,
            is_local: false,
            ..self.account("con_2", "second")
        }
    }

    fn inputs(&self) -> Vec<InputRow> {
        let input = |name: &str, title: &str, help: &str| InputRow {
            name: name.to_owned(),
            title: self.t(title),
            help: if help.is_empty() {
                String::new()
            } else {
                self.t(help)
            },
            example: None,
            pattern: None,
            is_secret: false,
            is_required: true,
            field: Field::default(),
        };
        vec![
            InputRow {
                example: Some(self.t("http://ns1.example.com:8081")),
                pattern: Some(self.t("https?://.+")),
                ..input(
                    "url",
                    "Address of the web server",
                    "webserver-address and webserver-port of pdns.conf, without /api",
                )
            },
            InputRow {
                is_secret: true,
                ..input("api_key", "API key", "")
            },
            InputRow {
                is_required: false,
                field: self.field("localhost"),
                ..input("server", "Server", "Its id")
            },
        ]
    }

    fn action(&self, title: &str, verb: Option<&str>, target: &str) -> ActionView {
        ActionView {
            title: self.t(title),
            summary: Vec::new(),
            verb: verb.map(|verb| self.t(verb)),
            target: self.t(target),
            reads: verb == Some("GET"),
            is_destructive: verb == Some("DELETE"),
        }
    }

    fn of_a_connector(&self) -> Vec<Page> {
        let zones = "/servers/localhost/zones";
        let zone = "/servers/localhost/zones/{zone_id}";
        let actions = vec![
            self.action("List zones", Some("GET"), zones),
            self.action("Create a zone", Some("POST"), zones),
            self.action("Change records of a zone", Some("PATCH"), zone),
            self.action("Delete a zone", Some("DELETE"), zone),
            self.action("List torrents", None, "torrent-get"),
        ];
        let module = |key: &str, title: &str, actions: &[ActionView]| ModuleView {
            key: self.t(key),
            title: self.t(title),
            summary: vec![vec![Span::Text(self.t("Zones and what stands in them."))]],
            actions: actions.to_vec(),
        };
        let arguments = "{\n  \"service\": \"powerdns\",\n  \"module\": \"zones\",\n  \"method\": \"GET\",\n  \"path\": \"/servers/localhost/zones/example.org.\"\n}";
        let recipes = vec![RecipeView {
            title: self.t("Read a zone"),
            arguments: self.t(arguments),
            note: vec![vec![Span::Text(self.t("Names end with a dot."))]],
        }];
        let workspaces = self.choices(&[
            ("", "All workspaces", ""),
            ("wsp_1", "Research notes", ""),
            ("wsp_2", "Website", ""),
        ]);
        let way = |key: &str, title: &str| WayChoice {
            key: self.t(key),
            title: self.t(title),
        };
        let ways = vec![
            way("api_key", "API key"),
            way("oauth2", "Sign in with a provider"),
        ];
        let connecting = Connecting {
            way: ways[0].key.clone(),
            ways,
            help: Some(
                self.t("The value of api-key in pdns.conf; api=yes has to stand there, too."),
            ),
            signing_in: None,
            inputs: self.inputs(),
            name: Field::default(),
            workspaces: OneOf::listed(workspaces),
            workspace_error: None,
            is_local: Some(false),
            error: None,
        };
        let busy = ConnectorPage {
            layout: self.inside(),
            key: self.t("powerdns"),
            title: self.t("PowerDNS"),
            summary: self.t("DNS zones, records, DNSSEC keys"),
            categories: vec![self.t("dns"), self.t("operations")],
            tested: TestedHow::Schema,
            version: self.t("1.0.0"),
            may_edit: true,
            docs_url: Some(self.t("https://doc.powerdns.com/authoritative/http-api/index.html")),
            query: self.t("main"),
            pager: Pager::new("/connectors/powerdns", "main", 1, 120),
            accounts: vec![self.account("con_1", "main"), self.broken_account()],
            connecting: Some(connecting.clone()),
            modules: vec![
                module("zones", "Zones and records", &actions),
                module("servers", "Server", &actions[..1]),
            ],
            recipes: recipes.clone(),
            limits: vec![self.t("5,000 calls an hour. Per user.")],
        };
        let first = ConnectorPage {
            query: String::new(),
            pager: Pager::default(),
            accounts: vec![],
            tested: TestedHow::Live,
            docs_url: None,
            limits: vec![],
            ..busy.clone()
        };
        let reader = ConnectorPage {
            connecting: None,
            tested: TestedHow::None,
            ..busy.clone()
        };
        let unnamed = ConnectorPage {
            connecting: None,
            ..first.clone()
        };
        let elsewhere = ConnectorPage {
            connecting: Some(Connecting {
                way: connecting.ways[1].key.clone(),
                signing_in: Some(SigningIn {
                    flows: Flows {
                        in_browser: true,
                        on_device: true,
                    },
                    redirect_uri: self.t("https://quay.example.com/connections/callback"),
                    has_app: true,
                    has_secret: true,
                    client_id: Field::new(self.t("client-of-ours")),
                    secret_error: None,
                }),
                inputs: vec![],
                ..connecting.clone()
            }),
            ..first.clone()
        };
        let mut form = connecting;
        form.inputs[0].field =
            self.wrong("ftp://x", "Address of the web server does not look right.");
        form.inputs[1].field.error = Some(self.t("API key is needed."));
        form.name = self.wrong(
            "Main one",
            "An account’s name has 1 to 40 of a-z, 0-9, - and _.",
        );
        form.is_local = Some(true);
        form.workspaces = OneOf::written(self.t("Websites"));
        form.workspace_error = Some(self.t("There is no such workspace."));
        let wrong = ConnectorPage {
            connecting: Some(form),
            ..busy.clone()
        };
        let input = |name: &str, kind: &str, required| Row {
            name: self.t(name),
            kind: self.t(kind),
            required,
            description: vec![vec![
                Span::Text(self.t("Its name with the dot at its end, ")),
                Span::Code(self.t("example.org.")),
            ]],
            allowed: vec![self.t("Native"), self.t("Master")],
            ..Row::default()
        };
        let full = |action: &ActionView, inputs, example: Option<&str>| ActionInFull {
            action: action.clone(),
            inputs,
            example: example.map(|example| self.t(example)),
            is_binary: example.is_none(),
            key: self.t("list_zones"),
        };
        let in_full = ModulePage {
            layout: self.inside(),
            connector_key: self.t("powerdns"),
            connector_title: self.t("PowerDNS"),
            key: self.t("zones"),
            title: self.t("Zones and records"),
            summary: vec![vec![Span::Text(self.t("Zones and what stands in them."))]],
            actions: vec![
                full(
                    &actions[0],
                    vec![
                        input("zone", "string", true),
                        input("kind", "string", false),
                    ],
                    Some("[\n  { \"id\": \"example.org.\" }\n]"),
                ),
                full(&actions[3], vec![], None),
            ],
            recipes,
        };
        vec![
            page("connector", &busy),
            page("connector-empty", &first),
            page("connector-member", &reader),
            page("connector-empty-member", &unnamed),
            page("connector-elsewhere", &elsewhere),
            page("connector-wrong", &wrong),
            page("connector-module", &in_full),
        ]
    }

    fn of_a_connection(&self) -> Vec<Page> {
        let mut inputs = self.inputs();
        inputs[0].field = self.field("http://ns1.example.com:8081");
        let changing = Changing {
            name: self.field("main"),
            inputs,
            flows: None,
            help: Some(self.t("The value of api-key in pdns.conf.")),
            error: None,
            is_kept_outside: false,
        };
        let works = ConnectionPage {
            layout: self.saying(Tone::Done, "The account is connected, and works."),
            connector_key: self.t("powerdns"),
            connector_title: self.t("PowerDNS"),
            account: self.account("con_1", "main"),
            fields: vec![(
                self.t("Address of the web server"),
                self.t("http://ns1.example.com:8081"),
            )],
            tools: None,
            changing: Some(changing.clone()),
        };
        let fails = ConnectionPage {
            layout: self.saying(
                Tone::Failed,
                "The account is saved, but it does not work yet. The reason is below.",
            ),
            account: self.broken_account(),
            changing: Some(Changing {
                is_kept_outside: true,
                ..changing.clone()
            }),
            ..works.clone()
        };
        let mut wrong_form = changing.clone();
        wrong_form.name = self.wrong(
            "second",
            "An account of that connector has that name already.",
        );
        wrong_form.inputs[1].field.error = Some(self.t("API key is needed."));
        let wrong = ConnectionPage {
            layout: self.inside(),
            changing: Some(wrong_form),
            ..works.clone()
        };
        let reader = ConnectionPage {
            layout: self.inside(),
            changing: None,
            ..fails.clone()
        };
        let open = ConnectionPage {
            layout: self.inside(),
            fields: vec![],
            account: AccountCard {
                verified_at: None,
                label: None,
                ..self.account("con_1", "main")
            },
            changing: Some(Changing {
                inputs: vec![],
                help: None,
                ..changing
            }),
            ..works.clone()
        };
        let again = ConnectionPage {
            account: AccountCard {
                problem: Some(self.t("The sign-in at PowerDNS is not good any more.")),
                ..works.account.clone()
            },
            changing: open.changing.clone().map(|changing| Changing {
                flows: Some(Flows {
                    in_browser: true,
                    on_device: false,
                }),
                ..changing
            }),
            ..works.clone()
        };
        let tool = |name: &str, reads: bool| ToolRow {
            name: self.t(name),
            title: self.t("Look something up"),
            description: Some(self.t("Finds what fits the words.")),
            reads,
            is_destructive: !reads,
            is_changed: !reads,
        };
        let tools = ConnectionPage {
            layout: self.inside(),
            tools: Some(ToolList {
                tools: vec![tool("look_up", true), tool("take_away", false)],
                found_at: Some(works.account.connected_at),
                is_partial: true,
                changes: vec![self.t("1 added: take_away"), self.t("1 removed: put_back")],
            }),
            ..works.clone()
        };
        vec![
            page("connection-again", &again),
            page("connection-tools", &tools),
            page("connection", &works),
            page("connection-fails", &fails),
            page("connection-wrong", &wrong),
            page("connection-member", &reader),
            page("connection-open", &open),
        ]
    }
}
