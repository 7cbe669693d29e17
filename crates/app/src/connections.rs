//! Connected accounts: made, verified, renamed, given new credentials, taken away.
//!
//! Secrets are sealed when they come in and opened only to sign requests; no answer has them.

use crate::actor::{Actor, Admin};
use crate::admit::fresh;
use crate::discovery::ToolsMark;
use crate::invoke::Target;
use crate::{App, wired};
use quaymaster_connectors::definition::{Auth, AuthKind, Definition, Field, Kind};
use quaymaster_connectors::request::{Account, Invocation};
use quaymaster_connectors::send::Data;
use quaymaster_core::id::{ConnectionId, OrgId, WorkspaceId};
use quaymaster_core::suggest::did_you_mean;
use quaymaster_core::{Code, Fault};
pub use quaymaster_store::connection::Connection;
use quaymaster_store::connection::{ConnectionChange, Secrets};
use regex::Regex;
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An account with what signs its requests.
pub(crate) struct Connected {
    pub(crate) connection: Connection,
    pub(crate) account: Account,
    /// What was found at its server, if that is an MCP server.
    pub(crate) tools: Option<ToolsMark>,
}

/// What a new connection shall be.
#[derive(Debug, Clone, Default)]
pub struct NewConnection {
    pub connector: String,
    /// How agents name it; without one `main`, or the first free `main-2`, `main-3`.
    pub name: Option<String>,
    /// The way to sign in; without one the connector's only or first one.
    pub auth: Option<String>,
    /// What the definition asks for, by name.
    pub fields: Fields,
    /// Only for this workspace.
    pub workspace: Option<WorkspaceId>,
    /// It is inside the network, and shall be reached there.
    pub is_local: bool,
}

/// Values that a person typed in. `Debug` shows their names.
#[derive(Clone, Default)]
pub struct Fields(pub BTreeMap<String, String>);

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Agents write it behind a colon: `github:work`.
fn checked_account(name: &str) -> Result<String, Fault> {
    let plain = |byte: u8| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
    };
    if name.is_empty() || name.len() > 40 || !name.bytes().all(plain) {
        return Err(Fault::invalid_arg(
            "/name",
            "pattern",
            "An account's name has 1 to 40 of a-z, 0-9, - and _.",
        ));
    }
    Ok(name.to_owned())
}

impl Connected {
    pub(crate) fn target(&self) -> Target<'_> {
        Target {
            connector: &self.connection.connector,
            name: &self.connection.name,
            id: self.connection.id.as_str(),
            account: &self.account,
            tools: self.tools.as_ref(),
        }
    }
}

impl App {
    /// The organization's connections, by connector and name.
    pub async fn connections(&self, actor: &Actor) -> Result<Vec<Connection>, Fault> {
        Ok(self.store.connections(&actor.org).await?)
    }

    pub async fn connection(&self, actor: &Actor, id: &ConnectionId) -> Result<Connection, Fault> {
        let found = self.store.connection(&actor.org, id).await?;
        found.ok_or_else(unknown)
    }

