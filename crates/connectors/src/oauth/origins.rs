//! Where the secret of an app goes when the account, and not the definition, names the host.

use super::AuthorizationServer;
use crate::definition::Template;
use quaymaster_core::{Code, Fault};
use std::collections::BTreeSet;
use url::Url;

impl AuthorizationServer<'_> {
    /// The origins that the account chose among those that get the app's secret, as far as its fields
    /// name them.
    pub fn chosen_origins(&self) -> BTreeSet<String> {
        let oauth2 = self.oauth2;
        let further = [&oauth2.device_url, &oauth2.revoke_url];
        std::iter::once(&oauth2.token_url)
            .chain(further.into_iter().flatten())
            .filter_map(|template| self.chosen_origin(template, &self.endpoint(template).ok()?))
            .collect()
    }

    /// Where an endpoint is that gets the app's secret: `CONNECTION_REQUIRED` when the account chose a
    /// place that the app is not known to be meant for.
    pub(super) fn confidant(&self, template: &Template) -> Result<Url, Fault> {
        let url = self.endpoint(template)?;
        let has_secret = self.app.client_secret.is_some();
        let Some(known) = self.app.origins.as_ref().filter(|_| has_secret) else {
            return Ok(url);
        };
        match self.chosen_origin(template, &url) {
            Some(origin) if !known.contains(&origin) => {
                let title = self.title();
                let message = format!(
                    "No administrator has signed in to {title} at {origin} yet, so the secret of the \
                     organization's OAuth app is not sent there."
                );
                Err(Fault::new(Code::ConnectionRequired, message).hint(
                    "If the app is meant for that address, an administrator connects a new account \
                     there once; from then on all accounts there work.",
                ))
            }
            _ => Ok(url),
        }
    }

    /// The origin of an endpoint, unless the definition has a hand in its host: all of it, at least its
    /// last two labels, or the defaults of its fields.
    fn chosen_origin(&self, template: &Template, url: &Url) -> Option<String> {
        let text = template.as_str();
        let host = text.find("://").map_or(0, |at| at + 3);
        let end = text[host..].find('/').map_or(text.len(), |at| host + at);
        let written = &text[..end];
        let mut names = written
            .split('{')
            .skip(1)
            .filter_map(|part| part.split('}').next());
        let is_usual = |name: &str| {
            let field = self.signer.field(name);
            let usual = field.and_then(|field| field.default.as_deref());
            usual.is_some() && usual == self.signer.value(name)
        };
        if ends_as_written(written, url) || names.all(is_usual) {
            return None;
        }
        Some(url.origin().ascii_serialization())
    }
}

/// Whether a host ends with at least two labels that stand in the definition, as in
/// `{shop}.example.com`.
fn ends_as_written(written: &str, url: &Url) -> bool {
    let authority = written.strip_prefix("https://").unwrap_or_default();
    let end = authority.rsplit('}').next().unwrap_or_default();
    let host = end.split(':').next().unwrap_or_default();
    let Some((_, labels)) = host.split_once('.') else {
        return false;
    };
    let is_fixed = labels.contains('.') && labels.split('.').all(|label| !label.is_empty());
    let ending = format!(".{labels}");
    is_fixed && url.domain().is_some_and(|domain| domain.ends_with(&ending))
}
