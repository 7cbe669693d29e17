//! Roles under parallel requests, and what ends when somebody leaves, on several nodes.

use quaymaster_tests::{Database, Mcp, Server, Visitor, fresh_postgres};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const MEMBERS: &str = "/api/v1/members";

async fn members(server: &Server, key: &str) -> Vec<(String, String)> {
    let (status, listed) = server.rest(key, "GET", MEMBERS, None).await;
    assert_eq!(status, 200, "{listed}");
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    listed["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| (text(&member["id"]), text(&member["role"])))
        .collect()
}

#[tokio::test]
async fn an_organization_keeps_an_owner_whatever_its_owners_do_at_once() {
    for database in Database::BOTH {
        let server = Server::start_on(database).await;
        let mut owner = Visitor::owner(&server).await;
        let mut other = owner.invite("other@example.com", "owner").await;
        let mut keys = Vec::new();
        for person in [&mut owner, &mut other] {
            // Neither reaches a workspace; both are for the management API.
            keys.push(person.api_key(&["admin"], "").await);
        }
        let mut ids = Vec::new();
        for (id, _) in members(&server, &keys[0]).await {
            ids.push(id);
        }
        let change = |key: usize, whom: usize, role: &'static str| {
            let path = format!("{MEMBERS}/{}", ids[whom]);
            let (server, key) = (&server, &keys[key]);
            let body = Some(json!({ "role": role }));
            async move { server.rest(key, "PATCH", &path, body).await.0 }
        };
        for round in 0..15 {
            // Each gives up their own role, or takes the other's.
            let (first, second) = if round % 2 == 0 { (0, 1) } else { (1, 0) };
            let (a, b) = tokio::join!(change(0, first, "admin"), change(1, second, "admin"));
            assert!(
                (a == 200) ^ (b == 200),
                "{database:?} round {round}: {a} and {b}"
            );
            let roles = members(&server, &keys[0]).await;
            let owners: Vec<_> = roles.iter().filter(|(_, role)| role == "owner").collect();
            assert_eq!(owners.len(), 1, "{roles:?}");
            let owner = ids.iter().position(|id| *id == owners[0].0).unwrap();
            assert_eq!(change(owner, 1 - owner, "owner").await, 200);
        }
        // Both leave at once: one stays.
        let leave = |who: usize| {
            let path = format!("{MEMBERS}/{}", ids[who]);
            let (server, key) = (&server, &keys[who]);
            async move { server.rest(key, "DELETE", &path, None).await.0 }
        };
        let (a, b) = tokio::join!(leave(0), leave(1));
        assert!((a == 200) ^ (b == 200), "{database:?}: {a} and {b}");
    }
}

#[tokio::test]
async fn an_invitation_and_a_reset_link_are_used_once_by_many_at_once() {
    for database in Database::BOTH {
        let server = Server::start_on(database).await;
        let mut owner = Visitor::owner(&server).await;
        let invitation = owner.invitation("bo@example.com", "member").await;
        let fields = [("name", "Bo"), ("password", "correct horse battery")];
        let join = async || {
            let mut person = Visitor::unknown(&server.url);
            person.post(&invitation, &fields).await.location == "/"
        };
        let (a, b, c) = tokio::join!(join(), join(), join());
        assert_eq!([a, b, c].iter().filter(|done| **done).count(), 1);

        let key = owner.api_key(&["admin"], "").await;
        let all = members(&server, &key).await;
        let (bo, _) = all.iter().find(|(_, role)| role == "member").unwrap();
        let path = format!("{MEMBERS}/{bo}/reset-link");
        let (status, made) = server.rest(&key, "POST", &path, None).await;
        assert_eq!(status, 201, "{made}");
        let link = made["url"].as_str().unwrap();
        let link = link.strip_prefix(&server.url).unwrap();
        let set = async |password: &str| {
            let mut person = Visitor::unknown(&server.url);
            let page = person.post(link, &[("password", password)]).await;
            page.location == "/sign-in"
        };
        let (a, b) = tokio::join!(set("the first password"), set("the second password"));
        assert!(a ^ b, "{database:?}");
        let mut bo = Visitor::unknown(&server.url);
        for (password, right) in [("the first password", a), ("the second password", b)] {
            let signed_in = bo.sign_in("bo@example.com", password).await.location == "/";
            assert_eq!(signed_in, right, "{database:?} {password}");
        }
    }
}

/// Two nodes on one database: what was removed by one is dead on the other within a second.
#[tokio::test]
async fn whoever_is_removed_is_out_on_every_node_within_a_second() {
    let (url, key) = (fresh_postgres().await, "7".repeat(64));
    let settings = [("DATABASE_URL", url.as_str()), ("KEY", key.as_str())];
    let here = Server::start_with(Database::Sqlite, &settings).await;
    let there = Server::start_with(Database::Sqlite, &settings).await;
    let mut owner = Visitor::owner(&here).await;
    let mut member = owner.invite("member@example.com", "member").await;
    let mut elsewhere = Visitor::unknown(&there.url);
    elsewhere.session = member.session.clone();
    let token = member.api_key(&["read:tools"], &here.workspace).await;
    let agent = Mcp::open(&there.endpoint, &token).await;
    let asked = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" });
    assert_eq!(agent.post(&asked).await.status, 200);
    assert_eq!(elsewhere.get("/").await.status, 200);

    let admin = owner.api_key(&["admin"], "").await;
    let all = members(&here, &admin).await;
    let (id, _) = all.iter().find(|(_, role)| role == "member").unwrap();
    let path = format!("{MEMBERS}/{id}");
    let (status, removed) = here.rest(&admin, "DELETE", &path, None).await;
    assert_eq!(status, 200, "{removed}");
    let removed_at = Instant::now();
    assert_eq!(elsewhere.get("/").await.location, "/sign-in", "at once");
    assert_eq!(member.get("/").await.location, "/sign-in");
    while agent.post(&asked).await.status == 200 {
        assert!(
            removed_at.elapsed() < Duration::from_secs(1),
            "still let in"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(agent.post(&asked).await.status, 401);
}

#[tokio::test]
async fn an_unknown_address_is_refused_as_slowly_as_a_wrong_password() {
    let server = Server::start().await;
    Visitor::owner(&server).await;
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..9 {
        for (times, email) in times
            .iter_mut()
            .zip(["owner@example.com", "nobody@example.com"])
        {
            let began = Instant::now();
            let mut person = Visitor::unknown(&server.url);
            let page = person.sign_in(email, "a wrong password").await;
            times.push(began.elapsed());
            assert_eq!(page.status, 422);
            assert!(
                page.body
                    .contains("The email address or the password is wrong.")
            );
        }
    }
    let [known, unknown] = times.map(|mut times| {
        times.sort();
        times[4].as_secs_f64()
    });
    // Digests take tens of milliseconds; without one the answer would come in one or two.
    let ratio = unknown / known;
    assert!((0.6..1.6).contains(&ratio), "{known} s and {unknown} s");
}
