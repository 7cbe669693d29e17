//! Pages with ten thousand rows behind a list, as a browser asks for them.

use crate::hosted::at;
use crate::load::Connection;
use crate::server::{Server, seconds_since};
use crate::table::Table;
use anyhow::Context as _;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Instant;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::process::Command;

const ROWS: usize = 10_000;
const ROUNDS: usize = 25;
/// Of the session that is put into the database.
const COOKIE: &str = "bench-bench-bench-bench-bench-bench-bench-0";

/// Copies one row of each table so often, and signs a browser in.
const FILL: &str = r"import hashlib, random, sqlite3, sys, time
path, rows, cookie = sys.argv[1], int(sys.argv[2]), sys.argv[3]
base = sqlite3.connect(path)
base.row_factory = sqlite3.Row
now = int(time.time() * 1e6)
signs = '0123456789abcdefghjkmnpqrstvwxyz'
def fresh(prefix, n):
    bits = ((now // 1000 - rows + n) << 80) | random.getrandbits(80)
    return prefix + '_' + ''.join(signs[(bits >> (5 * at)) & 31] for at in range(25, -1, -1))
def add(table, row):
    names, marks = ', '.join(row), ', '.join('?' * len(row))
    base.execute(f'INSERT INTO {table} ({names}) VALUES ({marks})', list(row.values()))
def copies(table, change, which=''):
    row = dict(base.execute(f'SELECT * FROM {table} {which} LIMIT 1').fetchone())
    prefix = row['id'].split('_')[0]
    for n in range(rows):
        add(table, row | {'id': fresh(prefix, n)} | change(n))
copies('calls', lambda n: {'started_at': now - n * 1000000})
copies('end_users', lambda n: {'external_id': f'customer-{n}', 'display_name': f'Customer {n}'})
copies('credentials', lambda n: {'name': f'key {n}', 'secret_sha256': random.randbytes(32)}, '''WHERE kind = 'api_key' ''')
copies('flow_runs', lambda n: {'started_at': now - n * 1000000})
copies('flows', lambda n: {'name': f'other_{n}', 'tool': None, 'title': f'Other {n}', 'enabled': False})
copies('servers', lambda n: {'name': f'Server {n}', 'created_at': now + n})
copies('integrations', lambda n: {'alias': f'chat_{n}'})
copies('partials', lambda n: {'name': f'partial {n}', 'integration_id': None})
org, owner = base.execute('SELECT org_id, user_id FROM members').fetchone()
version = dict(base.execute('SELECT * FROM skill_versions LIMIT 1').fetchone())
skill = dict(base.execute('SELECT * FROM skills LIMIT 1').fetchone())
for n in range(rows):
    added = fresh(skill['id'].split('_')[0], n)
    add('skills', skill | {'id': added, 'name': f'skill-{n}'})
    add('skill_versions', version | {'skill_id': added})
    add('connections', {'id': fresh('con', n), 'org_id': org, 'connector': 'slack', 'name': f'account {n}', 'auth': 'bot_token', 'fields': '{}',
        'secrets': b'', 'is_local': False, 'problem': 'The key is not valid any more.' if n % 2 else None, 'user_id': owner,
        'created_at': now, 'revision': 1})
base.execute('''UPDATE users SET name = 'Owner', email = 'owner@example.com', password_hash = 'none' WHERE id = ?''', [owner])
for n in range(rows):
    user = fresh('usr', n)
    add('users', {'id': user, 'email': f'member{n}@example.com', 'name': f'Member {n}', 'created_at': now})
    add('members', {'org_id': org, 'user_id': user, 'role': 'member', 'created_at': now})
    add('documents', {'id': fresh('doc', n), 'org_id': org, 'path': f'reports/{n:05}.txt', 'title': f'Report {n}', 'media_type': 'text/plain',
        'size': 1, 'sha256': 'ab' * 32, 'state': 'failed', 'reason': 'no_text', 'chunks': 0, 'characters': 0, 'attempts': 1, 'queued_at': now,
        'user_id': owner, 'created_at': now, 'updated_at': now})
add('browser_sessions', {'id': fresh('ses', 0), 'secret_sha256': hashlib.sha256(cookie.encode()).digest(), 'user_id': owner, 'org_id': org,
    'agent': 'bench', 'created_at': now, 'expires_at': now + 10**10, 'last_seen_at': now})
base.commit()
";

pub(crate) async fn long_lists(binary: &Path, table: &mut Table) -> anyhow::Result<()> {
    let server = Server::start(binary).await?;
    let key = server.api_key(binary).await?;
    let here = format!("/api/v1/workspaces/{}", server.workspace);
    let source =
        "flow: one\ntriggers:\n  - mcp_tool: { description: One }\nsteps:\n  - map: \"1\"\n";
    let flow = json!({ "source": source });
    let saved = server
        .rest(&key, "PUT", &format!("{here}/flows/one"), &flow)
        .await?;
    anyhow::ensure!(saved.get("code").is_none(), "{saved}");
    let user = json!({ "workspaceId": server.workspace, "externalId": "first" });
    let end_user = server
        .rest(&key, "POST", "/api/v1/end-users", &user)
        .await?;
    anyhow::ensure!(end_user.get("code").is_none(), "{end_user}");
    let workspace = &server.workspace;
    let first = [
        (
            format!("{here}/integrations"),
            json!({ "integrationName": "slack", "connectionStrategy": "per_user" }),
        ),
        (
            "/api/v1/mcp/servers".to_owned(),
            json!({ "name": "first", "workspaceId": workspace }),
        ),
        (
            "/api/v1/partials".to_owned(),
            json!({ "name": "first", "workspaceId": workspace, "integrationName": "slack", "values": { "channel": "C1" } }),
        ),
        (
            "/api/v1/skills".to_owned(),
            json!({ "name": "first", "description": "The first.", "systemPrompt": "Wait." }),
        ),
    ];
    let mut made = Vec::new();
    for (path, body) in first {
        let answer = server.rest(&key, "POST", &path, &body).await?;
        anyhow::ensure!(answer.get("code").is_none(), "{path}: {answer}");
        made.push(answer);
    }
    let id = |answer: &Value| answer["id"].as_str().unwrap_or_default().to_owned();
    let end_user = id(&end_user["endUser"]);
    let (integration, hosted) = (id(&made[0]["integration"]), id(&made[1]));
    let partial = id(&made[2]["partial"]);
    let target = crate::load::Target {
        token: key.clone(),
        ..server.target()
    };
    let mut connection = Connection::open(&target).await?;
    let answer = connection.call(1, "one", &json!({})).await?;
    anyhow::ensure!(!answer.contains("\"isError\":true"), "{answer}");
    std::fs::create_dir_all(server.home())?;
    for number in 0..ROWS {
        std::fs::write(server.home().join(format!("{number:05}.md")), "# One\n")?;
    }
    // What was called is written within a second.
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    fill(&server).await?;
    let pages = [
        ("home", "/".to_owned()),
        ("activity", "/activity".to_owned()),
        ("failed calls", "/activity?outcome=failed".to_owned()),
        ("usage", "/usage".to_owned()),
        ("API keys", "/settings/api-keys".to_owned()),
        ("members", "/settings/members".to_owned()),
        ("documents", "/documents".to_owned()),
        ("end users", format!("/workspaces/{workspace}/end-users")),
        ("runs", format!("/workspaces/{workspace}/flow-runs")),
        ("files", format!("/workspaces/{workspace}/files")),
        ("a workspace", format!("/workspaces/{workspace}")),
        ("servers", format!("/workspaces/{workspace}/servers")),
        ("flows", format!("/workspaces/{workspace}/flows")),
        (
            "integrations",
            format!("/workspaces/{workspace}/integrations"),
        ),
        ("partials", format!("/workspaces/{workspace}/partials")),
        ("skills", "/skills".to_owned()),
        ("connectors", "/connectors".to_owned()),
        ("a connector", "/connectors/slack".to_owned()),
        (
            "trying a call",
            "/connectors/slack/modules/chat/send_channel_message".to_owned(),
        ),
        ("an end user", format!("/end-users/{end_user}")),
        (
            "a new integration",
            format!("/workspaces/{workspace}/integrations/new/slack"),
        ),
        (
            "an integration",
            format!("/workspaces/{workspace}/integrations/{integration}"),
        ),
        (
            "a new partial",
            format!("/workspaces/{workspace}/partials/new"),
        ),
        ("a partial", format!("/partials/{partial}")),
        ("packs", format!("/workspaces/{workspace}/packs")),
        (
            "a pack",
            format!("/workspaces/{workspace}/packs/slack_digest"),
        ),
        (
            "the settings of a workspace",
            format!("/workspaces/{workspace}/settings"),
        ),
        // It follows the workspace, and has 20,000 actions, which is the most.
        ("a server", format!("/servers/{hosted}")),
        ("choosing its tools", format!("/servers/{hosted}/tools")),
        ("its playground", format!("/servers/{hosted}/try")),
    ];
    for (name, path) in pages {
        let mut times = Vec::new();
        let mut bytes = 0;
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            bytes = page(&server, &path).await?.len();
            times.push(seconds_since(begun) * 1e3);
        }
        let first = times.remove(0);
        let [p50, p99] = at(&mut times);
        table.row(
            &format!("the page of {name} with 10,000 rows: first time, then p50 and p99"),
            format!(
                "{first:.1} ms, {p50:.1} ms, {p99:.1} ms; {} KB",
                bytes / 1_000
            ),
            "≤ 20 ms",
            Some(p50 <= 20.0),
        );
    }
    Ok(())
}

async fn fill(server: &Server) -> anyhow::Result<()> {
    let output = Command::new("python3")
        .args(["-c", FILL])
        .arg(server.data.path().join("quaymaster.db"))
        .args([&ROWS.to_string(), COOKIE])
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "{said}");
    Ok(())
}

async fn page(server: &Server, path: &str) -> anyhow::Result<String> {
    let mut stream = TcpStream::connect(&server.address).await?;
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nCookie: quaymaster={COOKIE}\r\nAccept: text/html\r\nConnection: close\r\n\r\n",
        server.address
    );
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    let (head, body) = answer.split_once("\r\n\r\n").context("no body")?;
    anyhow::ensure!(head.starts_with("HTTP/1.1 200"), "{path}: {head}");
    Ok(body.to_owned())
}
