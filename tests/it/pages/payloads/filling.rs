//! Writes payloads into every text field of the API, one field after the other.

use super::bodies::{self, Ids};
use super::fields::{self, Field, Route};
use super::{Found, PAYLOADS, Places, Scene, takes, text};
use form_urlencoded::byte_serialize;
use reqwest::Client;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Fields that get all forty; others get some, each other ones.
const MOST_SHOWN: [&str; 7] = [
    "POST /api-keys name",
    "POST /partials name",
    "POST /mcp/servers name",
    "POST /skills description",
    "POST /workspaces name",
    "POST /workspaces/{id}/flow-tokens name",
    "POST /workspaces/{id}/tokens name",
];
/// Of how many payloads a field gets one.
const APART: usize = 10;
/// So many refusals of the first ones mean that a field takes no text.
const ENOUGH: usize = 2;

/// What a field took.
struct Outcome {
    name: String,
    kept: BTreeSet<usize>,
}

struct Sender {
    client: Client,
    url: String,
    key: String,
    ids: Ids,
}

impl Sender {
    /// Sends the route with a field changed, if any; answers the status and what was said.
    async fn send(
        &mut self,
        route: &Route,
        body: &Value,
        given: Option<(&Field, &str)>,
    ) -> (u16, String) {
        let mut path = self.ids.path(&route.path);
        let mut body = self.ids.filled(body);
        let mut query = Vec::new();
        let bytes = body.is_null();
        if bytes {
            let name = self.ids.filled(&json!("@new"));
            query.push(("path", name.as_str().unwrap_or_default().to_owned()));
        }
        match given {
            None => {}
            Some((Field::Body(members), text)) => fields::set(&mut body, members, text),
            Some((Field::Query(name), text)) => {
                query.retain(|(known, _)| known != name);
                query.push((name.as_str(), text.to_owned()));
            }
            Some((Field::Path, text)) => {
                let (folder, _) = path.rsplit_once('/').expect("a path");
                // The signs of a form are good in a path, but for the space.
                let name: String = byte_serialize(text.as_bytes()).collect();
                path = format!("{folder}/{}", name.replace('+', "%20"));
            }
        }
        let method = route.method.parse().expect("a method");
        let url = format!("{}/api/v1{path}", self.url);
        let request = self.client.request(method, url).bearer_auth(&self.key);
        let request = request.query(&query);
        let request = if bytes {
            request.body("# Tides\n")
        } else {
            request.json(&body)
        };
        let answer = request.send().await.expect("the server answers");
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("a body"))
    }

    /// The route as it is, then with payloads in each of its fields.
    async fn fill(&mut self, route: &Route, first: usize, found: &mut Found) -> Vec<Outcome> {
        let bodies = bodies::of(&route.name());
        if bodies.is_empty() {
            found.push(format!("bodies.rs has none for {}", route.name()));
        }
        // Without a field there is nothing to change.
        for body in bodies.iter().filter(|_| route.method != "PATCH") {
            let (status, said) = self.send(route, body, None).await;
            if status >= 300 {
                found.push(format!("{} answers {status} {said}", route.name()));
            }
        }
        let mut outcomes = Vec::new();
        for (field, number) in route.fields.iter().zip(first..) {
            let name = format!("{} {}", route.name(), field.name());
            let all = MOST_SHOWN.contains(&name.as_str());
            let mut kept = BTreeSet::new();
            let mut refused = 0;
            // Addresses of mail have no spaces, so more are tried.
            let is_address = name.ends_with("email");
            let apart = if is_address { APART / 2 } else { APART };
            let (mut order, others): (Vec<usize>, Vec<usize>) =
                (1..=PAYLOADS.len()).partition(|one| all || one % apart == number % apart);
            let share = order.len();
            // One that takes some takes one of the others, where it takes none of its own.
            let takes_some = takes::TAKES.iter().any(|(known, _)| *known == name);
            if takes_some {
                order.extend(others);
            }
            for (tried, payload) in order.into_iter().enumerate() {
                if tried >= share && !kept.is_empty() {
                    break;
                }
                if kept.is_empty() && refused == ENOUGH && !is_address && !takes_some {
                    break;
                }
                let mut given = text(payload, number * 100 + payload);
                if is_address {
                    given.push_str("@example.com");
                }
                let mut taken = false;
                for body in &bodies {
                    let (status, said) =
                        self.send(route, body, Some((field, given.as_str()))).await;
                    // 501 and 502 are of what is not there yet, and of services.
                    if status == 500 {
                        found.push(format!("{name} answers {given:?} with {said}"));
                    }
                    taken = taken || (200..300).contains(&status);
                    if taken {
                        break;
                    }
                }
                if !taken {
                    refused += 1;
                    continue;
                }
                // What is changed has the last one.
                if route.method == "PATCH" {
                    kept.clear();
                }
                kept.insert(payload);
            }
            outcomes.push(Outcome { name, kept });
        }
        outcomes
    }
}

