//! Steps for each item of a list.

use super::Frame;
use super::list::{Ended, Scope};
use crate::fault::{RunFault, StepFault};
use crate::format::{ForEach, OnItemError};
use crate::host::{Mark, Recalled};
use futures_util::stream::{self, StreamExt as _};
use serde_json::{Value, json};

/// Items, unless the flow says otherwise.
const ITEMS: u32 = 1_000;
/// Items at the same time, unless the step says otherwise.
const AT_ONCE: u32 = 8;

impl Frame<'_> {
    pub(super) async fn for_each(
        &self,
        each: &ForEach,
        path: &str,
        scope: &Scope,
    ) -> Result<Value, RunFault> {
        let list = self.at_step(path, self.value(&each.r#in, &scope.context).await)?;
        let Value::Array(items) = list else {
            let fault = StepFault::flow("What `in` of the loop says is no list.")
                .hint("jq makes a list of several values by `[ … ]`, and of nothing by `// []`.");
            return Err(self.at(path, fault));
        };
        let most = self.flow.limits.items.unwrap_or(ITEMS) as usize;
        if items.len() > most {
            let fault = StepFault::flow(format!(
                "The list of the loop has {} items; at most {most} are possible.",
                items.len()
            ))
            .hint("Ask for less, or raise `limits.items`.");
            return Err(self.at(path, fault));
        }
        let count = items.len();
        let at_once = each.concurrency.unwrap_or(AT_ONCE).max(1) as usize;
        let turns = items
            .into_iter()
            .enumerate()
            .map(|(index, item)| async move {
                (index, self.turn(each, path, index, item, scope).await)
            });
        let mut running = stream::iter(turns).buffer_unordered(at_once);
        let mut outputs = vec![Value::Null; count];
        let mut failed = 0_u32;
        let mut held = 0;
        while let Some((index, turn)) = running.next().await {
            outputs[index] = match turn {
                Ok(value) => {
                    held += self.at_step(path, self.run.budget.hold(&value))?;
                    json!({ "value": value })
                }
                // Those that run are dropped with the stream.
                Err(fault) if each.on_item_error == OnItemError::Stop => return Err(fault),
                Err(fault) => {
                    failed += 1;
                    json!({ "error": fault.to_value() })
                }
            };
        }
        // The step holds the whole from here on.
        self.run.budget.release(held);
        Ok(json!({ "items": outputs, "failed": failed }))
    }

    /// One item: its value, which the journal keeps.
    async fn turn(
        &self,
        each: &ForEach,
        path: &str,
        index: usize,
        item: Value,
        around: &Scope,
    ) -> Result<Value, RunFault> {
        let path = format!("{path}[{index}]");
        let host = self.run.host;
        if self.run.durable
            && let Recalled::Done(value) = self.at_step(&path, host.recall(&path).await)?
        {
            return Ok(value);
        }
        let mut context = around.context.clone();
        context.set(&each.r#as, item);
        context.set("index", Value::from(index));
        let mut scope = Scope::new(context, format!("{path}."));
        let value = self.turned(each, &path, &mut scope).await;
        self.run.budget.release(scope.held);
        let value = value?;
        self.at_step(
            &path,
            host.record(&path, Mark::Done { output: &value }).await,
        )?;
        Ok(value)
    }

    async fn turned(
        &self,
        each: &ForEach,
        path: &str,
        scope: &mut Scope,
    ) -> Result<Value, RunFault> {
        let ended = self.list(&each.r#do, &format!("{path}.do"), scope).await?;
        let (Ended::Went(last) | Ended::Returned(last)) = ended;
        match &each.r#yield {
            Some(program) => self.at_step(path, self.value(program, &scope.context).await),
            None => Ok(last),
        }
    }
}
