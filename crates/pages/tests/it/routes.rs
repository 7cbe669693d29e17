use axum::http::StatusCode;

use crate::server::{Answer, Server};

const WORKSPACE: &str = "/workspaces/ws_01arz3ndektsv4rrffq69g5fav";

const CONNECTION: &str = "/connections/con_01arz3ndektsv4rrffq69g5fav";

const SERVER: &str = "/servers/srv_01arz3ndektsv4rrffq69g5fav";

const INTEGRATION: &str = "int_01arz3ndektsv4rrffq69g5fav";

const PARTIAL: &str = "/partials/prt_01arz3ndektsv4rrffq69g5fav";

const END_USER: &str = "/end-users/eu_01arz3ndektsv4rrffq69g5fav";

fn gets() -> Vec<String> {
    let mut of_workspace = vec![WORKSPACE.to_owned()];
    let pages = [
        "servers",
        "integrations",
        "integrations/new",
        "integrations/new/slack",
        "partials",
        "partials/new",
        "end-users",
        "settings",
        "flows",
        "flows/new",
        "flows/greet",
        "flows/greet/try",
        "flows/greet/versions",
        "flows/greet/versions/1",
        "flow-runs",
        "flow-runs/run_01arz3ndektsv4rrffq69g5fav",
        "flow-secrets",
        "packs",
        "packs/weather",
        "own-packs",
        "files",
        "files/view",
        "files/history",
        "files/raw",
        "files/edit",
    ];
    of_workspace.extend(pages.map(|page| format!("{WORKSPACE}/{page}")));
    of_workspace.push(format!("{WORKSPACE}/integrations/{INTEGRATION}"));
    of_workspace.push(format!("{WORKSPACE}/partials/new/{INTEGRATION}"));
    let of_server = [
        "",
        "/tools",
        "/tools/stl_01arz3ndektsv4rrffq69g5fav",
        "/try",
        "/try/a",
    ];
    of_workspace.extend(of_server.map(|page| format!("{SERVER}{page}")));
    of_workspace.push(PARTIAL.to_owned());
    of_workspace.push(END_USER.to_owned());
    let others = [
        "/",
        "/welcome",
        "/connectors",
        "/connectors/own",
        "/connectors/own/new",
        "/connectors/own/import",
        "/connectors/own/notes",
        "/connectors/github",
        "/connectors/github/modules/users",
        "/connectors/github/modules/users/get_me",
        "/connections/con_01arz3ndektsv4rrffq69g5fav",
        "/connections/authorize/aut_01arz3ndektsv4rrffq69g5fav",
        "/skills",
        "/skills/new",
        "/skills/import",
        "/skills/refunds",
        "/skills/refunds/export",
        "/memory",
        "/memory/new",
        "/memory/file",
        "/documents",
        "/documents/doc_01arz3ndektsv4rrffq69g5fav",
        "/activity",
        "/activity/export",
        "/activity/changes",
        "/activity/changes/export",
        "/usage",
        "/search",
        "/settings",
        "/settings/api-keys",
        "/settings/account",
        "/settings/members",
        "/reconnect/lnk_x.y",
        "/authorize",
        "/mix",
    ];
    others
        .map(str::to_owned)
        .into_iter()
        .chain(of_workspace)
        .collect()
}

