//! Expressions: what they give, what is said of wrong ones, and whose worker evaluates them.

use crate::hosts::{Host, every_way};
use serde_json::{Value, json};
use std::process::Command;

impl Host {
    /// A host of expressions and nothing else.
    pub(crate) fn jq(args: &[&str]) -> Host {
        Host::start_with(args, &[("WITHOUT_JAVASCRIPT", "yes")])
    }

    pub(crate) fn jq_everywhere() -> impl Iterator<Item = Host> {
        every_way().into_iter().map(|way| Host::jq(&way))
    }

    /// What comes of an expression, with time enough for a machine that does much else.
    pub(crate) fn expression(&mut self, program: &str, input: &Value) -> Value {
        self.ask(json!({ "jq": { "program": program, "input": input, "ms": 2000 } }))
    }

    #[track_caller]
    fn gives(&mut self, program: &str, input: &Value, expected: &Value) {
        let answer = self.expression(program, input);
        assert_eq!(
            answer["value"], *expected,
            "{} {program}: {answer}",
            self.how
        );
        assert!(answer.get("failed").is_none(), "{program}: {answer}");
    }

    #[track_caller]
    fn says(&mut self, program: &str, expected: &str) {
        let answer = self.expression(program, &json!({ "a": [1, 2] }));
        assert_eq!(answer["said"], expected, "{program}: {answer}");
    }

    /// Its workers once there are so many, and no dead ones.
    fn jq_workers(&self, count: usize) -> Vec<u32> {
        loop {
            let workers = self.workers();
            let locked = |worker: &u32| {
                let status = std::fs::read_to_string(format!("/proc/{worker}/status"));
                status.is_ok_and(|status| status.contains("Seccomp:\t2"))
            };
            if workers.len() == count && workers.iter().all(locked) {
                return workers;
            }
            std::thread::yield_now();
        }
    }
}

