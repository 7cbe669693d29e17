//! A request to an outside server and its answer.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use std::fmt;
use std::time::Duration;

/// The most bytes of a body that a request takes unless it says otherwise: 10 MiB.
pub const DEFAULT_MAX_BODY: usize = 10 * 1024 * 1024;
/// The longest that a request takes, from its name's resolution to the last byte, unless it says
/// otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// Redirects that are followed at most.
pub const MAX_REDIRECTS: usize = 3;

/// One request. Nothing is followed, decoded or kept: no redirects unless asked for, no
/// decompression (`Accept-Encoding: identity` unless the caller sets another), no cookies.
#[derive(Clone)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) url: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) timeout: Duration,
    pub(crate) max_body: usize,
    pub(crate) follow_redirects: bool,
}

impl Request {
    /// A request of `url`, which is checked when it is sent.
    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Request {
            method,
            url: url.into(),
            headers: HeaderMap::new(),
            body: Bytes::new(),
            timeout: DEFAULT_TIMEOUT,
            max_body: DEFAULT_MAX_BODY,
            follow_redirects: false,
        }
    }

    pub fn get(url: impl Into<String>) -> Self {
        Request::new(Method::GET, url)
    }

    /// Adds a header. `Authorization`, `Cookie`, `Proxy-Authorization` and every value marked by
    /// [`HeaderValue::set_sensitive`] stay behind when a redirect leads to another origin.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// How long everything may take, redirects included.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many bytes of body are taken; one more is an error.
    #[must_use]
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.max_body = bytes;
        self
    }

    /// Follows up to [`MAX_REDIRECTS`] redirects, each checked like a request of its own. Without
    /// it a redirect is an answer like any other.
    #[must_use]
    pub fn follow_redirects(mut self) -> Self {
        self.follow_redirects = true;
        self
    }
}

/// A whole answer, of any status.
#[derive(Clone)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// As it came: encoded, if the request accepted an encoding.
    pub body: Bytes,
    /// What answered: the request's URL, or the last redirect's. Without a fragment.
    pub url: String,
}

// URLs, headers and bodies hold secrets.
impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Request")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}
