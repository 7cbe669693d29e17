//! What the management API will have and has not yet: approvals and triggers. Each answers 501 with a
//! fault that says so, so that programs written for them fail in words.

use crate::auth::Person;
use crate::error::{Answer, Faults};
use crate::read::Path;
use quaymaster_core::{Code, Fault};

pub(crate) fn triggers() -> Fault {
    Fault::new(Code::NotImplemented, "Triggers are not there yet.")
        .hint("Call the action that lists what is new, at times of your own.")
}

pub(crate) fn approvals() -> Fault {
    Fault::new(Code::NotImplemented, "Approvals are not there yet.")
        .hint("Lock inputs with partials, and leave actions out with enabledActions.")
}

macro_rules! later {
    ($($name:ident $method:ident $path:literal $tag:literal $fault:ident;)*) => { $(
        /// Not there yet
        ///
        /// Answers 501.
        #[utoipa::path(
            $method, path = $path, tag = $tag,
            security(("bearer" = ["admin"])),
            responses((status = 501, description = "Not there yet."), Faults)
        )]
        pub(crate) async fn $name(Person(_): Person) -> Answer<()> {
            Err($fault().into())
        }
    )* };
    (with id: $($name:ident $method:ident $path:literal $tag:literal $fault:ident;)*) => { $(
        /// Not there yet
        ///
        /// Answers 501.
        #[utoipa::path(
            $method, path = $path, tag = $tag,
            security(("bearer" = ["admin"])),
            params(("id" = String, Path, description = "Id.")),
            responses((status = 501, description = "Not there yet."), Faults)
        )]
        pub(crate) async fn $name(Person(_): Person, Path(_): Path<String>) -> Answer<()> {
            Err($fault().into())
        }
    )* };
}

later! {
    list_approval_policies get "/api/v1/approval-policies" "Later" approvals;
    create_approval_policy post "/api/v1/approval-policies" "Later" approvals;
    test_approval_policy post "/api/v1/approval-policies/test" "Later" approvals;
    list_approvals get "/api/v1/approvals" "Later" approvals;
    list_triggers get "/api/v1/triggers" "Later" triggers;
    enable_trigger post "/api/v1/triggers/enable" "Later" triggers;
    disable_trigger post "/api/v1/triggers/disable" "Later" triggers;
    test_trigger post "/api/v1/triggers/test" "Later" triggers;
}

later! { with id:
    read_approval_policy get "/api/v1/approval-policies/{id}" "Later" approvals;
    update_approval_policy patch "/api/v1/approval-policies/{id}" "Later" approvals;
    delete_approval_policy delete "/api/v1/approval-policies/{id}" "Later" approvals;
    read_approval get "/api/v1/approvals/{id}" "Later" approvals;
    approve post "/api/v1/approvals/{id}/approve" "Later" approvals;
    reject post "/api/v1/approvals/{id}/reject" "Later" approvals;
    cancel_approval post "/api/v1/approvals/{id}/cancel" "Later" approvals;
}
