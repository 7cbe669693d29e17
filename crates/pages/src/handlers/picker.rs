//! `/servers/{id}/tools`: which tools a hosted server has.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::picking::{Offered, OfferedAction, Pick};
use quaymaster_app::server_tools::ServerTool;
use quaymaster_app::servers::Server;
use quaymaster_app::{Admin, App};
use quaymaster_core::id::{ConnectionId, ServerId};
use quaymaster_core::{Code, Fault};
use serde::Deserialize;
use std::collections::BTreeSet;

use super::answer::{self, At, Stop, shown};
use super::notice::Notice;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::servers::path;
use super::{Pages, place, unswitched};
use crate::views::{Kept, PickerGroup, PickerPage, Tick};

/// Bytes that the ticks of a page take together. Integrations beyond them are folded, and come when
/// somebody opens them.
const ROOM: usize = 56 * 1024;
/// Integrations that a page has room for.
const MOST_GROUPS: i64 = 100;
/// Bytes of a tick besides its texts.
const MARKUP: usize = 320;

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Asked {
    query: String,
    /// The id of a group, which alone is opened then.
    open: String,
}

pub(super) async fn choose(
    State(app): State<App>,
    Administrator { admin, person }: Administrator,
    At(id): At<ServerId>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Response, Stop> {
    let Asked { query, open } = asked.map(|Query(asked)| asked).unwrap_or_default();
    let form = Chosen {
        query,
        opened: Some(open)
            .filter(|open| !open.is_empty())
            .into_iter()
            .collect(),
        ..Chosen::default()
    };
    let page = picker(&app, &admin, person, &id, &form).await?;
    Ok(shown(StatusCode::OK, &page))
}

#[derive(Default)]
pub(super) struct Chosen {
    is_follow: bool,
    query: String,
    /// Groups whose ticks are shown; none for those that there is room for.
    opened: Vec<String>,
    /// Somebody searches, or looks at one more group without the script, and saves nothing yet.
    is_look: bool,
    tools: Vec<String>,
    shown: Vec<String>,
}

impl Form for Chosen {
    // Some hundreds of actions, each named once or twice.
    const MOST: usize = 1024 * 1024;
    fn read(fields: &Fields) -> Self {
        let all = |name: &str| fields.all(name).map(str::to_owned).collect::<Vec<String>>();
        let open = all("open");
        let look = fields.one("look");
        // What is found anew is opened as far as there is room.
        let (query, opened) = match look {
            "" => (fields.text("query"), [all("opened"), open.clone()].concat()),
            "all" => (String::new(), Vec::new()),
            _ => (fields.text("query"), Vec::new()),
        };
        Chosen {
            is_follow: !fields.one("follow").is_empty(),
            is_look: !open.is_empty() || !look.is_empty(),
            query,
            opened,
            tools: all("tool"),
            shown: all("shown"),
        }
    }
}

impl Chosen {
    /// Whether an action has a tick: what the form did not show stays as it is.
    fn is_ticked(&self, value: &str, is_saved: bool) -> bool {
        let has = |all: &[String]| all.iter().any(|one| one == value);
        if has(&self.shown) {
            has(&self.tools)
        } else {
            is_saved
        }
    }
}

pub(super) async fn pick(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<ServerId>,
    Posted(form): Posted<Chosen>,
) -> Result<Response, Stop> {
    if form.is_follow {
        pages.app.pick_server_tools(&admin, &id, None).await?;
        return Ok(answer::done(&pages, &path(&id), Notice::ServerFollows));
    }
    if form.is_look {
        let page = picker(&pages.app, &admin, person, &id, &form).await?;
        return Ok(shown(StatusCode::OK, &page));
    }
    let server = pages.app.server(&admin, &id).await?;
    let mut picks = Vec::new();
    // What the form did not show stays as it is.
    for tool in picked(&pages.app, &admin, &server).await? {
        let pick = pick_of(&tool);
        if !form.shown.contains(&spelled(&pick)) {
            picks.push(pick);
        }
    }
    let mut unswitched = Vec::new();
    for value in &form.tools {
        match read_pick(value)? {
            Ticked::Of(pick) => picks.push(pick),
            Ticked::OfAccount(connection, action) => unswitched.push((connection, action)),
        }
    }
    if picks.is_empty() && unswitched.is_empty() && !server.is_picked {
        let mut page = picker(&pages.app, &admin, person, &id, &form).await?;
        page.error = Some("Tick at least one tool, or leave the server as it is.".to_owned());
        return Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page));
    }
    let app = &pages.app;
    let saved = match unswitched::switch_on(app, &admin, &server, unswitched).await {
        Ok(switched) => {
            picks.extend(switched);
            app.pick_server_tools(&admin, &id, Some(picks)).await
        }
        Err(fault) => Err(fault),
    };
    match saved {
        Ok(_) => Ok(answer::done(&pages, &path(&id), Notice::ToolsPicked)),
        Err(fault) if matches!(fault.code, Code::InvalidArg | Code::AlreadyExists) => {
            let mut page = picker(&pages.app, &admin, person, &id, &form).await?;
            page.error = Some(fault.message);
            Ok(shown(StatusCode::UNPROCESSABLE_ENTITY, &page))
        }
        Err(fault) => Err(fault.into()),
    }
}

