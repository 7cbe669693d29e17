//! Resources: what a client may read by URI.

/// A resource as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceDef {
    pub uri: String,
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub mime: Option<String>,
    /// In bytes.
    pub size: Option<u64>,
}

/// A family of resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateDef {
    /// RFC 6570.
    pub uri_template: String,
    pub name: String,
    pub title: Option<String>,
    pub description: Option<String>,
    pub mime: Option<String>,
}

/// One part of what a URI holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    pub uri: String,
    pub mime: Option<String>,
    pub body: Body,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body {
    Text(String),
    /// Base64.
    Blob(String),
}
