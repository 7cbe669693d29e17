//! One request and its answer, with the handshake and the redirects that it takes.

use super::{REMEMBERED, Sender, Sending};
use crate::request::{self, Built, is_allowed_host};
use http::header::{ACCEPT, LOCATION};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use quaymaster_egress::{DEFAULT_MAX_BODY, EgressError, MAX_REDIRECTS, Request, Response};
use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};
use url::Url;

impl Sending<'_> {
    /// One request and its answer, with the redirects and the handshake that it takes.
    pub(super) async fn exchange(&self, built: &Built) -> Result<Response, EgressError> {
        let handshake = self
            .definition()
            .rpc
            .as_ref()
            .and_then(|rpc| rpc.handshake.as_ref());
        let Some(handshake) = handshake else {
            return self.follow(built, &built.headers).await;
        };
        let Ok(name) = HeaderName::from_bytes(handshake.header.as_bytes()) else {
            return self.follow(built, &built.headers).await;
        };
        let mut headers = built.headers.clone();
        let remembered = self.handshakes().get(self.connection).cloned();
        if let Some(value) = remembered {
            headers.insert(name.clone(), value);
        }
        let response = self.follow(built, &headers).await?;
        let value = response.headers.get(&name);
        match value {
            Some(value) if response.status.as_u16() == handshake.status => {
                let mut value = value.clone();
                value.set_sensitive(true);
                self.remember_handshake(value.clone());
                headers.insert(name, value);
                self.follow(built, &headers).await
            }
            _ => Ok(response),
        }
    }

    /// Apart from the exchange, so that no lock is held while it waits.
    fn remember_handshake(&self, value: HeaderValue) {
        let mut all = self.handshakes();
        if all.len() >= REMEMBERED {
            all.clear();
        }
        all.insert(self.connection.to_owned(), value);
    }

    fn handshakes(&self) -> MutexGuard<'_, HashMap<String, HeaderValue>> {
        let all = self.sender.handshakes.lock();
        all.unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows redirects of what reads. To another host or path it goes without credentials.
    async fn follow(&self, built: &Built, headers: &HeaderMap) -> Result<Response, EgressError> {
        let definition = self.definition();
        let timeout = self.options.timeout;
        let timeout = timeout.unwrap_or_else(|| Sender::usual_timeout(definition));
        let deadline = tokio::time::Instant::now() + timeout;
        let request = |method: &Method, url: &Url| {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            Request::new(method.clone(), url.as_str())
                .timeout(left)
                .max_body(DEFAULT_MAX_BODY)
        };
        let mut first = request(&built.verb, &built.url).timeout(timeout);
        for (name, value) in headers {
            first = first.header(name.clone(), value.clone());
        }
        let mut response = self.egress.send(first.body(built.body.clone())).await?;
        if !matches!(built.verb, Method::GET | Method::HEAD) {
            return Ok(response);
        }
        let mut from = built.url.clone();
        for _ in 0..MAX_REDIRECTS {
            let Some(to) = location(&from, &response)? else {
                return Ok(response);
            };
            let own = built.base.holds(&to) || is_allowed_host(&definition.allow_hosts, &to);
            let signed = own
                .then(|| request::at(self.prepared, self.account, built, &to))
                .and_then(Result::ok)
                .flatten();
            response = match signed {
                Some(signed) => {
                    let mut next = request(&built.verb, &signed.url);
                    for (name, value) in headers {
                        next = next.header(name.clone(), value.clone());
                    }
                    self.egress.send(next).await?
                }
                None => {
                    let mut next = request(&built.verb, &to);
                    if let Some(accept) = headers.get(ACCEPT) {
                        next = next.header(ACCEPT, accept.clone());
                    }
                    // Not by the way that an administrator opened for this connection's own host.
                    self.sender.egress.send(next).await?
                }
            };
            from = to;
        }
        match location(&from, &response)? {
            None => Ok(response),
            Some(_) => Err(EgressError::Redirect {
                host: from.host_str().unwrap_or_default().to_owned(),
                reason: "there were more than 3 before it",
            }),
        }
    }
}

/// Where a response redirects to.
fn location(from: &Url, response: &Response) -> Result<Option<Url>, EgressError> {
    let redirects = matches!(response.status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = response.headers.get(LOCATION).filter(|_| redirects) else {
        return Ok(None);
    };
    let refused = |reason| EgressError::Redirect {
        host: from.host_str().unwrap_or_default().to_owned(),
        reason,
    };
    let to = location
        .to_str()
        .ok()
        .and_then(|location| from.join(location).ok());
    let to = to.ok_or_else(|| refused("where it leads is not a URL"))?;
    if from.scheme() == "https" && to.scheme() != "https" {
        return Err(refused("it leads from https to http"));
    }
    Ok(Some(to))
}
