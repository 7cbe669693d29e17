//! Sign-ins on another device: asking whether they are done.

use super::authorizing::no_longer;
use super::tokens;
use crate::App;
use quaymaster_connectors::oauth::{PATIENCE, ProblemKind};
use quaymaster_core::Fault;
use quaymaster_core::id::AuthorizationId;
use quaymaster_store::authorization::{Authorization, Flow};

/// What a server that is asked too often wants more between two polls (RFC 8628 §3.5).
const SLOWER: i64 = 5;
const SLOWEST: i64 = 120;

impl App {
    /// Asks the service whether somebody has signed in on another device, as often as it may be
    /// asked, and makes the connection when they have. Answers the sign-in as it is then.
    pub async fn poll_authorization(&self, id: &AuthorizationId) -> Result<Authorization, Fault> {
        let found = self.store.authorization(id).await?.ok_or_else(no_longer)?;
        let now = self.now();
        let due = |device: &quaymaster_store::authorization::Device| device.poll_after <= now;
        let is_due = found.flow == Flow::Device
            && found.used_at.is_none()
            && found.expires_at > now
            && found.device.as_ref().is_some_and(due);
        if !is_due {
            return Ok(found);
        }
        let app = self.clone();
        let polling = self
            .tasks
            .spawn(async move { Box::pin(app.poll(found)).await });
        polling.await.map_err(|_| Fault::internal())??;
        self.store.authorization(id).await?.ok_or_else(no_longer)
    }

    async fn poll(&self, found: Authorization) -> Result<(), Fault> {
        let id = found.id.clone();
        let interval = found.device.as_ref().map_or(SLOWER, |one| one.interval);
        let now = self.now();
        // Nobody else asks before this one has its answer.
        let patience = i64::try_from(PATIENCE.as_secs()).unwrap_or(30) + interval;
        let mut tx = self.store.begin().await?;
        if !tx.take_poll(&id, now, now.plus_seconds(patience)).await? {
            return Ok(());
        }
        tx.commit().await?;
        let underway = self.underway(found).await?;
        let Some(code) = underway.secrets.get(tokens::DEVICE_CODE) else {
            return Err(Fault::internal());
        };
        let asked = underway.server(self)?.poll(code).await;
        let interval = match &asked {
            Err(problem) if problem.kind == ProblemKind::SlowDown => {
                (interval + SLOWER).min(SLOWEST)
            }
            _ => interval,
        };
        let mut tx = self.store.begin().await?;
        let goes_on = match &asked {
            Ok(_) => false,
            Err(problem) => matches!(
                problem.kind,
                ProblemKind::Pending | ProblemKind::SlowDown | ProblemKind::Down
            ),
        };
        if goes_on {
            let next = self.now().plus_seconds(interval);
            tx.set_poll(&id, interval, next).await?;
        } else if !tx.use_authorization(&id, now).await? {
            return Ok(());
        }
        tx.commit().await?;
        match asked {
            Ok(tokens) => {
                let settled = self.settle(underway, tokens).await;
                if let Err(fault) = settled {
                    self.end(&id, &fault.message).await;
                }
            }
            Err(problem) if !goes_on => self.end(&id, &problem.fault.message).await,
            Err(_) => {}
        }
        Ok(())
    }
}
