//! Calls of tools and prompts: what surrounds them, and how those that ask their client something
//! get their answers. In a session the client is asked at once and the call made again; in the
//! stateless era the client makes it again itself.

use crate::asking;
use crate::convert;
use crate::handler::{Handler, caller};
use crate::logging;
use crate::notices::{Notices, Wanted};
use crate::state::Subject;
use quaymaster_core::Fault;
use quaymaster_core::ask::{Answers, InputRequests, RequestState};
use quaymaster_core::door::Fut;
use quaymaster_core::fault::{Code, UNKNOWN_TOOL};
use quaymaster_core::id::CallId;
use quaymaster_core::tool::{Call, Ctx, Era, Outcome, Source};
use rmcp::RoleServer;
use rmcp::model::{
    CallToolRequestParams, CallToolResponse, ErrorData, InputRequiredResult, InputResponses,
    ProtocolVersion,
};
use rmcp::service::RequestContext;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How often one request of a session may ask its client.
const MOST_ROUNDS: usize = 8;
/// How long one request of a session waits for all answers together.
const PATIENCE: Duration = Duration::from_mins(10);

/// What a stateless client brings when a call comes again.
pub(crate) struct Brought {
    pub(crate) responses: Option<InputResponses>,
    pub(crate) state: Option<String>,
}

/// One time that the door is called.
pub(crate) struct Round {
    pub(crate) source: Source,
    pub(crate) answers: Option<Answers>,
    pub(crate) ctx: Ctx,
}

pub(crate) enum Answered<T> {
    Done(T),
    /// For the client of the stateless era.
    Asks(InputRequiredResult),
}

pub(crate) enum Failure {
    Fault(Fault),
    Protocol(ErrorData),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Failure::Fault(fault)
    }
}

impl From<ErrorData> for Failure {
    fn from(error: ErrorData) -> Self {
        Failure::Protocol(error)
    }
}

pub(crate) async fn call_tool(
    handler: &Handler,
    request: CallToolRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CallToolResponse, ErrorData> {
    let subject = Subject {
        caller: caller(&context.extensions)?,
        method: "tools/call",
        name: request.name.into_owned(),
        args: Arc::new(request.arguments.unwrap_or_default()),
    };
    let brought = Brought {
        responses: request.input_responses,
        state: request.request_state,
    };
    let answered = answered(handler, context, &subject, brought, |round| {
        let call = Call {
            tool: subject.name.clone(),
            args: subject.args.clone(),
            source: round.source,
            answers: round.answers,
            ctx: round.ctx,
        };
        handler.shared.door.call(&subject.caller, call)
    });
    match answered.await {
        Ok(Answered::Done(result)) => Ok(convert::result(result).into()),
        Ok(Answered::Asks(questions)) => Ok(questions.into()),
        Err(Failure::Fault(fault)) if fault.has_detail(UNKNOWN_TOOL) => {
            let data = fault.to_json();
            Err(ErrorData::invalid_params(fault.message, Some(data)))
        }
        Err(Failure::Fault(fault)) => Ok(convert::fault(&fault).into()),
        Err(Failure::Protocol(error)) => Err(error),
    }
}

/// Calls the door, and again for as long as it asks.
pub(crate) async fn answered<'a, T>(
    handler: &Handler,
    context: &RequestContext<RoleServer>,
    subject: &Subject,
    brought: Brought,
    call: impl Fn(Round) -> Fut<'a, Result<Outcome<T>, Fault>> + Send + Sync,
) -> Result<Answered<T>, Failure> {
    let era = era(context);
    let mut answers = match era {
        Era::Session => None,
        Era::Stateless => open(handler, subject, brought)?,
    };
    let mut deadline = None;
    let mut rounds = 0;
    loop {
        let mut ctx = ctx(handler, context);
        let can = ctx.client_can;
        let wanted = Wanted {
            progress: context.meta.get_progress_token(),
            level: logging::wanted(handler, &subject.caller, era, context),
        };
        let notices = Notices::wire(&mut ctx, wanted);
        let answer = call(Round {
            source: Source::Mcp(era),
            answers: answers.take(),
            ctx,
        });
        let outcome = match notices {
            Some(notices) => notices.until(answer, &context.peer).await?,
            None => answer.await?,
        };
        let (questions, state) = match outcome {
            Outcome::Done(result) => return Ok(Answered::Done(result)),
            Outcome::Ask(questions, state) => (questions, state),
        };
        match (era, can.lacking(&questions)) {
            (Era::Stateless, Some(lacking)) => return Err(asking::missing(lacking).into()),
            (Era::Session, Some(lacking)) => return Err(asking::cannot_be_asked(lacking).into()),
            (Era::Stateless, None) => {
                let asked = sealed(handler, subject, questions, &state)?;
                return Ok(Answered::Asks(asked));
            }
            (Era::Session, None) if rounds == MOST_ROUNDS => {
                let message =
                    format!("The call asked its client {MOST_ROUNDS} times and was not satisfied.");
                return Err(Fault::new(Code::Timeout, message).into());
            }
            (Era::Session, None) => {
                rounds += 1;
                let deadline = *deadline.get_or_insert_with(|| Instant::now() + PATIENCE);
                let given = asking::ask(handler, context, questions, deadline).await?;
                answers = Some(Answers {
                    given,
                    state: Some(state),
                });
            }
        }
    }
}

