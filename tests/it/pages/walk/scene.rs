//! The server with something in every list, and the people who look at it.

use super::seed::{self, Seeded};
use super::{EMAIL, PASSWORD, owner};
use quaymaster_tests::{Browser, Database, Developer, Server, Tab};
use serde_json::json;

const MEMBER: &str = "member@example.com";
const STRANGER: &str = "owner@other-quay.example.com";

pub(in crate::pages) struct Scene {
    pub(in crate::pages) desk: Developer,
    pub(in crate::pages) seeded: Seeded,
    pub(in crate::pages) owner: Tab,
    /// The same person in two other browsers.
    pub(in crate::pages) owner_too: Tab,
    pub(in crate::pages) owner_plain: Tab,
    pub(in crate::pages) member: Tab,
    /// The owner of another organization.
    pub(in crate::pages) stranger: Tab,
    /// Somebody at the page that asks who they are.
    pub(in crate::pages) newcomer: Tab,
    /// Ids and names that only this organization has.
    pub(in crate::pages) ours: Vec<String>,
}

/// Signs in with address and password, and stays on the page that looks at others.
pub(in crate::pages) async fn signed_in(browser: &Browser, server: &Server, email: &str) -> Tab {
    let tab = browser.tab().await;
    tab.open(&format!("{}/sign-in", server.url)).await;
    tab.fill("#email", email).await;
    tab.fill("#password", PASSWORD).await;
    tab.follow("main button[type=submit]").await;
    assert_eq!(tab.path().await, "/", "{email} is signed in");
    tab.value(super::PAGE).await;
    tab
}

/// The tab of somebody who opened the first link to an organization.
async fn newcomer(browser: &Browser, server: &Server, organization: &str) -> Tab {
    server
        .cli_json(&["organization", "create", organization])
        .await;
    let link = server.cli_json(&["sign-in", "--org", organization]).await;
    let tab = browser.tab().await;
    tab.open(link["sign_in_link"].as_str().expect("a link"))
        .await;
    tab.follow("main button[type=submit]").await;
    assert_eq!(tab.path().await, "/welcome");
    tab
}

impl Scene {
    pub(in crate::pages) async fn open(browser: &Browser) -> Scene {
        // With mail there is a page for a forgotten password. Nobody listens there.
        let mail = [
            ("MAIL_SMTP_URL", "smtp://127.0.0.1:9"),
            ("MAIL_FROM", "Quay <quay@example.com>"),
        ];
        let desk = Developer::open_with(Database::Sqlite, &mail).await;
        let server = &desk.server;
        let owner = owner(server, browser).await;
        let seeded = seed::plant(&desk).await;

        let invited = json!({ "email": MEMBER, "role": "member" });
        let invited = desk.made("/invitations", invited).await;
        let member = browser.tab().await;
        member.open(invited["url"].as_str().expect("a link")).await;
        member.fill("#name", "Member").await;
        member.fill("#password", PASSWORD).await;
        member.follow("main button[type=submit]").await;

        let other = newcomer(browser, server, "Other quay").await;
        other.fill("#name", "Stranger").await;
        other.fill("#email", STRANGER).await;
        other.fill("#password", PASSWORD).await;
        other.follow("main button[type=submit]").await;

        let ours = [
            &seeded.workspace,
            &seeded.connection,
            &seeded.failed_connection,
            &seeded.authorization,
            &seeded.integration,
            &seeded.partial,
            &seeded.end_user,
            &seeded.server,
            &seeded.code_server,
            &seeded.tool,
            &seeded.run,
            &seeded.document,
            "own/notes",
            "berth-planning",
            "timetable.md",
            "Harbour works",
            "customer-204",
        ];
        Scene {
            owner_too: signed_in(browser, server, EMAIL).await,
            owner_plain: signed_in(browser, server, EMAIL).await,
            stranger: signed_in(browser, server, STRANGER).await,
            newcomer: newcomer(browser, server, "New quay").await,
            ours: ours.map(ToString::to_string).to_vec(),
            owner,
            member,
            seeded,
            desk,
        }
    }

    /// The path with something that nobody has in the place of what we have.
    pub(in crate::pages) fn twin(&self, path: &str) -> String {
        let replaced = |path: String, own: &String| path.replace(own.as_str(), &nobodys(own));
        self.ours.iter().fold(path.to_owned(), replaced)
    }

    /// A text in which what we have and what nobody has read alike.
    pub(in crate::pages) fn without_names(&self, text: &str) -> String {
        let replaced = |text: String, own: &String| {
            let name = |own: &str| own.rsplit('/').next().unwrap_or_default().to_owned();
            text.replace(&name(own), "ID")
                .replace(&name(&nobodys(own)), "ID")
        };
        self.ours.iter().fold(text.to_owned(), replaced)
    }
}

/// Of the same shape: another last sign.
fn nobodys(own: &str) -> String {
    let last = if own.ends_with('0') { '1' } else { '0' };
    format!("{}{last}", &own[..own.len() - 1])
}
