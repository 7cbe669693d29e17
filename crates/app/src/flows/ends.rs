//! The ends of runs.

use super::together::Together;
use crate::App;
use quaymaster_core::Fault;
use quaymaster_store::flow_queue::{LeasedRun, RunEnd};
use quaymaster_store::flow_run::RunStep;
use std::sync::Arc;

/// How a run ended, and the steps that are to be written with it.
pub(crate) struct Ended {
    pub(super) leased: LeasedRun,
    pub(super) end: RunEnd,
    pub(super) steps: Vec<RunStep>,
}

pub(crate) type RunEnds = Together<Arc<Ended>>;

/// Writes the ends of runs, unless another node has them by now.
pub(crate) fn run_ends() -> RunEnds {
    Together::new(|app, ended| Box::pin(app.write_ends(ended)))
}

impl App {
    async fn write_ends(&self, ended: &[Arc<Ended>]) -> Result<(), Fault> {
        let mut tx = self.store.begin().await?;
        for one in ended {
            let Ended { leased, end, steps } = &**one;
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
