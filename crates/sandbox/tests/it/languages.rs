//! JavaScript and TypeScript.

use crate::hosts::Host;
use serde_json::{Value, json};

fn run_as(host: &mut Host, language: &str, code: &str) -> Value {
    host.ask(json!({ "code": code, "language": language, "wall_ms": 20_000 }))
}

#[test]
fn types_are_taken_out() {
    // js_ts_enum, js_ts_types
    for mut host in Host::everywhere() {
        for language in ["ts", "auto"] {
            for (code, expected) in [
                (
                    "const n: number = 1; return n as unknown as string",
                    json!(1),
                ),
                (
                    "interface A { b: string } const a: A = { b: 'x' }; return a!.b satisfies string",
                    json!("x"),
                ),
                (
                    "enum Color { Red, Green = 5, Blue } return [Color.Blue, Color[5]]",
                    json!([6, "Green"]),
                ),
                (
                    "class P { constructor(readonly x: number, private y = 2) {} sum() { return this.x + this.y } } \
                  return new P(1).sum()",
                    json!(3),
                ),
                (
                    "type T<K extends string> = Record<K, number>; const f = <A,>(a: A): A => a; \
                  const t: T<'a'> = { a: 1 }; return f<number>(t.a)",
                    json!(1),
                ),
                (
                    "const r = await quaymaster.test.echo({ a: 1 } as const) as { a: number }; return r.a",
                    json!(1),
                ),
                (
                    "declare const missing: string; abstract class A { abstract f(): void } return typeof A",
                    json!("function"),
                ),
            ] {
                let outcome = run_as(&mut host, language, code);
                assert_eq!(
                    outcome["result"], expected,
                    "{} {language} {code}: {outcome}",
                    host.how
                );
            }
        }
    }
}

#[test]
fn javascript_says_that_it_is_not_typescript() {
    let mut host = Host::start(&[]);
    let outcome = run_as(&mut host, "js", "const n: number = 1");
    assert_eq!(outcome["outcome"], "error");
    assert!(
        outcome["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("SyntaxError"),
        "{outcome}"
    );
    assert_eq!(outcome["error"]["line"], 1);
}

#[test]
fn places_are_those_of_the_typescript() {
    let mut host = Host::start(&[]);
    let code = "interface A {\n  b: string;\n}\n\ntype C =\n  | 'x'\n  | 'y';\nconst a: A = { b: 'x' };\n\
                function f(c: C): never {\n  throw new Error('here' as string);\n}\nf('x');";
    let outcome = run_as(&mut host, "auto", code);
    assert_eq!(outcome["error"]["message"], "Error: here", "{outcome}");
    assert_eq!(outcome["error"]["line"], 10, "{outcome}");
    assert!(
        outcome["error"]["column"].as_u64().unwrap() >= 3,
        "{outcome}"
    );
}

#[test]
fn a_syntax_error_has_its_line_and_column() {
    // js_ts_syntax_error
    for mut host in Host::everywhere() {
        for (language, code, line) in [
            ("ts", "const a: number = 1;\nconst b: = 2;\n", 2),
            ("auto", "const a: number = 1;\nconst b: = 2;\n", 2),
            ("auto", "const a = 1;\n\nconst b = ;\n", 3),
            ("js", "const a = 1;\n\nconst b = ;\n", 3),
            ("js", "if (true) {\n  return 1", 2),
            ("auto", "if (true) {\n  return 1", 2),
            ("auto", "let a = 1;\nlet a = 2;", 2),
        ] {
            let outcome = run_as(&mut host, language, code);
            assert_eq!(
                outcome["outcome"], "error",
                "{} {code}: {outcome}",
                host.how
            );
            let error = &outcome["error"];
            assert!(
                error["message"]
                    .as_str()
                    .unwrap()
                    .starts_with("SyntaxError: "),
                "{outcome}"
            );
            assert_eq!(
                error["line"], line,
                "{} {language} {code}: {outcome}",
                host.how
            );
        }
    }
}

#[test]
fn a_source_that_is_nested_too_deeply_is_an_error() {
    // js_deep_ts_source
    for mut host in Host::everywhere() {
        for (open, close) in [
            ("(", ")"),
            ("[", "]"),
            ("{a:", "}"),
            ("!", ""),
            ("a?b:", ""),
            ("async()=>", ""),
        ] {
            let code = format!(
                "const a: any = {}1{}; return 1",
                open.repeat(25_000),
                close.repeat(25_000)
            );
            let outcome = run_as(&mut host, "ts", &code);
            assert_eq!(
                outcome["outcome"], "error",
                "{} {open}: {outcome}",
                host.how
            );
        }
        let types = format!(
            "let a: {}1{}; return 1",
            "A<".repeat(60_000),
            ">".repeat(60_000)
        );
        let outcome = run_as(&mut host, "ts", &types);
        assert_eq!(outcome["outcome"], "error", "{} {outcome}", host.how);
    }
}

#[test]
fn programs_cannot_step_out_of_their_function() {
    let mut host = Host::start(&[]);
    for code in [
        "})\n(function () { throw 1 })()\n(async function () {",
        "} ); while (false) {}; (function () { ",
        "}",
        "/*",
        "`",
        "//\u{2028}}",
        "#!x",
        "<!-- x",
        "export const a = 1",
        "export {}",
    ] {
        for language in ["js", "ts", "auto"] {
            let outcome = run_as(&mut host, language, code);
            let ended = outcome["outcome"].as_str().unwrap();
            assert!(
                ended == "error" || ended == "ok",
                "{language} {code}: {outcome}"
            );
        }
    }
    assert_eq!(host.value("return 1 // a comment at the end"), 1);
}
