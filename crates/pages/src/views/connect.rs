//! What to paste into which client.

/// How a client takes the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectKind {
    /// Typed into a terminal.
    Command,
    /// The content of a configuration file.
    File,
    /// An address that the client asks for.
    Address,
}

/// One thing to paste.
#[derive(Debug, Clone)]
pub struct ConnectLine {
    /// The client's name, for example `Claude Desktop`.
    pub client: String,
    pub kind: ConnectKind,
    /// Where it goes, for example `claude_desktop_config.json` or `Terminal`.
    pub where_: String,
    pub text: String,
}

/// The lines of one page, shown as one tab per client.
#[derive(Debug, Clone, Default)]
pub struct Connect {
    pub lines: Vec<ConnectLine>,
}

/// A tab.
#[derive(Debug)]
pub struct Client<'a> {
    pub name: &'a str,
    pub lines: Vec<&'a ConnectLine>,
}

impl Connect {
    pub fn new(lines: Vec<ConnectLine>) -> Self {
        Connect { lines }
    }

    /// One tab per client, in the order in which each first appears.
    pub fn clients(&self) -> Vec<Client<'_>> {
        let mut clients: Vec<Client<'_>> = Vec::new();
        for line in &self.lines {
            match clients.iter_mut().find(|client| client.name == line.client) {
                Some(client) => client.lines.push(line),
                None => clients.push(Client {
                    name: &line.client,
                    lines: vec![line],
                }),
            }
        }
        clients
    }
}
