//! What is evaluated in place is what jq answers.

use crate::jq::evaluate;
use quaymaster_flows::context::Context;
use quaymaster_flows::expression::Program;
use serde_json::{Value, json};

fn context() -> Context {
    let mut context = Context::default();
    context.set("input", json!({ "city": "Lisbon", "n": 1.5, "list": [1, [2, {"x": null}]], "no": false, "odd key": 7 }));
    context.set("index", json!(3));
    context.set_step(
        "geo",
        json!({ "body": { "results": [{ "name": "Lisboa" }], "big": 12_345_678_901_234_567_890_u64 } }),
    );
    context.set_step("none", Value::Null);
    context
}

/// Both ways answer the same, or the fast one leaves it to jq.
fn same(source: &str) -> bool {
    let context = context();
    let program = Program::parse(source).unwrap();
    match program.in_place(&context) {
        Some(value) => {
            assert_eq!(Ok(value), evaluate(source, &context.to_value()), "{source}");
            true
        }
        None => false,
    }
}

#[test]
fn paths_and_constants_need_no_jq_and_answer_the_same() {
    for source in [
        ".input.city",
        ".input.n",
        ".input",
        ".index",
        ".steps.geo.body.results[0].name",
        ".steps.geo.body.big",
        ".steps.geo.body.results[7].name",
        ".steps.none.body.x[1]",
        ".steps.nowhere.x",
        ".nowhere.x",
        ".input.list[1][1].x",
        ".input[\"odd key\"]",
        ".input.no",
        "1",
        "0",
        "\"text\"",
        "true",
        "null",
    ] {
        assert!(same(source), "{source} is left to jq");
    }
}

#[test]
fn what_fails_and_what_is_more_is_left_to_jq() {
    for source in [
        ".input.city.x",
        ".input.list.x",
        ".input[0]",
        ".input.list[1:]",
        ".input.city?",
        ".input | .city",
        "[.input.city]",
        "1 + 1",
        "\"\\(.index)\"",
        "\"\\u0041\"",
        "1.0",
        "007",
        ".",
        "..",
        ".steps[0]",
        "-1",
    ] {
        assert!(!same(source), "{source} is answered in place");
    }
}

proptest::proptest! {
    #[test]
    fn any_path_is_answered_as_jq_does(parts in proptest::collection::vec(
        proptest::sample::select(vec![
            ".input", ".city", ".steps", ".geo", ".body", ".results", "[0]", "[1]", ".list", ".x",
            "[\"odd key\"]", ".none", ".index", ".name",
        ]), 1..6)) {
        let source = parts.concat();
        if source.starts_with('.') {
            same(&source);
        }
    }
}
