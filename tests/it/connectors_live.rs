//! The documented requests of catalog/<key>/requests.yaml, sent to the real service, one after
//! another: what the connectors are proved to build is what the services take.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use quaymaster_tests::Service;
use quaymaster_tests::services::SECRET;
use reqwest::header::HeaderMap;
use serde_json::Value;

/// An answer, as far as a later request needs something of it.
struct Answer {
    status: u16,
    headers: HeaderMap,
    body: Value,
}

impl Answer {
    fn text(&self, pointer: &str) -> String {
        match self.body.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            Some(other) => other.to_string(),
            None => panic!("no {pointer} in {}", self.body),
        }
    }

    fn header(&self, name: &str) -> String {
        self.headers[name].to_str().unwrap().to_owned()
    }
}

/// What stands in an example, and what takes its place from now on.
type Learnt = Vec<(&'static str, String)>;

fn catalog(key: &str, file: &str) -> Value {
    let path = format!("{}/../catalog/{key}/{file}", env!("CARGO_MANIFEST_DIR"));
    serde_saphyr::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn basic(user: &str, password: &str) -> String {
    STANDARD.encode(format!("{user}:{password}"))
}

/// The example's account becomes the service's.
fn translate(text: &str, example: &Value, service: &Service, learnt: &Learnt) -> String {
    let fields = &example["account"]["fields"];
    let of = |name: &str| fields[name].as_str().unwrap_or_default();
    let own = |name: &str| {
        let found = service.fields.iter().find(|(field, _)| *field == name);
        found.map_or("", |(_, value)| value.as_str())
    };
    let mut text = text.replace(of("url"), own("url")).replace(
        &basic(of("username"), of("password")),
        &basic(own("username"), own("password")),
    );
    let secret = ["secret", "token", "api_key"]
        .into_iter()
        .find(|name| !own(name).is_empty());
    if let Some(name) = secret {
        text = text.replace(of(name), own(name));
    }
    learnt
        .iter()
        .fold(text, |text, (from, to)| text.replace(from, to))
}

async fn send(request: &Value) -> Answer {
    let verb = request["verb"].as_str().unwrap().parse().unwrap();
    let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let mut sending = client
        .build()
        .unwrap()
        .request(verb, request["url"].as_str().unwrap());
    if let Some(body) = request.get("body") {
        sending = sending.json(body);
    } else if let Some(text) = request.get("text") {
        sending = sending.body(text.as_str().unwrap().to_owned());
    }
    let mut headers = HeaderMap::new();
    for (name, value) in request["headers"].as_object().into_iter().flatten() {
        let name = reqwest::header::HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.insert(name, value.as_str().unwrap().parse().unwrap());
    }
    let answer = sending.headers(headers).send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
    Answer {
        status,
        headers,
        body,
    }
}

/// Transmission hands out a session id with its first refusal.
async fn send_with_session(request: &mut Value) -> Answer {
    let answer = send(request).await;
    if answer.status != 409 || !answer.headers.contains_key("x-transmission-session-id") {
        return answer;
    }
    request["headers"]["x-transmission-session-id"] =
        answer.header("x-transmission-session-id").into();
    send(request).await
}

/// Sends every example. `refused` are those whose answer, as it should, is this text, because
/// nothing here is in the state that they want.
async fn replay(
    service: &Service,
    key: &str,
    mut learnt: Learnt,
    refused: &[(&str, &str)],
    learn: impl Fn(&str, &Answer) -> Learnt,
) {
    let definition = catalog(key, "connector.yaml");
    let modules = definition["modules"].as_object().unwrap().values();
    let actions: Vec<_> = modules
        .flat_map(|module| module["actions"].as_object().unwrap())
        .collect();
    let mut seen = 0;
    for example in catalog(key, "requests.yaml").as_array().unwrap() {
        let name = example["action"].as_str().unwrap();
        let request = example["request"].to_string();
        let request = translate(&request, example, service, &learnt);
        let mut request: Value = serde_json::from_str(&request).unwrap();
        let answer = send_with_session(&mut request).await;
        let (_, action) = actions.iter().find(|(known, _)| *known == name).unwrap();
        let expected = action["response"]["status"].as_u64().unwrap_or(200);
        // Both RPC services answer most errors with 200.
        let failed = answer
            .body
            .get("error")
            .is_some_and(|error| !error.is_null())
            || answer.body.get("result").is_some_and(|result| {
                answer.body.get("arguments").is_some() && result != "success"
            });
        let shown = format!("{key}/{name}: {} {}", answer.status, answer.body);
        match refused.iter().find(|(action, _)| *action == name) {
            Some((_, text)) => assert!(shown.contains(text), "{shown}\n{}", service.log()),
            None => assert!(
                u64::from(answer.status) == expected && !failed,
                "{shown}, expected {expected}\n{}",
                service.log()
            ),
        }
        learnt.extend(learn(name, &answer));
        seen += 1;
    }
    println!(
        "{key}: {seen} requests, started in {:?}",
        service.started_in
    );
}

/// The first example with another secret.
async fn wrong_secret(service: &Service, key: &str) -> u16 {
    let example = &catalog(key, "requests.yaml")[0];
    let request = translate(
        &example["request"].to_string(),
        example,
        service,
        &Learnt::new(),
    );
    let (user, wrong) = ("carrier", "wrong");
    let request = request.replace(&basic(user, SECRET), &basic(user, wrong));
    let secrets = service
        .fields
        .iter()
        .filter(|(name, _)| !["url", "username"].contains(name));
    let request = secrets.fold(request, |request, (_, secret)| {
        request.replace(secret, wrong)
    });
    send(&serde_json::from_str(&request).unwrap()).await.status
}

fn nothing(_: &str, _: &Answer) -> Learnt {
    Learnt::new()
}

#[tokio::test]
async fn aria2_takes_the_documented_requests() {
    let service = Service::aria2().await;
    assert_eq!(wrong_secret(&service, "aria2").await, 400);
    let refused = [
        ("get_servers", "No active download"),
        ("force_pause", "cannot be paused now"),
        ("force_remove", "Active Download not found"),
    ];
    // A server that takes connections and never says anything: downloads stay as they are.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = vec![(
        "http://example.org",
        format!("http://{}", listener.local_addr().unwrap()),
    )];
    replay(&service, "aria2", silent, &refused, nothing).await;
}

