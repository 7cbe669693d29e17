//! Lists below a prefix, and looking for words.

use super::{MemoryEntry, Owner, Range, Reader, text};
use crate::App;
use quaymaster_core::Fault;
use quaymaster_core::id::MemoryFileId;
use std::collections::HashMap;

/// Of one look at the database.
const BATCH: usize = 500;
const MOST_WORDS: usize = 16;
/// Results that can be paged through.
const MOST_RESULTS: usize = 1_000;
/// Bytes of the files of one page that are read as a whole, best first, to show a line of them.
const READ_WHOLE: i64 = 1 << 20;
/// Characters that are read of each of the others.
const READ_BEGINNING: i64 = 4096;

/// A part of the list.
#[derive(Debug, Clone)]
pub struct Wanted<'a> {
    /// What paths begin with; empty for all.
    pub prefix: &'a str,
    /// Folders that are deeper below the prefix are shown as such, without what is in them.
    pub depth: Option<usize>,
    pub limit: usize,
    /// Where the page before said that this one begins.
    pub cursor: Option<&'a str>,
}

/// A page of a list, by path.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    pub entries: Vec<MemoryEntry>,
    /// Folders, with a slash at their end.
    pub prefixes: Vec<String>,
    pub next: Option<String>,
}

/// A file that has the words.
#[derive(Debug, Clone)]
pub struct Found {
    pub entry: MemoryEntry,
    /// From 1, with the first line that has one of them, as far as the file was looked through.
    pub line: Option<(usize, String)>,
}

/// The folder that stands for a path deeper than `depth` parts behind the prefix.
fn folder_of<'p>(path: &'p str, prefix: &str, depth: usize) -> Option<&'p str> {
    let behind = path.get(prefix.len()..)?;
    let (at, _) = behind.match_indices('/').nth(depth.checked_sub(1)?)?;
    path.get(..=prefix.len() + at)
}

impl App {
    pub async fn list_memory(&self, reader: &Reader, wanted: Wanted<'_>) -> Result<Listing, Fault> {
        let cursor = wanted.cursor.unwrap_or_default();
        if cursor > text::END || wanted.prefix.contains('\0') || cursor.contains('\0') {
            return Err(
                Fault::invalid_arg("/cursor", "pattern", "There is no such page.")
                    .hint("Pass next_cursor of the page before, or leave it out."),
            );
        }
        let end = format!("{}{}", wanted.prefix, text::END);
        // A page goes on behind its cursor; the first one begins at the prefix itself.
        let (mut from, mut after) = if cursor > wanted.prefix {
            (cursor.to_owned(), true)
        } else {
            (wanted.prefix.to_owned(), false)
        };
        let mut listing = Listing::default();
        // Closed folders are passed over, and one more tells whether there is a next page.
        let most = match wanted.depth {
            Some(_) => BATCH,
            None => BATCH.min(wanted.limit + 1),
        };
        loop {
            let range = Range {
                from: &from,
                after,
                before: &end,
            };
            let batch = self.memory_batch(reader, wanted.prefix, range, most);
            let batch = batch.await?;
            let is_last = batch.len() < most;
            let mut skipped: Option<String> = None;
            for entry in batch {
                after = true;
                from.clone_from(&entry.path);
                if skipped
                    .as_ref()
                    .is_some_and(|folder| entry.path.starts_with(folder))
                {
                    continue;
                }
                if listing.entries.len() + listing.prefixes.len() == wanted.limit {
                    let last = listing.entries.last().map(|entry| entry.path.clone());
                    let folder = listing.prefixes.last();
                    let folder = folder.map(|folder| format!("{folder}{}", text::END));
                    listing.next = last.max(folder);
                    return Ok(listing);
                }
                let depth = wanted.depth.unwrap_or(usize::MAX);
                match folder_of(&entry.path, wanted.prefix, depth) {
                    Some(folder) => {
                        skipped = Some(folder.to_owned());
                        listing.prefixes.push(folder.to_owned());
                    }
                    None => listing.entries.push(entry),
                }
            }
            if is_last {
                return Ok(listing);
            }
            if let Some(folder) = skipped {
                from = format!("{folder}{}", text::END);
            }
        }
    }

