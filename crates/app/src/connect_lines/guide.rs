//! `docs/connect.md`, made from the tables, so that what it says is what the pages give.

use super::{ConnectLine, TOKEN_PLACEHOLDER, Target, connect_lines, sign_in_lines};
use std::fmt::Write as _;

const NAME: &str = "quaymaster";
const ENDPOINT: &str = "http://127.0.0.1:8080/mcp";

const HEAD: &str = "# Connect a client

Every MCP client connects to one address, `http://127.0.0.1:8080/mcp` on a server that was started without settings. There are two ways in:

- [By signing in](#by-signing-in): paste the address and nothing else. The client opens a page, you sign in and choose what it may use. Take this where the client offers it.
- [With a token](#with-a-token): make one, and paste a line or a file. For clients that know no sign-in, and for programs.

Whoever is signed in gets all of this with their own token filled in: open a workspace and choose **Create token**, or **Settings**, **API keys**. A workspace token opens
files, an API key the connected services, memory and skills, and both whatever you tick: [Authentication](authentication.md). What agents find then is in [What an agent with an API key can do](agents.md).
This page is made from the tables in `crates/app/src/connect_lines`.

![The page of a workspace: its endpoint, its use of today, its tokens and the form that makes another](screenshots/workspace-light.webp)
";

const SIGN_IN: &str = "
## By signing in

The client shows the sign-in page of this server by itself. Afterwards it stands in the list of connected clients of the workspace, where you revoke it.
";

const TOKEN: &str = "
## With a token

Put your token in the place of `<token>`. It is shown once, when it is made.
";

const TAIL: &str = "
## When it does not work

| you see | do |
|---|---|
| 401, \"No credential was presented\" | the client sent no header: look for another place of the configuration, or use `quaymaster connect` below |
| 401, \"The credential is unknown\" or \"was revoked\" | copy the token again, or make a new one |
| 403 from a page of another site | name that site's address in `allowed_origins` |
| the client is connected and has no tools | the token has other toolsets, or a scope is missing: the page of the workspace says what it sees |
| the client only starts commands | `quaymaster connect http://127.0.0.1:8080/mcp`, with the token in the variable `QUAYMASTER_TOKEN` |

`quaymaster doctor` plays a client on the machine of the server and says what is wrong there. What codes mean is in [Error codes](errors.md).
";

/// The text of the page.
pub fn guide() -> String {
    let target = Target {
        name: NAME,
        endpoint: ENDPOINT,
        token: Some(TOKEN_PLACEHOLDER),
        program: None,
    };
    let mut page = String::from(HEAD);
    page.push_str(SIGN_IN);
    section(&mut page, &sign_in_lines(NAME, ENDPOINT));
    page.push_str(TOKEN);
    section(&mut page, &connect_lines(target));
    page.push_str(TAIL);
    page
}

fn section(page: &mut String, lines: &[ConnectLine]) {
    let mut client = "";
    for line in lines {
        if line.client != client {
            client = line.client;
            let _ = writeln!(page, "\n### {client}");
        }
        let place = line.place.replace('\\', "\\\\");
        let text = line.text.trim_end();
        let _ = writeln!(page, "\n{place}:\n\n```\n{text}\n```");
    }
}
