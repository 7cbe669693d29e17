//! The file tools over the home directory of one workspace.

use super::{ADDS, ADDS_ONCE, DESTROYS, DESTROYS_ONCE, READS, Tool, structured};
use crate::App;
use crate::guard::Admitted;
use crate::homes::blocking;
use quaymaster_core::Fault;
use quaymaster_core::tool::{Content, Nature, ToolResult};
use quaymaster_files::{
    CopyFile, CopyFileResult, CreateDirectory, CreateDirectoryResult, DeleteFile, DeleteFileResult,
    DeleteLines, EditOut, FileInfo, FindReplace, FindReplaceResult, GetFileInfo, Home,
    InsertAfterPattern, InsertAfterPatternResult, InsertLines, ListFiles, ListFilesResult,
    MoveFile, MoveFileResult, ReadFile, ReadFileResult, ReplaceLines, SearchFiles,
    SearchFilesResult, Work, WriteFile, WriteFileResult,
};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::time::{Duration, Instant};

pub(super) const INSTRUCTIONS: &str = "These tools work on the files of one workspace. Paths are relative to its root. \
     Every answer about a file has its etag: pass it as if_match when you change the file, and a change made \
     in between by somebody else is not lost. Edit with the line tools or find_replace rather than writing a \
     whole file again; send files above 1 MiB with create_upload_session.";

/// A call may take this long; a search stops earlier and says where to go on.
const PATIENCE: Duration = Duration::from_mins(2);

