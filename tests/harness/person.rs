//! A person with a browser made of plain HTTP: cookies, forms, and redirects that it follows on the
//! server but not away from it.

use reqwest::header::{COOKIE, LOCATION, REFRESH, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder};
use scraper::{Html, Selector};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// What a person sees after a click.
#[derive(Debug)]
pub struct Page {
    pub status: u16,
    pub html: String,
    /// Where the browser was sent, when that is another server.
    pub away: Option<String>,
    /// The path and query of the last page.
    pub path: String,
    /// What the header `Refresh` says.
    pub refresh: Option<String>,
}

impl Page {
    /// The fields of the first form that posts to a path, as a browser would send them untouched.
    pub fn form(&self, action: &str) -> Vec<(String, String)> {
        let html = Html::parse_document(&self.html);
        let forms = Selector::parse("form[method=post]").expect("a selector");
        let inputs = Selector::parse("input[name]").expect("a selector");
        let form = html
            .select(&forms)
            .find(|form| form.attr("action") == Some(action))
            .unwrap_or_else(|| panic!("no form to {action} in {}", self.html));
        let sent = form.select(&inputs).filter(|input| {
            let switch = matches!(input.attr("type"), Some("radio" | "checkbox"));
            !switch || input.attr("checked").is_some()
        });
        sent.map(|input| {
            let text = |name| input.attr(name).unwrap_or_default().to_owned();
            (text("name"), text("value"))
        })
        .collect()
    }

    /// The texts of all elements that a selector finds.
    pub fn texts(&self, selector: &str) -> Vec<String> {
        let html = Html::parse_document(&self.html);
        let selector = Selector::parse(selector).expect("a selector");
        let text = |element: scraper::ElementRef<'_>| {
            let words: Vec<&str> = element.text().flat_map(str::split_whitespace).collect();
            words.join(" ")
        };
        html.select(&selector).map(text).collect()
    }
}

pub struct Person {
    client: Client,
    origin: String,
    cookies: Mutex<BTreeMap<String, String>>,
}

pub const EMAIL: &str = "owner@example.com";
pub const PASSWORD: &str = "correct horse battery";

impl Person {
    /// Somebody who is not signed in.
    pub fn of(url: &str) -> Person {
        Person {
            client: Client::builder()
                .redirect(Policy::none())
                .build()
                .expect("a client"),
            origin: url.to_owned(),
            cookies: Mutex::default(),
        }
    }

    /// The first person on a server, by the printed link and the welcome page.
    pub async fn owner(url: &str, sign_in_link: &str) -> Person {
        let person = Person::of(url);
        let path = sign_in_link
            .strip_prefix(url)
            .expect("a link to the server");
        let page = person.get(path).await;
        let page = person.send(path, &page.form(path), &[]).await;
        assert_eq!(page.path, "/welcome", "{}", page.html);
        let about = [
            ("name", "Owner"),
            ("email", EMAIL),
            ("password", PASSWORD),
            ("organization", "Harbour works"),
        ];
        let page = person
            .send("/welcome", &page.form("/welcome"), &about)
            .await;
        assert_eq!(
            (page.status, page.path.as_str()),
            (200, "/"),
            "{}",
            page.html
        );
        person
    }

    /// Signs in with address and password.
    pub async fn sign_in(&self, email: &str, password: &str) -> Page {
        let page = self.get("/sign-in").await;
        let given = [("email", email), ("password", password)];
        self.send("/sign-in", &page.form("/sign-in"), &given).await
    }

    pub async fn get(&self, path: &str) -> Page {
        let url = self.absolute(path);
        self.follow(self.client.get(url)).await
    }

    /// Sends a form with some fields changed or added.
    pub async fn send(
        &self,
        path: &str,
        fields: &[(String, String)],
        given: &[(&str, &str)],
    ) -> Page {
        let mut all: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .filter(|(name, _)| !given.iter().any(|(known, _)| known == name))
            .collect();
        all.extend(given);
        let request = self
            .client
            .request(Method::POST, self.absolute(path))
            .header("origin", &self.origin)
            .form(&all);
        self.follow(request).await
    }

    /// Opens an authorization address and agrees to what is asked, with every choice as it is
    /// preselected. Answers where the browser is sent.
    pub async fn agrees_to(&self, authorization_url: &str) -> String {
        let page = self.get(authorization_url).await;
        assert_eq!(page.status, 200, "{}", page.html);
        let page = self
            .send(
                "/authorize",
                &page.form("/authorize"),
                &[("answer", "allow")],
            )
            .await;
        page.away
            .unwrap_or_else(|| panic!("not sent to the client: {}", page.html))
    }

    fn absolute(&self, path: &str) -> String {
        if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.origin)
        }
    }

    async fn follow(&self, mut request: RequestBuilder) -> Page {
        for _ in 0..10 {
            let cookies = self.cookie_header();
            let answer = request
                .header(COOKIE, cookies)
                .send()
                .await
                .expect("the server answers");
            self.keep(&answer);
            let url = answer.url().clone();
            let status = answer.status();
            let location = answer.headers().get(LOCATION).cloned();
            let Some(location) = location.filter(|_| status.is_redirection()) else {
                let query = url.query().map(|query| format!("?{query}"));
                let refresh = answer.headers().get(REFRESH);
                let refresh = refresh.and_then(|value| value.to_str().ok());
                return Page {
                    refresh: refresh.map(str::to_owned),
                    status: status.as_u16(),
                    html: answer.text().await.expect("a body"),
                    away: None,
                    path: format!("{}{}", url.path(), query.unwrap_or_default()),
                };
            };
            let location = location.to_str().expect("an address");
            let next = url.join(location).expect("an address");
            if !next.as_str().starts_with(&self.origin) {
                return Page {
                    status: status.as_u16(),
                    html: String::new(),
                    away: Some(next.into()),
                    path: url.path().to_owned(),
                    refresh: None,
                };
            }
            request = self.client.get(next);
        }
        panic!("redirects without an end");
    }

    fn cookie_header(&self) -> String {
        let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        let pairs: Vec<_> = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        pairs.join("; ")
    }

    fn keep(&self, answer: &reqwest::Response) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        for set in answer.headers().get_all(SET_COOKIE) {
            let text = set.to_str().expect("a cookie");
            let pair = text.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("name and value");
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}
