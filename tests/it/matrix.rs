//! Every route of the published document against every kind of caller: nobody, credentials that are good no
//! longer, of few scopes, of workspaces, servers and flows, a member, another organization.
//!
//! Requests are made from the schemas of the document and name things that are there, in paths, queries and
//! bodies. The owner sends the same ones and succeeds, so that others are refused for who they are.

mod asking;
mod document;
mod exceptions;
mod given;
mod world;

use asking::{Asked, Spot, Things, asked, decides_the_rest, spots};
use document::{Access, Operation};
use exceptions::{FAILS, HARMLESS, OF_THE_OWNER, PUBLIC};
use quaymaster_tests::Database;
use serde_json::{Value, json};
use std::time::Duration;
use world::{Furnished, World};

const EVERY_SCOPE: [&str; 6] = [
    "read:tools",
    "write:tools",
    "read:data",
    "admin",
    "chat",
    "connector:gateway",
];

/// The operation, and the field where another thing stands.
fn called(operation: &Operation, spot: Option<&Spot>) -> String {
    match spot {
        None | Some(Spot::Path(_)) => operation.name(),
        Some(Spot::Query(field) | Spot::Body(field)) => format!("{} {field}", operation.name()),
    }
}

/// The same names and ids as far as their looks go, which nobody has.
fn nobodys(things: &Things) -> Things {
    let changed = |thing: &String| {
        let mut thing = thing.clone();
        let digit = thing.char_indices().rev().find_map(|(place, sign)| {
            let digit = sign.to_digit(10)?;
            Some((place, (digit + 5) % 10))
        });
        match digit {
            Some((place, digit)) => thing.replace_range(place..=place, &digit.to_string()),
            None => thing.push('x'),
        }
        thing
    };
    let all = things.iter();
    all.map(|(name, thing)| (*name, changed(thing))).collect()
}

/// What an answer tells of our things that was not in the request.
fn told(answer: &Value, asked: &Asked, word: &str, things: &Things) -> Option<String> {
    let (answer, asked) = (answer.to_string(), format!("{asked:?}"));
    let (answer, asked) = (answer.to_lowercase(), asked.to_lowercase());
    // Short ones are names that others have, too.
    let ids = things.values().filter(|thing| thing.len() > 12);
    let mut ours = ids.map(|id| id.to_lowercase());
    let word = word.to_lowercase();
    let is_told = |thing: &str| answer.contains(thing) && !asked.contains(thing);
    if is_told(&word) {
        return Some(word);
    }
    ours.find(|id| is_told(id))
}

/// An answer without what was asked for, which differs and stands in sentences.
fn likeness((status, answer): &(u16, Value), things: &Things) -> (u16, String) {
    let mut answer = answer.clone();
    if let Some(answer) = answer.as_object_mut() {
        answer.remove("requestId");
    }
    let text = things
        .iter()
        .fold(answer.to_string(), |text, (name, thing)| {
            text.replace(thing, name)
        });
    (*status, text)
}

/// The answer about something that the caller must not reach is that about something which nobody has.
#[track_caller]
fn assert_like_nothing(
    called: &str,
    real: (&(u16, Value), &Things),
    unknown: (&(u16, Value), &Things),
) {
    let (status, answer) = real.0;
    // A query by something that is not there finds nothing.
    let is_good = (400..500).contains(status)
        || (*status == 200 && called.starts_with("GET "))
        || *status == 501;
    assert!(is_good, "{called}: {status} {answer}");
    let (real, unknown) = (likeness(real.0, real.1), likeness(unknown.0, unknown.1));
    assert_eq!(real, unknown, "{called}");
}

/// Asks as somebody who may, for things that are there: fresh ones when another operation used one up.
async fn tries(
    world: &World,
    key: &str,
    operation: &Operation,
    spot: Option<&Spot>,
    furnished: &mut Furnished,
) -> (u16, Value) {
    let once = async |things: &Things| {
        let other = spot.map(|spot| (spot, things));
        let asked = asked(operation, things, other, world.number());
        if operation.access == Access::Operator {
            world.send_as_operator(&asked).await
        } else {
            world.send(key, &asked).await
        }
    };
    let (status, answer) = once(&furnished.things).await;
    if ![404, 409, 412].contains(&status) {
        return (status, answer);
    }
    *furnished = world.furnish(&world.ours).await;
    once(&furnished.things).await
}

/// Succeeds, or fails as a list says.
#[track_caller]
fn assert_succeeds(called: &str, operation: &Operation, (status, answer): &(u16, Value)) {
    let name = operation.name();
    let fails = FAILS
        .iter()
        .find(|(known, ..)| *known == called || *known == name);
    match fails {
        Some((_, wanted, why)) => assert_eq!(status, wanted, "{called}, {why}: {answer}"),
        None if operation.is_to_come => assert_eq!(*status, 501, "{called}: {answer}"),
        None => assert!((200..300).contains(status), "{called}: {status} {answer}"),
    }
}

