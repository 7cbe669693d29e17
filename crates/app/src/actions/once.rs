//! Actions that are asked for with an idempotency key: the same request with the same key has one effect,
//! and each gets the reply of the first.
//!
//! Kept is what the service said, also when it refused, and that no answer came to what may have been done.
//! What failed before the service was asked, or may be tried again as it is, leaves the key free.

use super::{Acting, Wanted};
use crate::App;
use quaymaster_core::fault::MAYBE_DONE;
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::tool::{JsonObject, ToolResult};
use quaymaster_core::{Caller, Code, Fault};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// No call takes that long.
const LOST_AFTER_S: i64 = 600;

/// What is to be done once.
pub(super) struct Once {
    pub(super) workspace: WorkspaceId,
    pub(super) key: String,
    /// SHA-256 of what is asked for.
    pub(super) digest: [u8; 32],
}

/// A key that a header can carry.
pub(super) fn checked_key(key: &str) -> Result<String, Fault> {
    let plain = key.bytes().all(|byte| (b'!'..=b'~').contains(&byte));
    if plain && (1..=255).contains(&key.len()) {
        return Ok(key.to_owned());
    }
    let message = "An idempotency key has 1 to 255 characters, letters, digits and marks of ASCII.";
    Err(Fault::invalid_arg("/idempotencyKey", "pattern", message))
}

/// The same whatever the order in which a program wrote the members.
pub(super) fn digest(wanted: &Wanted, input: &JsonObject) -> [u8; 32] {
    let Wanted {
        connector,
        action,
        integration,
        alias,
        connection,
        end_user,
        partials,
        idempotency_key: _,
    } = wanted;
    let of = [alias, connection, end_user];
    let mut asked = json!([connector, action, integration, of, partials, input]);
    asked.sort_all_objects();
    Sha256::digest(asked.to_string()).into()
}

impl App {
    /// Runs an action unless its key was used; as a task of its own, so that the reply is kept when the
    /// client goes away.
    pub(super) async fn run_once(
        &self,
        caller: &Caller,
        acting: Acting,
        input: JsonObject,
        once: Once,
    ) -> Result<ToolResult, Fault> {
        let (app, caller) = (self.clone(), caller.clone());
        let running = self
            .tasks
            .spawn(async move { app.once(&caller, acting, input, &once).await });
        running.await.unwrap_or_else(|_| Err(Fault::internal()))
    }

    async fn once(
        &self,
        caller: &Caller,
        acting: Acting,
        input: JsonObject,
        once: &Once,
    ) -> Result<ToolResult, Fault> {
        let (org, workspace, key) = (&caller.org, &once.workspace, once.key.as_str());
        let begun = self
            .store
            .begin_action(org, workspace, key, &once.digest, self.now());
        if let Some(before) = begun.await? {
            if before.asked != once.digest {
                return Err(another_request());
            }
            let lost = before.begun_at.plus_seconds(LOST_AFTER_S) <= self.now();
            return match before.reply {
                Some(reply) => read(reply),
                None if lost => Err(lost_sight()),
                None => Err(still_running()),
            };
        }
        let may_repeat = acting.may_repeat();
        let answer = self.run_acting(caller, acting, input).await;
        let answer = answer.map_err(|fault| if may_repeat { fault } else { decided(fault) });
        let reply = written(&answer);
        if let Err(error) = self
            .store
            .end_action(org, workspace, key, reply.as_ref())
            .await
        {
            // The key stays taken, and nothing runs twice.
            tracing::error!(%error, "the reply to an action was not kept");
        }
        answer
    }
}

/// A gateway that had no answer of the service, or not in time, does not know what the service did: the
/// same request is not to be sent once more.
fn decided(mut fault: Fault) -> Fault {
    let details = fault.details.as_ref();
    let status = details.and_then(|details| details["upstream_status"].as_u64());
    let is_in_doubt = fault.code == Code::Timeout || matches!(status, Some(502 | 504));
    if !is_in_doubt || !fault.retryable {
        return fault;
    }
    fault.retryable = false;
    fault
        .hint("It may have been done. Look at the service, then send the request with another key if it was not.")
        .detail(MAYBE_DONE, true)
}

/// What is kept of an answer, if it is.
fn written(answer: &Result<ToolResult, Fault>) -> Option<Value> {
    match answer {
        Ok(result) => Some(json!({ "done": result.structured })),
        Err(fault) => {
            let asked = ["upstream_status", MAYBE_DONE];
            let was_asked = asked.iter().any(|detail| fault.has_detail(detail));
            (was_asked && !fault.retryable).then(|| json!({ "failed": fault }))
        }
    }
}

fn read(mut reply: Value) -> Result<ToolResult, Fault> {
    if let Some(fault) = reply.get_mut("failed") {
        return Err(serde_json::from_value(fault.take()).unwrap_or_else(|_| Fault::internal()));
    }
    Ok(ToolResult {
        structured: reply.get_mut("done").map(Value::take),
        ..ToolResult::default()
    })
}

fn another_request() -> Fault {
    let message = "This idempotency key belongs to another request.";
    Fault::invalid_arg("/idempotencyKey", "const", message)
        .hint("Send the request as it was the first time, or another key.")
}

fn still_running() -> Fault {
    let mut fault = Fault::new(
        Code::AlreadyExists,
        "The first request with this idempotency key is still running.",
    )
    .hint("Send it again in a moment: it is answered with what came of the first.");
    fault.retryable = true;
    fault
}

fn lost_sight() -> Fault {
    let mut fault = Fault::new(
        Code::Timeout,
        "The server stopped during the first request with this idempotency key: whether it did something is unknown.",
    )
    .hint("Look at the service, then send the request with another key if it did nothing.");
    fault.retryable = false;
    fault
}
