//! A running server, as `flow apply` asks it.

use anyhow::Context as _;
use reqwest::{Client, Method, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use std::time::Duration;

/// A save runs the flow's tests.
const PATIENCE: Duration = Duration::from_mins(2);

pub(super) struct Remote {
    client: Client,
    base: Url,
    key: SecretString,
}

impl Remote {
    pub(super) fn new(server: &str, key: SecretString) -> anyhow::Result<Self> {
        let server = server.trim_end_matches('/').to_owned() + "/";
        let base = Url::parse(&server).with_context(|| format!("{server} is no address"))?;
        Ok(Remote {
            client: Client::builder().timeout(PATIENCE).build()?,
            base,
            key,
        })
    }

    /// Status and body, which is JSON.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &[&str],
        body: Option<&Value>,
    ) -> anyhow::Result<(StatusCode, Value)> {
        let mut url = self.base.clone();
        url.path_segments_mut()
            .map_err(|()| anyhow::anyhow!("{} is no address of a server", self.base))?
            .pop_if_empty()
            .extend(["api", "v1"])
            .extend(path);
        let mut request = self
            .client
            .request(method, url)
            .bearer_auth(self.key.expose_secret());
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request
            .send()
            .await
            .with_context(|| format!("nothing answers at {}; is the server running?", self.base))?;
        let status = answer.status();
        let body = answer
            .json()
            .await
            .with_context(|| format!("{} answers {status} and no JSON", self.base))?;
        Ok((status, body))
    }

    pub(super) async fn workspace(&self, named: Option<String>) -> anyhow::Result<String> {
        if let Some(named) = named {
            return Ok(named);
        }
        let (status, answer) = self.ask(Method::GET, &["workspaces"], None).await?;
        good(status, &answer)?;
        let first = answer["workspaces"][0]["id"].as_str();
        Ok(first
            .context("the organization has no workspace")?
            .to_owned())
    }

    pub(super) async fn check(&self, workspace: &str, source: &str) -> anyhow::Result<Value> {
        let path = ["workspaces", workspace, "flow-drafts", "validate"];
        let body = json!({ "source": source });
        let (status, answer) = self.ask(Method::POST, &path, Some(&body)).await?;
        good(status, &answer)?;
        Ok(answer)
    }
}

/// The server's own words for why it did nothing.
fn good(status: StatusCode, answer: &Value) -> anyhow::Result<()> {
    let message = answer["message"].as_str().unwrap_or("no reason given");
    anyhow::ensure!(
        status.is_success(),
        "the server answers {status}: {message}"
    );
    Ok(())
}
