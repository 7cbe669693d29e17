//! Two organizations on one server, each with something of every kind.

use super::asking::{Asked, Things, asked};
use super::document::{Access, Operation, operations};
use super::given::{connector, flow, pack};
use quaymaster_tests::person::PASSWORD;
use quaymaster_tests::{Database, Developer, OAuthClient, Person, Visitor};
use reqwest::RequestBuilder;
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::time::Duration;

/// The key of the operator's backend.
const SERVICE_KEY: &str = "a-service-key-of-the-operator-32";

/// What the owner does not look at to see whether something changed.
const MOVES: [(&str, &str); 1] = [("GET /usage", "it is of the hours before now")];

pub(super) struct Organization {
    /// Of every scope, and of the owner.
    pub(super) key: String,
    /// Stands in all that is written here and nowhere else.
    pub(super) word: &'static str,
    pub(super) owner: Visitor,
    /// The same person in another browser.
    person: Person,
    member: String,
}

/// What was made in one workspace.
pub(super) struct Furnished {
    pub(super) things: Things,
    pub(super) workspace_token: String,
    pub(super) server_token: String,
    pub(super) flow_token: String,
}

pub(super) struct World {
    pub(super) operations: Vec<Operation>,
    /// Whose things are asked for.
    pub(super) ours: Organization,
    /// Who must not have them.
    pub(super) theirs: Organization,
    desk: Developer,
    client: reqwest::Client,
    numbers: Cell<u32>,
}

fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("no text: {value}"))
        .to_owned()
}