#[test]
fn an_expression_gives_one_value() {
    let input = json!({
        "input": { "city": "Lisbon", "units": "celsius" },
        "steps": {
            "geo": { "body": { "results": [{ "name": "Lisbon", "country": "Portugal", "latitude": 38.72 }] } },
            "q": { "rows": [{ "id": 1, "total": 10.5, "status": "paid" }, { "id": 2, "total": 4.5, "status": "open" }] },
        },
    });
    let expected = [
        (".input.city", json!("Lisbon")),
        (".", input.clone()),
        (".steps.nothing.here", Value::Null),
        (
            "(.steps.geo.body.results // []) | length == 0",
            json!(false),
        ),
        (
            r#".steps.geo.body.results[0] as $g | { city: "\($g.name), \($g.country)", units: .input.units }"#,
            json!({ "city": "Lisbon, Portugal", "units": "celsius" }),
        ),
        (
            ".steps.q.rows as $r | { count: ($r | length), total: ([$r[].total] | add // 0), orders: $r }",
            json!({ "count": 2, "total": 15, "orders": input["steps"]["q"]["rows"] }),
        ),
        (
            ".steps.q.rows | map(select(.status == \"paid\") | .id)",
            json!([1]),
        ),
        (
            "[.steps.q.rows[] | \"\\(.id): \\(.status)\"] | join(\"\\n\")",
            json!("1: paid\n2: open"),
        ),
        (
            ".steps.q.rows | group_by(.status) | map({key: .[0].status, value: length}) | from_entries",
            json!({ "open": 1, "paid": 1 }),
        ),
        (
            "[{name: \"a\", value: 1}, {Key: 2}] | from_entries",
            json!({ "a": 1, "2": null }),
        ),
        (".steps.q.rows | map(.total) | max, empty", json!(10.5)),
        (
            "first(.steps.q.rows[] | select(.id > 5)) // null",
            Value::Null,
        ),
        ("try error(\"no\") catch .", json!("no")),
        (".input.missing?.deep // \"usual\"", json!("usual")),
        ("[.steps | to_entries[] | .key]", json!(["geo", "q"])),
        (
            "reduce .steps.q.rows[] as $row (0; . + $row.total)",
            json!(15),
        ),
        ("[limit(3; range(10))]", json!([0, 1, 2])),
        (
            "[recurse(if . < 3 then . + 1 else empty end)] | length",
            Value::Null,
        ),
        ("1 | [recurse(. + 1; . < 4)]", json!([1, 2, 3])),
        (
            "label $out | foreach range(9) as $i (0; . + $i; if . > 5 then ., break $out else empty end)",
            json!(6),
        ),
        (
            "\"2024-05-06T07:08:09Z\" | fromdate | todate",
            json!("2024-05-06T07:08:09Z"),
        ),
        ("0 | strftime(\"%Y-%m-%d\")", json!("1970-01-01")),
        (
            "\"2024-05-06\" | strptime(\"%Y-%m-%d\") | mktime",
            json!(1_714_953_600),
        ),
        ("\"a1b22\" | [scan(\"[0-9]+\")]", json!(["1", "22"])),
        (
            "\"John Smith\" | sub(\"(?<f>\\\\w+) (?<l>\\\\w+)\"; \"\\(.l), \\(.f)\")",
            json!("Smith, John"),
        ),
        ("\"ä b\" | @uri", json!("%C3%A4%20b")),
        (
            "[1, \"a\\\"b\", null, true] | @csv",
            json!("1,\"a\"\"b\",,true"),
        ),
        ("[\"a\\tb\", 2] | @tsv", json!("a\\tb\t2")),
        ("\"cXVheQ==\" | @base64d", json!("quay")),
        ("[1, 2] | IN([1, 2], [3])", json!(true)),
        ("2 | IN(1, 2)", json!(true)),
        ("INDEX(.steps.q.rows[]; .id) | keys", json!(["1", "2"])),
        ("6 / 2", json!(3)),
        ("10 / 4", json!(2.5)),
        ("9007199254740993", json!(9_007_199_254_740_993_u64)),
        ("18446744073709551615", json!(u64::MAX)),
        ("nan", Value::Null),
        ("infinite", json!(f64::MAX)),
        ("now > 1700000000", json!(true)),
        ("\"\\u00e4\\n\\\"\"", json!("ä\n\"")),
    ];
    for mut host in Host::jq_everywhere() {
        for (program, expected) in &expected {
            // The one whose expected value depends on its input.
            let input = if program.contains(". < 3") {
                json!(1)
            } else {
                input.clone()
            };
            let expected = if program.contains(". < 3") {
                json!(3)
            } else {
                expected.clone()
            };
            host.gives(program, &input, &expected);
        }
    }
}

#[test]
fn a_wrong_expression_is_told_with_its_place() {
    let mut host = Host::jq(&[]);
    for (program, said) in [
        (
            ".a |\n  lenght",
            "The expression is not valid jq: line 2, column 3: there is no function lenght; did you mean length?.",
        ),
        (
            ".a | map(",
            "The expression is not valid jq: line 1, column 10: expected closing parenthesis.",
        ),
        (
            "[.a | ]",
            "The expression is not valid jq: line 1, column 7: expected term, found ].",
        ),
        (
            "{a: 1",
            "The expression is not valid jq: line 1, column 6: expected closing brace.",
        ),
        (
            "",
            "The expression is not valid jq: line 1, column 1: the expression is empty.",
        ),
        (
            ".a | $x",
            "The expression is not valid jq: line 1, column 6: there is no variable $x.",
        ),
        (
            ".a | map(.; .)",
            "The expression is not valid jq: line 1, column 6: map takes 1 arguments, not 2.",
        ),
        (
            "\"ä\" & 1",
            "The expression is not valid jq: line 1, column 5: & does not belong here.",
        ),
        (
            "def f: 1; f",
            "An expression cannot use def (line 1, column 5).",
        ),
        (
            ".a | until(. > 3; . + 1)",
            "An expression cannot use until (line 1, column 6).",
        ),
        (
            "$ENV.PATH",
            "An expression cannot use $ENV (line 1, column 1).",
        ),
        (
            "empty",
            "The expression gave no value, and it must give exactly one.",
        ),
        (
            ".a[]",
            "The expression gave more than one value, and it must give exactly one.",
        ),
        (
            ".a | .b",
            "The expression failed: cannot index [1,2] with \"b\"",
        ),
        (
            "error(\"out of stock\")",
            "The expression failed: out of stock",
        ),
        ("error({code: 7})", "The expression failed: {\"code\":7}"),
    ] {
        host.says(program, said);
    }
    let answer = host.expression("input", &Value::Null);
    assert_eq!(
        answer["fault"],
        json!({
            "code": "FLOW_ERROR",
            "message": "An expression cannot use input (line 1, column 1).",
            "retryable": false,
            "hint": "There is one input, and that is `.`.",
            "details": { "expression": "forbidden", "line": 1, "column": 1 },
        })
    );
}

