//! Ten connectors against the real services, through the running server: an account is connected by
//! API, and an agent that has read the passport creates, reads, lists, slips, and sends every
//! documented request and every recipe through `connector_execute`.
//!
//! A definition says `tested: live` when a test here names it (`live: key`); `cargo xtask check`
//! compares the two.

mod trial;

use quaymaster_tests::Service;
use quaymaster_tests::services::SECRET;
use serde_json::{Value, json};
use trial::{Learnt, Trial, is_invalid, is_of_the_service};

fn nothing(_: &str, _: &Value) -> Learnt {
    Learnt::new()
}

fn text(answer: &Value, pointer: &str) -> String {
    match answer.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => panic!("no {pointer} in {answer}"),
    }
}

// live: aria2
#[tokio::test]
async fn aria2_downloads_for_an_agent() {
    let mut trial = Trial::begin("aria2", Service::aria2().await).await;
    // A server that takes connections and never says anything: downloads stay as they are.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("http://{}", listener.local_addr().unwrap());
    trial.learn("http://example.org", silent.clone());
    let own = trial.service.directory().to_str().unwrap().to_owned();

    for number in 0..5 {
        let uris =
            json!({ "uris": [format!("{silent}/{number}")], "options": { "pause": "true" } });
        trial.call("add_uri", uris).await;
    }
    let two = json!({ "offset": 0, "num": 2, "keys": ["gid"] });
    let waiting = trial.pages("tell_waiting", two, 2, "").await;
    assert_eq!(waiting.len(), 4);
    let gid = waiting[0]["gid"].clone();
    let status = json!({ "gid": gid, "keys": ["status"] });
    let status = trial.call("tell_status", status).await;
    assert_eq!(status["data"]["status"], "paused");
    let unknown = json!({ "gid": "00000000000000aa" });
    let fault = trial.fault("tell_status", unknown).await;
    is_of_the_service(&fault, 400);
    assert!(fault.to_string().contains("is not found"), "{fault}");
    is_invalid(&trial.fault("add_uri", json!({ "uris": "no list" })).await);

    let changed = [
        ("https://example.org", silent.as_str()),
        ("/srv/downloads", own.as_str()),
    ];
    trial
        .recipe("Download a file into a folder", &changed)
        .await;
    trial.recipe("What failed lately", &[]).await;
    trial.recipe("Limit the speed of everything", &[]).await;
    let gid = text(&gid, "");
    let known = [("2089b05ecca3d829", gid.as_str())];
    trial.recipe("How far is a download", &known).await;
    let wrong = [("secret", "not-the-secret-at-all")];
    trial.wrong_key("get_version", json!({}), &wrong).await;
    let refused = [
        ("get_servers", "No active download"),
        ("force_pause", "cannot be paused now"),
        ("force_remove", "Active Download not found"),
    ];
    trial.examples(None, &refused, nothing).await;
    trial.end();
}

// live: transmission
#[tokio::test]
async fn transmission_shares_for_an_agent() {
    let mut trial = Trial::begin("transmission", Service::transmission().await).await;
    let wrong = [("password", "not-the-password-at-all")];
    let version = json!({ "fields": ["version"] });
    trial.wrong_key("session_get", version, &wrong).await;
    trial.examples(Some("torrent_start"), &[], nothing).await;
    let all = json!({ "fields": ["id", "name"] });
    let all = trial.call("torrent_get", all).await;
    assert_eq!(all["data"]["torrents"][0]["id"], 1, "{all}");
    let fault = json!({ "metainfo": "bm90IGEgdG9ycmVudA==" });
    let fault = trial.fault("torrent_add", fault).await;
    is_of_the_service(&fault, 200);
    is_invalid(&trial.fault("torrent_get", json!({ "fields": 7 })).await);
    trial.recipe("Progress of all torrents", &[]).await;
    let added = "Add a magnet link without starting it";
    trial.recipe(added, &[]).await;
    trial
        .recipe("Files of one torrent", &[("[7]", "[1]")])
        .await;
    trial
        .recipe("Limit the speed of a torrent", &[("[7]", "[1]")])
        .await;
    // Both want the internet.
    let refused = [
        ("port_test", "portTested"),
        ("blocklist_update", "gotNewBlocklist"),
    ];
    trial.examples(None, &refused, nothing).await;
    trial.end();
}

