//! Flows, their versions, runs and secrets, and packs.

use quaymaster_pages::views::flow_graph::{StepList, StepView, draw, rows};
use quaymaster_pages::views::pager::Pager;
use quaymaster_pages::views::{
    Choice, DiffLine, DrawnFlow, FlowPage, FlowRow, FlowRunPage, FlowRunsPage, FlowSecretRow,
    FlowSecretsPage, FlowServerRow, FlowTryPage, FlowVersionPage, FlowVersionRow, FlowVersionsPage,
    FlowsPage, InputKind, LastRun, Mistake, OneOf, OpenStep, OwnPackPage, PackCard, PackDropped,
    PackFlowRow, PackInstalled, PackPage, PackTestedHow, PackVariable, PackVariableKind, PacksPage,
    RunRow, RunStepRow, SavedFlow, StepFieldView, StepForms, TestRow, TriedOutcome, TryInput,
};

use super::{Page, Sample, page};

impl Sample {
    fn step(&self, kind: &'static str, name: &str, detail: &str) -> StepView {
        // Nothing stays nothing.
        let text = |text: &str| match text {
            "" => String::new(),
            text => self.t(text),
        };
        StepView {
            name: text(name),
            kind,
            detail: text(detail),
            when: None,
            lists: vec![],
        }
    }

    fn step_forms(&self) -> StepForms {
        let view = |key: &str, field, is_yaml| StepFieldView {
            key: key.to_owned(),
            help: self.t("Null leaves a parameter out."),
            field,
            rows: if is_yaml { 2 } else { 1 },
            is_yaml,
            choices: vec![],
        };
        let retry = StepFieldView {
            choices: vec!["fail".to_owned(), "retry".to_owned()],
            ..view("on_unknown", self.field("retry"), false)
        };
        StepForms {
            open: Some(OpenStep {
                at: 1,
                count: 3,
                kind: "http".to_owned(),
                was: self.t("{}"),
                fields: vec![
                    view("id", self.field("geo"), false),
                    view(
                        "http.get",
                        self.field("https://geo.example.com/v1/search"),
                        false,
                    ),
                    view(
                        "http.query",
                        self.wrong("{ name: [", "It ends too early."),
                        true,
                    ),
                ],
                more: vec![view("timeout", self.field(""), false), retry],
            }),
            kinds: vec![("http", self.t("A request.")), ("map", self.t("A value."))],
        }
    }

    fn drawn(&self) -> DrawnFlow {
        let list = |label: &str, steps| StepList {
            label: self.t(label),
            steps,
        };
        let fail = StepView {
            when: Some(self.t(".steps.geo.body.results | length == 0")),
            ..self.step("fail", "", "NOT_FOUND There is no such city")
        };
        let each = StepView {
            lists: vec![list(
                "each",
                vec![self.step("http", "one", "GET https://api.example.com")],
            )],
            ..self.step("for_each", "days", "day in .input.days")
        };
        let both = StepView {
            lists: vec![
                list("then", vec![each]),
                list("else", vec![self.step("map", "none", "[]")]),
            ],
            ..self.step("if", "", "")
        };
        let steps = vec![
            self.step("http", "geo", "GET https://geo.example.com/v1/search"),
            fail,
            both,
        ];
        DrawnFlow {
            rows: rows(&steps),
            catch: rows(&[self.step("call", "tell", "slack send_channel_message")]),
            graph: draw(&steps, &self.t("tool get_weather"), "result"),
        }
    }

    fn run_row(&self, state: &'static str, code: Option<&str>) -> RunRow {
        RunRow {
            id: self.t("run_01arz3ndektsv4rrffq69g5fav"),
            flow: self.t("get_weather"),
            version: 2,
            started_by: self.t("mcp"),
            state,
            code: code.map(|code| self.t(code)),
            at: self.ago(500),
            took: (state != "running").then_some(240),
        }
    }

