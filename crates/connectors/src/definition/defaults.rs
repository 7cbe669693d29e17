//! What holds for all actions of a connector unless one says otherwise.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// Sent with every request. No credentials.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub headers: IndexMap<String, String>,
    /// 30 unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u32>,
    #[serde(default)]
    pub retry: Retry,
    #[serde(default)]
    pub errors: Errors,
    /// Where the result stands in an answer: a JSON Pointer. Unless said otherwise `/result` for
    /// JSON-RPC, `/data` for GraphQL, and the whole answer for all others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pagination: Option<Pagination>,
}

/// When a request is sent again. Only calls that read, or that are idempotent, are.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Retry {
    #[serde(default = "usual_statuses")]
    pub statuses: Vec<u16>,
    /// How often at most.
    #[serde(default = "usual_retries")]
    pub max: u32,
    /// Where the answer says how long to wait; `Retry-After` is always read.
    #[serde(default)]
    pub wait: Vec<Wait>,
}

fn usual_statuses() -> Vec<u16> {
    vec![429, 502, 503, 504]
}

const fn usual_retries() -> u32 {
    2
}

impl Default for Retry {
    fn default() -> Self {
        Retry {
            statuses: usual_statuses(),
            max: usual_retries(),
            wait: Vec::new(),
        }
    }
}

/// Where an answer says how long to wait: in a header, or at a place of the body.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wait {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// A JSON Pointer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    pub unit: Unit,
    /// Only then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<Equals>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Seconds from now.
    S,
    /// Milliseconds from now.
    Ms,
    /// A time in seconds since 1970.
    EpochS,
    /// A time in milliseconds since 1970.
    EpochMs,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Equals {
    pub header: String,
    pub equals: String,
}

/// How an answer says that something went wrong, besides its status. Places are JSON Pointers. What
/// JSON-RPC and GraphQL say about errors is known.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Errors {
    /// An answer of status 200 is an error when there is something here that is neither null, false,
    /// 0 nor empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// An answer of status 200 is an error unless this place holds that value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unless: Option<Holds>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<String>,
    /// Codes that mean that the credentials are no longer good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub auth_codes: Vec<String>,
    /// The credentials are no longer good when this place holds that value, where the service has
    /// neither a status nor a code for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_when: Option<Holds>,
    /// Codes after which the same call may succeed later.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retry_codes: Vec<String>,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Holds {
    pub at: String,
    pub value: Value,
}

/// How long lists are read page by page.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pagination {
    #[serde(rename = "type")]
    pub kind: PaginationKind,
    /// The parameter that names the next page: its name, or a JSON Pointer into the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    /// Where the answer says what the next page is: a JSON Pointer, or a header's name for the type
    /// `header`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// Where the items stand in the result.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    /// Where the answer says how many items there are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<String>,
    /// Where the answer says whether there are more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub more: Option<String>,
    /// Where the last item holds the value of the next page, for the type `keyset`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The first page's number, for the type `page`; 1 unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_size: Option<PageSize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PaginationKind {
    None,
    /// The header `Link` with `rel="next"` (RFC 8288).
    Link,
    /// The answer holds a value to send with the next request.
    Cursor,
    /// The number of items to pass over.
    Offset,
    /// The number of the page.
    Page,
    /// The answer holds the address of the next page, on the same host.
    NextUrl,
    /// A header holds a value to send, or an address.
    Header,
    /// The next page begins after the last item.
    Keyset,
}

#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PageSize {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub param: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}
