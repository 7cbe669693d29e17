//! Values in the places of expressions.

use super::Frame;
use crate::context::Context;
use crate::expression::Program;
use crate::fault::StepFault;
use crate::host::{Text, TextPart};
use crate::template::{Part, Shape, Template, written};
use indexmap::IndexMap;
use quaymaster_core::schema::shorten;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// The values of a step's expressions, by the digests of the programs.
pub(super) struct Values(HashMap<String, Value>);

impl Frame<'_> {
    /// The values of programs, in one round trip; of those that are only a path, in none.
    pub(super) async fn values(
        &self,
        programs: &[&Program],
        context: &Context,
    ) -> Result<Values, StepFault> {
        let mut values = HashMap::new();
        let mut asked: Vec<Program> = Vec::new();
        for program in programs {
            if values.contains_key(program.digest()) || asked.contains(program) {
                continue;
            }
            match program.in_place(context) {
                Some(value) => {
                    values.insert(program.digest().to_owned(), value);
                }
                None => asked.push(Program::clone(program)),
            }
        }
        if !asked.is_empty() {
            // Of a large context mostly a small part is read, and all of it would go to a worker.
            let read = context.for_programs(asked.iter());
            let mut answers = self.run.host.evaluate(&asked, &read).await.into_iter();
            for program in &asked {
                let answer = answers
                    .next()
                    .unwrap_or_else(|| Err(StepFault::flow("An expression was not answered.")));
                let value = answer.map_err(|fault| of(program, fault))?;
                values.insert(program.digest().to_owned(), value);
            }
        }
        Ok(Values(values))
    }

    pub(super) async fn value(
        &self,
        program: &Program,
        context: &Context,
    ) -> Result<Value, StepFault> {
        let mut values = self.values(&[program], context).await?;
        Ok(values.0.remove(program.digest()).unwrap_or_default())
    }

    /// Neither false nor null, as jq has it.
    pub(super) async fn holds(
        &self,
        program: &Program,
        context: &Context,
    ) -> Result<bool, StepFault> {
        let value = self.value(program, context).await?;
        Ok(!matches!(value, Value::Null | Value::Bool(false)))
    }
}

/// Says which expression failed.
fn of(program: &Program, fault: StepFault) -> StepFault {
    match fault.hint {
        Some(_) => fault,
        None => fault.hint(format!("The expression: {}", shorten(program.source()))),
    }
}

impl Values {
    pub(super) fn of(&self, program: &Program) -> &Value {
        self.0.get(program.digest()).unwrap_or(&Value::Null)
    }

    /// A template as a value: an expression alone keeps its type.
    pub(super) fn template(&self, template: &Template) -> Value {
        match template.alone() {
            Some(program) => self.of(program).clone(),
            None => self.text(template).into(),
        }
    }

    /// A template as text. Secrets have no place here, and lint says so.
    pub(super) fn text(&self, template: &Template) -> String {
        let mut text = String::new();
        for part in template.parts() {
            match part {
                Part::Text(plain) => text.push_str(plain),
                Part::Program(program) => text.push_str(&written(self.of(program))),
                Part::Secret(_) => {}
            }
        }
        text
    }

    /// A template as text that only the host can finish.
    pub(super) fn secret_text(&self, template: &Template) -> Text {
        let parts = template.parts().iter().map(|part| match part {
            Part::Text(plain) => TextPart::Literal(plain.clone()),
            Part::Program(program) => TextPart::Literal(written(self.of(program))),
            Part::Secret(name) => TextPart::Secret(name.clone()),
        });
        Text(parts.collect())
    }

    pub(super) fn shape(&self, shape: &Shape) -> Value {
        match shape {
            Shape::Null => Value::Null,
            Shape::Bool(value) => (*value).into(),
            Shape::Number(number) => number.clone().into(),
            Shape::Text(template) => self.template(template),
            Shape::List(list) => list.iter().map(|item| self.shape(item)).collect(),
            Shape::Map(map) => Value::Object(self.members(map)),
        }
    }

    pub(super) fn members(&self, members: &IndexMap<String, Shape>) -> Map<String, Value> {
        members
            .iter()
            .map(|(name, shape)| (name.clone(), self.shape(shape)))
            .collect()
    }

    /// A parameter or header: none for null, several for a list.
    pub(super) fn texts(&self, shape: &Shape) -> Vec<Text> {
        match shape {
            Shape::Text(template) if template.secrets().next().is_some() => {
                vec![self.secret_text(template)]
            }
            Shape::List(list) => list.iter().flat_map(|item| self.texts(item)).collect(),
            other => match self.shape(other) {
                Value::Null => Vec::new(),
                Value::Array(list) => {
                    let items = list.iter().filter(|item| !item.is_null());
                    items.map(|item| Text::literal(written(item))).collect()
                }
                value => vec![Text::literal(written(&value))],
            },
        }
    }

    pub(super) fn pairs(&self, members: &IndexMap<String, Shape>) -> Vec<(String, Text)> {
        let all = members.iter().flat_map(|(name, shape)| {
            let texts = self.texts(shape).into_iter();
            texts.map(|text| (name.clone(), text))
        });
        all.collect()
    }
}
