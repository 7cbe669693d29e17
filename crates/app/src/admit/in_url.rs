//! A token in the address of a request, `?token=`, for clients that send no headers.
//!
//! Addresses end up in logs and histories, so only flow tokens are taken from one, and only those
//! that were made for it. What else stands there is refused by its look alone, without saying whether
//! it is good.

use super::Bearer;
use quaymaster_core::caller::Presented;
use quaymaster_core::secret::TokenKind;
use quaymaster_core::{Code, Fault};
use secrecy::{ExposeSecret as _, SecretString};

/// What is presented, and whether it stands in the address.
pub(super) struct Shown<'a> {
    pub text: &'a SecretString,
    pub in_url: bool,
}

/// Why what is presented is not looked at.
pub(super) enum Misplaced {
    /// No flow token; the text says what to do about it.
    NoFlowToken(&'static str),
    /// Two that differ.
    Twofold,
}

/// `None` when nothing is presented at all.
pub(super) fn shown(presented: &Presented) -> Result<Option<Shown<'_>>, Misplaced> {
    for text in &presented.in_url {
        check_look(text.expose_secret())?;
    }
    let header = presented.bearer.as_ref();
    let in_url = presented.in_url.first();
    let mut all = header.into_iter().chain(&presented.in_url);
    let Some(text) = all.next() else {
        return Ok(None);
    };
    if all.any(|other| other.expose_secret() != text.expose_secret()) {
        return Err(Misplaced::Twofold);
    }
    Ok(Some(Shown {
        text,
        in_url: in_url.is_some(),
    }))
}

fn check_look(text: &str) -> Result<(), Misplaced> {
    match Bearer::parse(text) {
        Some(Bearer::Token(token)) if token.kind == TokenKind::FlowToken => Ok(()),
        Some(_) => Err(Misplaced::NoFlowToken(
            "A credential of this kind is not taken from an address, where logs and histories keep \
             it. Revoke it and make a new one.",
        )),
        None => Err(Misplaced::NoFlowToken(
            "The token in the address is not one of this server's flow tokens, which start with at_.",
        )),
    }
}

pub(super) fn twofold() -> Fault {
    Fault::new(
        Code::InvalidArg,
        "The request presents two credentials that differ, one in its address.",
    )
    .hint("Present one: leave ?token= out of the address, or the header Authorization.")
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLOW: &str = "at_01arz3ndektsv4rrffq69g5fav.abc";
    const KEY: &str = "sk-org-01arz3ndektsv4rrffq69g5fav.abc";
    const ACCESS: &str = "oat_01arz3ndektsv4rrffq69g5fav.abc";

    fn told(header: Option<&str>, in_url: &[&str]) -> &'static str {
        let presented = Presented {
            bearer: header.map(SecretString::from),
            in_url: in_url.iter().copied().map(SecretString::from).collect(),
            ..Presented::default()
        };
        match shown(&presented) {
            Ok(None) => "nothing",
            Ok(Some(shown)) if shown.in_url => "in the address",
            Ok(Some(_)) => "in the header",
            Err(Misplaced::Twofold) => "twofold",
            Err(Misplaced::NoFlowToken(why)) if why.contains("Revoke") => "to be revoked",
            Err(Misplaced::NoFlowToken(_)) => "no token",
        }
    }

    #[test]
    fn only_a_flow_token_is_taken_from_an_address_and_only_one_credential_at_a_time() {
        let other = format!("{FLOW}d");
        for (header, in_url, so) in [
            (None, &[][..], "nothing"),
            (Some(KEY), &[], "in the header"),
            (None, &[FLOW], "in the address"),
            (Some(FLOW), &[FLOW, FLOW], "in the address"),
            (Some(KEY), &[FLOW], "twofold"),
            (Some(""), &[FLOW], "twofold"),
            (None, &[FLOW, &other], "twofold"),
            (None, &[KEY], "to be revoked"),
            (Some(KEY), &[KEY], "to be revoked"),
            (None, &[FLOW, ACCESS], "to be revoked"),
            (None, &[""], "no token"),
            (None, &["at_x"], "no token"),
        ] {
            assert_eq!(told(header, in_url), so, "{header:?} {in_url:?}");
        }
    }
}
