//! `/skills`: written, changed, enabled, imported and exported; their files and versions.

use axum::extract::{Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use quaymaster_app::connectors::Wanted;
use quaymaster_app::skills::archive::Packed;
use quaymaster_app::skills::format::{Document, MOST_BYTES, MOST_PROMPT, SKILL_MD};
use quaymaster_app::skills::{Import, NewSkill, SkillChange, SkillInFull, SkillRow};
use quaymaster_app::{Actor, App};
use quaymaster_core::{Code, Fault};

use super::Pages;
use super::answer::{self, At, Stop, field_of, shown};
use super::connections::said;
use super::notice::Notice;
use super::paged::Asked;
use super::person::{Administrator, Person};
use super::posted::{Fields, File, Form, Posted};
use super::writers::Writers;
use crate::views::address::segment;
use crate::views::pager::ROWS;
use crate::views::{
    Field, ImportSkillPage, Layout, SavedSkill, SkillFileRow, SkillPage, SkillVersionRow,
    SkillsPage,
};

/// Versions that a page shows.
const MOST_VERSIONS: usize = 20;

pub(super) async fn list(
    State(app): State<App>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let (skills, total) = app
        .skills_page(&person.actor, &asked.query, ROWS, asked.offset())
        .await?;
    let page = SkillsPage {
        may_write: person.actor.role.administers(),
        layout: person.layout,
        skills: skills.into_iter().map(row).collect(),
        pager: asked.pager("/skills", total),
        query: asked.query,
    };
    Ok(shown(StatusCode::OK, &page))
}

fn row(skill: SkillRow) -> crate::views::SkillRow {
    crate::views::SkillRow {
        name: skill.name,
        description: skill.description,
        service: skill.service,
        enabled: skill.enabled,
        version: skill.version,
        updated_at: skill.updated_at,
    }
}

async fn services(app: &App, actor: &Actor) -> Result<Vec<String>, Fault> {
    let all = app.connectors(actor, &Wanted::default()).await?;
    Ok(all.into_iter().map(|row| row.key).collect())
}

async fn empty(app: &App, actor: &Actor, layout: Layout) -> Result<SkillPage, Fault> {
    Ok(SkillPage {
        layout,
        saved: None,
        name: Field::default(),
        description: Field::default(),
        system_prompt: Field::default(),
        service: Field::default(),
        services: services(app, actor).await?,
        enabled: true,
        error: None,
        file_error: None,
        may_write: actor.role.administers(),
    })
}

/// A skill as it is.
async fn page_of(app: &App, actor: &Actor, layout: Layout, name: &str) -> Result<SkillPage, Fault> {
    let skill = app.skill(actor, name).await?;
    let mut page = empty(app, actor, layout).await?;
    page.description = Field::new(skill.row.description.clone());
    page.system_prompt = Field::new(skill.system_prompt.clone());
    page.service = Field::new(skill.row.service.clone().unwrap_or_default());
    page.enabled = skill.row.enabled;
    page.saved = Some(saved(app, actor, skill).await?);
    Ok(page)
}

async fn saved(app: &App, actor: &Actor, skill: SkillInFull) -> Result<SavedSkill, Fault> {
    let mut versions = app.skill_versions(actor, &skill.row.name).await?;
    versions.truncate(MOST_VERSIONS);
    let ids: Vec<_> = versions
        .iter()
        .map(|version| version.made_by.as_str())
        .collect();
    let writers = Writers::of(app, actor, &ids).await?;
    let versions = versions.into_iter();
    let versions = versions.map(|version| SkillVersionRow {
        is_current: version.version == skill.row.version,
        version: version.version,
        note: version.note,
        made_by: writers.name(&version.made_by),
        made_at: version.made_at,
    });
    let files = skill.files.into_iter().map(|file| SkillFileRow {
        is_skill_md: file.path == SKILL_MD,
        size: u64::try_from(file.size).unwrap_or(0),
        executable: file.executable,
        path: file.path,
    });
    Ok(SavedSkill {
        versions: versions.collect(),
        files: files.collect(),
        name: skill.row.name,
        version: skill.row.version,
        enabled: skill.row.enabled,
    })
}

pub(super) async fn write(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
) -> Result<Response, Stop> {
    let page = empty(&app, &admin, person.layout).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    At(name): At<String>,
) -> Result<Response, Stop> {
    let page = page_of(&app, &person.actor, person.layout, &name).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct Written {
    name: String,
    description: String,
    system_prompt: String,
    service: String,
    enabled: bool,
    version: Option<i64>,
}

impl Form for Written {
    /// As an encoded form a byte can be three.
    const MOST: usize = 3 * MOST_PROMPT + 64 * 1024;

    fn read(fields: &Fields) -> Self {
        // Browsers send line ends of their own (HTML, "newline normalization").
        let text = |name| fields.one(name).replace("\r\n", "\n");
        Written {
            name: fields.one("name").trim().to_owned(),
            description: text("description").trim().to_owned(),
            system_prompt: text("system_prompt"),
            service: fields.one("service").trim().to_owned(),
            enabled: !fields.one("enabled").is_empty(),
            version: fields.one("version").parse().ok(),
        }
    }
}

/// What was typed, with the reason beside the field that it is about.
fn refused(mut page: SkillPage, form: Written, fault: Fault) -> Result<Response, Stop> {
    page.name.value = form.name;
    page.description.value = form.description;
    page.system_prompt.value = form.system_prompt;
    page.service.value = form.service;
    page.enabled = form.enabled;
    let field = field_of(&fault).map(str::to_owned);
    let is_service = fault.code == Code::UnknownService;
    let fits = is_service
        || matches!(
            fault.code,
            Code::InvalidArg
                | Code::AlreadyExists
                | Code::TooLarge
                | Code::QuotaExceeded
                | Code::PreconditionFailed
        );
    if !fits {
        return Err(fault.into());
    }
    let name_is_taken = fault.code == Code::AlreadyExists;
    let message = Some(said(fault));
    match field.as_deref() {
        Some("/name") => page.name.error = message,
        Some("/description") => page.description.error = message,
        Some("/system_prompt") => page.system_prompt.error = message,
        _ if is_service => page.service.error = message,
        _ if name_is_taken => page.name.error = message,
        _ => page.error = message,
    }
    Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
}

fn path(name: &str) -> String {
    format!("/skills/{}", segment(name))
}

pub(super) async fn add(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    Posted(form): Posted<Written>,
) -> Result<Response, Stop> {
    let new = NewSkill {
        document: Document {
            name: form.name.clone(),
            description: form.description.clone(),
            system_prompt: form.system_prompt.clone(),
            service: (!form.service.is_empty()).then(|| form.service.clone()),
            ..Document::default()
        },
        enabled: form.enabled,
    };
    match pages.app.add_skill(&admin, new).await {
        Ok(added) => Ok(answer::done(
            &pages,
            &path(&added.row.name),
            Notice::SkillSaved,
        )),
        Err(fault) => refused(empty(&pages.app, &admin, person.layout).await?, form, fault),
    }
}

pub(super) async fn change(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(name): At<String>,
    Posted(form): Posted<Written>,
) -> Result<Response, Stop> {
    let change = SkillChange {
        description: Some(form.description.clone()),
        system_prompt: Some(form.system_prompt.clone()),
        service: Some((!form.service.is_empty()).then(|| form.service.clone())),
        frontmatter: None,
        enabled: Some(form.enabled),
        if_version: form.version,
    };
    match pages.app.update_skill(&admin, &name, change).await {
        Ok(_) => Ok(answer::done(&pages, &path(&name), Notice::SkillSaved)),
        Err(fault) => {
            let page = page_of(&pages.app, &admin, person.layout, &name).await?;
            refused(page, form, fault)
        }
    }
}

pub(super) struct Enabling {
    enabled: bool,
}

impl Form for Enabling {
    fn read(fields: &Fields) -> Self {
        Enabling {
            enabled: !fields.one("enabled").is_empty(),
        }
    }
}

pub(super) async fn enable(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(name): At<String>,
    Query(asked): Query<Asked>,
    Posted(form): Posted<Enabling>,
) -> Result<Response, Stop> {
    let change = SkillChange {
        enabled: Some(form.enabled),
        ..SkillChange::default()
    };
    pages.app.update_skill(&admin, &name, change).await?;
    let notice = if form.enabled {
        Notice::SkillEnabled
    } else {
        Notice::SkillDisabled
    };
    Ok(answer::done(&pages, &asked.back("/skills"), notice))
}

pub(super) async fn delete(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(name): At<String>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    pages.app.delete_skill(&admin, &name).await?;
    Ok(answer::done(&pages, "/skills", Notice::SkillDeleted))
}

pub(super) struct Added {
    file: Option<File>,
    folder: String,
    executable: bool,
}

impl Form for Added {
    const MOST: usize = MOST_BYTES + 64 * 1024;

    fn read(fields: &Fields) -> Self {
        Added {
            file: fields.file("file"),
            folder: fields.one("folder").trim_matches([' ', '/']).to_owned(),
            executable: !fields.one("executable").is_empty(),
        }
    }
}

pub(super) async fn add_file(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(name): At<String>,
    Posted(form): Posted<Added>,
) -> Result<Response, Stop> {
    let done = match form.file {
        Some(file) => {
            let path = if form.folder.is_empty() {
                file.name
            } else {
                format!("{}/{}", form.folder, file.name)
            };
            let packed = Packed {
                path,
                bytes: file.bytes.to_vec(),
                executable: form.executable,
            };
            pages.app.put_skill_file(&admin, &name, packed).await
        }
        None => Err(Fault::invalid_arg("/file", "required", "Choose a file.")),
    };
    match done {
        Ok(_) => Ok(answer::done(&pages, &path(&name), Notice::SkillSaved)),
        Err(fault) if matches!(fault.code, Code::InvalidArg | Code::TooLarge) => {
            let mut page = page_of(&pages.app, &admin, person.layout, &name).await?;
            page.file_error = Some(said(fault));
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

pub(super) struct OneFile {
    path: String,
}

impl Form for OneFile {
    fn read(fields: &Fields) -> Self {
        OneFile {
            path: fields.text("path"),
        }
    }
}

pub(super) async fn delete_file(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(name): At<String>,
    Posted(form): Posted<OneFile>,
) -> Result<Response, Stop> {
    pages
        .app
        .delete_skill_file(&admin, &name, &form.path)
        .await?;
    Ok(answer::done(&pages, &path(&name), Notice::SkillSaved))
}

pub(super) struct OneVersion {
    version: i64,
}

impl Form for OneVersion {
    fn read(fields: &Fields) -> Self {
        OneVersion {
            version: fields.one("version").parse().unwrap_or(0),
        }
    }
}

pub(super) async fn restore(
    State(pages): State<Pages>,
    Administrator { admin, .. }: Administrator,
    At(name): At<String>,
    Posted(form): Posted<OneVersion>,
) -> Result<Response, Stop> {
    pages
        .app
        .restore_skill_version(&admin, &name, form.version)
        .await?;
    Ok(answer::done(&pages, &path(&name), Notice::SkillRestored))
}

pub(super) async fn choose(Administrator { person, .. }: Administrator) -> Result<Response, Stop> {
    let page = ImportSkillPage {
        layout: person.layout,
        replace: false,
        error: None,
    };
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct Given {
    file: Option<File>,
    replace: bool,
}

impl Form for Given {
    const MOST: usize = MOST_BYTES + 1024 * 1024;

    fn read(fields: &Fields) -> Self {
        Given {
            file: fields.file("file"),
            replace: !fields.one("replace").is_empty(),
        }
    }
}

pub(super) async fn import(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    Posted(form): Posted<Given>,
) -> Result<Response, Stop> {
    let made = match form.file {
        Some(file) => {
            let import = Import {
                archive: file.bytes.to_vec(),
                service: None,
                replace: form.replace,
                enabled: true,
            };
            pages.app.import_skill(&admin, import).await
        }
        None => Err(Fault::invalid_arg(
            "/file",
            "required",
            "Choose an archive.",
        )),
    };
    match made {
        Ok(made) => Ok(answer::done(
            &pages,
            &path(&made.row.name),
            Notice::SkillImported,
        )),
        Err(fault) if fault.code.status() < 500 => {
            let page = ImportSkillPage {
                layout: person.layout,
                replace: form.replace,
                error: Some(said(fault)),
            };
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

pub(super) async fn export(
    State(app): State<App>,
    person: Person,
    At(name): At<String>,
) -> Result<Response, Stop> {
    let archive = app.export_skill(&person.actor, &name).await?;
    // The skill is there, so its name is letters, digits and hyphens.
    let file = format!("attachment; filename=\"{name}.zip\"");
    let headers = [
        (header::CONTENT_TYPE, "application/zip".to_owned()),
        (header::CONTENT_DISPOSITION, file),
    ];
    Ok((headers, archive).into_response())
}
