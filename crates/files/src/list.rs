//! `list_files`: what a directory holds.

use crate::cursor;
use crate::fault_of::errno_fault;
use crate::home::Home;
use crate::jail::{EntryType, Meta};
use crate::mime;
use crate::path::RelPath;
use crate::search::ignore::{self, Excluded, Rules};
use crate::search::matcher::one_glob;
use quaymaster_core::{Fault, Instant};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::os::fd::{AsFd, OwnedFd};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    #[default]
    Name,
    Size,
    Modified,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Order {
    #[default]
    Asc,
    Desc,
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListFiles {
    /// Directory, relative to the workspace root; empty = the root.
    #[serde(default)]
    #[schemars(length(max = 4096))]
    pub path: String,
    /// Also list what lies in directories below.
    #[serde(default)]
    pub recursive: bool,
    /// Levels of directories to descend into, 1 to 32; only with `recursive`.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 32))]
    pub depth: u32,
    /// Only entries that match, for example `*.rs` (any directory) or `src/**/*.rs` (from `path`).
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub glob: Option<String>,
    /// Also entries whose name starts with a dot.
    #[serde(default)]
    pub include_hidden: bool,
    /// Leave out what `.gitignore` files exclude, and `.git`, `node_modules`, `target` and the like.
    #[serde(default)]
    pub respect_gitignore: bool,
    #[serde(default)]
    pub sort: Sort,
    #[serde(default)]
    pub order: Order,
    /// Entries in a page.
    #[serde(default = "two_hundred")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: u32,
    /// `next_cursor` of the previous page, with the same other arguments.
    #[serde(default)]
    pub cursor: Option<String>,
}

fn one() -> u32 {
    1
}

fn two_hundred() -> u32 {
    200
}

/// One thing in the tree.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Entry {
    pub path: String,
    #[serde(rename = "type")]
    pub kind: EntryType,
    /// Bytes; 0 for what is no file.
    pub size: u64,
    pub modified_at: Instant,
    /// Only when it is known without reading the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// A guess by the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
}

#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ListFilesResult {
    pub path: String,
    /// Directories first. Symbolic links are listed, not followed.
    pub entries: Vec<Entry>,
    /// Entries on all pages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    pub truncated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// Entries whose names cannot be written as a path (not UTF-8, control characters,
    /// backslashes); they are not listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unlistable: Option<u64>,
}

/// What entries are sorted by: directories first, then the key, then the path.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Rank {
    file: bool,
    key: i64,
    path: String,
}

struct Found {
    rank: Rank,
    /// None while only the order is known.
    meta: Option<Meta>,
}

struct Listing<'a> {
    ask: &'a ListFiles,
    glob: Option<globset::GlobMatcher>,
    root: &'a RelPath,
    rules: Rules,
    found: Vec<Found>,
    unlistable: u64,
}

impl Home {
    /// A page of a directory. `NOT_FOUND`, `NOT_A_DIRECTORY`, `INVALID_ARG`,
    /// `PATH_OUTSIDE_WORKSPACE`.
    pub fn list_files(&self, ask: &ListFiles) -> Result<ListFilesResult, Fault> {
        let path = RelPath::parse(&ask.path, "/path")?;
        let bound = cursor::bind(&(
            &path,
            (
                ask.recursive,
                ask.depth,
                &ask.glob,
                ask.include_hidden,
                ask.respect_gitignore,
            ),
            (ask.sort, ask.order),
        ));
        let after: Option<Rank> = ask
            .cursor
            .as_deref()
            .map(|text| cursor::read(&bound, text))
            .transpose()?;
        let glob = ask
            .glob
            .as_deref()
            .map(|glob| one_glob(glob, "/glob"))
            .transpose()?;
        let (path, dir) = self.existing_directory(&path)?;
        let rules = self.rules_above(&path, ask.respect_gitignore);
        let mut listing = Listing {
            ask,
            glob,
            root: &path,
            rules,
            found: Vec::new(),
            unlistable: 0,
        };
        let levels = if ask.recursive {
            ask.depth.clamp(1, 32) + 1
        } else {
            1
        };
        listing
            .directory(&dir, &path, levels)
            .map_err(|errno| errno_fault(errno, path.as_str()))?;
        let Listing {
            mut found,
            unlistable,
            ..
        } = listing;
        let descending = ask.order == Order::Desc;
        let compare = |a: &Rank, b: &Rank| {
            let keys = a.key.cmp(&b.key).then_with(|| a.path.cmp(&b.path));
            a.file
                .cmp(&b.file)
                .then(if descending { keys.reverse() } else { keys })
        };
        found.sort_unstable_by(|a, b| compare(&a.rank, &b.rank));
        let total = found.len() as u64;
        if let Some(after) = after {
            found.retain(|entry| compare(&entry.rank, &after).is_gt());
        }
        let limit = ask.limit.clamp(1, 1000) as usize;
        let truncated = found.len() > limit;
        found.truncate(limit);
        let next_cursor = found
            .last()
            .filter(|_| truncated)
            .map(|entry| cursor::write(&bound, &entry.rank));
        // What vanishes meanwhile is not listed.
        let entries = found.into_iter().filter_map(|Found { rank, meta }| {
            // Without one it lies in the directory itself.
            let name = rank.path.rsplit('/').next().unwrap_or_default();
            let meta = meta.or_else(|| crate::jail::stat_at(dir.as_fd(), name).ok().flatten())?;
            Some(self.entry(rank.path, &meta))
        });
        Ok(ListFilesResult {
            path: path.to_string(),
            entries: entries.collect(),
            total: Some(total),
            truncated,
            next_cursor,
            unlistable: (unlistable > 0).then_some(unlistable),
        })
    }

