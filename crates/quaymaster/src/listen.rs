//! The accept loop. `axum::serve` has no limits on slow clients, so this is our own.
//!
//! Invariants: a connection on which nothing is asked for [`Limits::quiet`] is closed, whatever
//! arrives on it meanwhile (nothing, a few bytes, the pings of HTTP/2); one place has at most
//! [`Limits::from_one_place`] connections on which nobody proved who they are.

mod crowd;
mod requests;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use crowd::{Crowd, Seat};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use quaymaster_core::Place;
use quaymaster_mcp::AnsweredAnybody;
use requests::Requests;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// Connections at a time; more wait in the kernel's queue.
const MOST: usize = 16_384;

/// What a client has for its part of the goodbye (RFC 9113 §6.8), once nothing is open.
const GOODBYE: Duration = Duration::from_secs(2);

/// What a client may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// For its first request, for the headers of each, and between two.
    pub quiet: Duration,
    /// Connections at a time from one place, before anybody proved who they are.
    pub from_one_place: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            quiet: Duration::from_secs(10),
            from_one_place: 200,
        }
    }
}

/// Serves until `stop`, then lets open answers end, at most for `patience`. `place_of` says which
/// place a peer counts to; none for a proxy, which speaks for many.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    place_of: impl Fn(IpAddr) -> Option<Place>,
    stop: CancellationToken,
    patience: Duration,
) {
    let mut http = Builder::new(TokioExecutor::new());
    http.http1()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.quiet);
    http.http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(Some(Duration::from_secs(30)));
    let door = Door {
        http,
        router,
        quiet: limits.quiet,
        stop: stop.clone(),
    };
    let crowd = Crowd::new(limits.from_one_place);
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(MOST));
    loop {
        let permit = tokio::select! {
            permit = room.clone().acquire_owned() => permit,
            () = stop.cancelled() => break,
        };
        let Ok(permit) = permit else { break };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = stop.cancelled() => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Mostly too many open files: wait for some to close.
                tracing::warn!(%error, "a connection was not accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let Some(seat) = crowd.seat(place_of(address.ip())) else {
            tracing::debug!(%address, "there are too many connections from there");
            continue;
        };
        connections.spawn(door.clone().answer(stream, address, seat, permit));
    }
    drop(listener);
    connections.close();
    if tokio::time::timeout(patience, connections.wait())
        .await
        .is_err()
    {
        tracing::warn!("some connections were still open at the end");
    }
}

/// What every connection is served with.
#[derive(Clone)]
struct Door {
    http: Builder<TokioExecutor>,
    router: Router,
    quiet: Duration,
    stop: CancellationToken,
}

impl Door {
    /// From the first byte of a connection to its end.
    async fn answer(
        self,
        stream: TcpStream,
        address: SocketAddr,
        seat: Seat,
        _room: OwnedSemaphorePermit,
    ) {
        // Without this every event of a stream waits about 40 ms for the one before (Nagle).
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "TCP_NODELAY was not set");
        }
        let requests = Requests::default();
        let mut quiet = requests.watch();
        let router = self.router;
        let seat = Arc::new(seat);
        let service = hyper::service::service_fn(move |mut request: Request<Incoming>| {
            let open = requests.begin();
            let (router, seat) = (router.clone(), seat.clone());
            let calls = request.method() != http::Method::OPTIONS
                && matches!(request.uri().path(), "/mcp" | "/mcp/");
            request.extensions_mut().insert(ConnectInfo(address));
            async move {
                let answer: Result<Response, Infallible> = router.oneshot(request).await;
                // That endpoint answers nobody else, but where it is open.
                if calls && answer.as_ref().is_ok_and(proves) {
                    seat.leave();
                }
                answer.map(|answer| answer.map(|body| Body::new(open.until_end_of(body))))
            }
        });
        let connection = self
            .http
            .serve_connection_with_upgrades(TokioIo::new(stream), service)
            .into_owned();
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = quiet.lasts(self.quiet) => None,
            () = self.stop.cancelled() => None,
        };
        let ended = match ended {
            Some(ended) => ended,
            None => {
                // Says goodbye and answers what was asked in the same moment.
                connection.as_mut().graceful_shutdown();
                tokio::select! {
                    ended = connection.as_mut() => ended,
                    () = quiet.lasts(GOODBYE) => Ok(()),
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!(%error, %address, "a connection ended");
        }
    }
}

/// Whether an answer of the MCP endpoint proves that somebody presented a good credential.
fn proves(answer: &Response) -> bool {
    answer.status().is_success() && answer.extensions().get::<AnsweredAnybody>().is_none()
}

#[cfg(test)]
mod tests;
