//! Somebody who sends single forms and follows nothing by itself: for what does not depend on how
//! pages look or lead. A [`Person`](crate::Person) goes from page to page.

use crate::Server;
use reqwest::header::{COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};

/// Keeps the cookie of the session, follows nothing by itself.
pub struct Visitor {
    client: Client,
    /// Where the server is.
    pub url: String,
    /// Name and value of the session's cookie.
    pub session: Option<String>,
    /// Sent with every request, as a proxy or a browser would.
    pub headers: Vec<(&'static str, String)>,
}

/// What the server answered.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    /// Where a redirect leads; empty for any other answer.
    pub location: String,
    pub body: String,
}

/// The password that people of tests have.
pub const PASSWORD: &str = "correct horse battery";

impl Visitor {
    /// Somebody whom the server does not know.
    pub fn unknown(url: &str) -> Visitor {
        let client = Client::builder().redirect(Policy::none()).build();
        Visitor {
            client: client.expect("a client"),
            url: url.to_owned(),
            session: None,
            headers: Vec::new(),
        }
    }

    /// Opens a sign-in link for the first time and says who they are.
    pub async fn first(server: &Server, link: &str, email: &str, organization: &str) -> Visitor {
        let mut person = Visitor::unknown(&server.url);
        let path = link
            .strip_prefix(&server.url)
            .expect("a link of the server");
        assert_eq!(person.post(path, &[]).await.location, "/");
        let fields = [
            ("name", "A person"),
            ("email", email),
            ("password", PASSWORD),
            ("organization", organization),
        ];
        let page = person.submit("/welcome", &fields).await;
        assert_eq!(page.location, "/", "{}", page.body);
        person
    }

    /// The owner of the first organization, at their first sign-in.
    pub async fn owner(server: &Server) -> Visitor {
        let link = server.sign_in_link.clone();
        Visitor::first(server, &link, "owner@example.com", "Harbour").await
    }

    /// Somebody new who accepts an invitation that this person makes.
    pub async fn invite(&mut self, email: &str, role: &str) -> Visitor {
        let path = self.invitation(email, role).await;
        let mut person = Visitor::unknown(&self.url);
        let fields = [("name", "Invited"), ("password", PASSWORD)];
        let page = person.post(&path, &fields).await;
        assert_eq!(page.location, "/", "{}", page.body);
        person
    }

    /// The path of a link that invites an address.
    pub async fn invitation(&mut self, email: &str, role: &str) -> String {
        let fields = [("email", email), ("role", role)];
        let page = self.submit("/settings/invitations", &fields).await;
        let link = page.text_of("link");
        let path = link.strip_prefix(&self.url);
        path.expect("a link of the server").to_owned()
    }

    /// A new API key of this person with these scopes.
    pub async fn api_key(&mut self, scopes: &[&str], files: &str) -> String {
        let mut fields = vec![("name", "Key"), ("files", files), ("expiry", "7")];
        fields.extend(scopes.iter().map(|scope| ("scopes", *scope)));
        let page = self.submit("/settings/api-keys", &fields).await;
        page.text_of("key")
    }

    pub async fn sign_in(&mut self, email: &str, password: &str) -> Page {
        let fields = [("email", email), ("password", password)];
        self.post("/sign-in", &fields).await
    }

    pub async fn get(&mut self, path: &str) -> Page {
        let request = self.client.get(format!("{}{path}", self.url));
        self.send(request).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let body = form_urlencoded::Serializer::new(String::new())
            .extend_pairs(fields)
            .finish();
        let request = self
            .client
            .post(format!("{}{path}", self.url))
            .header("content-type", "application/x-www-form-urlencoded")
            .header(ORIGIN, &self.url)
            .body(body);
        self.send(request).await
    }

    /// Posts with the token of a page of this person.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.get("/reference").await.value_of("csrf");
        let fields = [&[("csrf", csrf.as_str())], fields].concat();
        self.post(path, &fields).await
    }

    async fn send(&mut self, mut request: RequestBuilder) -> Page {
        if let Some(session) = &self.session {
            request = request.header(COOKIE, session);
        }
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        let answer = request.send().await.expect("the server answers");
        let text =
            |value: &reqwest::header::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        for cookie in answer.headers().get_all(SET_COOKIE) {
            let cookie = text(cookie);
            let pair = cookie.split(';').next().unwrap_or_default();
            if pair.starts_with("quaymaster=") {
                self.session = Some(pair.to_owned()).filter(|pair| !pair.ends_with('='));
            }
        }
        Page {
            status: answer.status().as_u16(),
            location: answer.headers().get(LOCATION).map(text).unwrap_or_default(),
            body: answer.text().await.expect("a body"),
        }
    }
}

impl Page {
    /// The text of the element with this id, which has no others in it.
    pub fn text_of(&self, id: &str) -> String {
        self.between(&format!("id=\"{id}\">"), "<")
    }

    /// The value of the first input with this name.
    pub fn value_of(&self, name: &str) -> String {
        self.between(&format!("name=\"{name}\" value=\""), "\"")
    }

    fn between(&self, start: &str, end: &str) -> String {
        let found = self.body.split_once(start);
        let found = found.and_then(|(_, rest)| rest.split_once(end));
        let (text, _) = found.unwrap_or_else(|| panic!("no {start} in {}", self.body));
        text.to_owned()
    }
}
