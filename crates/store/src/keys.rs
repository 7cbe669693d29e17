//! The key-encryption key, the data keys that it wraps, and the rotation of both.
//!
//! The key-encryption key stands in a file of mode 0600, made at the first start, or in the
//! environment. Each organization has data keys, wrapped by it; one of them is active, older ones
//! only open. Rotating the key-encryption key wraps the data keys anew and touches nothing else.

use crate::db::{Store, StoreError, Tx};
use crate::seal::{Key, KeyError, Place, sealed_with};
use crate::sealed::SEALED;
use quaymaster_core::{Instant, hex};
use std::collections::HashMap;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// Owner of what belongs to the server and to no organization.
pub const INSTANCE: &str = "instance";

/// Where the key-encryption key comes from.
#[derive(Clone)]
pub enum KeySource {
    /// A file of 64 hexadecimal digits; made when it is not there.
    File(PathBuf),
    /// The digits themselves, from the environment.
    Given(String),
}

pub(crate) struct Keyring {
    source: KeySource,
    opened: Mutex<Opened>,
}

#[derive(Default)]
struct Opened {
    by_id: HashMap<String, Key>,
    active: HashMap<String, Key>,
}

impl Opened {
    /// The active key of an organization, once it is durable.
    fn remember(&mut self, org: &str, key: Key) {
        self.by_id.insert(key.id(), key.clone());
        self.active.insert(org.to_owned(), key);
    }
}

/// What `keys verify` found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyReport {
    pub key_id: String,
    pub data_keys: usize,
    pub sealed_values: usize,
    pub unreadable: usize,
}

impl Keyring {
    pub(crate) fn locked(source: KeySource) -> Self {
        Keyring {
            source,
            opened: Mutex::default(),
        }
    }

    fn opened(&self) -> std::sync::MutexGuard<'_, Opened> {
        self.opened.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The key-encryption key, read anew each time: another process may have rotated it.
    fn kek(&self) -> Result<Key, StoreError> {
        Ok(match &self.source {
            KeySource::Given(text) => Key::read(text)?,
            KeySource::File(path) => read_key(path)?,
        })
    }

    /// The key-encryption key of a database that has sealed nothing yet; made when there is none.
    fn first_kek(&self) -> Result<Key, StoreError> {
        if let KeySource::File(path) = &self.source
            && !path.exists()
        {
            write_new(path, &Key::fresh()?)?;
        }
        self.kek()
    }

    /// The key-encryption key that `wrapped` was wrapped with. While a rotation is between its
    /// commit and the replacement of the key file, that is the next one.
    fn kek_of(&self, wrapped: &[u8]) -> Result<Key, StoreError> {
        let (key, wanted) = (self.kek()?, sealed_with(wrapped)?);
        if key.id() == wanted {
            return Ok(key);
        }
        if let KeySource::File(path) = &self.source
            && next_of(path).exists()
        {
            let next = read_key(&next_of(path))?;
            if next.id() == wanted {
                return Ok(next);
            }
        }
        Err(KeyError::Wrong {
            presented: key.id(),
            wanted,
        }
        .into())
    }
}

/// Where a rotation keeps the next key until it is the one.
fn next_of(path: &Path) -> PathBuf {
    path.with_extension("next")
}

fn read_key(path: &Path) -> Result<Key, StoreError> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(KeyError::Missing(path.display().to_string()).into());
        }
        Err(error) => return Err(error.into()),
    };
    if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
        return Err(KeyError::Exposed(path.display().to_string()).into());
    }
    Ok(Key::read(&text)?)
}

fn write_new(path: &Path, key: &Key) -> Result<(), StoreError> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{}", hex(key.bytes()))?;
    file.sync_all()?;
    if let Some(parent) = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
    {
        fs::File::open(parent)?.sync_all()?;
    }
    Ok(())
}

