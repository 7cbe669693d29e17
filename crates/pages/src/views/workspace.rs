//! One workspace with its tokens, calls and files.

use askama::Template;
use quaymaster_core::Instant;

use quaymaster_app::oauth::redirect::Destination;

use super::amount::Amount;
use super::connect::Connect;
use super::connected_client::ClientRow;
use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::moment::Shown;
use super::place::Place;
use super::token::{Access, TokenForm, TokenRow};

/// How much of something is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    pub used: u64,
    pub limit: u64,
}

impl Usage {
    /// Whether less than a tenth is left.
    pub fn is_close(&self) -> bool {
        !self.is_full() && u128::from(self.used) * 10 >= u128::from(self.limit) * 9
    }

    pub fn is_full(&self) -> bool {
        self.used >= self.limit
    }

    /// In per cent with one decimal, rounded down: the length of the bar.
    pub fn percent(&self) -> String {
        if self.limit == 0 {
            return "100.0".to_owned();
        }
        let tenths = (u128::from(self.used) * 1000 / u128::from(self.limit)).min(1000);
        format!("{}.{}", tenths / 10, tenths % 10)
    }

    /// What is used, within the limit, as the value of a meter has to be.
    pub fn shown(&self) -> u64 {
        self.used.min(self.limit)
    }

    /// The class that colours the bar.
    pub fn class(&self) -> &'static str {
        match (self.is_full(), self.is_close()) {
            (true, _) => "full",
            (_, true) => "close",
            _ => "",
        }
    }
}

/// `/workspaces/{id}`.
#[derive(Debug, Clone, Template)]
#[template(path = "workspace.html")]
pub struct WorkspacePage {
    pub layout: Layout,
    pub place: Place,
    pub id: String,
    pub name: String,
    pub endpoint: String,
    /// For clients that sign in, and with a placeholder where a token goes.
    pub connect: Connect,
    pub tokens: Vec<TokenRow>,
    /// None for those who may not make or revoke tokens.
    pub token_form: Option<TokenForm>,
    /// OAuth clients that people connected.
    pub clients: Vec<ClientRow>,
    pub calls: Usage,
    pub resets_at: Instant,
    /// The daily cap as a form; none for those who may not set it.
    pub cap: Option<Field>,
    /// Bytes.
    pub storage: Usage,
    /// Newest first.
    pub recent: Vec<CallRow>,
    pub trash: Vec<TrashRow>,
}

impl WorkspacePage {
    pub fn problems(&self) -> Vec<Problem> {
        let cap = self.cap.iter().map(|cap| ("cap", cap.error.as_ref()));
        let token = self.token_form.iter().flat_map(|form| {
            let name = ("token-name", form.name.error.as_ref());
            [name, ("mix", form.mix.error.as_ref())]
        });
        form::problems(None, cap.chain(token))
    }
}

/// One tool call, from the audit.
#[derive(Debug, Clone)]
pub struct CallRow {
    pub at: Instant,
    pub tool: String,
    /// Name of the credential.
    pub credential: String,
    /// What the client calls itself.
    pub client: Option<String>,
    /// `OK`, or the name of the fault.
    pub outcome: String,
    pub failed: bool,
    pub duration_ms: u64,
    /// How the call came in, for example `mcp`, `rest`, `page`.
    pub source: String,
    /// The connected accounts that it used, as `service:account`.
    pub accounts: Option<String>,
    /// The last HTTP status of their service.
    pub upstream_status: Option<i64>,
}

/// Something deleted that can be brought back.
#[derive(Debug, Clone)]
pub struct TrashRow {
    /// The value of the form field `item`.
    pub id: String,
    pub path: String,
    pub is_directory: bool,
    /// Bytes.
    pub size: u64,
    pub deleted_at: Instant,
    /// When it is removed for good; none when that waits until space is needed.
    pub kept_until: Option<Instant>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_close_from_nine_tenths_and_full_at_the_limit() {
        let class = |used, limit| Usage { used, limit }.class();
        assert_eq!(
            [
                class(899, 1000),
                class(900, 1000),
                class(1000, 1000),
                class(0, 0)
            ],
            ["", "close", "full", "full"]
        );
        let percent = |used, limit| Usage { used, limit }.percent();
        assert_eq!(
            [
                percent(u64::MAX, 1),
                percent(1, 3),
                percent(0, 5),
                percent(0, 0)
            ],
            ["100.0", "33.3", "0.0", "100.0"]
        );
    }
}
