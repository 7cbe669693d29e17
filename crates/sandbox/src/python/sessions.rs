//! All sessions of a server, by key.

use super::find::{self, Python};
use super::keeper::Keeper;
use super::live::Live;
use super::start::Parts;
use super::turns::Turns;
use super::{
    MAX_WAITING, Mount, Program, PythonEnding, PythonOptions, PythonProbed, Ran, State, Wanted,
};
use crate::isolation::Failure;
use quaymaster_core::clock::Entropy;
use quaymaster_core::{Code, Fault, hex};
use serde_json::Value;
use std::cmp::Reverse;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::{MutexGuard, OnceCell};
use tokio_util::sync::CancellationToken;

/// How long a call waits for one of the turns that all sessions share.
const PATIENCE: Duration = Duration::from_secs(20);
const TOO_OLD: &str = "The one before was too old.";

/// Sessions of Python. Cheap to clone; dropping the last one ends them all.
#[derive(Clone)]
pub struct Sessions {
    shared: Arc<Shared>,
}

struct Shared {
    options: PythonOptions,
    entropy: Arc<dyn Entropy>,
    keeper: Keeper,
    python: OnceCell<Python>,
    places: Mutex<HashMap<String, Arc<Place>>>,
    turns: Turns,
    next: AtomicU64,
}

/// Where the session of one key is, if there is one.
struct Place {
    tenant: String,
    /// Calls in it, the one that runs among them.
    calls: AtomicUsize,
    /// Held by the call that is next or runs. A session whose next call waits for its turn can still make room for others.
    order: tokio::sync::Mutex<()>,
    live: tokio::sync::Mutex<Option<Live>>,
    past: Mutex<Past>,
}

/// What is known of a key's session without waiting for the call in it.
#[derive(Default)]
struct Past {
    /// What the last call wanted it to have, in words.
    note: Option<Value>,
    /// Why there is none any more.
    ended: Option<String>,
}

/// A call in a place; others see that the place is needed.
struct Here(Arc<Place>);

impl Drop for Here {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Sessions {
    pub fn new(options: PythonOptions, entropy: Arc<dyn Entropy>) -> Sessions {
        let shared = Arc::new_cyclic(|weak: &Weak<Shared>| {
            let watched = weak.clone();
            // The thread begins before there is anything to watch.
            let begun = AtomicU64::new(0);
            let idle = move || match watched.upgrade() {
                Some(shared) => {
                    begun.store(1, Ordering::Relaxed);
                    shared.end_idle();
                    true
                }
                None => begun.load(Ordering::Relaxed) == 0,
            };
            Shared {
                keeper: Keeper::start(options.use_cgroups, idle),
                turns: Turns::new(options.at_once, options.at_once_of_one, PATIENCE),
                options,
                entropy,
                python: OnceCell::new(),
                places: Mutex::default(),
                next: AtomicU64::new(1),
            }
        });
        Sessions { shared }
    }

    /// What the last call in the session of a key wanted it to have, in words; none when there is none.
    pub fn note(&self, key: &str) -> Option<Value> {
        let place = self.shared.places().get(key)?.clone();
        place.past().note.clone()
    }

    /// Runs a program in the session of its key.
    ///
    /// # Errors
    /// When nothing was run: `SANDBOX_UNAVAILABLE` on a machine that cannot isolate or has no Python,
    /// `RATE_LIMITED` when too many calls wait for the session or the tenant runs as many as it may, `UNAVAILABLE` when all
    /// sessions are busy.
    /// Whatever a program does is a [`PythonEnding`].
    pub async fn run(
        &self,
        wanted: Wanted,
        program: &Program,
        cancel: &CancellationToken,
    ) -> Result<Ran, Fault> {
        let shared = &self.shared;
        let here = shared.enter(&wanted)?;
        // At once: a call that comes while this one runs goes on with the same.
        here.0.past().note = Some(wanted.note.clone());
        let _next = here.0.order.lock().await;
        let _turn = shared.turns.of(&wanted.tenant).await?;
        let mut live = here.0.live.lock().await;
        // Forgotten when the session made room meanwhile.
        let note = || wanted.note.clone();
        here.0.past().note.get_or_insert_with(note);
        let begun = Instant::now();
        let reason = shared.made_ready(&here.0, &mut live, &wanted).await?;
        let Some(session) = live.as_mut() else {
            return Err(Fault::internal());
        };
        let number = shared.random();
        let called = session
            .call(program, &wanted.environment, &number, cancel)
            .await;
        let network = session.network.as_ref();
        let visits = network.map(|network| network.visits()).unwrap_or_default();
        let mut ran = Ran {
            ending: called.ending,
            stdout: called.stdout,
            stderr: called.stderr,
            visits,
            session: session.id.clone(),
            state: match reason {
                Some(_) => State::New,
                None => State::Kept,
            },
            reason,
            limits: session.probed.limits,
            known: session.known.iter().cloned().collect(),
            total: begun.elapsed(),
        };
        if !called.lives {
            let lost = why_lost(&ran.ending);
            if let Some(gone) = live.take() {
                gone.end().await;
            }
            here.0
                .ended_since(&format!("The session before is gone: {lost}"));
            ran.state = State::Lost;
            ran.reason = Some(lost);
        }
        Ok(ran)
    }

