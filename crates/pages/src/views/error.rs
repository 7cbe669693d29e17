//! What went wrong, and where to go from there.

use askama::Template;

use super::layout::Layout;

/// Any failed request for a page.
#[derive(Debug, Clone, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    pub layout: Layout,
    /// HTTP status, 400 to 599.
    pub status: u16,
    /// Name of the fault, for example `NOT_FOUND`.
    pub code: Option<String>,
    pub message: String,
    pub hint: Option<String>,
    /// Path on this server.
    pub back_href: String,
    pub back_label: String,
}
