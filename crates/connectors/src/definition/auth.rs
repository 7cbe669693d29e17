//! How an account signs in.

use super::Template;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A way to sign in.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Auth {
    /// Unique in the connector.
    pub key: String,
    #[serde(rename = "type")]
    pub kind: AuthKind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What a person types in. OAuth has its own fields (for client credentials `client_id` and
    /// `client_secret`) and needs none here.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub fields: IndexMap<String, Field>,
    /// Where the fields go in each request. `basic` needs none, nor does `oauth2`, whose token is
    /// a bearer token unless this says otherwise.
    #[serde(default)]
    pub inject: Inject,
    /// For the type `oauth2`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub oauth2: Option<OAuth2>,
    /// Where a person gets the credentials.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuthKind {
    /// The service is open.
    None,
    /// Keys or tokens that a person pastes.
    ApiKey,
    /// The fields `username` and `password` (RFC 7617).
    Basic,
    Oauth2,
}

/// Something that a person types in.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Field {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
    /// Sealed, shown to nobody again, and taken out of every answer.
    #[serde(default)]
    pub secret: bool,
    /// A regular expression that the whole value fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
    #[serde(default)]
    pub optional: bool,
}

/// Where credentials go. The templates hold the fields of the way to sign in and of `connection`;
/// with OAuth also `access_token`.
#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Inject {
    /// A name like `{field}` is the header that this field of the account names.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub header: IndexMap<String, Template>,
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub query: IndexMap<String, Template>,
    /// Members of a JSON or form body.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub body: IndexMap<String, Template>,
    /// Between `base_url` and the action's path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<Template>,
    /// In front of the positional parameters of an RPC call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpc_first: Option<Template>,
}

/// The service's authorization server.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OAuth2 {
    pub grants: Vec<Grant>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorize_url: Option<Template>,
    pub token_url: Template,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_url: Option<Template>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoke_url: Option<Template>,
    /// What the server calls itself in the answers to a sign-in (RFC 9207). One that says something
    /// else is refused; one that says nothing is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<Template>,
    #[serde(default)]
    pub pkce: Pkce,
    #[serde(default)]
    pub client_auth: ClientAuth,
    #[serde(default)]
    pub scopes: Scopes,
    /// More parameters of the authorization request.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub authorize_params: IndexMap<String, String>,
    /// More parameters of the token request.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub token_params: IndexMap<String, String>,
    #[serde(default, skip_serializing_if = "TokenFormat::is_form")]
    pub token_format: TokenFormat,
    #[serde(default)]
    pub refresh: Refresh,
    /// Members of the token answer that become fields of the account, by JSON Pointer.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub fields_from_token: IndexMap<String, String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    AuthorizationCode,
    ClientCredentials,
    DeviceCode,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
pub enum Pkce {
    #[default]
    S256,
    /// The service refuses parameters that it does not know.
    #[serde(rename = "off")]
    Off,
}

/// How our client proves itself at the token endpoint (RFC 6749 §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientAuth {
    #[default]
    Basic,
    Body,
    None,
}

/// What the token endpoint reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TokenFormat {
    /// As RFC 6749 has it.
    #[default]
    Form,
    /// A JSON object with the same members, for services that read nothing else.
    Json,
}

impl TokenFormat {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
    fn is_form(&self) -> bool {
        *self == TokenFormat::Form
    }
}

#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Scopes {
    #[serde(default)]
    pub default: Vec<String>,
    /// A space unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// How many seconds before its end a token is refreshed; 120 unless said otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub margin_s: Option<u32>,
    /// Seconds that an access token lives when the answer does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime_s: Option<u32>,
}
