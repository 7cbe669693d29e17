//! OpenAPI documents: which operations there are, and the definition around them.

use super::operation::action;
use super::refs::Spot;
use super::report::{Operation, Outcome, Report};
use super::schema::{Dialect, Schemas};
use super::words::{key, line, spoken};
use super::{Options, servers};
use crate::definition::{Action, Definition, Module, Template};
use indexmap::IndexMap;
use quaymaster_core::{Code, Fault};
use std::collections::HashSet;

/// More actions has no definition that anybody reads.
pub(super) const MOST_ACTIONS: usize = 5_000;
/// The module of operations without a tag.
const UNTAGGED: &str = "api";

/// An operation of the document.
pub(super) struct Found<'d> {
    /// As the document writes it.
    pub(super) verb: String,
    pub(super) path: String,
    /// What it shares with the other operations of its path.
    pub(super) item: Spot<'d>,
    pub(super) spot: Spot<'d>,
    pub(super) id: Option<&'d str>,
    pub(super) tag: Option<&'d str>,
    /// Media types of 2.0.
    pub(super) consumes: Vec<&'d str>,
    pub(super) produces: Vec<&'d str>,
    /// It cannot be looked at.
    pub(super) broken: Option<String>,
}

impl Found<'_> {
    /// Whether it has one of these tags; all have when there are none.
    pub(super) fn is_wanted(&self, tags: &[String]) -> bool {
        let is_one = |tag: &str| {
            tags.iter()
                .any(|own| own.trim().eq_ignore_ascii_case(tag.trim()))
        };
        let mut own = self
            .spot
            .items("tags")
            .filter_map(|tag| tag.node.text())
            .take(100);
        tags.is_empty() || own.any(is_one) || (self.tag.is_none() && is_one(UNTAGGED))
    }
}

/// The version that a document says it has.
pub(super) fn dialect(root: Spot<'_>) -> Result<(Dialect, String), Fault> {
    let said = |word: &str| match root.node.get(word)? {
        super::tree::Node::Text(text) => Some(text.trim().to_owned()),
        super::tree::Node::Number(number) => Some(number.to_string()),
        _ => None,
    };
    let version = said("openapi")
        .or_else(|| said("swagger"))
        .map(|text| line(&text, 20));
    let Some(version) = version else {
        return Err(Fault::new(Code::InvalidArg, "This is neither an OpenAPI nor a Google Discovery document.")
            .hint("An OpenAPI document has `openapi: 3…` or `swagger: \"2.0\"`, a Google Discovery document `kind: discovery#restDescription`."));
    };
    let dialect = if version.starts_with('2') {
        Dialect::V2
    } else if version.starts_with("3.0") || version == "3" {
        Dialect::V30
    } else if version.starts_with("3.") {
        Dialect::V31
    } else {
        return Err(Fault::new(
            Code::InvalidArg,
            format!("OpenAPI {version} is not known here."),
        )
        .hint("Versions 2.0 and 3.0 to 3.2 are read."));
    };
    Ok((dialect, format!("OpenAPI {version}")))
}