fn wrapping<'a>(id: &'a str, org: &'a str) -> Place<'a> {
    Place {
        table: "data_keys",
        column: "wrapped",
        row: id,
        org,
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    org_id: String,
    wrapped: Vec<u8>,
    retired_at: Option<i64>,
}

const ALL_KEYS: &str = "SELECT id, org_id, wrapped, retired_at FROM data_keys ORDER BY id";

impl Store {
    /// Reads the key-encryption key and opens every data key with it.
    pub(crate) async fn unlock(&mut self) -> Result<(), StoreError> {
        let rows =
            reading!(self, pool => sqlx::query_as::<_, Row>(ALL_KEYS).fetch_all(pool).await?);
        let kek = match rows.first() {
            Some(row) => self.keyring.kek_of(&row.wrapped)?,
            None => self.keyring.first_kek()?,
        };
        if let KeySource::File(path) = &self.keyring.source
            && self.keyring.kek()?.id() != kek.id()
        {
            // A rotation was cut off after its commit and before the key file was replaced.
            fs::rename(next_of(path), path)?;
        }
        let mut opened = self.keyring.opened();
        for row in rows {
            let wanted = sealed_with(&row.wrapped)?;
            if wanted != kek.id() {
                return Err(KeyError::Wrong {
                    presented: kek.id(),
                    wanted,
                }
                .into());
            }
            let bytes = kek.open(wrapping(&row.id, &row.org_id), &row.wrapped)?;
            let key = Key::new(bytes.try_into().map_err(|_| KeyError::Malformed)?);
            if row.retired_at.is_none() {
                opened.active.insert(row.org_id, key.clone());
            }
            opened.by_id.insert(row.id, key);
        }
        Ok(())
    }

    /// Makes sure that an organization has a data key, in a transaction of its own: a key must be
    /// durable before anything is sealed with it, and what is sealed may be rolled back.
    pub async fn prepare_sealing(&self, now: Instant, org: &str) -> Result<(), StoreError> {
        if self.keyring.opened().active.contains_key(org) {
            return Ok(());
        }
        let mut tx = self.begin().await?;
        let key = self.new_data_key(&mut tx, now, org).await?;
        tx.commit().await?;
        self.keyring.opened().remember(org, key);
        Ok(())
    }

    /// Seals a value with the organization's active key ([`Store::prepare_sealing`]).
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let active = self.keyring.opened().active.get(place.org).cloned();
        let key = active.ok_or(KeyError::Sealed)?;
        Ok(key.seal(place, plain)?)
    }

    /// Opens a sealed value.
    pub async fn unseal(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let id = sealed_with(sealed)?;
        let known = self.keyring.opened().by_id.get(&id).cloned();
        let key = match known {
            Some(key) => key,
            // Another process made it since we started.
            None => self.read_data_key(&id).await?,
        };
        Ok(key.open(place, sealed)?)
    }

    async fn read_data_key(&self, id: &str) -> Result<Key, StoreError> {
        const ONE: &str = "SELECT id, org_id, wrapped, retired_at FROM data_keys WHERE id = $1";
        let row = reading!(self, pool => {
            sqlx::query_as::<_, Row>(ONE).bind(id).fetch_optional(pool).await?
        })
        .ok_or(KeyError::Sealed)?;
        let kek = self.keyring.kek_of(&row.wrapped)?;
        let bytes = kek.open(wrapping(&row.id, &row.org_id), &row.wrapped)?;
        let key = Key::new(bytes.try_into().map_err(|_| KeyError::Malformed)?);
        self.keyring.opened().by_id.insert(row.id, key.clone());
        Ok(key)
    }

    /// Known to the keyring once it is committed ([`Opened::remember`]).
    async fn new_data_key(&self, tx: &mut Tx, now: Instant, org: &str) -> Result<Key, StoreError> {
        const RETIRE: &str =
            "UPDATE data_keys SET retired_at = $2 WHERE org_id = $1 AND retired_at IS NULL";
        const ADD: &str =
            "INSERT INTO data_keys (id, org_id, wrapped, created_at) VALUES ($1, $2, $3, $4)";
        const ANY: &str = "SELECT wrapped FROM data_keys ORDER BY id LIMIT 1";
        let sample = within!(tx, conn => {
            sqlx::query_scalar::<_, Vec<u8>>(ANY).fetch_optional(&mut *conn).await?
        });
        let kek = match sample {
            Some(wrapped) => self.keyring.kek_of(&wrapped)?,
            None => self.keyring.kek()?,
        };
        let key = Key::fresh()?;
        let id = key.id();
        let wrapped = kek.seal(wrapping(&id, org), key.bytes())?;
        within!(tx, conn => {
            sqlx::query(RETIRE).bind(org).bind(now.micros()).execute(&mut *conn).await?;
            sqlx::query(ADD).bind(&id).bind(org).bind(wrapped).bind(now.micros()).execute(conn).await?;
        });
        Ok(key)
    }

    /// Replaces the key-encryption key. Survives being cut off at any point: the new key stands in
    /// `<key file>.next` before the transaction, and a start finds whichever of the two fits.
    pub async fn rotate_key(&self) -> Result<KeyReport, StoreError> {
        const WRAP: &str = "UPDATE data_keys SET wrapped = $2 WHERE id = $1";
        let KeySource::File(path) = &self.keyring.source else {
            return Err(KeyError::NotAFile.into());
        };
        let (old, next_path) = (self.keyring.kek()?, next_of(path));
        // Two rotations at once would take each other's next key away.
        let alone = fs::File::create(path.with_extension("lock"))?;
        alone.try_lock().map_err(|_| KeyError::Busy)?;
        if next_path.exists() {
            fs::remove_file(&next_path)?;
        }
        let next = Key::fresh()?;
        write_new(&next_path, &next)?;
        let mut tx = self.begin().await?;
        within!(tx, conn => {
            for row in sqlx::query_as::<_, Row>(ALL_KEYS).fetch_all(&mut *conn).await? {
                let place = wrapping(&row.id, &row.org_id);
                let wrapped = next.seal(place, &old.open(place, &row.wrapped)?)?;
                sqlx::query(WRAP).bind(&row.id).bind(wrapped).execute(&mut *conn).await?;
            }
        });
        tx.commit().await?;
        fs::rename(&next_path, path)?;
        self.verify_keys().await
    }

    /// Gives the server and each organization with sealed values a fresh data key, and seals those
    /// anew: one transaction each, so that being cut off leaves some with the old key, which still
    /// opens.
    pub async fn rotate_data_key(&self, now: Instant) -> Result<KeyReport, StoreError> {
        const RESEAL: &str = "UPDATE instance_secrets SET sealed = $2 WHERE name = $1";
        let mut tx = self.begin().await?;
        let key = self.new_data_key(&mut tx, now, INSTANCE).await?;
        for (name, sealed) in self.instance_secrets().await? {
            let place = crate::instance::place(&name);
            let sealed = key.seal(place, &self.unseal(place, &sealed).await?)?;
            within!(tx, conn => {
                sqlx::query(RESEAL).bind(&name).bind(sealed).execute(conn).await?;
            });
        }
        tx.commit().await?;
        self.keyring.opened().remember(INSTANCE, key);
        for org in self.organizations_with_sealed().await? {
            self.reseal(now, &org).await?;
        }
        self.verify_keys().await
    }

    async fn reseal(&self, now: Instant, org: &str) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let key = self.new_data_key(&mut tx, now, org).await?;
        for column in SEALED {
            let rows = within!(tx, conn => {
                sqlx::query_as::<_, (String, Vec<u8>)>(column.of_org).bind(org).fetch_all(conn).await?
            });
            for (id, sealed) in rows {
                let place = column.place(org, &id);
                let resealed = key.seal(place, &self.unseal(place, &sealed).await?)?;
                // What somebody changed meanwhile has the new key already, or is changed by them.
                within!(tx, conn => {
                    sqlx::query(column.reseal)
                        .bind(org)
                        .bind(&id)
                        .bind(resealed)
                        .bind(sealed)
                        .execute(conn)
                        .await?;
                });
            }
        }
        tx.commit().await?;
        self.keyring.opened().remember(org, key);
        Ok(())
    }

    /// Opens every sealed value there is.
    pub async fn verify_keys(&self) -> Result<KeyReport, StoreError> {
        let rows =
            reading!(self, pool => sqlx::query_as::<_, Row>(ALL_KEYS).fetch_all(pool).await?);
        let secrets = self.instance_secrets().await?;
        let (mut sealed_values, mut unreadable) = (0, 0);
        for (name, sealed) in &secrets {
            sealed_values += 1;
            let opened = self.unseal(crate::instance::place(name), sealed).await;
            unreadable += usize::from(opened.is_err());
        }
        for column in SEALED {
            for (org, id, sealed) in self.all_sealed(column).await? {
                sealed_values += 1;
                let opened = self.unseal(column.place(&org, &id), &sealed).await;
                unreadable += usize::from(opened.is_err());
            }
        }
        Ok(KeyReport {
            key_id: self.keyring.kek()?.id(),
            data_keys: rows.len(),
            sealed_values,
            unreadable,
        })
    }
}

/// A key source prints where the key is, never the key.
impl std::fmt::Debug for KeySource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            KeySource::File(path) => write!(f, "KeySource::File({})", path.display()),
            KeySource::Given(_) => f.write_str("KeySource::Given"),
        }
    }
}

/// Shared with whoever needs the secrets of the server.
pub type InstanceSecret = Arc<[u8; 32]>;
