//! What is looked for in lists by time: the query of an address, read and written.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use quaymaster_app::activity::Position;
use quaymaster_app::{Actor, App};
use quaymaster_core::id::WorkspaceId;
use quaymaster_core::{Fault, Instant};
use serde::Deserialize;
use std::str::FromStr;

use crate::views::{Choice, Filter, Narrowing, Preset};

/// Workspaces that a filter offers.
const MOST_CHOICES: i64 = 200;

/// The fields of the filter; empty ones ask for nothing.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct Looking {
    pub(super) workspace: String,
    pub(super) tool: String,
    pub(super) credential: String,
    pub(super) user: String,
    pub(super) account: String,
    pub(super) outcome: String,
    pub(super) actor: String,
    pub(super) action: String,
    /// Days in UTC.
    pub(super) from: String,
    pub(super) to: String,
    /// The end of the page before.
    pub(super) before: String,
    /// Of an export.
    pub(super) format: String,
    /// Of charts.
    pub(super) window: String,
}

impl Looking {
    /// From the beginning of the first day on, to the end of the last one.
    pub(super) fn days(&self) -> Result<(Option<Instant>, Option<Instant>), Fault> {
        let from = day(&self.from)?.map(start_of).transpose()?;
        let to = day(&self.to)?.and_then(|day| day.tomorrow().ok());
        Ok((from, to.map(start_of).transpose()?))
    }

    pub(super) fn before(&self) -> Result<Option<Position>, Fault> {
        if self.before.is_empty() {
            return Ok(None);
        }
        let read = self.before.parse().map(Some);
        read.map_err(|_| wrong("The address does not lead to a page of the list."))
    }

    fn pairs(&self) -> [(&'static str, &str); 10] {
        [
            ("workspace", &self.workspace),
            ("tool", &self.tool),
            ("credential", &self.credential),
            ("user", &self.user),
            ("account", &self.account),
            ("outcome", &self.outcome),
            ("actor", &self.actor),
            ("action", &self.action),
            ("from", &self.from),
            ("to", &self.to),
        ]
    }

    /// The address of the same filter with some fields changed; an empty one is taken out.
    pub(super) fn to(&self, path: &str, changed: &[(&str, &str)]) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let kept = self.pairs().into_iter();
        let kept = kept.filter(|(name, _)| changed.iter().all(|(other, _)| name != other));
        for (name, value) in kept.chain(changed.iter().copied()) {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        match query.finish() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }

    /// The filter as a page shows it.
    pub(super) fn filter(
        &self,
        path: &'static str,
        narrowings: Vec<Narrowing>,
        now: Instant,
    ) -> Filter {
        let today = day_of(now);
        let ago = |days: i64| {
            today
                .checked_sub(jiff::Span::new().days(days))
                .unwrap_or(today)
        };
        let (yesterday, week) = (ago(1).to_string(), ago(6).to_string());
        let today = today.to_string();
        let preset = |label: &str, from: &str, to: &str| Preset {
            label: label.to_owned(),
            href: self.to(path, &[("from", from), ("to", to)]),
            is_current: self.from == from && self.to == to,
        };
        let export = |format| self.to(&format!("{path}/export"), &[("format", format)]);
        Filter {
            path,
            presets: vec![
                preset("All", "", ""),
                preset("Today", &today, &today),
                preset("Yesterday", &yesterday, &yesterday),
                preset("7 days", &week, &today),
            ],
            narrowings,
            from: self.from.clone(),
            to: self.to.clone(),
            is_set: self.pairs().iter().any(|(_, value)| !value.is_empty()),
            files: vec![("CSV", export("csv")), ("JSON lines", export("jsonl"))],
        }
    }
}

/// The choices with "Any" in front. What is chosen is among them, even when nobody knows it.
pub(super) fn any(all: impl IntoIterator<Item = (String, String)>, chosen: &str) -> Vec<Choice> {
    let mut choices = vec![Choice::new("", "Any", chosen.is_empty())];
    choices.extend(
        all.into_iter()
            .map(|(value, label)| Choice::new(&value, label, value == chosen)),
    );
    if !choices.iter().any(|choice| choice.is_chosen) {
        choices.push(Choice::new(chosen, chosen, true));
    }
    choices
}

/// The oldest workspaces and the chosen one. Others have links to their calls on their own pages.
pub(super) async fn of_workspaces(
    app: &App,
    actor: &Actor,
    chosen: &str,
) -> Result<Vec<Choice>, Fault> {
    let (some, _) = app.workspaces_page(actor, "", MOST_CHOICES, 0).await?;
    let some = some.into_iter();
    let mut all: Vec<(String, String)> = some.map(|one| (one.id.to_string(), one.name)).collect();
    if let Ok(id) = chosen.parse::<WorkspaceId>()
        && all.iter().all(|(known, _)| known != chosen)
    {
        let named = app.names_of_workspaces(actor, [id]).await?;
        all.extend(named.into_iter().map(|(id, name)| (id.to_string(), name)));
    }
    Ok(any(all, chosen))
}

/// An id of the address; empty for none.
pub(super) fn read_id<T: FromStr>(text: &str) -> Result<Option<T>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    text.parse()
        .map(Some)
        .map_err(|_| wrong("The address names something that cannot be."))
}

fn wrong(message: &str) -> Fault {
    Fault::new(quaymaster_core::Code::InvalidArg, message)
        .hint("Open the page anew and choose from its filter.")
}

fn day(text: &str) -> Result<Option<Date>, Fault> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = text.parse().map(Some);
    read.map_err(|_| wrong("A day is written as 2026-12-31."))
}

fn start_of(day: Date) -> Result<Instant, Fault> {
    let start = day.to_zoned(TimeZone::UTC);
    let start = start.map_err(|_| wrong("There is no such day."))?;
    Ok(Instant::from_micros(start.timestamp().as_microsecond()))
}

pub(super) fn day_of(at: Instant) -> Date {
    let at = jiff::Timestamp::from_microsecond(at.micros()).unwrap_or_default();
    at.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_whole_and_in_utc() {
        let looking = Looking {
            from: "2023-11-14".into(),
            to: "2023-11-14".into(),
            ..Looking::default()
        };
        let (from, to) = looking.days().unwrap();
        assert_eq!(from.unwrap().to_string(), "2023-11-14T00:00:00.000Z");
        assert_eq!(to.unwrap().seconds_since(from.unwrap()), 86_400);
        for text in ["yesterday", "2023-02-30", "-1"] {
            let looking = Looking {
                from: text.into(),
                ..Looking::default()
            };
            assert!(looking.days().is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_keeps_what_is_not_changed() {
        let looking = Looking {
            tool: "a&b".into(),
            from: "2023-11-14".into(),
            before: "1.call_1".into(),
            ..Looking::default()
        };
        assert_eq!(
            looking.to("/activity", &[("from", ""), ("outcome", "ok")]),
            "/activity?tool=a%26b&outcome=ok"
        );
    }
}
