//! Length: one table of every rule that a definition can break, and where it is told.

use crate::samples::{CRM, changed};
use quaymaster_connectors::load::{Problem, load};

fn problems(text: &str) -> Vec<Problem> {
    load(text, "a.yaml").err().unwrap_or_default()
}

/// A change of the sample, the key of the problem it makes, and a part of the message.
const WRONG: &[(&str, &str, &str, &str)] = &[
    ("quaymaster: 1", "quaymaster: 2", "quaymaster", "version 1"),
    ("key: tracker", "key: Tracker-2", "key", "no key"),
    (
        "summary: Projects and issues\n",
        "summary: Projects, issues, users and all of their reports\n",
        "summary",
        "at most 34",
    ),
    (
        "categories: [work management]",
        "categories: [Work]",
        "categories.0",
        "no category",
    ),
    (
        "docs_url: https://tracker.example/docs",
        "docs_url: tracker docs",
        "docs_url",
        "address of a page",
    ),
    (
        "base_url: https://api.tracker.example/v2",
        "base_url: http://api.tracker.example/v2",
        "base_url",
        "https",
    ),
    (
        "base_url: https://api.tracker.example/v2",
        "base_url: https://api.tracker.example/v2/",
        "base_url",
        "slash at the end",
    ),
    (
        "base_url: https://api.tracker.example/v2",
        "base_url: https://me@api.tracker.example",
        "base_url",
        "neither",
    ),
    (
        "base_url: https://api.tracker.example/v2",
        "base_url: https://{host}/v2",
        "base_url",
        "{host}",
    ),
    (
        "base_url: https://reports.tracker.example",
        "base_url: ftp://reports.tracker.example",
        "modules.reports.base_url",
        "scheme",
    ),
    (
        "env: {token: TRACKER_TOKEN}",
        "env: {token: LD_PRELOAD}",
        "env.token",
        "no variable",
    ),
    (
        "env: {token: TRACKER_TOKEN}",
        "env: {tokn: TRACKER_TOKEN}",
        "env.tokn",
        "no field",
    ),
    (
        "Bearer {token}",
        "Bearer {tokn}",
        "auth.0.inject.header.authorization",
        "{tokn}",
    ),
    (
        "{authorization: \"Bearer {token}\"}",
        "{host: \"{token}\"}",
        "auth.0.inject.header.host",
        "transport",
    ),
    (
        "type: api_key",
        "type: oauth2",
        "auth.0.type",
        "belong together",
    ),
    (
        "{token: {secret: true}}",
        "{token: {}}",
        "auth.0.fields",
        "shown to people",
    ),
    (
        "action: get_me, label",
        "action: create_issue, label",
        "verify.action",
        "changes something",
    ),
    (
        "label: /login",
        "label: login",
        "verify.label",
        "JSON Pointer",
    ),
    (
        "type: page, param: page,",
        "type: cursor, param: page,",
        "defaults.pagination",
        "`next`",
    ),
    (
        "default: 20, max: 100",
        "default: 200, max: 100",
        "defaults.pagination.page_size.default",
        "at most",
    ),
    (
        "module: reports",
        "module: report",
        "rate_limits.1.module",
        "no module",
    ),
    (
        "requests: 600",
        "requests: 0",
        "rate_limits.0",
        "at least 1",
    ),
    (
        "{$enum: state}",
        "{$enum: stat}",
        "modules.issues.actions.list_issues.params.properties.state.$enum",
        "Did you mean `state`",
    ),
    (
        "{value: closed, title: Done}",
        "{value: open}",
        "enums.state.1",
        "twice",
    ),
    (
        "x-select: labels",
        "x-select: label",
        "modules.issues.actions.create_issue.params.properties.labels.x-select",
        "Did you mean `labels`",
    ),
    (
        "labels: {action: list_labels",
        "labels: {action: list_label",
        "selects.labels.action",
        "Did you mean `list_labels`",
    ),
    (
        "needs: [project]",
        "needs: [projct]",
        "selects.labels.needs",
        "no input",
    ),
    (
        "x-in: query",
        "x-in: querry",
        "modules.issues.actions.create_issue.params.properties.notify.x-in",
        "no place",
    ),
    (
        "x-style: segments",
        "x-style: slashes",
        "modules.reports.actions.get_file.params.properties.path.x-style",
        "one of",
    ),
    (
        "path: /users/me",
        "path: users/me",
        "modules.users.actions.get_me.path",
        "begins with `/`",
    ),
    (
        "path: /users/me",
        "path: /users/../me",
        "modules.users.actions.get_me.path",
        "empty segments",
    ),
    (
        "path: /users/me",
        "path: /users/me?full=1",
        "modules.users.actions.get_me.path",
        "const",
    ),
    (
        "path: \"/users/{login}\"",
        "path: \"/users/{name}\"",
        "modules.users.actions.get_user.path",
        "needs a property",
    ),
    (
        "required: [login], ",
        "",
        "modules.users.actions.get_user.path",
        "required",
    ),
    (
        "login: {type: string}",
        "login: {type: array}",
        "modules.users.actions.get_user.path",
        "text or a number",
    ),
    (
        "login: {type: string}",
        "login: {typ: string}",
        "modules.users.actions.get_user.params.properties.login.typ",
        "Did you mean `type`",
    ),
    (
        "login: {type: string}",
        "login: {type: sting}",
        "modules.users.actions.get_user.params",
        "no JSON Schema",
    ),
    (
        "login: {type: string}",
        "login: {type: string, nullable: true}",
        "modules.users.actions.get_user.params.properties.login.nullable",
        "null",
    ),
    (
        "{type: object, properties: {text",
        "{properties: {text",
        "modules.users.actions.search_users.params",
        "type: object",
    ),
    (
        "      get_user:\n",
        "      get_issue:\n",
        "modules.users.actions.get_issue",
        "unique",
    ),
    (
        "      get_user:\n",
        "      getUser:\n",
        "modules.users.actions.getUser",
        "small letters",
    ),
    (
        "    title: Users\n",
        "    title: \"\"\n",
        "modules.users.title",
        "empty",
    ),
    (
        "method: GET, path: /users/me",
        "method: GET, path: /users/me, rpc: me",
        "modules.users.actions.get_me.rpc",
        "has no `rpc`",
    ),
    (
        "method: GET, path: /users/me",
        "method: GET",
        "modules.users.actions.get_me",
        "needs `path`",
    ),
    (
        "destructive: true",
        "read_only: true",
        "modules.issues.actions.delete_issue.read_only",
        "change something",
    ),
    (
        "response: {status: 201",
        "response: {status: 404",
        "modules.issues.actions.create_issue.response.status",
        "success",
    ),
    (
        "action: search_users, with: {text: mona}",
        "action: search_users, with: {txt: mona}",
        "recipes.2.with.txt",
        "Did you mean `text`",
    ),
    (
        "with: {project: web, state: open}",
        "with: {project: web, state: shut}",
        "recipes.1.with.state",
        "not one of",
    ),
    (
        "with: {project: web, state: open}",
        "with: {state: open}",
        "recipes.1.with",
        "required",
    ),
    (
        "  - {title: Find somebody, action: search_users, with: {text: mona}}\n",
        "",
        "recipes",
        "at least 3",
    ),
    (
        "title: Find somebody",
        "title: Open issues",
        "recipes.2.title",
        "same title",
    ),
    (
        "title: Find somebody",
        "title: \"Find \\u202esomebody\"",
        "recipes.2.title",
        "U+202E",
    ),
];