    /// Connects an account and tries it. One that does not work is kept and says why.
    pub async fn connect_account(
        &self,
        admin: &Admin,
        new: NewConnection,
    ) -> Result<Connection, Fault> {
        let definition = self.definition(&new.connector)?;
        let auth = auth_of(&definition, new.auth.as_deref())?;
        if let Some(workspace) = &new.workspace {
            self.believed_workspace(&admin.org, workspace).await?;
        }
        if new.is_local && definition.base_url.names().next().is_none() {
            return Err(Fault::invalid_arg(
                "/is_local",
                "const",
                format!(
                    "{} is on the internet, not inside your network.",
                    definition.title
                ),
            ));
        }
        let (fields, secrets) = sorted(&definition, auth, &new.fields)?;
        let known = self.store.connections(&admin.org).await?;
        let name = match &new.name {
            Some(name) => checked_account(name)?,
            None => free_name(&known, &new.connector),
        };
        let connection = Connection {
            id: ConnectionId::fresh(&*self.clock, &*self.entropy),
            org: admin.org.clone(),
            workspace: new.workspace,
            connector: new.connector,
            name,
            label: None,
            auth: auth.key.clone(),
            fields,
            is_local: new.is_local,
            problem: None,
            user: admin.user.clone(),
            created_at: self.now(),
            verified_at: None,
        };
        let org = admin.org.as_str();
        self.store.prepare_sealing(self.now(), org).await?;
        let sealed = self
            .store
            .seal_connection(&admin.org, &connection.id, &secrets)?;
        let mut tx = self.store.begin().await?;
        tx.add_connection(&connection, sealed)
            .await
            .map_err(|error| {
                wired::duplicate_or(error, || {
                    Fault::new(
                        Code::AlreadyExists,
                        format!(
                            "An account of that connector is called {:?} already.",
                            connection.name
                        ),
                    )
                    .hint("Choose another name, or rename the other one.")
                })
            })?;
        let details = json!({
            "connection": connection.id,
            "connector": connection.connector,
            "name": connection.name,
            "local": connection.is_local,
        });
        let event = self.event(&admin.org, &admin.label, "connection.created", details);
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        self.verify_connection(admin, &connection.id).await
    }

    /// Tries an account with the connector's own request for that, and remembers what came of it.
    pub async fn verify_connection(
        &self,
        admin: &Admin,
        id: &ConnectionId,
    ) -> Result<Connection, Fault> {
        let connection = self.connection(admin, id).await?;
        let definition = self.definition(&connection.connector)?;
        if definition.kind == Kind::Mcp {
            let accounts = self.accounts(&admin.org).await?;
            let account = accounts.iter().find(|account| account.connection.id == *id);
            self.verify_upstream(admin, account.ok_or_else(unknown)?)
                .await?;
        } else if let Some(verify) = &definition.verify {
            let accounts = self.accounts(&admin.org).await?;
            let account = accounts.iter().find(|account| account.connection.id == *id);
            let account = account.ok_or_else(unknown)?;
            let call = Invocation {
                action: Some(verify.action.clone()),
                inputs: verify.with.clone(),
                ..Invocation::default()
            };
            let answer = self.invoke(account.target(), &call, 0).await;
            let label = answer.as_ref().ok().and_then(|answer| {
                let Data::Value(value) = &answer.data else {
                    return None;
                };
                label_of(value.pointer(verify.label.as_deref()?)?)
            });
            let verified = match &answer {
                Ok(_) => Ok(label.as_deref()),
                Err(failure) => Err(failure.fault.message.as_str()),
            };
            let change = ConnectionChange {
                verified: Some(verified),
                ..ConnectionChange::default()
            };
            self.change_connection(admin, &connection, change, "connection.verified")
                .await?;
        }
        self.connection(admin, id).await
    }

    pub async fn rename_connection(
        &self,
        admin: &Admin,
        id: &ConnectionId,
        name: &str,
    ) -> Result<Connection, Fault> {
        let connection = self.connection(admin, id).await?;
        let name = checked_account(name)?;
        let change = ConnectionChange {
            name: Some(&name),
            ..ConnectionChange::default()
        };
        self.change_connection(admin, &connection, change, "connection.renamed")
            .await?;
        self.connection(admin, id).await
    }

    /// Gives an account new credentials and tries them.
    pub async fn replace_credentials(
        &self,
        admin: &Admin,
        id: &ConnectionId,
        fields: &Fields,
    ) -> Result<Connection, Fault> {
        let connection = self.connection(admin, id).await?;
        let definition = self.definition(&connection.connector)?;
        let auth = auth_of(&definition, Some(&connection.auth))?;
        let (fields, secrets) = sorted(&definition, auth, fields)?;
        let org = admin.org.as_str();
        self.store.prepare_sealing(self.now(), org).await?;
        let sealed = self.store.seal_connection(&admin.org, id, &secrets)?;
        let change = ConnectionChange {
            credentials: Some((&fields, sealed)),
            ..ConnectionChange::default()
        };
        self.change_connection(
            admin,
            &connection,
            change,
            "connection.credentials_replaced",
        )
        .await?;
        self.verify_connection(admin, id).await
    }

