//! A workspace's home directory for agents: read, edit, search, upload.
//!
//! Synchronous and blocking: the caller runs it where blocking is allowed. No SQL, no HTTP.
//!
//! Invariants:
//! - No path, link or race leads out of `home/`: directories are opened beneath its handle, the
//!   last name is used relative to an open directory and not followed.
//! - A file changes by a finished draft renamed into place, or not at all. Bytes outside the
//!   edited range stay as they are: line ends, marks, encoding.
//! - No answer and no fault holds a path of the host.
//! - What is acknowledged is durable, if [`Durability::Full`].
//!
//! Modules, bottom up:
//! - `limits`, `path`, `fault_of`: what is allowed, how paths are spelled, what errors become
//! - `home`, `jail`, `entries`, `lock`, `quota`, `usage`: the storage and its keeping
//! - `text`, `etag`, `mime`, `diff`: what is in a file
//! - `atomic`, `produce`: how a file changes
//! - `read`, `list`, `info`, `search`: tools that read; `documents`: what is read as the text in it; `download`: a whole file
//! - `write`, `directory`, `edit`, `tree`, `trash`: tools that change; `whole`: a file put into the place of what was read
//! - `uploads`: the bytes of uploads in parts
//! - `schema`, `cursor`: JSON Schemas of all requests and results; places in long answers

mod atomic;
mod cursor;
mod diff;
mod directory;
mod documents;
mod download;
mod edit;
mod entries;
mod etag;
mod fault_of;
mod home;
mod info;
mod jail;
mod limits;
mod list;
mod lock;
mod mime;
mod path;
mod produce;
mod quota;
mod read;
mod schema;
mod search;
mod text;
mod trash;
mod tree;
mod uploads;
mod usage;
mod whole;
mod write;

pub use directory::{CreateDirectory, CreateDirectoryResult};
pub use documents::DocumentFile;
pub use download::Download;
pub use edit::{
    Changed, DeleteLines, EditOut, ExpectedCount, FindReplace, FindReplaceResult,
    InsertAfterPattern, InsertAfterPatternResult, InsertLines, MatchedLine, Occurrence,
    PatternMode, Pick, Position, ReplaceLines, Spot,
};
pub use home::Home;
pub use info::{FileInfo, GetFileInfo};
pub use jail::EntryType;
pub use limits::{Durability, Limits, Work};
pub use list::{Entry, ListFiles, ListFilesResult, Order, Sort};
pub use mime::by_name as mime_by_name;
pub use path::RelPath;
pub use quota::Usage;
pub use read::{Media, NextPage, ReadAs, ReadFile, ReadFileResult};
pub use schema::schema_of;
pub use search::{
    Case, FileCount, Globs, SearchFiles, SearchFilesResult, SearchMatch, SearchMode, SearchOutput,
    Skipped,
};
pub use text::eol::EolStyle;
pub use trash::{Restored, TrashItem};
pub use tree::{CopyFile, CopyFileResult, DeleteFile, DeleteFileResult, MoveFile, MoveFileResult};
pub use uploads::{CompleteResult, PartDone, PartWriter, Staging, UploadTarget};
pub use write::{WriteEol, WriteFile, WriteFileResult, WriteMode};
