//! What people do with files: new ones, changed ones, moved and deleted ones.

use std::time::Duration;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};
use quaymaster_app::App;
use quaymaster_app::files::{
    CreateDirectory, DeleteFile, EolStyle, MoveFile, NewFile, ReadAs, ReadFile, ReadFileResult,
    WriteEol, WriteFile, WriteMode,
};
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::{Code, Fault};

use super::{EDIT_BYTES, MOST_BYTES, Where, address, crumbs, directory, file, name, parent};
use crate::handlers::answer::{self, At, Stop, shown, status_of_form};
use crate::handlers::notice::Notice;
use crate::handlers::person::Person;
use crate::handlers::posted::{Fields, File, Form, Posted};
use crate::handlers::{Pages, place};
use crate::views::{Field, FileEditPage, Place};

/// The form of a directory's page that was sent, and what was typed there.
struct Sender<'a>(&'static str, &'a str);

fn said(fault: &Fault) -> String {
    match &fault.hint {
        // Hints speak to agents of arguments.
        Some(_) if fault.code == Code::AlreadyExists => {
            "There is something of this name already.".to_owned()
        }
        Some(hint) if fault.code == Code::QuotaExceeded => format!("{} {hint}", fault.message),
        _ => fault.message.clone(),
    }
}

/// The answer, or the directory once more with why there is none, whatever the reason is.
async fn or_again(
    app: &App,
    person: Person,
    id: &WorkspaceId,
    path: String,
    Sender(field, typed): Sender<'_>,
    done: Result<Response, Fault>,
) -> Result<Response, Stop> {
    let fault = match done {
        Ok(answer) => return Ok(answer),
        Err(fault) => fault,
    };
    let looking = Where {
        path,
        ..Where::default()
    };
    let mut page = directory(app, person, id, &looking).await?;
    let message = said(&fault);
    match field {
        "new-file" => page.new_file = Field::wrong(typed, &*message),
        "new-directory" => page.new_directory = Field::wrong(typed, &*message),
        _ => {}
    }
    page.refused = Some((field, message));
    Ok(shown(status_of_form(&fault), &page))
}

/// A name in a directory. Some browsers send a path, of which the name counts.
fn within(directory: &str, name: &str) -> String {
    let directory = directory.trim_matches('/');
    if directory.is_empty() {
        name.to_owned()
    } else {
        format!("{directory}/{name}")
    }
}

pub(in crate::handlers) struct Named {
    path: String,
    name: String,
}

impl Form for Named {
    fn read(fields: &Fields) -> Self {
        Named {
            path: fields.text("path"),
            name: fields.one("name").trim().to_owned(),
        }
    }
}

/// Makes an empty file and goes on to its text.
pub(in crate::handlers) async fn create(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<Named>,
) -> Result<Response, Stop> {
    let place = place::find(&app, &person.actor, &id).await?;
    let ask = WriteFile {
        path: within(&form.path, &form.name),
        content: String::new(),
        encoding: None,
        mode: WriteMode::Create,
        create_parents: true,
        eol: WriteEol::Keep,
        if_match: None,
        dry_run: false,
    };
    let made = app.write_file(&person.actor, &id, ask).await;
    let made = made.map(|made| Redirect::to(&address(&place, "edit", &made.path)).into_response());
    let sender = Sender("new-file", &form.name);
    or_again(&app, person, &id, form.path, sender, made).await
}

pub(in crate::handlers) async fn make_directory(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<Named>,
) -> Result<Response, Stop> {
    let place = place::find(&app, &person.actor, &id).await?;
    let ask = CreateDirectory {
        path: within(&form.path, &form.name),
        parents: true,
    };
    let made = app.create_directory(&person.actor, &id, ask).await;
    let made = made.map(|made| Redirect::to(&address(&place, "", &made.path)).into_response());
    let sender = Sender("new-directory", &form.name);
    or_again(&app, person, &id, form.path, sender, made).await
}

pub(in crate::handlers) struct Sent {
    path: String,
    file: Option<File>,
    replace: bool,
}

impl Form for Sent {
    const MOST: usize = MOST_BYTES + 64 * 1024;
    const WITHIN: Duration = Duration::from_mins(10);