fn pick_of(tool: &ServerTool) -> Pick {
    Pick {
        integration: tool.integration.clone(),
        action: tool.action.clone(),
    }
}

fn spelled(pick: &Pick) -> String {
    format!("{}/{}", pick.integration, pick.action)
}

/// What a tick stands for.
enum Ticked {
    Of(Pick),
    /// Of an account whose connector is not switched on yet.
    OfAccount(ConnectionId, String),
}

fn read_pick(value: &str) -> Result<Ticked, Fault> {
    let parts = value.split_once('/');
    let ticked = parts.and_then(|(of, action)| {
        let action = action.to_owned();
        if let Ok(connection) = of.parse() {
            return Some(Ticked::OfAccount(connection, action));
        }
        let integration = of.parse().ok()?;
        Some(Ticked::Of(Pick {
            integration,
            action,
        }))
    });
    ticked.ok_or_else(|| {
        Fault::invalid_arg("/tool", "format", "That is no tool.")
            .hint("Go back and send the form of the page.")
    })
}

/// The tools that were picked by hand.
async fn picked(app: &App, admin: &Admin, server: &Server) -> Result<Vec<ServerTool>, Fault> {
    if !server.is_picked {
        return Ok(Vec::new());
    }
    app.picked_server_tools(admin, &server.id).await
}

/// The picker as a form has it, saved or not.
async fn picker(
    app: &App,
    admin: &Admin,
    person: Person,
    id: &ServerId,
    form: &Chosen,
) -> Result<PickerPage, Fault> {
    let server = app.server(admin, id).await?;
    let tools = picked(app, admin, &server).await?;
    let workspace = &server.workspace;
    let words = Words::of(&form.query);
    let (_, total) = app.integrations_page(admin, workspace, "", 0, 0).await?;
    // Of more, the database finds the integrations, and what they can do is not looked through.
    let is_many = total > MOST_GROUPS;
    let every = Words::default();
    let (asked, of_groups) = if is_many {
        (form.query.as_str(), &every)
    } else {
        ("", &words)
    };
    let (all, found) = app
        .offered_actions(admin, workspace, asked, MOST_GROUPS)
        .await?;
    let more = usize::try_from(found - MOST_GROUPS).unwrap_or(0);
    let group = |offered: Offered| {
        let integration = offered.integration;
        let group = PickerGroup {
            id: integration.id.to_string(),
            alias: integration.alias,
            title: offered.title,
            ..PickerGroup::default()
        };
        let is_saved = |action: &str| {
            let mut own = tools.iter();
            own.any(|tool| tool.integration == integration.id && tool.action == action)
        };
        filled(group, offered.actions, of_groups, form, is_saved)
    };
    let of_account = |account: unswitched::Account| {
        let connection = account.connection;
        let group = PickerGroup {
            id: connection.id.to_string(),
            account: Some(format!("{}:{}", connection.connector, connection.name)),
            alias: connection.connector,
            title: account.title,
            ..PickerGroup::default()
        };
        filled(group, account.actions, &words, form, |_| false)
    };
    let unswitched = unswitched::accounts(app, admin, &server.workspace).await?;
    let groups = all.into_iter().map(group);
    let groups = groups.chain(unswitched.into_iter().map(of_account));
    let mut groups: Vec<PickerGroup> = groups.filter(|group| group.count > 0).collect();
    fold(&mut groups, form);
    let ticks = groups.iter().flat_map(|group| &group.ticks);
    let visible: BTreeSet<&str> = ticks.map(|tick| &*tick.value).collect();
    let saved: BTreeSet<String> = tools.iter().map(|tool| spelled(&pick_of(tool))).collect();
    let hidden = form.shown.iter().filter(|own| !visible.contains(&***own));
    let kept = hidden.map(|value| Kept {
        is_ticked: form.is_ticked(value, false),
        value: value.clone(),
    });
    let kept = kept.filter(|own| own.is_ticked != saved.contains(&own.value));
    let kept = kept.collect();
    Ok(PickerPage {
        layout: person.layout,
        place: place::find(app, admin, &server.workspace).await?,
        server_id: id.to_string(),
        server_name: server.name,
        is_picked: server.is_picked,
        query: form.query.clone(),
        picked: tools.len(),
        groups,
        is_many,
        more,
        kept,
        error: None,
    })
}

