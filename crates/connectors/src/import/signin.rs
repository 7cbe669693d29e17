//! Ways to sign in, from security schemes and from what operations ask for.

mod oauth;

use super::openapi::Found;
use super::refs::Spot;
use super::schema::Dialect;
use super::words::{key, line, snake, spoken};
use crate::definition::{Auth, AuthKind, Field, Inject, OAuth2, Template};
use indexmap::{IndexMap, IndexSet};

/// More ways are none that a person could choose from.
const MOST_WAYS: usize = 24;

/// What one scheme puts into a request.
enum Scheme {
    Key { part: Part, name: String },
    Basic,
    Bearer,
    OAuth(Vec<OAuth2>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Header,
    Query,
    Cookie,
}

/// Schemes that are used together.
type Set = Vec<String>;

/// The ways to sign in of a document, at least `none`.
pub(super) fn ways(
    root: Spot<'_>,
    dialect: Dialect,
    operations: &[Found<'_>],
    base: &str,
    connection: &IndexMap<String, Field>,
    notes: &mut Vec<String>,
) -> Vec<Auth> {
    let mut schemes: IndexMap<String, (Scheme, Option<String>)> = IndexMap::new();
    let all: Vec<(&str, Spot<'_>)> = match dialect {
        Dialect::V2 => root.named("securityDefinitions").collect(),
        _ => root
            .get("components")
            .into_iter()
            .flat_map(|components| components.named("securitySchemes"))
            .collect(),
    };
    for (name, spot) in all.into_iter().take(200) {
        let read = spot.resolved().and_then(|spot| {
            scheme(name, spot, dialect, root, operations, base, notes).map(|read| (read, spot))
        });
        match read {
            Ok((read, spot)) => {
                let help = spot.text("description").map(|text| line(text, 300));
                schemes.insert(
                    name.to_owned(),
                    (read, help.filter(|text| !text.is_empty())),
                );
            }
            Err(why) => notes.push(format!(
                "The way to sign in {:?} is left out: {why}.",
                line(name, 60)
            )),
        }
    }
    let mut sets: IndexSet<Set> = IndexSet::new();
    let mut open = false;
    let asked = root.items("security").chain(
        operations
            .iter()
            .take(5_000)
            .flat_map(|found| found.spot.items("security")),
    );
    for requirement in asked {
        let mut set: Set = requirement
            .members()
            .map(|(name, _)| name.to_owned())
            .collect();
        if set.is_empty() {
            open = true;
            continue;
        }
        if set.iter().all(|name| schemes.contains_key(name)) {
            set.sort();
            sets.insert(set);
        }
    }
    for name in schemes.keys() {
        if !sets.iter().any(|set| set.contains(name)) {
            sets.insert(vec![name.clone()]);
        }
    }
    if sets.len() > MOST_WAYS {
        notes.push(format!(
            "Of {} ways to sign in the first {MOST_WAYS} are taken.",
            sets.len()
        ));
    }
    let mut made: Vec<Auth> = Vec::new();
    for set in sets.iter().take(MOST_WAYS) {
        match together(set, &schemes, connection) {
            Ok(ways) => {
                for mut way in ways {
                    let wanted = way.key.clone();
                    let taken = |key: &str| made.iter().any(|own: &Auth| own.key == key);
                    let mut count = 2;
                    while taken(&way.key) {
                        way.key = format!("{wanted}_{count}");
                        count += 1;
                    }
                    made.push(way);
                }
            }
            Err(why) => notes.push(format!(
                "The way to sign in {:?} is left out: {why}.",
                set.join(" and ")
            )),
        }
    }
    if made.is_empty() || open {
        if made.is_empty() && !schemes.is_empty() {
            notes.push(
                "No way to sign in could be imported; calls go out without credentials.".to_owned(),
            );
        }
        made.push(way("none", AuthKind::None, None));
    }
    made
}

fn way(key: &str, kind: AuthKind, help: Option<String>) -> Auth {
    Auth {
        key: key.to_owned(),
        kind,
        title: None,
        fields: IndexMap::new(),
        inject: Inject::default(),
        oauth2: None,
        help,
    }
}

fn scheme(
    name: &str,
    spot: Spot<'_>,
    dialect: Dialect,
    root: Spot<'_>,
    operations: &[Found<'_>],
    base: &str,
    notes: &mut Vec<String>,
) -> Result<Scheme, String> {
    match spot.text("type").unwrap_or_default() {
        "basic" if dialect == Dialect::V2 => Ok(Scheme::Basic),
        "http" => match spot.text("scheme").unwrap_or_default() {
            word if word.eq_ignore_ascii_case("basic") => Ok(Scheme::Basic),
            word if word.eq_ignore_ascii_case("bearer") => Ok(Scheme::Bearer),
            other => Err(format!(
                "HTTP's scheme {:?} is not among those that the format can say",
                line(other, 40)
            )),
        },
        "apiKey" => {
            let place = spot.text("in").unwrap_or_default();
            let part = match place {
                "header" => Part::Header,
                "query" => Part::Query,
                "cookie" => Part::Cookie,
                other => return Err(format!("{:?} is no place of a key", line(other, 40))),
            };
            let name = spot.text("name").filter(|name| !name.is_empty());
            let name = name.ok_or("it does not say the key's name")?;
            Ok(Scheme::Key {
                part,
                name: name.to_owned(),
            })
        }
        "oauth2" => {
            oauth::flows(name, spot, dialect, root, operations, base, notes).map(Scheme::OAuth)
        }
        "openIdConnect" => Err(format!(
            "OpenID Connect is found by asking {}, and nothing is fetched; write its `oauth2` by hand",
            line(spot.text("openIdConnectUrl").unwrap_or("the service"), 120)
        )),
        "mutualTLS" => {
            Err("certificates of clients are not among those that the format can say".to_owned())
        }
        other => Err(format!("its type {:?} is unknown", line(other, 40))),
    }
}

/// One way for schemes that are used together; several when OAuth has several servers.
fn together(
    set: &[String],
    schemes: &IndexMap<String, (Scheme, Option<String>)>,
    connection: &IndexMap<String, Field>,
) -> Result<Vec<Auth>, String> {
    let mut base = way(&auth_key(&set.join("_")), AuthKind::ApiKey, None);
    let titles: Vec<String> = set.iter().map(|name| title_of(name)).collect();
    base.title = Some(line(&titles.join(" and "), 60));
    let mut servers: &[OAuth2] = &[];
    let mut basic = false;
    for name in set {
        let Some((scheme, help)) = schemes.get(name) else {
            continue;
        };
        if base.help.is_none() {
            base.help.clone_from(help);
        }
        match scheme {
            Scheme::Basic => basic = true,
            Scheme::OAuth(_) if !servers.is_empty() => {
                return Err("two authorization servers at once are not possible".to_owned());
            }
            Scheme::OAuth(all) => servers = all,
            Scheme::Bearer => {
                let field = field(
                    &mut base,
                    connection,
                    if set.len() == 1 { "token" } else { name },
                    "Token",
                );
                put(
                    &mut base.inject.header,
                    "authorization",
                    &format!("Bearer {{{field}}}"),
                )?;
            }
            Scheme::Key { part, name: wire } => {
                let wanted = match (set.len(), wire.to_ascii_lowercase().contains("token")) {
                    (1, true) => "token",
                    (1, false) => "key",
                    _ => name,
                };
                let title = if *part == Part::Header && wire.eq_ignore_ascii_case("authorization") {
                    "Value of the header Authorization, with its prefix".to_owned()
                } else {
                    line(wire, 60)
                };
                let field = field(&mut base, connection, wanted, &title);
                let value = format!("{{{field}}}");
                match part {
                    Part::Header => {
                        put(&mut base.inject.header, &wire.to_ascii_lowercase(), &value)?;
                    }
                    Part::Query => put(&mut base.inject.query, wire, &value)?,
                    Part::Cookie
                        if wire
                            .bytes()
                            .all(|byte| byte.is_ascii_graphic() && !b";=,\"{}".contains(&byte)) =>
                    {
                        put(
                            &mut base.inject.header,
                            "cookie",
                            &format!("{wire}={value}"),
                        )?;
                    }
                    Part::Cookie => return Err("its cookie's name is none".to_owned()),
                }
            }
        }
    }
    let has_authorization = base.inject.header.contains_key("authorization");
    if has_authorization && (basic || !servers.is_empty()) {
        return Err("two of its parts need the header Authorization".to_owned());
    }
    if basic && !servers.is_empty() {
        return Err("a password and OAuth at once are not possible".to_owned());
    }
    if basic {
        base.kind = AuthKind::Basic;
        if !base.fields.is_empty() {
            base.fields.insert(
                "username".to_owned(),
                Field {
                    title: Some("User name".to_owned()),
                    ..Field::default()
                },
            );
            base.fields.insert(
                "password".to_owned(),
                Field {
                    title: Some("Password".to_owned()),
                    secret: true,
                    ..Field::default()
                },
            );
        }
    }
    if servers.is_empty() {
        return Ok(vec![base]);
    }
    if !base.fields.is_empty() {
        put(
            &mut base.inject.header,
            "authorization",
            "Bearer {access_token}",
        )?;
    }
    let ways = servers.iter().map(|oauth2| Auth {
        kind: AuthKind::Oauth2,
        oauth2: Some(oauth2.clone()),
        ..base.clone()
    });
    Ok(ways.collect())
}

/// A scheme's name for people.
fn title_of(name: &str) -> String {
    match snake(name).replace('_', "").as_str() {
        "oauth2" | "oauth" => "OAuth 2".to_owned(),
        "apikey" | "apikeyauth" | "key" => "API key".to_owned(),
        "basic" | "basicauth" => "User name and password".to_owned(),
        "bearer" | "bearerauth" | "token" | "tokenauth" => "Token".to_owned(),
        _ => spoken(name),
    }
}

fn auth_key(name: &str) -> String {
    let made = key(name, 36);
    if made.starts_with(|c: char| c.is_ascii_lowercase()) {
        made
    } else {
        format!("key_{made}")
    }
}

/// Adds a secret field, under a name that nothing else has.
fn field(
    way: &mut Auth,
    connection: &IndexMap<String, Field>,
    wanted: &str,
    title: &str,
) -> String {
    let mut name = key(wanted, 32);
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || name == "access_token" {
        name = format!("key_{name}");
    }
    while connection.contains_key(&name) || way.fields.contains_key(&name) {
        name.push_str("_2");
    }
    let title = Some(title.to_owned()).filter(|title| !title.is_empty());
    way.fields.insert(
        name.clone(),
        Field {
            title,
            secret: true,
            ..Field::default()
        },
    );
    name
}

fn put(map: &mut IndexMap<String, Template>, name: &str, value: &str) -> Result<(), String> {
    let template = Template::parse(value).map_err(|error| error.to_string())?;
    match map.insert(name.to_owned(), template) {
        None => Ok(()),
        Some(_) => Err(format!("two of its parts need {name}")),
    }
}

/// Variables of the sandbox for what is secret.
pub(super) fn environment(key: &str, ways: &[Auth]) -> IndexMap<String, String> {
    let mut made = IndexMap::new();
    for way in ways {
        let secret = way.fields.iter().filter(|(_, field)| field.secret);
        let secret = secret.map(|(name, _)| name.as_str());
        let token = way.oauth2.as_ref().map(|_| "access_token");
        for name in secret.chain(token) {
            let variable = format!(
                "{}_{}",
                key.to_ascii_uppercase(),
                snake(name).to_ascii_uppercase()
            );
            if crate::lint::is_variable(&variable) {
                made.insert(name.to_owned(), variable);
            }
        }
    }
    made
}
