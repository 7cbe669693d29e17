//! Who may: an extractor for each kind of caller, so that a handler's signature says it.

use crate::error::ApiError;
use crate::state::ApiState;
use axum::extract::{ConnectInfo, FromRequestParts};
use http::header::AUTHORIZATION;
use http::request::Parts;
use quaymaster_app::memory::{Reader, Writer};
use quaymaster_app::{Actor, Admin};
use quaymaster_core::caller::{Presented, Reach, Side};
use quaymaster_core::{Caller, Code, Door as _, Fault, Grant, ManagementName, Scope};
use secrecy::SecretString;
use std::net::SocketAddr;

/// A member of an organization: an API key with the scope `admin`, acting as its user.
pub(crate) struct Person(pub(crate) Actor);

/// A [`Person`] who administers the organization.
pub(crate) struct Administrator(pub(crate) Admin);

/// An API key with the scope `connector:gateway`, and the person whom it acts as. Only ever [`Within`].
pub(crate) struct Gateway(pub(crate) Caller, pub(crate) Actor);

/// The same, also with an API key of single workspaces. What is not of these is not there for it: `App`
/// sees to that, for what a handler finds by the [`Actor`] and for the workspaces that it names.
pub(crate) struct Within<T>(pub(crate) T);

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

impl FromRequestParts<ApiState> for Within<Person> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        if let Some(key) = header(parts, SERVICE_KEY) {
            let org = header(parts, "x-org-id");
            let actor = state.app.actor_of_service(&key, org.as_deref()).await?;
            return Ok(Within(Person(actor)));
        }
        let caller = admit_any(parts, state).await?;
        Ok(Within(Person(state.app.actor_of_caller(&caller).await?)))
    }
}

impl FromRequestParts<ApiState> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let Within(Person(actor)) = Within::<Person>::from_request_parts(parts, state).await?;
        whole(&actor.reach)?;
        Ok(Person(actor))
    }
}

impl FromRequestParts<ApiState> for Within<Administrator> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let Within(Person(actor)) = Within::<Person>::from_request_parts(parts, state).await?;
        Ok(Within(Administrator(actor.admin()?)))
    }
}

impl FromRequestParts<ApiState> for Administrator {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let Person(actor) = Person::from_request_parts(parts, state).await?;
        Ok(Administrator(actor.admin()?))
    }
}

impl FromRequestParts<ApiState> for Within<Gateway> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, ApiError> {
        let caller = admit_any(parts, state).await?;
        caller.needs(Scope::ConnectorGateway)?;
        let actor = state.app.actor_behind(&caller).await?;
        Ok(Within(Gateway(caller, actor)))
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

async fn admit_any(parts: &Parts, state: &ApiState) -> Result<Caller, ApiError> {
    Ok(state.app.admit(presented(parts)).await?)
}

async fn admit(parts: &Parts, state: &ApiState) -> Result<Caller, ApiError> {
    let caller = admit_any(parts, state).await?;
    whole(&caller.reach)?;
    Ok(caller)
}

fn whole(reach: &Reach) -> Result<(), Fault> {
    if reach.is_whole() {
        return Ok(());
    }
    Err(Fault::new(
        Code::Forbidden,
        "This key is good for single workspaces, and this is of the whole organization.",
    )
    .called(ManagementName::AuthScopeDenied)
    .hint("Use a key of the organization."))
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
