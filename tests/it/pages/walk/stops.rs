//! Where the walk leads: at least once through each page.

use super::seed::Seeded;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pages) enum Who {
    /// Nobody needs to be signed in.
    Anybody,
    /// Somebody who signed in by a link and has not said who they are.
    Newcomer,
    Member,
    /// Members are refused.
    Admin,
    /// Everybody else is told that there is no such thing.
    Owner,
}

#[derive(Debug, Clone)]
pub(in crate::pages) struct Stop {
    /// Of its pictures, and in what is found.
    pub(in crate::pages) name: &'static str,
    pub(in crate::pages) path: String,
    pub(in crate::pages) who: Who,
    pub(in crate::pages) status: u16,
}

impl Stop {
    /// Its name as one writes it.
    pub(in crate::pages) fn title(&self) -> String {
        let words = self.name.replace('-', " ");
        let mut signs = words.chars();
        let first = signs.next().map(|sign| sign.to_ascii_uppercase());
        first.into_iter().chain(signs).collect()
    }
}

fn stop(who: Who) -> impl Fn((&'static str, String)) -> Stop {
    move |(name, path)| Stop {
        name,
        path,
        who,
        status: 200,
    }
}

pub(in crate::pages) fn all(at: &Seeded) -> Vec<Stop> {
    let mut stops: Vec<Stop> = of_anybody(at).into_iter().map(stop(Who::Anybody)).collect();
    stops.push(stop(Who::Newcomer)(("welcome", "/welcome".to_owned())));
    stops.extend(of_members(at).into_iter().map(stop(Who::Member)));
    stops.extend(of_a_workspace(at).into_iter().map(stop(Who::Member)));
    stops.extend(of_admins(at).into_iter().map(stop(Who::Admin)));
    stops.extend(of_the_owner().into_iter().map(stop(Who::Owner)));
    let mut missing = stop(Who::Member)(("no-such-page", "/no/such/page".to_owned()));
    missing.status = 404;
    stops.push(missing);
    stops
}

fn of_anybody(at: &Seeded) -> Vec<(&'static str, String)> {
    let text = str::to_owned;
    vec![
        ("sign-in", text("/sign-in")),
        ("forgot-password", text("/forgot-password")),
        ("sign-in-link", at.sign_in_link.clone()),
        ("reset-password", at.reset_link.clone()),
        ("invitation", at.invitation.clone()),
        ("setup-link", at.setup_link.clone()),
        ("reference", text("/reference")),
        ("operation", text("/reference/create_workspace")),
        ("guides", text("/guides")),
        ("guide", text("/guides/connect")),
        ("guide-with-tables", text("/guides/sandbox")),
    ]
}

fn of_members(at: &Seeded) -> Vec<(&'static str, String)> {
    let text = str::to_owned;
    vec![
        ("home", text("/")),
        ("search", text("/search?q=harbour")),
        ("connectors", text("/connectors")),
        ("connector", text("/connectors/slack")),
        ("connector-sign-in", text("/connectors/github?auth=oauth2")),
        ("connector-module", text("/connectors/slack/modules/chat")),
        (
            "connector-try",
            text("/connectors/slack/modules/chat/send_channel_message"),
        ),
        ("connection", format!("/connections/{}", at.connection)),
        (
            "connection-failed",
            format!("/connections/{}", at.failed_connection),
        ),
        ("skills", text("/skills")),
        ("skill", text("/skills/berth-planning")),
        ("memory", text("/memory")),
        ("memory-new", text("/memory/new")),
        ("documents", text("/documents")),
        ("documents-found", text("/documents?query=crane")),
        ("document", format!("/documents/{}", at.document)),
        ("activity", text("/activity")),
        ("usage", text("/usage")),
        ("settings", text("/settings")),
        ("account", text("/settings/account")),
        ("members", text("/settings/members")),
        ("api-keys", text("/settings/api-keys")),
        (
            "authorization",
            format!("/connections/authorize/{}", at.authorization),
        ),
        ("reconnect", at.reconnect_link.clone()),
        ("consent", at.consent.clone()),
    ]
}

fn of_a_workspace(at: &Seeded) -> Vec<(&'static str, String)> {
    let here = |page: &str| format!("/workspaces/{}{page}", at.workspace);
    let server = |page: &str| format!("/servers/{}{page}", at.server);
    vec![
        ("workspace", here("")),
        ("workspace-settings", here("/settings")),
        ("files", here("/files?path=reports")),
        ("file", here("/files/view?path=reports%2Fberths.md")),
        (
            "file-history",
            here("/files/history?path=reports%2Fberths.md"),
        ),
        ("file-edit", here("/files/edit?path=reports%2Fberths.md")),
        ("servers", here("/servers")),
        ("server", server("")),
        (
            "server-in-code-mode",
            format!("/servers/{}", at.code_server),
        ),
        ("playground", server("/try")),
        (
            "playground-tool",
            server("/try/slack__send_channel_message"),
        ),
        (
            "playground-of-code",
            format!("/servers/{}/try", at.code_server),
        ),
        ("integrations", here("/integrations")),
        ("flows", here("/flows")),
        ("flow", here("/flows/berth_note")),
        ("flow-versions", here("/flows/berth_note/versions")),
        ("flow-version", here("/flows/berth_note/versions/1")),
        ("flow-runs", here("/flow-runs")),
        ("flow-secrets", here("/flow-secrets")),
        ("flow-run", here(&format!("/flow-runs/{}", at.run))),
        ("packs", here("/packs")),
        ("pack", here("/packs/weather")),
    ]
}

fn of_admins(at: &Seeded) -> Vec<(&'static str, String)> {
    let text = str::to_owned;
    let here = |page: &str| format!("/workspaces/{}{page}", at.workspace);
    let server = |page: &str| format!("/servers/{}{page}", at.server);
    vec![
        ("changes", text("/activity/changes")),
        ("own-connectors", text("/connectors/own")),
        ("own-connector", text("/connectors/own/notes")),
        ("own-connector-new", text("/connectors/own/new")),
        ("own-connector-import", text("/connectors/own/import")),
        ("skill-new", text("/skills/new")),
        ("skill-import", text("/skills/import")),
        ("server-tools", server("/tools")),
        ("server-tool", server(&format!("/tools/{}", at.tool))),
        ("integration-choice", here("/integrations/new")),
        ("integration-new", here("/integrations/new/github")),
        (
            "integration",
            here(&format!("/integrations/{}", at.integration)),
        ),
        ("partials", here("/partials")),
        ("partial-choice", here("/partials/new")),
        (
            "partial-new",
            here(&format!(
                "/partials/new/{}?action=send_channel_message",
                at.integration
            )),
        ),
        ("partial", format!("/partials/{}", at.partial)),
        ("end-users", here("/end-users")),
        ("end-user", format!("/end-users/{}", at.end_user)),
        ("flow-new", here("/flows/new")),
        ("own-pack", here("/own-packs")),
        ("flow-try", here("/flows/berth_note/try")),
    ]
}

fn of_the_owner() -> Vec<(&'static str, String)> {
    let note = "/memory/file?path=projects%2Ftimetable.md";
    vec![("memory-note", note.to_owned())]
}
