//! Connected accounts: made, verified, renamed, given new credentials, taken away.
//!
//! Secrets are sealed when they come in and opened only to sign requests; no answer has them.
//!
//! - `checks`: what somebody wants, before anything is stored
//! - `authorizing`, `device`, `completing`: accounts that sign in at the service by OAuth; `apps`: by
//!   whose app
//! - `lists`: some of many
//! - `tokens`: what OAuth brings; `renewal`: how it is kept good

mod accounts;
mod apps;
mod authorizing;
mod checks;
mod completing;
mod device;
mod lists;
mod renewal;
mod tokens;
mod verdict;

pub(crate) use accounts::Connected;
pub use apps::OAuthApp;
pub use authorizing::{Aim, Authorization, Device, Flow, Started};
pub use checks::Fields;
pub use completing::Callback;
pub(crate) use renewal::{Renewable, Renewals};
pub(crate) use tokens::{flows, is_of_client};
pub(crate) use verdict::said;

use crate::actor::{Actor, Admin};
use crate::{App, wired};
use authorizing::signs_in;
use checks::{
    Checked, auth_of, checked_account, free_name, is_typed, may_be_local, may_name_files, sorted,
    taken,
};
use quaymaster_connectors::definition::{Auth, Definition, Kind};
use quaymaster_connectors::oauth::Tokens;
use quaymaster_connectors::request::Invocation;
use quaymaster_core::id::{
    AuthorizationId, ConnectSessionId, ConnectionId, EndUserId, IntegrationId, OrgId, UserId,
    WorkspaceId,
};
use quaymaster_core::{Code, Fault, ManagementName};
pub use quaymaster_store::connection::Connection;
use quaymaster_store::connection::{ConnectionChange, Credentials, Secrets};
use serde_json::json;
use tokens::Life;

/// In whose name an account is connected. Whoever makes one has decided that they may.
#[derive(Debug, Clone)]
pub struct Author {
    pub(crate) org: OrgId,
    /// Whose the connection is.
    pub(crate) user: UserId,
    /// What events say of who it was.
    pub(crate) label: String,
    /// Whether the secret of the organization's app may go to where this one signs in.
    pub(crate) vouches: bool,
}

impl From<&Admin> for Author {
    fn from(admin: &Admin) -> Author {
        Author {
            vouches: admin.reach.is_whole(),
            ..Author::from(&**admin)
        }
    }
}

/// Somebody who was asked before whether they may.
impl From<&Actor> for Author {
    fn from(actor: &Actor) -> Author {
        Author {
            org: actor.org.clone(),
            user: actor.user.clone(),
            label: actor.label.clone(),
            vouches: false,
        }
    }
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
    /// What a sign-in elsewhere brought.
    pub tokens: Option<Tokens>,
    /// Only for this workspace.
    pub workspace: Option<WorkspaceId>,
    /// It is this person's: calls for nobody else reach it.
    pub end_user: Option<EndUserId>,
    /// The integration that it is connected for.
    pub integration: Option<IntegrationId>,
    /// What a developer calls it.
    pub external_id: Option<String>,
    /// For people.
    pub display_name: Option<String>,
    /// The connect session that it is made for.
    pub session: Option<ConnectSessionId>,
    /// It is inside the network, and shall be reached there.
    pub is_local: bool,
}

impl App {
    /// The organization's own connections, by connector and name; those of end users are not among
    /// them.
    pub async fn connections(&self, actor: &Actor) -> Result<Vec<Connection>, Fault> {
        let mut all = self.store.connections(&actor.org, None).await?;
        all.retain(|connection| actor.reaches(connection.workspace.as_ref()));
        Ok(all)
    }

    pub async fn connection(&self, actor: &Actor, id: &ConnectionId) -> Result<Connection, Fault> {
        let found = self.store.connection(&actor.org, id).await?;
        found
            .filter(|connection| actor.reaches(connection.workspace.as_ref()))
            .ok_or_else(unknown)
    }

    /// Connects an account and tries it. One that does not work is kept and says why.
    pub async fn connect_account(
        &self,
        admin: &Admin,
        mut new: NewConnection,
    ) -> Result<Connection, Fault> {
        admin.must_reach(new.workspace.as_ref())?;
        admin.may_reach_inside(new.is_local)?;
        self.must_reach_file(admin, &new.connector, &mut new.fields)
            .await?;
        let by = Author::from(admin);
        let made = self.make_connection(&by, new).await?;
        self.verify_as(&by, &made).await
    }