fn posts() -> Vec<String> {
    let token = format!("{WORKSPACE}/tokens/crd_01arz3ndektsv4rrffq69g5fav");
    vec![
        "/sign-out".to_owned(),
        "/welcome".to_owned(),
        "/workspaces".to_owned(),
        format!("{WORKSPACE}/cap"),
        format!("{WORKSPACE}/env"),
        format!("{WORKSPACE}/tokens"),
        format!("{token}/regenerate"),
        format!("{token}/revoke"),
        format!("{WORKSPACE}/trash/restore"),
        format!("{WORKSPACE}/authentication"),
        format!("{WORKSPACE}/flow-tokens"),
        format!("{WORKSPACE}/flow-tokens/crd_01arz3ndektsv4rrffq69g5fav/revoke"),
        format!("{WORKSPACE}/files/edit"),
        format!("{WORKSPACE}/files/new"),
        format!("{WORKSPACE}/files/directory"),
        format!("{WORKSPACE}/files/upload"),
        format!("{WORKSPACE}/files/move"),
        format!("{WORKSPACE}/files/delete"),
        format!("{WORKSPACE}/connected-clients/crd_01arz3ndektsv4rrffq69g5fav/revoke"),
        "/authorize".to_owned(),
        "/connectors/github/connect".to_owned(),
        "/connectors/github/oauth-app".to_owned(),
        "/connectors/github/authorize".to_owned(),
        "/connections/authorize/aut_01arz3ndektsv4rrffq69g5fav".to_owned(),
        format!("{CONNECTION}/authorize"),
        "/connectors/own/new".to_owned(),
        "/connectors/own/import".to_owned(),
        "/connectors/own/notes".to_owned(),
        "/connectors/own/notes/delete".to_owned(),
        "/connectors/github/modules/users/get_me".to_owned(),
        format!("{CONNECTION}/verify"),
        format!("{CONNECTION}/rename"),
        format!("{CONNECTION}/credentials"),
        format!("{CONNECTION}/disconnect"),
        format!("{CONNECTION}/tools/accept"),
        "/skills/new".to_owned(),
        "/skills/import".to_owned(),
        "/skills/refunds".to_owned(),
        "/skills/refunds/enable".to_owned(),
        "/skills/refunds/delete".to_owned(),
        "/skills/refunds/files".to_owned(),
        "/skills/refunds/files/delete".to_owned(),
        "/skills/refunds/versions/restore".to_owned(),
        "/memory/new".to_owned(),
        "/memory/file".to_owned(),
        "/memory/rename".to_owned(),
        "/memory/delete".to_owned(),
        "/memory/restore".to_owned(),
        "/memory/redact".to_owned(),
        "/memory/settings".to_owned(),
        "/documents".to_owned(),
        "/documents/reindex".to_owned(),
        "/documents/uploads".to_owned(),
        "/documents/uploads/upl_01arz3ndektsv4rrffq69g5fav/complete".to_owned(),
        "/documents/doc_01arz3ndektsv4rrffq69g5fav/reindex".to_owned(),
        "/documents/doc_01arz3ndektsv4rrffq69g5fav/delete".to_owned(),
        "/first-steps/dismiss".to_owned(),
        "/settings".to_owned(),
        "/settings/api-keys".to_owned(),
        "/settings/api-keys/crd_01arz3ndektsv4rrffq69g5fav/revoke".to_owned(),
        "/reconnect/lnk_x.y".to_owned(),
        "/settings/account/name".to_owned(),
        "/settings/account/password".to_owned(),
        "/settings/account/browsers/sign-out-others".to_owned(),
        "/settings/account/browsers/ses_01arz3ndektsv4rrffq69g5fav/sign-out".to_owned(),
        "/settings/account/organizations/org_01arz3ndektsv4rrffq69g5fav/switch".to_owned(),
        "/settings/account/organizations/org_01arz3ndektsv4rrffq69g5fav/leave".to_owned(),
        "/settings/members/usr_01arz3ndektsv4rrffq69g5fav/role".to_owned(),
        "/settings/members/usr_01arz3ndektsv4rrffq69g5fav/remove".to_owned(),
        "/settings/members/usr_01arz3ndektsv4rrffq69g5fav/reset-link".to_owned(),
        "/settings/invitations".to_owned(),
        "/settings/invitations/inv_01arz3ndektsv4rrffq69g5fav/revoke".to_owned(),
        "/invitation/inv_x.y/accept".to_owned(),
        format!("{WORKSPACE}/servers"),
        format!("{WORKSPACE}/integrations/new/slack"),
        format!("{WORKSPACE}/integrations/{INTEGRATION}"),
        format!("{WORKSPACE}/integrations/{INTEGRATION}/remove"),
        format!("{WORKSPACE}/partials/new/{INTEGRATION}"),
        format!("{WORKSPACE}/end-users"),
        format!("{SERVER}/settings"),
        format!("{SERVER}/token"),
        format!("{SERVER}/delete"),
        format!("{SERVER}/tools"),
        format!("{SERVER}/tools/stl_01arz3ndektsv4rrffq69g5fav"),
        format!("{SERVER}/tools/stl_01arz3ndektsv4rrffq69g5fav/remove"),
        format!("{SERVER}/try"),
        format!("{SERVER}/try/a"),
        PARTIAL.to_owned(),
        format!("{PARTIAL}/delete"),
        format!("{END_USER}/link"),
        format!("{WORKSPACE}/flows/new"),
        format!("{WORKSPACE}/flows/greet"),
        format!("{WORKSPACE}/flows/greet/enable"),
        format!("{WORKSPACE}/flows/greet/delete"),
        format!("{WORKSPACE}/flows/greet/try"),
        format!("{WORKSPACE}/flows/greet/versions/1/restore"),
        format!("{WORKSPACE}/flow-runs/run_01arz3ndektsv4rrffq69g5fav/cancel"),
        format!("{WORKSPACE}/flow-secrets"),
        format!("{WORKSPACE}/flow-secrets/delete"),
        format!("{WORKSPACE}/own-packs"),
        format!("{WORKSPACE}/packs/weather"),
        format!("{WORKSPACE}/packs/weather/remove"),
        format!("{END_USER}/delete"),
    ]
}

fn has_the_headers_of_a_page(answer: &Answer) {
    let wanted = [
        ("content-type", "text/html; charset=utf-8"),
        (
            "content-security-policy",
            quaymaster_pages::CONTENT_SECURITY_POLICY,
        ),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
    ];
    for (name, value) in wanted {
        assert_eq!(answer.header(name), value, "{name}");
    }
}

