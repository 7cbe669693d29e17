//! What many write at the same time is written together: a commit costs a sync of the disk. Whoever has
//! the turn writes for all who came meanwhile.

use crate::App;
use quaymaster_core::Fault;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// Written in one transaction.
const MOST: usize = 64;
/// What may wait without anybody who waits for it.
const MOST_WAITING: usize = 1_000;

/// Writes all of them or none.
type Write<T> =
    for<'a> fn(&'a App, &'a [T]) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + 'a>>;

type Told = oneshot::Sender<Result<(), Fault>>;

/// What is not written yet, and the turn of whoever writes.
pub(crate) struct Together<T>(Arc<Inner<T>>);

struct Inner<T> {
    write: Write<T>,
    waiting: Mutex<Vec<(T, Told)>>,
    turn: tokio::sync::Mutex<()>,
}

impl<T: Send + Sync + 'static> Together<T> {
    pub(crate) fn new(write: Write<T>) -> Self {
        Together(Arc::new(Inner {
            write,
            waiting: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        }))
    }

    /// Written when this answers. Whoever stops waiting for that stops nobody's writing.
    pub(super) async fn write(&self, app: &App, one: T) -> Result<(), Fault> {
        let (heard, _) = self.add(app, one);
        heard.await.map_err(|_| Fault::internal())?
    }

    /// Written soon; waits for it only where very much waits already.
    pub(super) async fn write_soon(&self, app: &App, one: T) {
        let (heard, waiting) = self.add(app, one);
        if waiting > MOST_WAITING {
            let _ = heard.await;
        }
    }

    /// Written is what was added before.
    pub(crate) async fn settle(&self, app: &App) {
        while self.0.waits() {
            self.0.write_next(app).await;
        }
        // What somebody else is writing.
        drop(self.0.turn.lock().await);
    }

    /// Adds one, and a task that has a turn for it.
    fn add(&self, app: &App, one: T) -> (oneshot::Receiver<Result<(), Fault>>, usize) {
        let (told, heard) = oneshot::channel();
        let waiting = {
            let mut waiting = self.0.all();
            waiting.push((one, told));
            waiting.len()
        };
        let (inner, own) = (self.0.clone(), app.clone());
        app.tasks.spawn(async move { inner.write_next(&own).await });
        (heard, waiting)
    }
}

impl<T> Inner<T> {
    fn all(&self) -> MutexGuard<'_, Vec<(T, Told)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waits(&self) -> bool {
        !self.all().is_empty()
    }

    /// There is a turn for each that was added, so that none is left; most find nothing to do.
    async fn write_next(&self, app: &App) {
        let _turn = self.turn.lock().await;
        let batch: Vec<_> = {
            let mut waiting = self.all();
            let most = waiting.len().min(MOST);
            waiting.drain(..most).collect()
        };
        if batch.is_empty() {
            return;
        }
        let (all, told): (Vec<T>, Vec<Told>) = batch.into_iter().unzip();
        let together = (self.write)(app, &all).await;
        for (one, told) in all.iter().zip(told) {
            // One that stands in the way of the others fails by itself.
            let written = match &together {
                Err(_) if all.len() > 1 => (self.write)(app, std::slice::from_ref(one)).await,
                written => written.clone(),
            };
            if let Err(Err(fault)) = told.send(written) {
                tracing::warn!(%fault, "what nobody waited for was not written");
            }
        }
    }
}
