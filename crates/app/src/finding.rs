//! Things by a part of their name: what a person wants to go to.

use crate::App;
use crate::actor::Actor;
use crate::packs::shipped;
use quaymaster_core::Fault;
use quaymaster_store::named::Shelf;

/// Found things of one kind.
const MOST: usize = 8;
/// Workspaces that are compared by their letters, whatever these are.
const LOOKED_AT: usize = 200;
/// Characters of what is looked for.
const LONGEST: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Workspace,
    Server,
    Flow,
    Pack,
    Account,
    Connector,
    Skill,
    Document,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Workspace => "workspace",
            Kind::Server => "server",
            Kind::Flow => "flow",
            Kind::Pack => "pack",
            Kind::Account => "account",
            Kind::Connector => "connector",
            Kind::Skill => "skill",
            Kind::Document => "document",
        }
    }
}

/// Something that was found.
#[derive(Debug, Clone)]
pub struct NamedThing {
    pub kind: Kind,
    /// What its address has: an id, a connector's key, a skill's name; of a flow and of a pack the
    /// workspace's id, a slash and its own.
    pub id: String,
    pub name: String,
    /// What tells it from others of the same name; may be empty.
    pub note: String,
}

/// How well a name fits: smaller is better. None when it does not.
pub fn fit(name: &str, words: &str) -> Option<usize> {
    let (name, words) = (name.to_lowercase(), words.to_lowercase());
    let at = name.find(words.trim())?;
    let begins_a_word = at == 0 || !name[..at].ends_with(char::is_alphanumeric);
    Some(match (at, begins_a_word) {
        (0, _) => 0,
        (_, true) => 1,
        _ => 2,
    })
}

impl App {
    /// What fits some letters of a name, the best of each kind first; nothing without letters.
    pub async fn find_by_name(&self, actor: &Actor, words: &str) -> Result<Vec<NamedThing>, Fault> {
        let words: String = words.trim().chars().take(LONGEST).collect();
        if words.is_empty() || words.contains('\0') {
            return Ok(Vec::new());
        }
        let mut found = Vec::new();
        let named = |shelf| self.store.named(&actor.org, shelf, &words, MOST);
        let mut servers = Vec::new();
        for one in named(Shelf::Servers).await? {
            let note = self.workspace_called(actor, &one.note).await;
            servers.push((one.id, one.name, note));
        }
        best(&mut found, &words, Kind::Server, servers.into_iter());
        // Databases know the capitals of ASCII letters; of a few workspaces, all are looked at here.
        let mut workspaces = self.some_workspaces(actor, LOOKED_AT).await?;
        for one in named(Shelf::Workspaces).await? {
            if !workspaces.iter().any(|(id, _)| *id == one.id) {
                workspaces.push((one.id, one.name));
            }
        }
        let workspaces = workspaces.into_iter();
        let workspaces = workspaces.map(|(id, name)| (id, name, String::new()));
        best(&mut found, &words, Kind::Workspace, workspaces);
        let mut flows = Vec::new();
        for one in named(Shelf::Flows).await? {
            let note = self.workspace_called(actor, &one.note).await;
            // Their addresses begin with the workspace.
            flows.push((format!("{}/{}", one.note, one.id), one.name, note));
        }
        best(&mut found, &words, Kind::Flow, flows.into_iter());
        let accounts = named(Shelf::Accounts).await?.into_iter();
        let accounts = accounts.map(|one| (one.id, one.name, one.note));
        best(&mut found, &words, Kind::Account, accounts);
        // In memory, so only what fits is copied.
        let catalog = self.catalog_of(&actor.org).await?;
        let entries = catalog.entries().into_iter();
        let fitting = entries.filter(|entry| fit(&entry.title, &words).is_some());
        let connectors =
            fitting.map(|one| (one.key.clone(), one.title.clone(), one.summary.clone()));
        best(&mut found, &words, Kind::Connector, connectors);
        let packs = shipped::all()?.iter().map(|one| &one.pack);
        let packs: Vec<_> = packs
            .filter(|pack| fit(&pack.title, &words).is_some())
            .collect();
        let mut found_packs = Vec::new();
        if !packs.is_empty() {
            for (workspace, name) in self.some_workspaces(actor, MOST).await? {
                found_packs.extend(packs.iter().map(|pack| {
                    let id = format!("{workspace}/{}", pack.id);
                    (id, pack.title.clone(), name.clone())
                }));
            }
        }
        for one in named(Shelf::OwnPacks).await? {
            let note = self.workspace_called(actor, &one.note).await;
            found_packs.push((format!("{}/{}", one.note, one.id), one.name, note));
        }
        best(&mut found, &words, Kind::Pack, found_packs.into_iter());
        let skills = named(Shelf::Skills).await?.into_iter();
        let skills = skills.map(|one| (one.id, one.name, one.note));
        best(&mut found, &words, Kind::Skill, skills);
        let documents = self.store.documents_named(&actor.org, &words, MOST).await?;
        let documents = documents
            .into_iter()
            .map(|one| (one.id.to_string(), one.title, one.path));
        for (id, name, note) in documents {
            let kind = Kind::Document;
            found.push(NamedThing {
                kind,
                id,
                name,
                note,
            });
        }
        Ok(found)
    }

    /// Ids and names of a few workspaces, for lists that would have the same of each.
    pub async fn some_workspaces(
        &self,
        actor: &Actor,
        most: usize,
    ) -> Result<Vec<(String, String)>, Fault> {
        let some = self.store.named(&actor.org, Shelf::Workspaces, "", most);
        Ok(some
            .await?
            .into_iter()
            .map(|one| (one.id, one.name))
            .collect())
    }

    /// Empty when it is gone.
    async fn workspace_called(&self, actor: &Actor, id: &str) -> String {
        let Ok(id) = id.parse() else {
            return String::new();
        };
        let found = self.believed_workspace(&actor.org, &id).await;
        found.map(|one| one.name.clone()).unwrap_or_default()
    }
}

fn best(
    found: &mut Vec<NamedThing>,
    words: &str,
    kind: Kind,
    all: impl Iterator<Item = (String, String, String)>,
) {
    let fitting = all.filter_map(|(id, name, note)| {
        let rank = fit(&name, words)?;
        let thing = NamedThing {
            kind,
            id,
            name,
            note,
        };
        Some((rank, thing))
    });
    let mut fitting: Vec<_> = fitting.collect();
    fitting.sort_by_cached_key(|(rank, thing)| (*rank, thing.name.to_lowercase()));
    found.extend(fitting.into_iter().take(MOST).map(|(_, thing)| thing));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_fits_best_where_it_begins() {
        assert_eq!(fit("GitHub", "git"), Some(0));
        assert_eq!(fit("My GitHub", "GIT"), Some(1));
        assert_eq!(fit("Digit", " git "), Some(2));
        assert_eq!(fit("Über Straße", "über"), Some(0));
        assert_eq!(fit("GitHub", "gitlab"), None);
    }
}
