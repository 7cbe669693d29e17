//! How a step fails, and with it a run.

use quaymaster_core::{Code, Fault};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::time::Duration;

/// A failure of a step. Expressions see it as `{step, code, message, status, retryable, hint,
/// details}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepFault {
    pub code: Code,
    pub message: String,
    /// What an outside service answered. None with `UPSTREAM_ERROR`: no answer came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Whether the same may succeed later.
    pub retryable: bool,
    /// How long the service asks to wait.
    #[serde(skip)]
    pub retry_after: Option<Duration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
}

impl StepFault {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        StepFault {
            code,
            message: message.into(),
            status: None,
            retryable: code.retryable(),
            retry_after: None,
            hint: None,
            details: None,
        }
    }

    /// `FLOW_ERROR`: the flow itself is wrong, or goes over a limit.
    pub fn flow(message: impl Into<String>) -> Self {
        StepFault::new(Code::FlowError, message)
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Of a fault's details, `upstream_status` and `retry_after_s` are known.
impl From<Fault> for StepFault {
    fn from(fault: Fault) -> Self {
        let number = |key: &str| fault.details.as_ref()?.get(key)?.as_u64();
        StepFault {
            code: fault.code,
            status: number("upstream_status").and_then(|status| u16::try_from(status).ok()),
            retry_after: number("retry_after_s").map(Duration::from_secs),
            message: fault.message,
            retryable: fault.retryable,
            hint: fault.hint,
            details: fault.details,
        }
    }
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq)]
pub struct RunFault {
    /// The path of the step; empty when it was no step's fault.
    pub step: String,
    pub fault: StepFault,
    /// A `fail` of the flow itself says so.
    pub(crate) is_said: bool,
}

impl RunFault {
    /// As `.error` of expressions.
    pub fn to_value(&self) -> Value {
        let mut value = json!({
            "step": self.step,
            "code": self.fault.code.name(),
            "message": self.fault.message,
            "status": self.fault.status,
            "retryable": self.fault.retryable,
            "hint": self.fault.hint,
            "details": self.fault.details,
        });
        if let Some(map) = value.as_object_mut() {
            map.retain(|_, value| !value.is_null());
        }
        value
    }

    /// As whoever called the flow reads it: `details` has `step` and, where there was one,
    /// `upstream_status`.
    pub fn to_fault(&self) -> Fault {
        let mut fault = Fault::new(self.fault.code, self.fault.message.clone());
        fault.retryable = self.fault.retryable;
        fault.hint.clone_from(&self.fault.hint);
        let mut details = match self.fault.details.clone() {
            Some(Value::Object(details)) => details,
            Some(other) => Map::from_iter([("details".to_owned(), other)]),
            None => Map::new(),
        };
        if !self.step.is_empty() {
            details.insert("step".to_owned(), self.step.clone().into());
        }
        if let Some(status) = self.fault.status {
            details.insert("upstream_status".to_owned(), status.into());
        }
        if let Some(wait) = self.fault.retry_after {
            details.insert("retry_after_s".to_owned(), wait.as_secs().into());
        }
        if !details.is_empty() {
            fault.details = Some(Value::Object(details));
        }
        fault
    }
}
