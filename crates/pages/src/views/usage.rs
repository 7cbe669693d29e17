//! How much is called: charts, with the same numbers in tables.

use askama::Template;

use super::activity::Preset;
use super::amount::Amount;
use super::chart::{BarChart, Figures, LineChart, Moment, name};
use super::layout::Layout;
use super::place::Choice;

/// `/usage`.
#[derive(Debug, Clone, Template)]
#[template(path = "usage.html")]
pub struct UsagePage {
    pub layout: Layout,
    pub is_admin: bool,
    pub windows: Vec<Preset>,
    /// The value of the form field `window`.
    pub window: String,
    pub workspaces: Vec<Choice>,
    pub total: Figures,
    pub calls: BarChart,
    pub durations: LineChart,
    pub slots: Vec<Moment>,
    pub slot_hours: i64,
    pub parts: Vec<UsagePart>,
}

/// A table of tools, credentials or accounts.
#[derive(Debug, Clone)]
pub struct UsagePart {
    pub id: &'static str,
    pub title: &'static str,
    /// What a row is.
    pub head: &'static str,
    pub help: &'static str,
    pub rows: Vec<UsageRow>,
}

#[derive(Debug, Clone)]
pub struct UsageRow {
    pub name: String,
    /// Where its calls are.
    pub href: String,
    pub figures: Figures,
    /// Of the most called one, in per cent.
    pub percent: u64,
}

impl Figures {
    /// Failed calls of a hundred, with one decimal.
    pub fn error_rate(&self) -> String {
        if self.calls == 0 {
            return "0 %".to_owned();
        }
        let tenths = u128::from(self.errors) * 1_000 / u128::from(self.calls);
        if tenths == 0 && self.errors > 0 {
            return "under 0.1 %".to_owned();
        }
        format!("{}.{} %", tenths / 10, tenths % 10)
    }

    pub fn p50(&self) -> String {
        self.p50_us.map_or_else(|| "–".to_owned(), |us| us.micros())
    }

    pub fn p95(&self) -> String {
        self.p95_us.map_or_else(|| "–".to_owned(), |us| us.micros())
    }
}

impl UsagePage {
    /// When a slot is, in words.
    pub fn slot(&self, slot: &Moment) -> String {
        name(slot.at, self.slot_hours)
    }
}
