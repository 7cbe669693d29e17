//! One worker that is leased to an organization, and what is said over its connection.

use super::{MAX_RESULT, Told};
use crate::frame::Frames;
use crate::isolation::Failure;
use crate::session::{self, Connection, Wrong};
use crate::supervisor::{Ending, Supervisor};
use serde_json::Value;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::Instant;

/// What a result may have around it.
const ENVELOPE: usize = 64 * 1024;
/// Kept of a buffer that a large answer filled.
const USUAL_BUFFER: usize = 256 * 1024;
/// The shortest wait between two looks at what a worker has computed.
const LOOK: Duration = Duration::from_millis(5);
/// On a busy machine a worker waits for its turn. After so many times its time and this it is over in any case.
const PATIENCE: u32 = 20;
const MORE_PATIENCE: Duration = Duration::from_secs(1);

/// A locked worker and whose it is. Dropping it ends it.
pub(super) struct Leased {
    connection: Connection,
    process: Ending,
    pub(super) lease: Arc<str>,
    /// Programs that it was given.
    pub(super) used: usize,
    /// When it was last given something.
    pub(super) at: Instant,
}

/// Why a worker said no more.
pub(super) enum Broken {
    Time,
    /// The connection ended.
    Ended,
    /// It said what it must not say.
    Word(&'static str),
}

impl From<Wrong> for Broken {
    fn from(wrong: Wrong) -> Broken {
        Broken::Word(wrong.0)
    }
}

impl Leased {
    pub(super) async fn new(supervisor: &Supervisor, lease: Arc<str>) -> Result<Leased, Failure> {
        let (mut connection, _, process) = session::locked(supervisor).await?;
        connection.frames = Frames::up_to(MAX_RESULT + ENVELOPE);
        Ok(Leased {
            connection,
            process,
            lease,
            used: 0,
            at: Instant::now(),
        })
    }

    /// Whether it is there and has nothing to say, as it should when it was asked nothing.
    pub(super) fn is_well(&self) -> bool {
        let mut any = [0];
        let read = self.connection.stream.try_read(&mut any);
        read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
    }

    /// Sends what is asked and waits for the first answer.
    pub(super) async fn ask(&mut self, asked: &[u8], time: Duration) -> Result<Told, Broken> {
        let id = self.process.id();
        let connection = &mut self.connection;
        within(id, time, async {
            // One that ends while it reads may have said why.
            let _ = connection.stream.write_all(asked).await;
            told(connection).await
        })
        .await
    }

    /// Waits for the next answer.
    pub(super) async fn next(&mut self, time: Duration) -> Result<Told, Broken> {
        within(self.process.id(), time, told(&mut self.connection)).await
    }

    /// Ends it, and tells the signal by which it ended: its own when it was ending already.
    pub(super) async fn end(self, supervisor: &Supervisor) -> Option<i32> {
        supervisor.end(self.process).await
    }

    /// To be called when it is put away.
    pub(super) fn rest(&mut self) {
        self.at = Instant::now();
        self.connection.frames.shrink(USUAL_BUFFER);
    }
}

async fn told(connection: &mut Connection) -> Result<Told, Broken> {
    loop {
        if let Some(told) = session::next::<Told>(&mut connection.frames)? {
            return Ok(told);
        }
        let read = connection.stream.read_buf(connection.frames.room()).await;
        if read.unwrap_or(0) == 0 {
            return Err(Broken::Ended);
        }
    }
}

/// Waits until a worker has computed for so long. Time for which it did not have a processor counts only when there
/// was far too much of it: a busy machine is not the expression's doing.
async fn within<T>(
    id: Option<u32>,
    time: Duration,
    work: impl Future<Output = Result<T, Broken>>,
) -> Result<T, Broken> {
    let before = computed(id);
    let begun = Instant::now();
    let last = begun + time * PATIENCE + MORE_PATIENCE;
    let mut until = begun + time;
    let mut work = pin!(work);
    loop {
        if let Ok(done) = tokio::time::timeout_at(until.min(last), &mut work).await {
            return done;
        }
        let spent = before
            .zip(computed(id))
            .map_or(time, |(before, now)| now.saturating_sub(before));
        let now = Instant::now();
        if spent >= time || now >= last {
            return Err(Broken::Time);
        }
        until = now + time.saturating_sub(spent).max(LOOK);
    }
}

/// For how long a process of one thread has had a processor. Unknown where the kernel keeps no such account, or does not
/// show it; then all time counts.
fn computed(id: Option<u32>) -> Option<Duration> {
    let account = std::fs::read_to_string(format!("/proc/{}/schedstat", id?)).ok()?;
    account
        .split(' ')
        .next()?
        .parse()
        .ok()
        .map(Duration::from_nanos)
}

/// The value that was told.
pub(super) fn value(told: Told) -> Result<Value, super::Why> {
    match told {
        Told::Ok(value) => Ok(value),
        Told::Failed(why) => Err(why),
    }
}
