//! What the management API says more precisely than a fault's code does.
//!
//! Agents read few codes; programs that were written for the management API compare its names. A fault
//! carries such a name where one code stands for several of them.

macro_rules! names {
    ($($variant:ident $name:literal $sentence:literal)*) => {
        /// A name of the management API that is finer than that of a code.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ManagementName { $(#[doc = $sentence] $variant,)* }

        impl ManagementName {
            /// All of them, in the order of the table.
            pub const ALL: &'static [ManagementName] = &[$(ManagementName::$variant),*];

            /// The name on the wire, for example `ALIAS_CONFLICT`.
            pub const fn name(self) -> &'static str { match self { $(ManagementName::$variant => $name),* } }

            /// One sentence for the reference.
            pub const fn sentence(self) -> &'static str { match self { $(ManagementName::$variant => $sentence),* } }
        }
    };
}

names! {
    InvalidJson "INVALID_JSON" "The body is not JSON."
    NoUpdates "NO_UPDATES" "The body of a change says nothing that changes."
    MissingCode "MISSING_CODE" "There is no program to run."
    AliasConflict "ALIAS_CONFLICT" "An integration of the workspace has the alias."
    AmbiguousIntegration "AMBIGUOUS_INTEGRATION" "The workspace has several integrations of the connector; an alias says which."
    ActionNotFound "ACTION_NOT_FOUND" "The connector has no such action."
    ActionNotAllowed "ACTION_NOT_ALLOWED" "The integration has the action switched off."
    EndUserNotFound "END_USER_NOT_FOUND" "The workspace has no such end user."
    ConnectionNotFound "CONNECTION_NOT_FOUND" "There is no such connection."
    PartialNotFound "PARTIAL_NOT_FOUND" "The workspace has no such partial."
    PartialMismatch "PARTIAL_MISMATCH" "The partial is for another integration or action."
    NotDropdown "NOT_DROPDOWN" "The input has no values to look up."
    NotDynamic "NOT_DYNAMIC" "The input is the same whatever the others are."
    OptionsFailed "OPTIONS_FAILED" "The values of an input could not be looked up at the service."
    InvalidMcpScopes "INVALID_MCP_SCOPES" "A token of a server has other scopes than these."
    InvalidToken "INVALID_TOKEN" "The token of a connect session is not good."
    NoOauthApp "NO_OAUTH_APP" "No OAuth app is set for the connector."
    OauthAppNotFound "OAUTH_APP_NOT_FOUND" "The organization has no such OAuth app for the connector."
    NotOauth2 "NOT_OAUTH2" "The account is not signed in to by OAuth."
    AuthScopeDenied "AUTH_SCOPE_DENIED" "The API key is good for single workspaces, and this is of the whole organization."
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_there_once() {
        let mut names: Vec<_> = ManagementName::ALL.iter().map(|one| one.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ManagementName::ALL.len());
    }
}