    pub(crate) fn entry(&self, path: String, meta: &Meta) -> Entry {
        let file = meta.kind == EntryType::File;
        Entry {
            kind: meta.kind,
            size: if file { meta.size } else { 0 },
            modified_at: meta.modified(),
            etag: if file { self.known_etag(meta) } else { None },
            mime: if file { mime::by_name(&path) } else { None },
            path,
        }
    }
}

impl Listing<'_> {
    fn directory(
        &mut self,
        dir: impl AsFd,
        path: &RelPath,
        levels: u32,
    ) -> Result<(), rustix::io::Errno> {
        let entries = crate::entries::raw_entries(dir.as_fd())?;
        let has_rules = entries
            .iter()
            .any(|(name, _)| name.as_c_str() == ignore::FILE);
        let pushed = self.rules.enter(dir.as_fd(), path, has_rules);
        for (name, told) in entries {
            let Some(name) = crate::path::addressable(&name) else {
                self.unlistable += 1;
                continue;
            };
            if !self.ask.include_hidden && name.starts_with('.') {
                continue;
            }
            // A directory of ten thousand is not asked for each of them to show fifty.
            let by_name = self.ask.sort == Sort::Name && !self.ask.recursive;
            let (kind, meta) = match told.filter(|_| by_name) {
                Some(kind) => (kind, None),
                None => match crate::jail::stat_at(dir.as_fd(), name) {
                    Ok(Some(meta)) => (meta.kind, Some(meta)),
                    // What vanishes meanwhile is not listed.
                    _ => continue,
                },
            };
            let is_dir = kind == EntryType::Directory;
            let below = path.join(name);
            if self.rules.excluded(&below, name, is_dir) != Excluded::No {
                continue;
            }
            if self.wanted(&below) {
                let key = match (self.ask.sort, &meta) {
                    (Sort::Size, Some(meta)) if !is_dir => meta.size as i64,
                    (Sort::Modified, Some(meta)) => meta.modified().micros(),
                    _ => 0,
                };
                let rank = Rank {
                    file: !is_dir,
                    key,
                    path: below.to_string(),
                };
                self.found.push(Found { rank, meta });
            }
            let deep_enough = below.depth() >= crate::path::DEPTH_MAX;
            if is_dir && levels > 1 && !deep_enough {
                let open: Result<OwnedFd, _> = crate::jail::open_dir_at(dir.as_fd(), name);
                if let Ok(inner) = open {
                    self.directory(inner, &below, levels - 1)?;
                }
            }
        }
        self.rules.leave(pushed);
        Ok(())
    }

    fn wanted(&self, path: &RelPath) -> bool {
        let Some(glob) = &self.glob else { return true };
        glob.is_match(below(self.root, path))
    }
}

/// A path relative to a directory above it.
pub(crate) fn below<'p>(root: &RelPath, path: &'p RelPath) -> &'p str {
    path.as_str()
        .strip_prefix(root.as_str())
        .unwrap_or(path.as_str())
        .trim_start_matches('/')
}
