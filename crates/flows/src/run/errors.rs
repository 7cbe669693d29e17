//! What becomes of a step that failed for good.

use super::Frame;
use super::list::{Ended, Scope};
use crate::fault::RunFault;
use crate::format::{OnError, Step};
use serde_json::json;

impl Frame<'_> {
    pub(super) async fn handled(
        &self,
        step: &Step,
        path: &str,
        fault: RunFault,
        scope: &mut Scope,
    ) -> Result<Ended, RunFault> {
        match &step.on_error {
            None | Some(OnError::Fail) => Err(fault),
            Some(OnError::Continue) => Ok(Ended::Went(json!({ "error": fault.to_value() }))),
            Some(OnError::Do(steps)) => {
                let before = scope.context.named("error").cloned();
                scope.context.set("error", fault.to_value());
                let ended = self
                    .list(steps, &format!("{path}.on_error.do"), scope)
                    .await;
                match before {
                    Some(error) => scope.context.set("error", error),
                    None => scope.context.unset("error"),
                }
                ended
            }
        }
    }
}
