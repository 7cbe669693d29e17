//! Signing in, links and errors.

use quaymaster_pages::views::{
    ErrorPage, Field, LinkState, ReconnectPage, ReconnectState, SignInLinkPage, SignInPage,
    WelcomePage,
};

use super::{Page, Sample, page};

impl Sample {
    pub(super) fn of_signing_in(&self) -> Vec<Page> {
        let sign_in = SignInPage {
            layout: self.outside(),
            email: Field::default(),
            password_error: None,
            refused: None,
            next: self.t("/reconnect/rec_1"),
            mails: false,
        };
        let mailing = SignInPage {
            mails: true,
            ..sign_in.clone()
        };
        let refused = SignInPage {
            email: self.field("owner@example.com"),
            refused: Some(self.t("No account has this email and password.")),
            ..sign_in.clone()
        };
        let link = |state| SignInLinkPage {
            layout: self.outside(),
            id: self.t("lnk_1"),
            state,
        };
        let welcome = WelcomePage {
            layout: self.outside(),
            name: Field::default(),
            email: Field::default(),
            password_error: None,
            organization: Field::default(),
            refused: None,
            next: self.t("/authorize?client_id=a"),
        };
        let wrong = WelcomePage {
            name: self.field("Owner"),
            email: self.wrong("owner", "An email address has an @ and a host after it."),
            password_error: Some(self.t("Use at least 12 characters.")),
            organization: self.wrong("", "Name the organization."),
            ..welcome.clone()
        };
        vec![
            page("sign-in", &sign_in),
            page("sign-in-mails", &mailing),
            page("sign-in-refused", &refused),
            page(
                "sign-in-link",
                &link(LinkState::Ready {
                    email: Some(self.t("owner@example.com")),
                }),
            ),
            page(
                "sign-in-link-first",
                &link(LinkState::Ready { email: None }),
            ),
            page("sign-in-link-expired", &link(LinkState::Expired)),
            page("sign-in-link-used", &link(LinkState::Used)),
            page("welcome", &welcome),
            page("welcome-wrong", &wrong),
        ]
    }

    pub(super) fn of_links_and_errors(&self) -> Vec<Page> {
        let reconnect = |state| ReconnectPage {
            layout: self.inside(),
            id: self.t("rec_1"),
            state,
        };
        let ask = |client: Option<&str>| ReconnectState::Ask {
            workspace: self.t("Research notes"),
            client_name: client.map(|name| self.t(name)),
            requested_at: self.ago(130),
            expires_at: self.now.plus_seconds(470),
        };
        let error = ErrorPage {
            layout: self.inside(),
            status: 404,
            code: Some(self.t("NOT_FOUND")),
            message: self.t("There is no workspace at this address."),
            hint: Some(self.t("It may have been deleted, or it belongs to another organization.")),
            back_href: self.t("/"),
            back_label: self.t("Go to the workspaces"),
        };
        let outside = ErrorPage {
            layout: self.outside(),
            hint: None,
            code: None,
            ..error.clone()
        };
        vec![
            page("reconnect", &reconnect(ask(Some("Cursor")))),
            page("reconnect-unnamed", &reconnect(ask(None))),
            page("reconnect-expired", &reconnect(ReconnectState::Expired)),
            page("reconnect-used", &reconnect(ReconnectState::Used)),
            page("reconnect-not-owner", &reconnect(ReconnectState::NotOwner)),
            page(
                "reconnect-elsewhere",
                &reconnect(ReconnectState::Elsewhere {
                    id: self.t("org_2"),
                    organization: self.t("Pier"),
                }),
            ),
            page("error", &error),
            page("error-outside", &outside),
        ]
    }
}
