//! What the clients need of the OpenAPI document: the calls of [`NOUNS`] and the objects in them.

use std::collections::BTreeSet;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::calls::{BY_POSITION, NOUNS};
use super::names::snake;

/// What a value can be.
pub(super) struct Shape {
    pub(super) kind: Kind,
    pub(super) nullable: bool,
}

pub(super) enum Kind {
    Text,
    Integer,
    Number,
    Boolean,
    /// Any JSON.
    Any,
    /// An object of which nothing more is said.
    Json,
    /// One of these words.
    Words(Vec<String>),
    /// A schema of the document, by its name.
    Named(String),
    List(Box<Shape>),
    /// An object whose values are all of one shape.
    Map(Box<Shape>),
    Object(Vec<Field>),
    OneOf(Vec<Shape>),
}

pub(super) struct Field {
    pub(super) name: String,
    pub(super) required: bool,
    /// Lines; empty when the document says nothing.
    pub(super) about: String,
    pub(super) shape: Shape,
}

/// A member of the client.
pub(super) struct Noun {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) calls: Vec<Call>,
}

/// A method of a member: one operation.
pub(super) struct Call {
    pub(super) name: &'static str,
    /// The HTTP method.
    pub(super) verb: String,
    /// What follows `/api/v1/`.
    pub(super) path: Vec<Step>,
    pub(super) summary: String,
    /// The schema of the body. Without one, the inputs are the query.
    pub(super) body: Option<String>,
    pub(super) by_position: Vec<Field>,
    pub(super) by_name: Vec<Field>,
    /// The schema of the answer.
    pub(super) answer: String,
}

pub(super) enum Step {
    Word(String),
    /// An input, by its name in Python.
    Input(String),
}

impl Call {
    /// Whether what is left out stays, so that null means something.
    pub(super) fn changes(&self) -> bool {
        self.verb == "PATCH"
    }

    pub(super) fn needs_fields(&self) -> bool {
        self.changes() || self.by_name.iter().any(|field| field.required)
    }

    pub(super) fn fields(&self) -> impl Iterator<Item = &Field> {
        self.by_position.iter().chain(&self.by_name)
    }

    /// Where the fields are sent.
    pub(super) fn place(&self) -> &'static str {
        if self.body.is_some() { "body" } else { "query" }
    }

    pub(super) fn inputs(&self) -> impl Iterator<Item = &str> {
        self.path.iter().filter_map(|step| match step {
            Step::Input(name) => Some(name.as_str()),
            Step::Word(_) => None,
        })
    }
}

pub(super) struct Operation<'a> {
    verb: &'a str,
    path: &'a str,
    said: &'a Value,
}

impl<'a> Operation<'a> {
    pub(super) fn id(&self) -> &'a str {
        self.said["operationId"].as_str().unwrap_or("")
    }

    pub(super) fn tag(&self) -> &'a str {
        self.said["tags"][0].as_str().unwrap_or("")
    }
}

pub(super) struct Document(Value);

impl Document {
    pub(super) fn of(text: &str) -> Result<Self> {
        let document = serde_json::from_str(text);
        Ok(Self(
            document.context("cannot read the document of the API")?,
        ))
    }

