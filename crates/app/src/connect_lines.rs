//! What a person pastes into a client to connect it: a table of clients for each way in which a
//! credential travels. What the formats are is the clients' own documentation.

mod address;
mod code;
mod guide;
mod header;
mod sign_in;

pub use guide::guide;

use serde_json::{Value, json};

/// One client's line or file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectLine {
    pub client: &'static str,
    /// `command` for a shell line, `file` for text of a configuration file, `url` for an address.
    pub kind: &'static str,
    /// Where it goes.
    pub place: String,
    pub text: String,
}

/// What a client connects to.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The server's name in the client, for example `quaymaster`.
    pub name: &'a str,
    pub endpoint: &'a str,
    /// None where the endpoint is open to anybody.
    pub token: Option<&'a str>,
    /// The path of this program, when the client runs on the same machine.
    pub program: Option<&'a str>,
}

impl Target<'_> {
    fn bearer(&self) -> Option<String> {
        self.token.map(|token| format!("Bearer {token}"))
    }

    /// An object with `address` as the address, the header, and what else the client wants in front.
    fn entry(&self, address: &str, first: &[(&str, Value)]) -> Value {
        let mut entry = json!({});
        for (key, value) in first {
            entry[*key] = value.clone();
        }
        entry[address] = json!(self.endpoint);
        if let Some(bearer) = self.bearer() {
            entry["headers"] = json!({ "Authorization": bearer });
        }
        entry
    }

    fn is_plain(&self) -> bool {
        self.endpoint.starts_with("http://")
    }
}

/// One row of a table: a client, how it takes a text, where that goes, and the text.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    fn(Target<'_>) -> String,
);

fn filled(table: &[Row], target: Target<'_>) -> Vec<ConnectLine> {
    let line = |&(client, kind, place, text): &Row| ConnectLine {
        client,
        kind,
        place: place.to_owned(),
        text: text(target),
    };
    table.iter().map(line).collect()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

/// Placeholder where the token is not known any more.
pub const TOKEN_PLACEHOLDER: &str = "<token>";

/// For clients that send a header.
pub fn connect_lines(target: Target<'_>) -> Vec<ConnectLine> {
    filled(&header::CLIENTS, target)
}

/// The clients that most people have, where there is no room for all.
pub fn usual_lines(target: Target<'_>) -> Vec<ConnectLine> {
    let mut lines = connect_lines(target);
    lines.retain(|line| header::USUAL.contains(&line.client));
    lines
}

/// What a client needs that signs in by itself (OAuth): the address and no token.
pub fn sign_in_lines(name: &str, endpoint: &str) -> Vec<ConnectLine> {
    let target = Target {
        name,
        endpoint,
        token: None,
        program: None,
    };
    filled(&sign_in::CLIENTS, target)
}

/// What a client needs that sends no headers: an address with all that the server asks for.
pub fn bridge_lines(name: &str, address: &str) -> Vec<ConnectLine> {
    let target = Target {
        name,
        endpoint: address,
        token: None,
        program: None,
    };
    filled(&address::CLIENTS, target)
}

/// The example of the public information.
pub fn example_config(name: &str, endpoint: &str) -> Value {
    let target = Target {
        name,
        endpoint,
        token: Some(TOKEN_PLACEHOLDER),
        program: None,
    };
    header::any_other(target)
}

/// The text of the `.env` download.
pub fn env_file(endpoint: &str, token: &str) -> String {
    format!("QUAYMASTER_MCP_URL={endpoint}\nQUAYMASTER_TOKEN={token}\n")
}

#[cfg(test)]
mod tests;
