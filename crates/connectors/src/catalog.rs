//! The connectors there are: those in the program, and an operator's own.
//!
//! Only the head of each file is read at first; the rest when somebody asks for it.

mod checked;
mod head;
mod search;
mod synonyms;

/// How words are taken from texts, for whatever else is searched.
pub(crate) mod words {
    pub(crate) use super::search::words;
    pub(crate) use super::synonyms::{deeds, related};
}

pub use search::ranked;

use crate::definition::{Definition, Tested};
use crate::load::{self, Problem};
use checked::Checked;
use rust_embed::RustEmbed;
use search::Terms;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/../../catalog/"]
#[include = "*/connector.yaml"]
struct Files;

/// How much of the titles of modules and actions is searched.
const MOST_WORDS: usize = 16 * 1024;

/// What a list says of a connector.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Entry {
    pub key: String,
    pub title: String,
    /// One line of at most 34 characters.
    pub summary: String,
    pub categories: Vec<String>,
    pub tested: Tested,
    pub version: String,
    /// The variables of the sandbox that its accounts fill.
    pub env: Vec<String>,
    /// Titles of its modules and actions, only for searching.
    words: String,
    #[serde(skip)]
    terms: OnceLock<Terms>,
}

impl Entry {
    /// Of a definition that is in no catalog, for example an organization's own.
    pub fn of(definition: &Definition) -> Entry {
        let mut titles: Vec<&str> = Vec::new();
        for module in definition.modules.values() {
            titles.push(&module.title);
            titles.extend(module.actions.values().map(|action| action.title.as_str()));
        }
        let mut words = titles.join(" ");
        words.truncate(words.floor_char_boundary(MOST_WORDS));
        Entry {
            key: definition.key.clone(),
            title: definition.title.clone(),
            summary: definition.summary.clone(),
            categories: definition.categories.clone(),
            tested: definition.tested,
            version: definition.version.clone(),
            env: definition.env.values().cloned().collect(),
            words,
            terms: OnceLock::new(),
        }
    }
}

/// Connectors by key.
#[derive(Default)]
pub struct Catalog {
    /// Sorted by key.
    entries: Vec<Entry>,
    sources: HashMap<String, Source>,
}

struct Source {
    text: Text,
    /// Where it is remembered that the text keeps the rules.
    remembered: OnceLock<PathBuf>,
    definition: OnceLock<Option<Arc<Definition>>>,
}

enum Text {
    /// Checked by a test.
    Embedded(Cow<'static, [u8]>),
    File(PathBuf),
}

impl Catalog {
    /// The connectors in the program. While developing they are read from the source folder.
    pub fn embedded() -> Catalog {
        let mut catalog = Catalog::default();
        for path in Files::iter() {
            let Some(file) = Files::get(&path) else {
                continue;
            };
            match head::of(&String::from_utf8_lossy(&file.data), &path) {
                Ok(entry) => catalog.put(entry, Text::Embedded(file.data)),
                Err(problem) => tracing::error!(%problem, "unreadable connector"),
            }
        }
        catalog.sort();
        catalog
    }

    /// With an operator's own definitions, which stand in the place of those with the same key:
    /// files `<name>.yaml` and `<name>/connector.yaml`. Those whose heads cannot be read are left
    /// out and told; the rest of a file is checked when it is first asked for, or by
    /// [`check`](Catalog::check).
    pub fn with_directory(mut self, directory: &Path) -> (Catalog, Vec<Problem>) {
        let mut problems = Vec::new();
        let mut from: HashMap<String, PathBuf> = HashMap::new();
        for path in definitions_in(directory, &mut problems) {
            let shown = path.display().to_string();
            let read = read(&path).and_then(|text| {
                head::of(&text, &shown).map_err(|one| {
                    // Says less than a look at the whole file.
                    load::load(&text, &shown).err().unwrap_or_else(|| vec![one])
                })
            });
            match read {
                Ok(entry) => match from.get(&entry.key) {
                    Some(first) => problems.push(at_file(
                        &shown,
                        format!("The key {:?} stands in {} too.", entry.key, first.display()),
                    )),
                    None => {
                        from.insert(entry.key.clone(), path.clone());
                        self.put(entry, Text::File(path));
                    }
                },
                Err(found) => problems.extend(found),
            }
        }
        self.sort();
        (self, problems)
    }

    /// All connectors, sorted by key.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// A definition, read on first use. `None` also when an operator's file breaks the rules; the
    /// log has the reason.
    pub fn get(&self, key: &str) -> Option<Arc<Definition>> {
        let source = self.sources.get(key)?;
        let definition = source.definition.get_or_init(|| match source.read() {
            Ok(definition) => Some(Arc::new(definition)),
            Err(problems) => {
                for problem in problems.iter().take(10) {
                    tracing::error!(connector = key, %problem, "unusable connector");
                }
                None
            }
        });
        definition.clone()
    }

