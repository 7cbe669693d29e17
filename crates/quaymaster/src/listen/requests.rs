//! Which requests a connection has open, and for how long it had none.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::sync::watch;

/// The requests of one connection. Each is open until the end of its answer.
#[derive(Default)]
pub(super) struct Requests {
    open: watch::Sender<usize>,
}

impl Requests {
    pub(super) fn begin(&self) -> Open {
        self.open.send_modify(|open| *open += 1);
        Open(self.open.clone())
    }

    pub(super) fn watch(&self) -> Quiet {
        Quiet(self.open.subscribe())
    }
}

/// An open request.
pub(super) struct Open(watch::Sender<usize>);

impl Open {
    pub(super) fn until_end_of<B>(self, body: B) -> Answer<B> {
        Answer { body, _open: self }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open -= 1);
    }
}

/// Waits for quiet.
pub(super) struct Quiet(watch::Receiver<usize>);

impl Quiet {
    /// Until no request was open for that long.
    pub(super) async fn lasts(&mut self, limit: Duration) {
        loop {
            let is_open = *self.0.borrow_and_update() > 0;
            let changed = self.0.changed();
            let changed = if is_open {
                changed.await
            } else {
                match tokio::time::timeout(limit, changed).await {
                    Ok(changed) => changed,
                    Err(_) => return,
                }
            };
            if changed.is_err() {
                // The connection has ended, which is waited for elsewhere.
                std::future::pending::<()>().await;
            }
        }
    }
}

/// The body of an answer, which keeps its request open.
pub(super) struct Answer<B> {
    body: B,
    _open: Open,
}

impl<B: Body<Data = Bytes> + Unpin> Body for Answer<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
