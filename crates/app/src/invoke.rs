//! Invoke: every call to an outside service passes here, whichever tool or page it came from.

use crate::App;
use crate::discovery::ToolsMark;
use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::request::{Account, Invocation, Prepared};
use quaymaster_connectors::send::{Answer, Failure, FailureKind, Options};
use quaymaster_core::{Code, Fault};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Whom a call goes to.
#[derive(Clone, Copy)]
pub(crate) struct Target<'a> {
    pub(crate) connector: &'a str,
    /// The account's name.
    pub(crate) name: &'a str,
    /// What limits are kept by.
    pub(crate) id: &'a str,
    pub(crate) account: &'a Account,
    /// What its server offers, for services that are MCP servers.
    pub(crate) tools: Option<&'a ToolsMark>,
}

/// Definitions made ready for calls, by key.
#[derive(Default)]
pub(crate) struct Ready(Mutex<HashMap<String, Arc<Prepared>>>);

impl App {
    /// The definition of a connector.
    pub(crate) fn definition(&self, key: &str) -> Result<Arc<Definition>, Fault> {
        self.catalog.get(key).ok_or_else(|| {
            Fault::new(
                Code::UnknownService,
                format!("There is no connector {key:?}."),
            )
        })
    }

    pub(crate) fn prepared(&self, key: &str) -> Result<Arc<Prepared>, Fault> {
        let ready = &self.ready.0;
        let known = ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(prepared) = known.get(key) {
            return Ok(prepared.clone());
        }
        drop(known);
        // Made outside the lock: a large definition takes a while.
        let prepared = Arc::new(Prepared::new(self.definition(key)?));
        let mut known = ready.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(known.entry(key.to_owned()).or_insert(prepared).clone())
    }

    /// Calls a service with an account, following up to `more_pages` pages after the first.
    pub(crate) async fn invoke(
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
        let mut prepared = self.prepared(target.connector).map_err(refused)?;
        if let Some(mark) = target.tools {
            let own = self.with_tools(mark, prepared.definition()).await;
            prepared = own.map_err(refused)?.prepared;
        }
        let options = Options {
            follow_pages: more_pages,
            ..Options::default()
        };
        let sent = self
            .sender
            .send(&prepared, target.account, target.id, call, &options)
            .await;
        if let Some(mark) = target.tools
            && !call.discover
            && self.sender.tools_changed(target.id)
        {
            self.look_at_tools_again(&mark.org, &mark.connection);
        }
        sent.map_err(|mut failure| {
            if failure.kind == FailureKind::Auth {
                failure.fault = self.must_reconnect(target.connector, failure.fault);
            }
            failure
        })
    }

    /// What is wrong with an account's credentials is mended by a person on the page.
    pub(crate) fn must_reconnect(&self, connector: &str, fault: Fault) -> Fault {
        let url = format!("{}/connectors/{connector}", self.settings.public_url);
        let mut fault = fault.detail("setup_url", url.as_str());
        fault.code = Code::ConnectionRequired;
        fault.retryable = Code::ConnectionRequired.retryable();
        fault.hint(format!("An administrator connects the account at {url}."))
    }
}
