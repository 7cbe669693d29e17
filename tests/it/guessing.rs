//! What somebody learns who guesses: nothing from the answer, nothing from its time, and nobody else
//! waits for them.

use quaymaster_tests::oauth_client::OAuthClient;
use quaymaster_tests::{Mcp, Person, Server};
use std::time::{Duration, Instant};

const ROUNDS: usize = 150;

async fn refused_by(mcp: &Mcp) -> (u16, Duration) {
    let begun = Instant::now();
    let status = mcp.initialize("2025-06-18").await.status;
    (status, begun.elapsed())
}

/// The z value of the Mann-Whitney U test: how far two samples are from being drawn alike. Beyond 4
/// is no chance (one in 16,000).
fn apart(some: &[Duration], others: &[Duration]) -> f64 {
    let mut all: Vec<(Duration, bool)> = some
        .iter()
        .map(|time| (*time, true))
        .chain(others.iter().map(|time| (*time, false)))
        .collect();
    all.sort();
    let ranks: f64 = (1..)
        .zip(&all)
        .filter(|(_, (_, is_one_of_some))| *is_one_of_some)
        .map(|(rank, _)| f64::from(rank))
        .sum();
    let (one, other) = (some.len() as f64, others.len() as f64);
    let wins = ranks - one * (one + 1.0) / 2.0;
    (wins - one * other / 2.0) / (one * other * (one + other + 1.0) / 12.0).sqrt()
}

#[test]
fn the_measure_tells_samples_that_differ_by_a_tenth() {
    let sample = |base: u64| -> Vec<Duration> {
        (0..ROUNDS as u64)
            .map(|n| Duration::from_micros(base + n * 7919 % 400))
            .collect()
    };
    assert!(apart(&sample(1_000), &sample(1_000)).abs() < 0.1);
    assert!(apart(&sample(1_000), &sample(1_100)).abs() > 4.0);
}

#[tokio::test]
async fn an_unknown_credential_and_a_wrong_secret_take_the_same_time() {
    let server = Server::start().await;
    let person = Person::owner(&server.url, &server.sign_in_link).await;
    let client = OAuthClient::register(&server.url, "Test client").await;
    let answer = person.agrees_to(&client.question(&[])).await;
    let (_, tokens) = client.exchange(&answer).await;
    let access = tokens["access_token"].as_str().unwrap();
    for good in [server.token.as_str(), access] {
        let (id, secret) = good.split_once('.').unwrap();
        let wrong = format!("{id}.{}", secret.chars().rev().collect::<String>());
        // An id of the same look that nobody has.
        let (prefix, digits) = id.split_at(id.len() - 4);
        let other = if digits == "0000" { "1111" } else { "0000" };
        let unknown = format!("{prefix}{other}.{secret}");
        let [wrong, unknown] =
            [wrong, unknown].map(|token| Mcp::stateless(&server.endpoint, &token));
        let (mut of_wrong, mut of_unknown) = (Vec::new(), Vec::new());
        for round in 0..ROUNDS {
            let (first, second) = (refused_by(&wrong).await, refused_by(&unknown).await);
            assert_eq!(first.0, second.0, "round {round}");
            of_wrong.push(first.1);
            of_unknown.push(second.1);
        }
        let apart = apart(&of_wrong, &of_unknown);
        assert!(apart.abs() < 4.0, "{id}: z = {apart}");
    }
}

#[tokio::test]
async fn an_unknown_address_and_a_wrong_password_take_the_same_time() {
    let server = Server::start().await;
    let owner = Person::owner(&server.url, &server.sign_in_link).await;
    drop(owner);
    let person = Person::of(&server.url);
    let mut fastest = [Duration::MAX; 2];
    for _ in 0..12 {
        let emails = [quaymaster_tests::person::EMAIL, "nobody@example.com"];
        for (email, fastest) in emails.into_iter().zip(&mut fastest) {
            let begun = Instant::now();
            let page = person.sign_in(email, "not the password at all").await;
            assert_eq!(page.status, 422, "{}", page.html);
            *fastest = (*fastest).min(begun.elapsed());
        }
    }
    let [known, unknown] = fastest.map(|time| time.as_secs_f64());
    let ratio = known / unknown;
    assert!(
        (0.75..1.33).contains(&ratio),
        "{known} s against {unknown} s"
    );
}

#[tokio::test]
async fn five_thousand_wrong_tokens_do_not_slow_a_right_one() {
    let (server, quiet) = (Server::start().await, Server::start().await);
    let right = Mcp::open(&server.endpoint, &server.token).await;
    let elsewhere = Mcp::open(&quiet.endpoint, &quiet.token).await;
    let ask = async |mcp: &Mcp| {
        let begun = Instant::now();
        mcp.tool_names().await;
        begun.elapsed()
    };
    // Ids that look real, many for each guesser.
    let guessers = (0..50).map(|guesser| {
        let mut mcp = Mcp::stateless(&server.endpoint, "");
        tokio::spawn(async move {
            for guess in 0..100 {
                let id = format!("crd_01{:0>24}", guesser * 100 + guess);
                mcp.token = format!("{id}.{}", "x".repeat(43));
                let (status, _) = refused_by(&mcp).await;
                assert_eq!(status, 401);
            }
        })
    });
    let guessers: Vec<_> = guessers.collect();
    let mut slowest = Duration::ZERO;
    while guessers.iter().any(|guesser| !guesser.is_finished()) {
        slowest = slowest.max(ask(&right).await);
    }
    for guesser in guessers {
        guesser.await.unwrap();
    }
    // Everybody shares two cores with the guessers, but nobody waits in their line.
    assert!(slowest < Duration::from_secs(5), "{slowest:?}");
    // What is remembered of them costs nothing: beside a server that saw none, in the same moments.
    let (mut here, mut there) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        here.push(ask(&right).await);
        there.push(ask(&elsewhere).await);
    }
    let median = |mut times: Vec<Duration>| {
        times.sort();
        times[times.len() / 2]
    };
    let (here, there) = (median(here), median(there));
    assert!(here < there * 2, "{here:?} against {there:?}");
}
