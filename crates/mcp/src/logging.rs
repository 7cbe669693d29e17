//! Which lines of a call's log a client wants: all sessions say it once, each stateless request for
//! itself. Nobody gets any unasked, or from a door that writes none.

use crate::handler::Handler;
use quaymaster_core::Caller;
use quaymaster_core::log::Level;
use quaymaster_core::tool::Era;
use rmcp::RoleServer;
use rmcp::model::ErrorData;
use rmcp::service::RequestContext;

/// The key of a stateless request's wish in its `_meta`.
const LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";

pub(crate) fn wanted(
    handler: &Handler,
    caller: &Caller,
    era: Era,
    context: &RequestContext<RoleServer>,
) -> Option<Level> {
    let level = match era {
        Era::Session => handler.wishes.get()?.level()?,
        Era::Stateless => Level::by_name(context.meta.get(LOG_LEVEL)?.as_str()?)?,
    };
    let offers = handler.shared.door.about(caller).offers;
    offers.logging.then_some(level)
}

pub(crate) fn set_level(
    handler: &Handler,
    level: &str,
    context: &RequestContext<RoleServer>,
) -> Result<(), ErrorData> {
    handler.offered(context, "logging", |offers| offers.logging)?;
    let level = Level::by_name(level).ok_or_else(|| {
        ErrorData::invalid_params("The level is none of the protocol's eight.", None)
    })?;
    handler.wishes().set_level(level);
    Ok(())
}
