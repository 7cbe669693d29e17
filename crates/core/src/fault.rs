//! The one error shape and the one table of codes.
//!
//! A [`Fault`] is what an agent, a script or a person reads: it says what went wrong and what to
//! do next. Causes that only an operator can use (driver errors, host paths) go to the log where
//! they happen, never into a fault.

use crate::management::ManagementName;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt::Write as _;

macro_rules! codes {
    ($($variant:ident $name:literal $management:literal $status:literal $retryable:literal $sentence:literal)*) => {
        /// Every code a fault can have.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $sentence] $variant,)* }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &'static [Code] = &[$(Code::$variant),*];

            /// The code on the wire, for example `INVALID_ARG`.
            pub const fn name(self) -> &'static str { match self { $(Code::$variant => $name),* } }

            /// The code in answers of the management API, for example `VALIDATION_ERROR`.
            pub const fn management_name(self) -> &'static str { match self { $(Code::$variant => $management),* } }

            /// The HTTP status of a REST answer with this code (RFC 9110 §15).
            pub const fn status(self) -> u16 { match self { $(Code::$variant => $status),* } }

            /// Whether the same call may succeed later without any change.
            pub const fn retryable(self) -> bool { match self { $(Code::$variant => $retryable),* } }

            /// One sentence for the reference.
            pub const fn sentence(self) -> &'static str { match self { $(Code::$variant => $sentence),* } }
        }
    };
}

