//! What a client sends.

use super::{OAuthCode, OAuthError};

/// Parameters of a query or form. Unknown ones are left alone (RFC 6749 §3.1).
pub struct Params(Vec<(String, String)>);

impl Params {
    /// Reads `application/x-www-form-urlencoded`.
    pub fn parse(text: &[u8]) -> Self {
        Params(url::form_urlencoded::parse(text).into_owned().collect())
    }

    /// A parameter that may stand once; one without a value counts as absent.
    pub fn one(&self, name: &str) -> Result<Option<&str>, OAuthError> {
        let mut values = self.all(name);
        let first = values.next();
        if values.next().is_some() {
            return Err(OAuthError::new(
                OAuthCode::InvalidRequest,
                format!("The parameter {name} stands more than once."),
            ));
        }
        Ok(first.filter(|value| !value.is_empty()))
    }

    pub fn needed(&self, name: &str) -> Result<&str, OAuthError> {
        self.one(name)?.ok_or_else(|| {
            OAuthError::new(
                OAuthCode::InvalidRequest,
                format!("The parameter {name} is missing."),
            )
        })
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_that_stands_twice_is_refused() {
        let params = Params::parse(b"state=a&state=b&empty=&scope=x");
        assert_eq!(
            params.one("state").unwrap_err().code,
            OAuthCode::InvalidRequest
        );
        assert_eq!(params.one("empty").unwrap(), None);
        assert_eq!(params.one("scope").unwrap(), Some("x"));
        assert!(params.needed("missing").is_err());
    }
}
