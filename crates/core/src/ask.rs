//! What a call may ask its client, and what comes back.
//!
//! A tool or prompt that needs more than its arguments ends with
//! [`Outcome::Ask`](crate::tool::Outcome::Ask). The same call then comes again with [`Answers`].

use crate::tool::{Content, JsonObject};
use std::collections::BTreeMap;

/// Questions by names that the asker chooses; the answers come back under the same names.
pub type InputRequests = BTreeMap<String, InputRequest>;

/// One question to the client.
#[derive(Debug, Clone, PartialEq)]
pub enum InputRequest {
    /// A form for the client's user (MCP, elicitation, form mode). The schema is a flat object of
    /// texts, numbers, booleans and choices.
    Form { message: String, schema: JsonObject },
    /// A page that the client's user visits (MCP, elicitation, URL mode). That the user agreed does
    /// not mean that they are done there.
    Url { message: String, url: String },
    /// Something for the client's model.
    Sample(Sampling),
    /// The directories that the client works in.
    Roots,
}

/// A conversation that the client's model goes on with.
#[derive(Debug, Clone, PartialEq)]
pub struct Sampling {
    pub messages: Vec<Message>,
    pub system: Option<String>,
    pub max_tokens: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    User,
    Assistant,
}

impl Role {
    pub const fn name(self) -> &'static str {
        match self {
            Role::User => "user",
            Role::Assistant => "assistant",
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub role: Role,
    pub content: Content,
}

/// What a door wants to find again when the call comes with its answers. The client keeps it: it
/// cannot change it, but it can read it, so it holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RequestState(pub String);

/// What the client gives back. It is the client's word, whatever was asked: keys may be missing or
/// unknown, and a form need not fit its schema.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    pub given: BTreeMap<String, Answer>,
    /// The state of the question, for this caller and these very arguments; `None` when the client
    /// answers what it was never asked.
    pub state: Option<RequestState>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// The filled form; empty when a page was to be visited.
    Accepted(JsonObject),
    /// The user said no.
    Declined,
    /// The user closed the question without an answer.
    Cancelled,
    Sampled {
        content: Vec<Content>,
        model: String,
    },
    Roots(Vec<Root>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    pub uri: String,
    pub name: Option<String>,
}

/// What a client says it can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ClientCapabilities {
    pub forms: bool,
    pub urls: bool,
    pub sampling: bool,
    pub roots: bool,
}

impl ClientCapabilities {
    /// What the questions need and this client lacks; `None` when it can be asked all of them.
    pub fn lacking(self, questions: &InputRequests) -> Option<ClientCapabilities> {
        let mut lacking = ClientCapabilities::default();
        for question in questions.values() {
            match question {
                InputRequest::Form { .. } => lacking.forms |= !self.forms,
                InputRequest::Url { .. } => lacking.urls |= !self.urls,
                InputRequest::Sample(_) => lacking.sampling |= !self.sampling,
                InputRequest::Roots => lacking.roots |= !self.roots,
            }
        }
        (lacking != ClientCapabilities::default()).then_some(lacking)
    }

    /// Names for people.
    pub fn names(self) -> Vec<&'static str> {
        [
            (self.forms, "elicitation (form)"),
            (self.urls, "elicitation (url)"),
            (self.sampling, "sampling"),
            (self.roots, "roots"),
        ]
        .into_iter()
        .filter_map(|(has, name)| has.then_some(name))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_lacks_what_is_asked_and_it_cannot() {
        let url = InputRequest::Url {
            message: String::new(),
            url: String::new(),
        };
        let questions =
            InputRequests::from([("a".to_owned(), url), ("b".to_owned(), InputRequest::Roots)]);
        let with_forms = ClientCapabilities {
            forms: true,
            roots: true,
            ..ClientCapabilities::default()
        };
        let lacking = with_forms.lacking(&questions).unwrap();
        assert_eq!(lacking.names(), ["elicitation (url)"]);
        let with_urls = ClientCapabilities {
            urls: true,
            ..with_forms
        };
        assert_eq!(with_urls.lacking(&questions), None);
    }
}
