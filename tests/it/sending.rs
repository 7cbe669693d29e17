//! A client of upload sessions: what an agent does with `curl`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quaymaster_tests::Mcp;
use reqwest::Client;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// Bytes of each part but the last, for files up to 78 GiB.
pub(crate) const PART: usize = 8 * 1024 * 1024;

/// Bytes that differ from place to place, so that parts in the wrong order are seen.
pub(crate) fn bytes(size: usize, seed: u8) -> Vec<u8> {
    let wave = |at: usize| (at.wrapping_mul(2_654_435_761) >> 11) as u8;
    (0..size).map(|at| wave(at) ^ seed).collect()
}

pub(crate) fn hex(data: &[u8]) -> String {
    hex_of(&Sha256::digest(data))
}

pub(crate) fn hex_of(data: &[u8]) -> String {
    data.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

pub(crate) fn digest_header(data: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(data)))
}

pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) template: String,
    pub(crate) made: Value,
    client: Client,
}

impl Session {
    pub(crate) async fn create(mcp: &Mcp, arguments: Value) -> Session {
        let made = mcp.call("create_upload_session", arguments).await.unwrap();
        Session::of(made)
    }

    pub(crate) fn of(made: Value) -> Session {
        Session {
            id: made["upload_id"].as_str().unwrap().to_owned(),
            template: made["part_url_template"].as_str().unwrap().to_owned(),
            made,
            client: Client::new(),
        }
    }

    pub(crate) fn named(&self) -> Value {
        json!({ "upload_id": self.id })
    }

    pub(crate) fn url(&self, n: usize) -> String {
        self.template.replace("{n}", &n.to_string())
    }

    /// Status and body; `None` when the connection broke.
    pub(crate) async fn try_put(
        &self,
        n: usize,
        body: Vec<u8>,
        digest: Option<String>,
    ) -> Option<(u16, Value)> {
        let mut request = self.client.put(self.url(n)).body(body);
        if let Some(digest) = digest {
            request = request.header("content-digest", digest);
        }
        let answer = request.send().await.ok()?;
        let status = answer.status().as_u16();
        let text = answer.text().await.ok()?;
        Some((
            status,
            serde_json::from_str(&text).unwrap_or(Value::String(text)),
        ))
    }

    pub(crate) async fn put(
        &self,
        n: usize,
        body: Vec<u8>,
        digest: Option<String>,
    ) -> (u16, Value) {
        self.try_put(n, body, digest)
            .await
            .expect("the server answers")
    }

    /// State, received bytes and size as `HEAD` tells them.
    pub(crate) async fn head(&self) -> (u16, [String; 3]) {
        let (start, signature) = self.template.split_once("/parts/{n}").unwrap();
        let answer = self
            .client
            .head(format!("{start}{signature}"))
            .send()
            .await
            .unwrap();
        let told = ["upload-state", "upload-received", "upload-size"].map(|name| {
            let value = answer
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap());
            value.unwrap_or_default().to_owned()
        });
        (answer.status().as_u16(), told)
    }
}

/// The piece of a file that is part `n`.
pub(crate) fn piece(file: &[u8], n: usize) -> Vec<u8> {
    file[n * PART..file.len().min((n + 1) * PART)].to_vec()
}