    /// Whether, and how well, this machine runs Python: a session is made and ended again.
    ///
    /// # Errors
    /// The step that failed.
    pub async fn probe(&self) -> Result<PythonProbed, Failure> {
        let shared = &self.shared;
        let python = shared.python().await?;
        let live = shared.begin(python, None, Vec::new()).await?;
        let probed = live.probed.clone();
        live.end().await;
        Ok(probed)
    }
}

impl Shared {
    fn places(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Place>>> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn random(&self) -> String {
        let mut random = [0; 16];
        self.entropy.fill(&mut random);
        hex(&random)
    }

    /// One call more in the place of a key, unless too many wait there.
    fn enter(&self, wanted: &Wanted) -> Result<Here, Fault> {
        let mut places = self.places();
        let new = || Arc::new(Place::of(&wanted.tenant));
        let place = places.entry(wanted.key.clone()).or_insert_with(new).clone();
        let before = place.calls.fetch_add(1, Ordering::SeqCst);
        let here = Here(place);
        if before > MAX_WAITING {
            let message = "This session runs a program, and others wait for it already.";
            return Err(Fault::new(Code::RateLimited, message)
                .hint("Wait for the calls that were made to end.")
                .detail("retry_after_s", 1));
        }
        Ok(here)
    }

    /// Makes the session that is wanted, unless it is there. Why it is a new one, if it is.
    async fn made_ready(
        &self,
        place: &Place,
        live: &mut MutexGuard<'_, Option<Live>>,
        wanted: &Wanted,
    ) -> Result<Option<String>, Fault> {
        let python = self
            .python()
            .await
            .map_err(|failure| unavailable(&failure))?;
        let mut reason = None;
        if let Some(session) = live.as_ref() {
            let why = if wanted.reset {
                Some("A new one was asked for.")
            } else if session.having != wanted.having {
                Some("The connected accounts or the skills are others than before.")
            } else if session.born.elapsed() >= self.options.max_age {
                Some(TOO_OLD)
            } else {
                None
            };
            let Some(why) = why else {
                return Ok(None);
            };
            reason = Some(why.to_owned());
            if let Some(old) = live.take() {
                old.end().await;
            }
        }
        let before = place.past().ended.take();
        self.make_room()?;
        let mounts = wanted.mounts.mounts().await?;
        let begun = self.begin(python, Some(wanted), mounts).await;
        **live = Some(begun.map_err(|failure| unavailable(&failure))?);
        Ok(Some(
            reason
                .or(before)
                .unwrap_or_else(|| "There was none.".to_owned()),
        ))
    }

    async fn begin(
        &self,
        python: &Python,
        wanted: Option<&Wanted>,
        mounts: Vec<Mount>,
    ) -> Result<Live, Failure> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let parts = Parts {
            id: format!("py_{}", self.random()),
            number,
            python,
            root: self.options.root.as_deref(),
            having: wanted
                .map(|wanted| wanted.having.clone())
                .unwrap_or_default(),
            mounts,
            network: wanted.and_then(|wanted| wanted.network.clone()),
            require_group: self.options.require_cgroup,
        };
        Live::start(&self.keeper, parts).await
    }

