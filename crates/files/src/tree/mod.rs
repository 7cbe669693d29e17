//! Tools that move whole entries: delete, move, copy.

mod copy;
mod delete;
mod rename;

pub use copy::{CopyFile, CopyFileResult};
pub use delete::{DeleteFile, DeleteFileResult};
pub use rename::{MoveFile, MoveFileResult};
