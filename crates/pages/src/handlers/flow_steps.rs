//! The steps of a flow as forms: what was filled in becomes the text, which alone is saved.

use std::collections::BTreeMap;

use quaymaster_app::flows::step_form::{self, StepField};

use super::flows::draw;
use crate::views::{Field, FlowPage, OpenStep, StepFieldView, StepForms};

/// What a button of the page asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Act {
    Save,
    Check,
    /// What was filled in becomes text; the form of a step is opened, or all are closed.
    Open(Option<usize>),
    Add(String),
    Remove(usize),
    /// A step and the next one change places, and the form of one of them stays open.
    Swap(usize, usize),
}

impl Act {
    /// `kind` is what a new step shall do.
    pub(super) fn read(button: &str, kind: &str) -> Act {
        let (verb, at) = button.split_once('.').unwrap_or((button, ""));
        match (verb, at.parse::<usize>()) {
            ("check", _) => Act::Check,
            ("close", _) => Act::Open(None),
            ("add", _) => Act::Add(kind.to_owned()),
            ("edit", Ok(at)) => Act::Open(Some(at)),
            ("remove", Ok(at)) => Act::Remove(at),
            ("down", Ok(at)) => Act::Swap(at, at.saturating_add(1)),
            ("up", Ok(at @ 1..)) => Act::Swap(at - 1, at - 1),
            _ => Act::Save,
        }
    }
}

/// The form that was open, with what stands in it.
#[derive(Debug, Clone)]
pub(super) struct Filled {
    pub(super) at: usize,
    /// The step that the form was made of, as JSON.
    pub(super) was: String,
    pub(super) given: BTreeMap<String, String>,
}

const CANNOT: &str =
    "This text is written so that a form cannot change it. Change it in the text, and save.";

/// Draws the text that the page shows, with forms of its steps.
pub(super) fn offer(page: &mut FlowPage, open: Option<usize>) {
    draw(page);
    let count = step_form::count(&page.source);
    page.steps = count.map(|count| StepForms {
        open: open.and_then(|at| opened(&page.source, at, count)),
        kinds: step_form::kinds().collect(),
    });
    let (Some(drawn), Some(count)) = (&mut page.drawn, count) else {
        return;
    };
    let outer = drawn.rows.iter_mut().filter(|row| row.depth == 0);
    for (at, row) in outer.enumerate().take(count) {
        row.at = Some(at);
    }
}

/// Leaves the form open that was. It still counts what was changed since it was opened: a check while one
/// writes does not replace the text.
pub(super) fn stay(page: &mut FlowPage, filled: Option<&Filled>) {
    offer(page, filled.map(|filled| filled.at));
    let open = page.steps.as_mut().and_then(|steps| steps.open.as_mut());
    if let (Some(open), Some(filled)) = (open, filled) {
        open.was.clone_from(&filled.was);
    }
}

fn opened(source: &str, at: usize, count: usize) -> Option<OpenStep> {
    let form = step_form::form(source, at)?;
    let is_shown =
        |field: &StepField| field.key == "id" || !field.value.is_empty() || field.key == form.kind;
    let (fields, more) = form.fields.iter().cloned().partition::<Vec<_>, _>(is_shown);
    let view = |field: StepField| StepFieldView {
        is_yaml: !field.is_text && field.choices.is_empty(),
        rows: rows(&field.value, field.is_text),
        key: field.key,
        help: field.help,
        field: Field::new(field.value),
        choices: field.choices,
    };
    Some(OpenStep {
        at,
        count,
        fields: fields.into_iter().map(view).collect(),
        more: more.into_iter().map(view).collect(),
        kind: form.kind,
        was: form.step.to_string(),
    })
}

fn rows(text: &str, is_text: bool) -> usize {
    match text.lines().count() {
        ..=1 if is_text && text.len() <= 60 => 1,
        lines => lines.clamp(2, 12),
    }
}

/// Why what was filled in did not become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unfit {
    /// A form cannot change the text as it is.
    Text,
    Field,
}

/// The text with what was filled in. On a mistake the page has the form as it was sent, and says so.
pub(super) fn apply(page: &mut FlowPage, filled: Option<&Filled>) -> Result<(), Unfit> {
    let Some(Filled { at, was, given }) = filled else {
        return Ok(());
    };
    match step_form::filled(&page.source, *at, was, |key| given.get(key).cloned()) {
        Ok(text) => {
            page.source = text;
            Ok(())
        }
        Err((key, why)) => {
            offer(page, Some(*at));
            if key.is_empty() {
                page.error = Some(CANNOT.to_owned());
            }
            let steps = page.steps.get_or_insert_default();
            let open = steps.open.get_or_insert_with(|| as_sent(*at, given));
            open.was.clone_from(was);
            for one in open.fields.iter_mut().chain(&mut open.more) {
                if let Some(text) = given.get(&one.key) {
                    one.field.value.clone_from(text);
                }
                if one.key == key {
                    one.field.error = Some(why.clone());
                }
            }
            Err(if key.is_empty() {
                Unfit::Text
            } else {
                Unfit::Field
            })
        }
    }
}

/// The form of a step that the text no longer has, so that nothing is lost that was typed.
fn as_sent(at: usize, given: &BTreeMap<String, String>) -> OpenStep {
    let view = |(key, text): (&String, &String)| StepFieldView {
        key: key.clone(),
        help: String::new(),
        field: Field::new(text.as_str()),
        rows: rows(text, false),
        is_yaml: false,
        choices: Vec::new(),
    };
    let typed = given.iter().filter(|(_, text)| !text.is_empty());
    OpenStep {
        at,
        count: at + 1,
        kind: "not in the text".to_owned(),
        was: String::new(),
        fields: typed.map(view).collect(),
        more: Vec::new(),
    }
}

/// The text after what a button asks for, and the form to open. None when the button asks for none of it.
pub(super) fn act(
    source: &str,
    act: &Act,
) -> Option<Result<(String, Option<usize>), &'static str>> {
    let cannot = |text: Option<String>| text.ok_or(CANNOT);
    Some(match act {
        Act::Save | Act::Check => return None,
        Act::Open(at) => Ok((source.to_owned(), *at)),
        Act::Add(kind) => cannot(step_form::added(source, kind)).map(|text| {
            let last = step_form::count(&text).and_then(|count| count.checked_sub(1));
            (text, last)
        }),
        Act::Remove(at) => cannot(step_form::removed(source, *at)).map(|text| (text, None)),
        Act::Swap(at, open) => {
            cannot(step_form::swapped(source, *at)).map(|text| (text, Some(*open)))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_says_what_it_asks_for() {
        let read = |button| Act::read(button, "http");
        assert_eq!(read("save"), Act::Save);
        assert_eq!(read(""), Act::Save);
        assert_eq!(read("check"), Act::Check);
        assert_eq!(read("edit.2"), Act::Open(Some(2)));
        assert_eq!(read("close"), Act::Open(None));
        assert_eq!(read("add"), Act::Add("http".to_owned()));
        assert_eq!(read("down.0"), Act::Swap(0, 1));
        assert_eq!(read("up.1"), Act::Swap(0, 0));
        assert_eq!(read("up.0"), Act::Save);
        assert_eq!(read("remove.x"), Act::Save);
    }
}
