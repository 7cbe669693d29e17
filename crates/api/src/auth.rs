//! Who may: an extractor for each kind of caller, so that a handler's signature says it.

use crate::error::ApiError;
use crate::state::ApiState;
use axum::extract::{ConnectInfo, FromRequestParts};
use http::header::AUTHORIZATION;
use http::request::Parts;
use quaymaster_app::memory::{Reader, Writer};
use quaymaster_app::{Actor, Admin};
use quaymaster_core::caller::{Presented, Side};
use quaymaster_core::{Caller, Code, Door as _, Fault, Grant, Scope};
use secrecy::SecretString;
use std::net::SocketAddr;

/// A member of an organization: an API key with the scope `admin`, acting as its user.
pub(crate) struct Person(pub(crate) Actor);

/// A [`Person`] who administers the organization.
pub(crate) struct Administrator(pub(crate) Admin);

/// An API key with the scope `connector:gateway`, and the person whom it acts as.
pub(crate) struct Gateway(pub(crate) Caller, pub(crate) Actor);

/// The header of the operator's own backend, not yet checked.
pub(crate) struct ServiceKey(pub(crate) String);

/// An API key with the scope `read:data`: the memory of its person and organization.
pub(crate) struct MemoryReader(pub(crate) Reader);

/// A [`MemoryReader`] whose key also has the scope `write:tools`.
pub(crate) struct MemoryWriter(pub(crate) Writer);

const SERVICE_KEY: &str = "x-service-key";

impl FromRequestParts<ApiState> for ServiceKey {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, ApiError> {
        let fault = || {
            Fault::new(
                Code::Unauthenticated,
                "This needs the header X-Service-Key.",
            )
        };
        Ok(ServiceKey(header(parts, SERVICE_KEY).ok_or_else(fault)?))
    }
}

fn header(parts: &Parts, name: &str) -> Option<String> {
    let value = parts.headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Any credential with the scope `chat`.
pub(crate) struct ToolCaller(pub(crate) Caller);

impl FromRequestParts<ApiState> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        if let Some(key) = header(parts, SERVICE_KEY) {
            let org = header(parts, "x-org-id");
            return Ok(Person(
                state.app.actor_of_service(&key, org.as_deref()).await?,
            ));
        }
        let caller = admit(parts, state).await?;
        Ok(Person(state.app.actor_of_caller(&caller).await?))
    }
}

impl FromRequestParts<ApiState> for Administrator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let Person(actor) = Person::from_request_parts(parts, state).await?;
        Ok(Administrator(actor.admin()?))
    }
}

impl FromRequestParts<ApiState> for Gateway {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let caller = admit(parts, state).await?;
        caller.needs(Scope::ConnectorGateway)?;
        let actor = state.app.actor_behind(&caller).await?;
        Ok(Gateway(caller, actor))
    }
}

impl FromRequestParts<ApiState> for MemoryReader {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let caller = admit(parts, state).await?;
        caller.needs(Scope::ReadData)?;
        has_memory(&caller, "read_memory")?;
        let actor = state.app.actor_behind(&caller).await?;
        Ok(MemoryReader(Reader::of_actor(&actor)))
    }
}

impl FromRequestParts<ApiState> for MemoryWriter {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let caller = admit(parts, state).await?;
        caller.needs(Scope::ReadData)?;
        has_memory(&caller, "write_memory")?;
        caller.needs(Scope::WriteTools)?;
        let actor = state.app.actor_behind(&caller).await?;
        Ok(MemoryWriter(Writer::of_actor(&actor)))
    }
}

impl FromRequestParts<ApiState> for ToolCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let caller = admit(parts, state).await?;
        caller.needs(Scope::Chat)?;
        Ok(ToolCaller(caller))
    }
}

/// A credential that was given other toolsets, or not the tool that does the same, reaches no memory by
/// this way either.
fn has_memory(caller: &Caller, tool: &str) -> Result<(), Fault> {
    if caller.has(&Grant::Memory) && caller.picks(tool) {
        return Ok(());
    }
    let why = format!("The credential was not given the tool {tool} of the toolset memory.");
    Err(Fault::new(Code::Forbidden, why).hint("Use one that has it."))
}

async fn admit(parts: &Parts, state: &ApiState) -> Result<Caller, ApiError> {
    Ok(state.app.admit(presented(parts)).await?)
}

fn presented(parts: &Parts) -> Presented {
    let bearer = parts
        .headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| SecretString::from(token.trim().to_owned()));
    let org = parts.headers.get("x-org-id").map(|value| {
        // What is no text names no organization, and must not pass as absent.
        String::from_utf8_lossy(value.as_bytes()).into_owned()
    });
    let address = parts.extensions.get::<ConnectInfo<SocketAddr>>();
    Presented {
        // An OAuth access token is for the MCP endpoint and no other.
        audience: None,
        side: Side::default(),
        bearer,
        // Nothing here is taken from an address.
        in_url: Vec::new(),
        org,
        address: address.map(|ConnectInfo(address)| address.ip()),
    }
}
