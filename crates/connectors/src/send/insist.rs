//! One request, as often as it takes and may be sent.

use super::answer::{self, Read};
use super::{Failure, FailureKind, Options, Sender, Sending, USUAL_TIMEOUT, failure, wait};
use crate::definition::Definition;
use crate::request::Built;
use quaymaster_egress::{EgressError, Response};
use std::time::{Duration, Instant};

impl Sender {
    /// Waits until the limits that the service documents have room, and answers how long that was.
    /// `waited` is what the call has waited before.
    pub(crate) async fn take_turn(
        &self,
        connection: &str,
        definition: &Definition,
        module: Option<&str>,
        options: &Options,
        waited: Duration,
    ) -> Result<Duration, Failure> {
        let mut own = Duration::ZERO;
        loop {
            let now = Instant::now();
            let taken = self
                .limits
                .take(connection, &definition.rate_limits, module, now);
            let Err(wait) = taken else {
                return Ok(own);
            };
            if waited + own + wait > options.max_wait {
                return Err(Failure::too_many(definition, wait));
            }
            own += wait;
            tokio::time::sleep(wait).await;
        }
    }

    /// What a request may take, as the definition says.
    pub(crate) fn usual_timeout(definition: &Definition) -> Duration {
        let seconds = definition.defaults.timeout_s.unwrap_or(USUAL_TIMEOUT);
        Duration::from_secs(u64::from(seconds))
    }
}

impl Sending<'_> {
    /// Sends until there is a good answer, or none is to be had.
    pub(super) async fn insist(&mut self, built: &Built) -> Result<(Response, Read), Failure> {
        let definition = self.definition().clone();
        let retry = &definition.defaults.retry;
        let mut tries = 0;
        loop {
            self.take_turn().await?;
            let (failure, wait) = match self.exchange(built).await {
                Err(error) => {
                    let again = error.retryable() && !matches!(error, EgressError::Timeout { .. });
                    let failure = Failure::unanswered(error, self.is_safe);
                    (failure, again.then(|| self.backoff(tries)))
                }
                Ok(response) => match self.judge(&response) {
                    Ok(read) => return Ok((response, read)),
                    Err(rejected) => {
                        let (failure, asked, again) = *rejected;
                        let again = again || retry.statuses.contains(&response.status.as_u16());
                        (
                            failure,
                            again.then(|| asked.unwrap_or_else(|| self.backoff(tries))),
                        )
                    }
                },
            };
            let goes_on = wait.filter(|wait| {
                self.is_safe
                    && tries < retry.max
                    && failure.kind != FailureKind::Auth
                    && self.waited + *wait <= self.options.max_wait
            });
            let Some(wait) = goes_on else {
                return Err(Failure {
                    retries: self.retries,
                    ..failure
                });
            };
            tries += 1;
            self.retries += 1;
            self.pause(wait).await;
        }
    }

    fn backoff(&self, tries: u32) -> Duration {
        self.options.backoff.saturating_mul(1 << tries.min(8))
    }

    async fn pause(&mut self, wait: Duration) {
        self.waited += wait;
        tokio::time::sleep(wait).await;
    }

    /// Waits until the limits that the service documents have room.
    async fn take_turn(&mut self) -> Result<(), Failure> {
        let definition = self.definition().clone();
        let module = self.known.and_then(|known| {
            let mut modules = definition.modules.iter();
            modules
                .find(|(_, module)| std::ptr::eq(*module, known.module))
                .map(|(key, _)| key.as_str())
        });
        let turn = self.sender.take_turn(
            self.connection,
            &definition,
            module,
            self.options,
            self.waited,
        );
        self.waited += turn.await?;
        Ok(())
    }

    /// Reads a response: a good answer, or a failure with how long to wait before the next try, and
    /// whether the definition says that there is sense in one.
    fn judge(&self, response: &Response) -> Result<Read, Box<(Failure, Option<Duration>, bool)>> {
        let definition = self.definition();
        let binary = self.known.is_some_and(|known| known.action.response.binary);
        let Response {
            status,
            headers,
            body,
            ..
        } = response;
        let read = answer::read(*status, headers, body, binary, &self.redactor)
            .map_err(|fault| Box::new((Failure::unreadable(fault, *status), None, false)))?;
        let Some(refusal) = failure::refusal(definition, *status, &read) else {
            return Ok(read);
        };
        let retry = &definition.defaults.retry;
        let asked = wait::asked(headers, read.json(), retry, self.sender.clock.now());
        let again = refusal.is_passing || asked.is_some_and(|asked| asked.is_limit);
        let failure = refusal.failure(definition, asked, self.is_safe, &self.redactor);
        Err(Box::new((failure, asked.map(|asked| asked.wait), again)))
    }
}