    fn read(fields: &Fields) -> Self {
        Sent {
            path: fields.text("path"),
            file: fields.file("file"),
            replace: !fields.one("replace").is_empty(),
        }
    }
}

pub(in crate::handlers) async fn upload(
    State(pages): State<Pages>,
    person: Person,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<Sent>,
) -> Result<Response, Stop> {
    let app = &pages.app;
    let place = place::find(app, &person.actor, &id).await?;
    let Sent {
        path,
        file,
        replace,
    } = form;
    let sent = async {
        let file = file.ok_or_else(|| Fault::invalid_arg("/file", "required", "Choose a file."))?;
        let name = file.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let new = NewFile {
            path: within(&path, name),
            size: file.bytes.len() as u64,
            overwrite: replace,
            if_match: None,
        };
        let mut receiver = app.receive_file(&person.actor, &id, new).await?;
        for piece in file.pieces() {
            receiver = receiver.write(piece).await?;
        }
        receiver.finish().await?;
        Ok::<_, Fault>(answer::done(
            &pages,
            &address(&place, "", &path),
            Notice::FileSent,
        ))
    };
    let sent = sent.await;
    or_again(app, person, &id, path, Sender("file", ""), sent).await
}

pub(in crate::handlers) struct Gone {
    path: String,
    etag: String,
}

impl Form for Gone {
    fn read(fields: &Fields) -> Self {
        Gone {
            path: fields.text("path"),
            etag: fields.text("etag"),
        }
    }
}

/// Moves to the trash.
pub(in crate::handlers) async fn delete(
    State(pages): State<Pages>,
    person: Person,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<Gone>,
) -> Result<Response, Stop> {
    let place = place::find(&pages.app, &person.actor, &id).await?;
    let above = parent(form.path.trim_matches('/')).to_owned();
    let ask = DeleteFile {
        path: form.path,
        recursive: true,
        missing_ok: false,
        permanent: false,
        if_match: Some(form.etag).filter(|etag| !etag.is_empty()),
        dry_run: false,
    };
    let gone = pages.app.delete_file(&person.actor, &id, ask).await;
    let gone = gone.map(|_| {
        let path = address(&place, "", &above);
        answer::done(&pages, &path, Notice::FileDeleted)
    });
    or_again(&pages.app, person, &id, above, Sender("", ""), gone).await
}

pub(in crate::handlers) struct Moved {
    path: String,
    to: String,
    etag: String,
}

impl Form for Moved {
    fn read(fields: &Fields) -> Self {
        Moved {
            path: fields.text("path"),
            to: fields.one("to").trim().to_owned(),
            etag: fields.text("etag"),
        }
    }
}

pub(in crate::handlers) async fn rename(
    State(pages): State<Pages>,
    person: Person,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<Moved>,
) -> Result<Response, Stop> {
    let place = place::find(&pages.app, &person.actor, &id).await?;
    let ask = MoveFile {
        source: form.path.clone(),
        destination: form.to.clone(),
        overwrite: false,
        create_parents: true,
        if_match: Some(form.etag).filter(|etag| !etag.is_empty()),
        if_match_destination: None,
    };
    match pages.app.move_file(&person.actor, &id, ask).await {
        Ok(moved) => {
            let path = address(&place, "view", &moved.destination);
            Ok(answer::done(&pages, &path, Notice::FileMoved))
        }
        Err(fault) => {
            let looking = Where {
                path: form.path,
                ..Where::default()
            };
            // Gone meanwhile: then the page of the file says so.
            let mut page = file(&pages.app, person, &id, &looking).await?;
            page.rename = Field::wrong(form.to, said(&fault));
            Ok(shown(status_of_form(&fault), &page))
        }
    }
}

pub(in crate::handlers) async fn edit(
    State(app): State<App>,
    person: Person,
    At(id): At<WorkspaceId>,
    Query(looking): Query<Where>,
) -> Result<Response, Stop> {
    let place = place::find(&app, &person.actor, &id).await?;
    let read = app
        .read_file(&person.actor, &id, whole(&looking.path))
        .await?;
    if let Some(why) = not_edited(&read) {
        let code = if read.truncated {
            Code::TooLarge
        } else {
            Code::NotText
        };
        return Err(Fault::new(code, why)
            .hint("Download it, change it and upload it again, or let an agent edit it.")
            .into());
    }
    let page = FileEditPage {
        text: Field::new(read.content.unwrap_or_default()),
        etag: read.etag,
        encoding: read.encoding.unwrap_or_else(|| "utf-8".to_owned()),
        is_stale: false,
        ..blank(person, place, read.path)
    };
    Ok(shown(StatusCode::OK, &page))
}

