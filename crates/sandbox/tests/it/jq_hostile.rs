//! Expressions that mean harm: what each does to a process without a worker around it, and what becomes of it in one.

use crate::hosts::{Host, NO_NAMESPACES, is_root};
use serde_json::{Value, json};
use std::io::Read as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What an expression does when nothing holds it.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Bare {
    /// It computes for longer than anybody waits, or takes half a gigabyte and dies of it, or uses up the stack.
    Endless,
    /// It reads the environment.
    Reads,
    /// It ends the process as it likes, with this code.
    Exits(i32),
    /// It ends, and is harmless if its worker says so.
    Ends,
}

use Bare::{Endless, Ends, Exits, Reads};

struct Hostile {
    name: &'static str,
    program: String,
    /// What it does without a worker.
    bare: Bare,
    /// How it may end in one; `value` is an end, too.
    ends: &'static [&'static str],
}

fn of(name: &'static str, program: &str, bare: Bare, ends: &'static [&'static str]) -> Hostile {
    Hostile {
        name,
        program: program.to_owned(),
        bare,
        ends,
    }
}

fn hostile() -> Vec<Hostile> {
    let stopped: &[&str] = &["time", "memory"];
    vec![
        of("endless definition", "def f: f; f", Endless, &["forbidden"]),
        of(
            "growing definition",
            "def f: [f, f]; f",
            Endless,
            &["forbidden"],
        ),
        of("endless recurse", "last(recurse(.))", Endless, &["time"]),
        of("collected recurse", "[recurse(.)]", Endless, stopped),
        of("endless range", "last(range(infinite))", Endless, &["time"]),
        of(
            "range that waits",
            "first(range(infinite) | select(. < 0))",
            Endless,
            &["time"],
        ),
        of(
            "range without steps",
            "last(range(0; 1; 0))",
            Endless,
            &["time"],
        ),
        of(
            "long range",
            "[range(100000000)] | length",
            Endless,
            stopped,
        ),
        of("endless repeat", "last(repeat(.))", Endless, &["forbidden"]),
        of("endless until", "until(false; .)", Endless, &["forbidden"]),
        of(
            "endless while",
            "last(while(true; .))",
            Endless,
            &["forbidden"],
        ),
        of(
            "endless paths",
            "[paths(1, recurse(.))] | last(recurse(.))",
            Endless,
            &["time"],
        ),
        of(
            "endless catch",
            "last(range(infinite) | try error catch .)",
            Endless,
            &["time"],
        ),
        of(
            "doubled text",
            "reduce range(60) as $i (\"xxxxxxxx\"; . + .) | length",
            Endless,
            stopped,
        ),
        of(
            "doubled array",
            "reduce range(60) as $i ([1]; . + .) | length",
            Endless,
            stopped,
        ),
        of(
            "quoted text",
            "reduce range(60) as $i (\"\\\"\"; tojson) | length",
            Endless,
            stopped,
        ),
        of("long text", "\"x\" * 2000000000 | length", Endless, stopped),
        of(
            "longest text",
            "\"x\" * 9000000000000000000 | length",
            Endless,
            &["memory"],
        ),
        of(
            "combinations",
            "[range(100)] | [., ., ., ., .] | [combinations] | length",
            Endless,
            stopped,
        ),
        of(
            "large number",
            "reduce range(40) as $i (3; . * .)",
            Endless,
            stopped,
        ),
        of(
            "deep array",
            "reduce range(10000000) as $i (1; [.])",
            Endless,
            &["too_deep", "time", "memory"],
        ),
        of(
            "deep program",
            &"[".repeat(60_000),
            Endless,
            &["too_deep", "syntax", "time"],
        ),
        of(
            "deep sum",
            &format!("1{}", "+1".repeat(32_000)),
            Ends,
            &["value", "too_deep", "time"],
        ),
        of(
            "deep pipe",
            &format!(".{}", "|.".repeat(32_000)),
            Ends,
            &["value", "too_deep", "time"],
        ),
        of(
            "deep negation",
            &format!("{}1", "-".repeat(60_000)),
            Ends,
            &["value", "syntax", "too_deep", "time"],
        ),
        of(
            "deep text",
            &format!("{}1{}", "\"\\(".repeat(10_000), ")\"".repeat(10_000)),
            Ends,
            &["value", "too_deep", "time"],
        ),
        of(
            "deep value",
            "reduce range(200) as $i (1; [.])",
            Ends,
            &["too_deep"],
        ),
        of(
            "deep JSON",
            "\"[\" * 1000000 | fromjson",
            Endless,
            &["too_deep", "time"],
        ),
        of(
            "deep path",
            "getpath([range(1000000) | \"a\"])",
            Ends,
            &["value", "time", "memory"],
        ),
        of(
            "deep change",
            "setpath([range(1000000) | \"a\"]; 1)",
            Endless,
            &["too_deep", "time", "memory"],
        ),
        of(
            "large regular expression",
            "\"x\" | test(\"(((a{999}){999}){999}){999}\")",
            Ends,
            &["runtime", "memory", "time"],
        ),
        of(
            "slow regular expression",
            "(\"a\" * 1000000) | test(\"(a*)*(a*)*(a*)*(a*)*b\")",
            Endless,
            &["time", "value"],
        ),
        of(
            "many matches",
            "(\"a\" * 100000000) | [scan(\"a\")] | length",
            Endless,
            stopped,
        ),
        of("environment", "env", Reads, &["forbidden"]),
        of(
            "variable of the environment",
            "env.A_SECRET",
            Reads,
            &["forbidden"],
        ),
        of(
            "hidden environment",
            "[1] | map(env) | .[0]",
            Reads,
            &["forbidden"],
        ),
        of(
            "environment by variable",
            "$ENV.A_SECRET",
            Ends,
            &["forbidden"],
        ),
        of("arguments", "$__prog_args", Ends, &["forbidden"]),
        of("halt", "halt", Exits(0), &["forbidden"]),
        of("halt with code", "halt(7)", Exits(7), &["forbidden"]),
        of(
            "halt with words",
            "\"x\" | halt_error",
            Exits(5),
            &["forbidden"],
        ),
        of("inputs", "[inputs]", Ends, &["forbidden"]),
        of("debug", "debug(\"x\")", Ends, &["forbidden"]),
        of("stderr", "stderr", Ends, &["forbidden"]),
        of("module", "import \"a\" as a; a::f", Ends, &["forbidden"]),
        of(
            "included module",
            "include \"/etc/passwd\"; .",
            Ends,
            &["forbidden"],
        ),
        of("call of a module", "a::f", Ends, &["syntax"]),
        of("inner name", "error_empty", Ends, &["syntax"]),
        of("inner definition", "null | cell(1)", Ends, &["syntax"]),
        of(
            "time of the machine",
            "now | localtime",
            Ends,
            &["forbidden"],
        ),
        of(
            "time zone by name",
            "\"2024-01-01 Europe/Berlin\" | strptime(\"%Y-%m-%d %Q\")",
            Ends,
            &["runtime"],
        ),
        of(
            "time zone in a date",
            "\"2024-01-01T00:00:00Z[Europe/Berlin]\" | fromdate",
            Ends,
            &["value", "runtime"],
        ),
        of(
            "name of a time zone",
            "0 | strftime(\"%Q %Z %c %x\")",
            Ends,
            &["value", "runtime"],
        ),
        of("endless time", "1e300 | todate", Ends, &["runtime"]),
        of(
            "rubbish in base64",
            "\"%%%\" | @base64d",
            Ends,
            &["runtime"],
        ),
        of("bytes in base64", "\"//8A\" | @base64d", Ends, &["value"]),
        of(
            "prefix of an object",
            "{} | ltrimstr(1)",
            Ends,
            &["runtime", "value"],
        ),
        of("surrogate", "[55296] | implode", Ends, &["runtime"]),
        of("no character", "[1114112] | implode", Ends, &["runtime"]),
        of("broken text", "[-255, 65] | implode", Ends, &["value"]),
        of("surrogate in a literal", "\"\\ud800\"", Ends, &["syntax"]),
        of("huge number", "1e999999999", Ends, &["value"]),
        of("tiny number", "1e-999999999", Ends, &["value"]),
        of(
            "number of many digits",
            &"9".repeat(60_000),
            Ends,
            &["value", "time"],
        ),
        of("division", "1 / 0 | floor", Ends, &["value"]),
        of("remainder", "[1 % 0]", Ends, &["runtime"]),
        of(
            "index",
            ".[99999999999999999999]",
            Ends,
            &["value", "runtime"],
        ),
        of(
            "slice",
            "[1][-9223372036854775808:9223372036854775807]",
            Ends,
            &["value", "runtime"],
        ),
        of("object by number", "{(1): 2}", Ends, &["runtime"]),
        of("long error", "error(\"x\" * 10000000)", Ends, &["runtime"]),
        of("error without words", "error(null)", Ends, &["runtime"]),
        of("many values", "range(infinite)", Endless, &["many_results"]),
        of(
            "no value after long",
            "range(infinite) | empty",
            Endless,
            &["time"],
        ),
    ]
}

/// What becomes of an expression without a worker.
fn bare(program: &str) -> Bare {
    let mut process = Command::new(env!("CARGO_BIN_EXE_quaymaster-sandbox-host"))
        .arg(format!("bare_jq={program}"))
        .env("A_SECRET", "of the server")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut out = process.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut first = vec![0; 64 * 1024];
        let read = out.read(&mut first).unwrap_or(0);
        // What comes after that is only counted.
        let _ = std::io::copy(&mut out, &mut std::io::sink());
        String::from_utf8_lossy(&first[..read]).into_owned()
    });
    let begun = Instant::now();
    let mut status = process.try_wait().unwrap();
    while status.is_none() && begun.elapsed() < Duration::from_secs(1) {
        std::thread::yield_now();
        status = process.try_wait().unwrap();
    }
    let Some(status) = status else {
        process.kill().unwrap();
        process.wait().unwrap();
        return Endless;
    };
    let said = reader.join().unwrap();
    if said.contains("of the server") {
        return Reads;
    }
    match status.code() {
        None | Some(101) => Endless,
        Some(0) if !said.is_empty() => Ends,
        Some(code) => Exits(code),
    }
}

