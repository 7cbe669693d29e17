//! Sealing: XChaCha20-Poly1305 with the place of the value bound in, so that a sealed value copied
//! to another row, column or organization does not open.
//!
//! A sealed value is `0x01 ‖ key id (8) ‖ nonce (24) ‖ ciphertext and tag`.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use quaymaster_core::{hex, unhex};
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;
const ID: usize = 8;
const NONCE: usize = 24;

#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(
        "the key-encryption key {presented} does not open this database, which was sealed with {wanted}; \
         start with the key file or the variable QUAYMASTER_KEY that belongs to it"
    )]
    Wrong { presented: String, wanted: String },
    #[error("the key-encryption key must be 64 hexadecimal digits (32 bytes)")]
    Malformed,
    #[error("the key file {0} may be read by others; make it private: chmod 600")]
    Exposed(String),
    #[error("the key file {0} is missing, and the database was sealed with it; put it back")]
    Missing(String),
    #[error("another rotation is under way")]
    Busy,
    #[error("a sealed value does not open: it was changed, moved, or its data key is missing")]
    Sealed,
    #[error(
        "the key comes from the environment, so only its owner can replace it; use a key file to rotate"
    )]
    NotAFile,
}

/// 256 bits that seal. `Debug` shows the id only.
#[derive(Clone)]
pub struct Key {
    bytes: [u8; 32],
    id: [u8; ID],
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({})", self.id())
    }
}

/// Where a sealed value stands. All of it is authenticated.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub table: &'static str,
    pub column: &'static str,
    pub row: &'a str,
    /// The organization, or `instance` for what belongs to the server.
    pub org: &'a str,
}

impl Place<'_> {
    fn bound_to(&self, key: &Key) -> Vec<u8> {
        let Place {
            table,
            column,
            row,
            org,
        } = self;
        format!("quaymaster:1|{table}|{column}|{row}|{org}|{}", key.id()).into_bytes()
    }
}

impl Key {
    pub fn new(bytes: [u8; 32]) -> Self {
        let digest = Sha256::new()
            .chain_update(b"quaymaster key id")
            .chain_update(bytes)
            .finalize();
        let mut id = [0u8; ID];
        id.copy_from_slice(&digest[..ID]);
        Key { bytes, id }
    }

    /// Reads 64 hexadecimal digits, as files have them: with a line end.
    pub(crate) fn read(text: &str) -> Result<Self, KeyError> {
        unhex(text.trim()).map(Key::new).ok_or(KeyError::Malformed)
    }

    /// A fresh key from the machine's randomness.
    pub fn fresh() -> Result<Self, KeyError> {
        let mut bytes = [0u8; 32];
        getrandom::fill(&mut bytes).map_err(|_| KeyError::Malformed)?;
        Ok(Key::new(bytes))
    }

    /// 16 hexadecimal digits that name the key without telling it.
    pub fn id(&self) -> String {
        hex(&self.id)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut nonce = [0u8; NONCE];
        getrandom::fill(&mut nonce).map_err(|_| KeyError::Sealed)?;
        let aad = place.bound_to(self);
        let cipher = XChaCha20Poly1305::new(&self.bytes.into());
        let sealed = cipher
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: plain,
                    aad: &aad,
                },
            )
            .map_err(|_| KeyError::Sealed)?;
        Ok([&[VERSION][..], &self.id, &nonce, &sealed].concat())
    }

    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>, KeyError> {
        let body = sealed.get(1 + ID + NONCE..).ok_or(KeyError::Sealed)?;
        if sealed[0] != VERSION || sealed[1..=ID] != self.id {
            return Err(KeyError::Sealed);
        }
        let mut nonce = [0u8; NONCE];
        nonce.copy_from_slice(&sealed[1 + ID..1 + ID + NONCE]);
        let aad = place.bound_to(self);
        let cipher = XChaCha20Poly1305::new(&self.bytes.into());
        cipher
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: body,
                    aad: &aad,
                },
            )
            .map_err(|_| KeyError::Sealed)
    }
}

/// The id of the key that sealed a value.
pub fn sealed_with(sealed: &[u8]) -> Result<String, KeyError> {
    sealed.get(1..=ID).map(hex).ok_or(KeyError::Sealed)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place<'_> = Place {
        table: "t",
        column: "c",
        row: "r1",
        org: "org_1",
    };

    #[test]
    fn a_sealed_value_opens_only_in_its_own_place_and_unchanged() {
        let key = Key::fresh().unwrap();
        let sealed = key.seal(PLACE, b"secret").unwrap();
        assert_eq!(key.open(PLACE, &sealed).unwrap(), b"secret");
        assert_eq!(sealed_with(&sealed).unwrap(), key.id());
        for place in [
            Place { row: "r2", ..PLACE },
            Place {
                org: "org_2",
                ..PLACE
            },
            Place {
                column: "d",
                ..PLACE
            },
            Place {
                table: "u",
                ..PLACE
            },
        ] {
            assert!(key.open(place, &sealed).is_err(), "{place:?}");
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert!(key.open(PLACE, &changed).is_err(), "byte {at}");
        }
        assert!(Key::fresh().unwrap().open(PLACE, &sealed).is_err());
        assert!(key.open(PLACE, &[]).is_err());
    }

    #[test]
    fn a_key_prints_its_id_only() {
        let key = Key::new([7; 32]);
        assert_eq!(format!("{key:?}"), format!("Key({})", key.id()));
        assert_eq!(Key::read(&hex(key.bytes())).unwrap().id(), key.id());
        assert!(Key::read("zz").is_err());
    }
}
