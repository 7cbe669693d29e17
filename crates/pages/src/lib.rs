//! What people see: HTML pages, one stylesheet, one small script.
//!
//! A view is a struct of plain owned data and a template; rendering does no IO and asks nobody.
//! Handlers gather the data, views show it.
//!
//! Invariants: no style, script or event handler stands inside a page, so that
//! [`CONTENT_SECURITY_POLICY`] can forbid them; no page loads anything from another host; every
//! form that changes something is a POST, and that of somebody signed in has their token in the
//! field `csrf`; every page works without the script, which only adds comfort
//! (copying, the theme, modal dialogs, updates in place).
//!
//! - [`router`]: every page and its forms, from `handlers`, one file per noun
//! - [`views`]: one file per noun, with the page structs
//! - [`guides`]: the Markdown of `docs/` as pages
//! - [`openapi`]: from an OpenAPI document to the API reference
//! - [`assets`]: the stylesheet, the scripts and the logo, embedded

pub mod assets;
pub mod guides;
mod handlers;
pub mod openapi;
pub mod views;

pub use handlers::router;

/// Sent with every page but one. Everything comes from this origin and nothing stands inline.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; \
    script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// Sent with the consent page: without `form-action`. Browsers apply that directive to every
/// redirect that follows a form, and from the client's address on it is the client who redirects,
/// to a program or another site: naming the address alone leaves people on this page.
pub const CONSENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; \
    script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
    frame-ancestors 'none'; base-uri 'none'";

/// Sent with the bytes of a workspace's files: whatever a browser makes of them runs nothing, loads
/// nothing and is of no origin.
pub const FILE_SECURITY_POLICY: &str = "default-src 'none'; sandbox; frame-ancestors 'none'";