    /// Every problem of the operator's own definitions.
    pub fn check(&self) -> Vec<Problem> {
        self.check_own(None)
    }

    /// The same, and remembers below `folder` what was checked: the next start reads only files that
    /// are new.
    pub fn check_once(&self, folder: &Path) -> Vec<Problem> {
        match Checked::below(folder) {
            Ok(checked) => self.check_own(Some(&checked)),
            Err(error) => {
                tracing::warn!(%error, "checked definitions cannot be remembered");
                self.check()
            }
        }
    }

    fn check_own(&self, checked: Option<&Checked>) -> Vec<Problem> {
        let keys = self.entries.iter().map(|entry| &entry.key);
        let own: Vec<&Source> = keys
            .filter_map(|key| self.sources.get(key))
            .filter(|source| matches!(source.text, Text::File(_)))
            .collect();
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let share = own.len().div_ceil(threads).max(1);
        let problems = std::thread::scope(|scope| {
            let workers: Vec<_> = own
                .chunks(share)
                .map(|part| {
                    scope.spawn(move || {
                        let found = part.iter().filter_map(|source| source.check(checked).err());
                        found.flatten().collect::<Vec<Problem>>()
                    })
                })
                .collect();
            let found = workers.into_iter().map(|worker| {
                worker.join().unwrap_or_else(|_| {
                    vec![at_file("", "A file could not be checked.".to_owned())]
                })
            });
            found.flatten().collect()
        });
        if let Some(checked) = checked {
            let places = own.iter().filter_map(|source| source.remembered.get());
            checked.forget_others(&places.cloned().collect::<HashSet<_>>());
        }
        problems
    }

    fn put(&mut self, entry: Entry, text: Text) {
        self.entries.retain(|other| other.key != entry.key);
        let source = Source {
            text,
            remembered: OnceLock::new(),
            definition: OnceLock::new(),
        };
        self.sources.insert(entry.key.clone(), source);
        self.entries.push(entry);
    }

    fn sort(&mut self) {
        self.entries.sort_by(|a, b| a.key.cmp(&b.key));
    }
}

impl Source {
    fn read(&self) -> Result<Definition, Vec<Problem>> {
        if let Some(definition) = self.remembered.get().and_then(|at| checked::recall(at)) {
            return Ok(definition);
        }
        match &self.text {
            Text::Embedded(bytes) => load::parse(&String::from_utf8_lossy(bytes), "connector.yaml"),
            Text::File(path) => load::load(&read(path)?, &path.display().to_string()),
        }
    }

    fn check(&self, checked: Option<&Checked>) -> Result<(), Vec<Problem>> {
        let (Text::File(path), Some(checked)) = (&self.text, checked) else {
            return self.read().map(drop);
        };
        let text = read(path)?;
        let place = checked.place_of(&text);
        if !place.is_file() {
            let definition = load::load(&text, &path.display().to_string())?;
            checked.remember(&place, &definition);
        }
        self.remembered.get_or_init(|| place);
        Ok(())
    }
}

fn definitions_in(directory: &Path, problems: &mut Vec<Problem>) -> Vec<PathBuf> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) => {
            let shown = directory.display().to_string();
            problems.push(at_file(
                &shown,
                format!("The directory cannot be read: {error}."),
            ));
            return Vec::new();
        }
    };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter_map(|path| {
            if path.is_dir() {
                let inner = path.join("connector.yaml");
                return inner.is_file().then_some(inner);
            }
            let is_yaml = path
                .extension()
                .is_some_and(|end| end == "yaml" || end == "yml");
            is_yaml.then_some(path)
        })
        .collect();
    found.sort();
    found
}

/// The text of a file, unless it is larger than any definition.
fn read(path: &Path) -> Result<String, Vec<Problem>> {
    let shown = path.display().to_string();
    let size = std::fs::metadata(path).map_or(0, |about| about.len());
    if size > load::MOST_BYTES as u64 {
        let message = format!(
            "The file has {size} bytes; at most {} are read.",
            load::MOST_BYTES
        );
        return Err(vec![at_file(&shown, message)]);
    }
    std::fs::read_to_string(path).map_err(|error| {
        vec![at_file(
            &shown,
            format!("The file cannot be read: {error}."),
        )]
    })
}

fn at_file(shown: &str, message: String) -> Problem {
    Problem {
        file: shown.to_owned(),
        line: 1,
        column: 1,
        key: String::new(),
        message,
    }
}
