//! From names to addresses.

use quaymaster_core::Fut;
use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Looks names up. What it answers is checked before anything connects to it, so an
/// implementation checks nothing.
pub trait Resolver: Send + Sync + 'static {
    /// Every address of a name, in the order to try. `host` is lower case ASCII, no literal
    /// address and without a dot at the end.
    fn resolve<'a>(&'a self, host: &'a str) -> Fut<'a, io::Result<Vec<IpAddr>>>;
}

/// Lookups at a time. Each holds a thread until the system gives up, and threads are shared with
/// everything else that blocks.
const AT_ONCE: usize = 32;

/// The system's own lookup (`getaddrinfo`), which also knows `/etc/hosts`.
#[derive(Debug, Clone)]
pub struct SystemResolver {
    slots: Arc<Semaphore>,
}

impl Default for SystemResolver {
    fn default() -> Self {
        SystemResolver {
            slots: Arc::new(Semaphore::new(AT_ONCE)),
        }
    }
}

impl Resolver for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str) -> Fut<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            let slot = self.slots.clone().acquire_owned().await;
            let host = host.to_owned();
            // The slot goes with the thread: a caller that gave up does not end the lookup.
            let lookup = tokio::task::spawn_blocking(move || {
                let found = (host.as_str(), 0).to_socket_addrs();
                drop(slot);
                Ok(found?.map(|address| address.ip()).collect())
            });
            lookup.await.map_err(io::Error::other)?
        })
    }
}
