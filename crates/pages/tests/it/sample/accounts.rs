//! A person's account, the members, and links by which people come in.

use quaymaster_pages::views::pager::Pager;
use quaymaster_pages::views::{
    AccountPage, BrowserRow, Field, ForgotPage, FreshLinkPage, InvitationPage, InvitationRow,
    InvitationState, Invited, Inviting, LinkKind, Mail, MemberRow, MembersPage, OrganizationRow,
    ResetPage, ResetState, RoleChoice, Tone,
};

use super::{Page, Sample, page};

impl Sample {
    pub(super) fn of_accounts(&self) -> Vec<Page> {
        let browser = |id: &str, agent: &str, ago, address: Option<&str>| BrowserRow {
            id: self.t(id),
            agent: self.t(agent),
            address: address.map(|address| self.t(address)),
            signed_in_at: self.ago(ago * 40),
            last_seen_at: self.ago(ago),
            is_this: id == "ses_1",
        };
        let organization = |id: &str, name: &str, role| OrganizationRow {
            id: self.t(id),
            name: self.t(name),
            role,
            joined_at: self.ago(5_000_000),
            is_this: id == "org_1",
        };
        let account = AccountPage {
            layout: self.saying(
                Tone::Done,
                "Your password is changed. Every other browser is signed out.",
            ),
            name: self.field("Ada"),
            email: self.t("ada@example.com"),
            current_error: None,
            password_error: None,
            revoke: false,
            browsers: vec![
                browser("ses_1", "Firefox on Linux", 10, Some("192.0.2.7")),
                browser(
                    "ses_2",
                    "Safari on iPhone",
                    90_000,
                    Some("2001:db8::c0:ffee"),
                ),
                browser("ses_3", "Chrome on Windows", 400_000, None),
            ],
            organizations: vec![
                organization("org_1", "Harbour works", "Owner"),
                organization("org_2", "Pier", "Member"),
            ],
        };
        let alone = AccountPage {
            layout: self.inside(),
            browsers: account.browsers[..1].to_vec(),
            organizations: account.organizations[..1].to_vec(),
            ..account.clone()
        };
        let wrong = AccountPage {
            name: self.wrong("", "A name has 1 to 80 characters."),
            current_error: Some(self.t("That is not your present password.")),
            password_error: Some(self.t("A password has at least 12 characters.")),
            ..alone.clone()
        };
        let members = self.members();
        let reader = MembersPage {
            layout: self.inside(),
            query: self.t("ada"),
            pager: Pager::new("/settings/members", "ada", 0, 4),
            members: members
                .members
                .iter()
                .map(|member| MemberRow {
                    roles: vec![],
                    may_remove: false,
                    may_reset: false,
                    ..member.clone()
                })
                .collect(),
            inviting: None,
        };
        let mut empty = members.clone();
        empty.members.truncate(1);
        if let Some(inviting) = &mut empty.inviting {
            inviting.pending.clear();
            inviting.mails = true;
            inviting.email = self.wrong("ada", "That is not an email address.");
        }
        let fresh = |kind| {
            FreshLinkPage {
            layout: self.inside(),
            kind,
            url: self.t("https://quay.example.com/invitation/inv_1.q1mS7xkzB0v4nT2wYd8hRfL5cJ9gP3uK6eXaWsZi0oM"),
            expires_at: self.now.plus_seconds(604_000),
        }
        };
        let invited = |mail| {
            fresh(LinkKind::Invitation {
                email: self.t("bo@example.com"),
                role: "Admin",
                mail,
            })
        };
        vec![
            page("account", &account),
            page("account-alone", &alone),
            page("account-wrong", &wrong),
            page("members", &members),
            page("members-member", &reader),
            page("members-wrong", &empty),
            page("fresh-invitation", &invited(Mail::None)),
            page("fresh-invitation-mailed", &invited(Mail::Sent)),
            page(
                "fresh-invitation-not-mailed",
                &invited(Mail::Failed(
                    self.t("The mail server mail.example.com does not answer."),
                )),
            ),
            page(
                "fresh-reset",
                &fresh(LinkKind::Reset { name: self.t("Cy") }),
            ),
        ]
    }