#[tokio::test]
async fn transmission_takes_the_documented_requests() {
    let service = Service::transmission().await;
    assert_eq!(wrong_secret(&service, "transmission").await, 401);
    // Both want the internet.
    let refused = [
        ("port_test", "portTested"),
        ("blocklist_update", "gotNewBlocklist"),
    ];
    replay(&service, "transmission", Learnt::new(), &refused, nothing).await;
}

#[tokio::test]
async fn powerdns_takes_the_documented_requests() {
    let service = Service::powerdns().await;
    assert_eq!(wrong_secret(&service, "powerdns").await, 401);
    replay(
        &service,
        "powerdns",
        Learnt::new(),
        &[("retrieve_zone", "is not a slave domain")],
        nothing,
    )
    .await;
}

#[tokio::test]
async fn prometheus_takes_the_documented_requests() {
    let service = Service::prometheus().await;
    assert_eq!(wrong_secret(&service, "prometheus").await, 401);
    replay(&service, "prometheus", Learnt::new(), &[], nothing).await;
}

#[tokio::test]
async fn the_registry_takes_the_documented_requests() {
    const DIGEST: &str =
        "sha256%3A44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let service = Service::docker_registry().await;
    assert_eq!(wrong_secret(&service, "docker_registry").await, 401);
    // The one blob of the image in the examples: `{}`.
    let client = reqwest::Client::new();
    let begun = client.post(format!("{}/v2/library/busybox/blobs/uploads/", service.url));
    let begun = begun
        .basic_auth("carrier", Some(SECRET))
        .send()
        .await
        .unwrap();
    let place = begun.headers()["location"].to_str().unwrap();
    let stored = client
        .put(format!("{place}&digest={DIGEST}"))
        .basic_auth("carrier", Some(SECRET));
    assert_eq!(stored.body("{}").send().await.unwrap().status(), 201);
    replay(&service, "docker_registry", Learnt::new(), &[], |action, answer| match action {
        "check_manifest" => {
            let digest = answer.header("docker-content-digest").replace(':', "%3A");
            vec![(
                "/manifests/sha256%3A44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
                format!("/manifests/{digest}"),
            )]
        }
        "start_upload" => {
            let place = answer.header("location");
            let (_, state) = place.split_once("_state=").unwrap();
            let id = answer.header("docker-upload-uuid");
            vec![("a4a8b5c2-9f1e-4d0f-9f3a-3f5a5c2b1d00", id), ("STATE", state.to_owned())]
        }
        _ => Learnt::new(),
    })
    .await;
}

#[tokio::test]
async fn jupyter_takes_the_documented_requests() {
    let service = Service::jupyter().await;
    replay(
        &service,
        "jupyter",
        Learnt::new(),
        &[],
        |action, answer| match action {
            "start_kernel" => vec![("0cf1b1c8-f3a4-4a0e-9e4c-3b3c6a0b3c1e", answer.text("/id"))],
            "create_session" => vec![("9e4c1b1c-f3a4-4a0e-9e4c-3b3c6a0b3c1e", answer.text("/id"))],
            _ => Learnt::new(),
        },
    )
    .await;
}

#[tokio::test]
async fn kinto_takes_the_documented_requests() {
    let service = Service::kinto().await;
    assert_eq!(wrong_secret(&service, "kinto").await, 401);
    replay(
        &service,
        "kinto",
        Learnt::new(),
        &[],
        |action, answer| match action {
            "get_record" => vec![("1434641515332", answer.text("/data/last_modified"))],
            _ => Learnt::new(),
        },
    )
    .await;
}

#[tokio::test]
async fn datasette_takes_the_documented_requests() {
    let service = Service::datasette().await;
    // From 1.0 on, the old address leads to the new one.
    replay(
        &service,
        "datasette",
        Learnt::new(),
        &[("run_sql_0x", "302")],
        nothing,
    )
    .await;
}

#[tokio::test]
async fn rabbitmq_takes_the_documented_requests() {
    let service = Service::rabbitmq().await;
    assert_eq!(wrong_secret(&service, "rabbitmq").await, 401);
    // Nobody is connected by AMQP.
    let refused = [("close_connection", "Object Not Found")];
    replay(
        &service,
        "rabbitmq",
        Learnt::new(),
        &refused,
        |action, answer| match action {
            "list_nodes" => vec![("rabbit%40node1", answer.text("/0/name").replace('@', "%40"))],
            _ => Learnt::new(),
        },
    )
    .await;
}

#[tokio::test]
async fn redmine_takes_the_documented_requests() {
    let service = Service::redmine().await;
    assert_eq!(wrong_secret(&service, "redmine").await, 401);
    replay(
        &service,
        "redmine",
        Learnt::new(),
        &[],
        |action, answer| match action {
            "upload_file" => vec![("TOKEN", answer.text("/upload/token"))],
            _ => Learnt::new(),
        },
    )
    .await;
}
