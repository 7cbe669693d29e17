//! A call that a person tries.

use quaymaster_pages::views::reference::Span;
use quaymaster_pages::views::{
    ActionView, Choice, InputKind, OneOf, TriedOutcome, TryInput, TryingPage,
};

use super::{Page, Sample, page};

impl Sample {
    pub(super) fn of_a_trial(&self) -> Vec<Page> {
        let account = |id: &str, name: &str| {
            let label = self.t(&format!("powerdns:{name}"));
            Choice::new(id, label, name == "main")
        };
        let input = |name: &str, kind, help: &str, is_required, value: &str| TryInput {
            name: self.t(name),
            kind,
            help: match help {
                "" => String::new(),
                help => self.t(help),
            },
            is_required,
            field: self.field(value),
        };
        let kinds = vec![self.t("Native"), self.t("Master")];
        let empty = TryingPage {
            layout: self.inside(),
            connector_key: self.t("powerdns"),
            connector_title: self.t("PowerDNS"),
            module_key: self.t("zones"),
            module_title: self.t("Zones and records"),
            action_key: self.t("create_zone"),
            action: ActionView {
                title: self.t("Create a zone"),
                summary: vec![vec![Span::Text(self.t("With its name servers."))]],
                verb: Some(self.t("POST")),
                target: self.t("/servers/localhost/zones"),
                reads: false,
                is_destructive: false,
            },
            accounts: OneOf::listed([account("con_1", "main"), account("con_2", "second")]),
            account_error: None,
            inputs: vec![
                input("name", InputKind::Text, "With a dot at the end.", true, ""),
                input("kind", InputKind::Choice(kinds), "", false, ""),
                input("serial", InputKind::Number, "Left out, it is 0.", false, ""),
                input(
                    "nameservers",
                    InputKind::Json,
                    "As JSON. For example [\"ns1.example.org.\"]",
                    false,
                    "",
                ),
            ],
            error: None,
            outcome: None,
        };
        let mut filled = empty.clone();
        filled.inputs[0] = input("name", InputKind::Text, "", true, "example.org.");
        let result = "{\n  \"data\": { \"id\": \"example.org.\" },\n  \"meta\": {}\n}";
        let done = TryingPage {
            outcome: Some(TriedOutcome {
                code: self.t("OK"),
                failed: false,
                status: Some(201),
                message: None,
                hint: None,
                text: Some(self.t(result)),
                is_cut: true,
            }),
            ..filled.clone()
        };
        let failed = TryingPage {
            outcome: Some(TriedOutcome {
                code: self.t("UPSTREAM_ERROR"),
                failed: true,
                status: Some(409),
                message: Some(self.t("PowerDNS answered 409: Conflict")),
                hint: Some(self.t("Correct the inputs as the message says.")),
                text: Some(self.t("{\n  \"upstream_status\": 409\n}")),
                is_cut: false,
            }),
            ..filled.clone()
        };
        let mut wrong = filled.clone();
        wrong.inputs[3].field = self.wrong("ns1", "This is not JSON.");
        wrong.accounts = OneOf::written(self.t("powerdns:maine"));
        wrong.account_error = Some(self.t("PowerDNS has no such account."));
        let nobody = TryingPage {
            accounts: OneOf::default(),
            ..empty.clone()
        };
        let all = TryingPage {
            accounts: empty
                .accounts
                .clone()
                .or(self.t("All accounts, as an agent that names none")),
            ..empty.clone()
        };
        vec![
            page("trying", &empty),
            page("trying-done", &done),
            page("trying-failed", &failed),
            page("trying-wrong", &wrong),
            page("trying-nobody", &nobody),
            page("trying-all", &all),
        ]
    }
}