/// Every operation, in the order of the document.
pub(super) fn operations<'d>(root: Spot<'d>, dialect: Dialect) -> Vec<Found<'d>> {
    const VERBS: [&str; 9] = [
        "get", "put", "post", "delete", "options", "head", "patch", "trace", "query",
    ];
    let list = |spot: Spot<'d>, word: &str| -> Vec<&'d str> {
        let own = if spot.get(word).is_some() { spot } else { root };
        if dialect == Dialect::V2 {
            own.items(word)
                .take(20)
                .filter_map(|one| one.node.text())
                .collect()
        } else {
            Vec::new()
        }
    };
    let mut all = Vec::new();
    for (path, item) in root.named("paths") {
        if path.starts_with("x-") {
            continue;
        }
        let (item, broken) = match item.resolved() {
            Ok(item) => (item, None),
            Err(why) => (item, Some(why)),
        };
        let found = |verb: &str, spot: Spot<'d>, broken: Option<String>| Found {
            verb: verb.to_owned(),
            path: path.to_owned(),
            item,
            spot,
            id: spot
                .text("operationId")
                .map(str::trim)
                .filter(|id| !id.is_empty()),
            tag: spot
                .items("tags")
                .find_map(|tag| tag.node.text())
                .filter(|tag| !tag.trim().is_empty()),
            consumes: list(spot, "consumes"),
            produces: list(spot, "produces"),
            broken,
        };
        if let Some(why) = broken {
            all.push(found(
                "any",
                item,
                Some(format!("its path cannot be read: {why}")),
            ));
            continue;
        }
        for (verb, spot) in item.members() {
            if VERBS.contains(&verb.to_ascii_lowercase().as_str()) {
                match spot.resolved() {
                    Ok(spot) => all.push(found(verb, spot, None)),
                    Err(why) => {
                        all.push(found(verb, spot, Some(format!("it cannot be read: {why}"))));
                    }
                }
            }
        }
        for (verb, spot) in item.named("additionalOperations") {
            all.push(found(verb, spot, None));
        }
    }
    all
}

/// Too many operations to be one definition.
pub(super) fn too_many(operations: &[Found<'_>], what: &str) -> Fault {
    let mut tags: IndexMap<&str, usize> = IndexMap::new();
    for found in operations {
        *tags.entry(found.tag.unwrap_or(UNTAGGED)).or_default() += 1;
    }
    tags.sort_by(|_, one, _, other| other.cmp(one));
    let some = tags
        .iter()
        .take(20)
        .map(|(tag, count)| format!("{} ({count})", line(tag, 40)));
    let some = some.collect::<Vec<_>>().join(", ");
    Fault::new(Code::TooLarge, what).hint(format!("Import a part of it, by tag: {some}."))
}

/// The modules of a definition, while actions are put into them.
#[derive(Default)]
pub(super) struct Modules {
    made: IndexMap<String, Module>,
    /// Tag and address of each module.
    by: IndexMap<(String, Option<String>), String>,
    keys: HashSet<String>,
}

impl Modules {
    fn put(
        &mut self,
        root: Spot<'_>,
        found: &Found<'_>,
        base: Option<String>,
        action: Action,
    ) -> Result<(String, String), String> {
        let key = self.action_key(found);
        let tag = found.tag.unwrap_or(UNTAGGED).to_owned();
        let module = match self.by.get(&(tag.clone(), base.clone())) {
            Some(module) => module.clone(),
            None => {
                let template = base.as_deref().map(Template::parse).transpose();
                let template =
                    template.map_err(|error| format!("its server cannot be read: {error}"))?;
                let wanted = Some(super::words::key(&tag, 36)).filter(|made| !made.is_empty());
                let wanted = wanted.unwrap_or_else(|| UNTAGGED.to_owned());
                let module = free(&wanted, |name| self.made.contains_key(name));
                let made = described(root, &tag, found.tag.is_some(), template);
                self.made.insert(module.clone(), made);
                self.by.insert((tag, base), module.clone());
                module
            }
        };
        if let Some(own) = self.made.get_mut(&module) {
            own.actions.insert(key.clone(), action);
        }
        self.keys.insert(key.clone());
        Ok((module, key))
    }

    /// From the operation's own name, else from verb and path.
    fn action_key(&self, found: &Found<'_>) -> String {
        let by_path = || key(&format!("{}_{}", found.verb, found.path), 60);
        let named = found
            .id
            .map(|id| key(id, 60))
            .filter(|made| !made.is_empty());
        let wanted = named.unwrap_or_else(by_path);
        if !self.keys.contains(&wanted) {
            return wanted;
        }
        free(&by_path(), |name| self.keys.contains(name))
    }
}

fn free(wanted: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut name = wanted.to_owned();
    let mut count = 2;
    while taken(&name) {
        name = format!("{wanted}_{count}");
        count += 1;
    }
    name
}

fn described(root: Spot<'_>, tag: &str, is_tagged: bool, base_url: Option<Template>) -> Module {
    let about = root
        .items("tags")
        .take(2_000)
        .find(|one| one.text("name") == Some(tag));
    let title = about.and_then(|about| {
        about
            .text("summary")
            .or_else(|| about.text("x-displayName"))
    });
    let title = line(title.unwrap_or(tag), 80);
    let title = if title == tag && !title.contains(' ') {
        spoken(tag)
    } else {
        title
    };
    let summary = about
        .and_then(|about| about.text("description"))
        .map(|text| line(text, 200));
    Module {
        title: if !is_tagged || title.is_empty() {
            "Operations".to_owned()
        } else {
            line(&title, 80)
        },
        summary: summary.filter(|summary| !summary.is_empty()),
        base_url,
        actions: IndexMap::new(),
    }
}

/// What [`take`] works with.
pub(super) struct Taking<'a, 'd> {
    pub(super) root: Spot<'d>,
    pub(super) operations: &'a [Found<'d>],
    pub(super) options: &'a Options,
    pub(super) dialect: Dialect,
    /// Bytes of the schema of one action's inputs, and of all together.
    pub(super) limit: usize,
    pub(super) most: usize,
}

