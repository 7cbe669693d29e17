//! What is said about a configuration that cannot be used, without its secrets.

use figment::error::Kind;

/// Settings that hold secrets, or tables of them.
const SECRET: &[&str] = &["mail", "key", "database_url"];

/// What is wrong with the configuration. Of a setting that holds a secret, and of a file that does
/// not parse, the key and the kind of the mistake only: errors show what they found.
pub(super) fn told(error: figment::Error) -> anyhow::Error {
    let told = error.into_iter().map(|error| {
        let key = error.path.join(".");
        let names_no_key = key.is_empty() && matches!(error.kind, Kind::Message(_));
        let is_secret = error.path.first().is_some_and(|first| {
            SECRET
                .iter()
                .any(|secret| first.eq_ignore_ascii_case(secret))
        });
        let source = error.metadata.as_ref().map(|source| &*source.name);
        let source = source.unwrap_or("the configuration");
        if names_no_key {
            let place = error.to_string();
            let place = place
                .lines()
                .next()
                .and_then(|line| line.split_once(" at "));
            let place = place.map_or(String::new(), |(_, place)| {
                format!(" at {}", digits_of(place))
            });
            format!("{source} cannot be read{place}")
        } else if is_secret {
            format!("{} for {key} in {source}", kind_of(&error.kind))
        } else {
            error.to_string()
        }
    });
    let told: Vec<String> = told.collect();
    anyhow::anyhow!(told.join("; ")).context("the configuration is not valid")
}

/// `line 3, column 5`, of which only these words and digits.
fn digits_of(place: &str) -> String {
    let words = place.split_whitespace().filter(|word| {
        let bare = word.trim_end_matches([',', ':', '.']);
        matches!(bare, "line" | "column") || bare.bytes().all(|byte| byte.is_ascii_digit())
    });
    words.collect::<Vec<_>>().join(" ")
}

fn kind_of(kind: &Kind) -> String {
    match kind {
        Kind::InvalidType(_, expected)
        | Kind::InvalidValue(_, expected)
        | Kind::InvalidLength(_, expected) => format!("the value is not {expected}"),
        Kind::UnknownField(_, known) => {
            format!("there is an unknown field, not one of {}", known.join(", "))
        }
        Kind::MissingField(field) => format!("{field} is missing"),
        Kind::DuplicateField(field) => format!("{field} is there twice"),
        _ => "the value is not valid".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use figment::Figment;
    use figment::providers::{Format as _, Serialized, Toml};

    /// What is said about a file.
    fn said(file: &str) -> String {
        let figment = Figment::from(Serialized::defaults(Config::default()));
        let read: Result<Config, _> = figment.merge(Toml::string(file)).extract();
        format!("{:#}", told(read.err().unwrap()))
    }

    #[test]
    fn a_secret_in_the_wrong_place_is_not_printed() {
        for (file, key) in [
            ("mail = 'smtps://u:hidden@h'", "mail"),
            ("[mail]\nsmtp_url = ['hidden']\nfrom = 'a'", "mail.smtp_url"),
            (
                "[mail]\nsmtp_url = 'hidden'\nfrom = 'hidden'\ntls = 'hidden'",
                "mail.tls",
            ),
            ("key = 4711", "key"),
            ("key = ['hidden']", "key"),
            ("database_url = { hidden = 'hidden' }", "database_url"),
        ] {
            let said = said(file);
            assert!(said.contains(&format!("for {key} in ")), "{said}");
            assert!(!said.contains("hidden") && !said.contains("4711"), "{said}");
        }
        let said = said("[mail]\nsmtp_url = 'smtps://u:hidden@h");
        assert!(said.contains("cannot be read at line 2"), "{said}");
        assert!(!said.contains("hidden"), "{said}");
    }

    #[test]
    fn what_is_wrong_with_any_other_setting_is_said() {
        let said = said("calls_per_second = 'many'\n");
        assert!(
            said.contains("many") && said.contains("calls_per_second"),
            "{said}"
        );
    }
}
