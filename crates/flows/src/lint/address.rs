//! Addresses of requests: whoever calls a flow must not choose the host that secrets go to.

use crate::expression::Program;
use crate::template::{Part, Template};
use quaymaster_yaml::{Report, Spot};

/// Whether scheme and host are written out or are the flow's own variables.
fn host_is_fixed(address: &Template) -> bool {
    // Up to the slash, question mark or hash behind the host (RFC 3986 §3.2).
    let mut before = String::new();
    for part in address.parts() {
        match part {
            Part::Text(text) => {
                before.push_str(text);
                let host = before.split_once("://").map_or("", |(_, rest)| rest);
                if host.contains(['/', '?', '#', '\\']) {
                    return true;
                }
            }
            Part::Program(program) if is_variable(program) => {
                // A variable can be a whole address, or a part of the host.
                if before.is_empty() {
                    before.push_str("https://");
                }
                before.push('x');
            }
            Part::Program(_) | Part::Secret(_) => return false,
        }
    }
    !before.is_empty()
}

/// Whether it is `.vars.NAME`.
fn is_variable(program: &Program) -> bool {
    program
        .source()
        .strip_prefix(".vars.")
        .is_some_and(super::text::is_name)
}

pub(super) fn check(address: &Template, has_secrets: bool, at: &Spot, report: &mut Report) {
    let fixed = host_is_fixed(address);
    let variable = address.alone().is_some_and(is_variable);
    if address.alone().is_some() && !variable {
        report.unless(
            !has_secrets,
            at,
            "This address can lead anywhere, so no secret may be sent along. Write scheme and host out, and keep expressions for what is behind them.",
        );
        return;
    }
    if !fixed {
        report.say(
            at,
            "Scheme and host of an address are written out, or come from `.vars`: `https://api.example.com/${{ … }}`.",
        );
        return;
    }
    let Some(Part::Text(first)) = address.parts().first() else {
        return;
    };
    let host = first
        .strip_prefix("https://")
        .or(first.strip_prefix("http://"));
    let Some(host) = host else {
        report.say(at, "The address begins with https:// or http://.");
        return;
    };
    let host = host.split(['/', '?', '#']).next().unwrap_or_default();
    let alone = address.parts().len() == 1;
    let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '@' | '\\' | '<' | '>');
    report.unless(
        !(host.contains(odd) || (host.is_empty() && alone)),
        at,
        "The host of the address is none. A user and a password stand in `auth`, not here.",
    );
}
