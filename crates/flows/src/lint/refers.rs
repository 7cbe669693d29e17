//! What expressions may name at a place.

use crate::expression::Program;
use crate::format::Flow;
use crate::template::{Shape, Template};
use quaymaster_core::suggest::did_you_mean;
use quaymaster_yaml::{Report, Spot};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What there is for expressions at one place of a flow.
#[derive(Clone)]
pub(super) struct Scope<'a> {
    pub(super) flow: &'a Flow,
    /// Variables of the pack that the flow belongs to.
    pub(super) shared: &'a BTreeSet<String>,
    /// Every id, and the place of its step.
    pub(super) ids: &'a BTreeMap<&'a str, Spot>,
    /// Steps that have run, or were left out.
    pub(super) before: BTreeSet<&'a str>,
    /// Variables of loops around, `index` with them.
    pub(super) loops: Vec<&'a str>,
    /// Within `catch` or `on_error`.
    pub(super) handles: bool,
    /// Within `for_each` or `parallel`.
    pub(super) apart: bool,
    /// Lists of steps around.
    pub(super) depth: usize,
}

impl Scope<'_> {
    /// Every template within a value; secrets have no place there.
    pub(super) fn shape(&self, shape: &Shape, at: &Spot, report: &mut Report) {
        self.shape_with(shape, false, at, report);
    }

    pub(super) fn shape_with(&self, shape: &Shape, secrets: bool, at: &Spot, report: &mut Report) {
        shape.each(&[], &mut |path, template| {
            self.template(template, secrets, &at.keys(path), report);
        });
    }

    pub(super) fn template(
        &self,
        template: &Template,
        secrets: bool,
        at: &Spot,
        report: &mut Report,
    ) {
        if !secrets && let Some(name) = template.secrets().next() {
            report.say(
                at,
                format!("The secret {name} has no place here: secrets stand in headers, the query and `auth` of a step `http`."),
            );
        }
        for program in template.programs() {
            self.program(program, at, report);
        }
    }

    pub(super) fn program(&self, program: &Program, at: &Spot, report: &mut Report) {
        for reference in program.references() {
            // What is behind a pipe may be something else altogether.
            if !reference.certain {
                continue;
            }
            let mut path = reference.path.iter().map(String::as_str);
            let first = path.next().unwrap_or_default();
            match (first, path.next()) {
                ("steps", Some(id)) => self.step(id, at, report),
                ("vars", Some(name)) => self.variable(name, at, report),
                ("input", Some(name)) => self.input(name, at, report),
                ("input" | "steps" | "vars" | "run" | "caller", _) => {}
                ("error", _) => report.unless(
                    self.handles,
                    at,
                    "`.error` is known in `catch` and `on_error` alone.",
                ),
                ("index", _) => report.unless(
                    !self.loops.is_empty(),
                    at,
                    "`.index` is known in `for_each` alone.",
                ),
                (name, _) if self.loops.contains(&name) => {}
                (name, _) => {
                    let mut known = vec!["input", "steps", "vars", "run", "caller"];
                    known.extend(&self.loops);
                    let message = format!("Nothing is called `.{name}` here.");
                    report.say(at, meant(message, name, &known));
                }
            }
        }
    }

    fn step(&self, id: &str, at: &Spot, report: &mut Report) {
        if self.before.contains(id) {
            return;
        }
        if self.ids.contains_key(id) {
            report.say(
                at,
                format!("The step {id:?} has not run here: it comes later, runs beside this, or within a loop that this is not in."),
            );
            return;
        }
        let known: Vec<&str> = self.before.iter().copied().collect();
        report.say(at, meant(format!("There is no step {id:?}."), id, &known));
    }

    fn variable(&self, name: &str, at: &Spot, report: &mut Report) {
        if self.flow.vars.contains_key(name) || self.shared.contains(name) {
            return;
        }
        let own = self.flow.vars.keys().map(String::as_str);
        let known: Vec<&str> = own.chain(self.shared.iter().map(String::as_str)).collect();
        let message = format!("There is no variable {name:?}. A flow has its own in `vars`.");
        report.say(at, meant(message, name, &known));
    }

    /// Inputs that the schema does not know are a mistake, where it knows all.
    fn input(&self, name: &str, at: &Spot, report: &mut Report) {
        let schema = self.flow.input_schema();
        let open = [
            "allOf",
            "anyOf",
            "oneOf",
            "patternProperties",
            "if",
            "dependentSchemas",
        ];
        let more = schema.get("additionalProperties");
        if open.iter().any(|word| schema.contains_key(*word))
            || more.is_some_and(|more| *more != Value::Bool(false))
        {
            return;
        }
        let Some(Value::Object(properties)) = schema.get("properties") else {
            return;
        };
        if !properties.contains_key(name) {
            let known: Vec<&str> = properties.keys().map(String::as_str).collect();
            report.say(
                at,
                meant(format!("There is no input {name:?}."), name, &known),
            );
        }
    }
}

/// The message and what was probably meant.
pub(super) fn meant(message: String, name: &str, known: &[&str]) -> String {
    match did_you_mean(name, known.iter().copied(), 1).pop() {
        Some(close) => format!("{message} Did you mean `{close}`?"),
        None if known.is_empty() => message,
        None => format!("{message} There are: {}.", known.join(", ")),
    }
}
