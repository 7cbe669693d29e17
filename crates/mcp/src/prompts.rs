//! Prompts, and completion of what is typed as an argument.

use crate::calls::{self, Answered, Failure};
use crate::convert::{TTL_MS, block, refusal};
use crate::handler::Handler;
use crate::state::Subject;
use quaymaster_core::ask::Role;
use quaymaster_core::door::{Listed, Offers};
use quaymaster_core::prompt::{Completed, Completing, PromptCall, PromptDef, PromptResult};
use rmcp::RoleServer;
use rmcp::model::{
    CacheScope, CompleteRequestParams, CompleteResult, CompletionInfo, ErrorData,
    GetPromptRequestParams, GetPromptResponse, GetPromptResult, ListPromptsResult,
    PaginatedRequestParams, Prompt, PromptArgument, PromptMessage, Reference,
};
use rmcp::service::RequestContext;
use std::sync::Arc;

fn offered(offers: Offers) -> bool {
    offers.prompts
}

pub(crate) async fn list(
    handler: &Handler,
    request: Option<PaginatedRequestParams>,
    context: &RequestContext<RoleServer>,
) -> Result<ListPromptsResult, ErrorData> {
    let caller = handler.offered(context, "prompts", offered)?;
    let cursor = request.and_then(|request| request.cursor);
    let listed = handler.shared.door.prompts(&caller, cursor.as_deref());
    let Listed { items, next } = listed.await.map_err(|fault| refusal(&fault))?;
    let mut answer = ListPromptsResult::with_all_items(items.into_iter().map(prompt).collect());
    answer.next_cursor = next;
    answer.ttl_ms = Some(TTL_MS);
    answer.cache_scope = Some(CacheScope::Private);
    Ok(answer)
}

pub(crate) async fn get(
    handler: &Handler,
    request: GetPromptRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<GetPromptResponse, ErrorData> {
    let subject = Subject {
        caller: handler.offered(context, "prompts", offered)?,
        method: "prompts/get",
        name: request.name,
        args: Arc::new(request.arguments.unwrap_or_default()),
    };
    let brought = calls::Brought {
        responses: request.input_responses,
        state: request.request_state,
    };
    let answered = calls::answered(handler, context, &subject, brought, |round| {
        let call = PromptCall {
            prompt: subject.name.clone(),
            args: subject.args.clone(),
            source: round.source,
            answers: round.answers,
            ctx: round.ctx,
        };
        handler.shared.door.prompt(&subject.caller, call)
    });
    match answered.await {
        Ok(Answered::Done(filled)) => Ok(result(filled).into()),
        Ok(Answered::Asks(questions)) => Ok(questions.into()),
        Err(Failure::Fault(fault)) => Err(refusal(&fault)),
        Err(Failure::Protocol(error)) => Err(error),
    }
}

pub(crate) async fn complete(
    handler: &Handler,
    request: CompleteRequestParams,
    context: &RequestContext<RoleServer>,
) -> Result<CompleteResult, ErrorData> {
    let caller = handler.offered(context, "completions", |offers| offers.completions)?;
    let of = match request.r#ref {
        Reference::Prompt(prompt) => Completed::Prompt(prompt.name),
        Reference::Resource(template) => Completed::Template(template.uri),
        _ => {
            return Err(ErrorData::invalid_params(
                "The ref is of no known type.",
                None,
            ));
        }
    };
    let others = request.context.and_then(|context| context.arguments);
    let completing = Completing {
        of,
        argument: request.argument.name,
        typed: request.argument.value,
        others: others.unwrap_or_default().into_iter().collect(),
    };
    let completion = handler.shared.door.complete(&caller, completing);
    let completion = completion.await.map_err(|fault| refusal(&fault))?;
    let mut info = CompletionInfo::default();
    let known = completion.values.len();
    info.values = completion.values;
    info.values.truncate(CompletionInfo::MAX_VALUES);
    let told = info.values.len();
    info.total = completion.total;
    info.has_more = Some(told < known || completion.total.is_some_and(|all| told < all as usize));
    Ok(CompleteResult::new(info))
}

fn prompt(def: PromptDef) -> Prompt {
    let arguments = def.arguments.into_iter().map(|argument| {
        let mut converted = PromptArgument::new(argument.name).with_required(argument.required);
        converted.description = argument.description;
        converted
    });
    let mut prompt = Prompt::new(def.name, def.description, Some(arguments.collect()));
    prompt.title = def.title;
    prompt
}

fn result(filled: PromptResult) -> GetPromptResult {
    let messages = filled.messages.into_iter().map(|message| {
        let role = match message.role {
            Role::User => rmcp::model::Role::User,
            Role::Assistant => rmcp::model::Role::Assistant,
        };
        PromptMessage::new(role, block(message.content))
    });
    let mut result = GetPromptResult::new(messages.collect());
    result.description = filled.description;
    result
}
