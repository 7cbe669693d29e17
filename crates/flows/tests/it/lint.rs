//! Everything that is wrong, at its place.

use quaymaster_flows::load;
use std::fmt::Write as _;

fn told(text: &str) -> String {
    match load::flow(text, "f.yaml") {
        Ok(_) => "fine".to_owned(),
        Err(problems) => {
            let mut told = String::new();
            for problem in problems {
                let _ = writeln!(told, "{problem}");
            }
            told
        }
    }
}

/// One thing that is wrong with a step, in words that have this in them.
fn step(step: &str, word: &str) {
    let told = told(&format!("flow: a\nvars: {{v: x}}\nsteps:\n  - {step}\n"));
    assert!(told.contains(word), "{step}\n{told}");
    assert_eq!(told.lines().count(), 1, "{step}\n{told}");
}

#[test]
fn unknown_keys_and_wrong_types_are_told_all_at_once() {
    insta::assert_snapshot!(told("
flow: a
titel: x
limits: {timeout: soon, steps: many}
triggers:
  - mcp_tool: {descripton: x}
  - corn: {schedule: x}
steps:
  - id: 5
    http: {gte: x}
  - map: {a: 1}
  - kv: {get: {}}
  - for_each: {in: .x}
"), @r#"
    f.yaml:3:1: titel: There is no key `titel` here. Did you mean `title`?
    f.yaml:4:10: limits.timeout: "soon" is no length of time; write a number and ms, s, m, h or d, for example 15s.
    f.yaml:4:25: limits.steps: Wrong type: string "many", expected u32.
    f.yaml:6:16: triggers.0.mcp_tool.descripton: There is no key `descripton` here. Did you mean `description`?
    f.yaml:7:5: triggers.1: "corn" is not possible here. Did you mean `cron`?
    f.yaml:9:5: steps.0.id: Wrong type: integer `5`, expected a string. Put it in quotes.
    f.yaml:10:12: steps.0.http.gte: There is no key `gte` here. Did you mean `get`?
    f.yaml:11:5: steps.1.map: Wrong type: map, expected a string. An expression that begins with a bracket stands in quotes or behind `|`.
    f.yaml:12:10: steps.2.kv.get: The key `key` is missing.
    f.yaml:13:5: steps.3.for_each: The key `do` is missing.
    "#);
}

#[test]
fn what_is_no_yaml_is_told_at_its_line() {
    insta::assert_snapshot!(told("flow: a\nsteps:\n  - id: x\n   map: y\n"), @r#"
    f.yaml:4:4: steps.0.id: while parsing a block collection, did not find expected '-' indicator.
    "#);
    insta::assert_snapshot!(told("flow: a\nflow: b\nsteps: []\n"), @"f.yaml:2:1: flow: The key `flow` stands here twice.");
}

#[test]
fn a_flow_is_not_called_like_an_id() {
    let told = told("flow: flow_01arz3ndektsv4rrffq69g5fav\nsteps:\n  - map: '1'\n");
    assert!(
        told.contains("flow: It looks like the id of a flow"),
        "{told}"
    );
    assert_eq!(told.lines().count(), 1, "{told}");
}

#[test]
fn steps_that_do_not_fit_together_are_told() {
    insta::assert_snapshot!(told("
flow: A-b
steps:
  - id: one
    map: .steps.two.x
  - id: two
    map: .steps.oen.y + .inptu.z
  - id: two
    http: {get: 'https://x.example/'}
    map: '1'
  - id: loop
    for_each:
      in: .steps.one
      as: steps
      do:
        - id: inner
          map: .index
        - return: '1'
  - map: .steps.inner.x
  - title: nothing
  - return: '{}'
  - map: .error.x
return: '{}'
"), @r#"
    f.yaml:2:1: flow: "A-b" is no name of a flow. A small letter, then small letters, digits and `_`, at most 64 characters.
    f.yaml:5:5: steps.0.map: The step "two" has not run here: it comes later, runs beside this, or within a loop that this is not in.
    f.yaml:7:5: steps.1.map: There is no step "oen". Did you mean `one`?
    f.yaml:7:5: steps.1.map: Nothing is called `.inptu` here. Did you mean `input`?
    f.yaml:8:5: steps.2.id: There are two steps with the id "two".
    f.yaml:8:5: steps.2: A step does one thing; this one has http and map.
    f.yaml:14:7: steps.3.for_each.as: "steps" cannot be the name of the item. A small letter, then small letters, digits and `_`, at most 64 characters. Taken: input, steps, vars, run, caller, index, error, secret.
    f.yaml:18:11: steps.3.for_each.do.1.return: Within `for_each` and `parallel` nothing returns from the flow. The last step's output, or `yield`, is the item's value.
    f.yaml:19:5: steps.4.map: The step "inner" has not run here: it comes later, runs beside this, or within a loop that this is not in.
    f.yaml:20:5: steps.5: The step does nothing. It needs one of http, call, mcp, sql, flow, map, then, switch, for_each, parallel, python, kv, wait, fail, return.
    f.yaml:22:5: steps.7: This step is never reached: the one before it always ends the flow.
    f.yaml:22:5: steps.7.map: `.error` is known in `catch` and `on_error` alone.
    "#);
}

#[test]
fn a_secret_stands_where_it_is_sent_and_nowhere_else() {
    step(
        "{http: {post: 'https://x.example/', body: {k: '${{ secret.KEY }}'}}}",
        "no place here",
    );
    step(
        "{http: {get: 'https://x.example/${{ secret.KEY }}'}}",
        "no place here",
    );
    step(
        "{kv: {set: {key: k, value: '${{ secret.KEY }}'}}}",
        "no place here",
    );
    step("{fail: {message: '${{ secret.KEY }}'}}", "no place here");
    step("{map: '\"x\" + secret.KEY'}", "not seen by expressions");
    step(
        "{http: {get: 'https://x.example/', headers: {A: '${{ \"B \" + secret.KEY }}'}}}",
        "not seen by expressions",
    );
    let fine = "flow: a\nsteps: [{http: {get: 'https://x.example/', headers: {A: 'B ${{ secret.KEY }}'}, query: {k: ['${{ secret.K2 }}']}, auth: {bearer: '${{ secret.K3 }}'}}}]\n";
    assert_eq!(told(fine), "fine");
}

#[test]
fn whoever_calls_a_flow_does_not_choose_the_host() {
    step("{http: {get: 'https://${{ .run.host }}/x'}}", "written out");
    step(
        "{http: {get: 'https://x.example${{ .run.host }}/x'}}",
        "written out",
    );
    step("{http: {get: '${{ .run.url }}/x'}}", "written out");
    step("{http: {get: 'x.example/y'}}", "https://");
    step("{http: {get: 'ftp://x.example/y'}}", "https://");
    step("{http: {get: 'https://me:pass@x.example/y'}}", "`auth`");
    step(
        "{http: {get: '${{ .run.url }}', auth: {bearer: '${{ secret.KEY }}'}}}",
        "no secret",
    );
    for fine in [
        "{http: {get: '${{ .run.url }}'}}",
        "{http: {get: '${{ .vars.v }}', auth: {bearer: '${{ secret.KEY }}'}}}",
        "{http: {get: 'https://${{ .vars.v }}.example/${{ .run.x }}'}}",
    ] {
        assert_eq!(
            told(&format!("flow: a\nvars: {{v: x}}\nsteps: [{fine}]\n")),
            "fine",
            "{fine}"
        );
    }
}

#[test]
fn each_kind_of_step_has_its_rules() {
    step("{http: {}}", "one verb");
    step(
        "{http: {get: 'https://x.example/', post: 'https://x.example/'}}",
        "one verb",
    );
    step("{http: {get: 'https://x.example/', body: {}}}", "no body");
    step(
        "{http: {post: 'https://x.example/', body: {}, form: {}}}",
        "one body",
    );
    step(
        "{http: {get: 'https://x.example/', headers: {Host: x}}}",
        "transport",
    );
    step(
        "{http: {get: 'https://x.example/', accept: [200]}}",
        "400 to 599",
    );
    step("{call: {service: github}}", "`action` and `with`");
    step(
        "{call: {service: github, action: x, path: /y}}",
        "belongs to the second",
    );
    step(
        "{call: {service: github, method: FETCH, path: /y}}",
        "no verb",
    );
    step(
        "{sql: {connection: c, query: 'SELECT ${{ .run.x }}'}}",
        "could write SQL",
    );
    step(
        "{sql: {connection: c, query: 'SELECT 1', params: {x: 1}}}",
        "no :x",
    );
    step(
        "{python: {code: 'print(${{ .run.x }})'}}",
        "could write code",
    );
    step("{flow: {name: No}}", "no name of a flow");
    step("{wait: soon}", "no length of time");
    step("{then: [{map: '1'}]}", "needs an `if`");
    step("{if: 'true', else: [{map: '1'}]}", "needs a `then`");
    step("{switch: []}", "no cases");
    step(
        "{switch: [{do: []}, {when: 'true', do: []}]}",
        "never reached",
    );
    step(
        "{for_each: {in: '[]', concurrency: 33, do: [{map: '1'}]}}",
        "1 to 32",
    );
    step("{parallel: {a: []}}", "no steps");
    step("{map: '1', retry: {max: 1}}", "not for `map`");
    step(
        "{http: {get: 'https://x.example/'}, retry: {max: 11}}",
        "1 to 10",
    );
    step("{map: '1', idempotency_key: x}", "http and call");
    step(
        "{http: {get: 'https://x.example/'}, on_unknown: retry}",
        "durable",
    );
    step(
        "{http: {get: 'https://x.example/'}, cache: {ttl: 31d}}",
        "30d",
    );
    step("{map: '${{ .x }}'}", "without `${{`");
    step("{map: ''}", "missing");
    step("{map: '(.run'}", "never closed");
    step("{fail: {code: TEAPOT, message: x}}", "not possible");
    step("{map: .vars.w}", "no variable");
}

#[test]
fn triggers_have_their_rules() {
    let trigger = |trigger: &str, word: &str| {
        let told = told(&format!(
            "flow: a\ntriggers: [{trigger}]\nsteps: [{{http: {{delete: 'https://x.example/'}}}}]\n"
        ));
        assert!(told.contains(word), "{trigger}\n{told}");
    };
    trigger("{mcp_tool: {}}", "needs a `description`");
    trigger(
        "{mcp_tool: {name: Bad, description: x}}",
        "no name of a tool",
    );
    trigger(
        "{mcp_tool: {description: x, annotations: {readOnlyHint: true}}}",
        "change something",
    );
    trigger(
        "{mcp_tool: {description: x}}, {mcp_tool: {description: x}}",
        "one tool",
    );
    trigger("{mcp_tool: {description: \"x\u{202E}y\"}}", "nobody sees");
    trigger(
        "{mcp_tool: {description: x, servers: [a, a]}}",
        "triggers.0.mcp_tool.servers.1: The server \"a\" stands before",
    );
    trigger(
        "{mcp_tool: {description: x, servers: [' ']}}",
        "name or id of a hosted server",
    );
    trigger(
        "{mcp_tool: {description: x, name: b__c, servers: [a]}}",
        "triggers.0.mcp_tool.name: The name has two underscores in a row",
    );
    trigger("{cron: {schedule: '0 8 * *'}}", "five fields");
    trigger("{cron: {schedule: '0 25 * * *'}}", "no schedule");
    trigger(
        "{cron: {schedule: '0 8 * * *', timezone: Mars/Base}}",
        "no time zone",
    );
    trigger(
        "{cron: {schedule: '0 8 * * *', input: {x: 1}}}",
        "do not fit",
    );
    trigger(
        "{webhook: {path: A/b, auth: {bearer: {secret: KEY}}}}",
        "no path",
    );
    trigger(
        "{webhook: {path: a, auth: {bearer: {secret: key}}}}",
        "name of a secret",
    );
    trigger("{webhook: {path: a}}", "auth");
}

#[test]
fn schemas_are_what_models_and_their_vendors_take() {
    let input = |schema: &str, word: &str| {
        let told = told(&format!(
            "flow: a\ninput: {schema}\nsteps: [{{map: '1'}}]\n"
        ));
        assert!(told.contains(word), "{schema}\n{told}");
    };
    input("{type: array, items: {}}", "type: object");
    input("{type: object, oneOf: []}", "no `oneOf`");
    input("{type: object, properties: {a: {$ref: '#'}}}", "`$ref`");
    input("{type: object, properties: {a: {type: array}}}", "`items`");
    input(
        "{type: object, properties: {'a b': {type: string}}}",
        "no such name",
    );
    input(
        "{type: object, properties: {a: {type: text}}}",
        "no JSON Schema",
    );
    input(
        "{type: object, properties: {a: {type: string, default: 1}}}",
        "does not fit",
    );
    input(
        "{type: object, required: [b], properties: {a: {type: string}}}",
        "no property",
    );
    input(
        "{type: object, properties: {a: {type: string, pattern: '('}}}",
        "no JSON Schema",
    );
    let deep = "{type: array, items: ".repeat(20) + "{type: string}" + &"}".repeat(20);
    input(
        &format!("{{type: object, properties: {{a: {deep}}}}}"),
        "16 deep",
    );
    let told = told(
        "flow: a\ninput: {type: object, properties: {city: {type: string}}}\nsteps: [{map: .input.ctiy}]\n",
    );
    assert!(told.contains("Did you mean `city`?"), "{told}");
}

#[test]
fn tests_name_steps_that_there_are() {
    insta::assert_snapshot!(told("
flow: a
steps: [{id: get, http: {get: 'https://x.example/'}}]
tests:
  - name: one
    mocks: {gte: {returns: {}}, get: []}
    vars: {x: 1}
    expect: {sent: {got: {}}}
"), @r#"
    f.yaml:6:13: tests.0.mocks.gte: There is no step "gte". Did you mean `get`?
    f.yaml:6:33: tests.0.mocks.get: There is no answer here.
    f.yaml:7:12: tests.0.vars.x: There is no variable "x".
    f.yaml:8:5: tests.0.expect: A test expects either a `result` or a `fault`.
    f.yaml:8:21: tests.0.expect.sent.got: There is no step "got". Did you mean `get`?
    "#);
}

#[test]
fn hostile_files_end_soon() {
    let deep = "[".repeat(100_000);
    assert_ne!(told(&format!("flow: a\nsteps: {deep}")), "fine");
    let nested = |times| {
        let open = "{if: 'true', then: [".repeat(times);
        let close = "]}".repeat(times);
        told(&format!("flow: a\nsteps: [{open}{{map: '1'}}{close}]\n"))
    };
    assert_eq!(nested(7), "fine");
    assert!(nested(8).contains("8 deep"));
    assert!(nested(21).contains("8 deep"));
    assert_ne!(nested(1_000), "fine");
    let bomb = "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: &d [*c, *c]\ne: [*d, *d]\n";
    assert_ne!(told(bomb), "fine");
    let many = "  - map: '1'\n".repeat(501);
    assert!(told(&format!("flow: a\nsteps:\n{many}")).contains("at most 500"));
    let long = format!("flow: a\nsteps: [{{map: '{}'}}]\n", "1+".repeat(40_000));
    assert!(told(&long).contains("65536"));
}