// live: powerdns
#[tokio::test]
async fn powerdns_answers_names_for_an_agent() {
    let mut trial = Trial::begin("powerdns", Service::powerdns().await).await;
    let wrong = [("api_key", "not-the-key-at-all")];
    trial.wrong_key("list_zones", json!({}), &wrong).await;
    let own = [("example.org.", "recipes.example.")];
    trial.recipe("Create a zone", &own).await;
    trial.recipe("Set an address", &own).await;
    trial.recipe("Delete a name's TXT records", &own).await;
    trial.recipe("Which names point to an address", &own).await;
    let zone = json!({ "zone_id": "recipes.example." });
    let read = trial.call("get_zone", zone).await;
    assert!(read["data"]["rrsets"].to_string().contains("192.0.2.1"));
    let unknown = json!({ "zone_id": "nobody.example." });
    is_of_the_service(&trial.fault("get_zone", unknown).await, 404);
    let again = json!({ "name": "recipes.example.", "kind": "Native", "nameservers": [] });
    is_of_the_service(&trial.fault("create_zone", again).await, 409);
    is_invalid(
        &trial
            .fault("create_zone", json!({ "kind": "Native" }))
            .await,
    );
    let refused = [("retrieve_zone", "is not a slave domain")];
    trial.examples(None, &refused, nothing).await;
    trial.end();
}

// live: prometheus
#[tokio::test]
async fn prometheus_measures_for_an_agent() {
    let mut trial = Trial::begin("prometheus", Service::prometheus().await).await;
    let wrong = [("password", "not-the-password-at-all")];
    trial.wrong_key("list_alerts", json!({}), &wrong).await;
    let fault = trial.fault("query", json!({ "query": "up{" })).await;
    is_of_the_service(&fault, 400);
    assert_eq!(fault["details"]["upstream_code"], "bad_data", "{fault}");
    is_invalid(&trial.fault("query_range", json!({ "query": "up" })).await);
    for recipe in [
        "Which targets are down",
        "Requests a second over an hour",
        "Which metrics a job has",
        "What is alerting now",
    ] {
        trial.recipe(recipe, &[]).await;
    }
    trial.examples(None, &[], nothing).await;
    trial.end();
}

// live: docker_registry
#[tokio::test]
async fn the_registry_keeps_images_for_an_agent() {
    const CONFIG: &str = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
    let service = Service::docker_registry().await;
    // The one blob of the image in the examples: `{}`. Its bytes go where no action leads.
    let client = reqwest::Client::new();
    let begun = client.post(format!("{}/v2/library/busybox/blobs/uploads/", service.url));
    let begun = begun.basic_auth("carrier", Some(SECRET)).send();
    let begun = begun.await.unwrap();
    let place = begun.headers()["location"].to_str().unwrap();
    let stored = client.put(format!("{place}&digest={CONFIG}"));
    let stored = stored.basic_auth("carrier", Some(SECRET)).body("{}").send();
    assert_eq!(stored.await.unwrap().status(), 201);

    let trial = Trial::begin("docker_registry", service).await;
    let mut trial = trial.with_segments();
    let wrong = [("password", "not-the-password-at-all")];
    trial.wrong_key("check_api", json!({}), &wrong).await;
    let learn = |action: &str, answer: &Value| match action {
        "start_upload" => {
            let place = text(answer, "/meta/headers/location");
            let (_, state) = place.split_once("_state=").unwrap();
            let id = text(answer, "/meta/headers/docker-upload-uuid");
            let state = state.replace("%3D", "=");
            vec![
                ("a4a8b5c2-9f1e-4d0f-9f3a-3f5a5c2b1d00", id),
                ("STATE", state),
            ]
        }
        _ => Learnt::new(),
    };
    trial.examples(Some("delete_manifest"), &[], learn).await;
    trial.recipe("Which images are there", &[]).await;
    trial.recipe("Tags of an image", &[]).await;
    trial.recipe("Layers of an image", &[]).await;
    let all = trial.pages("list_repositories", json!({ "n": 1 }), 2, "/repositories");
    assert_eq!(all.await, ["library/busybox", "tools/builder"]);
    let unknown = json!({ "name": "library/busybox", "reference": "none" });
    let fault = trial.fault("get_manifest", unknown).await;
    is_of_the_service(&fault, 404);
    assert_eq!(fault["details"]["upstream_code"], "MANIFEST_UNKNOWN");
    let neither = json!({ "name": "library/busybox", "digest": "latest" });
    is_invalid(&trial.fault("delete_manifest", neither).await);
    let latest = json!({ "name": "library/busybox", "reference": "latest" });
    let checked = trial.call("check_manifest", latest).await;
    let digest = text(&checked, "/meta/headers/docker-content-digest");
    let manifest = json!({ "name": "library/busybox", "digest": digest });
    trial.call("delete_manifest", manifest).await;
    let blob = json!({ "name": "library/busybox", "digest": CONFIG });
    trial.call("delete_blob", blob).await;
    // Both are gone when their examples come.
    let refused = [
        ("delete_manifest", "MANIFEST_UNKNOWN"),
        ("delete_blob", "BLOB_UNKNOWN"),
    ];
    trial.examples(None, &refused, nothing).await;
    trial.end();
}