/// A tool that is one method of [`Home`].
fn tool<Request, Answer>(
    name: &'static str,
    title: &'static str,
    nature: Nature,
    description: &str,
    method: fn(&Home, &Request, &Work<'_>) -> Result<Answer, Fault>,
    show: fn(Answer) -> Result<ToolResult, Fault>,
) -> Result<Tool, Fault>
where
    Request: DeserializeOwned + JsonSchema + Send + 'static,
    Answer: JsonSchema + Send + 'static,
{
    Tool::new::<Request, Answer>(
        name,
        title,
        description,
        nature,
        move |app, admitted, request| Box::pin(run(app, admitted, request, method, show)),
    )
}

async fn run<Request: Send + 'static, Answer: Send + 'static>(
    app: &App,
    admitted: Admitted,
    request: Request,
    method: fn(&Home, &Request, &Work<'_>) -> Result<Answer, Fault>,
    show: fn(Answer) -> Result<ToolResult, Fault>,
) -> Result<ToolResult, Fault> {
    let _turn = app.file_turn(&admitted.workspace().id).await?;
    let home = app.home(admitted.workspace()).await?;
    let ctx = admitted.call().ctx.clone();
    blocking(move || {
        let work = Work {
            cancelled: &|| ctx.cancel.is_cancelled(),
            deadline: Instant::now() + PATIENCE,
            report: &|done, total, what| ctx.report(done, total, what),
        };
        show(method(&home, &request, &work)?)
    })
    .await
}

/// Agents ask for this often, and mostly about files that are known: handing those few system
/// calls to another thread costs more than they do.
async fn file_info(
    app: &App,
    admitted: Admitted,
    request: GetFileInfo,
) -> Result<ToolResult, Fault> {
    let home = app.home(admitted.workspace()).await?;
    if let Some(answer) = home.quick_file_info(&request) {
        return structured(&answer?);
    }
    let full = |home: &Home, request: &GetFileInfo, _: &Work<'_>| home.get_file_info(request);
    run(app, admitted, request, full, plain).await
}

async fn read_file(app: &App, admitted: Admitted, request: ReadFile) -> Result<ToolResult, Fault> {
    let workspace = &admitted.workspace().id;
    let _turn = app.file_turn(workspace).await?;
    let home = app.home(admitted.workspace()).await?;
    page(app.read_page(workspace, home, request).await?)
}

fn plain<Answer: Serialize>(answer: Answer) -> Result<ToolResult, Fault> {
    structured(&answer)
}

/// The text itself stands in the text block: clients differ in which of the two they show.
fn page(mut answer: ReadFileResult) -> Result<ToolResult, Fault> {
    let media = answer.media.take();
    let text = answer.content.clone();
    let mut result = structured(&answer)?;
    if let Some(media) = media {
        let (data, mime) = (media.data_base64, media.mime);
        let block = if mime.starts_with("audio/") {
            Content::Audio { data, mime }
        } else {
            Content::Image { data, mime }
        };
        result.content.insert(0, block);
    } else if let Some(text) = text {
        result.content = vec![Content::Text(text)];
    }
    Ok(result)
}

pub(super) fn tools() -> Result<Vec<Tool>, Fault> {
    Ok(vec![
        tool::<ListFiles, ListFilesResult>(
            "list_files",
            "List files",
            READS,
            "Lists a directory of the workspace: path, type, size, time of change. Directories come first. \
             Set recursive for the tree below; filter with glob; go on with next_cursor.",
            |home, request, _| home.list_files(request),
            plain,
        )?,
        tool::<SearchFiles, SearchFilesResult>(
            "search_files",
            "Search files",
            READS,
            "Finds text in files (query), files by name (glob), or text in files of that name (both). \
             Answers path, line and column with lines around. Skips binary files and what .gitignore names.",
            Home::search_files,
            plain,
        )?,
        Tool::new::<ReadFile, ReadFileResult>(
            "read_file",
            "Read a file",
            "Reads a page of a file: lines start_line to end_line (negative counts from the end), or bytes \
             from offset. Answers the text and the file's etag; next says where to go on. PDF, docx, xlsx and \
             pptx come as the text that is in them, images and audio as such, other binary files as base64.",
            READS,
            |app, admitted, request| Box::pin(read_file(app, admitted, request)),
        )?,
        tool::<WriteFile, WriteFileResult>(
            "write_file",
            "Write a file",
            DESTROYS,
            "Writes a whole file of at most 1 MiB, or appends to it; directories on the way are made. Use the \
             line tools or find_replace to change a part of a file, and an upload session for larger ones.",
            |home, request, _| home.write_file(request),
            plain,
        )?,
        tool::<DeleteFile, DeleteFileResult>(
            "delete_file",
            "Delete a file or directory",
            DESTROYS_ONCE,
            "Moves a file to the trash, from where a person can restore it for 7 days. Directories that are \
             not empty need recursive.",
            |home, request, _| home.delete_file(request),
            plain,
        )?,
        tool::<CreateDirectory, CreateDirectoryResult>(
            "create_directory",
            "Create a directory",
            ADDS_ONCE,
            "Makes a directory with its parents. One that is there already is fine.",
            |home, request, _| home.create_directory(request),
            plain,
        )?,
        tool::<MoveFile, MoveFileResult>(
            "move_file",
            "Move or rename",
            DESTROYS,
            "Moves or renames a file or directory. An existing destination is refused unless overwrite is set.",
            |home, request, _| home.move_file(request),
            plain,
        )?,
        tool::<CopyFile, CopyFileResult>(
            "copy_file",
            "Copy a file or directory",
            DESTROYS_ONCE,
            "Copies a file, or with recursive a directory. An existing destination is refused unless overwrite \
             is set.",
            Home::copy_file,
            plain,
        )?,
        Tool::new::<GetFileInfo, FileInfo>(
            "get_file_info",
            "Get file information",
            "Tells type, size, time of change, etag, encoding, line ends and number of lines of a file without \
             its content.",
            READS,
            |app, admitted, request| Box::pin(file_info(app, admitted, request)),
        )?,
        tool::<InsertLines, EditOut>(
            "insert_lines",
            "Insert lines",
            ADDS,
            "Inserts text after a line: 0 is the top of the file, -1 its end. Line ends follow the lines around.",
            |home, request, _| home.insert_lines(request),
            plain,
        )?,
        tool::<ReplaceLines, EditOut>(
            "replace_lines",
            "Replace lines",
            DESTROYS_ONCE,
            "Replaces the lines start_line to end_line, both included, by other text. Give expect, the present \
             text of the range, to be sure that it is the right one.",
            |home, request, _| home.replace_lines(request),
            plain,
        )?,
        tool::<DeleteLines, EditOut>(
            "delete_lines",
            "Delete lines",
            DESTROYS,
            "Deletes the lines start_line to end_line, both included.",
            |home, request, _| home.delete_lines(request),
            plain,
        )?,
        tool::<FindReplace, FindReplaceResult>(
            "find_replace",
            "Find and replace",
            DESTROYS,
            "Replaces text in a file. It must occur expected_count times (1 unless said otherwise), else \
             nothing is written. mode regex allows $1 and ${name} in the replacement.",
            |home, request, _| home.find_replace(request),
            plain,
        )?,
        tool::<InsertAfterPattern, InsertAfterPatternResult>(
            "insert_after_pattern",
            "Insert after a pattern",
            ADDS,
            "Inserts lines after (or before) the line that a text or regular expression matches. More than one \
             match is refused unless occurrence says which.",
            |home, request, _| home.insert_after_pattern(request),
            plain,
        )?,
    ])
}
