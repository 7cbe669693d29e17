//! The API reference: what the pages show of an OpenAPI document.
//!
//! [`crate::openapi::from_openapi`] makes it; it is made once and shown to many.

use std::sync::Arc;

use askama::Template;

use super::layout::Layout;

/// `/reference`: what there is, by groups.
#[derive(Debug, Clone, Template)]
#[template(path = "reference.html")]
pub struct ReferencePage {
    pub layout: Layout,
    pub reference: Arc<ReferenceView>,
}

/// `/reference/{operation}`.
#[derive(Debug, Clone, Template)]
#[template(path = "operation.html")]
pub struct OperationPage {
    pub layout: Layout,
    reference: Arc<ReferenceView>,
    /// Where the operation stands in it.
    group: usize,
    operation: usize,
}

impl OperationPage {
    /// None when there is no operation of the name.
    pub fn find(layout: Layout, reference: Arc<ReferenceView>, name: &str) -> Option<Self> {
        let mut groups = reference.groups.iter().enumerate();
        let (group, operation) = groups.find_map(|(at, group)| {
            let mut all = group.operations.iter();
            Some((at, all.position(|one| one.name == name)?))
        })?;
        Some(OperationPage {
            layout,
            reference,
            group,
            operation,
        })
    }

    fn group(&self) -> &Group {
        &self.reference.groups[self.group]
    }

    fn operation(&self) -> &Operation {
        &self.group().operations[self.operation]
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReferenceView {
    pub title: String,
    pub version: String,
    pub description: Vec<Paragraph>,
    /// Origin and prefix of all paths, without a slash at the end; empty when the document has none.
    pub server: String,
    pub groups: Vec<Group>,
}

/// The operations of one tag.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Group {
    /// Unique in the page.
    pub anchor: String,
    pub name: String,
    pub description: Vec<Paragraph>,
    pub operations: Vec<Operation>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Operation {
    /// Of its address; unique in the document.
    pub name: String,
    /// In capitals.
    pub method: String,
    pub path: String,
    pub summary: String,
    pub description: Vec<Paragraph>,
    pub deprecated: bool,
    pub auth: Auth,
    pub params: Vec<Row>,
    pub request: Option<Body>,
    pub responses: Vec<Answer>,
    /// The call as a `curl` command.
    pub curl: String,
}

/// What an operation asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Auth {
    /// Open to everybody.
    #[default]
    None,
    /// A credential, with these scopes if any are listed.
    Needed { scopes: Vec<String> },
}

/// A parameter, or a property of a body.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    pub name: String,
    /// `path`, `query`, `header`, `cookie`; empty for a property.
    pub place: String,
    /// In words: `string`, `array of integer`, `string (date-time)`.
    pub kind: String,
    pub required: bool,
    pub description: Vec<Paragraph>,
    /// The values that are taken, when only some are.
    pub allowed: Vec<String>,
    pub default: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Body {
    pub content_type: String,
    /// The whole in words: `object`, `array of Workspace`.
    pub kind: String,
    /// Properties; those of nested objects as `parent.child`.
    pub rows: Vec<Row>,
    /// Formatted, when the document has one or one can be made.
    pub example: Option<String>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// `200`, `4XX` or `default`.
    pub status: String,
    pub description: Vec<Paragraph>,
    pub body: Option<Body>,
}

/// A paragraph of a description.
pub type Paragraph = Vec<Span>;

/// A run of a paragraph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Span {
    Text(String),
    Code(String),
}

impl ReferenceView {
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }
}

impl Operation {
    /// The class that colours the method.
    pub fn method_class(&self) -> String {
        self.method.to_ascii_lowercase()
    }
}

impl Answer {
    pub fn is_success(&self) -> bool {
        self.status.starts_with('2')
    }
}