    /// The interpreter: the first one that a session can be started with.
    async fn python(&self) -> Result<&Python, Failure> {
        self.python
            .get_or_try_init(|| async {
                let options = self.options.clone();
                let found = tokio::task::spawn_blocking(move || find::candidates(&options)).await;
                let found = found.map_err(|_| Failure {
                    stage: "thread".to_owned(),
                    errno: 0,
                })??;
                let mut first = None;
                for python in found {
                    match self.begin(&python, None, Vec::new()).await {
                        Ok(live) => {
                            live.end().await;
                            return Ok(python);
                        }
                        Err(failure) => {
                            tracing::debug!(%failure, program = %python.program, "no session");
                            first.get_or_insert(failure);
                        }
                    }
                }
                Err(first.unwrap_or(Failure {
                    stage: "python".to_owned(),
                    errno: libc::ENOENT,
                }))
            })
            .await
    }

    /// Ends a session, if there are as many as there may be: of the tenant that has most of them, the one that was used
    /// least recently. So a tenant with few keeps them, however many another one wants.
    fn make_room(&self) -> Result<(), Fault> {
        let places: Vec<Arc<Place>> = self.places().values().cloned().collect();
        let mut idle = Vec::new();
        let mut living: HashMap<&str, usize> = HashMap::new();
        for place in &places {
            // Where it is locked, a call is in it.
            if let Ok(live) = place.live.try_lock() {
                let Some(session) = live.as_ref() else {
                    continue;
                };
                idle.push((session.used, place));
            }
            *living.entry(&place.tenant).or_default() += 1;
        }
        // The caller's own place is among them, and has none yet.
        if living.values().sum::<usize>() <= self.options.most {
            return Ok(());
        }
        idle.sort_by_key(|(used, place)| {
            let of_tenant = living.get(place.tenant.as_str()).copied();
            let is_waited_for = place.calls.load(Ordering::SeqCst) > 0;
            (Reverse(of_tenant), is_waited_for, *used)
        });
        for (_, place) in idle {
            if let Ok(mut live) = place.live.try_lock()
                && live.take().is_some()
            {
                place.ended_since("The one before made room for other sessions.");
                return Ok(());
            }
        }
        Err(busy("All Python sessions of this server are in use."))
    }

    /// Ends sessions that nobody used for long, and forgets places where nothing is.
    fn end_idle(&self) {
        let options = &self.options;
        self.places().retain(|_, place| {
            let Ok(mut live) = place.live.try_lock() else {
                return true;
            };
            let over = |session: &Live| {
                if session.born.elapsed() >= options.max_age {
                    Some(TOO_OLD)
                } else if session.used.elapsed() >= options.idle {
                    Some("The one before was not used for a while.")
                } else {
                    None
                }
            };
            let is_waited_for = place.calls.load(Ordering::SeqCst) > 0;
            if !is_waited_for && let Some(why) = live.as_ref().and_then(over) {
                *live = None;
                place.ended_since(why);
                return true;
            }
            live.is_some() || is_waited_for || place.past().ended.is_some()
        });
    }
}

impl Place {
    fn of(tenant: &str) -> Place {
        Place {
            tenant: tenant.to_owned(),
            calls: AtomicUsize::default(),
            order: tokio::sync::Mutex::default(),
            live: tokio::sync::Mutex::default(),
            past: Mutex::default(),
        }
    }

    fn past(&self) -> std::sync::MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ended_since(&self, reason: &str) {
        *self.past() = Past {
            note: None,
            ended: Some(reason.to_owned()),
        };
    }
}

fn busy(message: &str) -> Fault {
    Fault::new(Code::Unavailable, message).hint("Try again in some seconds.")
}

fn unavailable(failure: &Failure) -> Fault {
    tracing::warn!(%failure, "a Python session was not begun");
    failure.fault()
}

fn why_lost(ending: &PythonEnding) -> String {
    match ending {
        PythonEnding::Timeout => "The program did not stop when its time was over.".to_owned(),
        PythonEnding::Cancelled => "The program did not stop when it was cancelled.".to_owned(),
        PythonEnding::Memory => "The program took more memory than it may.".to_owned(),
        PythonEnding::Died(how) => format!("The interpreter ended: {how}."),
        _ => "What the program started could not be ended.".to_owned(),
    }
}