// live: jupyter
#[tokio::test]
async fn jupyter_writes_and_computes_for_an_agent() {
    let trial = Trial::begin("jupyter", Service::jupyter().await).await;
    let mut trial = trial.with_segments();
    let wrong = [("token", "not-the-token-at-all")];
    trial.wrong_key("list_kernels", json!({}), &wrong).await;
    let learn = |action: &str, answer: &Value| match action {
        "start_kernel" => vec![(
            "0cf1b1c8-f3a4-4a0e-9e4c-3b3c6a0b3c1e",
            text(answer, "/data/id"),
        )],
        "create_session" => vec![(
            "9e4c1b1c-f3a4-4a0e-9e4c-3b3c6a0b3c1e",
            text(answer, "/data/id"),
        )],
        _ => Learnt::new(),
    };
    trial.examples(Some("get_content"), &[], learn).await;
    trial.recipe("Write a text file", &[]).await;
    let made = [("new.ipynb", "analysis.ipynb")];
    trial.recipe("Make an empty notebook", &made).await;
    let read = trial.recipe("Read a notebook", &[]).await;
    assert_eq!(read["data"]["content"]["nbformat"], 4, "{read}");
    trial.recipe("Which kernels run", &[]).await;
    let notes = json!({ "path": "papers/notes.txt", "type": "file", "format": "text" });
    let notes = trial.call("get_content", notes).await;
    assert_eq!(notes["data"]["content"], "Hello", "{notes}");
    let unknown = json!({ "path": "papers/none.txt" });
    is_of_the_service(&trial.fault("get_content", unknown).await, 404);
    let wrong = json!({ "path": "papers/x", "type": "crane" });
    is_invalid(&trial.fault("save_content", wrong).await);
    trial.examples(None, &[], learn).await;
    trial.end();
}

// live: kinto
#[tokio::test]
async fn kinto_keeps_records_for_an_agent() {
    let mut trial = Trial::begin("kinto", Service::kinto().await).await;
    let wrong = [("password", "not-the-password-at-all")];
    let bucket = json!({ "bucket_id": "blog" });
    trial.wrong_key("get_bucket", bucket, &wrong).await;
    let learn = |action: &str, answer: &Value| match action {
        "get_record" => vec![("1434641515332", text(answer, "/data/data/last_modified"))],
        _ => Learnt::new(),
    };
    trial.examples(Some("update_record"), &[], learn).await;
    let changed = "Change a record only if nobody else did";
    trial.recipe(changed, &[]).await;
    // Somebody else did meanwhile.
    let stale = json!({
        "bucket_id": "blog", "collection_id": "articles", "record_id": "first",
        "data": { "title": "Third" }, "if-match": "\"1434641515332\"",
    });
    is_of_the_service(&trial.fault("update_record", stale).await, 412);
    trial.recipe("Create a record", &[]).await;
    trial.recipe("Two records in one request", &[]).await;
    trial.recipe("Records by one author", &[]).await;
    let two = json!({ "bucket_id": "blog", "collection_id": "articles", "_limit": 2 });
    let records = trial.pages("list_records", two, 2, "/data").await;
    assert_eq!(records.len(), 4);
    let unknown = json!({ "bucket_id": "blog", "collection_id": "articles", "record_id": "none" });
    is_of_the_service(&trial.fault("get_record", unknown).await, 404);
    is_invalid(&trial.fault("get_bucket", json!({ "bucket_id": "-" })).await);
    trial
        .examples(None, &[("update_record", "412")], learn)
        .await;
    trial.end();
}

