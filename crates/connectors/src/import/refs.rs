//! References: to a place in the same file or in another file of the same archive, never elsewhere.

use super::read::Documents;
use super::tree::Node;
use std::borrow::Cow;

/// So many references may lead to one another.
const MOST_HOPS: usize = 32;

/// A place in a document.
#[derive(Clone, Copy)]
pub(super) struct Spot<'d> {
    documents: &'d Documents,
    file: usize,
    pub(super) node: &'d Node,
}

impl<'d> Spot<'d> {
    pub(super) fn root(documents: &'d Documents) -> Spot<'d> {
        Spot {
            documents,
            file: documents.root,
            node: documents.node(documents.root),
        }
    }

    pub(super) fn at(self, node: &'d Node) -> Spot<'d> {
        Spot { node, ..self }
    }

    pub(super) fn get(self, name: &str) -> Option<Spot<'d>> {
        self.node.get(name).map(|node| self.at(node))
    }

    pub(super) fn text(self, name: &str) -> Option<&'d str> {
        self.node.get(name)?.text()
    }

    pub(super) fn flag(self, name: &str) -> bool {
        self.node.get(name).is_some_and(Node::is_true)
    }

    /// The items of a member that is a list.
    pub(super) fn items(self, name: &str) -> impl Iterator<Item = Spot<'d>> {
        let list = self.node.get(name).map_or(&[][..], Node::list);
        list.iter().map(move |node| self.at(node))
    }

    pub(super) fn members(self) -> impl Iterator<Item = (&'d str, Spot<'d>)> {
        let members = self.node.members().iter();
        members.map(move |(name, node)| (&**name, self.at(node)))
    }

    /// The members of a member that is a map.
    pub(super) fn named(self, name: &str) -> impl Iterator<Item = (&'d str, Spot<'d>)> {
        let members = self.node.get(name).map_or(&[][..], Node::members);
        members
            .iter()
            .map(move |(name, node)| (&**name, self.at(node)))
    }

    pub(super) fn reference(self) -> Option<&'d str> {
        self.text("$ref")
    }

    /// The place behind all references. The error says in words why there is none.
    pub(super) fn resolved(self) -> Result<Spot<'d>, String> {
        let mut hops = MOST_HOPS;
        self.behind(&mut hops)
    }

    /// One reference, and those in the middle of its path.
    fn follow(self, reference: &str, hops: &mut usize) -> Result<Spot<'d>, String> {
        *hops = hops
            .checked_sub(1)
            .ok_or_else(|| format!("the reference {} leads in a circle", shown(reference)))?;
        let (file, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let file = match file {
            "" => self.file,
            other => self.file_of(other, reference)?,
        };
        let node = self.documents.node(file);
        let mut spot = Spot { file, node, ..self };
        if pointer.is_empty() {
            return Ok(spot);
        }
        let nowhere = || format!("the reference {} leads nowhere", shown(reference));
        let pointer = pointer.strip_prefix('/').ok_or_else(nowhere)?;
        for part in pointer.split('/') {
            let part = decoded(part).replace("~1", "/").replace("~0", "~");
            // What is pointed into may be a reference itself.
            if let Some(inner) = spot.reference().filter(|_| spot.get(&part).is_none()) {
                spot = spot.follow(inner, hops)?.behind(hops)?;
            }
            let next = match spot.node {
                Node::List(list) => part.parse::<usize>().ok().and_then(|at| list.get(at)),
                node => node.get(&part),
            };
            spot = spot.at(next.ok_or_else(nowhere)?);
        }
        Ok(spot)
    }

    fn behind(self, hops: &mut usize) -> Result<Spot<'d>, String> {
        let mut spot = self;
        while let Some(reference) = spot.reference() {
            spot = spot.follow(reference, hops)?;
        }
        Ok(spot)
    }

    fn file_of(self, file: &str, reference: &str) -> Result<usize, String> {
        let file = decoded(file);
        if file.contains(':') || file.starts_with('/') || file.contains('\\') {
            return Err(format!(
                "the reference {} leads out of the document, and nothing is fetched",
                shown(reference)
            ));
        }
        let own = self.documents.name(self.file);
        let mut parts: Vec<&str> = own.split('/').collect();
        parts.pop();
        for part in file.split('/') {
            match part {
                "" | "." => {}
                ".." => {
                    parts.pop().ok_or_else(|| {
                        format!(
                            "the reference {} leads out of the archive",
                            shown(reference)
                        )
                    })?;
                }
                name => parts.push(name),
            }
        }
        let name = parts.join("/");
        self.documents.find(&name).ok_or_else(|| {
            if self.documents.is_archive() {
                format!("the archive has no readable file {}", shown(&name))
            } else {
                format!(
                    "it refers to the file {}; pack it and the document into one archive",
                    shown(&name)
                )
            }
        })
    }
}

/// A reference as a message shows it.
fn shown(reference: &str) -> String {
    if reference.chars().count() <= 120 {
        return format!("{reference:?}");
    }
    let start: String = reference.chars().take(119).collect();
    format!("{start:?}…")
}

/// Percent-decoded (RFC 6901 §6).
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut made = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                made.push(byte);
                at += 3;
            }
            None => {
                made.push(bytes[at]);
                at += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&made).into_owned())
}
