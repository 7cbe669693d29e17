//! What a program returns, throws and prints.

use crate::hosts::Host;
use serde_json::json;

#[test]
fn results_are_json() {
    let mut host = Host::start(&[]);
    for (code, expected) in [
        ("", json!(null)),
        ("return", json!(null)),
        ("return undefined", json!(null)),
        ("return () => 1", json!(null)),
        ("return Symbol('x')", json!(null)),
        (
            "return { a: [1, 'zwei', null, undefined], b: undefined, c: new Date(0) }",
            json!({ "a": [1, "zwei", null, null], "c": "1970-01-01T00:00:00.000Z" }),
        ),
        ("return NaN", json!(null)),
        ("return new Map([[1, 2]])", json!({})),
        ("return Promise.resolve(5)", json!(5)),
        (
            "return (function () { return this === undefined })()",
            json!(true),
        ),
        (
            "return new Date(2026, 0, 1).toISOString()",
            json!("2026-01-01T00:00:00.000Z"),
        ),
        (
            "return [new Date().getTimezoneOffset(), 'I'.toLowerCase(), 'ß'.normalize('NFD')]",
            json!([0, "i", "ß"]),
        ),
    ] {
        let outcome = host.run(code);
        assert_eq!(outcome["outcome"], "ok", "{code}: {outcome}");
        assert_eq!(outcome["result"], expected, "{code}");
    }
}

#[test]
fn results_that_are_no_json_are_told_so() {
    // js_cyclic_result, js_bigint_result
    let mut host = Host::start(&[]);
    for (code, word) in [
        ("const a = {}; a.a = a; return a", "circular"),
        ("return 1n", "BigInt"),
        ("return '\\ud800'", "surrogate"),
        (
            "return { toJSON() { throw new RangeError('mine') } }",
            "mine",
        ),
        (
            "return { get a() { throw new RangeError('mine') } }",
            "mine",
        ),
        (
            "let a = 1; for (let i = 0; i < 300; i++) a = [a]; return a",
            "128 levels",
        ),
    ] {
        let error = host.error(code);
        assert!(error.contains(word), "{code}: {error}");
    }
}

#[test]
fn errors_have_the_line_and_column_of_the_program() {
    for mut host in Host::everywhere() {
        for (code, message, line) in [
            ("throw new Error('here')", "Error: here", json!(1)),
            (
                "const a = 1;\n\n  undefined.x",
                "TypeError: cannot read property 'x' of undefined",
                json!(3),
            ),
            (
                "const f = () => {\n  throw new TypeError('in f')\n}\nawait null\nf()",
                "TypeError: in f",
                json!(2),
            ),
            (
                "await null\nawait Promise.reject(new RangeError('x'))",
                "RangeError: x",
                json!(2),
            ),
            (
                "return nothing",
                "ReferenceError: nothing is not defined",
                json!(1),
            ),
            ("throw 'text'", "Uncaught text", json!(null)),
            ("throw { a: 1 }", "Uncaught {\"a\":1}", json!(null)),
            ("throw null", "Uncaught null", json!(null)),
            ("throw undefined", "Uncaught undefined", json!(null)),
        ] {
            let outcome = host.run(code);
            assert_eq!(
                outcome["outcome"], "error",
                "{} {code}: {outcome}",
                host.how
            );
            assert_eq!(outcome["error"]["message"], message, "{code}");
            assert_eq!(outcome["error"]["line"], line, "{code}: {outcome}");
            if code.starts_with("throw new") {
                assert!(outcome["error"]["column"].as_u64().unwrap() >= 1);
            }
        }
        let long = host.error("throw new Error('x'.repeat(1e6))");
        assert!(long.len() < 10_000, "{}", long.len());
        let error = host.error("const e = new Error('x'); Object.defineProperty(e, 'message', { get() { throw 1 } }); throw e");
        assert!(!error.is_empty());
        let error = host.error("Error.prepareStackTrace = () => { throw 1 }; throw new Error('x')");
        assert!(!error.is_empty());
    }
}

#[test]
fn lines_of_the_console_come_in_their_order_and_level() {
    let mut host = Host::start(&[]);
    let outcome = host.run(
        "console.log('a', 1, null, undefined, { b: [1] }, 2n, true); console.error(new TypeError('x'));
         console.debug(); console.info(Symbol('s'), () => 1); console.assert(1 === 2, 'no');
         console.log({ toJSON() { throw 1 } }); console.table([1]); console.log('\\ud800'); throw 1",
    );
    let logs: Vec<_> = outcome["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| {
            (
                line["level"].as_str().unwrap(),
                line["text"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        logs,
        [
            ("log", "a 1 null undefined {\"b\":[1]} 2n true"),
            ("error", "TypeError: x"),
            ("debug", ""),
            ("info", "Symbol(s) () => 1"),
            ("error", "Assertion failed: no"),
            ("log", "[object]"),
            ("log", "[1]"),
            ("log", "\u{fffd}"),
        ]
    );
}

#[test]
fn what_was_logged_is_there_also_when_the_program_was_stopped() {
    let mut host = Host::start(&[]);
    let code = "console.log('before'); await quaymaster.test.echo({}); console.log('between'); while (true);";
    let outcome = host.ask(json!({ "code": code, "wall_ms": 500 }));
    assert_eq!(outcome["outcome"], "timeout");
    assert_eq!(outcome["logs"].as_array().unwrap().len(), 2);
    assert_eq!(outcome["calls"].as_array().unwrap().len(), 1);
    assert!(outcome["said"].as_str().unwrap().contains("0.5 s"));
}
