//! The consent page: every kind of client, one workspace, several and none.

use quaymaster_app::oauth::hosted::ServerAsked;
use quaymaster_app::oauth::redirect::Destination;
use quaymaster_pages::views::{Choice, ConsentPage, OneOf};

use super::{Page, Sample, page};

impl Sample {
    pub(super) fn of_consent(&self) -> Vec<Page> {
        let choice = |id: &str, name: &str| Choice::new(&self.t(id), self.t(name), false);
        let mut only = OneOf::listed([choice("wsp_1", "Research notes")]);
        only.put(&self.t("wsp_1"));
        let web = ConsentPage {
            layout: self.inside(),
            query: self.t("response_type=code&client_id=https%3A%2F%2Fclaude.ai%2Fid"),
            client: self.t("Claude"),
            vouched_by: Some(self.t("claude.ai")),
            destination: Destination::Host(self.t("claude.ai")),
            server: None,
            workspaces: only,
            workspace_error: None,
            may_create: true,
            reads: true,
            write: Some(true),
            write_error: None,
            mix: Some(self.mix(false)),
        };
        let local = ConsentPage {
            client: self.t("Claude Code (quaymaster)"),
            vouched_by: None,
            destination: Destination::ThisMachine,
            workspaces: OneOf::listed([
                choice("wsp_1", "Research notes"),
                choice("wsp_2", "Harbour log"),
                choice("wsp_3", "Invoices"),
            ]),
            ..web.clone()
        };
        let program = ConsentPage {
            client: self.t("Cursor"),
            destination: Destination::Program(self.t("cursor")),
            write: None,
            vouched_by: None,
            ..web.clone()
        };
        let hosted = ConsentPage {
            server: Some(ServerAsked {
                name: self.t("Support desk"),
                workspace: self.t("Harbour log"),
                is_code: true,
            }),
            workspaces: OneOf::default(),
            mix: None,
            ..local.clone()
        };
        let wrong = ConsentPage {
            workspace_error: Some(self.t("Choose the workspace that the client shall use.")),
            write_error: Some(self.t("The client asks to change files only.")),
            write: Some(false),
            reads: false,
            mix: Some(self.mix(true)),
            ..local.clone()
        };
        let none = ConsentPage {
            workspaces: OneOf::default(),
            ..web.clone()
        };
        let member = ConsentPage {
            may_create: false,
            ..none.clone()
        };
        let many = ConsentPage {
            workspaces: OneOf::written(self.t("harbour-log")),
            workspace_error: Some(self.t("There is no such workspace.")),
            ..local.clone()
        };
        vec![
            page("consent-many", &many),
            page("consent", &web),
            page("consent-local", &local),
            page("consent-program", &program),
            page("consent-server", &hosted),
            page("consent-wrong", &wrong),
            page("consent-no-workspace", &none),
            page("consent-no-workspace-member", &member),
        ]
    }
}