codes! {
    Unauthenticated "UNAUTHENTICATED" "UNAUTHENTICATED" 401 false "No credential was presented, or it is unknown, revoked or expired."
    Forbidden "FORBIDDEN" "FORBIDDEN" 403 false "The credential is good, but it does not reach this."
    ScopeDenied "SCOPE_DENIED" "SCOPE_DENIED" 403 false "The credential lacks the scope that this call needs."
    InvalidArg "INVALID_ARG" "VALIDATION_ERROR" 400 false "An argument is missing, unknown or wrong; `details.errors` says which."
    NotFound "NOT_FOUND" "NOT_FOUND" 404 false "There is nothing at that path or id."
    AlreadyExists "ALREADY_EXISTS" "DUPLICATE" 409 false "Something is already there."
    SlugExists "SLUG_EXISTS" "SLUG_EXISTS" 409 false "The slug is taken."
    McpOauthDisabled "MCP_OAUTH_DISABLED" "MCP_OAUTH_DISABLED" 404 false "There is no hosted server there that clients sign in to by OAuth."
    McpBearerDisabled "MCP_BEARER_DISABLED" "MCP_BEARER_DISABLED" 409 false "Clients sign in to the hosted server by OAuth, and it has no tokens."
    McpBearerBlocksPerUser "MCP_BEARER_BLOCKS_PER_USER" "MCP_BEARER_BLOCKS_PER_USER" 409 false "A token that names no end user cannot use the accounts of end users."
    UnknownService "UNKNOWN_SERVICE" "INTEGRATION_NOT_FOUND" 404 false "No connector has that name; the hint lists known ones."
    UnknownInstance "UNKNOWN_INSTANCE" "CONNECTION_NOT_FOUND" 404 false "No connected account has that name; `details.candidates` lists them."
    UpstreamError "UPSTREAM_ERROR" "ACTION_FAILED" 502 false "The outside service answered with an error, or could not be reached."
    RateLimited "RATE_LIMITED" "RATE_LIMITED" 429 true "Too many calls in a short time; wait as `details.retry_after_s` says."
    DailyCap "DAILY_CAP" "QUOTA_EXCEEDED" 429 true "The workspace's daily cap of tool calls is used up until `details.reset_at`."
    ApprovalRequired "APPROVAL_REQUIRED" "APPROVAL_POLICY_BLOCKED" 403 true "Somebody must approve this call first."
    ConnectionRequired "CONNECTION_REQUIRED" "CONNECTION_REQUIRED" 409 true "An account must be connected first; `details.setup_url` says where."
    SandboxUnavailable "SANDBOX_UNAVAILABLE" "SHARD_UNAVAILABLE" 503 false "This host cannot isolate programs; the hint says how to fix it."
    Timeout "TIMEOUT" "HTTP_ERROR" 504 true "It took too long and was stopped."
    CodeError "CODE_ERROR" "ACTION_FAILED" 422 false "A program failed or went over a limit; `details` has its outcome, log and calls."
    FlowError "FLOW_ERROR" "ACTION_FAILED" 422 false "A step of the flow failed."
    IsADirectory "IS_A_DIRECTORY" "VALIDATION_ERROR" 409 false "The path is a directory, and this tool works on files."
    NotADirectory "NOT_A_DIRECTORY" "VALIDATION_ERROR" 409 false "The path is a file, and this tool works on directories."
    DirectoryNotEmpty "DIRECTORY_NOT_EMPTY" "VALIDATION_ERROR" 409 false "The directory has entries; ask for `recursive` to include them."
    PathOutsideWorkspace "PATH_OUTSIDE_WORKSPACE" "FORBIDDEN" 403 false "The path would leave the workspace."
    PreconditionFailed "PRECONDITION_FAILED" "VALIDATION_ERROR" 412 false "The file changed since it was read; read it again."
    NoMatch "NO_MATCH" "VALIDATION_ERROR" 422 false "The text to find is not in the file."
    CountMismatch "COUNT_MISMATCH" "VALIDATION_ERROR" 422 false "The text occurs another number of times than expected; nothing was written."
    LineOutOfRange "LINE_OUT_OF_RANGE" "VALIDATION_ERROR" 422 false "The file has fewer lines."
    Ambiguous "AMBIGUOUS" "VALIDATION_ERROR" 409 false "More than one file could be meant."
    NotText "NOT_TEXT" "VALIDATION_ERROR" 422 false "The file is not text."
    EncodingUnsupported "ENCODING_UNSUPPORTED" "VALIDATION_ERROR" 422 false "The text cannot be kept in the file's encoding; nothing was written."
    TooLarge "TOO_LARGE" "VALIDATION_ERROR" 413 false "It is larger than the limit; `details.use` names another way."
    QuotaExceeded "QUOTA_EXCEEDED" "QUOTA_EXCEEDED" 507 false "The workspace's storage is used up."
    RegexInvalid "REGEX_INVALID" "VALIDATION_ERROR" 400 false "The regular expression cannot be used."
    UploadNotFound "UPLOAD_NOT_FOUND" "NOT_FOUND" 404 false "There is no such upload session."
    UploadExpired "UPLOAD_EXPIRED" "NOT_FOUND" 410 false "The upload session ended before it was completed."
    UploadIncomplete "UPLOAD_INCOMPLETE" "VALIDATION_ERROR" 409 true "Parts are missing; `details.missing_parts` lists them."
    ChecksumMismatch "CHECKSUM_MISMATCH" "VALIDATION_ERROR" 422 true "The bytes that arrived do not have the digest that was announced."
    InsufficientStorage "INSUFFICIENT_STORAGE" "STORAGE_ERROR" 507 true "The server's disk is full."
    NotImplemented "NOT_IMPLEMENTED" "INTEGRATION_UNAVAILABLE" 501 false "This version of the server does not have it yet."
    Unavailable "UNAVAILABLE" "INTERNAL_ERROR" 503 true "A part that the server depends on does not answer at the moment."
    Internal "INTERNAL" "INTERNAL_ERROR" 500 true "The server failed; its log has the cause under the call's id."
}

/// Detail that marks the fault of a call of a tool that the caller does not have: over MCP that is
/// an error of the protocol, not a result.
pub const UNKNOWN_TOOL: &str = "unknown_tool";

/// Detail of the fault of a call that may have had its effect nevertheless: no answer tells.
pub const MAYBE_DONE: &str = "maybe_done";

impl Code {
    /// The code with this name on the wire.
    pub fn by_name(name: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.name() == name)
    }
}

impl Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Code::by_name(&name).ok_or_else(|| serde::de::Error::custom("unknown fault code"))
    }
}

/// What went wrong, for the reader at the other end.
///
/// On the wire: `{"code", "message", "retryable", "hint"?, "details"?}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fault {
    pub code: Code,
    pub message: String,
    pub retryable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub details: Option<Value>,
    /// What the management API calls it, where it has a finer name than the code's. Not on the wire
    /// of tools.
    #[serde(skip)]
    pub management: Option<ManagementName>,
}