    /// Makes a connection whose credentials were typed in.
    pub(crate) async fn make_connection(
        &self,
        by: &Author,
        new: NewConnection,
    ) -> Result<ConnectionId, Fault> {
        let fits = match new.tokens {
            Some(_) => signs_in,
            None => is_typed,
        };
        let mut checked = self.checked_new(&by.org, &new, fits).await?;
        if is_of_client(checked.auth()?) {
            let grant = tokens::OF_CLIENT.into();
            checked.secrets.insert(tokens::GRANT.to_owned(), grant);
        }
        let life = match new.tokens.clone() {
            Some(tokens) => self.put_given(&by.org, &mut checked, tokens).await?,
            None => Life::default(),
        };
        let id = ConnectionId::fresh(&*self.clock, &*self.entropy);
        let name = self.name_for(&by.org, &new, &id).await?;
        let connection = Connection {
            id,
            org: by.org.clone(),
            workspace: checked.workspace,
            end_user: new.end_user,
            integration: new.integration,
            connector: new.connector,
            name,
            external_id: new.external_id,
            display_name: new.display_name,
            label: None,
            auth: checked.auth,
            fields: checked.fields,
            is_local: checked.is_local,
            destination: checked.destination,
            problem: None,
            user: by.user.clone(),
            created_at: self.now(),
            verified_at: None,
            expires_at: life.expires_at,
            renew_at: life.renew_at,
            revision: 1,
        };
        let id = connection.id.clone();
        self.add_connection(by, connection, &checked.secrets, None)
            .await?;
        self.changed().await;
        Ok(id)
    }

    /// How agents will name a new account. Nobody names an end user's, and there may be thousands.
    async fn name_for(
        &self,
        org: &OrgId,
        new: &NewConnection,
        id: &ConnectionId,
    ) -> Result<String, Fault> {
        if new.end_user.is_some() {
            return Ok(id.to_string());
        }
        self.checked_name(org, &new.connector, new.name.as_deref())
            .await
    }

    /// Checks what a new connection shall be, apart from its name; `fits` says whether its way to
    /// sign in is one for that.
    async fn checked_new(
        &self,
        org: &OrgId,
        new: &NewConnection,
        fits: fn(&Definition, &Auth) -> Result<(), Fault>,
    ) -> Result<Checked, Fault> {
        let usable = self.usable(org, &new.connector).await?;
        let definition = usable.definition().clone();
        let auth = auth_of(&definition, new.auth.as_deref())?;
        fits(&definition, auth)?;
        may_name_files(&definition, new)?;
        if let Some(workspace) = &new.workspace {
            self.believed_workspace(org, workspace).await?;
        }
        if new.is_local {
            may_be_local(&definition, auth)?;
        }
        let (fields, secrets) = sorted(&definition, auth, &new.fields)?;
        Ok(Checked {
            auth: auth.key.clone(),
            workspace: new.workspace.clone(),
            is_local: new.is_local,
            destination: usable.destination(&auth.key).map(str::to_owned),
            definition,
            fields,
            secrets,
        })
    }

    /// A name that no account of the connector has: the wanted one, or the first free one.
    async fn checked_name(
        &self,
        org: &OrgId,
        connector: &str,
        wanted: Option<&str>,
    ) -> Result<String, Fault> {
        let known = self.store.connections(org, None).await?;
        let Some(wanted) = wanted else {
            return Ok(free_name(&known, connector));
        };
        let name = checked_account(wanted)?;
        let mut same = known.iter().filter(|one| one.connector == connector);
        if same.any(|one| one.name == name) {
            return Err(taken(&name));
        }
        Ok(name)
    }

    /// Stores a connection; with it, that a sign-in led to it.
    async fn add_connection(
        &self,
        by: &Author,
        connection: Connection,
        secrets: &Secrets,
        authorization: Option<&AuthorizationId>,
    ) -> Result<(), Fault> {
        let org = by.org.as_str();
        self.store.prepare_sealing(self.now(), org).await?;
        let sealed = self
            .store
            .seal_connection(&by.org, &connection.id, secrets)?;
        let details = json!({
            "connection": connection.id,
            "connector": connection.connector,
            "name": connection.name,
            "local": connection.is_local,
        });
        let event = self.event(&by.org, &by.label, "connection.created", details);
        let mut tx = self.store.begin().await?;
        if connection.destination.is_some() {
            // It may be deleted or replaced at this moment.
            tx.lock_organization(&by.org).await?;
            let catalog = tx.definition_entries(&by.org).await?;
            if !catalog.iter().any(|(key, _)| *key == connection.connector) {
                return Err(crate::catalog::unknown(&connection.connector));
            }
        }
        let called = connection.external_id.as_ref().unwrap_or(&connection.name);
        tx.add_connection(&connection, sealed)
            .await
            .map_err(|error| wired::duplicate_or(error, || taken(called)))?;
        if let Some(authorization) = authorization {
            tx.end_authorization(authorization, Ok(&connection.id))
                .await?;
        }
        tx.record(&event).await?;
        tx.commit().await?;
        Ok(())
    }

    /// Tries an account with the connector's own request for that, and remembers what came of it. That of
    /// a member is tried by nobody else.
    pub async fn verify_connection(
        &self,
        admin: &Admin,
        id: &ConnectionId,
    ) -> Result<Connection, Fault> {
        let connection = self.connection(admin, id).await?;
        if let Some(end_user) = &connection.end_user {
            self.may_act_for(admin, end_user).await?;
        }
        self.verify_as(&Author::from(admin), id).await
    }

