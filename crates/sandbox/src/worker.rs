//! A worker's side: the process that the server starts, from its first instruction.

use crate::extract;
use crate::forks::Origin;
use crate::frame;
use crate::isolation::Failure;
use crate::javascript;
use crate::jq;
use crate::lock;
use crate::message::FromWorker;
use crate::python;
use crate::sqlite;
use crate::sys;
use serde::Serialize;
use std::convert::Infallible;
use std::ffi::OsString;
use std::fs::File;
use std::io::Write as _;
use std::rc::Rc;

/// The first argument of a worker; the kind of worker and the server's process id follow.
pub(crate) const MARK: &str = "__worker";
/// The last argument of a process that workers are copies of.
pub(crate) const FORKS: &str = "forks";
pub(crate) const JAVASCRIPT: &str = "js";
pub(crate) const EXTRACT: &str = "extract";
pub(crate) const JQ: &str = "jq";
pub(crate) const PYTHON: &str = "python";
pub(crate) const SQLITE: &str = "sqlite";

/// Whether these arguments, the program's name among them, are those of a worker. Then
/// [`main`] is to be called before there is another thread.
pub fn is_meant(mut args: impl Iterator<Item = OsString>) -> bool {
    args.nth(1).is_some_and(|arg| arg == MARK)
}

/// Does a worker's work, and ends the process.
pub fn main(args: impl Iterator<Item = OsString>) -> ! {
    main_with(args, None)
}

/// A worker whose programs have more globals: for the crate's own tests.
#[doc(hidden)]
pub fn main_with(
    args: impl Iterator<Item = OsString>,
    extra: Option<fn(&rquickjs::Ctx<'_>) -> rquickjs::Result<()>>,
) -> ! {
    // What panics in a worker is of no use to anybody, and its message may be a stranger's text.
    std::panic::set_hook(Box::new(|_| std::process::abort()));
    let args: Vec<String> = args
        .skip(2)
        .filter_map(|arg| arg.into_string().ok())
        .collect();
    let (kind, parent, is_to_be_copied) =
        match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            [kind @ (JAVASCRIPT | EXTRACT | JQ | SQLITE), parent, FORKS] => (kind, parent, true),
            [kind @ PYTHON, parent] => (kind, parent, false),
            _ => {
                // Started by hand: there is no server to tell.
                eprintln!("error: workers are started by the server");
                std::process::exit(2)
            }
        };
    let origin = Origin::new(parent.parse().unwrap_or(0), is_to_be_copied);
    let connection = Rc::new(sys::connection());
    let work = |()| -> Result<Infallible, Failure> {
        match kind {
            EXTRACT => extract::work(&connection, &origin),
            JQ => jq::worker::work(&connection, &origin),
            PYTHON => python::work(&connection, origin.parent),
            SQLITE => sqlite::worker::work(&connection, &origin),
            _ => javascript::work(&connection, &origin, extra),
        }
    };
    let Err(failure) = lock::begin(origin.parent).and_then(work);
    // What fails before there are copies is told by each of them.
    let failure = origin.copy().err().unwrap_or(failure);
    say(&connection, &FromWorker::Failed(failure));
    std::process::exit(1)
}

/// Tells the server something. One that is not there any more ends the worker anyway.
pub(crate) fn say(mut connection: &File, message: &impl Serialize) {
    let mut bytes = Vec::new();
    if frame::append(&mut bytes, message).is_ok() {
        let _ = connection.write_all(&bytes);
    }
}
