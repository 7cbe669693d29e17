//! `/settings/members`: who is in the organization, with which role; who is invited is in
//! [`invitations`](super::invitations).

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use quaymaster_app::members::{Member, Role};
use quaymaster_app::{Actor, App};
use quaymaster_core::id::UserId;
use quaymaster_core::{Code, Fault};
use secrecy::ExposeSecret as _;

use super::account::refused;
use super::answer::{self, At, Stop, shown};
use super::notice::Notice;
use super::paged::Asked;
use super::person::{Administrator, Person};
use super::posted::{Fields, Form, Posted};
use super::{Pages, invitations};
use crate::views::pager::ROWS;
use crate::views::{Field, FreshLinkPage, LinkKind, MemberRow, MembersPage, RoleChoice};

const PATH: &str = "/settings/members";

pub(super) async fn read(
    State(app): State<App>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Response, Stop> {
    let page = page(&app, person, asked).await?;
    Ok(shown(StatusCode::OK, &page))
}

pub(super) struct NewRole {
    role: Option<Role>,
}

impl Form for NewRole {
    fn read(fields: &Fields) -> Self {
        NewRole {
            role: Role::from_name(fields.one("role")),
        }
    }
}

pub(super) async fn change_role(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<UserId>,
    Query(asked): Query<Asked>,
    Posted(form): Posted<NewRole>,
) -> Result<Response, Stop> {
    let role = form.role.ok_or_else(no_such_role)?;
    match pages.app.change_role(&admin, &id, role).await {
        Ok(_) => Ok(answer::done(&pages, &asked.back(PATH), Notice::RoleChanged)),
        Err(fault) => not_done(&pages.app, person, fault).await,
    }
}

pub(super) async fn remove(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<UserId>,
    Query(asked): Query<Asked>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    match pages.app.remove_member(&admin, &id).await {
        Ok(_) => Ok(answer::done(
            &pages,
            &asked.back(PATH),
            Notice::MemberRemoved,
        )),
        Err(fault) => not_done(&pages.app, person, fault).await,
    }
}

/// Answers with the link, which is shown here or never.
pub(super) async fn reset_link(
    State(pages): State<Pages>,
    Administrator { admin, person }: Administrator,
    At(id): At<UserId>,
    Posted(()): Posted<()>,
) -> Result<Response, Stop> {
    let link = match pages.app.issue_reset(&admin, &id).await {
        Ok(link) => link,
        Err(fault) => return not_done(&pages.app, person, fault).await,
    };
    let member = pages.app.member(&admin, &id).await?;
    let page = FreshLinkPage {
        layout: person.layout,
        kind: LinkKind::Reset { name: member.name },
        url: link.url.expose_secret().to_owned(),
        expires_at: link.expires_at,
    };
    Ok(shown(StatusCode::OK, &page))
}

/// Shows the list with what a rule says against it. Who is gone, or of another organization, is
/// not found.
async fn not_done(app: &App, person: Person, fault: Fault) -> Result<Response, Stop> {
    if fault.code != Code::Forbidden {
        return Err(fault.into());
    }
    let mut page = page(app, person, Asked::default()).await?;
    page.layout.flash = Some(refused(fault));
    Ok(shown(StatusCode::FORBIDDEN, &page))
}

pub(super) fn no_such_role() -> Fault {
    Fault::invalid_arg("/role", "enum", "There is no such role.")
        .hint("Go back and send the form of the page.")
}

pub(super) const fn choice_of(role: Role) -> RoleChoice {
    match role {
        Role::Owner => RoleChoice::OWNER,
        Role::Admin => RoleChoice::ADMIN,
        Role::Member => RoleChoice::MEMBER,
    }
}

pub(super) const fn label_of(role: Role) -> &'static str {
    choice_of(role).label
}

/// The roles that somebody may give, the greatest first.
pub(super) fn given_by(role: Role) -> Vec<RoleChoice> {
    let given = Role::ALL.into_iter().filter(|one| role.may_give(*one));
    given.map(choice_of).collect()
}

/// The page with empty forms.
pub(super) async fn page(app: &App, person: Person, asked: Asked) -> Result<MembersPage, Fault> {
    let actor = &person.actor;
    let (members, total) = app
        .members(actor, &asked.query, ROWS, asked.offset())
        .await?;
    let has_one_owner = app.has_one_owner(actor).await?;
    let row = |member: Member| row(actor, member, has_one_owner);
    let inviting = match actor.clone().admin() {
        Ok(admin) => Some(invitations::form(app, &admin, Field::default(), Role::Member).await?),
        Err(_) => None,
    };
    Ok(MembersPage {
        members: members.into_iter().map(row).collect(),
        pager: asked.pager(PATH, total),
        query: asked.query,
        inviting,
        layout: person.layout,
    })
}

fn row(actor: &Actor, member: Member, has_one_owner: bool) -> MemberRow {
    let is_you = member.user == actor.user;
    let is_last_owner = member.role == Role::Owner && has_one_owner;
    let may_change = actor.role.may_give(member.role);
    let roles = if may_change && !is_last_owner {
        given_by(actor.role)
    } else {
        Vec::new()
    };
    MemberRow {
        id: member.user.to_string(),
        name: member.name,
        email: member.email,
        role: choice_of(member.role),
        roles,
        is_you,
        may_remove: may_change && !is_you && !is_last_owner,
        may_reset: may_change && !is_you && member.has_password,
        joined_at: member.joined_at,
        last_seen_at: member.last_seen_at,
    }
}
