//! What goes wrong at an authorization server, told so that somebody can do something.

use super::{AuthorizationServer, answer};
use crate::redact::Redactor;
use quaymaster_core::schema::shorten;
use quaymaster_core::{Code, Fault};
use quaymaster_egress::{EgressError, Response};

/// A request that an authorization server did not fulfil.
#[derive(Debug, Clone)]
pub struct Problem {
    pub kind: ProblemKind,
    /// Clean of secrets and hidden characters.
    pub fault: Fault,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProblemKind {
    /// It did not answer, or not with sense: the same may succeed later.
    Down,
    /// The code or refresh token is not good, or not any more (`invalid_grant`): a person signs in
    /// again.
    Grant,
    /// The app is not accepted: its id, secret, scopes or redirect URI.
    Client,
    /// The person said no.
    Denied,
    /// The person has not signed in yet.
    Pending,
    /// Nor that, and polls come too fast.
    SlowDown,
    /// The device code is too old.
    Expired,
    /// Something of ours cannot be: nothing was sent.
    Ours,
    /// Any other error.
    Refused,
}

impl Problem {
    pub(super) fn of_us(fault: Fault) -> Problem {
        Problem {
            kind: ProblemKind::Ours,
            fault,
        }
    }

    /// No answer came, or none that was taken.
    pub(super) fn unanswered(title: &str, error: &EgressError) -> Problem {
        use EgressError as E;
        let lasting = matches!(
            error,
            E::NotPublic { .. } | E::PlainHttp { .. } | E::InvalidAddress { .. } | E::Scheme
        );
        let mut fault = Fault::new(
            Code::UpstreamError,
            format!("The authorization server of {title} cannot be used: {error}"),
        );
        fault.retryable = !lasting;
        let hint = if lasting {
            "Check the account's address. If the server is inside the network, an administrator \
             connects the account with the tick for that, or an operator adds it to `egress.allow`."
        } else {
            "Try again in a moment; if it stays so, ask who runs the service."
        };
        Problem {
            kind: ProblemKind::Down,
            fault: fault.hint(hint),
        }
    }
}

impl AuthorizationServer<'_> {
    /// An answer that is neither an error nor what was asked for.
    pub(super) fn unreadable(&self, response: &Response) -> Problem {
        let message = format!(
            "The authorization server of {} answered with something that cannot be read.",
            self.title()
        );
        let mut fault = Fault::new(Code::UpstreamError, message)
            .hint("Try again in a moment; if it stays so, check the connector's addresses.")
            .detail("upstream_status", response.status.as_u16());
        fault.retryable = true;
        Problem {
            kind: ProblemKind::Down,
            fault,
        }
    }

    /// An error of RFC 6749 §5.2 or RFC 8628 §3.5, or of those who answer in their own way.
    pub(super) fn refusal(&self, response: &Response, redactor: &Redactor) -> Problem {
        let status = response.status;
        let members = answer::members(&response.body);
        let (code, said) = members.as_ref().map(answer::error_of).unwrap_or_default();
        let code = code.map(|code| redactor.tidy(&shorten(&code)).into_owned());
        let said = said.map(|said| redactor.tidy(&shorten(&said)).into_owned());
        let kind = match code.as_deref() {
            Some("authorization_pending") => ProblemKind::Pending,
            Some("slow_down") => ProblemKind::SlowDown,
            Some("access_denied") => ProblemKind::Denied,
            Some("expired_token") => ProblemKind::Expired,
            Some(
                "invalid_grant"
                | "bad_refresh_token"
                | "bad_verification_code"
                | "invalid_code"
                | "code_already_used"
                | "invalid_refresh_token"
                | "token_expired"
                | "token_revoked",
            ) => ProblemKind::Grant,
            Some(
                "invalid_client"
                | "unauthorized_client"
                | "invalid_scope"
                | "incorrect_client_credentials"
                | "redirect_uri_mismatch"
                | "bad_redirect_uri"
                | "bad_client_secret"
                | "invalid_client_id"
                | "device_flow_disabled",
            ) => ProblemKind::Client,
            Some("temporarily_unavailable" | "server_error") => ProblemKind::Down,
            _ if status.is_server_error() || matches!(status.as_u16(), 408 | 425 | 429) => {
                ProblemKind::Down
            }
            _ => ProblemKind::Refused,
        };
        let title = self.title();
        let what = match (&code, &said) {
            (Some(code), Some(said)) => format!(" ({code}): {}", said.trim_end_matches('.')),
            (Some(code), None) => format!(" ({code})"),
            (None, Some(said)) => format!(": {}", said.trim_end_matches('.')),
            (None, None) => format!(" with status {}", status.as_u16()),
        };
        let (fault_code, message, hint) = match kind {
            ProblemKind::Grant => (
                Code::ConnectionRequired,
                format!("The sign-in at {title} is not good any more{what}."),
                "Sign in to the account again.",
            ),
            ProblemKind::Client => (
                Code::ConnectionRequired,
                format!("{title} does not accept the OAuth app{what}."),
                "An administrator corrects the client id and secret, and compares the scopes and the \
                 redirect URI with what is registered at the service.",
            ),
            ProblemKind::Denied => (
                Code::Forbidden,
                format!("The sign-in at {title} was refused there{what}."),
                "Begin again, and agree to what the service asks.",
            ),
            ProblemKind::Expired => (
                Code::NotFound,
                format!("The code for {title} was not used in time."),
                "Begin again, and enter the new code.",
            ),
            ProblemKind::Pending | ProblemKind::SlowDown => (
                Code::ConnectionRequired,
                format!("Nobody has signed in at {title} yet."),
                "Enter the code at the service, then ask again.",
            ),
            ProblemKind::Down => (
                Code::UpstreamError,
                format!("The authorization server of {title} has a problem{what}."),
                "Try again in a moment.",
            ),
            ProblemKind::Ours | ProblemKind::Refused => (
                Code::UpstreamError,
                format!("{title} refused the sign-in{what}."),
                "See the message of the service.",
            ),
        };
        let mut fault = Fault::new(fault_code, message)
            .hint(hint)
            .detail("upstream_status", status.as_u16());
        fault.retryable = matches!(
            kind,
            ProblemKind::Down | ProblemKind::Pending | ProblemKind::SlowDown
        );
        if let Some(code) = code {
            fault = fault.detail("upstream_code", code);
        }
        Problem { kind, fault }
    }
}