    fn run_steps(&self) -> Vec<RunStepRow> {
        let step = |path: &str, state: &str, error: Option<&str>| RunStepRow {
            path: self.t(path),
            kind: self.t("http"),
            state: state.to_owned(),
            attempts: 2,
            took: 120,
            input: Some(self.t("{ \"url\": \"https://api.example.com\" }")),
            output: error.is_none().then(|| self.t("{ \"status\": 200 }")),
            error: error.map(|error| self.t(error)),
        };
        vec![
            step("geo", "done", None),
            step("days[3].one", "failed", Some("{ \"code\": \"TIMEOUT\" }")),
            step("none", "skipped", None),
        ]
    }

    pub(super) fn of_flows(&self) -> Vec<Page> {
        let row = |name: &str, enabled, last: Option<&'static str>| FlowRow {
            name: self.t(name),
            title: self.t("Current weather"),
            enabled,
            tool: enabled.then(|| self.t("get_weather")),
            durable: !enabled,
            version: 2,
            last: last.map(|state| LastRun {
                id: self.t("run_01arz3ndektsv4rrffq69g5fav"),
                state,
                at: self.ago(400),
            }),
            runs: 1_200,
            failed: 3,
        };
        let list = FlowsPage {
            layout: self.inside(),
            place: self.place(),
            query: self.t("e"),
            flows: vec![
                row("get_weather", true, Some("failed")),
                row("report", false, None),
            ],
            pager: Pager::new("/workspaces/ws_2/flows", "e", 1, 120),
        };
        let none = FlowsPage {
            query: String::new(),
            flows: vec![],
            pager: Pager::default(),
            ..list.clone()
        };
        let new = FlowPage {
            layout: self.inside(),
            place: self.place(),
            saved: None,
            source: self.t("flow: get_weather\nsteps: []"),
            drawn: Some(self.drawn()),
            steps: Some(self.step_forms()),
            mistakes: vec![],
            tests: vec![],
            error: None,
            fine: Some(self.t("The flow is fine.")),
        };
        let test = |passed| TestRow {
            name: self.t("no such city"),
            passed,
            message: (!passed).then(|| self.t("It ended with a result.")),
        };
        let saved = FlowPage {
            saved: Some(SavedFlow {
                name: self.t("get_weather"),
                title: self.t("Current weather"),
                description: self.t("Weather of a city. Use it for today."),
                enabled: true,
                version: 2,
                base: 2,
                triggers: vec![self.t("tool get_weather"), self.t("schedule 0 8 * * * UTC")],
                runs: vec![
                    self.run_row("done", None),
                    self.run_row("failed", Some("TIMEOUT")),
                ],
                servers: vec![FlowServerRow {
                    path: "/workspaces/wsp_1/servers/srv_1".into(),
                    name: self.t("My AI tools"),
                }],
                unknown_servers: vec![self.t("Support")],
            }),
            mistakes: vec![Mistake {
                line: 12,
                column: 5,
                message: self.t("steps.1.if: there is no step knwon"),
                text: self.t("  - if: .steps.knwon"),
            }],
            tests: vec![test(true), test(false)],
            error: Some(self.t("Somebody else has changed the flow meanwhile.")),
            fine: None,
            ..new.clone()
        };
        let unreadable = FlowPage {
            steps: None,
            drawn: None,
            fine: None,
            ..new.clone()
        };
        let mut pages = vec![
            page("flows", &list),
            page("flows-none", &none),
            page("flow-new", &new),
            page("flow", &saved),
            page("flow-unreadable", &unreadable),
        ];
        pages.extend(self.of_runs());
        pages.extend(self.of_versions_and_secrets());
        pages.extend(self.of_packs());
        pages
    }

    fn of_runs(&self) -> Vec<Page> {
        let input = |name: &str, kind, is_required| TryInput {
            name: self.t(name),
            kind,
            help: self.t("Name of the city."),
            is_required,
            field: self.wrong("x", "It is too short."),
        };
        let units = InputKind::Choice(vec![self.t("celsius"), self.t("fahrenheit")]);
        let tried = FlowTryPage {
            layout: self.inside(),
            place: self.place(),
            name: self.t("get_weather"),
            title: self.t("Current weather"),
            description: self.t("Weather of a city."),
            inputs: vec![
                input("city", InputKind::Text, true),
                input("units", units, false),
            ],
            mocks: self.wrong("{}", "The step geo has no answer here."),
            reaching: vec![self.t("geo")],
            error: None,
            outcome: Some(TriedOutcome {
                code: self.t("TIMEOUT"),
                failed: true,
                status: Some(504),
                message: Some(self.t("It took too long.")),
                hint: Some(self.t("Try again.")),
                text: Some(self.t("{ \"step\": \"geo\" }")),
                is_cut: true,
            }),
            took: 1_250,
            steps: self.run_steps(),
        };
        let untried = FlowTryPage {
            inputs: vec![],
            reaching: vec![],
            mocks: self.field(""),
            outcome: None,
            ..tried.clone()
        };
        let runs = FlowRunsPage {
            layout: self.inside(),
            place: self.place(),
            flow: Some(self.t("get_weather")),
            runs: vec![
                self.run_row("running", None),
                self.run_row("failed", Some("TIMEOUT")),
            ],
            next: Some(self.t("run_01arz3ndektsv4rrffq69g5fav")),
        };
        let no_runs = FlowRunsPage {
            flow: None,
            runs: vec![],
            next: None,
            ..runs.clone()
        };
        let run = FlowRunPage {
            layout: self.inside(),
            place: self.place(),
            row: self.run_row("running", None),
            caller: self.t("API key laptop"),
            durable: true,
            attempts: 2,
            ended_at: Some(self.ago(100)),
            input: self.t("{ \"city\": \"Lisbon\" }"),
            output: Some(self.t("{ \"temperature\": 17 }")),
            error: Some(self.t("{ \"code\": \"TIMEOUT\" }")),
            steps: self.run_steps(),
        };
        vec![
            page("flow-tried", &tried),
            page("flow-try", &untried),
            page("flow-runs", &runs),
            page("flow-runs-none", &no_runs),
            page("flow-run", &run),
        ]
    }

    fn of_versions_and_secrets(&self) -> Vec<Page> {
        let version = |version, is_current| FlowVersionRow {
            version,
            title: self.t("Current weather"),
            made_by: self.t("You"),
            made_at: self.ago(3_000),
            is_current,
        };
        let versions = FlowVersionsPage {
            layout: self.inside(),
            place: self.place(),
            name: self.t("get_weather"),
            title: self.t("Current weather"),
            versions: vec![version(2, true), version(1, false)],
        };
        let line = |class, before, after, text: &str| DiffLine {
            class,
            before,
            after,
            text: self.t(text),
        };
        let one = FlowVersionPage {
            layout: self.inside(),
            place: self.place(),
            name: self.t("get_weather"),
            title: self.t("Current weather"),
            row: version(1, false),
            against: Some(2),
            diff: vec![
                line("same", Some(1), Some(1), "flow: get_weather"),
                line("removed", Some(2), None, "title: Weather"),
                line("added", None, Some(2), "title: Current weather"),
                line("gap", None, None, "…"),
            ],
            source: self.t("flow: get_weather"),
        };
        let secrets = FlowSecretsPage {
            layout: self.inside(),
            place: self.place(),
            secrets: vec![FlowSecretRow {
                name: self.t("WEATHER_KEY"),
                made_by: self.t("You"),
                changed_at: self.ago(9_000),
            }],
            name: self.wrong("key", "Capital letters."),
            value_error: Some(self.t("A secret has 1 to 8192 bytes.")),
            error: Some(self.t("A workspace has at most 200 secrets.")),
        };
        let no_secrets = FlowSecretsPage {
            secrets: vec![],
            ..secrets.clone()
        };
        vec![
            page("flow-versions", &versions),
            page("flow-version", &one),
            page("flow-secrets", &secrets),
            page("flow-secrets-none", &no_secrets),
        ]
    }

    fn of_packs(&self) -> Vec<Page> {
        let card = |id: &str, is_installed: bool| PackCard {
            id: self.t(id),
            title: self.t("Slack digest"),
            summary: self.t("Read what was said in channels."),
            flows: 5,
            tested: PackTestedHow::Mocks,
            is_own: !is_installed,
            is_installed,
            is_older: is_installed,
        };
        let packs = PacksPage {
            layout: self.inside(),
            place: self.place(),
            packs: vec![card("slack_digest", true), card("weather", false)],
        };
        let flow = |name: &'static str, reads, state| PackFlowRow {
            name: name.to_owned(),
            title: self.t("Read a channel"),
            description: self.t("Messages of a channel since a time."),
            reads,
            is_destructive: !reads,
            is_ticked: reads,
            own_name: reads.then(|| name.to_owned()),
            state,
        };
        let variable = |name: &'static str, kind| PackVariable {
            name: name.to_owned(),
            title: self.t("Slack account"),
            help: self.t("In whose name the tools act."),
            kind,
            field: self.wrong("main", "There is no such account."),
        };
        let account = Choice::new(&self.t("main"), self.t("main (Harbour)"), true);
        let of_slack = |accounts| PackVariableKind::Account(self.t("slack"), accounts);
        let pack = PackPage {
            layout: self.inside(),
            place: self.place(),
            id: self.t("slack_digest"),
            title: self.t("Slack digest"),
            version: self.t("1.1.0"),
            description: self.t("Read what was said in channels, with names."),
            tested: PackTestedHow::Live,
            is_own: true,
            dropped: vec![
                PackDropped {
                    name: "slack_old".to_owned(),
                    is_changed: true,
                },
                PackDropped {
                    name: "slack_older".to_owned(),
                    is_changed: false,
                },
            ],
            installed: Some(PackInstalled {
                version: self.t("1.0.0"),
                made_by: self.t("You"),
                updated_at: self.ago(80_000),
            }),
            is_older: true,
            variables: vec![
                variable("slack", of_slack(OneOf::listed([account]))),
                variable("KEY", PackVariableKind::Secret(true)),
                variable("region", PackVariableKind::Text),
            ],
            flows: vec![
                flow("slack_digest", true, Some("changed by hand")),
                flow("slack_send", false, None),
            ],
            error: Some(self.t("The workspace has flows of its own with these names.")),
            flows_error: Some(self.t("Choose at least one flow.")),
        };
        let lacking = PackPage {
            tested: PackTestedHow::None,
            is_own: false,
            dropped: Vec::new(),
            installed: None,
            is_older: false,
            variables: vec![PackVariable {
                field: self.field(""),
                ..variable("slack", of_slack(OneOf::default()))
            }],
            error: None,
            flows_error: None,
            ..pack.clone()
        };
        let mut member = pack.clone();
        member.place.is_admin = false;
        let own = OwnPackPage {
            layout: self.inside(),
            place: self.place(),
            changed: None,
            source: self.t("pack: quaymaster/v1"),
            mistakes: Vec::new(),
            tests: Vec::new(),
            error: None,
            fine: Some(self.t("The pack is fine.")),
        };
        let wrong = OwnPackPage {
            changed: Some(self.t("shop")),
            mistakes: vec![Mistake {
                line: 3,
                column: 5,
                message: self.t("flows.0.step: There is no key `step` here."),
                text: self.t("    step: []"),
            }],
            tests: vec![TestRow {
                name: self.t("count_orders: none"),
                passed: false,
                message: Some(self.t("result: 1, not 2.")),
            }],
            error: Some(self.t("The server itself has a pack of this id.")),
            fine: None,
            ..own.clone()
        };
        vec![
            page("own-pack", &own),
            page("own-pack-wrong", &wrong),
            page("packs", &packs),
            page("pack", &pack),
            page("pack-lacking", &lacking),
            page("pack-member", &member),
        ]
    }
}