#[test]
fn each_rule_that_is_broken_is_told_at_its_line_and_key() {
    for (from, to, key, message) in WRONG {
        let text = changed(from, to);
        let found = problems(&text);
        let fitting = found
            .iter()
            .find(|one| one.key == *key && one.message.contains(message));
        let Some(problem) = fitting else {
            panic!("{from:?} to {to:?}: no {message:?} at {key} in {found:#?}");
        };
        let last = key.rsplit('.').next().unwrap();
        let line = text.lines().nth(problem.line as usize - 1).unwrap();
        let is_item = last.parse::<usize>().is_ok();
        assert!(problem.file == "a.yaml" && problem.column > 0);
        assert!(
            is_item || line.contains(last) || last == "with",
            "{problem} stands on {line:?}"
        );
    }
}

#[test]
fn methods_of_rpc_have_their_own_rules() {
    let changes = [
        ("kind: rpc", "kind: rest", "rpc", "kind: rpc"),
        (
            "rpc: crm.deal.list, ",
            "",
            "modules.deals.actions.deal_list",
            "needs `rpc`",
        ),
        (
            "rpc: crm.deal.list, ",
            "rpc: crm.deal.list, path: /x, ",
            "modules.deals.actions.deal_list",
            "needs `method`",
        ),
        (
            "rpc: crm.deal.list, ",
            "rpc: crm.deal.list, method: GET, path: \"/x/{id}\", ",
            "modules.deals.actions.deal_list.path",
            "needs a property \"id\"",
        ),
        (
            "envelope: path, suffix: .json",
            "envelope: jsonrpc2, params: positional",
            "modules.deals.actions.deal_list.params.properties.start",
            "x-order",
        ),
        (
            "envelope: path, suffix: .json",
            "envelope: jsonrpc2, members: {id: 4}",
            "rpc.members.id",
            "itself",
        ),
        (
            "envelope: path, suffix: .json}\nmodules:\n  deals:\n    title: Deals\n    actions:\n      deal_list: {title: List deals, ",
            "envelope: jsonrpc2}\nmodules:\n  deals:\n    title: Deals\n    actions:\n      deal_list: {title: List deals, method: GET, path: /x, ",
            "modules.deals.actions.deal_list.path",
            "Only the envelope `path`",
        ),
        (
            "path_prefix: \"/{code}\"",
            "path_prefix: \"{code}/\"",
            "auth.0.inject.path_prefix",
            "begins with",
        ),
        (
            "example: acme.crm.example",
            "example: \"acme crm\"",
            "connection.portal.example",
            "pattern",
        ),
        (
            "pattern: \"[a-z0-9.-]+\"",
            "pattern: \"[a-z\"",
            "connection.portal.pattern",
            "regular expression",
        ),
        (
            "connection: {portal: {",
            "connection: {portal: {secret: true, ",
            "connection.portal.secret",
            "`auth`",
        ),
    ];
    for (from, to, key, message) in changes {
        assert!(CRM.contains(from), "{from}");
        let found = problems(&CRM.replacen(from, to, 1));
        assert!(
            found
                .iter()
                .any(|one| one.key == key && one.message.contains(message)),
            "{from:?} to {to:?}: no {message:?} at {key} in {found:#?}"
        );
    }
}

#[test]
fn a_database_that_is_a_file_has_its_own_address_and_nothing_to_sign_in_with() {
    let sqlite = include_str!("../../../../catalog/sqlite/connector.yaml");
    assert_eq!(problems(sqlite), []);
    for (is, should, key, message) in [
        (
            "workspace://{workspace}/{file}",
            "https://{workspace}/{file}",
            "base_url",
            "base_url: workspace://",
        ),
        (
            "{dialect: sqlite}",
            "{dialect: postgresql}",
            "kind",
            "`database`",
        ),
        ("  file: {title", "  path: {title", "kind", "`file`"),
        ("kind: sql\n", "kind: rest\n", "sql", "`kind: sql`"),
        (
            "title: SQL\n",
            "title: SQL\n    base_url: https://files.example.com\n",
            "modules.sql.base_url",
            "one address",
        ),
        (
            "base_url:",
            "allow_hosts: [files.example.com]\nbase_url:",
            "allow_hosts",
            "no hosts",
        ),
    ] {
        assert!(sqlite.contains(is), "{is}");
        let found = problems(&sqlite.replacen(is, should, 1));
        let told = found
            .iter()
            .any(|one| one.key == key && one.message.contains(message));
        assert!(told, "{is}: {found:?}");
    }
}
