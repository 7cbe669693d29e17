//! The members of the organization, who is invited, and the page that shows a fresh link once.

use askama::Template;
use quaymaster_core::Instant;

use super::form::{self, Field, Problem};
use super::layout::Layout;
use super::moment::Shown;
use super::pager::Pager;

/// A role that somebody may give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoleChoice {
    /// The value of the form field `role`.
    pub value: &'static str,
    pub label: &'static str,
    pub sentence: &'static str,
}

impl RoleChoice {
    pub const OWNER: RoleChoice = RoleChoice {
        value: "owner",
        label: "Owner",
        sentence: "Everything, owners included",
    };
    pub const ADMIN: RoleChoice = RoleChoice {
        value: "admin",
        label: "Admin",
        sentence: "Members, workspaces, every key and token; no owners",
    };
    pub const MEMBER: RoleChoice = RoleChoice {
        value: "member",
        label: "Member",
        sentence: "Workspaces, and keys and tokens of their own",
    };
    pub const ALL: [RoleChoice; 3] = [RoleChoice::OWNER, RoleChoice::ADMIN, RoleChoice::MEMBER];
}

/// `/settings/members`: posts `role` to `/{id}/role`, nothing to `/{id}/remove` and
/// `/{id}/reset-link`; invitations post `email`, `role` to `/settings/invitations`.
#[derive(Debug, Clone, Template)]
#[template(path = "members.html")]
pub struct MembersPage {
    pub layout: Layout,
    /// What was looked for.
    pub query: String,
    /// Owners first.
    pub members: Vec<MemberRow>,
    pub pager: Pager,
    /// Only administrators see and make invitations.
    pub inviting: Option<Inviting>,
}

#[derive(Debug, Clone)]
pub struct MemberRow {
    /// Part of the member's paths.
    pub id: String,
    pub name: String,
    /// None until the person signed in for the first time.
    pub email: Option<String>,
    pub role: RoleChoice,
    /// The roles that the person who looks may give to this one; none when they may not.
    pub roles: Vec<RoleChoice>,
    pub is_you: bool,
    pub may_remove: bool,
    pub may_reset: bool,
    pub joined_at: Instant,
    pub last_seen_at: Option<Instant>,
}

#[derive(Debug, Clone)]
pub struct Inviting {
    /// Newest first.
    pub pending: Vec<InvitationRow>,
    pub email: Field,
    /// The roles that may be given, and the ticked one's value.
    pub roles: Vec<RoleChoice>,
    pub role: &'static str,
    /// Whether links are mailed too.
    pub mails: bool,
}

#[derive(Debug, Clone)]
pub struct InvitationRow {
    /// Part of its path.
    pub id: String,
    pub email: String,
    pub role: &'static str,
    pub inviter: String,
    pub created_at: Instant,
    pub expires_at: Instant,
    pub may_revoke: bool,
}

impl MembersPage {
    pub fn problems(&self) -> Vec<Problem> {
        let email = self.inviting.iter();
        form::problems(
            None,
            email.map(|inviting| ("email", inviting.email.error.as_ref())),
        )
    }
}

/// Answer to a POST that made a link. The link stands here and nowhere else.
#[derive(Debug, Clone, Template)]
#[template(path = "fresh_link.html")]
pub struct FreshLinkPage {
    pub layout: Layout,
    pub kind: LinkKind,
    pub url: String,
    pub expires_at: Instant,
}

#[derive(Debug, Clone)]
pub enum LinkKind {
    Invitation {
        email: String,
        role: &'static str,
        mail: Mail,
    },
    /// Sets the password of this person.
    Reset { name: String },
}

/// What became of the mail with a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mail {
    /// This server sends none.
    None,
    Sent,
    /// Why not.
    Failed(String),
}
