//! `flow`: what the authors of flows need.

mod apply;
mod check;
mod packs;
mod remote;

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
            vars,
        } => {
            let target = apply::Target {
                server,
                key: key.into(),
                workspace,
            };
            apply::apply(&directory, target, vars.into_iter().collect(), as_json).await
        }
    }
}
