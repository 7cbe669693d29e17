//! The ends of runs, written together: a commit costs a sync of the disk, and many runs end at the same
//! time. Whoever is first writes for all who came meanwhile.

use crate::App;
use quaymaster_core::Fault;
use quaymaster_store::flow_queue::{LeasedRun, RunEnd};
use quaymaster_store::flow_run::RunStep;
use std::sync::{Mutex, PoisonError};
use tokio::sync::oneshot;

/// Written in one transaction.
const MOST: usize = 64;

/// How a run ended, and the steps that are to be written with it.
pub(super) struct Ended {
    pub(super) leased: LeasedRun,
    pub(super) end: RunEnd,
    pub(super) steps: Vec<RunStep>,
}

type Waiting = (Ended, oneshot::Sender<Result<(), Fault>>);

/// Ends that are not written yet, and the turn of whoever writes.
#[derive(Default)]
pub(crate) struct RunEnds {
    waiting: Mutex<Vec<Waiting>>,
    turn: tokio::sync::Mutex<()>,
}

impl RunEnds {
    fn add(&self, ended: Ended) -> oneshot::Receiver<Result<(), Fault>> {
        let (told, heard) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.push((ended, told));
        heard
    }

    fn next(&self) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let most = waiting.len().min(MOST);
        waiting.drain(..most).collect()
    }
}

impl App {
    /// Writes the end of a run, unless another node has it by now.
    pub(super) async fn write_end(&self, ended: Ended) -> Result<(), Fault> {
        let mut heard = self.run_ends.add(ended);
        let _turn = self.run_ends.turn.lock().await;
        loop {
            // Somebody before wrote it too, or it is among the next.
            if let Ok(written) = heard.try_recv() {
                return written;
            }
            let batch = self.run_ends.next();
            if batch.is_empty() {
                return Err(Fault::internal());
            }
            let (ended, told): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
            let together = self.write_ends(&ended).await;
            for (one, told) in ended.iter().zip(told) {
                // One that stands in the way of the others fails by itself.
                let written = match &together {
                    Ok(()) => Ok(()),
                    Err(_) => self.write_ends(std::slice::from_ref(one)).await,
                };
                let _ = told.send(written);
            }
        }
    }

    async fn write_ends(&self, ended: &[Ended]) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        for Ended { leased, end, steps } in ended {
            if tx.end_run(leased, end).await? {
                for step in steps {
                    tx.put_run_step(&leased.run.org, &leased.run.id, step)
                        .await?;
                }
            }
        }
        tx.commit().await?;
        Ok(())
    }
}