pub(crate) fn era(context: &RequestContext<RoleServer>) -> Era {
    match context.protocol_version() {
        Some(version) if version >= ProtocolVersion::V_2026_07_28 => Era::Stateless,
        _ => Era::Session,
    }
}

fn ctx(handler: &Handler, context: &RequestContext<RoleServer>) -> Ctx {
    let client = context.meta.client_info().or_else(|| {
        let peer = context.peer.peer_info();
        peer.map(|info| info.client_info.clone())
    });
    let shared = &handler.shared;
    let id = CallId::fresh(&*shared.clock, &*shared.entropy);
    Ctx {
        cancel: context.ct.clone(),
        client: client.map(|client| format!("{} {}", client.name, client.version)),
        client_can: asking::client_can(context),
        ..Ctx::new(id, shared.clock.now())
    }
}

/// What a stateless client brought; `None` when the call comes for the first time.
fn open(
    handler: &Handler,
    subject: &Subject,
    brought: Brought,
) -> Result<Option<Answers>, ErrorData> {
    if brought.responses.is_none() && brought.state.is_none() {
        return Ok(None);
    }
    let shared = &handler.shared;
    let opened = brought.state.map(|sealed| {
        let state = shared.states.open(&sealed, subject, shared.clock.now());
        state.ok_or_else(|| {
            let message = "The requestState is not this server's, not of this very request, or too old. Send the request again without it.";
            ErrorData::invalid_params(message, None)
        })
    });
    Ok(Some(Answers {
        state: opened.transpose()?,
        given: asking::given(brought.responses.unwrap_or_default())?,
    }))
}

fn sealed(
    handler: &Handler,
    subject: &Subject,
    questions: InputRequests,
    state: &RequestState,
) -> Result<InputRequiredResult, ErrorData> {
    let mut requests = rmcp::model::InputRequests::new();
    for (key, question) in questions {
        let request = asking::request(handler, question)?;
        requests.insert(key, request);
    }
    let shared = &handler.shared;
    let sealed = shared.states.seal(state, subject, shared.clock.now());
    let sealed = sealed.map_err(|error| {
        tracing::error!(%error, "a request state cannot be sealed");
        ErrorData::internal_error("The server failed. Its log has the cause.", None)
    })?;
    let requests = (!requests.is_empty()).then_some(requests);
    Ok(InputRequiredResult::new(requests, Some(sealed)))
}
