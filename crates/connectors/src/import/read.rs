//! From bytes to documents: JSON or YAML, one file or an archive of them.

use super::tree::{Node, Reader};
use super::{Source, archive};
use quaymaster_core::schema::shorten;
use quaymaster_core::{Code, Fault};
use serde::de::DeserializeSeed as _;
use std::collections::HashMap;

/// The largest source, and the most that is unpacked of one. The largest known document in public has
/// less.
pub const MOST_BYTES: usize = 48 << 20;
/// Names and values of all files together; each takes about 40 bytes.
const MOST_VALUES: usize = 4_000_000;
/// As deep as JSON is read.
const DEEPEST: usize = 120;

/// A document and the files that it may refer to.
pub(super) struct Documents {
    files: Vec<File>,
    by_name: HashMap<String, usize>,
    pub(super) root: usize,
    /// What is worth telling about the reading itself.
    pub(super) notes: Vec<String>,
}

struct File {
    name: String,
    node: Node,
}

impl Documents {
    /// Documents made of one value.
    pub(super) fn of(name: String, node: Node, notes: Vec<String>) -> Documents {
        Documents {
            by_name: HashMap::from([(name.clone(), 0)]),
            files: vec![File { name, node }],
            root: 0,
            notes,
        }
    }

    pub(super) fn node(&self, file: usize) -> &Node {
        self.files.get(file).map_or(&Node::Null, |file| &file.node)
    }

    pub(super) fn name(&self, file: usize) -> &str {
        self.files.get(file).map_or("", |file| &file.name)
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.by_name.get(name).copied()
    }

    pub(super) fn is_archive(&self) -> bool {
        self.files.len() > 1
    }
}

/// Reads a source whole.
pub(super) fn read(source: Source) -> Result<Documents, Fault> {
    let Source { name, bytes } = source;
    if bytes.len() > MOST_BYTES {
        return Err(too_large(&name, bytes.len()));
    }
    let reader = Reader::new(MOST_VALUES);
    let mut documents = Documents {
        files: Vec::new(),
        by_name: HashMap::new(),
        root: 0,
        notes: Vec::new(),
    };
    if let Some(kind) = archive::kind(&bytes) {
        for (name, bytes) in archive::unpack(kind, &bytes)? {
            match parse(&name, &bytes, &reader) {
                Ok(node) => documents.push(name, node),
                Err(fault) if fault.code == Code::TooLarge => return Err(fault),
                // Only a reference to it makes it matter.
                Err(fault) => documents
                    .notes
                    .push(format!("{name} is passed over: {}", fault.message)),
            }
        }
        documents.root = root(&documents)?;
    } else {
        let short = name.rsplit(['/', '\\']).next().unwrap_or_default();
        let node = parse(&name, &bytes, &reader)?;
        drop(bytes);
        documents.push(short.to_owned(), node);
    }
    if let Some(doubled) = reader.doubled.take() {
        documents.notes.push(format!(
            "The name {doubled:?} stands twice in one object; the last one counts."
        ));
    }
    Ok(documents)
}

impl Documents {
    fn push(&mut self, name: String, node: Node) {
        self.by_name.insert(name.clone(), self.files.len());
        self.files.push(File { name, node });
    }
}

/// The file that describes an API, the one nearest to the top if there are several.
fn root(documents: &Documents) -> Result<usize, Fault> {
    let depth = |file: &File| file.name.matches('/').count();
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (at, file) in documents.files.iter().enumerate() {
        let is_one = ["openapi", "swagger", "discoveryVersion"]
            .iter()
            .any(|word| file.node.get(word).is_some());
        if is_one {
            found.push((depth(file), at));
        }
    }
    found.sort_unstable();
    match found.as_slice() {
        [] => Err(Fault::new(
            Code::InvalidArg,
            "No file of the archive is an OpenAPI or Google Discovery document.",
        )
        .hint("One of its files has `openapi: 3…` or `swagger: \"2.0\"` at its beginning.")),
        [(first, at), rest @ ..] if rest.first().is_none_or(|(second, _)| second > first) => {
            Ok(*at)
        }
        several => {
            let names = several.iter().take(5).map(|(_, at)| documents.name(*at));
            let names = names.collect::<Vec<_>>().join(", ");
            Err(Fault::new(
                Code::InvalidArg,
                format!("Several files of the archive describe an API: {names}."),
            )
            .hint("Put one of them at the top and the others into folders, or import them one by one."))
        }
    }
}

fn parse(name: &str, bytes: &[u8], reader: &Reader) -> Result<Node, Fault> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let begin = bytes.iter().find(|byte| !byte.is_ascii_whitespace());
    let read = match begin {
        None => Err("it is empty".to_owned()),
        Some(b'{' | b'[') => json(bytes, reader).or_else(|error| {
            // YAML may begin like that too; JSON's own message says more.
            if reader.left.get() == 0 || error.contains("recursion limit") {
                return Err(error);
            }
            yaml(bytes, reader).map_err(|_| error)
        }),
        Some(_) => yaml(bytes, reader),
    };
    read.map_err(|error| {
        if reader.left.get() == 0 {
            return Fault::new(
                Code::TooLarge,
                format!("{name} has more than {MOST_VALUES} names and values."),
            )
            .hint("Cut the document into parts, and import them one by one.");
        }
        Fault::new(
            Code::InvalidArg,
            format!("{name} cannot be read: {}.", error.trim_end_matches('.')),
        )
        .hint("Give JSON or YAML, or a zip or tar archive of such files.")
    })
}

fn json(bytes: &[u8], reader: &Reader) -> Result<Node, String> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let node = reader.deserialize(&mut json);
    node.and_then(|node| json.end().map(|()| node))
        .map_err(|error| shorten(&error.to_string()))
}

fn yaml(bytes: &[u8], reader: &Reader) -> Result<Node, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not text in UTF-8".to_owned())?;
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEEPEST,
            flow_nesting_limit: DEEPEST,
            max_documents: 1,
            max_nodes: MOST_VALUES,
            max_events: 3 * MOST_VALUES,
            max_total_scalar_bytes: MOST_BYTES,
            max_aliases: 20_000,
            max_anchors: 20_000,
        },
        duplicate_keys: serde_saphyr::options::DuplicateKeyPolicy::LastWins,
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 500_000,
            max_replay_stack_depth: 32,
        },
        emit_comments: false,
        strict_booleans: true,
        with_snippet: false,
    };
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| {
        reader.deserialize(yaml)
    })
    .map_err(|error| {
        let place = error
            .location()
            .map(|at| format!(" (line {}, column {})", at.line(), at.column()));
        let message = error.to_string();
        let message = message.lines().next().unwrap_or_default();
        let message = message.split(" at line ").next().unwrap_or(message);
        format!("{}{}", shorten(message), place.unwrap_or_default())
    })
}

fn too_large(name: &str, bytes: usize) -> Fault {
    Fault::new(
        Code::TooLarge,
        format!("{name} has {bytes} bytes; at most {MOST_BYTES} are read."),
    )
    .hint("Take examples and descriptions out of the document, or cut it into parts.")
}
