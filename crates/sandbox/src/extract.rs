//! The text of documents: read by a locked worker, which is given bytes and answers text.
//!
//! A document is a stranger's, and so is what its reader does with it: a reader that loops, panics, overflows its
//! stack or takes all memory ends its worker and nothing else. The server streams the bytes in from disk and takes
//! at most [`MAX_TEXT`] out.
//!
//! - [`Extractor`]: the server's side; `work`: the worker's
//! - `kind`: what a document is, by its bytes; `sink`: text on its way out, counted
//! - one file a format: `text`, `html`, `pdf` (over `lines`, `fonts`, `widths` and `operators`); `office` (with `word`, `excel`, `slides`) over `package` and `xml`

mod excel;
mod fonts;
mod html;
mod kind;
mod lines;
mod office;
mod operators;
mod package;
mod pdf;
mod sink;
mod slides;
mod text;
mod widths;
mod word;
mod xml;

use crate::forks::Origin;
use crate::frame;
use crate::isolation::{Failure, Isolation};
use crate::lock::{self, Allowance};
use crate::message::FromWorker;
use crate::pool::PoolOptions;
use crate::session::{self, Connection, Wrong};
use crate::supervisor::Supervisor;
use crate::worker::{EXTRACT, say};
use quaymaster_core::{Code, Fault};
use serde::{Deserialize, Serialize};
use sink::Sink;
use std::convert::Infallible;
use std::fs::File;
use std::io::{self, Read as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Semaphore;

/// The most text that one document has, in bytes.
pub const MAX_TEXT: usize = 16 * 1024 * 1024;
/// What a worker may map besides its program.
const MEMORY: u64 = 512 * 1024 * 1024;
const CPU: Duration = Duration::from_secs(30);
/// From the first byte in to the last one out.
const WALL: Duration = Duration::from_mins(1);
/// Read from disk at once.
const PIECE: usize = 256 * 1024;

/// Why a document has no text for us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Not one of the formats that are read.
    Unsupported,
    /// A password opens it, and we have none.
    Encrypted,
    /// It can be read and has no text, as a scanned page.
    NoText,
    /// It is not what its format says.
    Malformed,
    /// More text, memory or time than a document may take.
    TooLarge,
}

/// How the text is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// Lines without markup.
    Plain,
    /// Headings are those of Markdown.
    Markdown,
    /// The first line names the columns of the others.
    Table,
}

/// The text of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    pub text: String,
    pub form: Form,
    /// By its content.
    pub media_type: String,
    pub isolation: Isolation,
}

/// A document whose text could not be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub reason: Reason,
    /// By its content, where that was found.
    pub media_type: Option<String>,
}

/// What the server says first; the bytes follow.
#[derive(Debug, Serialize, Deserialize)]
struct Given {
    /// Of which only the end counts.
    name: String,
    size: u64,
}

/// What a worker says after it is locked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Told {
    Text(String),
    Done {
        media_type: String,
        form: Form,
    },
    Unreadable {
        media_type: Option<String>,
        reason: Reason,
    },
}

/// Reads documents, some at a time. Cheap to clone.
#[derive(Clone)]
pub struct Extractor {
    supervisor: Supervisor,
    turns: Arc<Semaphore>,
}

impl Extractor {
    /// At most so many workers at a time.
    pub fn new(most: usize) -> Extractor {
        let options = PoolOptions {
            idle: 0,
            most,
            ..PoolOptions::default()
        };
        Extractor {
            supervisor: Supervisor::start(EXTRACT, options),
            turns: Arc::new(Semaphore::new(most)),
        }
    }

    /// The text of a document of `size` bytes. Of its name only the end counts, and only where the bytes do
    /// not say what it is.
    ///
    /// # Errors
    /// When nothing was read: `SANDBOX_UNAVAILABLE` on a machine that cannot isolate, `UNAVAILABLE` when the bytes cannot
    /// be had or the worker was told to stop. Whatever is wrong with the document is an [`Unreadable`].
    pub async fn extract(
        &self,
        file: File,
        size: u64,
        name: &str,
    ) -> Result<Result<Extracted, Unreadable>, Fault> {
        let turn = self.turns.acquire().await;
        let _turn = turn.map_err(|_| Fault::internal())?;
        let locked = session::locked(&self.supervisor).await;
        let (mut connection, isolation, process) = locked.map_err(|failure| {
            tracing::warn!(%failure, "a document was not read, since no worker could be locked");
            failure.fault()
        })?;
        let given = Given {
            name: name.to_owned(),
            size,
        };
        let talk = talk(&mut connection, isolation, &given, file);
        let told = tokio::time::timeout(WALL, talk).await;
        let signal = self.supervisor.end(process).await;
        match told {
            Ok(Ok(told)) => Ok(told),
            Ok(Err(Broken::File)) => Err(Fault::new(
                Code::Unavailable,
                "The document's bytes cannot be read.",
            )),
            // As when the whole group of processes is told to stop.
            Ok(Err(Broken::Worker))
                if matches!(signal, Some(libc::SIGTERM | libc::SIGINT | libc::SIGHUP)) =>
            {
                Err(Fault::new(
                    Code::Unavailable,
                    "The reader of the document was told to stop.",
                ))
            }
            // What else ends a worker from outside is time or memory; the rest is the document's doing as well.
            Ok(Err(Broken::Worker)) => {
                let reason = match signal {
                    Some(libc::SIGSEGV) => Reason::Malformed,
                    _ => Reason::TooLarge,
                };
                tracing::info!(?signal, "the reader of a document ended early");
                Ok(Err(of(reason)))
            }
            Ok(Err(Broken::Word)) => {
                tracing::warn!("the reader of a document did not keep to its words");
                Ok(Err(of(Reason::Malformed)))
            }
            Err(_) => Ok(Err(of(Reason::TooLarge))),
        }
    }
}

