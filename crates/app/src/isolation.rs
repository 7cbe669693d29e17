//! How well this machine shuts in what agents write: tried when the server starts, told by `/health` and on a page.

use crate::App;
use quaymaster_sandbox::{Failure, Probed, PythonProbed, probe};

/// What came of trying.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tried {
    pub javascript: Result<Probed, Failure>,
    pub python: Result<PythonProbed, Failure>,
}

impl App {
    /// Shuts in a worker and a session of Python, and lets both go again. Done once.
    pub async fn try_isolation(&self) -> &Tried {
        let tried = self.isolation.get_or_init(|| async {
            Tried {
                javascript: probe().await,
                python: self.python.sessions.probe().await,
            }
        });
        tried.await
    }

    /// What came of it, once it was tried.
    pub fn isolation(&self) -> Option<&Tried> {
        self.isolation.get()
    }
}

/// For an operator, what holds JavaScript. An error says what to do.
pub fn told_of_javascript(tried: &Result<Probed, Failure>) -> Result<String, String> {
    tried.as_ref().map(ToString::to_string).map_err(|failure| {
        format!(
            "programs cannot be shut in, so that none is run ({failure}). {}",
            failure.fix()
        )
    })
}

/// The same of Python.
pub fn told_of_python(tried: &Result<PythonProbed, Failure>) -> Result<String, String> {
    tried.as_ref().map(ToString::to_string).map_err(|failure| {
        format!(
            "repl_execute answers SANDBOX_UNAVAILABLE ({failure}). {}",
            failure.fix()
        )
    })
}
