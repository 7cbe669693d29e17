//! Listeners that nobody may connect to.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};

pub(crate) struct Canary {
    pub(crate) address: SocketAddr,
    connections: Arc<AtomicUsize>,
}

/// On loopback addresses of both families, where the machine has them.
pub(crate) struct Canaries(pub(crate) Vec<Canary>);

impl Canaries {
    pub(crate) async fn listen() -> Canaries {
        let mut canaries = Vec::new();
        for ip in ["127.0.0.1", "127.0.0.1", "127.0.0.2", "127.3.2.1", "::1"] {
            let ip: IpAddr = ip.parse().unwrap();
            match TcpListener::bind((ip, 0)).await {
                Ok(listener) => canaries.push(Canary::over(listener)),
                Err(error) => assert!(ip.is_ipv6(), "{ip}: {error}"),
            }
        }
        Canaries(canaries)
    }

    /// Connections that came so far.
    pub(crate) async fn connections(&self) -> usize {
        let mut all = 0;
        for canary in &self.0 {
            all += canary.settled().await;
        }
        all
    }
}

impl Canary {
    fn over(listener: TcpListener) -> Canary {
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while listener.accept().await.is_ok() {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Canary {
            address,
            connections,
        }
    }

    /// A connection of our own is accepted after all that came before it.
    async fn settled(&self) -> usize {
        let before = self.connections.load(Ordering::SeqCst);
        let _own = TcpStream::connect(self.address).await.unwrap();
        while self.connections.load(Ordering::SeqCst) == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        // Anything that came in between was counted with it, and stays.
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.connections.fetch_sub(1, Ordering::SeqCst) - 1
    }
}
