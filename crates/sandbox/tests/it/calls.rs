//! Programs that call actions.

use crate::hosts::Host;
use serde_json::json;

#[test]
fn a_call_answers_what_its_action_answers() {
    for mut host in Host::everywhere() {
        let outcome = host.run(
            "const { text } = await quaymaster.test.echo({ text: 'ä€😀', n: 1.5, list: [null] });
             return text + (await weavz.test.echo({ text: '!' })).text",
        );
        assert_eq!(outcome["result"], "ä€😀!", "{} {outcome}", host.how);
        assert_eq!(outcome["calls"][0]["name"], "test.echo");
        assert_eq!(outcome["calls"][0]["result"], "ok");
        let ways = [("full", "[]"), ("full", "[user=65534]")];
        let expected = ways
            .iter()
            .find(|(_, how)| *how == host.how)
            .map_or("seccomp", |(isolation, _)| isolation);
        assert_eq!(outcome["isolation"], expected, "{}", host.how);
        assert_eq!(host.value("return await quaymaster.test.echo()"), json!({}));
        let code = "return (await quaymaster['my-shop']['get-order']({ id: 7 })).id";
        assert_eq!(host.value(code), 7);
        let code = "return (await quaymaster.my_shop.get_order({ id: 8 })).id";
        assert_eq!(host.value(code), 8);
    }
}

#[test]
fn a_fault_is_an_error_that_says_what_to_do() {
    for mut host in Host::everywhere() {
        let result = host.value(
            "try { await quaymaster.test.fail({}) } catch (e) {
               return [e instanceof Error, e.name, e.code, e.message, e.retryable, e.hint, e.details]
             }",
        );
        let expected = json!([true, "Fault", "RATE_LIMITED", "Too many.", true, "Wait.", { "retry_after_s": 3 }]);
        assert_eq!(result, expected, "{}", host.how);
        let outcome = host.run("\nawait quaymaster.test.denied({})");
        assert_eq!(outcome["outcome"], "error");
        assert_eq!(outcome["error"]["code"], "SCOPE_DENIED");
        assert_eq!(outcome["error"]["message"], "Fault: Not for you.");
        assert_eq!(outcome["error"]["line"], 2, "{outcome}");
        assert_eq!(outcome["calls"][0]["result"], "SCOPE_DENIED");
        let json = host.value("try { await quaymaster.test.fail({}) } catch (e) { return e }");
        assert_eq!(json["code"], "RATE_LIMITED");
    }
}

#[test]
fn a_name_that_is_not_there_is_told_with_what_was_meant() {
    for mut host in Host::everywhere() {
        let hint = "try { await CALL } catch (e) { return [e.code, e.hint] }";
        let value = host.value(&hint.replace("CALL", "quaymaster.test.ecko({})"));
        assert_eq!(
            value,
            json!(["NOT_FOUND", "Did you mean `echo`?"]),
            "{}",
            host.how
        );
        let value = host.value(&hint.replace("CALL", "quaymaster.tset.echo({})"));
        assert_eq!(value, json!(["NOT_FOUND", "Did you mean `test`?"]));
        let value = host.value(&hint.replace("CALL", "quaymaster.test['x'.repeat(100000)]({})"));
        assert_eq!(value[0], "NOT_FOUND");
    }
}

#[test]
fn calls_run_together_and_at_most_sixteen_at_once() {
    for mut host in Host::everywhere() {
        let outcome = host.run(
            "const all = Array.from({ length: 50 }, (_, i) => quaymaster.test.slow({ ms: 20 + i }));
             return (await Promise.all(all)).length",
        );
        assert_eq!(outcome["result"], 50, "{} {outcome}", host.how);
        let audit = host.ask(json!({ "audit": true }));
        assert_eq!(audit["peak"], 16, "{}", host.how);
        assert_eq!(audit["seen"].as_array().unwrap().len(), 50);
    }
}

#[test]
fn ten_calls_at_once_take_as_long_as_the_slowest() {
    // js_parallel_10
    for mut host in Host::everywhere() {
        let outcome = host.run(
            "const all = Array.from({ length: 10 }, (_, i) => quaymaster.test.slow({ ms: 500 + i }));
             return await Promise.all(all)",
        );
        let slowest: Vec<u64> = (500..510).collect();
        assert_eq!(outcome["result"], json!(slowest), "{} {outcome}", host.how);
        let took = outcome["ms"].as_f64().unwrap();
        assert!(
            (509.0..2_500.0).contains(&took),
            "{}: one after the other they take 5045 ms, these took {took}",
            host.how
        );
    }
}

