//! `flow`: what the authors of flows need.

mod apply;
mod check;

use crate::cli::FlowVerb;

pub(crate) async fn flow(verb: FlowVerb, as_json: bool) -> anyhow::Result<()> {
    match verb {
        FlowVerb::Check { files } => check::check(&files, as_json).await,
        FlowVerb::Test { files } => check::test(&files, as_json).await,
        FlowVerb::Apply {
            directory,
            server,
            key,
            workspace,
        } => {
            let target = apply::Target {
                server,
                key: key.into(),
                workspace,
            };
            apply::apply(&directory, target, as_json).await
        }
    }
}
