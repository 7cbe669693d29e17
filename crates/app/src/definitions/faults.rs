//! Why a definition was refused.

use crate::problems::{Problem, fault_of};
use quaymaster_core::{Code, Fault};

pub(super) fn no_such(key: &str) -> Fault {
    let shown = quaymaster_core::schema::shorten(key);
    Fault::new(
        Code::UnknownService,
        format!("The organization has no connector {shown:?} of its own."),
    )
}

pub(super) fn taken(key: &str) -> Fault {
    Fault::new(
        Code::AlreadyExists,
        format!("There is a connector {key:?} already."),
    )
    .hint("Choose another key, so that no definition takes over the accounts of another.")
}

pub(super) fn wrong(problems: &[Problem]) -> Fault {
    fault_of("definition", problems).hint("details.problems has each with its line and column.")
}