/// A text as the form of its page has it, by bytes: pages of lines cut long ones, and what is cut
/// would be lost.
pub(super) fn whole(path: &str) -> ReadFile {
    ReadFile {
        path: path.to_owned(),
        start_line: None,
        end_line: -1,
        offset: Some(0),
        length: Some(EDIT_BYTES),
        read_as: ReadAs::Text,
        encoding: None,
        line_numbers: false,
        max_bytes: EDIT_BYTES,
        if_none_match: None,
    }
}

/// Why a text cannot go through a form and come back as it was.
pub(super) fn not_edited(read: &ReadFileResult) -> Option<&'static str> {
    let text = read.content.as_deref().unwrap_or_default();
    if read.truncated {
        return Some("The file is too large to be edited on a page.");
    }
    // A browser has one kind of line end, and counts a lone carriage return as one (HTML, "newline
    // normalization"); of NUL it makes U+FFFD.
    if read.eol == Some(EolStyle::Mixed) {
        return Some(
            "The file cannot be edited on a page: its lines end in different ways, and a form would even them.",
        );
    }
    if text.replace("\r\n", "\n").contains('\r') {
        return Some(
            "The file cannot be edited on a page: it has carriage returns within lines, and a form would end lines there.",
        );
    }
    if text.contains('\0') {
        return Some(
            "The file cannot be edited on a page: it has NUL characters, and a form would lose them.",
        );
    }
    None
}

fn blank(person: Person, place: Place, path: String) -> FileEditPage {
    FileEditPage {
        layout: person.layout,
        name: name(&path).to_owned(),
        crumbs: crumbs(&place, parent(&path)),
        view: address(&place, "view", &path),
        text: Field::default(),
        etag: String::new(),
        encoding: String::new(),
        is_stale: false,
        place,
        path,
    }
}

pub(in crate::handlers) struct Edited {
    path: String,
    text: String,
    etag: String,
    encoding: String,
}

impl Form for Edited {
    // Escaped, a byte takes three.
    const MOST: usize = 4 * 1024 * 1024;

    fn read(fields: &Fields) -> Self {
        Edited {
            path: fields.text("path"),
            // Forms send CR LF, whatever the file has.
            text: fields.one("text").replace("\r\n", "\n"),
            etag: fields.text("etag"),
            encoding: fields.text("encoding"),
        }
    }
}

pub(in crate::handlers) async fn save(
    State(pages): State<Pages>,
    person: Person,
    At(id): At<WorkspaceId>,
    Posted(form): Posted<Edited>,
) -> Result<Response, Stop> {
    let place = place::find(&pages.app, &person.actor, &id).await?;
    let ask = WriteFile {
        path: form.path.clone(),
        content: form.text.clone(),
        encoding: Some(form.encoding.clone()).filter(|name| !name.is_empty()),
        mode: WriteMode::Overwrite,
        create_parents: false,
        eol: WriteEol::Keep,
        // Without one, whatever is there would be replaced.
        if_match: Some(form.etag.clone()),
        dry_run: false,
    };
    let fault = match pages.app.write_file(&person.actor, &id, ask).await {
        Ok(written) => {
            let path = address(&place, "view", &written.path);
            return Ok(answer::done(&pages, &path, Notice::FileSaved));
        }
        Err(fault) => fault,
    };
    let current = fault.details.as_ref().and_then(|details| {
        let etag = details.get("current_etag")?.as_str()?;
        Some(etag.to_owned())
    });
    let is_stale = fault.code == Code::PreconditionFailed && current.is_some();
    let error = if is_stale {
        "Somebody changed the file meanwhile. Nothing is saved yet.".to_owned()
    } else {
        said(&fault)
    };
    let status = status_of_form(&fault);
    let page = FileEditPage {
        text: Field::wrong(form.text, error),
        etag: current.unwrap_or(form.etag),
        encoding: form.encoding,
        is_stale,
        ..blank(person, place, form.path)
    };
    Ok(shown(status, &page))
}