    fn members(&self) -> MembersPage {
        let member = |id: &str, name: &str, role: RoleChoice, seen: Option<i64>| MemberRow {
            id: self.t(id),
            name: self.t(name),
            email: seen.map(|_| self.t(&format!("{}@example.com", name.to_lowercase()))),
            role,
            roles: if id == "usr_1" {
                vec![]
            } else {
                RoleChoice::ALL.to_vec()
            },
            is_you: id == "usr_1",
            may_remove: id != "usr_1",
            may_reset: id != "usr_1" && seen.is_some(),
            joined_at: self.ago(9_000_000),
            last_seen_at: seen.map(|seconds| self.ago(seconds)),
        };
        let pending = |id: &str, email: &str, role| InvitationRow {
            id: self.t(id),
            email: self.t(email),
            role,
            inviter: self.t("Ada"),
            created_at: self.ago(90_000),
            expires_at: self.now.plus_seconds(500_000),
            may_revoke: role != "Owner",
        };
        MembersPage {
            layout: self.inside(),
            query: String::new(),
            pager: Pager::new("/settings/members", "", 0, 4),
            members: vec![
                member("usr_1", "Ada", RoleChoice::OWNER, Some(20)),
                member("usr_2", "Bo", RoleChoice::ADMIN, Some(90_000)),
                member("usr_3", "Cy", RoleChoice::MEMBER, Some(400)),
                member("usr_4", "Owner", RoleChoice::MEMBER, None),
            ],
            inviting: Some(Inviting {
                pending: vec![
                    pending("inv_1", "dee@example.com", "Member"),
                    pending("inv_2", "eve.with.a.long.address@mail.example.com", "Owner"),
                ],
                email: Field::default(),
                roles: RoleChoice::ALL.to_vec(),
                role: "member",
                mails: false,
            }),
        }
    }

    pub(super) fn of_invitations(&self) -> Vec<Page> {
        let about = || Invited {
            organization: self.t("Harbour works"),
            role: "Admin",
            inviter: self.t("Ada"),
            email: self.t("bo@example.com"),
            expires_at: self.now.plus_seconds(600_000),
        };
        let invitation = |layout, state| InvitationPage {
            layout,
            id: self.t("inv_1"),
            state,
        };
        let outside = |state| invitation(self.outside(), state);
        let new = InvitationState::New {
            about: about(),
            name: Field::default(),
            password_error: None,
        };
        let wrong = InvitationState::New {
            about: about(),
            name: self.wrong("", "A name has 1 to 80 characters."),
            password_error: Some(self.t("A password has at least 12 characters.")),
        };
        let sign_in = InvitationState::SignIn {
            about: about(),
            next: self.t("/sign-in?next=/invitation/inv_1"),
        };
        let else_ = InvitationState::SomebodyElse { about: about() };
        let accept = InvitationState::Accept { about: about() };
        let reset = |state| ResetPage {
            layout: self.outside(),
            id: self.t("rst_1"),
            state,
        };
        let ready = |error: Option<&str>| ResetState::Ready {
            revoke: error.is_some(),
            email: self.t("bo@example.com"),
            password_error: error.map(|error| self.t(error)),
        };
        let forgot = ForgotPage {
            layout: self.outside(),
            email: Field::default(),
            asked: false,
            refused: None,
        };
        let asked = ForgotPage {
            email: self.field("bo@example.com"),
            asked: true,
            ..forgot.clone()
        };
        vec![
            page("invitation", &outside(new)),
            page("invitation-wrong", &outside(wrong)),
            page("invitation-sign-in", &outside(sign_in)),
            page("invitation-accept", &invitation(self.inside(), accept)),
            page("invitation-else", &invitation(self.inside(), else_)),
            page("invitation-expired", &outside(InvitationState::Expired)),
            page("invitation-used", &outside(InvitationState::Used)),
            page("invitation-withdrawn", &outside(InvitationState::Withdrawn)),
            page("reset", &reset(ready(None))),
            page(
                "reset-wrong",
                &reset(ready(Some("A password has at least 12 characters."))),
            ),
            page("reset-expired", &reset(ResetState::Expired)),
            page("reset-used", &reset(ResetState::Used)),
            page("reset-withdrawn", &reset(ResetState::Withdrawn)),
            page("forgot", &forgot),
            page("forgot-asked", &asked),
        ]
    }
}
