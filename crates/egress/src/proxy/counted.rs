//! What went where, and how much.

use std::collections::BTreeMap;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// Different hosts that are told of at once. A program can name any number.
const MOST: usize = 64;

/// A host that was reached, or refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    pub host: String,
    pub port: u16,
    pub refused: Option<String>,
    pub connections: u32,
    /// Both ways.
    pub bytes: u64,
}

type Key = (String, u16, Option<String>);

#[derive(Default)]
struct Count {
    /// Begun since somebody asked.
    connections: AtomicU32,
    open: AtomicU32,
    bytes: AtomicU64,
}

pub(super) struct Counts {
    all: Mutex<BTreeMap<Key, Arc<Count>>>,
    total: Arc<AtomicU64>,
    most: u64,
}

/// One connection of those that are counted.
pub(super) struct Entry {
    count: Arc<Count>,
    total: Arc<AtomicU64>,
    most: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.count.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Counts {
    pub(super) fn new(most: u64) -> Counts {
        Counts {
            all: Mutex::default(),
            total: Arc::default(),
            most,
        }
    }

    pub(super) fn is_used_up(&self) -> bool {
        self.total.load(Ordering::Relaxed) >= self.most
    }

    pub(super) fn begin(&self, host: &str, port: u16) -> Entry {
        let count = self.count((host.to_owned(), port, None));
        count.connections.fetch_add(1, Ordering::Relaxed);
        count.open.fetch_add(1, Ordering::Relaxed);
        Entry {
            count,
            total: self.total.clone(),
            most: self.most,
        }
    }

    pub(super) fn refuse(&self, host: &str, port: u16, reason: &str) {
        let shown: String = host.chars().filter(|c| !c.is_control()).take(253).collect();
        let count = self.count((shown, port, Some(reason.to_owned())));
        count.connections.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self, key: Key) -> Arc<Count> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let key = if all.len() < MOST || all.contains_key(&key) {
            key
        } else {
            ("others".to_owned(), 0, key.2)
        };
        all.entry(key).or_default().clone()
    }

    /// What happened since this was asked last. Connections that are still open go on being counted.
    pub(super) fn take(&self) -> Vec<Visit> {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let told = all.iter().filter_map(|((host, port, refused), count)| {
            let connections = count.connections.swap(0, Ordering::Relaxed);
            let bytes = count.bytes.swap(0, Ordering::Relaxed);
            (connections > 0 || bytes > 0).then(|| Visit {
                host: host.clone(),
                port: *port,
                refused: refused.clone(),
                connections,
                bytes,
            })
        });
        let told = told.collect();
        all.retain(|_, count| count.open.load(Ordering::Relaxed) > 0);
        told
    }
}

impl Entry {
    fn add(&self, bytes: usize) -> io::Result<()> {
        let bytes = bytes as u64;
        self.count.bytes.fetch_add(bytes, Ordering::Relaxed);
        if self.total.fetch_add(bytes, Ordering::Relaxed) + bytes > self.most {
            return Err(io::Error::other(
                "the session has moved all bytes that it may",
            ));
        }
        Ok(())
    }
}

/// A connection to a host whose bytes are counted, and which ends when there were too many.
pub(super) struct Counted {
    stream: TcpStream,
    entry: Entry,
}

impl Counted {
    pub(super) fn new(stream: TcpStream, entry: Entry) -> Counted {
        Counted { stream, entry }
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        std::task::ready!(Pin::new(&mut self.stream).poll_read(context, into))?;
        Poll::Ready(self.entry.add(into.filled().len() - before))
    }
}

impl AsyncWrite for Counted {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let wrote = std::task::ready!(Pin::new(&mut self.stream).poll_write(context, bytes))?;
        Poll::Ready(self.entry.add(wrote).map(|()| wrote))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