    pub async fn disconnect_account(&self, admin: &Admin, id: &ConnectionId) -> Result<(), Fault> {
        let connection = self.connection(admin, id).await?;
        let details = json!({
            "connection": connection.id,
            "connector": connection.connector,
            "name": connection.name,
        });
        let event = self.event(&admin.org, &admin.label, "connection.deleted", details);
        let mut tx = self.store.begin().await?;
        if !tx.delete_connection(&admin.org, id).await? {
            return Err(unknown());
        }
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        self.sender.end_session(id.as_str()).await;
        Ok(())
    }

    async fn change_connection(
        &self,
        admin: &Admin,
        connection: &Connection,
        change: ConnectionChange<'_>,
        action: &str,
    ) -> Result<(), Fault> {
        let details = json!({
            "connection": connection.id,
            "connector": connection.connector,
            "name": change.name.unwrap_or(&connection.name),
        });
        let event = self.event(&admin.org, &admin.label, action, details);
        let mut tx = self.store.begin().await?;
        let changed = tx
            .update_connection(&admin.org, &connection.id, change, self.now())
            .await
            .map_err(|error| {
                wired::duplicate_or(error, || {
                    Fault::new(
                        Code::AlreadyExists,
                        "An account of that connector has that name already.",
                    )
                })
            })?;
        if !changed {
            return Err(unknown());
        }
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        Ok(())
    }

    /// All accounts of an organization, ready to sign, believed for half a second.
    pub(crate) async fn accounts(&self, org: &OrgId) -> Result<Arc<[Connected]>, Fault> {
        if let Some(known) = fresh(&self.callers.accounts, org) {
            return Ok(known);
        }
        let before = self.callers.generation();
        let mut secrets = self.store.connection_secrets(org).await?;
        let mut tools = self.store.connection_tool_digests(org).await?;
        let accounts: Arc<[Connected]> = self
            .store
            .connections(org)
            .await?
            .into_iter()
            .map(|connection| {
                let plain = connection.fields.iter();
                let plain = plain.map(|(name, value)| (name.clone(), value.clone().into()));
                let mut fields: BTreeMap<String, SecretString> = plain.collect();
                fields.extend(secrets.remove(&connection.id).unwrap_or_default());
                let account = Account {
                    auth: connection.auth.clone(),
                    fields,
                    access_token: None,
                    local: connection.is_local,
                };
                let digest = tools.remove(&connection.id);
                let tools = digest.map(|digest| ToolsMark {
                    org: connection.org.clone(),
                    connection: connection.id.clone(),
                    digest,
                });
                Connected {
                    connection,
                    account,
                    tools,
                }
            })
            .collect();
        let map = &self.callers.accounts;
        self.callers
            .remember(map, before, org.clone(), accounts.clone());
        Ok(accounts)
    }
}

fn unknown() -> Fault {
    Fault::not_found("There is no such connection.")
}

/// What a service calls an account, in a line.
fn label_of(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let text: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
    (!text.is_empty()).then_some(text)
}

fn free_name(known: &[Connection], connector: &str) -> String {
    let taken = |name: &str| {
        known
            .iter()
            .any(|one| one.connector == connector && one.name == name)
    };
    let numbered = (2..).map(|n| format!("main-{n}"));
    let mut names = std::iter::once("main".to_owned()).chain(numbered);
    names.find(|name| !taken(name)).unwrap_or_default()
}

