//! The command line.

use clap::{Args, Parser, Subcommand};
use std::net::SocketAddr;
use std::path::PathBuf;

/// One MCP endpoint to everything a team lets its agents use.
///
/// Without a verb it serves. Every option can also stand in a TOML file and in the environment
/// with QUAYMASTER_ in front.
#[derive(Debug, Parser)]
#[command(name = "quaymaster", version, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub options: Options,
    /// Print one JSON object for scripts.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    pub verb: Option<Verb>,
}

#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Address to listen on [default: 127.0.0.1:8080].
    #[arg(long, global = true)]
    pub listen: Option<SocketAddr>,
    /// Directory of the database, the key and the files [default: ~/.local/share/quaymaster].
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Directory of connectors beside those in the program, or in their places.
    #[arg(long, global = true, value_name = "DIR")]
    pub definitions: Option<PathBuf>,
    /// Where the server is reached from outside [default: http://<listen>].
    #[arg(long, global = true, value_name = "URL")]
    pub public_url: Option<String>,
    /// TOML file with the same names as these options [default: quaymaster.toml when it is there].
    #[arg(long, global = true, value_name = "FILE", env = "QUAYMASTER_CONFIG")]
    pub config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Start the server.
    Serve,
    /// Check the installation: database, data directory, clock, public address, a real call.
    Doctor,
    /// Make, list and revoke credentials, with or without a running server.
    Token {
        #[command(subcommand)]
        verb: TokenVerb,
    },
    /// Print a link that signs an owner in once, or another person.
    SignIn {
        /// Name or id of the organization; needed where there are several.
        #[arg(long)]
        org: Option<String>,
        /// Whom to sign in, by address [default: the first owner].
        #[arg(long, value_name = "ADDRESS")]
        email: Option<String>,
        /// Print a link that sets a new password instead. It works once, for an hour.
        #[arg(long)]
        reset: bool,
    },
    /// Make organizations.
    Organization {
        #[command(subcommand)]
        verb: OrganizationVerb,
    },
    /// Rotate and verify the keys that seal secrets at rest.
    Keys {
        #[command(subcommand)]
        verb: KeysVerb,
    },
    /// Work on definitions of connectors; needs neither a server nor a data directory.
    Connector {
        #[command(subcommand)]
        verb: ConnectorVerb,
    },
    /// Work on flows.
    Flow {
        #[command(subcommand)]
        verb: FlowVerb,
    },
    /// Write the database and all files to one archive, while the server runs.
    Backup { file: PathBuf },
    /// Unpack an archive of `backup` into an empty data directory.
    Restore { file: PathBuf },
    /// Bridge a client that speaks over standard input and output to a server.
    Connect {
        /// The server's endpoint, for example `http://127.0.0.1:8080/mcp`.
        url: String,
        /// The token; better given by the environment, which other users cannot list.
        #[arg(long, env = "QUAYMASTER_TOKEN", hide_env_values = true)]
        token: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokenVerb {
    /// Make a workspace token (--workspace) or an API key (--org).
    Create {
        /// Name or id of the workspace [default: the first one].
        #[arg(long, conflicts_with_all = ["org", "scopes", "files"])]
        workspace: Option<String>,
        /// Make an API key of the organization; its name or id where there are several.
        #[arg(long, num_args = 0..=1, default_missing_value = "")]
        org: Option<String>,
        /// What to call it.
        #[arg(long, default_value = "Command line")]
        name: String,
        /// Scopes of an API key, separated by commas [default: all].
        #[arg(long, value_delimiter = ',', requires = "org")]
        scopes: Vec<String>,
        /// Days until an API key expires, or `never` [default: 90].
        #[arg(long)]
        expires: Option<String>,
        /// Also let an API key use the files of this workspace; its name or id.
        #[arg(long, value_name = "WORKSPACE", requires = "org")]
        files: Option<String>,
        /// Only tools that change nothing.
        #[arg(long, conflicts_with_all = ["org", "scopes", "files"])]
        read_only: bool,
        /// Toolsets that it shall have, separated by commas: files, catalog, flows, repl, memory, knowledge,
        /// skills [default: those that such a credential usually has].
        #[arg(long = "toolset", value_name = "NAME", value_delimiter = ',')]
        toolsets: Vec<String>,
        /// Tools that it shall have and no others, separated by commas [default: all of its toolsets].
        #[arg(long = "tool", value_name = "NAME", value_delimiter = ',')]
        tools: Vec<String>,
    },
    /// List credentials. Secrets are not shown: the server does not have them.
    List {
        /// Name or id of the organization.
        #[arg(long)]
        org: Option<String>,
    },
    /// Revoke a credential by its id.
    Revoke {
        id: String,
        #[arg(long)]
        org: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum OrganizationVerb {
    /// Make an organization, and print the link that signs its owner in once.
    Create {
        name: String,
        /// Address of somebody with an account who shall own it [default: whoever opens the link].
        #[arg(long, value_name = "ADDRESS")]
        owner: Option<String>,
    },
    /// List organizations.
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectorVerb {
    /// Say everything that is wrong with definitions, each with its line.
    Check {
        /// Files of the format `quaymaster: 1`.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Print the JSON Schema of the format.
    Schema,
    /// Make a definition from an OpenAPI or Google Discovery document, and say what became of each operation.
    Import {
        /// JSON or YAML, or a zip, tar or tar.gz archive of files that refer to each other.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// The key by which agents call it [default: made from the title].
        #[arg(long)]
        key: Option<String>,
        /// [default: the document's].
        #[arg(long)]
        title: Option<String>,
        /// Scheme, host and path in front of every operation's path [default: the document's server].
        #[arg(long, value_name = "URL")]
        base_url: Option<String>,
        /// Only operations with these tags.
        #[arg(long, value_delimiter = ',', value_name = "TAG")]
        only: Vec<String>,
        /// Write the definition there instead of printing it.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Write the report about every operation there, as JSON.
        #[arg(long, value_name = "FILE")]
        report: Option<PathBuf>,
    },
    /// Build the requests of the examples beside a definition, and compare them with the documented ones.
    Test {
        /// Definitions; the examples of each stand in `requests.yaml` beside it.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum FlowVerb {
    /// Check files of flows or packs and say everything that is wrong with them.
    Check {
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Run the tests that stand in files of flows or packs; no server is needed, and nothing is reached.
    Test {
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Save the flows of a directory in a workspace of a running server and install its packs; all of
    /// them, or none when one has a mistake.
    Apply {
        /// Files that end in .yaml, .yml or .json, one flow or one pack each.
        #[arg(value_name = "DIR")]
        directory: PathBuf,
        /// Where the server is.
        #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
        server: String,
        /// An API key with the scope admin; better given by the environment, which other users cannot
        /// list.
        #[arg(long, env = "QUAYMASTER_API_KEY", hide_env_values = true)]
        key: String,
        /// Id or slug of the workspace [default: the first one].
        #[arg(long)]
        workspace: Option<String>,
        /// The value of a variable of the packs, such as the name of an account; can be given several
        /// times. What is left out stays as it was.
        #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variable)]
        vars: Vec<(String, String)>,
    },
}

fn variable(text: &str) -> Result<(String, String), String> {
    let (name, value) = text.split_once('=').ok_or("write it as NAME=VALUE")?;
    Ok((name.to_owned(), value.to_owned()))
}

#[derive(Debug, Subcommand)]
pub(crate) enum KeysVerb {
    /// Replace the key-encryption key; the server may run on.
    Rotate,
    /// Replace the server's data key and seal its secrets anew.
    RotateData,
    /// Open every sealed value.
    Verify,
}
