//! Orders that are for workers of expressions, and expressions without any worker around them.

use quaymaster_sandbox::jq::{Failed, Options, Pool, USUAL_TIME};
use serde_json::{Value, json};
use std::time::Duration;

/// `jq_<option>=<number>`, as it was given.
pub(crate) fn set(options: &mut Options, name: &str, value: &str) {
    let number: usize = value.parse().expect("a number");
    match name {
        "most" => options.most = number,
        "kept" => options.kept = number,
        "ready" => options.ready = number,
        "idle_ms" => options.idle = Duration::from_millis(number as u64),
        other => panic!("what is {other}?"),
    }
}

pub(crate) async fn obey(order: &Value, pool: &Pool) -> Value {
    let lease = order["lease"].as_str().unwrap_or("org_one");
    let text = |value: &Value| value.as_str().expect("a program").to_owned();
    let time = order["ms"]
        .as_u64()
        .map_or(USUAL_TIME, Duration::from_millis);
    if order["check"].is_string() {
        return match pool.check(lease, &text(&order["check"])).await {
            Ok(()) => json!({ "good": true }),
            Err(failed) => tell(&failed),
        };
    }
    if let Some(programs) = order["programs"].as_array() {
        let programs: Vec<String> = programs.iter().map(text).collect();
        let programs: Vec<&str> = programs.iter().map(String::as_str).collect();
        return match pool
            .eval_many(lease, &programs, &order["input"], time)
            .await
        {
            Ok(values) => json!({ "values": values }),
            Err(failed) => {
                let mut told = tell(&failed.failed);
                told["index"] = json!(failed.index);
                told
            }
        };
    }
    // An input that would be too long for a line.
    let input = match order["input_bytes"].as_u64() {
        Some(bytes) => json!("x".repeat(bytes as usize)),
        None => order["input"].clone(),
    };
    match pool
        .eval(lease, &text(&order["program"]), &input, time)
        .await
    {
        Ok(value) => json!({ "value": value }),
        Err(failed) => tell(&failed),
    }
}

fn tell(failed: &Failed) -> Value {
    json!({ "failed": failed.name(), "said": failed.to_string(), "fault": failed.fault() })
}

/// Evaluates an expression over `null` in this process, with all that the interpreter has, and with nothing to stop it
/// but an end to memory, as it would be without workers.
pub(crate) fn bare(program: &str) {
    use jaq_core::load::{Arena, File, Loader};
    use jaq_core::{Compiler, Ctx, Vars, data::JustLut, unwrap_valr};
    type Data = JustLut<jaq_json::Val>;

    let memory = libc::rlimit {
        rlim_cur: 512 * 1024 * 1024,
        rlim_max: 512 * 1024 * 1024,
    };
    // SAFETY: `memory` is valid for the length of the call.
    let limited = unsafe { libc::setrlimit(libc::RLIMIT_AS, &raw const memory) };
    assert_eq!(limited, 0, "memory has an end");
    let definitions = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs());
    let functions = jaq_core::funs::<Data>()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs());
    let arena = Arena::default();
    let file = File {
        code: program,
        path: (),
    };
    let Ok(modules) = Loader::new(definitions).load(&arena, file) else {
        return println!("not loaded");
    };
    let Ok(compiled) = Compiler::default().with_funs(functions).compile(modules) else {
        return println!("not compiled");
    };
    let context = Ctx::<Data>::new(&compiled.lut, Vars::new([]));
    for value in compiled
        .id
        .run((context, jaq_json::Val::Null))
        .map(unwrap_valr)
    {
        match value {
            Ok(value) => println!("{value}"),
            Err(error) => println!("error: {error}"),
        }
    }
}
