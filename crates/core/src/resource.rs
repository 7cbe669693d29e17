//! Resources: what a client may read by URI; skills, whose files are resources.

use crate::tool::JsonObject;

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

/// A skill as the protocol's skills extension tells of it (SEP-2640).
#[derive(Debug, Clone, PartialEq)]
pub struct SkillDef {
    /// Of its `SKILL.md`.
    pub uri: String,
    /// Of `SKILL.md`, with `name` and `description`.
    pub frontmatter: JsonObject,
    /// All of its files, `SKILL.md` included.
    pub files: Vec<SkillFileDef>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkillFileDef {
    pub uri: String,
    /// `sha256:` and 64 hexadecimal digits.
    pub digest: String,
    /// In bytes.
    pub size: u64,
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
