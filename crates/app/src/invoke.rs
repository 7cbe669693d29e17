//! Invoke: every call to an outside service passes here, whichever tool or page it came from.

use crate::App;
use crate::connections::Connected;
use crate::databases::Reachable;
use crate::discovery::ToolsMark;
use quaymaster_connectors::request::{Account, Invocation};
use quaymaster_connectors::send::{Answer, Failure, FailureKind, Options};
use quaymaster_core::id::OrgId;
use quaymaster_core::{Code, Fault};

/// Whom a call goes to.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) org: &'a OrgId,
    pub(crate) connector: &'a str,
    /// The account's name.
    pub(crate) name: &'a str,
    /// What limits are kept by.
    pub(crate) id: &'a str,
    pub(crate) account: &'a Account,
    /// Of its connection.
    pub(crate) destination: Option<&'a str>,
    /// The connection that it is, whose token may have to be renewed.
    pub(crate) connected: Option<&'a Connected>,
    /// What its server offers, for services that are MCP servers.
    pub(crate) tools: Option<&'a ToolsMark>,
}

impl Target<'_> {
    /// Whether there is anything that must not come into wrong hands.
    fn has_credentials(&self) -> bool {
        !self.account.fields.is_empty() || self.account.access_token.is_some()
    }
}

impl App {
    /// Calls a service with an account, following up to `more_pages` pages after the first.
    pub(crate) async fn invoke(
        &self,
        target: Target<'_>,
        call: &Invocation,
        more_pages: u32,
    ) -> Result<Answer, Failure> {
        let sent = self.sent(target, call, more_pages).await;
        self.for_agents(target.connector, sent)
    }

    /// Whoever cannot mend an account learns where a person does it.
    pub(crate) fn for_agents<T>(
        &self,
        connector: &str,
        sent: Result<T, Failure>,
    ) -> Result<T, Failure> {
        sent.map_err(|mut failure| {
            if failure.kind == FailureKind::Auth && !failure.fault.has_detail("setup_url") {
                failure.fault = self.must_reconnect(connector, failure.fault);
            }
            failure
        })
    }

    /// The same for those who can mend an account themselves: the fault says what is wrong with it.
    pub(crate) async fn sent(
        &self,
        target: Target<'_>,
        call: &Invocation,
        more_pages: u32,
    ) -> Result<Answer, Failure> {
        let Some(connected) = target.connected else {
            return self.sent_once(target, call, more_pages).await;
        };
        let unsigned = |fault| self.unsigned(connected, fault);
        let held = self.with_good_token(connected).await;
        let held = held.map_err(unsigned)?;
        let sent = self.sent_once(held.target(), call, more_pages).await;
        match &sent {
            // Refused before anything was done, so it may be sent again.
            Err(failure) if failure.kind == FailureKind::Auth && failure.status.is_some() => {
                let another = self.with_another_token(&held).await.map_err(unsigned)?;
                match another {
                    Some(held) => self.sent_once(held.target(), call, more_pages).await,
                    None => sent,
                }
            }
            _ => sent,
        }
    }

    /// A call that was not made, since there is no good token for it.
    fn unsigned(&self, connected: &Connected, fault: Fault) -> Failure {
        let (kind, fault) = match fault.code {
            Code::ConnectionRequired => {
                let path = format!("connections/{}", connected.connection.id);
                (FailureKind::Auth, self.must_go_to(&path, fault))
            }
            _ => (FailureKind::Unreachable, fault),
        };
        Failure {
            kind,
            fault,
            status: None,
            retries: 0,
        }
    }

    async fn sent_once(
        &self,
        target: Target<'_>,
        call: &Invocation,
        more_pages: u32,
    ) -> Result<Answer, Failure> {
        let refused = |fault| Failure {
            kind: FailureKind::Refused,
            fault,
            status: None,
            retries: 0,
        };
        let usable = self.usable(target.org, target.connector).await;
        let usable = usable.map_err(refused)?;
        if target.has_credentials() && !usable.may_sign(&target.account.auth, target.destination) {
            return Err(refused(self.must_reconnect(target.connector, moved())));
        }
        let mut prepared = usable.prepared.clone();
        if let Some(mark) = target.tools {
            let own = self.with_tools(mark, usable.definition()).await;
            prepared = own.map_err(refused)?.prepared;
        }
        let options = Options {
            follow_pages: more_pages,
            ..Options::default()
        };
        let (sender, account, id) = (&self.sender, target.account, target.id);
        let sent = if prepared.definition().is_file() {
            let files = Reachable::of(self, &target).map_err(refused)?;
            let asked = sender.query_file(&prepared, account, id, call, &options, &files);
            asked.await
        } else {
            sender.send(&prepared, account, id, call, &options).await
        };
        if let Some(mark) = target.tools
            && !call.discover
            && self.sender.tools_changed(target.id)
        {
            self.look_at_tools_again(&mark.org, &mark.connection);
        }
        sent
    }

    /// What is wrong with an account's credentials is mended by a person on the page.
    pub(crate) fn must_reconnect(&self, connector: &str, fault: Fault) -> Fault {
        self.must_go_to(&format!("connectors/{connector}"), fault)
    }

    fn must_go_to(&self, path: &str, fault: Fault) -> Fault {
        let url = format!("{}/{path}", self.settings.public_url);
        let mut fault = fault.detail("setup_url", url.as_str());
        fault.code = Code::ConnectionRequired;
        fault.retryable = Code::ConnectionRequired.retryable();
        fault.hint(format!("An administrator connects the account at {url}."))
    }
}

/// What an account says whose credentials were given for another place.
pub(crate) const MOVED: &str =
    "The definition now sends credentials to another place; connect again.";

fn moved() -> Fault {
    Fault::new(Code::ConnectionRequired, MOVED)
}