#[tokio::test]
async fn without_a_good_credential_every_route_but_a_written_few_is_closed() {
    let world = World::open(Database::Sqlite).await;
    let things = world.furnish(&world.ours).await.things;
    let make = async |body: Value| {
        world
            .did(&world.ours, "POST", "/api-keys", Some(body))
            .await
    };
    let revoked = make(json!({ "name": "Revoked" })).await;
    let path = format!("/api-keys/{}", revoked["apiKey"]["id"].as_str().unwrap());
    world.did(&world.ours, "DELETE", &path, None).await;
    let now = revoked["apiKey"]["createdAt"].as_str().unwrap();
    let soon = now.parse::<jiff::Timestamp>().unwrap() + jiff::SignedDuration::from_secs(5);
    let expired = make(json!({ "name": "Expired", "expiresAt": soon.to_string() })).await;
    let expired = expired["plainKey"].as_str().unwrap();
    let who = Asked {
        method: "GET".to_owned(),
        path: "/api/v1/workspaces".to_owned(),
        ..Asked::default()
    };
    assert_eq!(world.send(expired, &who).await.0, 200);
    let mut waited = 0;
    while world.send(expired, &who).await.0 != 401 {
        waited += 1;
        assert!(waited < 100, "the key does not expire");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }

    let before = world.state(&world.ours, &things).await;
    assert!(world.operations.len() > 180, "{}", world.operations.len());
    let revoked = revoked["plainKey"].as_str().unwrap();
    for (what, token) in [
        ("nobody", ""),
        ("nonsense", "nonsense"),
        ("an expired key", expired),
        ("a revoked key", revoked),
    ] {
        for operation in &world.operations {
            let name = operation.name();
            let asked = asked(operation, &things, None, world.number());
            let (status, answer) = world.send(token, &asked).await;
            let is_public = PUBLIC.iter().any(|(known, _)| *known == name);
            assert_eq!(operation.access == Access::Anybody, is_public, "{name}");
            let wanted = if is_public { 200 } else { 401 };
            assert_eq!(status, wanted, "{what}, {name}: {answer}");
            let told = told(&answer, &asked, world.ours.word, &things);
            assert_eq!(told, None, "{what}, {name}");
        }
    }
    assert_eq!(world.state(&world.ours, &things).await, before);
}

// promise: S0.22
#[tokio::test]
async fn what_another_organization_has_is_answered_as_what_nobody_has() {
    for database in Database::BOTH {
        let world = World::open(database).await;
        let ours = world.furnish(&world.ours).await.things;
        let theirs = world.furnish(&world.theirs).await.things;
        let nobodys = nobodys(&ours);
        let before = world.state(&world.ours, &ours).await;
        let mut compared = 0;
        for operation in &world.operations {
            // All that it names, then one thing among their own.
            let spots = spots(operation);
            for spot in std::iter::once(None).chain(spots.iter().map(Some)) {
                let number = world.number();
                let about = |things: &Things| match spot {
                    None => asked(operation, things, None, number),
                    Some(spot) => asked(operation, &theirs, Some((spot, things)), number),
                };
                let (real, unknown) = (about(&ours), about(&nobodys));
                let called = called(operation, spot);
                let key = &world.theirs.key;
                let answer = world.send(key, &real).await;
                let told = told(&answer.1, &real, world.ours.word, &ours);
                assert_eq!(told, None, "{called}: {}", answer.1);
                let is_harmless = HARMLESS.iter().any(|(known, _)| *known == called);
                if real != unknown && !is_harmless {
                    let nothing = world.send(key, &unknown).await;
                    assert_like_nothing(&called, (&answer, &ours), (&nothing, &nobodys));
                    compared += 1;
                }
            }
        }
        assert!(compared > 200, "{compared}");
        assert_eq!(world.state(&world.ours, &ours).await, before);
    }
}

#[tokio::test]
async fn what_another_workspace_has_is_not_in_this_one() {
    let world = World::open(Database::Sqlite).await;
    let here = world.furnish(&world.ours).await.things;
    let there = world.furnish(&world.ours).await.things;
    let nobodys = nobodys(&there);
    let before = world.state(&world.ours, &there).await;
    for operation in &world.operations {
        for spot in spots(operation) {
            if !matches!(spot, Spot::Path(_)) {
                continue;
            }
            let number = world.number();
            let about = |things: &Things| asked(operation, &here, Some((&spot, things)), number);
            let (real, unknown) = (about(&there), about(&nobodys));
            let answer = world.send(&world.ours.key, &real).await;
            let nothing = world.send(&world.ours.key, &unknown).await;
            let name = operation.name();
            // A workspace of the same organization may be told from one that is not there.
            assert_eq!(
                (answer.0, nothing.0),
                (404, 404),
                "{name}: {} {}",
                answer.1,
                nothing.1
            );
        }
    }
    assert_eq!(world.state(&world.ours, &there).await, before);
}

