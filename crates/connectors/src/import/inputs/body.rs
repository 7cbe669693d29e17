//! Bodies: members beside the other inputs where that says all, else one input that is the body.

use super::style::is;
use super::{Draft, Parameter, constant_header, schema};
use crate::definition::{ContentType, Verb};
use crate::import::media::{self, Media};
use crate::import::openapi::Found;
use crate::import::refs::Spot;
use crate::import::schema::{Dialect, Schemas};
use crate::import::words::line;
use serde_json::{Map, Value, json};

/// What a body adds to the inputs.
#[derive(Default)]
pub(super) struct Members {
    /// Name, schema, and whether it is required.
    pub(super) properties: Vec<(String, Map<String, Value>, bool)>,
    pub(super) content_type: ContentType,
    /// JSON under another name.
    media_type: Option<String>,
    /// The whole body, for when a member's name is taken.
    whole: Map<String, Value>,
    required: bool,
    in_query: bool,
}

/// The words of an object that are kept when its members stand beside other inputs.
const FLAT: [&str; 11] = [
    "type",
    "properties",
    "required",
    "description",
    "examples",
    "default",
    "deprecated",
    "minProperties",
    "maxProperties",
    "additionalProperties",
    "unevaluatedProperties",
];

pub(super) fn read(
    schemas: &mut Schemas,
    found: &Found<'_>,
    verb: Verb,
    of_v2: Vec<Parameter<'_>>,
) -> Result<Members, String> {
    let mut members = Members {
        in_query: verb.has_query(),
        ..Members::default()
    };
    let has_none = matches!(verb, Verb::Get | Verb::Head);
    if schemas.dialect == Dialect::V2 {
        if of_v2.is_empty() {
            return Ok(members);
        }
        if has_none {
            return no_body(schemas, of_v2.iter().any(|one| one.spot.flag("required")))
                .map(|()| members);
        }
        return v2(schemas, found, of_v2, members);
    }
    let Some(body) = found.spot.get("requestBody") else {
        return Ok(members);
    };
    let body = body
        .resolved()
        .map_err(|why| format!("its body cannot be read: {why}"))?;
    members.required = body.flag("required");
    if has_none {
        return no_body(schemas, members.required).map(|()| members);
    }
    let offered: Vec<(&str, Spot<'_>)> = body.named("content").collect();
    let names: Vec<&str> = offered.iter().map(|(name, _)| *name).collect();
    if names.is_empty() {
        return Ok(members);
    }
    let (at, media) = chosen(&names)?;
    let spot = offered
        .get(at)
        .and_then(|(_, media)| media.resolved().ok()?.get("schema"));
    members.take(schemas, media, spot)?;
    Ok(members)
}

fn no_body(schemas: &mut Schemas, required: bool) -> Result<(), String> {
    if required {
        return Err("it needs a body, and GET and HEAD have none".to_owned());
    }
    schemas.change("Its body is left out: GET and HEAD have none.");
    Ok(())
}

fn chosen(names: &[&str]) -> Result<(usize, Media), String> {
    media::best(names).ok_or_else(|| {
        let names: Vec<String> = names.iter().take(4).map(|name| line(name, 60)).collect();
        format!(
            "its body is {}, which the format cannot write",
            names.join(" or ")
        )
    })
}

fn v2(
    schemas: &mut Schemas,
    found: &Found<'_>,
    of_v2: Vec<Parameter<'_>>,
    mut members: Members,
) -> Result<Members, String> {
    let consumes: Vec<&str> = found.consumes.clone();
    if let Some(body) = of_v2.iter().find(|one| one.spot.text("in") == Some("body")) {
        members.required = body.spot.flag("required");
        let (_, media) = if consumes.is_empty() {
            (0, Media::Json(None))
        } else {
            chosen(&consumes)?
        };
        members.take(schemas, media, body.spot.get("schema"))?;
        return Ok(members);
    }
    let has_file = of_v2
        .iter()
        .any(|one| one.spot.text("type") == Some("file"));
    let is_multipart = consumes.iter().any(|name| name.starts_with("multipart/"));
    let is_form = consumes.iter().any(|name| name.contains("form-urlencoded"));
    let multipart = has_file || (is_multipart && !is_form);
    members.content_type = if multipart {
        ContentType::Multipart
    } else {
        ContentType::Form
    };
    members.required = true;
    for one in of_v2 {
        let required = one.spot.flag("required");
        let mut made = if one.spot.text("type") == Some("file") {
            file(one.spot.text("description"))
        } else {
            schema(schemas, one.spot).0
        };
        if is(&made, "array") && !multipart && one.spot.text("collectionFormat") != Some("multi") {
            made.insert("x-style".to_owned(), "comma".into());
        }
        members
            .properties
            .push((one.name.to_owned(), made, required));
    }
    Ok(members)
}

impl Members {
    fn take(
        &mut self,
        schemas: &mut Schemas,
        media: Media,
        spot: Option<Spot<'_>>,
    ) -> Result<(), String> {
        let made = spot.map(|spot| schemas.write(spot));
        let mut made = match made {
            Some(Value::Object(made)) => made,
            _ => Map::new(),
        };
        self.content_type = match media {
            Media::Json(name) => {
                self.media_type = name;
                ContentType::Json
            }
            Media::Form => ContentType::Form,
            Media::Multipart => ContentType::Multipart,
            Media::Text => {
                self.content_type = ContentType::Text;
                let mut text = Map::new();
                text.insert("type".to_owned(), "string".into());
                text.extend(
                    made.remove("description")
                        .map(|said| ("description".to_owned(), said)),
                );
                self.properties
                    .push(("text".to_owned(), text, self.required));
                return Ok(());
            }
        };
        let is_pairs = self.content_type != ContentType::Json;
        if is_pairs && !made.is_empty() && !is(&made, "object") {
            return Err("its form is no object, so it has no names".to_owned());
        }
        if self.content_type == ContentType::Multipart {
            files(schemas, &mut made);
        }
        let required: Vec<String> = strings(made.get("required"));
        let is_closed = made
            .get("additionalProperties")
            .is_none_or(Value::is_boolean)
            && made
                .get("unevaluatedProperties")
                .is_none_or(Value::is_boolean);
        let is_flat = is(&made, "object")
            && !matches!(made.get("type"), Some(Value::Array(_)))
            && is_closed
            && made.keys().all(|word| FLAT.contains(&word.as_str()))
            // Without a body nothing is required, with one something is: only a whole says that.
            && (self.required || required.is_empty());
        if let (true, Some(Value::Object(properties))) = (is_flat, made.get("properties")) {
            for (name, schema) in properties {
                let schema = schema.as_object().cloned().unwrap_or_default();
                self.properties
                    .push((name.clone(), schema, required.contains(name)));
            }
            for name in required
                .iter()
                .filter(|name| !properties.contains_key(*name))
            {
                self.properties.push((name.clone(), Map::new(), true));
            }
        }
        self.whole = made;
        if self.properties.is_empty() {
            let whole = std::mem::take(&mut self.whole);
            self.properties
                .push(("body".to_owned(), entire(whole), self.required));
        }
        Ok(())
    }

    /// Puts the members among the other inputs.
    pub(super) fn add(mut self, schemas: &mut Schemas, draft: &mut Draft) -> Result<(), String> {
        if let Some(name) = &self.media_type {
            draft.put("content-type", constant_header(name), true);
        }
        let clash = self
            .properties
            .iter()
            .find(|(name, ..)| draft.has(name))
            .map(|(name, ..)| name.clone());
        if let Some(name) = clash {
            if self.content_type == ContentType::Text {
                return Err("it has a parameter `text` beside a body of text".to_owned());
            }
            let mut whole = std::mem::take(&mut self.whole);
            if whole.is_empty() {
                whole = object_of(&self.properties);
            }
            let is_whole = self.properties.len() == 1
                && self.properties[0].1.get("x-in") == Some(&json!("entire_body"));
            if is_whole {
                whole = std::mem::take(&mut self.properties[0].1);
            } else {
                schemas.change(format!(
                    "The body is one input, because {} is a parameter as well.",
                    line(&name, 60)
                ));
            }
            let free = ["body", "payload", "request_body"]
                .into_iter()
                .find(|name| !draft.has(name));
            let free = free.ok_or("all names for its body are taken")?;
            self.properties = vec![(free.to_owned(), entire(whole), self.required)];
        }
        for (name, mut made, required) in self.properties {
            if self.in_query && !made.contains_key("x-in") {
                made.insert("x-in".to_owned(), "body".into());
            }
            draft.put(&name, made, required);
        }
        Ok(())
    }
}

fn entire(mut schema: Map<String, Value>) -> Map<String, Value> {
    schema.insert("x-in".to_owned(), "entire_body".into());
    schema
}

fn object_of(properties: &[(String, Map<String, Value>, bool)]) -> Map<String, Value> {
    let required: Vec<&str> = properties
        .iter()
        .filter(|(.., required)| *required)
        .map(|(name, ..)| name.as_str())
        .collect();
    let named = properties
        .iter()
        .map(|(name, schema, _)| (name.clone(), schema.clone().into()));
    let named: Map<String, Value> = named.collect();
    let mut made = Map::new();
    made.insert("type".to_owned(), "object".into());
    if !required.is_empty() {
        made.insert("required".to_owned(), json!(required));
    }
    made.insert("properties".to_owned(), named.into());
    made
}

fn strings(value: Option<&Value>) -> Vec<String> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Members of a multipart body that are bytes, as the format has files.
fn files(schemas: &mut Schemas, made: &mut Map<String, Value>) {
    let Some(Value::Object(properties)) = made.get_mut("properties") else {
        return;
    };
    for (name, property) in properties.iter_mut() {
        let said = property
            .get("description")
            .and_then(Value::as_str)
            .map(str::to_owned);
        if is_bytes(property) {
            *property = file(said.as_deref()).into();
        } else if property.get("items").is_some_and(is_bytes) {
            schemas.change(format!(
                "{} takes one file, not a list of them.",
                line(name, 60)
            ));
            *property = file(said.as_deref()).into();
        }
    }
}

fn is_bytes(property: &Value) -> bool {
    property.get("format").and_then(Value::as_str) == Some("binary")
        || property.get("contentMediaType").and_then(Value::as_str)
            == Some("application/octet-stream")
}

fn file(description: Option<&str>) -> Map<String, Value> {
    let made = json!({
        "type": "object",
        "description": description.map(|text| line(text, 400)).filter(|text| !text.is_empty()).unwrap_or_else(|| "A file".to_owned()),
        "properties": {
            "filename": { "type": "string" },
            "media_type": { "type": "string" },
            "content": { "type": "string", "description": "Its text" },
            "content_base64": { "type": "string", "description": "Its bytes as Base64, instead of content" },
        },
    });
    made.as_object().cloned().unwrap_or_default()
}
