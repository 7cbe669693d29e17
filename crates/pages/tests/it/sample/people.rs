//! Partials and end users.

use quaymaster_pages::views::pager::Pager;
use quaymaster_pages::views::{
    EndUserAccount, EndUserForm, EndUserPage, EndUserRow, EndUsersPage, InputKind, OneOf,
    PartialChoicePage, PartialGroup, PartialInput, PartialPage, PartialRow, PartialsPage,
    SetupLinkView, TryInput,
};

use super::{Page, Sample, page};

impl Sample {
    /// One input of each kind.
    pub(super) fn try_inputs(&self) -> Vec<TryInput> {
        let input = |name: &str, kind, is_required| TryInput {
            name: self.t(name),
            kind,
            help: self.t("Id of a channel."),
            is_required,
            field: self.field(""),
        };
        vec![
            input("channel", InputKind::Text, true),
            input("limit", InputKind::Number, false),
            input("sort", InputKind::Choice(vec![self.t("score")]), false),
            input("blocks", InputKind::Json, false),
        ]
    }

    pub(super) fn of_partials(&self) -> Vec<Page> {
        let row = |id: &str, name: &str, action: Option<&str>, is_default| PartialRow {
            id: self.t(id),
            name: self.t(name),
            action: action.map(|action| self.t(action)),
            keys: vec![(self.t("channel"), true), (self.t("text"), false)],
            is_default,
        };
        let list = PartialsPage {
            layout: self.inside(),
            place: self.place(),
            query: String::new(),
            pager: Pager::new("/workspaces/ws_2/partials", "", 1, 120),
            groups: vec![PartialGroup {
                title: self.t("slack"),
                partials: vec![
                    row("prt_1", "only general", Some("send_channel_message"), true),
                    row("prt_2", "polite", None, false),
                ],
            }],
            has_integrations: true,
        };
        let empty = PartialsPage {
            groups: vec![],
            pager: Pager::default(),
            has_integrations: false,
            ..list.clone()
        };
        let choice = PartialChoicePage {
            layout: self.inside(),
            place: self.place(),
            integrations: OneOf::listed(self.choices(&[("int_1", "slack", "")])),
            error: None,
            actions: Some(self.choices(&[("list_users", "List people", "")])),
        };
        let many = PartialChoicePage {
            integrations: OneOf::written(self.t("slick")),
            error: Some(self.t("The workspace has no integration \"slick\".")),
            actions: None,
            ..choice.clone()
        };
        let inputs = self.try_inputs().into_iter().map(|input| PartialInput {
            is_enforced: matches!(input.kind, InputKind::Text),
            input,
        });
        let form = PartialPage {
            layout: self.inside(),
            place: self.place(),
            id: None,
            path: "/workspaces/ws_2/partials/new/int_1".to_owned(),
            subject: self.t("slack"),
            action: Some(self.t("send_channel_message")),
            name: self.field(""),
            description: self.field(""),
            inputs: Some(inputs.collect()),
            values: self.field("{}"),
            locked: self.field(""),
            is_default: false,
            error: None,
        };
        let mut wrong = form.clone();
        wrong.name = self.wrong("only general", "It is called so already.");
        if let Some(row) = wrong.inputs.as_mut().and_then(|rows| rows.first_mut()) {
            row.input.field = self.wrong("C1", "Another partial locks it.");
        }
        let json = PartialPage {
            id: Some(self.t("prt_2")),
            path: "/partials/prt_2".to_owned(),
            action: None,
            inputs: None,
            is_default: true,
            ..form.clone()
        };
        vec![
            page("partials", &list),
            page("partials-empty", &empty),
            page("partial-choice", &choice),
            page("partial-choice-many", &many),
            page("partial-new", &form),
            page("partial-wrong", &wrong),
            page("partial-json", &json),
        ]
    }

    pub(super) fn of_end_users(&self) -> Vec<Page> {
        let row = |id: &str, external: &str, name: Option<&str>| EndUserRow {
            id: self.t(id),
            external_id: self.t(external),
            name: name.map(|name| self.t(name)),
            email: name.map(|_| self.t("ada@example.com")),
            accounts: 2,
            created_at: self.ago(1_000),
        };
        let list = EndUsersPage {
            layout: self.inside(),
            place: self.place(),
            query: self.t("user"),
            end_users: vec![
                row("eu_1", "user_123", Some("Ada")),
                row("eu_2", "user_124", None),
            ],
            pager: Pager::new("/workspaces/ws_2/end-users", "user", 1, 120),
            form: EndUserForm::default(),
        };
        let wrong = EndUsersPage {
            query: String::new(),
            end_users: vec![],
            pager: Pager::default(),
            form: EndUserForm {
                external_id: self.wrong("user_123", "There is one already."),
                name: self.field("Ada"),
                email: self.wrong("ada", "That is no address of mail."),
                error: None,
            },
            ..list.clone()
        };
        let account = |problem: Option<&str>| EndUserAccount {
            connector: self.t("slack"),
            name: self.t("theirs"),
            label: Some(self.t("Harbour")),
            problem: problem.map(|problem| self.t(problem)),
            connected_at: self.ago(700),
        };
        let one = EndUserPage {
            layout: self.inside(),
            place: self.place(),
            id: self.t("eu_1"),
            external_id: self.t("user_123"),
            name: Some(self.t("Ada")),
            email: Some(self.t("ada@example.com")),
            created_at: self.ago(1_000),
            accounts: vec![account(None), account(Some("Slack answered 401."))],
            integrations: OneOf::listed(self.choices(&[("int_1", "slack", "")])),
            integration_error: None,
            link: Some(SetupLinkView {
                url: self.t("https://quay.example.com/setup/cst_1.2"),
                expires_at: self.now.plus_seconds(86_400),
                alias: self.t("slack"),
            }),
        };
        let bare = EndUserPage {
            name: None,
            email: None,
            accounts: vec![],
            integrations: OneOf::default(),
            link: None,
            ..one.clone()
        };
        let many = EndUserPage {
            integrations: OneOf::written(self.t("slick")),
            integration_error: Some(self.t("The workspace has no such integration.")),
            link: None,
            ..one.clone()
        };
        vec![
            page("end-user-many", &many),
            page("end-users", &list),
            page("end-users-wrong", &wrong),
            page("end-user", &one),
            page("end-user-bare", &bare),
        ]
    }
}
