//! Flows of OAuth 2, and which of their scopes to ask for.

use crate::definition::{ClientAuth, Grant, OAuth2, Pkce, Refresh, Scopes, Template, TokenFormat};
use crate::import::openapi::Found;
use crate::import::refs::Spot;
use crate::import::schema::Dialect;
use crate::import::words::line;
use indexmap::{IndexMap, IndexSet};

/// Without a word about what operations need, so many scopes are asked for.
const FEW_SCOPES: usize = 10;

/// A flow with its addresses.
struct Flow {
    grant: Grant,
    authorize: Option<Template>,
    token: Template,
    device: Option<Template>,
}

/// The authorization servers of a scheme; flows with the same token address are one.
pub(super) fn flows(
    name: &str,
    spot: Spot<'_>,
    dialect: Dialect,
    root: Spot<'_>,
    operations: &[Found<'_>],
    base: &str,
    notes: &mut Vec<String>,
) -> Result<Vec<OAuth2>, String> {
    let mut all: Vec<(&str, Spot<'_>)> = spot.named("flows").collect();
    if dialect == Dialect::V2 {
        all = vec![(spot.text("flow").unwrap_or_default(), spot)];
    }
    let mut made: Vec<OAuth2> = Vec::new();
    let mut declared: IndexSet<&str> = IndexSet::new();
    let mut why = None;
    for (kind, flow) in all {
        match read(kind, flow, base) {
            Ok(read) => {
                declared.extend(flow.named("scopes").map(|(name, _)| name));
                add(&mut made, read);
            }
            Err(reason) => {
                let reason = format!("its flow {:?}: {reason}", line(kind, 40));
                notes.push(format!("{:?}, {reason}.", line(name, 60)));
                why = Some(reason);
            }
        }
    }
    if made.is_empty() {
        return Err(why.unwrap_or_else(|| "it has no flows".to_owned()));
    }
    let scopes = needed(name, root, operations, &declared);
    if !scopes.is_empty() {
        notes.push(format!(
            "Signing in with {:?} asks for: {}.",
            line(name, 60),
            line(&scopes.join(", "), 600)
        ));
    }
    for oauth2 in &mut made {
        oauth2.scopes.default.clone_from(&scopes);
    }
    Ok(made)
}

fn read(kind: &str, flow: Spot<'_>, base: &str) -> Result<Flow, String> {
    let grant = match kind {
        "authorizationCode" | "accessCode" => Grant::AuthorizationCode,
        "clientCredentials" | "application" => Grant::ClientCredentials,
        "deviceAuthorization" => Grant::DeviceCode,
        "implicit" => {
            return Err(
                "tokens in addresses are no longer used; the format has no such grant".to_owned(),
            );
        }
        "password" => {
            return Err("passwords are not passed on; the format has no such grant".to_owned());
        }
        _ => return Err("it is unknown".to_owned()),
    };
    let url = |word: &str| address(flow.text(word), base);
    let authorize = match grant {
        Grant::AuthorizationCode => Some(url("authorizationUrl")?),
        _ => None,
    };
    let device = match grant {
        Grant::DeviceCode => Some(url("deviceAuthorizationUrl")?),
        _ => None,
    };
    Ok(Flow {
        grant,
        authorize,
        token: url("tokenUrl")?,
        device,
    })
}

/// An address of https; a relative one stands behind the origin of the API (RFC 3986 §5).
fn address(text: Option<&str>, base: &str) -> Result<Template, String> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    let text = text.ok_or("one of its addresses is missing")?;
    let whole = if text.starts_with('/') && !text.starts_with("//") {
        let end = base.find("://").map_or(0, |at| at + 3);
        let host = base[end..].find('/').map_or(base.len(), |at| end + at);
        format!("{}{text}", &base[..host])
    } else {
        text.to_owned()
    };
    let is_public = whole.starts_with("https://")
        && url::Url::parse(&whole).is_ok_and(|url| url.username().is_empty());
    if !is_public && !whole.starts_with("{url}/") {
        return Err(format!("its address {:?} is not https", line(text, 100)));
    }
    Template::parse(&whole).map_err(|error| error.to_string())
}

fn add(made: &mut Vec<OAuth2>, flow: Flow) {
    let same = made.iter_mut().find(|own| own.token_url == flow.token);
    let own = match same {
        Some(own) => own,
        None => {
            // Google gives a refresh token only to whom asks for it like that.
            let is_google = flow
                .authorize
                .as_ref()
                .is_some_and(|url| url.as_str().starts_with("https://accounts.google.com/"));
            let extra: &[(&str, &str)] = if is_google {
                &[("access_type", "offline"), ("prompt", "consent")]
            } else {
                &[]
            };
            let extra = extra
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
            made.push(OAuth2 {
                grants: Vec::new(),
                authorize_url: None,
                token_url: flow.token,
                device_url: None,
                revoke_url: None,
                issuer: None,
                pkce: Pkce::default(),
                client_auth: if is_google {
                    ClientAuth::Body
                } else {
                    ClientAuth::default()
                },
                scopes: Scopes::default(),
                authorize_params: extra.collect(),
                token_params: IndexMap::new(),
                token_format: TokenFormat::default(),
                refresh: Refresh::default(),
                fields_from_token: IndexMap::new(),
            });
            let Some(own) = made.last_mut() else { return };
            own
        }
    };
    if !own.grants.contains(&flow.grant) {
        own.grants.push(flow.grant);
    }
    own.authorize_url = own.authorize_url.take().or(flow.authorize);
    own.device_url = own.device_url.take().or(flow.device);
}

/// The fewest scopes with which every operation can be called. Where several do, the one that is
/// named like the API is taken, not one that opens a neighbour as well.
fn needed(
    name: &str,
    root: Spot<'_>,
    operations: &[Found<'_>],
    declared: &IndexSet<&str>,
) -> Vec<String> {
    let mut wanted: Vec<Vec<Vec<&str>>> = Vec::new();
    for found in operations.iter().take(5_000) {
        let own = found.spot.get("security").map(|_| found.spot);
        let choices: Vec<Vec<&str>> = own
            .unwrap_or(root)
            .items("security")
            .take(40)
            .filter_map(|requirement| requirement.get(name))
            .map(|scopes| {
                scopes
                    .node
                    .list()
                    .iter()
                    .filter_map(|one| one.text())
                    .take(40)
                    .collect()
            })
            .collect();
        if !choices.is_empty() && choices.iter().all(|choice| !choice.is_empty()) {
            wanted.push(choices);
        }
    }
    if wanted.is_empty() {
        let few = declared.len() <= FEW_SCOPES;
        return declared
            .iter()
            .filter(|_| few)
            .map(|one| (*one).to_owned())
            .collect();
    }
    let title = root
        .get("info")
        .and_then(|info| info.text("title"))
        .unwrap_or_default();
    let title: Vec<String> = title
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() > 3)
        .map(str::to_ascii_lowercase)
        .collect();
    let mut chosen: IndexSet<&str> = IndexSet::new();
    for _ in 0..100 {
        wanted.retain(|choices| {
            !choices
                .iter()
                .any(|choice| choice.iter().all(|one| chosen.contains(one)))
        });
        let mut counts: IndexMap<&[&str], usize> = IndexMap::new();
        for choice in wanted.iter().flatten() {
            *counts.entry(choice).or_default() += 1;
        }
        let related = |choice: &[&str]| {
            let last = choice
                .first()
                .and_then(|one| one.rsplit('/').next())
                .unwrap_or_default();
            title.iter().any(|word| last.contains(word.as_str()))
        };
        let mut best: Option<(&[&str], (usize, bool))> = None;
        for (choice, count) in counts {
            let rank = (count, related(choice));
            if best.is_none_or(|(_, before)| rank > before) {
                best = Some((choice, rank));
            }
        }
        match best {
            Some((choice, _)) => chosen.extend(choice.iter().copied()),
            None => break,
        }
    }
    chosen.into_iter().map(str::to_owned).collect()
}
