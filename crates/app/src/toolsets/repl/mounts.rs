//! Files that a session sees besides its own: scripts of skills at `/mnt/skills/<id>/`, and memory at `/mnt/memory`.

use crate::App;
use quaymaster_core::schema::shorten;
use quaymaster_core::{Caller, Fault};
use quaymaster_sandbox::Mount;

/// The folders of the skills that a call asks for. An unknown one is NOT_FOUND, before anything runs.
pub(super) fn of(_app: &App, _caller: &Caller, skills: &[String]) -> Result<Vec<Mount>, Fault> {
    match skills.first() {
        None => Ok(Vec::new()),
        Some(unknown) => {
            let shown = shorten(unknown);
            Err(Fault::not_found(format!("There is no skill {shown:?}."))
                .hint("List the resources to see which skills there are."))
        }
    }
}