/// Puts every operation that can be called into the definition, and all of them into the report.
/// False when they are too large together.
pub(super) fn take(
    taking: &Taking<'_, '_>,
    definition: &mut Definition,
    report: &mut Report,
) -> bool {
    let mut schemas = Schemas::new(taking.dialect);
    let mut modules = Modules::default();
    let mut bytes = 0;
    let all = taking.operations.len();
    for (at, found) in taking.operations.iter().enumerate() {
        if let Some(tell) = &taking.options.progress.0 {
            tell(at, all);
        }
        let mut told = Operation {
            operation: format!(
                "{} {}",
                line(&found.verb.to_ascii_uppercase(), 20),
                line(&found.path, 300)
            ),
            id: found.id.map(|id| line(id, 200)),
            module: None,
            action: None,
            outcome: Outcome::LeftOut,
            remarks: Vec::new(),
        };
        schemas.begin();
        match one(taking, found, &mut schemas, &mut modules, definition) {
            Ok((module, action, size)) => {
                bytes += size;
                told.module = Some(module);
                told.action = Some(action);
                told.remarks = schemas.changes();
                told.outcome = if told.remarks.is_empty() {
                    Outcome::Imported
                } else {
                    Outcome::Changed
                };
            }
            Err(why) => told.remarks.push(format!("Left out: {why}.")),
        }
        if bytes > taking.most {
            return false;
        }
        report.operations.push(told);
    }
    if schemas.shortened > 0 {
        report.notes.push(format!(
            "{} long descriptions of inputs were shortened.",
            schemas.shortened
        ));
    }
    definition.modules = modules.made;
    true
}

fn one(
    taking: &Taking<'_, '_>,
    found: &Found<'_>,
    schemas: &mut Schemas,
    modules: &mut Modules,
    definition: &mut Definition,
) -> Result<(String, String, usize), String> {
    if let Some(why) = &found.broken {
        return Err(why.clone());
    }
    let wanted = &taking.options.only;
    if !found.is_wanted(wanted) {
        return Err("it was not asked for".to_owned());
    }
    let own = match &taking.options.base_url {
        Some(_) => None,
        None => match servers::own(found.spot)? {
            Some(own) => Some(own),
            None => servers::own(found.item)?,
        },
    };
    let own = own.filter(|own| own.base != definition.base_url.as_str());
    let action = action(schemas, found, taking.limit)?;
    if taking.dialect == Dialect::Discovery {
        for remark in found
            .spot
            .items("x-remarks")
            .filter_map(|one| one.node.text())
        {
            schemas.change(remark);
        }
    }
    let size = super::shrink::size(&action.params) + 300;
    let base = own.as_ref().map(|own| own.base.clone());
    let (module, key) = modules.put(taking.root, found, base, action)?;
    if let Some(own) = own {
        for (name, field) in own.fields {
            definition.connection.entry(name).or_insert(field);
        }
        schemas.change(format!("It has its own server {}.", line(&own.base, 100)));
    }
    Ok((module, key, size))
}
