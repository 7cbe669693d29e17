//! The rules of a definition that types cannot say.

mod actions;
mod auth;
mod bounds;
mod defaults;
mod examples;
mod schema;
pub(crate) mod text;

pub(crate) use text::{is_hidden, is_variable};

use crate::definition::{AuthKind, Definition, Field, Kind, Template};
use indexmap::IndexMap;
use quaymaster_yaml::{Finding, Problem, Report, Spot};
use std::collections::BTreeSet;

/// The longest summary, in characters: all connectors together are one handshake.
pub const LONGEST_SUMMARY: usize = 34;

/// What is wrong with a definition, without files and lines; [`load`](crate::load::load) adds them.
pub fn lint(definition: &Definition) -> Vec<Problem> {
    findings(definition)
        .into_iter()
        .map(Finding::unplaced)
        .collect()
}

pub(crate) fn findings(definition: &Definition) -> Vec<Finding> {
    let mut report = Report::new(bounds::MOST_FINDINGS);
    let root = Spot::default();
    bounds::check(definition, &root, &mut report);
    if !report.found().is_empty() {
        // What is beyond these is not worth a look at the rest.
        return report.into_found();
    }
    head(definition, &root, &mut report);
    addresses(definition, &root, &mut report);
    fields(&definition.connection, &root.key("connection"), &mut report);
    for (name, field) in &definition.connection {
        if field.secret {
            let at = root.key("connection").key(name).key("secret");
            report.say(&at, "Fields of `connection` are shown to people. Put secrets into the `fields` of `auth`.");
        }
    }
    auth::check(definition, &root, &mut report);
    environment(definition, &root, &mut report);
    defaults::check(definition, &root, &mut report);
    enums(definition, &root, &mut report);
    actions::check(definition, &root, &mut report);
    examples::check(definition, &root, &mut report);
    text::clean(definition, &mut report);
    report.into_found()
}

fn head(definition: &Definition, root: &Spot, report: &mut Report) {
    report.unless(
        definition.quaymaster == 1,
        &root.key("quaymaster"),
        "This program reads version 1 of the format: write `quaymaster: 1`.",
    );
    report.unless(
        text::is_key(&definition.key, 63),
        &root.key("key"),
        format!(
            "{:?} is no key: a small letter, then small letters, digits and `_`, at most 63.",
            definition.key
        ),
    );
    report.unless(
        (1..=32).contains(&definition.version.len()),
        &root.key("version"),
        "The version has 1 to 32 characters, for example \"1.0.0\".",
    );
    text::one_line(&definition.title, 60, &root.key("title"), report);
    text::one_line(
        &definition.summary,
        LONGEST_SUMMARY,
        &root.key("summary"),
        report,
    );
    if let Some(from) = &definition.imported_from {
        text::one_line(from, 200, &root.key("imported_from"), report);
    }
    for (index, category) in definition.categories.iter().enumerate() {
        report.unless(
            text::is_category(category),
            &root.key("categories").item(index),
            format!("{category:?} is no category: small letters, digits and spaces, at most 32."),
        );
    }
    if let Some(url) = &definition.docs_url {
        report.unless(
            url.starts_with("https://") && url::Url::parse(url).is_ok(),
            &root.key("docs_url"),
            "It has to be the address of a page, with https:// in front.",
        );
    }
    let kind = definition.kind;
    let only = [
        ("rpc", definition.rpc.is_some(), Kind::Rpc),
        ("graphql", definition.graphql.is_some(), Kind::Graphql),
        ("mcp", definition.mcp.is_some(), Kind::Mcp),
        ("sql", definition.sql.is_some(), Kind::Sql),
    ];
    for (name, there, of) in only {
        report.unless(
            !there || kind == of,
            &root.key(name),
            format!("`{name}` is for `kind: {name}`; this connector's kind is another."),
        );
    }
    report.unless(
        kind != Kind::Rpc || definition.rpc.is_some(),
        &root.key("kind"),
        "`kind: rpc` needs the key `rpc`, at least `rpc: {envelope: jsonrpc2}`.",
    );
    database(definition, root, report);
    report.unless(
        !definition.open_methods || matches!(kind, Kind::Rpc | Kind::Mcp),
        &root.key("open_methods"),
        "It is for the kinds `rpc` and `mcp`; unlisted paths of others may always be called.",
    );
}

/// What an account of a database has.
fn database(definition: &Definition, root: &Spot, report: &mut Report) {
    if definition.kind != Kind::Sql {
        return;
    }
    let has = |field: &str| definition.connection.contains_key(field);
    let signs_in_by = |kind| definition.auth.iter().all(|auth| auth.kind == kind);
    let (good, needed) = if definition.is_file() {
        (
            has("workspace") && has("file") && signs_in_by(AuthKind::None),
            "`dialect: sqlite` needs the fields `workspace` and `file` in `connection`, and `none` as the way to sign in.",
        )
    } else {
        (
            has("database") && signs_in_by(AuthKind::Basic),
            "`kind: sql` needs the field `database` in `connection`, and `basic` as the way to sign in.",
        )
    };
    report.unless(good, &root.key("kind"), needed);
}