    /// The next entries of both owners, by path.
    async fn memory_batch(
        &self,
        reader: &Reader,
        prefix: &str,
        range: Range<'_>,
        most: usize,
    ) -> Result<Vec<MemoryEntry>, Fault> {
        let (organization, person) = text::owners_below(prefix);
        let mut entries = Vec::new();
        if person {
            let owner = Owner::User(reader.user.clone());
            entries = self
                .store
                .memory_entries(&reader.org, &owner, range, most as i64)
                .await?;
        }
        if organization {
            let theirs = self
                .store
                .memory_entries(&reader.org, &Owner::Organization, range, most as i64)
                .await?;
            if !theirs.is_empty() {
                entries.extend(theirs);
                entries.sort_by(|a, b| a.path.cmp(&b.path));
                entries.truncate(most);
            }
        }
        Ok(entries)
    }

    /// Files that have every word, the person's own first, and where the next page begins.
    pub async fn search_memory(
        &self,
        reader: &Reader,
        query: &str,
        limit: usize,
        cursor: Option<&str>,
    ) -> Result<(Vec<Found>, Option<String>), Fault> {
        let mut words: Vec<String> = text::words(query).into_iter().collect();
        words.retain(|word| !word.is_empty());
        words.truncate(MOST_WORDS);
        if words.is_empty() {
            return Err(Fault::invalid_arg(
                "/query",
                "pattern",
                "The query has no letter and no digit.",
            )
            .hint("Pass words that the file has; each may be the beginning of one."));
        }
        let no_page = || {
            Fault::invalid_arg("/cursor", "pattern", "There is no such page.")
                .hint("Pass next_cursor of the page before, or leave it out.")
        };
        let skip = match cursor {
            None => 0,
            Some(cursor) => cursor
                .parse::<usize>()
                .ok()
                .filter(|at| *at <= MOST_RESULTS)
                .ok_or_else(no_page)?,
        };
        // One more tells whether there is a next page.
        let found = self.store.search_memory(
            &reader.org,
            &reader.user,
            &words,
            (limit + 1) as i64,
            skip as i64,
        );
        let mut found = found.await?;
        let more = found.len() > limit && skip + limit <= MOST_RESULTS;
        found.truncate(limit);
        let lines = self.memory_lines(reader, &found, &words).await?;
        let shown = found.into_iter().map(|entry| Found {
            line: lines.get(&entry.id).cloned(),
            entry,
        });
        Ok((shown.collect(), more.then(|| (skip + limit).to_string())))
    }

    /// The first line of each file that has one of the words. Large files are looked through at their beginning only,
    /// once much was read for better ones.
    async fn memory_lines(
        &self,
        reader: &Reader,
        found: &[MemoryEntry],
        words: &[String],
    ) -> Result<HashMap<MemoryFileId, (usize, String)>, Fault> {
        let mut room = READ_WHOLE;
        let wanted: Vec<(&MemoryFileId, i64)> = found
            .iter()
            .map(|entry| {
                if entry.size > room {
                    return (&entry.id, READ_BEGINNING);
                }
                room -= entry.size;
                (&entry.id, entry.size)
            })
            .collect();
        let beginnings = self.store.memory_beginnings(&reader.org, &wanted).await?;
        let lines = beginnings
            .into_iter()
            .filter_map(|(file, content)| Some((file, text::line_with(&content, words)?)));
        Ok(lines.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deeper_is_shown_as_its_folder() {
        for (path, prefix, depth, folder) in [
            ("a/b/c", "", 1, Some("a/")),
            ("a/b/c", "", 2, Some("a/b/")),
            ("a/b/c", "", 3, None),
            ("a/b/c", "a/", 1, Some("a/b/")),
            ("a/b", "a/", 1, None),
            ("a", "", 1, None),
            ("a/b", "", 0, None),
        ] {
            assert_eq!(
                folder_of(path, prefix, depth),
                folder,
                "{path} {prefix} {depth}"
            );
        }
    }
}
