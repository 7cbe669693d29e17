//! Expressions of flows, evaluated in locked workers that are leased to the organization.

use crate::App;
use quaymaster_core::door::Fut;
use quaymaster_core::id::OrgId;
use quaymaster_core::schema::shorten;
use quaymaster_flows::context::Context;
use quaymaster_flows::expression::Program;
use quaymaster_flows::fault::StepFault;
use quaymaster_flows::testing::Expressions;
use quaymaster_sandbox::jq;
use serde_json::Value;

impl App {
    /// The value of each program over the same context, in one round trip. Those behind one that failed
    /// are not evaluated, and have its fault.
    pub(super) async fn evaluate(
        &self,
        org: &OrgId,
        programs: &[Program],
        context: &Context,
    ) -> Vec<Result<Value, StepFault>> {
        let sources: Vec<&str> = programs.iter().map(Program::source).collect();
        let input = context.to_value();
        let values = self
            .jq
            .eval_many(org.as_str(), &sources, &input, jq::USUAL_TIME)
            .await;
        match values {
            Ok(values) => values.into_iter().map(Ok).collect(),
            Err(at) => {
                let mut fault = StepFault::from(at.failed.fault());
                if let Some(source) = sources.get(at.index) {
                    fault.message = format!("{} It is `{}`.", fault.message, shorten(source));
                }
                vec![Err(fault); programs.len()]
            }
        }
    }
}

/// The expressions of tests that stand in a text.
pub(crate) struct OfTests<'a> {
    pub(crate) app: &'a App,
    pub(crate) org: &'a OrgId,
}

impl Expressions for OfTests<'_> {
    fn evaluate<'a>(
        &'a self,
        programs: &'a [Program],
        context: &'a Context,
    ) -> Fut<'a, Vec<Result<Value, StepFault>>> {
        Box::pin(self.app.evaluate(self.org, programs, context))
    }
}