async fn fill_some(
    scene: &Scene,
    routes: &[(&Route, usize)],
    prefix: &'static str,
) -> (Found, Vec<Outcome>) {
    let mut sender = Sender {
        client: Client::new(),
        url: scene.desk.server.url.clone(),
        key: scene.desk.key.clone(),
        ids: Ids::make(&scene.desk, &scene.seeded, prefix).await,
    };
    let (mut found, mut outcomes) = (Found::new(), Vec::new());
    for (route, first) in routes {
        outcomes.extend(sender.fill(route, *first, &mut found).await);
    }
    (found, outcomes)
}

pub(super) async fn fill(scene: &Scene, places: &mut Places) -> Found {
    let desk = &scene.desk;
    let document = desk.did("GET", "/openapi.json", None).await;
    let routes = fields::read(&document);
    let count: usize = routes.iter().map(|route| route.fields.len()).sum();
    let mut found = Found::new();
    if routes.len() < 45 || count < 150 {
        found.push(format!("the document has {count} text fields"));
    }
    let mut parts: [Vec<(&Route, usize)>; 2] = Default::default();
    for route in &routes {
        let numbers = route.fields.iter();
        let numbers = numbers.map(|field| format!("{} {}", route.name(), field.name()));
        let numbers: Vec<usize> = numbers.map(|name| places.field(&name)).collect();
        if bodies::LEFT_OUT
            .iter()
            .all(|(left, _)| *left != route.name())
        {
            // What changes the same thing is sent by the same one.
            let is_hosted = ["/workspaces", "/mcp/"]
                .iter()
                .any(|own| route.path.starts_with(own));
            parts[usize::from(is_hosted)].push((route, numbers[0]));
        }
    }
    for (left, _) in bodies::LEFT_OUT {
        if routes.iter().all(|route| route.name() != left) {
            found.push(format!("there is no {left} to leave out"));
        }
    }
    let (a, b) = tokio::join!(
        fill_some(scene, &parts[0], "a"),
        fill_some(scene, &parts[1], "b")
    );
    for (problems, outcomes) in [a, b] {
        found.extend(problems);
        for outcome in outcomes {
            found.extend(unlike_the_list(&outcome));
            let field = places.field(&outcome.name);
            places.fields[field - 1].kept.extend(outcome.kept);
        }
    }
    found
}

/// A field that takes payloads and is not written down, or the other way round.
fn unlike_the_list(outcome: &Outcome) -> Found {
    let Outcome { name, kept } = outcome;
    let is_known = takes::TAKES.iter().any(|(known, _)| known == name);
    let mut found = Found::new();
    if kept.is_empty() == is_known {
        let does = if is_known { "takes no" } else { "takes" };
        found.push(format!("{name} {does} payloads, unlike what takes.rs says"));
    }
    if MOST_SHOWN.contains(&name.as_str()) && kept.len() + 2 < PAYLOADS.len() {
        found.push(format!("{name} takes only {kept:?}"));
    }
    found
}
