//! Connections as programs of developers make them: by a type of credential and an id of their own,
//! and found again by that id.

use crate::App;
use crate::actor::Actor;
use crate::connections::{Connection, Fields};
use crate::connectors::{Auth, AuthKind, Definition};
use crate::integrations::{connector_key, no_such_way};
use quaymaster_connectors::oauth::{Tokens, tokens_of};
use quaymaster_core::id::{EndUserId, WorkspaceId};
use quaymaster_core::{Code, Fault};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// A credential by its type.
pub enum Credentials {
    /// One secret.
    Secret(String),
    Basic {
        username: String,
        password: String,
    },
    /// Nothing but fields.
    Custom,
    /// What a token endpoint gave the developer's own app: `access_token` and more, as RFC 6749 §5.1 has
    /// it.
    Tokens(Map<String, Value>),
}

/// A way to sign in, with what an account has of it.
pub struct Given {
    /// Its key.
    pub auth: String,
    pub fields: Fields,
    pub tokens: Option<Tokens>,
}

impl Credentials {
    const fn kinds(&self) -> &'static [AuthKind] {
        match self {
            Credentials::Secret(_) => &[AuthKind::ApiKey],
            Credentials::Basic { .. } => &[AuthKind::Basic],
            Credentials::Custom => &[AuthKind::ApiKey, AuthKind::Basic, AuthKind::None],
            Credentials::Tokens(_) => &[AuthKind::Oauth2],
        }
    }
}

/// Which connection somebody means.
#[derive(Debug, Clone, Default)]
pub struct Sought {
    pub connector: String,
    pub external_id: Option<String>,
    pub auth: Option<String>,
    pub end_user: Option<EndUserId>,
}

impl App {
    /// The way to sign in that a type of credential means, and its fields by name. `more` are those that are not
    /// in the credential itself, as the address of a server.
    pub async fn fields_of(
        &self,
        actor: &Actor,
        connector: &str,
        auth: Option<&str>,
        credentials: Credentials,
        more: Map<String, Value>,
    ) -> Result<Given, Fault> {
        let definition = self.definition(&actor.org, connector).await?;
        let way = way_for(&definition, auth, &credentials)?;
        let mut tokens = None;
        let mut fields: BTreeMap<String, String> =
            more.into_iter().map(text_of).collect::<Result<_, _>>()?;
        match credentials {
            Credentials::Secret(secret) => {
                let mut secrets = way.fields.iter().filter(|(_, field)| field.secret);
                let name = secrets.next().map(|(name, _)| name.clone());
                let name = name.ok_or_else(|| wrong_type(&definition, way))?;
                fields.insert(name, secret);
            }
            Credentials::Basic { username, password } => fields.extend([
                ("username".to_owned(), username),
                ("password".to_owned(), password),
            ]),
            Credentials::Custom => {}
            Credentials::Tokens(answer) => {
                let oauth2 = way.oauth2.as_ref();
                let oauth2 = oauth2.ok_or_else(|| wrong_type(&definition, way))?;
                let found = tokens_of(&answer, oauth2).ok_or_else(|| {
                    let message = "The access token is empty, too long, or no text of a header.";
                    Fault::invalid_arg("/accessToken", "pattern", message)
                })?;
                tokens = Some(found);
            }
        }
        Ok(Given {
            auth: way.key.clone(),
            fields: Fields(fields),
            tokens,
        })
    }

    /// The connection that a call in a workspace would use: the newest that fits.
    pub async fn resolve_connection(
        &self,
        actor: &Actor,
        workspace: &WorkspaceId,
        sought: &Sought,
    ) -> Result<Connection, Fault> {
        let connector = connector_key(&sought.connector);
        self.definition(&actor.org, &connector).await?;
        let fits = |connection: &&Connection| {
            let of = connection.workspace.as_ref();
            let external = sought.external_id.as_deref();
            connection.connector == connector
                && of.is_none_or(|of| of == workspace)
                && actor.reaches(of)
                && external.is_none_or(|id| {
                    connection.external_id.as_deref() == Some(id) || connection.name == id
                })
                && sought
                    .auth
                    .as_ref()
                    .is_none_or(|auth| *auth == connection.auth)
        };
        let of_person = match &sought.end_user {
            Some(end_user) => self.store.connections(&actor.org, Some(end_user)).await?,
            None => Vec::new(),
        };
        let shared = self.store.connections(&actor.org, None).await?;
        let newest = |all: &[Connection]| {
            all.iter()
                .filter(fits)
                .max_by_key(|one| one.created_at)
                .cloned()
        };
        newest(&of_person)
            .or_else(|| newest(&shared))
            .ok_or_else(|| {
                Fault::new(
                    Code::UnknownInstance,
                    format!("No connection of {connector} fits."),
                )
                .hint("GET /api/v1/connections lists them.")
            })
    }
}

fn way_for<'a>(
    definition: &'a Definition,
    auth: Option<&str>,
    credentials: &Credentials,
) -> Result<&'a Auth, Fault> {
    let kinds = credentials.kinds();
    let mut ways = definition.auth.iter();
    let found = match auth {
        Some(key) => ways.find(|way| way.key == key),
        None => ways.find(|way| kinds.contains(&way.kind)),
    };
    let way = found.ok_or_else(|| no_such_way(definition))?;
    if kinds.contains(&way.kind) {
        Ok(way)
    } else {
        Err(wrong_type(definition, way))
    }
}

fn wrong_type(definition: &Definition, way: &Auth) -> Fault {
    Fault::invalid_arg(
        "/type",
        "const",
        format!(
            "{} takes another type of credential for {}.",
            definition.title, way.key
        ),
    )
    .hint("GET /api/v1/integrations?name=… tells the type of each way to sign in.")
}

fn text_of((name, value): (String, Value)) -> Result<(String, String), Fault> {
    match value {
        Value::String(text) => Ok((name, text)),
        Value::Number(number) => Ok((name, number.to_string())),
        Value::Bool(flag) => Ok((name, flag.to_string())),
        _ => Err(Fault::invalid_arg(
            &format!("/props/{name}"),
            "type",
            "A field of a credential is a text.",
        )),
    }
}
