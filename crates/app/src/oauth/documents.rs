//! Fetching the descriptions of clients. Any member names their addresses, so it is done few at a
//! time, once for all who ask, seldom for one person, and by a way out of its own.

use super::client::Client;
use super::document::{host_of, read};
use crate::App;
use http::HeaderValue;
use http::header::ACCEPT;
use quaymaster_core::id::UserId;
use quaymaster_core::{Code, Fault};
use quaymaster_egress::{Egress, EgressError, Request};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant as Monotonic};
use tokio::sync::{Mutex as Turn, Semaphore};

const MOST_BYTES: usize = 5 * 1024;
const WITHIN: Duration = Duration::from_secs(5);
const AT_ONCE: usize = 4;
/// How long somebody waits for one of those to end.
const TURN_WITHIN: Duration = Duration::from_secs(10);
/// How long a description is believed, and how long that there is none.
const BELIEVED: Duration = Duration::from_mins(5);
const FAILURE_BELIEVED: Duration = Duration::from_secs(30);
/// Descriptions and people that are remembered.
const MOST: usize = 1_000;
/// Of one person.
const FETCHES_A_MINUTE: u32 = 10;
const MINUTE: Duration = Duration::from_mins(1);

pub(crate) struct Documents {
    /// What the operator lets connectors reach is nothing for whoever names an address.
    egress: Egress,
    slots: Semaphore,
    known: Mutex<HashMap<String, Arc<Entry>>>,
    fetches: Mutex<HashMap<UserId, (Monotonic, u32)>>,
}

/// Whoever asks while it is fetched waits for that.
type Entry = Turn<Option<Found>>;

struct Found {
    since: Monotonic,
    /// The client, or a sentence that says why there is none.
    what: Result<Client, String>,
}

impl Found {
    fn is_believed(&self) -> bool {
        let most = match self.what {
            Ok(_) => BELIEVED,
            Err(_) => FAILURE_BELIEVED,
        };
        self.since.elapsed() < most
    }
}

impl Documents {
    pub(crate) fn new(egress: Egress) -> Self {
        Documents {
            egress,
            slots: Semaphore::new(AT_ONCE),
            known: Mutex::default(),
            fetches: Mutex::default(),
        }
    }

    fn entry(&self, id: &str) -> Arc<Entry> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST && !known.contains_key(id) {
            // All but those that somebody waits for.
            known.retain(|_, entry| Arc::strong_count(entry) > 1);
        }
        known.entry(id.to_owned()).or_default().clone()
    }

    fn count(&self, asker: &UserId) -> Result<(), Fault> {
        let mut fetches = self.fetches.lock().unwrap_or_else(PoisonError::into_inner);
        if fetches.len() >= MOST {
            fetches.retain(|_, (since, _)| since.elapsed() < MINUTE);
        }
        let entry = fetches
            .entry(asker.clone())
            .or_insert((Monotonic::now(), 0));
        if entry.0.elapsed() >= MINUTE {
            *entry = (Monotonic::now(), 0);
        }
        if entry.1 >= FETCHES_A_MINUTE {
            return Err(Fault::new(
                Code::RateLimited,
                "Too many different clients were asked for.",
            )
            .hint("Wait a minute, then start again from the client.")
            .detail("retry_after_s", 60));
        }
        entry.1 += 1;
        Ok(())
    }

    fn give_back(&self, asker: &UserId) {
        let mut fetches = self.fetches.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, count)) = fetches.get_mut(asker) {
            *count = count.saturating_sub(1);
        }
    }

    async fn client(&self, id: &str, asker: &UserId) -> Result<Client, Fault> {
        let host = host_of(id).map_err(told)?;
        let entry = self.entry(id);
        let mut found = entry.lock().await;
        if let Some(known) = found.as_ref().filter(|found| found.is_believed()) {
            return known.what.clone().map_err(told);
        }
        self.count(asker)?;
        let slot = tokio::time::timeout(TURN_WITHIN, self.slots.acquire()).await;
        let Ok(Ok(_slot)) = slot else {
            return Err(Fault::new(
                Code::Unavailable,
                "Too many clients are looked up at this moment.",
            )
            .hint("Start again from the client in a moment."));
        };
        let request = Request::get(id)
            .header(ACCEPT, HeaderValue::from_static("application/json"))
            .timeout(WITHIN)
            .max_body(MOST_BYTES);
        // Redirects are not followed: the address is the identity.
        let answer = self.egress.send(request).await;
        if matches!(answer, Err(EgressError::NotPublic { .. })) {
            // Nothing was asked for anywhere.
            self.give_back(asker);
        }
        let what = answer
            .map_err(|error| format!("The client's description could not be read. {error}"))
            .and_then(|answer| read(id, &host, &answer));
        *found = Some(Found {
            since: Monotonic::now(),
            what: what.clone(),
        });
        what.map_err(told)
    }
}

/// Nobody knows where an answer could go, so the person reads why there is none.
pub(super) fn told(why: String) -> Fault {
    Fault::invalid_arg("/client_id", "client", why)
        .hint("Go back to the program that sent you here, and try again.")
}

impl App {
    /// The client whose id is the address of its document. Fetched as its own task: whoever goes
    /// away leaves no room for another fetch before this one has ended.
    pub(super) async fn client_of_document(
        &self,
        id: &str,
        asker: &UserId,
    ) -> Result<Client, Fault> {
        let (app, id, asker) = (self.clone(), id.to_owned(), asker.clone());
        let task = self
            .tasks
            .spawn(async move { app.documents.client(&id, &asker).await });
        task.await.unwrap_or_else(|_| Err(Fault::internal()))
    }
}
