//! Schemas of inputs made small enough for an agent to read.

use serde_json::{Map, Value, json};

/// More values than this are told by their kind only, when there is no room.
const MANY_VALUES: usize = 50;

/// Changes a schema; told how many are around it.
type Step<'s> = &'s dyn Fn(&mut Map<String, Value>, usize);

/// Cuts a schema of inputs until it has at most `limit` bytes as JSON. What was taken out, in
/// words; or its size, when nothing helped.
pub(super) fn fit(params: &mut Map<String, Value>, limit: usize) -> Result<Option<String>, usize> {
    let before = size(params);
    if before <= limit {
        return Ok(None);
    }
    let mut taken = Vec::new();
    let steps: [(&str, Step<'_>); 6] = [
        ("the descriptions of what is nested", &|schema, depth| {
            if depth > 1 {
                schema.remove("description");
            }
        }),
        ("all descriptions", &|schema, _| {
            schema.remove("description");
        }),
        ("examples", &|schema, _| {
            schema.remove("examples");
            schema.remove("default");
        }),
        ("long lists of values", &|schema, _| {
            if let Some(Value::Array(values)) = schema.get("enum")
                && values.len() > MANY_VALUES
            {
                schema.remove("enum");
            }
        }),
        ("what is nested deeper than 3 levels", &|schema, depth| {
            cut(schema, depth, 3);
        }),
        ("what is nested deeper than 1 level", &|schema, depth| {
            cut(schema, depth, 1);
        }),
    ];
    for (what, step) in steps {
        let now = size(params);
        each(params, 0, step);
        if size(params) < now {
            taken.push(what);
        }
        if size(params) <= limit {
            // The first of the two says no more when the second follows.
            taken.dedup_by(|second, first| {
                *first == "the descriptions of what is nested" && *second == "all descriptions" && {
                    *first = second;
                    true
                }
            });
            return Ok(Some(format!(
                "The schema of its inputs has {before} bytes; left out: {}.",
                taken.join(", ")
            )));
        }
    }
    Err(before)
}

/// Bytes as JSON.
pub(super) fn size(params: &Map<String, Value>) -> usize {
    struct Count(usize);
    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut count = Count(0);
    let _ = serde_json::to_writer(&mut count, params);
    count.0
}

/// Each schema, from the outermost; `depth` counts the schemas around it.
fn each(schema: &mut Map<String, Value>, depth: usize, step: Step<'_>) {
    step(schema, depth);
    for (word, value) in schema.iter_mut() {
        match (word.as_str(), value) {
            ("properties" | "patternProperties" | "dependentSchemas", Value::Object(named)) => {
                for inner in named.values_mut() {
                    if let Value::Object(inner) = inner {
                        each(inner, depth + 1, step);
                    }
                }
            }
            ("allOf" | "anyOf" | "oneOf" | "prefixItems", Value::Array(list)) => {
                for inner in list {
                    if let Value::Object(inner) = inner {
                        each(inner, depth + 1, step);
                    }
                }
            }
            (
                "items"
                | "additionalProperties"
                | "contains"
                | "not"
                | "if"
                | "then"
                | "else"
                | "propertyNames"
                | "unevaluatedItems"
                | "unevaluatedProperties",
                Value::Object(inner),
            ) => each(inner, depth + 1, step),
            _ => {}
        }
    }
}

/// Leaves only the type of what stands at this depth.
fn cut(schema: &mut Map<String, Value>, depth: usize, deepest: usize) {
    if depth < deepest {
        return;
    }
    for word in [
        "properties",
        "patternProperties",
        "dependentSchemas",
        "dependentRequired",
        "required",
        "allOf",
        "anyOf",
        "oneOf",
        "not",
        "if",
        "then",
        "else",
        "additionalProperties",
        "prefixItems",
        "contains",
        "propertyNames",
        "unevaluatedItems",
        "unevaluatedProperties",
    ] {
        schema.remove(word);
    }
    if let Some(Value::Object(items)) = schema.remove("items")
        && let Some(kind) = items.get("type")
    {
        schema.insert("items".to_owned(), json!({ "type": kind }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_tells_least_goes_first() {
        let inner = json!({ "type": "object", "description": "d".repeat(200), "properties": { "x": { "type": "object", "properties": { "y": { "type": "string", "description": "e".repeat(300) } } } } });
        let Value::Object(whole) = json!({ "type": "object", "properties": { "a": inner } }) else {
            unreachable!();
        };
        let mut params = whole.clone();
        assert_eq!(fit(&mut params, 4_000), Ok(None));
        assert_eq!(params, whole);
        let told = fit(&mut params, 450).unwrap().unwrap();
        assert!(
            told.ends_with("left out: the descriptions of what is nested."),
            "{told}"
        );
        assert!(params["properties"]["a"]["description"].is_string());
        let told = fit(&mut params, 120).unwrap().unwrap();
        assert!(told.contains("all descriptions"), "{told}");
        fit(&mut params, 10).unwrap_err();
    }
}
