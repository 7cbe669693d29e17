//! What differs between a value and what was expected of it.

use serde_json::Value;

/// One line for each difference. Unless it is `exact`, objects may have more members than expected.
pub(super) fn differences(at: &str, wanted: &Value, got: &Value, exact: bool) -> Vec<String> {
    match (wanted, got) {
        (Value::Object(wanted), Value::Object(got)) => {
            let mut found: Vec<String> = Vec::new();
            for (key, wanted) in wanted {
                let at = format!("{at}.{key}");
                match got.get(key) {
                    Some(got) => found.extend(differences(&at, wanted, got, exact)),
                    None => {
                        found.push(format!("{at}: {wanted} is expected, and nothing is there."));
                    }
                }
            }
            if exact {
                let more = got.iter().filter(|(key, _)| !wanted.contains_key(*key));
                found.extend(more.map(|(key, got)| {
                    format!("{at}.{key}: nothing is expected, and {got} is there.")
                }));
            }
            found
        }
        (Value::Array(wanted), Value::Array(got)) if wanted.len() == got.len() => {
            let items = wanted.iter().zip(got).enumerate();
            items
                .flat_map(|(index, (wanted, got))| {
                    differences(&format!("{at}[{index}]"), wanted, got, exact)
                })
                .collect()
        }
        (Value::Number(one), Value::Number(other)) if one.as_f64() == other.as_f64() => Vec::new(),
        (wanted, got) if wanted == got => Vec::new(),
        (wanted, got) => vec![format!("{at}: {wanted} is expected, and {got} is there.")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn objects_may_have_more_and_lists_may_not() {
        let none: [String; 0] = [];
        let diff = |wanted: &Value, got: &Value, exact| differences("x", wanted, got, exact);
        let (small, large) = (json!({"a": 1}), json!({"a": 1.0, "b": 2}));
        assert_eq!(diff(&small, &large, false), none);
        assert_eq!(diff(&small, &large, true).len(), 1);
        assert_eq!(diff(&json!([1]), &json!([1, 2]), false).len(), 1);
        assert_eq!(
            diff(
                &json!({"a": [{"b": 1}]}),
                &json!({"a": [{"b": "1"}]}),
                false
            ),
            ["x.a[0].b: 1 is expected, and \"1\" is there."]
        );
    }
}
