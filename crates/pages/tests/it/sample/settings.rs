//! Settings and API keys.

use quaymaster_core::{Scope, Scopes};
use quaymaster_pages::views::pager::Pager;
use quaymaster_pages::views::{
    ApiKeyForm, ApiKeyRow, ApiKeysPage, FreshKeyPage, ListSize, OneOf, SettingsPage, Tone,
};

use super::{ENDPOINT, Page, Sample, page};

impl Sample {
    pub(super) fn of_settings(&self) -> Vec<Page> {
        let few: Scopes = [Scope::ReadTools, Scope::ReadData].into_iter().collect();
        let key = |name: &str, scopes, expires_at: Option<i64>| ApiKeyRow {
            id: self.t("key_1"),
            shown: self.t("sk-org-01jd2m8x…"),
            name: self.t(name),
            owner: self.t("Owner"),
            scopes,
            only: expires_at.map(|_| self.t("Research")),
            files: expires_at.map(|_| self.t("Research")),
            mix: expires_at.map(|_| self.t("Files, Connectors: 4 tools")),
            created_at: self.ago(2_000_000),
            expires_at: expires_at.map(|seconds| self.now.plus_seconds(seconds)),
            expired: expires_at.is_some_and(|seconds| seconds < 0),
            last_used_at: expires_at.map(|_| self.ago(300)),
        };
        let workspaces = self.choices(&[("wsp_1", "Research", ""), ("wsp_2", "Harbour log", "")]);
        let keys = ApiKeysPage {
            pager: Pager::new("/settings/api-keys", "", 0, 3),
            layout: self.saying(Tone::Failed, "The key could not be revoked. Try again."),
            keys: vec![
                key("Desktop agent", Scopes::of_tools(), Some(5_000_000)),
                key("Nightly reports", few, Some(-1_000)),
                key("Provisioning", Scopes::all(), None),
            ],
            form: ApiKeyForm {
                mix: self.mix(false),
                ..ApiKeyForm::new(Scopes::all(), OneOf::listed(workspaces))
            },
        };
        let empty = ApiKeysPage {
            layout: self.inside(),
            keys: vec![],
            ..keys.clone()
        };
        let mut form = ApiKeyForm::new(few, OneOf::written(self.t("Harbor")));
        form.files_error = Some(self.t("There is no such workspace."));
        form.only.put(
            &[self.t("Quay")],
            Some(self.t("There is no workspace Quay.")),
        );
        form.name = self.wrong("", "Name the key.");
        form.ticked = Scopes::NONE;
        form.mix = self.mix(true);
        form.scopes_error = Some(self.t("Tick at least one scope."));
        let wrong = ApiKeysPage {
            form,
            ..empty.clone()
        };
        let secret =
            "sk-org-01jd2m8x4v7q9r3t5w6y8z0a1b.q1mS7xkzB0v4nT2wYd8hRfL5cJ9gP3uK6eXaWsZi0oM";
        let fresh = FreshKeyPage {
            layout: self.inside(),
            name: self.t("Desktop agent"),
            key: self.t(secret),
            scopes: Scopes::of_tools(),
            expires_at: Some(self.now.plus_seconds(90 * 86_400)),
            only: None,
            files: Some(self.t("Research")),
            size: ListSize {
                tools: 19,
                tokens: 4_812,
            },
            connect: self.connect(secret),
        };
        let lasting = FreshKeyPage {
            expires_at: None,
            only: Some(self.t("Research")),
            files: None,
            size: ListSize::default(),
            ..fresh.clone()
        };
        let settings = SettingsPage {
            layout: self.inside(),
            organization: self.field("Harbour works"),
            may_edit: true,
            public_url: self.t("https://quay.example.com"),
            endpoint: self.t(ENDPOINT),
            info_url: self.t("https://quay.example.com/api/v1/mcp/info"),
            isolation: vec![
                self.t("JavaScript: programs run with full isolation"),
                self.t("Python: Python 3.13 (/usr/bin/python3.13) runs with full isolation; memory and processes of a session are limited by cgroup v2"),
            ],
            connect: self.connect("<token>"),
            placeholder: "<token>",
        };
        let member = SettingsPage {
            may_edit: false,
            ..settings.clone()
        };
        let unnamed = SettingsPage {
            organization: self.wrong("", "Name the organization."),
            ..settings.clone()
        };
        vec![
            page("api-keys", &keys),
            page("api-keys-empty", &empty),
            page("api-keys-wrong", &wrong),
            page("fresh-key", &fresh),
            page("fresh-key-lasting", &lasting),
            page("settings", &settings),
            page("settings-member", &member),
            page("settings-wrong", &unnamed),
        ]
    }
}
