//! One row a tool call, queued and written in batches.
//!
//! Policy: the queue holds 8,192 rows. When it is full (the database is slow), calls wait for room,
//! at most two seconds; then the row is dropped and the log counts it. A crash loses at most the
//! last second of rows.

use crate::App;
use quaymaster_core::Instant;
use quaymaster_core::id::CredentialId;
use quaymaster_store::call::CallRow;
use std::collections::HashMap;
use std::time::Duration;
use tokio::sync::{Mutex, mpsc};

const QUEUE: usize = 8_192;
const BATCH: usize = 2_048;
const EVERY: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) struct Audit {
    sender: mpsc::Sender<CallRow>,
    receiver: Mutex<mpsc::Receiver<CallRow>>,
    touched: Mutex<HashMap<CredentialId, Instant>>,
}

impl Default for Audit {
    fn default() -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE);
        Audit {
            sender,
            receiver: Mutex::new(receiver),
            touched: Mutex::default(),
        }
    }
}

impl App {
    pub(crate) async fn audit(&self, row: CallRow) {
        let Err(full) = self.audit.sender.try_send(row) else {
            return;
        };
        let row = full.into_inner();
        if self.audit.sender.send_timeout(row, PATIENCE).await.is_err() {
            tracing::error!("the audit queue is full and a row was dropped");
        }
    }

    pub(crate) async fn write_audit(self) {
        loop {
            tokio::select! {
                () = tokio::time::sleep(EVERY) => {}
                () = self.stop.cancelled() => return,
            }
            self.flush_audit().await;
        }
    }

    /// Writes everything that is queued, also when nobody waits for it any more: whoever hangs up must not
    /// take rows along.
    pub async fn flush_audit(&self) {
        let app = self.clone();
        let written = self.tasks.spawn(async move { app.write_queued().await });
        if written.await.is_err() {
            tracing::error!("audit rows were dropped");
        }
    }

    async fn write_queued(&self) {
        let mut receiver = self.audit.receiver.lock().await;
        loop {
            let mut batch = Vec::new();
            while batch.len() < BATCH
                && let Ok(row) = receiver.try_recv()
            {
                batch.push(row);
            }
            if batch.is_empty() {
                return;
            }
            self.write_batch(&batch).await;
        }
    }

    async fn write_batch(&self, batch: &[CallRow]) {
        // Three tries over about a second: a database that restarts is back by then.
        for pause in [0, 200, 800] {
            tokio::time::sleep(Duration::from_millis(pause)).await;
            match self.store.add_calls(batch).await {
                Ok(()) => {
                    self.touch_used(batch).await;
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, rows = batch.len(), "audit rows were not written");
                }
            }
        }
        tracing::error!(rows = batch.len(), "audit rows were dropped");
    }

    /// Remembers the last use of credentials, at most once a minute each.
    async fn touch_used(&self, batch: &[CallRow]) {
        let mut touched = self.audit.touched.lock().await;
        let mut used: HashMap<&CredentialId, Instant> = HashMap::new();
        for row in batch {
            let last = used.entry(&row.credential).or_insert(row.started_at);
            *last = row.started_at.max(*last);
        }
        let due: Vec<_> = used
            .into_iter()
            .filter(|(id, at)| {
                touched
                    .get(*id)
                    .is_none_or(|last| at.seconds_since(*last) >= 60)
            })
            .map(|(id, at)| (id.clone(), at))
            .collect();
        if due.is_empty() {
            return;
        }
        match self.store.touch_credentials(&due).await {
            Ok(()) => touched.extend(due),
            Err(error) => tracing::warn!(%error, "the last use of credentials was not written"),
        }
    }
}
