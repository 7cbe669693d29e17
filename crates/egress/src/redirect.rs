//! What becomes of a request that is redirected (RFC 9110 §15.4).

use crate::EgressError;
use crate::target::Target;
use bytes::Bytes;
use http::header::{
    AUTHORIZATION, CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_LOCATION, CONTENT_TYPE, COOKIE,
    LOCATION, PROXY_AUTHORIZATION,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode};

/// What is sent at each hop.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub method: Method,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// Where an answer redirects to, if it does. What a `Location` must be is checked as if it were
/// the URL of a new request.
pub(crate) fn destination(
    from: &Target,
    status: StatusCode,
    headers: &HeaderMap,
) -> Result<Option<Target>, EgressError> {
    let redirects = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let Some(location) = headers.get(LOCATION).filter(|_| redirects) else {
        return Ok(None);
    };
    let location = std::str::from_utf8(location.as_bytes())
        .map_err(|_| refused(from, "where it leads is not text"))?;
    let url = from.url.join(location);
    let url = url.map_err(|_| refused(from, "where it leads is not a URL"))?;
    let to = Target::of(url)?;
    if to.is_plain() && !from.is_plain() {
        return Err(refused(from, "it leads from https to http"));
    }
    Ok(Some(to))
}

impl Message {
    /// Changes the message for its next hop: what was meant for one origin does not go to another.
    pub(crate) fn follow(
        &mut self,
        status: StatusCode,
        from: &Target,
        to: &Target,
    ) -> Result<(), EgressError> {
        let becomes_get = match status {
            StatusCode::SEE_OTHER => self.method != Method::HEAD,
            // What browsers do, and RFC 9110 permits (§15.4.2, §15.4.3).
            StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => self.method == Method::POST,
            _ => false,
        };
        if becomes_get {
            self.method = Method::GET;
            self.body = Bytes::new();
            for name in [
                CONTENT_TYPE,
                CONTENT_ENCODING,
                CONTENT_LANGUAGE,
                CONTENT_LOCATION,
            ] {
                self.headers.remove(name);
            }
        }
        if from.url.origin() == to.url.origin() {
            return Ok(());
        }
        // A body may be as secret as a header, and nothing marks it.
        if !self.body.is_empty() {
            return Err(refused(from, "it would send the body to another origin"));
        }
        let secret = |value: &HeaderValue| value.is_sensitive();
        let mut left_behind = vec![AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION];
        left_behind.extend(
            self.headers
                .iter()
                .filter(|(_, value)| secret(value))
                .map(|(name, _)| name.clone()),
        );
        for name in left_behind {
            self.headers.remove(name);
        }
        Ok(())
    }
}

pub(crate) fn refused(from: &Target, reason: &'static str) -> EgressError {
    EgressError::Redirect {
        host: from.name(),
        reason,
    }
}
