//! A name server that answers as a test wants.

use quaymaster_core::Fut;
use quaymaster_egress::Resolver;
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Answers for each name, one lookup after the other; the last one stays.
#[derive(Clone, Default)]
pub(crate) struct Names {
    answers: Arc<Mutex<HashMap<String, Vec<Vec<IpAddr>>>>>,
    delay: Duration,
}

impl Names {
    /// Answers nothing for as long as a test takes.
    pub(crate) fn silent() -> Names {
        Names {
            delay: Duration::from_mins(10),
            ..Names::default()
        }
    }

    /// The name has these addresses, separated by blanks.
    pub(crate) fn with(self, name: &str, addresses: &str) -> Names {
        self.rebinding(name, &[addresses])
    }

    /// The name has other addresses at each lookup.
    pub(crate) fn rebinding(self, name: &str, answers: &[&str]) -> Names {
        let parse = |addresses: &&str| {
            addresses
                .split_whitespace()
                .map(|address| address.parse().unwrap())
                .collect()
        };
        self.answers
            .lock()
            .unwrap()
            .insert(name.to_owned(), answers.iter().map(parse).collect());
        self
    }

    /// As many answers as before, from the first one on.
    pub(crate) fn again(&self) -> Names {
        Names {
            answers: Arc::new(Mutex::new(self.answers.lock().unwrap().clone())),
            delay: self.delay,
        }
    }

    pub(crate) fn look_up(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let mut known = self.answers.lock().unwrap();
        let answers = known
            .get_mut(host.trim_end_matches('.'))
            .ok_or_else(|| io::Error::other("no such name"))?;
        Ok(if answers.len() > 1 {
            answers.remove(0)
        } else {
            answers[0].clone()
        })
    }
}

impl Resolver for Names {
    fn resolve<'a>(&'a self, host: &'a str) -> Fut<'a, io::Result<Vec<IpAddr>>> {
        Box::pin(async move {
            tokio::time::sleep(self.delay).await;
            self.look_up(host)
        })
    }
}

/// For the naive client.
impl reqwest::dns::Resolve for Names {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let found = self.look_up(name.as_str());
        Box::pin(async move {
            let found = found?.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(found) as reqwest::dns::Addrs)
        })
    }
}
