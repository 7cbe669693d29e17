//! Definitions that tests change.

use quaymaster_connectors::definition::Definition;
use quaymaster_connectors::load::load;

/// A tracker of issues with verbs and paths, and a module behind another address.
pub(crate) const TRACKER: &str = r#"quaymaster: 1
key: tracker
kind: rest
version: "1.2.0"
ttl: 3600
title: Tracker
summary: Projects and issues
categories: [work management]
docs_url: https://tracker.example/docs
tested: none
base_url: https://api.tracker.example/v2
env: {token: TRACKER_TOKEN}
auth:
  - {key: token, type: api_key, title: Access token, fields: {token: {secret: true}}, inject: {header: {authorization: "Bearer {token}"}}}
verify: {action: get_me, label: /login}
defaults:
  pagination: {type: page, param: page, page_size: {param: per_page, default: 20, max: 100}}
rate_limits:
  - {requests: 600, per_s: 60}
  - {requests: 10, per_s: 60, module: reports}
enums:
  state: [{value: open}, {value: closed, title: Done}]
selects:
  labels: {action: list_labels, value: /name, label: /name, needs: [project]}
modules:
  issues:
    title: Issues
    summary: What has to be done
    actions:
      list_issues:
        title: List issues
        method: GET
        path: "/projects/{project}/issues"
        params:
          type: object
          required: [project]
          properties:
            project: {type: string, description: The project's short name}
            state: {$enum: state}
            page: {type: integer}
        response: {example: [{number: 7, title: Broken, state: open}]}
      get_issue:
        title: Get an issue
        method: GET
        path: "/projects/{project}/issues/{number}"
        params: {type: object, required: [project, number], properties: {project: {type: string, description: The project's short name}, number: {type: integer}}}
      create_issue:
        title: Create an issue
        method: POST
        path: "/projects/{project}/issues"
        params:
          type: object
          required: [project, title]
          properties:
            project: {type: string, description: The project's short name}
            title: {type: string}
            labels: {type: array, items: {type: string}, x-select: labels}
            notify: {type: boolean, x-in: query}
        response: {status: 201, example: {number: 8}}
      delete_issue:
        title: Delete an issue
        method: DELETE
        path: "/projects/{project}/issues/{number}"
        destructive: true
        params: {type: object, required: [project, number], properties: {project: {type: string}, number: {type: integer}}}
      list_labels:
        title: List labels
        method: GET
        path: "/projects/{project}/labels"
        params: {type: object, required: [project], properties: {project: {type: string}}}
  users:
    title: Users
    actions:
      get_me: {title: Get myself, method: GET, path: /users/me}
      get_user:
        title: Get a user
        method: GET
        path: "/users/{login}"
        params: {type: object, required: [login], properties: {login: {type: string}}}
      search_users:
        title: Search users
        method: POST
        path: /users/search
        read_only: true
        params: {type: object, properties: {text: {type: string}}}
  reports:
    title: Reports
    base_url: https://reports.tracker.example
    actions:
      get_report:
        title: Download a report
        method: GET
        path: "/reports/{name}.csv"
        params: {type: object, required: [name], properties: {name: {type: string}}}
        response: {binary: true}
      get_file:
        title: Download a file
        method: GET
        path: "/files/{path}"
        params: {type: object, required: [path], properties: {path: {type: string, x-style: segments}}}
        response: {binary: true}
recipes:
  - {title: File a bug, action: create_issue, with: {project: web, title: Broken, labels: [bug], notify: true}, note: The number is in the answer.}
  - {title: Open issues, action: list_issues, with: {project: web, state: open}}
  - {title: Find somebody, action: search_users, with: {text: mona}}
"#;

/// A CRM whose methods are called by name.
pub(crate) const CRM: &str = r#"quaymaster: 1
key: crm
kind: rpc
version: "1"
title: CRM
summary: Deals and contacts
base_url: https://{portal}/rest
connection: {portal: {title: Portal, example: acme.crm.example, pattern: "[a-z0-9.-]+"}}
auth:
  - {key: webhook, type: api_key, fields: {code: {secret: true}}, inject: {path_prefix: "/{code}"}}
rpc: {envelope: path, suffix: .json}
modules:
  deals:
    title: Deals
    actions:
      deal_list: {title: List deals, rpc: crm.deal.list, read_only: true, params: {type: object, properties: {start: {type: integer}}}}
      deal_add: {title: Add a deal, rpc: crm.deal.add, params: {type: object, required: [fields], properties: {fields: {type: object}}}}
  contacts:
    title: Contacts
    actions:
      contact_list: {title: List contacts, rpc: crm.contact.list, read_only: true}
recipes:
  - {title: First deals, action: deal_list, with: {start: 0}}
  - {title: New deal, action: deal_add, with: {fields: {TITLE: Big}}}
  - {title: Contacts, action: contact_list}
"#;

pub(crate) fn tracker() -> Definition {
    read(TRACKER)
}

pub(crate) fn crm() -> Definition {
    read(CRM)
}

/// A definition that keeps all rules; the problems are in the panic otherwise.
pub(crate) fn read(text: &str) -> Definition {
    load(text, "sample.yaml").unwrap_or_else(|problems| {
        let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
        panic!("{}", lines.join("\n"));
    })
}

/// The tracker with one text in it replaced.
pub(crate) fn changed(from: &str, to: &str) -> String {
    assert!(TRACKER.contains(from), "the sample has no {from:?}");
    TRACKER.replacen(from, to, 1)
}
