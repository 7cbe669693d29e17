//! What people see: HTML pages, one stylesheet, one small script.
//!
//! A view is a struct of plain owned data and a template; rendering does no IO and asks nobody.
//! Handlers gather the data, views show it.
//!
//! Invariants: no style, script or event handler stands inside a page, so that
//! [`CONTENT_SECURITY_POLICY`] can forbid them; no page loads anything from another host; every
//! form is a POST with the field `csrf`; every page works without the script, which only adds
//! comfort (copying, the theme, modal dialogs, updates in place).
//!
//! - [`router`]: every page and its forms, from `handlers`, one file per noun
//! - [`views`]: one file per noun, with the page structs
//! - [`openapi`]: from an OpenAPI document to the API reference
//! - [`assets`]: the stylesheet, the scripts and the logo, embedded

pub mod assets;
mod handlers;
pub mod openapi;
pub mod views;

pub use handlers::router;

/// Sent with every page. Everything comes from this origin and nothing stands inline.
///
/// A page whose form is answered with a redirect to another origin, as the consent page of an
/// OAuth client is, needs that origin added to `form-action`: browsers apply it to redirects too.
pub const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; style-src 'self'; \
    script-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; \
    form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