/// The organization of an owner, with a member.
async fn organization(
    desk: &Developer,
    mut owner: Visitor,
    (email, key, word): (&str, String, &'static str),
) -> Organization {
    let url = &desk.server.url;
    let member = format!("member-of-{email}");
    owner.invite(&member, "member").await;
    let path = "/api/v1/members";
    let (_, listed) = desk.server.rest(&key, "GET", path, None).await;
    let mut all = listed["members"].as_array().unwrap().iter();
    let member = text(&all.find(|one| one["email"] == member).unwrap()["id"]);
    let person = Person::of(url);
    assert_eq!(person.sign_in(email, PASSWORD).await.status, 200);
    Organization {
        key,
        word,
        owner,
        person,
        member,
    }
}

impl World {
    pub(super) async fn open(database: Database) -> World {
        let desk = Developer::open_with(database, &[("SERVICE_KEY", SERVICE_KEY)]).await;
        let server = &desk.server;
        let owner = Visitor::owner(server).await;
        let about = ("owner@example.com", desk.key.clone(), "Kelpwrack");
        let ours = organization(&desk, owner, about).await;

        let made = server.cli_json(&["organization", "create", "Pier"]).await;
        let (link, email) = (text(&made["sign_in_link"]), "stranger@example.com");
        let owner = Visitor::first(server, &link, email, "Pier").await;
        let made = ["token", "create", "--org", "Pier"];
        let key = text(&server.cli_json(&made).await["token"]);
        let theirs = organization(&desk, owner, (email, key, "Bladderfern")).await;
        let client = reqwest::Client::builder().pool_idle_timeout(Duration::from_secs(5));
        World {
            operations: operations(&desk).await,
            ours,
            theirs,
            desk,
            // The server closes connections that are idle for twice as long.
            client: client.build().unwrap(),
            numbers: Cell::new(0),
        }
    }

    /// One that no other request or thing has.
    pub(super) fn number(&self) -> u32 {
        self.numbers.set(self.numbers.get() + 1);
        self.numbers.get()
    }

    fn request(&self, asked: &Asked) -> RequestBuilder {
        let url = format!("{}{}", self.desk.server.url, asked.path);
        let mut request = self.client.request(asked.method.parse().unwrap(), url);
        if asked.any_etag {
            request = request.header("if-match", "*");
        }
        if let Some(bytes) = &asked.bytes {
            request = request.body(bytes.clone());
        }
        if let Some(body) = &asked.body {
            request = request.json(body);
        }
        request
    }

    /// The answer to a credential, or to nobody when it is empty.
    pub(super) async fn send(&self, token: &str, asked: &Asked) -> (u16, Value) {
        let request = self.request(asked);
        if token.is_empty() {
            answered(request).await
        } else {
            answered(request.bearer_auth(token)).await
        }
    }

    /// The answer to the operator's backend.
    pub(super) async fn send_as_operator(&self, asked: &Asked) -> (u16, Value) {
        answered(self.request(asked).header("x-service-key", SERVICE_KEY)).await
    }

    /// What the owner does, below `/api/v1`.
    pub(super) async fn did(
        &self,
        organization: &Organization,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Value {
        let asked = Asked {
            method: method.to_owned(),
            path: format!("/api/v1{path}"),
            body,
            ..Asked::default()
        };
        self.succeeded(organization, &asked).await
    }

    async fn uploaded(&self, organization: &Organization, method: &str, path: &str) -> Value {
        let asked = Asked {
            method: method.to_owned(),
            path: format!("/api/v1{path}"),
            bytes: Some(format!("# {}\n", organization.word)),
            ..Asked::default()
        };
        self.succeeded(organization, &asked).await
    }

    async fn succeeded(&self, organization: &Organization, asked: &Asked) -> Value {
        let (status, answer) = self.send(&organization.key, asked).await;
        assert!((200..300).contains(&status), "{asked:?}: {status} {answer}");
        answer
    }

    /// A workspace with something of every kind, and what the organization has beside it.
    pub(super) async fn furnish(&self, organization: &Organization) -> Furnished {
        let (number, word) = (self.number(), organization.word);
        let low = word.to_lowercase();
        let did = async |method: &str, path: &str, body: Value| {
            self.did(organization, method, path, Some(body)).await
        };
        let made = async |path: &str, body: Value| did("POST", path, body).await;
        let read = async |path: &str| self.did(organization, "GET", path, None).await;
        let named = json!({ "name": word });

        let yard = json!({ "name": format!("{word} yard {number}") });
        let workspace = text(&made("/workspaces", yard).await["workspace"]["id"]);
        let here = |path: &str| format!("/workspaces/{workspace}{path}");
        let key = made("/api-keys", named.clone()).await;
        let token = made(&here("/tokens"), named.clone()).await;
        let flow_token = made(&here("/flow-tokens"), named).await;

        let account = format!("main{number}");
        let connection = made(
            "/connections",
            json!({
                "type": "SECRET_TEXT", "integrationName": "slack", "externalId": account,
                "displayName": word, "secretText": format!("xoxb-{word}"),
            }),
        );
        let connection = text(&connection.await["connection"]["id"]);
        let slack = json!({ "integrationName": "slack", "connectionId": connection });
        let integration = made(&here("/integrations"), slack.clone()).await;
        let mut second = slack.clone();
        second["alias"] = json!("second");
        made(&here("/integrations"), second).await;
        let partial = json!({
            "workspaceId": workspace, "integrationName": "slack",
            "actionName": "send_channel_message", "name": word, "values": { "text": word },
        });
        let partial = made("/partials", partial).await;
        let end_user = json!({
            "workspaceId": workspace, "externalId": "customer", "displayName": word,
        });
        let end_user = made("/end-users", end_user).await;

        let mut server = json!({ "name": word, "workspaceId": workspace, "mode": "CODE" });
        let code_server = made("/mcp/servers", server.clone()).await;
        server["mode"] = json!("TOOLS");
        let server = made("/mcp/servers", server).await;
        let mut tool = slack;
        tool["actionName"] = json!("send_channel_message");
        let tools = format!("/mcp/servers/{}/tools", text(&server["id"]));
        let tool = made(&tools, tool).await;

        let own = format!("notes_{low}{number}");
        let source = json!({ "source": connector(&own, word) });
        made("/connectors/own", source).await;
        let app = json!({ "clientId": word, "clientSecret": "a-secret" });
        did("PUT", "/connectors/github/oauth-app", app).await;
        let sign_in = json!({ "connector": "github", "auth": "oauth2" });
        let authorization = made("/connections/authorizations", sign_in).await;
        let link = json!({
            "integrationName": "slack", "connectionName": word, "workspaceId": workspace,
            "externalId": format!("asked{number}"),
        });
        let link = made("/connect/token", link).await;
        let events = read("/events?limit=10").await;
        let mut events = events["events"].as_array().unwrap().iter();
        let session = events.find(|one| one["action"] == "connect_session.created");

        let document = format!("/documents?path=notes{number}.md");
        let document = self.uploaded(organization, "POST", &document).await;
        let upload = json!({ "path": format!("log{number}.md"), "size": 3 });
        let upload = made("/documents/uploads", upload).await;
        let note = format!("plan{number}.md");
        let file = json!({ "content": word });
        did("PUT", &format!("/memory/files/{note}"), file).await;
        // So that the first version is not what it says now.
        let more = json!({ "command": "append", "path": note, "content": word });
        made("/tools/write_memory", more).await;
        let skill = format!("triage-{number}");
        let text_of_skill = json!({ "name": skill, "description": word, "systemPrompt": word });
        made("/skills", text_of_skill).await;
        let file = json!({ "text": word });
        did("PUT", &format!("/skills/{skill}/files/a.txt"), file).await;
        let invitation = json!({ "email": format!("{low}{number}@example.com"), "role": "member" });
        let invitation = made("/invitations", invitation).await;

        let source = json!({ "source": flow("tide", word) });
        let saved = made(&here("/flows"), source).await;
        let secret = json!({ "value": word });
        did("PUT", &here("/flow-secrets/TIDE"), secret).await;
        let source = json!({ "source": pack("tides", word) });
        made(&here("/packs"), source).await;
        did("PUT", &here("/packs/tides"), json!({})).await;
        let tried = json!({ "flow": "tide", "input": {} });
        made(&here("/flow-drafts/try"), tried).await;
        let runs = read(&here("/flow-runs")).await;
        for name in ["a.txt", "b.txt"] {
            let path = here(&format!("/files/content?path={name}"));
            self.uploaded(organization, "PUT", &path).await;
        }
        let path = here("/files?path=b.txt");
        self.did(organization, "DELETE", &path, None).await;
        let trash = read(&here("/trash")).await;

        self.sign_a_client_in(organization, &workspace).await;
        let clients = read(&here("/connected-clients")).await;
        let things = [
            ("account", account),
            ("authorization", text(&authorization["authorization"]["id"])),
            ("client", text(&clients["connectedClients"][0]["id"])),
            ("code server", text(&code_server["id"])),
            ("connection", connection),
            ("connector", own),
            ("document", text(&document["document"]["id"])),
            ("end user", text(&end_user["endUser"]["id"])),
            ("flow", text(&saved["flow"]["id"])),
            ("flow token", text(&flow_token["flowToken"]["id"])),
            ("integration", text(&integration["integration"]["id"])),
            ("invitation", text(&invitation["invitation"]["id"])),
            ("key", text(&key["apiKey"]["id"])),
            ("member", organization.member.clone()),
            ("memory file", note),
            ("partial", text(&partial["partial"]["id"])),
            ("run", text(&runs["runs"][0]["id"])),
            ("server", text(&server["id"])),
            ("session", text(&session.unwrap()["details"]["session"])),
            ("session token", text(&link["token"])),
            ("skill", skill),
            ("token", text(&token["credential"]["id"])),
            ("tool", text(&tool["tool"]["id"])),
            ("trash", text(&trash["trash"][0]["id"])),
            ("upload", text(&upload["upload"]["id"])),
            ("word", word.to_owned()),
            ("workspace", workspace.clone()),
        ];
        Furnished {
            things: things.into(),
            workspace_token: text(&token["token"]),
            server_token: text(&server["bearerToken"]),
            flow_token: text(&flow_token["token"]),
        }
    }

    /// The owner lets a client into a workspace.
    async fn sign_a_client_in(&self, organization: &Organization, workspace: &str) {
        let client = OAuthClient::register(&self.desk.server.url, "Claude").await;
        let page = organization.person.get(&client.question(&[])).await;
        assert_eq!(page.status, 200, "{}", page.html);
        let agreed = [("answer", "allow"), ("workspace", workspace)];
        let fields = page.form("/authorize");
        let page = organization.person.send("/authorize", &fields, &agreed);
        let answer = page.await.away.unwrap();
        assert_eq!(client.exchange(&answer).await.0, 200);
    }

    /// All that the owner reads about these things and beside them, once nothing changes any more by itself.
    pub(super) async fn state(
        &self,
        organization: &Organization,
        things: &Things,
    ) -> BTreeMap<String, (u16, Value)> {
        let mut before = self.read_all(organization, things).await;
        for _ in 0..20 {
            // Calls are written down once a second.
            tokio::time::sleep(Duration::from_millis(1_200)).await;
            let now = self.read_all(organization, things).await;
            if now == before {
                return now;
            }
            before = now;
        }
        panic!("what the owner reads keeps changing");
    }

    async fn read_all(
        &self,
        organization: &Organization,
        things: &Things,
    ) -> BTreeMap<String, (u16, Value)> {
        let mut all = BTreeMap::new();
        for operation in &self.operations {
            let name = operation.name();
            let moves = MOVES.iter().any(|(known, _)| *known == name);
            if !operation.reads() || operation.access == Access::Anybody || moves {
                continue;
            }
            let asked = asked(operation, things, None, 0);
            let (status, mut answer) = self.send(&organization.key, &asked).await;
            forget_what_moves(&mut answer);
            all.insert(name, (status, answer));
        }
        all
    }
}

async fn answered(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    let body = serde_json::from_str(&text);
    (status, body.unwrap_or(Value::String(text)))
}

/// Takes out when somebody was here last, which reading changes, and how well a document fits, which goes by
/// how often its words are used at all.
fn forget_what_moves(answer: &mut Value) {
    match answer {
        Value::Object(fields) => {
            for name in ["lastSeenAt", "lastUsedAt", "score"] {
                fields.remove(name);
            }
            fields.values_mut().for_each(forget_what_moves);
        }
        Value::Array(all) => all.iter_mut().for_each(forget_what_moves),
        _ => {}
    }
}