// live: datasette
#[tokio::test]
async fn datasette_finds_rows_for_an_agent() {
    let mut trial = Trial::begin("datasette", Service::datasette().await).await;
    let two = json!({ "database": "harbour", "table": "ships", "_size": 2 });
    let rows = trial.pages("list_rows", two, 3, "/rows").await;
    assert_eq!(rows.len(), 6);
    assert_eq!(rows[5]["id"], 6, "{rows:?}");
    let unknown = json!({ "database": "harbour", "table": "none" });
    is_of_the_service(&trial.fault("list_rows", unknown).await, 404);
    let sql = json!({ "database": "harbour", "sql": "select * from none" });
    is_of_the_service(&trial.fault("run_sql", sql).await, 400);
    let neither = json!({ "database": "harbour", "table": "ships" });
    is_invalid(&trial.fault("insert_rows", neither).await);
    trial.recipe("First rows of a table", &[]).await;
    let counted = trial.recipe("Count by column", &[]).await;
    assert_eq!(counted["data"]["rows"][0]["ships"], 125, "{counted}");
    let tables = "Which tables and columns are there";
    trial.recipe(tables, &[]).await;
    trial.recipe("Add a row", &[]).await;
    trial.examples(None, &[], nothing).await;
    let wrong = [("token", "dstok_not-the-token-at-all")];
    let row = json!({ "database": "harbour", "table": "ships", "row": { "name": "x" } });
    trial.wrong_key("insert_rows", row, &wrong).await;
    trial.end();
}

// live: rabbitmq
#[tokio::test]
async fn rabbitmq_carries_messages_for_an_agent() {
    let mut trial = Trial::begin("rabbitmq", Service::rabbitmq().await).await;
    let wrong = [("password", "not-the-password-at-all")];
    trial.wrong_key("get_overview", json!({}), &wrong).await;
    let learn = |action: &str, answer: &Value| match action {
        "list_nodes" => vec![("rabbit@node1", text(answer, "/data/0/name"))],
        _ => Learnt::new(),
    };
    let own = [("orders", "lists")];
    trial.recipe("Create a lasting queue", &own).await;
    trial.recipe("Put a message into a queue", &own).await;
    let seen = "Look at messages without taking them";
    let seen = trial.recipe(seen, &own).await;
    assert_eq!(seen["data"][0]["payload"], "Hello", "{seen}");
    trial.recipe("Longest queues", &[]).await;
    for name in ["a", "b"] {
        let queue = json!({ "vhost": "/", "name": name, "durable": true });
        trial.call("put_queue", queue).await;
    }
    let two = json!({ "page": 1, "page_size": 2, "sort": "name", "columns": "name" });
    let queues = trial.pages("list_queues", two, 2, "/items").await;
    assert_eq!(queues.len(), 3, "{queues:?}");
    let queue = json!({ "vhost": "/", "name": "lists" });
    let queue = trial.call("get_queue", queue).await;
    assert_eq!(queue["data"]["durable"], true, "{queue}");
    let unknown = json!({ "vhost": "/", "name": "none" });
    is_of_the_service(&trial.fault("get_queue", unknown).await, 404);
    is_invalid(&trial.fault("list_queues", json!({ "page": 0 })).await);
    for name in ["a", "b", "lists"] {
        let queue = json!({ "vhost": "/", "name": name });
        trial.call("delete_queue", queue).await;
    }
    // Nobody is connected by AMQP.
    let refused = [("close_connection", "Object Not Found")];
    trial.examples(None, &refused, learn).await;
    trial.end();
}

// live: redmine
#[tokio::test]
async fn redmine_keeps_issues_for_an_agent() {
    let mut trial = Trial::begin("redmine", Service::redmine().await).await;
    let wrong = [("api_key", "not-the-key-at-all-not-the-key-at-all-00")];
    trial.wrong_key("get_current_user", json!({}), &wrong).await;
    let learn = |action: &str, answer: &Value| match action {
        "upload_file" => vec![("TOKEN", text(answer, "/data/upload/token"))],
        _ => Learnt::new(),
    };
    trial.examples(Some("list_users"), &[], learn).await;
    trial.recipe("Report a bug", &[]).await;
    let mended = "Comment and change the status";
    trial.recipe(mended, &[]).await;
    trial.recipe("Log an hour and a half", &[]).await;
    trial.recipe("My open issues", &[]).await;
    let one = json!({ "project_id": "harbour", "status_id": "*", "limit": 1 });
    let issues = trial.pages("list_issues", one, 3, "/issues").await;
    assert_eq!(issues.len(), 3, "{issues:?}");
    let issue = json!({ "id": 1, "include": "journals" });
    let issue = trial.call("get_issue", issue).await;
    assert!(issue.to_string().contains("Mended."), "{issue}");
    is_of_the_service(&trial.fault("get_issue", json!({ "id": 999 })).await, 404);
    let blank = json!({ "issue": { "project_id": "harbour", "subject": " " } });
    let fault = trial.fault("create_issue", blank).await;
    is_of_the_service(&fault, 422);
    assert!(fault.to_string().contains("Subject"), "{fault}");
    is_invalid(&trial.fault("get_issue", json!({ "id": "x" })).await);
    trial.examples(None, &[], learn).await;
    trial.end();
}
