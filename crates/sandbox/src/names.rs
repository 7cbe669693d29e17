//! Which action a program means.

use crate::run::Namespace;
use quaymaster_core::Fault;
use quaymaster_core::suggest::did_you_mean;

/// At most so many names stand in a hint.
const MOST: usize = 12;

/// The alias and action as they were given, for those that a program wrote. A hyphen and an underscore
/// are the same where that leaves no doubt, since names with hyphens are awkward in programs.
pub(crate) fn find<'n>(
    namespaces: &'n [Namespace],
    alias: &str,
    action: &str,
) -> Result<(&'n str, &'n str), Fault> {
    let aliases = || namespaces.iter().map(|namespace| namespace.alias.as_str());
    let Some(namespace) = pick(namespaces, alias, |namespace| &namespace.alias) else {
        let fault = Fault::not_found(format!("There is no `quaymaster.{alias}`."));
        return Err(hinted(fault, alias, aliases(), "`quaymaster` has"));
    };
    match pick(&namespace.actions, action, |action| action) {
        Some(action) => Ok((&namespace.alias, action)),
        None => {
            let alias = &namespace.alias;
            let fault = Fault::not_found(format!("`quaymaster.{alias}` has no action `{action}`."));
            let names = namespace.actions.iter().map(String::as_str);
            Err(hinted(fault, action, names, "Its actions are"))
        }
    }
}

fn pick<'n, T>(all: &'n [T], wanted: &str, name: impl Fn(&'n T) -> &'n String) -> Option<&'n T> {
    if let Some(exact) = all.iter().find(|one| name(one) == wanted) {
        return Some(exact);
    }
    let folded = wanted.replace('-', "_");
    let mut alike = all
        .iter()
        .filter(|one| name(one).replace('-', "_") == folded);
    alike.next().filter(|_| alike.next().is_none())
}

fn hinted<'n>(
    fault: Fault,
    wanted: &str,
    known: impl Iterator<Item = &'n str> + Clone,
    has: &str,
) -> Fault {
    let meant = did_you_mean(wanted, known.clone(), 3);
    if !meant.is_empty() {
        return fault
            .hint(format!(
                "Did you mean {}?",
                list(meant.iter().map(String::as_str))
            ))
            .detail("did_you_mean", meant);
    }
    let total = known.clone().count();
    if total == 0 {
        return fault.hint(format!("{has} nothing."));
    }
    let more = if total > MOST { " and more" } else { "" };
    fault.hint(format!("{has} {}{more}.", list(known.take(MOST))))
}

fn list<'n>(names: impl Iterator<Item = &'n str>) -> String {
    names
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn namespaces() -> Vec<Namespace> {
        let namespace = |alias: &str, actions: &[&str]| Namespace {
            alias: alias.to_owned(),
            actions: actions.iter().map(|&action| action.to_owned()).collect(),
        };
        vec![
            namespace("slack", &["send_message", "list_channels"]),
            namespace("my-shop", &["get_order"]),
        ]
    }

    #[test]
    fn a_hyphen_is_an_underscore() {
        let all = namespaces();
        assert_eq!(
            find(&all, "my_shop", "get-order"),
            Ok(("my-shop", "get_order"))
        );
        assert_eq!(
            find(&all, "slack", "send_message"),
            Ok(("slack", "send_message"))
        );
    }

    #[test]
    fn what_is_not_there_is_told_together_with_what_was_meant() {
        let all = namespaces();
        let fault = find(&all, "slack", "send_mesage").unwrap_err();
        assert_eq!(fault.hint.as_deref(), Some("Did you mean `send_message`?"));
        let fault = find(&all, "slak", "send_message").unwrap_err();
        assert_eq!(fault.hint.as_deref(), Some("Did you mean `slack`?"));
        let fault = find(&all, "zebra", "x").unwrap_err();
        assert_eq!(
            fault.hint.as_deref(),
            Some("`quaymaster` has `slack`, `my-shop`.")
        );
    }
}
