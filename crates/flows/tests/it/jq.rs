//! jq within the test: the server runs it in a locked worker.

use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, data, unwrap_valr};
use jaq_json::{Val, read};
use quaymaster_core::door::Fut;
use quaymaster_flows::context::Context;
use quaymaster_flows::expression::Program;
use quaymaster_flows::fault::StepFault;
use quaymaster_flows::testing::Expressions;
use serde_json::Value;

pub(crate) struct Jq;

pub(crate) fn evaluate(source: &str, input: &Value) -> Result<Value, String> {
    let defs = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs());
    let funs = jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs());
    let arena = Arena::default();
    let file = File {
        code: source,
        path: (),
    };
    let modules = Loader::new(defs)
        .load(&arena, file)
        .map_err(|errors| format!("{errors:?}"))?;
    let filter = Compiler::default()
        .with_funs(funs)
        .compile(modules)
        .map_err(|errors| format!("{errors:?}"))?;
    let input = read::parse_single(input.to_string().as_bytes()).map_err(|e| e.to_string())?;
    let ctx = Ctx::<data::JustLut<Val>>::new(&filter.lut, Vars::new([]));
    let mut out = filter.id.run((ctx, input)).map(unwrap_valr);
    let value = match out.next() {
        Some(Ok(value)) => value.to_string(),
        Some(Err(error)) => return Err(error.to_string()),
        None => return Err("no value".to_owned()),
    };
    if out.next().is_some() {
        return Err("more than one value".to_owned());
    }
    serde_json::from_str(&value).map_err(|error| error.to_string())
}

impl Expressions for Jq {
    fn evaluate<'a>(
        &'a self,
        programs: &'a [Program],
        context: &'a Context,
    ) -> Fut<'a, Vec<Result<Value, StepFault>>> {
        Box::pin(async move {
            let context = context.to_value();
            let one =
                |program: &Program| evaluate(program.source(), &context).map_err(StepFault::flow);
            programs.iter().map(one).collect()
        })
    }
}