/// A group with the ticks of the actions that are searched for.
fn filled(
    mut group: PickerGroup,
    actions: Vec<OfferedAction>,
    words: &Words,
    form: &Chosen,
    is_saved: impl Fn(&str) -> bool,
) -> PickerGroup {
    for action in actions {
        if !words.fit(&group, &action) {
            continue;
        }
        let value = format!("{}/{}", group.id, action.key);
        let is_saved = is_saved(&action.key);
        let is_ticked = form.is_ticked(&value, is_saved);
        group.count += 1;
        group.ticked += usize::from(is_ticked);
        group.is_changed |= is_ticked != is_saved;
        let tick = place::tick(value, action.key.clone(), action, is_ticked);
        group.ticks.push(tick);
    }
    group
}

/// Takes the ticks of groups away that nobody opened, or that there is no room for. Where all fit, all
/// stay; where they do not, those that have some ticked, or that were searched for, as far as they fit.
/// What was changed and is not saved yet always stays: folded, it would come as it was saved.
fn fold(groups: &mut [PickerGroup], form: &Chosen) {
    let all: usize = groups.iter().map(weight).sum();
    let is_wanted = |group: &PickerGroup| all <= ROOM || group.ticked > 0 || !form.query.is_empty();
    let mut room = ROOM;
    for group in groups {
        let weight = weight(group);
        let is_opened = if form.opened.is_empty() {
            is_wanted(group) && weight <= room
        } else {
            form.opened.contains(&group.id)
        };
        let is_shown = is_opened || group.is_changed;
        if is_shown {
            room = room.saturating_sub(weight);
        } else {
            group.ticks.clear();
        }
    }
}

/// What the ticks of a group take on a page, in bytes.
fn weight(group: &PickerGroup) -> usize {
    let texts = |tick: &Tick| tick.title.len() + 3 * tick.name.len() + tick.summary.len();
    group.ticks.iter().map(|tick| MARKUP + texts(tick)).sum()
}

/// What the search asks for.
#[derive(Default)]
struct Words(Vec<String>);

impl Words {
    fn of(query: &str) -> Words {
        let words = query.split_whitespace().map(str::to_lowercase);
        Words(words.map(|word| word.replace('_', " ")).collect())
    }

    /// Whether an action of a group is searched for.
    fn fit(&self, group: &PickerGroup, action: &OfferedAction) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let summary = action.summary.as_deref().unwrap_or_default();
        let texts = [
            &*group.alias,
            &group.title,
            &action.key,
            &action.title,
            summary,
        ];
        let whole = texts.join(" ").to_lowercase().replace('_', " ");
        self.0.iter().all(|word| whole.contains(word))
    }
}