impl Fault {
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Fault {
            code,
            message: message.into(),
            retryable: code.retryable(),
            hint: None,
            details: None,
            management: None,
        }
    }

    /// Says what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Says what the management API calls it.
    #[must_use]
    pub fn called(mut self, name: ManagementName) -> Self {
        self.management = Some(name);
        self
    }

    /// The code in answers of the management API.
    pub fn management_name(&self) -> &'static str {
        let finer = self.management.map(ManagementName::name);
        finer.unwrap_or_else(|| self.code.management_name())
    }

    /// Says what was probably meant; nothing when nothing is close.
    #[must_use]
    pub fn meant(self, close: &[impl AsRef<str>]) -> Self {
        if close.is_empty() {
            return self;
        }
        let close: Vec<&str> = close.iter().map(AsRef::as_ref).collect();
        self.hint(format!("Did you mean {}?", close.join(", ")))
    }

    /// Sets one field of `details`.
    #[must_use]
    pub fn detail(mut self, key: &str, value: impl Into<Value>) -> Self {
        let details = self.details.get_or_insert_with(|| json!({}));
        if let Value::Object(map) = details {
            map.insert(key.to_owned(), value.into());
        }
        self
    }

    /// Whether `details` has a field of that name.
    pub fn has_detail(&self, key: &str) -> bool {
        self.details
            .as_ref()
            .is_some_and(|details| details.get(key).is_some())
    }

    /// One wrong argument, in the form that schema checks use.
    pub fn invalid_arg(pointer: &str, rule: &str, message: impl Into<String>) -> Self {
        let message = message.into();
        Fault::new(Code::InvalidArg, message.clone()).detail(
            "errors",
            json!([{ "pointer": pointer, "rule": rule, "message": message }]),
        )
    }

    pub fn not_found(message: impl Into<String>) -> Self {
        Fault::new(Code::NotFound, message)
    }

    /// Something that should not happen. The cause belongs into the log, not in here.
    pub fn internal() -> Self {
        Fault::new(Code::Internal, "The server failed. Its log has the cause.")
    }

    /// The fault as the JSON text that a tool result carries.
    pub fn to_json(&self) -> Value {
        serde_json::to_value(self).unwrap_or_else(|_| json!({ "code": "INTERNAL" }))
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, " (hint: {hint})")?;
        }
        Ok(())
    }
}

impl std::error::Error for Fault {}

/// `docs/errors.md`, made from the table.
pub fn reference() -> String {
    let mut page = String::from(
        "# Error codes\n\nEvery failed call answers with one shape: `code`, `message`, `retryable`, and where they help `hint` and `details`.\n\
         Over MCP it is the JSON text of a tool result with `isError`; over REST it is the body, where `code` is the management name\n\
         and `fault` the code itself. This page is made from the table in `crates/core/src/fault.rs`.\n\n\
         | code | management name | HTTP status | retryable | meaning |\n|---|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let _ = writeln!(
            page,
            "| `{}` | `{}` | {} | {} | {} |",
            code.name(),
            code.management_name(),
            code.status(),
            if code.retryable() { "yes" } else { "no" },
            code.sentence()
        );
    }
    page.push_str(
        "\n## Finer names\n\nWhere one code stands for several things that programs tell apart, `code` has one of these names instead.\n\n\
         | management name | meaning |\n|---|---|\n",
    );
    for name in ManagementName::ALL {
        let _ = writeln!(page, "| `{}` | {} |", name.name(), name.sentence());
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_name_and_an_error_status() {
        let mut names: Vec<_> = Code::ALL.iter().map(|code| code.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Code::ALL.len());
        for code in Code::ALL {
            assert!((400..600).contains(&code.status()), "{}", code.name());
            assert_eq!(Code::by_name(code.name()), Some(*code));
        }
    }

    #[test]
    fn a_fault_is_one_flat_object() {
        let fault = Fault::new(Code::NotFound, "There is no file at a.txt.")
            .hint("List the directory first.")
            .detail("did_you_mean", json!(["b.txt"]));
        insta::assert_json_snapshot!(fault, @r#"
        {
          "code": "NOT_FOUND",
          "message": "There is no file at a.txt.",
          "retryable": false,
          "hint": "List the directory first.",
          "details": {
            "did_you_mean": [
              "b.txt"
            ]
          }
        }
        "#);
    }
}
