//! From an API's own document to a definition: OpenAPI 2.0, 3.0, 3.1 and 3.2, and Google Discovery.
//!
//! Invariants: nothing is fetched, a reference leads to the same document or to another file of the
//! same archive; time and memory are bounded whatever the document says; every operation of the
//! document stands in the report; the result keeps all rules, and reads back from its YAML as it is.
//!
//! A document becomes a [`tree`] once; what is asked for is read from it operation by operation.

mod answers;
mod archive;
mod discovery;
mod finish;
mod inputs;
mod media;
mod openapi;
mod operation;
mod paging;
mod path;
mod read;
mod refs;
mod report;
mod schema;
mod servers;
mod shrink;
mod signin;
mod tree;
mod words;
mod yaml;

pub use read::MOST_BYTES;
pub use report::{Kept, Operation, Outcome, Report};

use crate::definition::{Defaults, Definition, Kind, Template, Tested};
use crate::lint::LONGEST_SUMMARY;
use crate::load;
use indexmap::IndexMap;
use openapi::{MOST_ACTIONS, Taking};
use quaymaster_core::{Code, Fault};
use read::Documents;
use refs::Spot;
use schema::Dialect;
use std::fmt;
use url::Url;
use words::line;

/// A file, or an archive of files that refer to each other.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The name of the file, for messages. What it holds is told by its bytes.
    pub name: String,
    /// JSON or YAML, or a zip, tar or gzipped tar archive of such files.
    pub bytes: Vec<u8>,
}

/// What the document does not say, or shall not decide.
#[derive(Debug, Default)]
pub struct Options {
    /// The key of the definition; made from the title unless given.
    pub key: Option<String>,
    pub title: Option<String>,
    /// Scheme, host and path in front of every operation's path, instead of the document's servers.
    /// It is a template: `{url}/api` makes each account give its address.
    pub base_url: Option<String>,
    /// Only operations with one of these tags, all when there are none.
    pub only: Vec<String>,
    pub progress: Progress,
}

/// Is told how many operations are done, and of how many.
#[derive(Default)]
pub struct Progress(pub Option<Box<dyn Fn(usize, usize) + Send + Sync>>);

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Progress").field(&self.0.is_some()).finish()
    }
}

/// A definition that keeps all rules of [`load`](crate::load::load).
#[derive(Debug, Clone)]
pub struct Imported {
    pub definition: Definition,
    /// The definition as its file, which reads back as the same.
    pub yaml: String,
    pub report: Report,
}

/// Reads a document and makes a definition of it. It takes seconds for the largest, so it runs where
/// blocking is allowed. A document that cannot be used is `INVALID_ARG`, one beyond the limits
/// `TOO_LARGE`; the hint says what to do.
pub fn import(source: Source, options: &Options) -> Result<Imported, Fault> {
    // Readers of YAML and JSON go down with the document; how deep is limited, but not by the stack
    // of whichever thread asks.
    std::thread::scope(|scope| {
        let named = std::thread::Builder::new().name("import".to_owned());
        let thread = named
            .stack_size(STACK)
            .spawn_scoped(scope, || made(source, options));
        let done = thread.map(std::thread::ScopedJoinHandle::join);
        match done {
            Ok(Ok(done)) => done,
            _ => Err(Fault::internal()),
        }
    })
}

/// Bytes, of which only those that are used take memory.
const STACK: usize = 32 << 20;

fn made(source: Source, options: &Options) -> Result<Imported, Fault> {
    let mut documents = read::read(source)?;
    let is_discovery = discovery::is_one(Spot::root(&documents));
    if is_discovery {
        let made = discovery::rewritten(Spot::root(&documents));
        let name = documents.name(documents.root).to_owned();
        documents = Documents::of(name, made, std::mem::take(&mut documents.notes));
    }
    let root = Spot::root(&documents);
    let (dialect, format) = if is_discovery {
        (Dialect::Discovery, "Google Discovery".to_owned())
    } else {
        openapi::dialect(root)?
    };
    let operations = openapi::operations(root, dialect);
    let wanted = operations
        .iter()
        .filter(|one| one.is_wanted(&options.only))
        .count();
    if wanted > MOST_ACTIONS {
        let what = format!(
            "{wanted} operations are more than one definition holds, which is {MOST_ACTIONS}."
        );
        return Err(openapi::too_many(&operations, &what));
    }
    let (head, about) = head(root, dialect, format, &operations, &documents, options)?;
    // What is too large as a whole is cut more.
    for limit in [16 * 1024, 4 * 1024, 1024] {
        let mut definition = head.clone();
        let mut report = about.clone();
        let taking = Taking {
            root,
            operations: &operations,
            options,
            dialect,
            limit,
            most: load::MOST_BYTES,
        };
        if !openapi::take(&taking, &mut definition, &mut report) {
            continue;
        }
        if definition.modules.is_empty() {
            return Err(finish::nothing(&report));
        }
        finish::examples(&mut definition);
        finish::check(&mut definition, &mut report)?;
        if let Some(yaml) = finish::text(&definition)? {
            if let Some(tell) = &options.progress.0 {
                tell(operations.len(), operations.len());
            }
            report.count();
            return Ok(Imported {
                definition,
                yaml,
                report,
            });
        }
    }
    let what = format!(
        "The definition would be larger than what is read, which is {} bytes.",
        load::MOST_BYTES
    );
    Err(openapi::too_many(&operations, &what))
}

