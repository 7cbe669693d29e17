//! Progress of a call, as notifications before its answer.

use quaymaster_core::tool::Progress;
use rmcp::model::{ProgressNotificationParam, ProgressToken};
use rmcp::{Peer, RoleServer};
use tokio::sync::mpsc;

/// Collects reports; whoever waits for the call sends them on, in order.
pub(crate) struct Reports {
    sender: mpsc::UnboundedSender<Report>,
}

pub(crate) struct Report {
    done: u64,
    total: Option<u64>,
    message: String,
}

impl Reports {
    pub(crate) fn channel() -> (Self, mpsc::UnboundedReceiver<Report>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Reports { sender }, receiver)
    }
}

impl Progress for Reports {
    fn report(&self, done: u64, total: Option<u64>, message: &str) {
        // Nobody waits any more: the call goes on all the same.
        let _ = self.sender.send(Report {
            done,
            total,
            message: message.to_owned(),
        });
    }
}

impl Report {
    pub(crate) async fn send(self, peer: &Peer<RoleServer>, token: &ProgressToken) {
        let mut params = ProgressNotificationParam::new(token.clone(), self.done as f64)
            .with_message(self.message);
        if let Some(total) = self.total {
            params = params.with_total(total as f64);
        }
        if let Err(error) = peer.notify_progress(params).await {
            tracing::debug!(%error, "progress was not sent");
        }
    }
}