fn addresses(definition: &Definition, root: &Spot, report: &mut Report) {
    if definition.is_file() {
        return file_address(definition, root, report);
    }
    let known = address_names(definition);
    text::base_url(&definition.base_url, &known, &root.key("base_url"), report);
    for (name, module) in &definition.modules {
        if let Some(base) = &module.base_url {
            let at = root.key("modules").key(name).key("base_url");
            text::base_url(base, &known, &at, report);
        }
    }
    for (index, host) in definition.allow_hosts.iter().enumerate() {
        report.unless(
            text::is_host(host),
            &root.key("allow_hosts").item(index),
            format!("{host:?} is no host: write its name alone, in small letters, for example api.example.com."),
        );
    }
}

/// A file is at one address, and credentials go nowhere.
fn file_address(definition: &Definition, root: &Spot, report: &mut Report) {
    report.unless(
        definition.base_url.as_str() == "workspace://{workspace}/{file}",
        &root.key("base_url"),
        "A file of a workspace has `base_url: workspace://{workspace}/{file}`.",
    );
    for (name, module) in &definition.modules {
        report.unless(
            module.base_url.is_none(),
            &root.key("modules").key(name).key("base_url"),
            "A file of a workspace has one address.",
        );
    }
    report.unless(
        definition.allow_hosts.is_empty(),
        &root.key("allow_hosts"),
        "A file of a workspace has no hosts.",
    );
}

/// The names that addresses may hold: fields of `connection`, and what a token's answer tells.
fn address_names(definition: &Definition) -> BTreeSet<&str> {
    let told = definition
        .auth
        .iter()
        .filter_map(|auth| auth.oauth2.as_ref());
    let told = told.flat_map(|oauth2| oauth2.fields_from_token.keys());
    definition
        .connection
        .keys()
        .chain(told)
        .map(String::as_str)
        .collect()
}

/// Fields that a person types in.
fn fields(fields: &IndexMap<String, Field>, at: &Spot, report: &mut Report) {
    for (name, field) in fields {
        let at = at.key(name);
        report.unless(
            text::is_key(name, 40) && name != "access_token",
            &at,
            format!("{name:?} is no name of a field: a small letter, then small letters, digits and `_`; `access_token` is taken."),
        );
        let Some(pattern) = &field.pattern else {
            continue;
        };
        match whole(pattern) {
            Ok(pattern) => {
                for (key, value) in [("example", &field.example), ("default", &field.default)] {
                    report.unless(
                        value.as_deref().is_none_or(|value| pattern.is_match(value)),
                        &at.key(key),
                        "It does not fit the field's own `pattern`.",
                    );
                }
            }
            Err(error) => {
                let error = error.to_string();
                let last = error.lines().last().unwrap_or_default();
                report.say(
                    &at.key("pattern"),
                    format!("It is no regular expression: {last}"),
                );
            }
        }
    }
}

/// The regular expression of a field, for the whole of its value. Its size is bounded, and matching
/// is linear in time.
pub fn whole(pattern: &str) -> Result<regex::Regex, regex::Error> {
    regex::RegexBuilder::new(&format!("^(?:{pattern})$"))
        .size_limit(bounds::LARGEST_PATTERN)
        .build()
}

/// Says which names of a template nothing stands for.
fn names(template: &Template, known: &BTreeSet<&str>, at: &Spot, report: &mut Report) {
    for name in template.names().filter(|name| !known.contains(name)) {
        let known: Vec<&str> = known.iter().copied().collect();
        let message = if known.is_empty() {
            format!("Nothing stands for {{{name}}} here: there are no fields.")
        } else {
            format!(
                "Nothing stands for {{{name}}} here. There are: {}.",
                known.join(", ")
            )
        };
        report.say(at, message);
    }
}

fn environment(definition: &Definition, root: &Spot, report: &mut Report) {
    let mut known: BTreeSet<&str> = address_names(definition);
    for auth in &definition.auth {
        known.extend(auth::names(definition, auth));
    }
    for (field, variable) in &definition.env {
        let at = root.key("env").key(field);
        report.unless(
            known.contains(field.as_str()),
            &at,
            format!("There is no field {field:?}; `env` leads from fields to variables."),
        );
        report.unless(
            text::is_variable(variable),
            &at,
            format!("{variable:?} is no variable that a connector may set: capitals, digits and `_`, and none that programs read for themselves."),
        );
    }
    // Two ways to sign in may fill the same variable, one way may not fill it twice.
    for auth in &definition.auth {
        let mut taken = BTreeSet::new();
        let own = auth::names(definition, auth);
        for (field, variable) in definition
            .env
            .iter()
            .filter(|(field, _)| own.contains(field.as_str()))
        {
            let at = root.key("env").key(field);
            report.unless(
                taken.insert(variable),
                &at,
                format!("{variable} is set twice."),
            );
        }
    }
}

fn enums(definition: &Definition, root: &Spot, report: &mut Report) {
    let used = schema::used(definition, crate::params::ENUM);
    for (name, choices) in &definition.enums {
        let at = root.key("enums").key(name);
        report.unless(!choices.is_empty(), &at, "An enum has at least one value.");
        let mut seen = BTreeSet::new();
        for (index, choice) in choices.iter().enumerate() {
            report.unless(
                seen.insert(choice.value.to_string()),
                &at.item(index),
                format!("The value {} stands here twice.", choice.value),
            );
        }
        report.unless(
            used.contains(name.as_str()),
            &at,
            format!("No parameter has `$enum: {name}`."),
        );
    }
}