fn auth_of<'a>(definition: &'a Definition, key: Option<&str>) -> Result<&'a Auth, Fault> {
    let found = match key {
        Some(key) => definition.auth.iter().find(|auth| auth.key == key),
        None => definition.auth.first(),
    };
    let auth = found.ok_or_else(|| {
        let known: Vec<&str> = definition.auth.iter().map(|auth| &*auth.key).collect();
        Fault::invalid_arg(
            "/auth",
            "enum",
            format!("{} signs in by {}.", definition.title, known.join(" or ")),
        )
    })?;
    if auth.kind == AuthKind::Oauth2 {
        return Err(Fault::invalid_arg(
            "/auth",
            "enum",
            "Accounts that sign in by OAuth cannot be connected yet. Use a key or token.",
        ));
    }
    Ok(auth)
}

/// Checks what was typed in and parts what is secret from what is not.
fn sorted(
    definition: &Definition,
    auth: &Auth,
    given: &Fields,
) -> Result<(BTreeMap<String, String>, Secrets), Fault> {
    let basic = [("username", false), ("password", true)].map(|(name, secret)| {
        let field = Field {
            secret,
            ..Field::default()
        };
        (name, field)
    });
    let of_basic = basic
        .iter()
        .filter(|(name, _)| auth.kind == AuthKind::Basic && !auth.fields.contains_key(*name));
    let wanted: Vec<(&str, &Field)> = definition
        .connection
        .iter()
        .chain(&auth.fields)
        .map(|(name, field)| (name.as_str(), field))
        .chain(of_basic.map(|(name, field)| (*name, field)))
        .collect();
    if let Some(stray) = given
        .0
        .keys()
        .find(|name| !wanted.iter().any(|(known, _)| known == name))
    {
        let known = wanted.iter().map(|(name, _)| *name);
        let close = did_you_mean(stray, known.clone(), 1).pop();
        let hint = close.map_or_else(
            || format!("Known are {}.", known.collect::<Vec<_>>().join(", ")),
            |close| format!("Did you mean {close}?"),
        );
        return Err(Fault::invalid_arg(
            &format!("/fields/{stray}"),
            "additionalProperties",
            format!("{} has no field {stray:?}.", definition.title),
        )
        .hint(hint));
    }
    let (mut plain, mut secrets) = (BTreeMap::new(), Secrets::new());
    for (name, field) in wanted {
        let value = given.0.get(name).or(field.default.as_ref());
        let value = value
            .map(|value| value.trim())
            .filter(|value| !value.is_empty());
        let Some(value) = value else {
            if field.optional {
                continue;
            }
            return Err(Fault::invalid_arg(
                &format!("/fields/{name}"),
                "required",
                format!("{} is needed.", field.title.as_deref().unwrap_or(name)),
            ));
        };
        check_value(name, field, value)?;
        if field.secret {
            secrets.insert(name.to_owned(), value.to_owned().into());
        } else {
            plain.insert(name.to_owned(), value.to_owned());
        }
    }
    Ok((plain, secrets))
}

/// Never repeats the value, which may be secret.
fn check_value(name: &str, field: &Field, value: &str) -> Result<(), Fault> {
    let wrong = |rule: &str, why: &str| {
        let title = field.title.as_deref().unwrap_or(name);
        let fault = Fault::invalid_arg(&format!("/fields/{name}"), rule, format!("{title} {why}."));
        match &field.example {
            Some(example) => fault.hint(format!("It looks like {example}.")),
            None => fault,
        }
    };
    if value.len() > 8_192 || value.chars().any(char::is_control) {
        return Err(wrong(
            "length",
            "is too long or has characters that it cannot have",
        ));
    }
    let pattern = field.pattern.as_deref();
    let fits = pattern.is_none_or(|pattern| {
        Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|pattern| pattern.is_match(value))
    });
    if fits {
        Ok(())
    } else {
        Err(wrong("pattern", "does not look right"))
    }
}
