//! Steps as forms: what a form has, and the text with what was filled in.

use quaymaster_flows::load;
use quaymaster_flows::step_form::{added, count, filled, form, kinds, removed, swapped};
use std::collections::BTreeMap;

const FLOW: &str = "\
flow: weather
input: { type: object, properties: { city: { type: string } } }
steps:
  # Where it is.
  - id: geo
    http:
      get: https://geo.example/search
      query: { name: \"${{ .input.city }}\" }
    timeout: 5s
  - id: pick   # the first one
    map: .steps.geo.body.results[0]
return: .steps.pick
";

fn fill(at: usize, given: &[(&str, &str)]) -> Result<String, (String, String)> {
    let given: BTreeMap<_, _> = given.iter().copied().collect();
    filled(FLOW, at, "", |key| {
        given.get(key).map(|text| (*text).to_owned())
    })
}

#[test]
fn a_form_has_what_the_step_has_and_what_it_may_have() {
    assert_eq!(count(FLOW), Some(2));
    let geo = form(FLOW, 0).unwrap();
    assert_eq!(geo.kind, "http");
    let value = |key: &str| {
        let field = geo.fields.iter().find(|field| field.key == key);
        field.map(|field| (field.value.as_str(), field.is_text))
    };
    assert_eq!(value("id"), Some(("geo", true)));
    assert_eq!(
        value("http.get"),
        Some(("https://geo.example/search", true))
    );
    assert_eq!(value("http.post"), Some(("", true)));
    let (query, is_text) = value("http.query").unwrap();
    assert!(
        query.starts_with("name: ") && query.contains("${{ .input.city }}") && !is_text,
        "{query}"
    );
    assert_eq!(value("timeout"), Some(("5s", true)));
    assert_eq!(value("sql.query"), None, "that is for another kind");
    assert_eq!(value("return"), None);
    let sorted: Vec<_> = geo.fields.iter().map(|field| &*field.key).take(2).collect();
    assert_eq!(sorted, ["id", "http.get"]);
    let unknown = geo
        .fields
        .iter()
        .find(|field| field.key == "on_unknown")
        .unwrap();
    assert_eq!(unknown.choices, ["fail", "retry"]);
    assert_eq!(form(FLOW, 1).unwrap().kind, "map");
    assert_eq!(form(FLOW, 2), None);
}

#[test]
fn what_was_filled_in_changes_its_step_and_nothing_else() {
    let text = fill(
        0,
        &[
            ("http.get", "https://other.example/"),
            ("title", "Find it"),
            ("timeout", " "),
        ],
    )
    .unwrap();
    assert!(text.contains("  # Where it is.\n  - id: geo\n"), "{text}");
    assert!(text.contains("  - id: pick   # the first one\n"), "{text}");
    let flow = load::flow(&text, "").unwrap();
    let step = serde_json::to_value(&flow.steps[0]).unwrap();
    assert_eq!(step["http"]["get"], "https://other.example/");
    assert_eq!(step["http"]["query"]["name"], "${{ .input.city }}");
    assert_eq!(
        (&step["title"], step.get("timeout")),
        (&"Find it".into(), None)
    );
    // Unchanged fields leave a text as it is.
    let same = fill(1, &[("map", ".steps.geo.body.results[0]"), ("id", "pick")]).unwrap();
    assert_eq!(load::flow(&same, "").unwrap().steps.len(), 2);
}

#[test]
fn what_was_changed_in_the_text_meanwhile_stays() {
    let was = form(FLOW, 0).unwrap();
    let moved = swapped(FLOW, 0).unwrap().replace("/search", "/find");
    let text = filled(&moved, 0, &was.step.to_string(), |key| {
        let own = was.fields.iter().find(|field| field.key == key)?;
        Some(if key == "title" {
            "Found".to_owned()
        } else {
            own.value.clone()
        })
    });
    let text = text.unwrap();
    let geo = form(&text, 1).unwrap().step;
    assert_eq!(geo["http"]["get"], "https://geo.example/find");
    assert_eq!(geo["title"], "Found");
    let gone = filled(
        "flow: a\nsteps:\n  - map: .\n",
        0,
        &was.step.to_string(),
        |_| None,
    );
    assert_eq!(gone.unwrap_err(), (String::new(), String::new()));
}

#[test]
fn no_yaml_is_told_at_its_field() {
    let (key, why) = fill(0, &[("http.query", "{ name: [")]).unwrap_err();
    assert_eq!(key, "http.query");
    assert!(!why.is_empty());
}

#[test]
fn every_kind_can_be_added_and_is_then_a_flow_or_names_what_it_lacks() {
    for (kind, help) in kinds() {
        assert!(!help.is_empty(), "{kind}");
        let text = added(FLOW, kind).unwrap_or_else(|| panic!("{kind}"));
        let again = added(&text, kind).unwrap();
        assert_eq!(count(&again), Some(4), "{again}");
        assert!(load::saved(&again).is_ok(), "{again}");
        assert_eq!(form(&again, 3).unwrap().kind, kind);
        load::flow(&again, "").unwrap_or_else(|problems| panic!("{again}\n{problems:#?}"));
    }
    assert_eq!(added(FLOW, "nothing"), None);
}

#[test]
fn steps_are_removed_and_moved() {
    let moved = swapped(FLOW, 0).unwrap();
    assert_eq!(form(&moved, 0).unwrap().kind, "map");
    assert_eq!(count(&removed(FLOW, 0).unwrap()), Some(1));
    assert_eq!(removed(FLOW, 7), None);
}

#[test]
fn the_flows_of_the_packs_can_be_changed_by_forms() {
    let text = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../packs/weather.yaml"
    ))
    .unwrap();
    let begins = text.find("  - flow: ").unwrap();
    let first = text[begins + 4..]
        .split("\n  - flow: ")
        .next()
        .unwrap()
        .replace("\n    ", "\n");
    let steps = count(&first).unwrap();
    assert!(steps > 0);
    for at in 0..steps {
        let form = form(&first, at).unwrap();
        // Everything is filled in as it is, but for the name.
        let text = filled(&first, at, "", |key| {
            let own = form.fields.iter().find(|field| field.key == key)?;
            Some(if key == "title" {
                "Another".to_owned()
            } else {
                own.value.clone()
            })
        });
        let text = text.unwrap();
        let mut step = load::flow(&text, "").unwrap().steps.remove(at);
        assert_eq!(step.title.take().as_deref(), Some("Another"));
        let mut before = load::flow(&first, "").unwrap().steps.remove(at);
        before.title = None;
        assert_eq!(
            serde_json::to_value(step).unwrap(),
            serde_json::to_value(before).unwrap()
        );
    }
}