    pub(super) fn operations(&self) -> impl Iterator<Item = Operation<'_>> {
        let paths = self.0["paths"].as_object().into_iter().flatten();
        paths.flat_map(|(path, verbs)| {
            let verbs = verbs.as_object().into_iter().flatten();
            verbs.map(move |(verb, said)| Operation { verb, path, said })
        })
    }

    /// All of the client, in the order of the table.
    pub(super) fn nouns(&self) -> Result<Vec<Noun>> {
        let mut nouns = Vec::new();
        for noun in &NOUNS {
            let mut calls = Vec::new();
            for &(name, id) in noun.calls {
                let call = self.call(noun.name, name, id);
                calls.push(call.with_context(|| format!("{}.{name}, `{id}`", noun.name))?);
            }
            nouns.push(Noun {
                name: noun.name,
                about: noun.about,
                calls,
            });
        }
        Ok(nouns)
    }

    fn call(&self, noun: &str, name: &'static str, id: &str) -> Result<Call> {
        let operation = self.operations().find(|operation| operation.id() == id);
        let operation = operation.context("the document has no such operation")?;
        let body = &operation.said["requestBody"]["content"]["application/json"]["schema"];
        let body = body["$ref"].as_str().map(last);
        let inputs = match body {
            Some(schema) => self.fields(self.schema(schema)?)?,
            None => self.query(operation.said)?,
        };
        let is_by_position =
            |field: &Field| BY_POSITION.contains(&(noun, name, field.name.as_str()));
        let (by_position, by_name) = inputs.into_iter().partition(is_by_position);
        let answers = operation.said["responses"]
            .as_object()
            .into_iter()
            .flatten();
        let mut good = answers.filter(|(status, _)| status.starts_with('2'));
        let (_, answer) = good.next().context("it has no answer")?;
        let answer = answer["content"]["application/json"]["schema"]["$ref"].as_str();
        Ok(Call {
            name,
            verb: operation.verb.to_uppercase(),
            path: steps(operation.path)?,
            summary: text(&operation.said["summary"]),
            body: body.map(str::to_owned),
            by_position,
            by_name,
            answer: last(answer.context("its answer has no name")?).to_owned(),
        })
    }

    fn query(&self, operation: &Value) -> Result<Vec<Field>> {
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let queries = parameters.filter(|parameter| parameter["in"] == "query");
        queries
            .map(|parameter| {
                Ok(Field {
                    name: text(&parameter["name"]),
                    required: parameter["required"] == true,
                    about: text(&parameter["description"]),
                    shape: self.shape(&parameter["schema"])?,
                })
            })
            .collect()
    }

    fn schema(&self, name: &str) -> Result<&Value> {
        let schema = self.0["components"]["schemas"].get(name);
        schema.with_context(|| format!("the document has no schema {name}"))
    }

    /// What a schema says of itself, in lines.
    pub(super) fn about(&self, name: &str) -> Result<String> {
        Ok(text(&self.schema(name)?["description"]))
    }

    pub(super) fn named(&self, name: &str) -> Result<Shape> {
        self.shape(self.schema(name)?)
    }

    /// The names of all schemas in what is asked and answered, those of the answers themselves too.
    pub(super) fn names(&self, nouns: &[Noun]) -> Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for call in nouns.iter().flat_map(|noun| &noun.calls) {
            for field in call.fields() {
                self.names_in(&field.shape, &mut names)?;
            }
            let answer = self.named(&call.answer)?;
            names.insert(call.answer.clone());
            self.names_in(&answer, &mut names)?;
        }
        Ok(names)
    }

    /// Adds the names of all schemas that a shape has in it, at any depth.
    fn names_in(&self, shape: &Shape, names: &mut BTreeSet<String>) -> Result<()> {
        match &shape.kind {
            Kind::Named(name) if names.insert(name.clone()) => {
                self.names_in(&self.named(name)?, names)?;
            }
            Kind::List(inner) | Kind::Map(inner) => self.names_in(inner, names)?,
            Kind::OneOf(choices) => {
                for choice in choices {
                    self.names_in(choice, names)?;
                }
            }
            Kind::Object(fields) => {
                for field in fields {
                    self.names_in(&field.shape, names)?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn shape(&self, schema: &Value) -> Result<Shape> {
        let never_null = |kind| Shape {
            kind,
            nullable: false,
        };
        if let Some(reference) = schema["$ref"].as_str() {
            return Ok(never_null(Kind::Named(last(reference).to_owned())));
        }
        if schema["allOf"].is_array() {
            return Ok(never_null(Kind::Object(self.fields(schema)?)));
        }
        if let Some(choices) = schema["oneOf"].as_array() {
            return self.choice(choices);
        }
        let mut nullable = false;
        let kind = match &schema["type"] {
            Value::Array(kinds) => {
                nullable = kinds.iter().any(|kind| kind == "null");
                let other = kinds.iter().find(|kind| *kind != "null");
                other.and_then(Value::as_str)
            }
            kind => kind.as_str(),
        };
        let kind = match kind {
            None => Kind::Any,
            Some("string") => match schema["enum"].as_array() {
                Some(words) => Kind::Words(words.iter().map(text).collect()),
                None => Kind::Text,
            },
            Some("integer") => Kind::Integer,
            Some("number") => Kind::Number,
            Some("boolean") => Kind::Boolean,
            Some("array") => Kind::List(Box::new(self.shape(&schema["items"])?)),
            Some("object") if schema["properties"].is_object() => {
                Kind::Object(self.fields(schema)?)
            }
            Some("object") if schema["additionalProperties"].is_object() => {
                Kind::Map(Box::new(self.shape(&schema["additionalProperties"])?))
            }
            Some("object") => Kind::Json,
            Some(other) => bail!("no client knows the type {other}"),
        };
        Ok(Shape { kind, nullable })
    }

    fn choice(&self, choices: &[Value]) -> Result<Shape> {
        let real = choices.iter().filter(|choice| choice["type"] != "null");
        let mut shapes: Vec<Shape> = real
            .map(|choice| self.shape(choice))
            .collect::<Result<_>>()?;
        let nullable = shapes.len() < choices.len();
        let kind = match shapes.pop() {
            Some(only) if shapes.is_empty() => only.kind,
            more => {
                shapes.extend(more);
                Kind::OneOf(shapes)
            }
        };
        Ok(Shape { kind, nullable })
    }

    /// The fields of an object, those of what it includes first.
    fn fields(&self, schema: &Value) -> Result<Vec<Field>> {
        let mut fields = Vec::new();
        for part in schema["allOf"].as_array().into_iter().flatten() {
            let part = match part["$ref"].as_str() {
                Some(reference) => self.schema(last(reference))?,
                None => part,
            };
            fields.extend(self.fields(part)?);
        }
        let required = schema["required"].as_array();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            fields.push(Field {
                name: name.clone(),
                required: required.is_some_and(|names| names.iter().any(|one| one == name)),
                about: text(&property["description"]),
                shape: self.shape(property)?,
            });
        }
        Ok(fields)
    }
}

/// The name at the end of a reference.
fn last(reference: &str) -> &str {
    reference.rsplit('/').next().unwrap_or(reference)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}

/// The steps of `/api/v1/...`. An `{id}` is called after the step before it: `workspace_id`.
fn steps(path: &str) -> Result<Vec<Step>> {
    let Some(rest) = path.strip_prefix("/api/v1/") else {
        bail!("{path} is not below /api/v1");
    };
    let mut steps = Vec::new();
    let mut before = "";
    for step in rest.split('/') {
        let input = step
            .strip_prefix('{')
            .and_then(|step| step.strip_suffix('}'));
        steps.push(match input {
            Some("id") => {
                ensure!(!before.is_empty(), "{path} begins with an id");
                let thing = before.strip_suffix('s').unwrap_or(before);
                Step::Input(format!("{}_id", thing.replace('-', "_")))
            }
            Some(name) => Step::Input(snake(name)),
            None => Step::Word(step.to_owned()),
        });
        before = step;
    }
    Ok(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shape(schema: &Value) -> Shape {
        let schemas = json!({
            "Small": { "type": "object", "required": ["a"], "properties": { "a": { "type": "string" } } },
        });
        let document = Document(json!({ "components": { "schemas": schemas } }));
        document.shape(schema).unwrap()
    }

    #[test]
    fn null_is_told_apart_from_what_else_a_value_can_be() {
        let text = shape(&json!({ "type": ["string", "null"] }));
        assert!(text.nullable && matches!(text.kind, Kind::Text));
        let small = json!({ "$ref": "#/components/schemas/Small" });
        let one = shape(&json!({ "oneOf": [small, { "type": "null" }] }));
        assert!(one.nullable && matches!(one.kind, Kind::Named(name) if name == "Small"));
        let two = shape(&json!({ "oneOf": [small, { "type": "string" }] }));
        assert!(!two.nullable && matches!(two.kind, Kind::OneOf(choices) if choices.len() == 2));
    }

    #[test]
    fn an_object_has_the_fields_of_what_it_includes() {
        let schema = json!({ "allOf": [
            { "$ref": "#/components/schemas/Small" },
            { "type": "object", "properties": { "b": { "type": "integer" } } },
        ] });
        let Kind::Object(fields) = shape(&schema).kind else {
            panic!("no object");
        };
        let said: Vec<_> = fields
            .iter()
            .map(|f| (f.name.as_str(), f.required))
            .collect();
        assert_eq!(said, [("a", true), ("b", false)]);
    }

    #[test]
    fn an_id_is_called_after_what_it_is_of() {
        let steps = steps("/api/v1/end-users/{id}/x/{toolName}").unwrap();
        let said: Vec<_> = steps
            .iter()
            .map(|step| match step {
                Step::Word(word) => word.as_str(),
                Step::Input(name) => name.as_str(),
            })
            .collect();
        assert_eq!(said, ["end-users", "end_user_id", "x", "tool_name"]);
    }
}
