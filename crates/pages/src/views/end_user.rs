//! End users of a workspace, and one of them.

use askama::Template;
use quaymaster_core::Instant;

use super::address::segment;
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::moment::Shown;
use super::pager::Pager;
use super::place::{OneOf, Place};

/// `/workspaces/{id}/end-users`: asks itself with `query` and `page`; posts `external_id`, `name` and
/// `email` to itself.
#[derive(Debug, Clone, Template)]
#[template(path = "end_users.html")]
pub struct EndUsersPage {
    pub layout: Layout,
    pub place: Place,
    pub query: String,
    pub end_users: Vec<EndUserRow>,
    pub pager: Pager,
    pub form: EndUserForm,
}

#[derive(Debug, Clone)]
pub struct EndUserRow {
    /// Part of its path.
    pub id: String,
    pub external_id: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub accounts: i64,
    pub created_at: Instant,
}

#[derive(Debug, Clone, Default)]
pub struct EndUserForm {
    pub external_id: Field,
    pub name: Field,
    pub email: Field,
    /// Why the whole was refused.
    pub error: Option<String>,
}

impl EndUsersPage {
    pub fn problems(&self) -> Vec<Problem> {
        form::problems(
            self.form.error.as_ref(),
            [
                ("external-id", self.form.external_id.error.as_ref()),
                ("name", self.form.name.error.as_ref()),
                ("email", self.form.email.error.as_ref()),
            ],
        )
    }
}

/// `/end-users/{id}`: posts `integration` to `/link`, and a button to `/delete`.
#[derive(Debug, Clone, Template)]
#[template(path = "end_user.html")]
pub struct EndUserPage {
    pub layout: Layout,
    pub place: Place,
    pub id: String,
    pub external_id: String,
    pub name: Option<String>,
    pub email: Option<String>,
    pub created_at: Instant,
    pub accounts: Vec<EndUserAccount>,
    /// Integrations that the person can connect an account for.
    pub integrations: OneOf,
    pub integration_error: Option<String>,
    /// A link that was just made.
    pub link: Option<SetupLinkView>,
}

#[derive(Debug, Clone)]
pub struct EndUserAccount {
    pub connector: String,
    pub name: String,
    /// What the service calls it.
    pub label: Option<String>,
    /// Why it does not work.
    pub problem: Option<String>,
    pub connected_at: Instant,
}

#[derive(Debug, Clone)]
pub struct SetupLinkView {
    pub url: String,
    pub expires_at: Instant,
    /// Alias of the integration that it is for.
    pub alias: String,
}

impl EndUserPage {
    pub fn path(&self) -> String {
        format!("/end-users/{}", segment(&self.id))
    }

    pub fn problems(&self) -> Vec<Problem> {
        form::problems(None, [("integration", self.integration_error.as_ref())])
    }

    /// What the person is called here.
    pub fn title(&self) -> &str {
        self.name.as_deref().unwrap_or(&self.external_id)
    }
}