/// The definition without its modules, and the report without its operations.
fn head(
    root: Spot<'_>,
    dialect: Dialect,
    format: String,
    operations: &[openapi::Found<'_>],
    documents: &Documents,
    options: &Options,
) -> Result<(Definition, Report), Fault> {
    let mut notes = documents.notes.clone();
    let info = root.get("info").unwrap_or(root);
    let said = |word: &str, longest| {
        let text = info.text(word).map(|text| line(text, longest));
        text.filter(|text| !text.is_empty())
    };
    let of_document = said("title", 60).unwrap_or_else(|| "API".to_owned());
    let title = options.title.clone().unwrap_or_else(|| of_document.clone());
    let version = said("version", 32).unwrap_or_else(|| "1".to_owned());
    let key = options.key.clone().unwrap_or_else(|| key_of(&title));
    let address = servers::of_root(root, dialect, options.base_url.as_deref(), &mut notes)?;
    let base_url = Template::parse(&address.base)
        .map_err(|error| Fault::new(Code::InvalidArg, error.to_string()))?;
    let auth = signin::ways(
        root,
        dialect,
        operations,
        &address.base,
        &address.fields,
        &mut notes,
    );
    for (word, what) in [("webhooks", "webhooks"), ("x-webhooks", "webhooks")] {
        let count = root.named(word).count();
        if count > 0 {
            notes.push(format!(
                "{count} {what} are calls that the service makes, so they are no actions."
            ));
        }
    }
    let docs = root.get("externalDocs").and_then(|docs| docs.text("url"));
    let mut defaults = Defaults::default();
    defaults
        .headers
        .insert("accept".to_owned(), "application/json".to_owned());
    if dialect == Dialect::Discovery {
        // Every API of Google tells errors like this (google.rpc.Status).
        let words = |all: &[&str]| all.iter().map(|word| (*word).to_owned()).collect();
        defaults.errors.code = Some("/error/status".to_owned());
        defaults.errors.message = Some("/error/message".to_owned());
        defaults.errors.details = Some("/error/details".to_owned());
        defaults.errors.auth_codes = words(&["UNAUTHENTICATED"]);
        defaults.errors.retry_codes = words(&["RESOURCE_EXHAUSTED", "UNAVAILABLE"]);
    }
    let definition = Definition {
        quaymaster: 1,
        kind: Kind::Rest,
        version: version.clone(),
        ttl: 86_400,
        summary: summary(info, &title),
        categories: Vec::new(),
        docs_url: docs
            .filter(|url| Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http")))
            .map(str::to_owned),
        tested: Tested::None,
        imported_from: Some(line(&format!("{format}: {of_document} {version}"), 200)),
        connection: address.fields,
        base_url,
        allow_hosts: Vec::new(),
        env: signin::environment(&key, &auth),
        auth,
        verify: None,
        defaults,
        rate_limits: Vec::new(),
        enums: IndexMap::new(),
        selects: IndexMap::new(),
        modules: IndexMap::new(),
        recipes: Vec::new(),
        rpc: None,
        graphql: None,
        mcp: None,
        sql: None,
        open_methods: false,
        key,
        title,
    };
    let report = Report {
        format,
        title: of_document,
        version,
        notes,
        ..Report::default()
    };
    Ok((definition, report))
}

/// A key from the title, without words that say nothing.
fn key_of(title: &str) -> String {
    const SAYS_NOTHING: [&str; 13] = [
        "api",
        "apis",
        "rest",
        "openapi",
        "swagger",
        "the",
        "open",
        "s",
        "spec",
        "specification",
        "docs",
        "documentation",
        "official",
    ];
    let lower = title.to_lowercase();
    let kept: Vec<&str> = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !SAYS_NOTHING.contains(word))
        .filter(|word| {
            !word
                .trim_start_matches('v')
                .chars()
                .all(|c| c.is_ascii_digit())
        })
        .collect();
    let made = words::key(&kept.join("_"), 40);
    match made.chars().next() {
        Some(first) if first.is_ascii_lowercase() => made,
        Some(_) => format!("api_{made}"),
        None => "api".to_owned(),
    }
}

/// At most 34 characters: the first of what the document says of itself that fits.
fn summary(info: Spot<'_>, title: &str) -> String {
    let description = info.text("description").unwrap_or_default();
    let said = [
        info.text("summary").unwrap_or_default(),
        words::sentence(description),
    ];
    let fits = said
        .iter()
        .map(|text| line(text, 500))
        .find(|text| (1..=LONGEST_SUMMARY).contains(&text.chars().count()));
    fits.unwrap_or_else(|| {
        let longer = said.iter().find(|text| !text.trim().is_empty());
        line(longer.unwrap_or(&title), LONGEST_SUMMARY)
    })
}
