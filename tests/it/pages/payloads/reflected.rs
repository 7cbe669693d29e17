//! What stands in the address of a page: it is shown as text as well, or not at all.

use super::{Found, Scene, found_on, text};
use form_urlencoded::Serializer;
use quaymaster_tests::Tab;

/// Pages with the parameters that they read. `@workspace` and `@server` are those of the scene.
const PAGES: [(&str, &[&str]); 30] = [
    ("/search", &["q"]),
    ("/sign-in", &["next", "error"]),
    ("/connectors", &["query", "category"]),
    ("/connectors/github", &["auth"]),
    (
        "/connections/callback",
        &["state", "code", "error", "error_description", "iss"],
    ),
    ("/documents", &["query", "page"]),
    ("/skills", &["query", "page"]),
    ("/memory", &["query", "prefix", "cursor"]),
    ("/memory/new", &["path"]),
    ("/memory/file", &["path", "version"]),
    (
        "/activity",
        &[
            "workspace",
            "tool",
            "credential",
            "user",
            "account",
            "outcome",
            "from",
            "to",
        ],
    ),
    (
        "/activity/changes",
        &["actor", "action", "workspace", "from", "to"],
    ),
    ("/usage", &["workspace", "tool", "from", "to"]),
    ("/workspaces/@workspace/files", &["path", "cursor"]),
    ("/workspaces/@workspace/files/view", &["path", "line"]),
    ("/workspaces/@workspace/files/history", &["path", "before"]),
    ("/workspaces/@workspace/end-users", &["query", "page"]),
    ("/workspaces/@workspace/servers", &["query", "page"]),
    ("/workspaces/@workspace/flows", &["query", "page"]),
    ("/workspaces/@workspace/integrations", &["query", "page"]),
    ("/workspaces/@workspace/partials", &["query", "page"]),
    ("/workspaces/@workspace/integrations/new", &["query"]),
    (
        "/workspaces/@workspace/partials/new",
        &["integration", "action"],
    ),
    ("/workspaces/@workspace/flow-runs", &["flow", "before"]),
    ("/workspaces/@workspace/flow-secrets", &["name", "error"]),
    ("/workspaces/@workspace/own-packs", &["pack"]),
    ("/servers/@server", &["query", "page"]),
    ("/servers/@server/tools", &["query", "open"]),
    ("/servers/@server/try", &["query", "page"]),
    (
        "/authorize",
        &[
            "client_id",
            "redirect_uri",
            "response_type",
            "state",
            "scope",
            "resource",
            "code_challenge",
        ],
    ),
];
/// Out of double quotes, out of everything, and an address.
const SOME: [usize; 3] = [2, 39, 8];

pub(super) async fn open(tab: &Tab, scene: &Scene) -> Found {
    let mut found = Found::new();
    for (payload, round) in SOME.into_iter().zip(1..) {
        let given = text(payload, 99_000 + round);
        for (page, names) in PAGES {
            let page = page
                .replace("@workspace", &scene.seeded.workspace)
                .replace("@server", &scene.seeded.server);
            // All at once; and each alone, because a date that is none keeps a page from reading the others.
            let alone = names.chunks(1).filter(|_| round == 1 && names.len() > 1);
            for some in std::iter::once(names).chain(alone) {
                let mut query = Serializer::new(String::new());
                query.extend_pairs(some.iter().map(|name| (name, &given)));
                let path = format!("{page}?{}", query.finish());
                found.extend(look(tab, scene, &path).await);
            }
        }
        let mut name = Serializer::new(String::new());
        name.append_key_only(&given);
        let name = name.finish().replace('+', "%20");
        found.extend(look(tab, scene, &format!("/no/such/{name}")).await);
        found.extend(look(tab, scene, &format!("/connectors/{name}")).await);
    }
    found
}

async fn look(tab: &Tab, scene: &Scene, path: &str) -> Found {
    tab.open(&format!("{}{path}", scene.desk.server.url)).await;
    let complaints = tab.complaints().await;
    // That there is no such thing is what many of them answer.
    let wrong = complaints
        .iter()
        .filter(|one| !one.contains("the server responded with a status"));
    let found = wrong.cloned().chain(found_on(tab).await);
    found.map(|line| format!("{path} {line}")).collect()
}