#[tokio::test]
async fn without_signing_in_every_page_leads_to_the_sign_in_page() {
    let server = Server::start().await;
    let mut browser = server.browser();
    browser
        .cookies
        .insert("quaymaster".to_owned(), "no such session".to_owned());
    // A question without sense is told to anybody; those with some lead to the sign-in page as well.
    for path in gets().into_iter().filter(|path| path != "/authorize") {
        let answer = browser.get(&path).await;
        let wanted = match path.as_str() {
            "/" => "/sign-in".to_owned(),
            path => format!("/sign-in?next={path}"),
        };
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, &*wanted)
        );
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    for path in posts() {
        let answer = browser.post(&path, &[]).await;
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, "/sign-in"),
            "{path}"
        );
    }
    for path in ["/sign-in", "/reference", &server.link] {
        let page = browser.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        has_the_headers_of_a_page(&page);
        // A client that opened the sign-in page in a window still hears from it.
        let policy = if path == "/sign-in" {
            ""
        } else {
            "same-origin"
        };
        assert_eq!(page.header("cross-origin-opener-policy"), policy, "{path}");
    }
}

#[tokio::test]
async fn every_page_and_every_error_has_the_headers_of_a_page() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let paths = [
        "/",
        "/settings",
        "/settings/api-keys",
        "/settings/account",
        "/settings/members",
        "/connectors",
        "/connectors/github",
        "/skills",
        "/skills/new",
        "/memory",
        "/memory/new",
        "/reference",
        "/no-such-page",
        "/welcome/x",
    ];
    for path in paths
        .into_iter()
        .chain([server.workspace_path().as_str(), WORKSPACE, "/sign-out"])
    {
        let page = owner.get(path).await;
        assert!(!page.status.is_redirection(), "{path}");
        has_the_headers_of_a_page(&page);
        assert_eq!(page.header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(page.text(".brand"), "Harbour", "{path}");
    }
    let wrong_method = owner.get("/sign-out").await;
    assert_eq!(wrong_method.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(wrong_method.header("allow"), "POST");
}

#[tokio::test]
async fn what_cannot_be_an_id_names_nothing() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    for path in [
        "/workspaces/x",
        "/workspaces/%FF",
        "/workspaces/..%2F..",
        "/reconnect/x",
        "/sign-in/link/x",
    ] {
        let page = owner.get(path).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        has_the_headers_of_a_page(&page);
    }
    let path = format!("{}/tokens/x/revoke", server.workspace_path());
    assert_eq!(owner.submit(&path, &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn programs_are_answered_in_json() {
    let server = Server::start().await;
    let mut browser = server.browser();
    for path in [
        "/api/v1/nothing",
        "/.well-known/oauth-protected-resource/mcp",
        "/mcp/x",
        "/u/x",
    ] {
        for answer in [browser.get(path).await, browser.post(path, &[]).await] {
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
            assert_eq!(answer.header("content-type"), "application/json", "{path}");
            let fault: serde_json::Value = serde_json::from_str(&answer.body).unwrap();
            assert_eq!(fault["code"], "NOT_FOUND");
        }
    }
    for path in ["/user", "/apiary", "/mcpx", "/authorize/x"] {
        has_the_headers_of_a_page(&browser.get(path).await);
    }
}

#[tokio::test]
async fn no_page_that_is_opened_shows_a_secret() {
    let server = Server::start().await;
    let mut owner = server.owner().await;
    let tokens = format!("{}/tokens", server.workspace_path());
    let fields = [("name", "laptop"), ("access", "read_write")];
    let token = owner.submit(&tokens, &fields).await.text("#token");
    let fields = [("name", "key"), ("scopes", "read:tools"), ("expiry", "7")];
    let key = owner
        .submit("/settings/api-keys", &fields)
        .await
        .text("#key");
    let session = owner.cookies["quaymaster"].clone();
    let secret = |text: &str| text.split_once('.').unwrap().1.to_owned();
    let secrets = [secret(&token), secret(&key), secret(&server.token), session];
    assert!(
        secrets.iter().all(|secret| secret.len() >= 40),
        "{secrets:?}"
    );
    let workspace = server.workspace_path();
    for path in [
        "/",
        "/settings",
        "/settings/api-keys",
        "/reference",
        "/sign-in",
        &workspace,
    ] {
        let page = owner.get(path).await;
        for secret in &secrets {
            assert!(!page.body.contains(secret), "{path}");
        }
    }
}

#[tokio::test]
async fn the_examples_of_the_reference_name_this_server() {
    let server = Server::at("https://quay.example.com").await;
    let page = server.browser().get("/reference/read_info").await;
    let example = "curl 'https://quay.example.com/api/v1/mcp/info'";
    assert!(page.text("main").contains(example));
}