#[test]
fn calls_that_nobody_awaits_are_cancelled_and_told() {
    // js_call_after_return
    for mut host in Host::everywhere() {
        let code = "for (let i = 0; i < 20; i++) quaymaster.test.never({}); await quaymaster.test.echo({})";
        let outcome = host.ask(json!({ "code": code, "wall_ms": 500 }));
        // Sixteen never end, and the awaited one is behind them: only the time ends that.
        assert_eq!(outcome["outcome"], "timeout", "{} {outcome}", host.how);
        let outcome = host.run(
            "await quaymaster.test.echo({}); for (let i = 0; i < 20; i++) quaymaster.test.never({}); \
             await sleep(1); return 'left'",
        );
        assert_eq!(outcome["result"], "left");
        let calls = outcome["calls"].as_array().unwrap();
        let cancelled = calls
            .iter()
            .filter(|call| call["result"] == "cancelled")
            .count();
        assert_eq!((calls.len(), cancelled), (21, 20), "{outcome}");
        // A call may be cancelled before the host began it: what was begun was dropped.
        let audit = host.ask(json!({ "audit": true }));
        let seen = audit["seen"].as_array().unwrap();
        let begun = seen.iter().filter(|call| **call == "test.never").count();
        assert!((16..=32).contains(&begun), "{} {audit}", host.how);
        assert_eq!(audit["dropped"], begun, "{} {audit}", host.how);
    }
}

#[test]
fn a_run_can_be_cancelled() {
    for mut host in Host::everywhere() {
        for code in [
            "await quaymaster.test.never({})",
            "await quaymaster.test.echo({}); while (true);",
        ] {
            let outcome = host.ask(json!({ "code": code, "cancel_ms": 300 }));
            assert_eq!(outcome["outcome"], "cancelled", "{} {outcome}", host.how);
            assert_eq!(outcome["calls"].as_array().unwrap().len(), 1);
        }
    }
}

#[test]
fn inputs_that_are_none_are_refused_where_they_are_written() {
    for mut host in Host::everywhere() {
        for (input, message) in [
            ("1", "takes one object"),
            ("'text'", "takes one object"),
            ("[]", "takes one object"),
            ("{ toJSON() { return 1 } }", "is not an object in JSON"),
            ("{ n: 1n }", "BigInt"),
            ("(() => { const a = {}; a.a = a; return a })()", "circular"),
            ("{ text: 'x'.repeat(1e6) }", "longer than"),
            ("{ text: 'ä'.repeat(6e5) }", "longer than"),
        ] {
            let error = host.error(&format!("await quaymaster.test.echo({input})"));
            assert!(error.contains(message), "{} {input}: {error}", host.how);
        }
        let deep =
            "let a = {}; for (let i = 0; i < 200; i++) a = { a }; await quaymaster.test.echo(a)";
        assert!(host.error(deep).contains("128 levels"));
        // The largest that goes through, also in the other direction.
        let code = "return (await quaymaster.test.echo({ text: 'x'.repeat(9e5) })).text.length";
        assert_eq!(host.value(code), 900_000);
        let code = "return (await quaymaster.test.big({ bytes: 4e6 })).length";
        assert_eq!(host.value(code), 4_000_000);
        let error = host.run("await quaymaster.test.big({ bytes: 5e6 })");
        assert_eq!(error["error"]["code"], "TOO_LARGE", "{error}");
        let code = "let a = await quaymaster.test.deep({ levels: 100 }); let n = 0; \
             while (Array.isArray(a)) { a = a[0]; n++ } return n";
        assert_eq!(host.value(code), 100);
    }
}

#[test]
fn answers_that_do_not_fit_are_an_end_and_not_a_crash() {
    for mut host in Host::everywhere() {
        let outcome = host.run(
            "const all = []; for (let i = 0; i < 50; i++) all.push(await quaymaster.test.big({ bytes: 4e6 })); \
             return all.length",
        );
        assert_eq!(outcome["outcome"], "memory_limit", "{} {outcome}", host.how);
    }
}

#[test]
fn a_namespace_is_no_promise_and_can_be_looked_at() {
    // js_thenable_namespace
    for mut host in Host::everywhere() {
        let value = host.value(
            "const test = await quaymaster.test; await quaymaster; await quaymaster['my-shop'];
             return [typeof test.then, typeof quaymaster['my-shop'].then, Object.keys(quaymaster), Object.keys(test).length,
                     'echo' in test, 'ecko' in test, JSON.stringify(quaymaster.test), typeof test.echo]",
        );
        let expected = json!([
            "undefined",
            "undefined",
            ["test", "my-shop"],
            7,
            true,
            false,
            "{}",
            "function"
        ]);
        assert_eq!(value, expected, "{}", host.how);
        for change in [
            "quaymaster.test = 1",
            "quaymaster.test.echo = 1",
            "delete quaymaster.test.echo",
            "Object.defineProperty(quaymaster, 'x', { value: 1 })",
            "quaymaster = 1",
        ] {
            let error = host.error(change);
            assert!(
                error.starts_with("TypeError"),
                "{} {change}: {error}",
                host.how
            );
        }
    }
}

#[test]
fn sleep_waits_and_timers_run_in_their_order() {
    for mut host in Host::everywhere() {
        let value = host.value(
            "const order = []; const after = async (ms) => { await sleep(ms); order.push(ms) };
             await Promise.all([after(60), after(20), after(40), after(-1), after(NaN)]); return order",
        );
        assert_eq!(value, json!([-1, null, 20, 40, 60]), "{}", host.how);
        host.error("const all = []; for (let i = 0; i < 2000; i++) all.push(sleep(1000))");
    }
}