#[test]
fn hostile_expressions_do_harm_where_nothing_holds_them() {
    let harmful: Vec<_> = hostile()
        .into_iter()
        .filter(|one| one.bare != Ends)
        .collect();
    // Several at a time, since most of them are waited for.
    for some in harmful.chunks(6) {
        std::thread::scope(|scope| {
            for one in some {
                scope.spawn(|| assert_eq!(bare(&one.program), one.bare, "{}", one.name));
            }
        });
    }
}

#[test]
fn hostile_expressions_end_within_their_limits_and_disturb_nobody() {
    let weakest: &[&str] = if is_root() {
        &["user=65534", NO_NAMESPACES]
    } else {
        &[NO_NAMESPACES]
    };
    // What holds an expression is the same without namespaces, of which a few are proof enough.
    for (way, every) in [(&[][..], 1), (weakest, 5)] {
        let mut host = Host::jq(way);
        for (n, one) in hostile().into_iter().enumerate().step_by(every) {
            let name = one.name;
            let bad = json!({ "program": one.program, "lease": "org_bad" });
            let bad = host.order(json!({ "jq": bad }));
            let good =
                json!({ "program": "{n: (. + 1)}", "input": n, "lease": "org_good", "ms": 2000 });
            let good = host.ask(json!({ "jq": good }));
            assert_eq!(
                good["value"],
                json!({ "n": n + 1 }),
                "{} {name}: {good}",
                host.how
            );
            let answer = host.answer(bad);
            let ended = answer["failed"].as_str().unwrap_or("value");
            assert!(one.ends.contains(&ended), "{} {name}: {answer}", host.how);
            assert!(!answer.to_string().contains("of the server"), "{name}");
            assert!(answer["said"].as_str().unwrap_or("").len() < 1000, "{name}");
            // Its own organization goes on as well.
            let own = json!({ "program": "1 + 1", "lease": "org_bad", "ms": 2000 });
            assert_eq!(
                host.ask(json!({ "jq": own }))["value"],
                2,
                "{} {name}",
                host.how
            );
        }
    }
}

#[test]
fn what_an_expression_leaves_behind_is_not_seen_by_the_next_one() {
    let mut host = Host::jq(&[]);
    let secret = json!({ "secret": "of org_one" });
    host.expression(". as $x | $x.secret | length", &secret);
    for program in ["$x", "secret", "..", "[paths]", "$__loc__"] {
        let answer = host.expression(program, &Value::Null);
        assert!(
            !answer.to_string().contains("of org_one"),
            "{program} {answer}"
        );
    }
}
