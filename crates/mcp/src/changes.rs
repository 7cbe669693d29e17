//! Changes, as clients with an open stream hear of them.

use crate::handler::{Handler, caller};
use quaymaster_core::door::Change;
use rmcp::model::{
    ErrorData, PromptListChangedNotification, ResourceListChangedNotification,
    ResourceUpdatedNotification, ResourceUpdatedNotificationParam, ServerNotification,
    ToolListChangedNotification,
};
use rmcp::service::{SubscriptionContext, SubscriptionSendError};

/// What a change is called on the wire; `None` for the end of the credential.
pub(crate) fn notification(change: &Change) -> Option<ServerNotification> {
    match change {
        Change::Tools => Some(ToolListChangedNotification::default().into()),
        Change::Prompts => Some(PromptListChangedNotification::default().into()),
        Change::Resources => Some(ResourceListChangedNotification::default().into()),
        Change::Updated(uri) => {
            let params = ResourceUpdatedNotificationParam::new(&**uri);
            Some(ResourceUpdatedNotification::new(params).into())
        }
        Change::Revoked => None,
    }
}

/// Tells a client of the stateless era what it subscribed to, until what it presented ends.
pub(crate) async fn listen(
    handler: &Handler,
    context: &SubscriptionContext,
) -> Result<(), ErrorData> {
    let caller = caller(&context.request_context().extensions)?;
    let mut changes = handler.shared.door.changes(&caller);
    let mut ends = handler.shared.door.presented_ends(&caller);
    loop {
        let change = tokio::select! {
            change = changes.next() => change,
            () = &mut ends => return Ok(()),
            () = context.cancelled() => return Ok(()),
        };
        let Some(notification) = change.as_ref().and_then(notification) else {
            return Ok(());
        };
        match context.sink().send(notification).await {
            Ok(()) | Err(SubscriptionSendError::NotificationNotAccepted(_)) => {}
            Err(error) => {
                tracing::debug!(%error, "a listener is gone");
                return Ok(());
            }
        }
    }
}
