//! An account to be connected, in either shape.

use crate::connect_sessions::ScopeView;
use quaymaster_app::connection_types::Credentials;
use quaymaster_app::integrations::connector_key;
use quaymaster_core::Fault;
use serde::Deserialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::ToSchema;

/// A connector by `connector` with `fields`, or by `integrationName` with a `type` of credential. What
/// belongs to the other way is refused.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct CreateConnection {
    /// Key of the connector.
    pub(super) connector: Option<String>,
    /// The same; a hyphen equals an underscore.
    pub(super) integration_name: Option<String>,
    /// How agents name it; without one `main`, or the first free of `main-2`, `main-3`.
    #[schema(pattern = "^[a-z0-9_-]{1,40}$")]
    pub(super) name: Option<String>,
    /// Key of the way to sign in; without one the connector's first.
    pub(super) auth: Option<String>,
    /// The same.
    pub(super) auth_method_key: Option<String>,
    /// What the way to sign in asks for, by name, secrets too.
    pub(super) fields: Option<BTreeMap<String, String>>,
    /// Id or slug of a workspace: only its calls reach the account.
    pub(super) workspace: Option<String>,
    /// The same, with the scope `WORKSPACE` or `USER`.
    pub(super) workspace_id: Option<String>,
    /// The service is inside the network: requests may go to private addresses and by plain HTTP.
    pub(super) is_local: Option<bool>,
    #[serde(rename = "type")]
    pub(super) kind: Option<CredentialType>,
    /// What the developer calls it; unique for a connector among those of the same owner.
    #[schema(max_length = 255)]
    pub(super) external_id: Option<String>,
    #[schema(max_length = 120)]
    pub(super) display_name: Option<String>,
    /// Whose it is; `USER` with `endUserId`.
    pub(super) scope: Option<ScopeView>,
    /// Our id of the end user whose it is, or the developer's.
    pub(super) end_user_id: Option<String>,
    pub(super) secret_text: Option<String>,
    pub(super) username: Option<String>,
    pub(super) password: Option<String>,
    /// What the way to sign in asks for besides, by name, such as the address of a server; with the type
    /// `CUSTOM_AUTH` all of it.
    #[schema(value_type = Option<Object>)]
    pub(super) props: Option<Map<String, Value>>,
    pub(super) access_token: Option<String>,
    pub(super) refresh_token: Option<String>,
    /// `Bearer`, with the type `OAUTH2`.
    token_type: Option<String>,
    /// Seconds.
    pub(super) expires_in: Option<i64>,
    /// Taken with the type `OAUTH2`, of no effect: the service knows what it granted.
    #[serde(rename = "scope_oauth")]
    scope_oauth: Option<String>,
    /// The rest of what the token endpoint answered, with the type `OAUTH2`: some services say there
    /// which account it is.
    #[schema(value_type = Option<Object>)]
    data: Option<Map<String, Value>>,
    /// Id of the organization's app for the connector, which renews the tokens in any case.
    pub(super) oauth_app_id: Option<String>,
}

/// What a credential is made of.
#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum CredentialType {
    /// `secretText`
    SecretText,
    /// `username` and `password`
    BasicAuth,
    /// `props`: the fields of the way to sign in
    CustomAuth,
    /// `accessToken`, and perhaps `refreshToken`, `expiresIn` and `data`: tokens that were got elsewhere
    #[serde(rename = "OAUTH2")]
    Oauth2,
    #[serde(rename = "PLATFORM_OAUTH2")]
    PlatformOauth2,
}

impl CreateConnection {
    /// Refuses what belongs to tokens where there are none, and tokens that are not presented as they
    /// are (RFC 6750).
    pub(super) fn check_tokens(&self) -> Result<(), Fault> {
        let tokens = matches!(
            self.kind,
            Some(CredentialType::Oauth2 | CredentialType::PlatformOauth2)
        );
        let of_tokens = [
            (self.token_type.is_some(), "tokenType"),
            (self.scope_oauth.is_some(), "scope_oauth"),
            (self.data.is_some(), "data"),
            (self.oauth_app_id.is_some(), "oauthAppId"),
        ];
        if let Some((_, name)) = of_tokens.into_iter().find(|(given, _)| *given && !tokens) {
            let message = format!("The field `{name}` belongs to the type OAUTH2.");
            return Err(
                Fault::invalid_arg(&format!("/{name}"), "additionalProperties", message)
                    .hint("Leave it out, or send type OAUTH2 with accessToken."),
            );
        }
        match &self.token_type {
            Some(kind) if !kind.eq_ignore_ascii_case("bearer") => Err(Fault::invalid_arg(
                "/tokenType",
                "enum",
                "Only tokens of the type Bearer can be presented.",
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn key(&self) -> Result<String, Fault> {
        match (&self.connector, &self.integration_name) {
            (Some(key), None) => Ok(key.clone()),
            (None, Some(name)) => Ok(connector_key(name)),
            _ => Err(Fault::invalid_arg(
                "/connector",
                "oneOf",
                "Name the connector once, in `connector` or `integrationName`.",
            )),
        }
    }

    pub(super) fn credentials(&self, kind: CredentialType) -> Result<Credentials, Fault> {
        let needed = |field: &str, value: &Option<String>| {
            value.clone().ok_or_else(|| {
                let message = format!("The field `{field}` is missing.");
                Fault::invalid_arg(&format!("/{field}"), "required", message)
            })
        };
        Ok(match kind {
            CredentialType::SecretText => {
                Credentials::Secret(needed("secretText", &self.secret_text)?)
            }
            CredentialType::BasicAuth => Credentials::Basic {
                username: needed("username", &self.username)?,
                password: self.password.clone().unwrap_or_default(),
            },
            CredentialType::CustomAuth => Credentials::Custom,
            CredentialType::Oauth2 | CredentialType::PlatformOauth2 => {
                let mut answer = self.data.clone().unwrap_or_default();
                let access = needed("accessToken", &self.access_token)?;
                answer.insert("access_token".to_owned(), access.into());
                if let Some(refresh) = &self.refresh_token {
                    answer.insert("refresh_token".to_owned(), refresh.clone().into());
                }
                if let Some(seconds) = self.expires_in {
                    answer.insert("expires_in".to_owned(), seconds.into());
                }
                Credentials::Tokens(answer)
            }
        })
    }

    /// An account of a developer's program is named as they call it where agents can say that.
    pub(super) fn account(&self) -> Option<String> {
        let plain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
        };
        let external = self
            .external_id
            .as_ref()
            .filter(|_| self.end_user_id.is_none());
        let usable = external.filter(|id| id.len() <= 40 && id.bytes().all(plain));
        self.name.clone().or_else(|| usable.cloned())
    }
}