    pub(crate) async fn verify_as(
        &self,
        by: &Author,
        id: &ConnectionId,
    ) -> Result<Connection, Fault> {
        let connection = self.store.connection(&by.org, id).await?;
        let connection = connection.ok_or_else(unknown)?;
        let definition = self.definition(&by.org, &connection.connector).await?;
        let whose = connection.end_user.as_ref();
        let accounts = self.accounts(&by.org, whose).await?;
        let account = accounts.iter().find(|account| account.connection.id == *id);
        let account = account.ok_or_else(unknown)?;
        if definition.kind == Kind::Mcp {
            self.verify_upstream(by, account).await?;
            return self
                .store
                .connection(&by.org, id)
                .await?
                .ok_or_else(unknown);
        }
        let tried = match &definition.verify {
            Some(verify) => {
                let call = Invocation {
                    action: Some(verify.action.clone()),
                    inputs: verify.with.clone(),
                    ..Invocation::default()
                };
                let answer = self.sent(account.target(), &call, 0).await;
                Some(verdict::of(&definition, &connection.auth, verify, answer))
            }
            // There is no call to try it with; getting a token is something.
            None if account.renewable != Renewable::Not => {
                let held = self.with_good_token(account).await;
                Some(held.map(|_| None).map_err(|fault| verdict::said(&fault)))
            }
            None => None,
        };
        if let Some(tried) = tried {
            let verified = tried.as_ref().map(Option::as_deref);
            let change = ConnectionChange {
                verified: Some(verified.map_err(String::as_str)),
                ..ConnectionChange::default()
            };
            self.change_connection(by, &connection, change, "connection.verified")
                .await?;
        }
        self.store
            .connection(&by.org, id)
            .await?
            .ok_or_else(unknown)
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
        self.change_connection(&admin.into(), &connection, change, "connection.renamed")
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
        let mut fields = fields.clone();
        self.must_reach_file(admin, &connection.connector, &mut fields)
            .await?;
        let usable = self.usable(&admin.org, &connection.connector).await?;
        let definition = usable.definition().clone();
        let auth = auth_of(&definition, Some(&connection.auth))?;
        is_typed(&definition, auth)?;
        let (fields, mut secrets) = sorted(&definition, auth, &fields)?;
        if is_of_client(auth) {
            secrets.insert(tokens::GRANT.to_owned(), tokens::OF_CLIENT.into());
        }
        let org = admin.org.as_str();
        self.store.prepare_sealing(self.now(), org).await?;
        let sealed = self.store.seal_connection(&admin.org, id, &secrets)?;
        let change = ConnectionChange {
            credentials: Some(Credentials {
                fields: &fields,
                sealed,
                destination: usable.destination(&auth.key),
                expires_at: None,
                renew_at: None,
            }),
            ..ConnectionChange::default()
        };
        self.change_connection(
            &admin.into(),
            &connection,
            change,
            "connection.credentials_replaced",
        )
        .await?;
        self.sender.end_session(id.as_str()).await;
        self.verify_as(&admin.into(), id).await
    }

    pub async fn disconnect_account(&self, admin: &Admin, id: &ConnectionId) -> Result<(), Fault> {
        self.connection(admin, id).await?;
        self.disconnect(&admin.into(), id).await
    }

    pub(crate) async fn disconnect(&self, by: &Author, id: &ConnectionId) -> Result<(), Fault> {
        let found = self.store.connection_in_full(&by.org, id).await?;
        let (connection, secrets) = found.ok_or_else(unknown)?;
        let details = json!({
            "connection": connection.id,
            "connector": connection.connector,
            "name": connection.name,
        });
        let event = self.event(&by.org, &by.label, "connection.deleted", details);
        let mut tx = self.store.begin().await?;
        self.tools_of_servers_change(&mut tx, &connection, &by.label)
            .await?;
        if !tx.delete_connection(&by.org, id).await? {
            return Err(unknown());
        }
        tx.record(&event).await?;
        tx.commit().await?;
        self.changed().await;
        self.sender.end_session(id.as_str()).await;
        self.revoke_upstream(connection, secrets);
        Ok(())
    }

    async fn change_connection(
        &self,
        by: &Author,
        connection: &Connection,
        change: ConnectionChange<'_>,
        action: &str,
    ) -> Result<(), Fault> {
        let details = json!({
            "connection": connection.id,
            "connector": connection.connector,
            "name": change.name.unwrap_or(&connection.name),
        });
        let event = self.event(&by.org, &by.label, action, details);
        let mut tx = self.store.begin().await?;
        let changed = tx
            .update_connection(&by.org, &connection.id, change, self.now())
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
}

fn unknown() -> Fault {
    Fault::not_found("There is no such connection.").called(ManagementName::ConnectionNotFound)
}
