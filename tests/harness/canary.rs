//! A listener that nobody may connect to.

use std::io::ErrorKind;
use std::net::{IpAddr, SocketAddr, TcpListener};

pub struct Canary {
    pub address: SocketAddr,
    listener: TcpListener,
}

impl Canary {
    /// Listens at a port of that address; not on machines without IPv6 when the address is of IPv6.
    pub fn listen(ip: &str) -> Option<Canary> {
        let ip: IpAddr = ip.parse().expect("an address");
        let listener = match TcpListener::bind((ip, 0)) {
            Ok(listener) => listener,
            Err(error) => {
                assert!(ip.is_ipv6(), "{ip}: {error}");
                return None;
            }
        };
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("its address");
        Some(Canary { address, listener })
    }

    /// Connections since the last time. The system completes them by itself and keeps them until
    /// they are taken, so none that was attempted before is missed.
    pub fn connections(&self) -> usize {
        let mut connections = 0;
        loop {
            match self.listener.accept() {
                Ok(_) => connections += 1,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return connections,
                Err(error) => panic!("{}: {error}", self.address),
            }
        }
    }
}