#[test]
fn an_expression_is_checked_before_it_has_an_input() {
    let mut host = Host::jq(&[]);
    for (program, expected) in [
        (".steps.a.b | map(.c)", Value::Null),
        // Whether it fails depends on its input.
        ("error(\"always\")", Value::Null),
        (".steps.", json!("syntax")),
        ("env", json!("forbidden")),
    ] {
        let answer = host.ask(json!({ "jq": { "check": program } }));
        assert_eq!(answer["failed"], expected, "{program} {answer}");
        assert_eq!(answer["good"].is_null(), !expected.is_null(), "{answer}");
    }
}

#[test]
fn many_expressions_see_one_input_and_end_at_the_first_that_fails() {
    let mut host = Host::jq(&[]);
    let ask = |programs: &[&str]| json!({ "jq": { "programs": programs, "input": { "a": 1 }, "ms": 2000 } });
    let answer = host.ask(ask(&[".a", ".a + 1", "[.]"]));
    assert_eq!(answer["values"], json!([1, 2, [{ "a": 1 }]]), "{answer}");
    let answer = host.ask(ask(&[".a", "error(\"no\")", ".a"]));
    assert_eq!(
        (&answer["index"], &answer["failed"]),
        (&json!(1), &json!("runtime"))
    );
    let answer = host.ask(ask(&[".a", ".a", "last(range(infinite))"]));
    assert_eq!(
        (&answer["index"], &answer["failed"]),
        (&json!(2), &json!("time"))
    );
    let long = "x".repeat(70_000);
    let answer = host.ask(ask(&[".a", &long]));
    assert_eq!(
        (&answer["index"], &answer["failed"]),
        (&json!(1), &json!("program_too_large"))
    );
    assert_eq!(host.ask(ask(&[]))["values"], json!([]));
}

#[test]
fn sizes_end() {
    let mut host = Host::jq(&[]);
    let mut sized = |bytes: usize, program: &str| {
        host.ask(json!({ "jq": { "program": program, "input_bytes": bytes, "ms": 2000 } }))
    };
    let mebibyte = 1024 * 1024;
    assert_eq!(sized(15 * mebibyte, "length")["value"], 15 * mebibyte);
    assert_eq!(sized(16 * mebibyte, "length")["failed"], "input_too_large");
    let whole = sized(7 * mebibyte, ".");
    assert_eq!(whole["value"].as_str().map(str::len), Some(7 * mebibyte));
    assert_eq!(sized(9 * mebibyte, ".")["failed"], "result_too_large");
    assert_eq!(sized(1, ".")["value"], "x");
}

