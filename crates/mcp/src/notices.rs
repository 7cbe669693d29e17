//! What a call tells its client before it answers: how far it is, and lines of its log.

use quaymaster_core::log::{Level, Log};
use quaymaster_core::tool::{Ctx, Progress};
use rmcp::model::{ProgressNotificationParam, ProgressToken, ServerNotification};
use rmcp::{Peer, RoleServer};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::sync::mpsc;

/// Notices of one call that wait to be sent. A call that tells more than its client reads loses
/// some; it never waits.
const MOST_WAITING: usize = 1_024;

enum Notice {
    Progress {
        done: u64,
        total: Option<u64>,
        message: String,
    },
    Line {
        level: Level,
        data: Value,
    },
}

/// Where a call writes.
struct Teller {
    least: Level,
    waiting: mpsc::Sender<Notice>,
}

impl Teller {
    fn tell(&self, notice: Notice) {
        if self.waiting.try_send(notice).is_err() {
            tracing::debug!("a notice of a call is lost");
        }
    }
}

impl Progress for Teller {
    fn report(&self, done: u64, total: Option<u64>, message: &str) {
        self.tell(Notice::Progress {
            done,
            total,
            message: message.to_owned(),
        });
    }
}

impl Log for Teller {
    fn write(&self, level: Level, data: Value) {
        if level >= self.least {
            self.tell(Notice::Line { level, data });
        }
    }
}

/// What a client wants to be told about one call.
pub(crate) struct Wanted {
    pub(crate) progress: Option<ProgressToken>,
    pub(crate) level: Option<Level>,
}

/// Notices of one call, sent in order by whoever waits for it.
pub(crate) struct Notices {
    token: Option<ProgressToken>,
    waiting: mpsc::Receiver<Notice>,
}

impl Notices {
    /// Gives the call what it writes to. `None` when the client wants nothing.
    pub(crate) fn wire(ctx: &mut Ctx, wanted: Wanted) -> Option<Notices> {
        if wanted.progress.is_none() && wanted.level.is_none() {
            return None;
        }
        let (sender, waiting) = mpsc::channel(MOST_WAITING);
        let teller = Arc::new(Teller {
            least: wanted.level.unwrap_or(Level::Emergency),
            waiting: sender,
        });
        if wanted.level.is_some() {
            ctx.log = Some(teller.clone());
        }
        if wanted.progress.is_some() {
            ctx.progress = Some(teller);
        }
        Some(Notices {
            token: wanted.progress,
            waiting,
        })
    }

    /// Waits for the call; what it tells goes out before its answer.
    pub(crate) async fn until<T>(
        mut self,
        mut answer: impl Future<Output = T> + Unpin,
        peer: &Peer<RoleServer>,
    ) -> T {
        let answer = loop {
            tokio::select! {
                answer = &mut answer => break answer,
                Some(notice) = self.waiting.recv() => self.send(notice, peer).await,
            }
        };
        while let Ok(notice) = self.waiting.try_recv() {
            self.send(notice, peer).await;
        }
        answer
    }

    async fn send(&self, notice: Notice, peer: &Peer<RoleServer>) {
        let sent = match notice {
            Notice::Progress {
                done,
                total,
                message,
            } => {
                let Some(token) = self.token.clone() else {
                    return;
                };
                let mut params =
                    ProgressNotificationParam::new(token, done as f64).with_message(message);
                if let Some(total) = total {
                    params = params.with_total(total as f64);
                }
                peer.notify_progress(params).await
            }
            Notice::Line { level, data } => match line(level, &data) {
                Ok(line) => peer.send_notification(line).await,
                Err(error) => {
                    tracing::warn!(%error, "a line of a log is not JSON");
                    return;
                }
            },
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "a notice was not sent");
        }
    }
}

/// Read from JSON, because `rmcp` deprecates its own types of logging.
fn line(level: Level, data: &Value) -> Result<ServerNotification, serde_json::Error> {
    let params = json!({ "level": level.name(), "data": data });
    serde_json::from_value(json!({ "method": "notifications/message", "params": params }))
}