// promise: S0.18
#[tokio::test]
async fn a_credential_opens_the_routes_of_its_scopes_and_no_others() {
    let world = World::open(Database::Sqlite).await;
    let ours = world.furnish(&world.ours).await;
    let elsewhere = world.furnish(&world.ours).await;
    let make = async |scopes: &[&str]| {
        let body = json!({ "name": "Key", "scopes": scopes });
        let made = world.did(&world.ours, "POST", "/api-keys", Some(body));
        made.await["plainKey"].as_str().unwrap().to_owned()
    };
    let reads = ["read:tools", "read:data"];
    let works = ["read:tools", "write:tools", "chat", "connector:gateway"];
    let (reader, worker) = (make(&reads[..]).await, make(&works[..]).await);
    let before = world.state(&world.ours, &ours.things).await;
    let files = ["read:tools", "write:tools"];
    // Without scopes: not a credential for this door.
    for (what, token, scopes) in [
        ("a key that reads", &reader, Some(&reads[..])),
        ("a key that works", &worker, Some(&works[..])),
        ("a workspace token", &ours.workspace_token, Some(&files[..])),
        (
            "a token of another workspace",
            &elsewhere.workspace_token,
            Some(&files[..]),
        ),
        ("a token of a server", &ours.server_token, None),
        ("a flow token", &ours.flow_token, None),
    ] {
        for operation in &world.operations {
            let wanted = match (&operation.access, scopes) {
                (Access::Anybody, _) => 200,
                (Access::Operator, _) | (Access::Scopes(_), None) => 401,
                (Access::Scopes(needed), Some(scopes)) => {
                    if needed.iter().any(|scope| !scopes.contains(&scope.as_str())) {
                        403
                    } else if operation.reads() {
                        200
                    } else {
                        // May change something, which the owner tries.
                        continue;
                    }
                }
            };
            let asked = asked(operation, &ours.things, None, world.number());
            let (status, answer) = world.send(token, &asked).await;
            assert_eq!(status, wanted, "{what}, {}: {answer}", operation.name());
        }
    }
    assert_eq!(world.state(&world.ours, &ours.things).await, before);
}

/// Whoever was an administrator keeps a key of every scope; what it opens goes by what they are now.
#[tokio::test]
async fn a_member_does_what_needs_no_administrator() {
    let mut world = World::open(Database::Sqlite).await;
    let email = "was-administrator@example.com";
    let mut person = world.ours.owner.invite(email, "admin").await;
    let key = person.api_key(&EVERY_SCOPE, "").await;
    let listed = world.did(&world.ours, "GET", "/members", None).await;
    let mut all = listed["members"].as_array().unwrap().iter();
    let id = &all.find(|one| one["email"] == email).unwrap()["id"];
    let path = format!("/members/{}", id.as_str().unwrap());
    let role = Some(json!({ "role": "member" }));
    world.did(&world.ours, "PATCH", &path, role).await;

    let mut ours = world.furnish(&world.ours).await;
    let before = world.state(&world.ours, &ours.things).await;
    let (of_administrators, of_everybody): (Vec<_>, Vec<_>) = world
        .operations
        .iter()
        .partition(|operation| operation.needs_administrator);
    assert!(of_administrators.len() > 70, "{}", of_administrators.len());
    for operation in of_administrators {
        let asked = asked(operation, &ours.things, None, world.number());
        let (status, answer) = world.send(&key, &asked).await;
        assert_eq!(status, 403, "{}: {answer}", operation.name());
        assert_eq!(answer["fault"], "FORBIDDEN", "{}", operation.name());
    }
    assert_eq!(world.state(&world.ours, &ours.things).await, before);
    for operation in of_everybody {
        if operation.access == Access::Operator {
            continue;
        }
        let name = operation.name();
        let done = tries(&world, &key, operation, None, &mut ours).await;
        match OF_THE_OWNER.iter().find(|(known, ..)| *known == name) {
            Some((_, wanted, why)) => assert_eq!(done.0, *wanted, "{name}, {why}: {}", done.1),
            None => assert_succeeds(&name, operation, &done),
        }
    }
}

/// The same requests as of all others here.
#[tokio::test]
async fn the_owner_does_everything_with_the_things_that_others_are_refused() {
    for database in Database::BOTH {
        let world = World::open(database).await;
        let mut ours = world.furnish(&world.ours).await;
        for operation in &world.operations {
            let spots = spots(operation);
            for spot in std::iter::once(None).chain(spots.iter().map(Some)) {
                if spot.is_some_and(decides_the_rest) {
                    continue;
                }
                let key = &world.ours.key;
                let done = tries(&world, key, operation, spot, &mut ours).await;
                assert_succeeds(&called(operation, spot), operation, &done);
            }
        }
    }
}