fn of(reason: Reason) -> Unreadable {
    Unreadable {
        reason,
        media_type: None,
    }
}

enum Broken {
    /// The bytes could not be read from disk.
    File,
    /// The connection ended.
    Worker,
    /// It said what it must not say.
    Word,
}

impl From<Wrong> for Broken {
    fn from(_: Wrong) -> Self {
        Broken::Word
    }
}

async fn talk(
    connection: &mut Connection,
    isolation: Isolation,
    given: &Given,
    file: File,
) -> Result<Result<Extracted, Unreadable>, Broken> {
    let mut first = Vec::new();
    frame::append(&mut first, given).map_err(|_| Broken::File)?;
    // A worker may say why it stops before it has taken everything: what it said is read below.
    if connection.stream.write_all(&first).await.is_ok() {
        send(connection, file, given.size).await?;
    }
    let mut text = String::new();
    loop {
        match session::next::<Told>(&mut connection.frames)? {
            Some(Told::Text(more)) => {
                if text.len() + more.len() > MAX_TEXT {
                    return Err(Broken::Word);
                }
                text.push_str(&more);
            }
            Some(Told::Done { media_type, form }) => {
                return Ok(Ok(Extracted {
                    text,
                    form,
                    media_type: short(&media_type),
                    isolation,
                }));
            }
            Some(Told::Unreadable { media_type, reason }) => {
                return Ok(Err(Unreadable {
                    reason,
                    media_type: media_type.as_deref().map(short),
                }));
            }
            None => {
                let read = connection.stream.read_buf(connection.frames.room()).await;
                if read.unwrap_or(0) == 0 {
                    return Err(Broken::Worker);
                }
            }
        }
    }
}

async fn send(connection: &mut Connection, file: File, size: u64) -> Result<(), Broken> {
    let mut file = tokio::fs::File::from_std(file).take(size);
    let mut piece = vec![0; PIECE];
    let mut sent = 0;
    loop {
        let read = file.read(&mut piece).await.map_err(|_| Broken::File)?;
        if read == 0 {
            return if sent == size {
                Ok(())
            } else {
                Err(Broken::File)
            };
        }
        sent += read as u64;
        if connection.stream.write_all(&piece[..read]).await.is_err() {
            return Ok(());
        }
    }
}

/// A worker is not believed about how long a type is.
fn short(media_type: &str) -> String {
    media_type.chars().take(128).collect()
}

/// Locks this process, reads one document, and ends the process.
pub(crate) fn work(connection: &File, origin: &Origin) -> Result<Infallible, Failure> {
    // A reader that panics has met a document that is not what it says: that is told, not died of.
    std::panic::set_hook(Box::new(|_| {}));
    let allowance = Allowance {
        memory: MEMORY,
        cpu: CPU,
    };
    origin.copy()?;
    let locked = lock::lock(origin.parent, &allowance)?;
    let ready = FromWorker::Ready {
        isolation: locked.isolation,
        lacks: locked.lacks,
    };
    say(connection, &ready);
    // Without a document, the server is gone or needs this worker no more.
    if let Ok((given, bytes)) = receive(connection) {
        let mut sink = Sink::new(connection);
        let kind = kind::of(&bytes, &given.name);
        let read = catch_unwind(AssertUnwindSafe(|| kind.read(&bytes, &mut sink)));
        let read = read.unwrap_or(Err(Reason::Malformed));
        let told = match read.and_then(|()| sink.finish()) {
            Ok(()) => Told::Done {
                media_type: kind.media_type().to_owned(),
                form: kind.form(),
            },
            Err(reason) => Told::Unreadable {
                media_type: kind.is_known().then(|| kind.media_type().to_owned()),
                reason,
            },
        };
        say(connection, &told);
    }
    std::process::exit(0)
}

fn receive(mut connection: &File) -> io::Result<(Given, Vec<u8>)> {
    let given: Given = serde_json::from_slice(&frame::read(&mut connection)?)?;
    let mut bytes = Vec::new();
    let whole = connection.take(given.size).read_to_end(&mut bytes)?;
    if whole as u64 == given.size {
        Ok((given, bytes))
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}
