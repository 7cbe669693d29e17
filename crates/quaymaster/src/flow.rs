//! `flow`: what the authors of flows need.

mod apply;

use crate::cli::FlowVerb;

pub(crate) async fn flow(verb: FlowVerb, as_json: bool) -> anyhow::Result<()> {
    match verb {
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