#[test]
fn a_worker_serves_one_organization() {
    for way in every_way() {
        let args = [way, vec!["jq_ready=0", "jq_kept=2"]].concat();
        let mut host = Host::jq(&args);
        let eval = |host: &mut Host, lease: &str| {
            let order = json!({ "program": ".", "input": lease, "lease": lease, "ms": 2000 });
            assert_eq!(host.ask(json!({ "jq": order }))["value"], *lease);
        };
        eval(&mut host, "org_a");
        let first = host.jq_workers(1);
        eval(&mut host, "org_b");
        let both = host.jq_workers(2);
        assert!(both.contains(&first[0]));
        for lease in ["org_a", "org_b", "org_a"] {
            eval(&mut host, lease);
            assert_eq!(host.jq_workers(2), both, "each has its own");
        }
        // The one that was used longest ago goes.
        eval(&mut host, "org_c");
        let others = host.jq_workers(2);
        assert!(others.contains(&first[0]), "{first:?} {others:?}");
        assert!(others.iter().any(|worker| !both.contains(worker)));
    }
}

#[test]
fn a_worker_without_work_is_ended() {
    let mut host = Host::jq(&["jq_ready=0", "jq_idle_ms=50"]);
    host.gives("1", &Value::Null, &json!(1));
    assert!(host.jq_workers(0).is_empty());
    host.gives("2", &Value::Null, &json!(2));
}

#[test]
fn a_worker_that_was_killed_while_it_waited_is_replaced() {
    let mut host = Host::jq(&["jq_ready=0"]);
    host.gives("1", &Value::Null, &json!(1));
    let killed = host.jq_workers(1)[0];
    let status = Command::new("kill")
        .args(["-9", &killed.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    // Until it has ended, it looks as if it were there.
    while std::fs::read_to_string(format!("/proc/{killed}/stat"))
        .is_ok_and(|stat| !stat.contains(") Z"))
    {
        std::thread::yield_now();
    }
    host.gives("2", &Value::Null, &json!(2));
}

#[test]
fn organizations_evaluate_at_the_same_time() {
    let mut host = Host::jq(&[]);
    let ids: Vec<_> = (0..200)
        .map(|n| {
            let lease = format!("org_{}", n % 5);
            let order = json!({ "program": "[.n, .n * 2]", "input": { "n": n }, "lease": lease, "ms": 2000 });
            (n, host.order(json!({ "jq": order })))
        })
        .collect();
    for (n, id) in ids {
        let answer = host.answer(id);
        assert_eq!(answer["value"], json!([n, n * 2]), "{answer}");
    }
}

#[test]
fn an_organization_leaves_room_for_others() {
    let mut host = Host::jq(&["jq_most=2"]);
    let endless = json!({ "program": "last(range(infinite))", "lease": "org_bad", "ms": 300 });
    let greedy: Vec<_> = (0..4)
        .map(|_| host.order(json!({ "jq": endless })))
        .collect();
    // The first of the greedy ones is under way once its worker is.
    while host.workers().is_empty() {
        std::thread::yield_now();
    }
    for n in 0..20 {
        let order = json!({ "program": ". + 1", "input": n, "lease": "org_good", "ms": 2000 });
        assert_eq!(host.ask(json!({ "jq": order }))["value"], n + 1);
    }
    for id in greedy {
        assert_eq!(host.answer(id)["failed"], "time");
    }
}

#[test]
fn no_worker_of_expressions_outlives_a_server_that_was_killed() {
    for way in every_way() {
        let mut host = Host::jq(&way);
        host.gives("1", &Value::Null, &json!(1));
        host.order(json!({ "jq": { "program": "last(range(infinite))", "ms": 60_000 } }));
        // One evaluates, and one is ready.
        let workers = host.jq_workers(2);
        host.kill();
        for worker in workers {
            while std::fs::read_to_string(format!("/proc/{worker}/stat"))
                .is_ok_and(|stat| !stat.contains(") Z"))
            {
                std::thread::yield_now();
            }
        }
    }
}

#[test]
fn a_machine_that_cannot_isolate_says_so() {
    let mut host = Host::jq(&["deny=seccomp:38"]);
    let answer = host.expression(".", &Value::Null);
    assert_eq!(answer["failed"], "unavailable", "{answer}");
    assert_eq!(answer["fault"]["code"], "SANDBOX_UNAVAILABLE");
    assert!(answer["fault"]["hint"].is_string(), "{answer}");
}
