//! Invitations of end users: a setup link that is sent by mail.

use crate::App;
use crate::actor::Admin;
use crate::connect_sessions::{NewConnectSession, SetupLink};
use crate::end_users::{EndUser, checked_email};
use crate::mail::{self, Delivery};
use quaymaster_core::{Code, Fault};

/// A link that was mailed. Whoever asked for it is shown it as well.
#[derive(Debug, Clone)]
pub struct Invited {
    pub link: SetupLink,
    pub delivery: Delivery,
}

impl App {
    /// Mails a link by which an end user connects an account. Runs as its own task: the mail goes out
    /// also when whoever asked for it has gone away.
    pub async fn invite_end_user(
        &self,
        admin: &Admin,
        end_user: &EndUser,
        email: &str,
        new: NewConnectSession,
    ) -> Result<Invited, Fault> {
        let email = checked_email(email)?;
        if !self.sends_mail() {
            return Err(Fault::new(Code::NotImplemented, "This server sends no mail.").hint(
                "Make a link with POST /api/v1/end-users/{id}/connect-token and send it yourself, or \
                 ask the operator to configure a mail server.",
            ));
        }
        let definition = self.definition(&admin.org, &new.connector).await?;
        self.mail_limits.one_more(&admin.org, &email, self.now())?;
        let (app, admin, workspace) = (self.clone(), admin.clone(), end_user.workspace.clone());
        let task = self.tasks.spawn(async move {
            let new = NewConnectSession {
                mailed_to: Some(email.clone()),
                ..new
            };
            let link = app.create_connect_session(&admin, &workspace, new).await?;
            let organization = app.organization_name(&admin.org).await?;
            let service = &definition.title;
            let letter = mail::account_wanted(&organization, service, &link.url, link.expires_at);
            let delivery = app.deliver(&email, letter).await;
            Ok(Invited { link, delivery })
        });
        task.await.unwrap_or_else(|_| Err(Fault::internal()))
    }
}
