//! What one run may use, all of its flows and loops together.

use crate::fault::StepFault;
use serde_json::Value;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};

/// Steps, unless the flow says otherwise.
const STEPS: u32 = 1_000;
/// Bytes of outputs that a run holds at the same time.
const HELD: usize = 64 << 20;

pub(super) struct Budget {
    most: u32,
    left: AtomicU32,
    held: AtomicUsize,
}

impl Budget {
    pub(super) fn new(steps: Option<u32>) -> Self {
        let most = steps.unwrap_or(STEPS);
        Budget {
            most,
            left: AtomicU32::new(most),
            held: AtomicUsize::new(0),
        }
    }

    /// One step begins.
    pub(super) fn step(&self) -> Result<(), StepFault> {
        let less = |left: u32| left.checked_sub(1);
        let left = self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        left.map(|_| ()).map_err(|_| {
            StepFault::flow(format!(
                "The flow has run {} steps, which is its limit.",
                self.most
            ))
            .hint("Look for a loop that has too much to do, or raise `limits.steps`.")
        })
    }

    pub(super) fn at_least(&self, steps: u32) {
        self.left.fetch_max(steps, Ordering::Relaxed);
    }

    /// An output is kept; answers its size.
    pub(super) fn hold(&self, output: &Value) -> Result<usize, StepFault> {
        let size = size(output);
        let held = self.held.fetch_add(size, Ordering::Relaxed);
        if held + size > HELD {
            return Err(StepFault::flow(format!(
                "The outputs of the flow's steps have more than {} MiB together, which is the limit.",
                HELD >> 20
            ))
            .hint("Ask services for less, or let a `for_each` keep only what is needed by `yield`."));
        }
        Ok(size)
    }

    pub(super) fn release(&self, size: usize) {
        let less = |held: usize| Some(held.saturating_sub(size));
        let _ = self
            .held
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }
}

/// Roughly what a value takes.
fn size(value: &Value) -> usize {
    const EACH: usize = 32;
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => EACH,
        Value::String(text) => EACH + text.len(),
        Value::Array(list) => EACH + list.iter().map(size).sum::<usize>(),
        Value::Object(map) => {
            let members = map
                .iter()
                .map(|(key, value)| EACH + key.len() + size(value));
            EACH + members.sum::<usize>()
        }
    }
}
