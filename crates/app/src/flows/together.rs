//! What many write at the same time is written together: a commit costs a sync of the disk. Whoever has
//! the turn writes for all who came meanwhile.

use crate::App;
use quaymaster_core::Fault;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::oneshot;

/// Written in one transaction.
const MOST: usize = 64;

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
        let (told, heard) = oneshot::channel();
        self.0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push((one, told));
        let (inner, app) = (self.0.clone(), app.clone());
        app.clone()
            .tasks
            .spawn(async move { inner.write_next(&app).await });
        heard.await.map_err(|_| Fault::internal())?
    }
}

impl<T> Inner<T> {
    /// One turn for each that was added, so that none is left; most find nothing to do.
    async fn write_next(&self, app: &App) {
        let _turn = self.turn.lock().await;
        let batch: Vec<_> = {
            let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
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
            let _ = told.send(written);
        }
    }
}
