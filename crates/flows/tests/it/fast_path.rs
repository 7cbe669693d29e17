//! What is evaluated in place is what jq answers.

use crate::jq::evaluate;
use proptest::prelude::{Strategy, prop_oneof};
use proptest::sample::select;
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

/// Programs whose every part reads something else.
fn programs() -> impl Strategy<Value = String> {
    let leaf = select(vec![
        ".input.city",
        ".input",
        ".steps.geo.body",
        ".steps.geo.body.results[]?",
        ".steps",
        ".index",
        ".",
        "..",
        "length?",
        "keys?",
        "1",
        "\"x\"",
        "null",
        "{input}",
        "{\"index\"}",
        "{index, n: .input.n?}",
        "$x",
        "empty",
        "not",
    ])
    .prop_map(str::to_owned);
    let with_two = |pattern: &'static str| {
        move |(one, other): (String, String)| pattern.replace("ONE", &one).replace("OTHER", &other)
    };
    leaf.prop_recursive(4, 16, 2, move |inner| {
        let two = (inner.clone(), inner.clone());
        prop_oneof![
            two.clone().prop_map(with_two("ONE | OTHER")),
            two.clone().prop_map(with_two("(ONE), OTHER")),
            two.clone().prop_map(with_two("ONE as $x | OTHER")),
            two.clone().prop_map(with_two("[ONE] + [OTHER]")),
            two.clone().prop_map(with_two("{a: (ONE), b: (OTHER)}")),
            two.clone().prop_map(with_two("{a: ONE | OTHER, b: OTHER}")),
            two.clone()
                .prop_map(with_two("if ONE then OTHER else ONE end")),
            two.clone().prop_map(with_two("(ONE) == (OTHER)")),
            two.clone()
                .prop_map(with_two("reduce (ONE) as $x (OTHER; [., $x])")),
            two.clone().prop_map(with_two("[ONE] | map(OTHER)")),
            two.clone()
                .prop_map(with_two("(try (ONE) catch .) // OTHER")),
            two.clone().prop_map(with_two("\"\\(ONE)\\(OTHER)\"")),
            two.clone()
                .prop_map(with_two("(.input.city |= (ONE)) | OTHER")),
            two.prop_map(with_two("first((ONE), OTHER)")),
        ]
    })
}

proptest::proptest! {
    #[test]
    fn what_is_not_sent_along_would_not_have_been_read(program in programs()) {
        let source = format!("null as $x | [{program}]");
        let program = Program::parse(&source).unwrap();
        let whole = context();
        let part = whole.for_programs(std::iter::once(&program));
        let answers = |context: &Context| evaluate(&source, &context.to_value()).map_err(|_| ());
        proptest::prop_assert_eq!(answers(&whole), answers(&part), "{}", source);
    }

    #[test]
    fn any_path_is_answered_as_jq_does(parts in proptest::collection::vec(
        select(vec![
            ".input", ".city", ".steps", ".geo", ".body", ".results", "[0]", "[1]", ".list", ".x",
            "[\"odd key\"]", ".none", ".index", ".name",
        ]), 1..6)) {
        let source = parts.concat();
        if source.starts_with('.') {
            same(&source);
        }
    }
}
