//! The queue of runs in the store: put off, counted, found in pages; and what steps keep for a while.

use crate::flows::{add_flow, add_run, run, step};
use crate::{NOW, both, tenant};
use quaymaster_core::Instant;
use quaymaster_core::id::{FlowId, OrgId};
use quaymaster_store::flow_cache::MOST_CACHE_BYTES;
use quaymaster_store::flow_queue::LeasedRun;
use quaymaster_store::flow_run::RunState;
use quaymaster_store::flow_trigger::{FlowTrigger, Starts};
use quaymaster_store::flow_turn::Places;
use quaymaster_store::{Store, StoreError};
use serde_json::json;

/// The next run that is due.
pub(crate) async fn lease_run(
    store: &Store,
    lease: &str,
    now: Instant,
    until: Instant,
    of_one: i64,
) -> Result<Option<LeasedRun>, StoreError> {
    let mut leased = lease_runs_at(store, (lease, now), until, of_one, 1).await?;
    Ok(leased.pop())
}

async fn lease_runs_at(
    store: &Store,
    (lease, now): (&str, Instant),
    until: Instant,
    of_one: i64,
    in_all: usize,
) -> Result<Vec<LeasedRun>, StoreError> {
    let places = Places {
        lease,
        until,
        of_one,
        in_all,
    };
    store.lease_runs(now, places).await
}

/// Those that are due now.
async fn lease_runs(
    store: &Store,
    lease: &str,
    until: Instant,
    of_one: i64,
    in_all: usize,
) -> Result<Vec<LeasedRun>, StoreError> {
    lease_runs_at(store, (lease, NOW), until, of_one, in_all).await
}

#[tokio::test]
async fn a_run_that_is_put_off_is_nobodys_until_then_and_keeps_its_beginning() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let flow = add_flow(&store, &tenant, "patient").await;
        let waiting = run(&flow, RunState::Ready, NOW);
        add_run(&store, &waiting, &[step("pause")]).await;
        let until = NOW.plus_seconds(30);
        let held = lease_run(&store, "a", NOW, until, 1)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(held.run.begun_at, Some(NOW));
        assert_eq!(held.run.shown_caller, waiting.shown_caller);
        assert_eq!(held.run.owner, waiting.owner);
        let wakes = NOW.plus_seconds(3_600);
        store.put_run_off(&held, wakes).await.unwrap();
        // It holds up no other run of its organization, and is not begun before its time.
        let another = run(&flow, RunState::Ready, NOW);
        add_run(&store, &another, &[]).await;
        let next = lease_run(&store, "b", NOW, until, 1)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(next.run.id, another.id);
        store.end_run_leases().await.unwrap();
        let before = wakes.plus_seconds(-1);
        let idle = lease_run(&store, "c", before, wakes, 9).await.unwrap();
        let idle = idle.unwrap();
        assert_eq!(idle.run.id, another.id);
        let again = lease_run(&store, "d", wakes, wakes.plus_seconds(30), 9).await;
        let again = again.unwrap().unwrap();
        assert_eq!(again.run.id, waiting.id);
        assert_eq!(again.run.begun_at, Some(NOW));
        assert_eq!(again.run.attempts, held.run.attempts, "no attempt more");
        // Its time limit goes on.
        store
            .put_run_off(&idle, wakes.plus_seconds(60))
            .await
            .unwrap();
        let idle = store.flow_run(&tenant.org, &another.id).await.unwrap();
        assert_eq!(idle.unwrap().begun_at, Some(NOW));
        // Whoever lost it puts nothing off.
        store.put_run_off(&held, NOW).await.unwrap();
        let now = store.flow_run(&tenant.org, &waiting.id).await.unwrap();
        assert_eq!(now.unwrap().state, RunState::Running);
    }
}

#[tokio::test]
async fn a_flow_has_no_more_runs_under_way_than_it_may() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let narrow = add_flow(&store, &tenant, "narrow").await;
        let wide = add_flow(&store, &tenant, "wide").await;
        for flow in [&narrow, &narrow, &narrow, &wide] {
            let mut one = run(flow, RunState::Ready, NOW);
            one.at_once = if flow == &narrow { 2 } else { 20 };
            add_run(&store, &one, &[]).await;
        }
        let until = NOW.plus_seconds(30);
        let mut leased: Vec<FlowId> = Vec::new();
        while let Some(held) = lease_run(&store, "a", NOW, until, 99).await.unwrap() {
            leased.push(held.run.flow);
        }
        let of = |flow: &FlowId| leased.iter().filter(|one| *one == flow).count();
        assert_eq!((of(&narrow.id), of(&wide.id)), (2, 1));
        assert_eq!(store.open_runs(&tenant.org, 99).await.unwrap(), 4);
        assert_eq!(store.open_runs(&tenant.org, 3).await.unwrap(), 3);
    }
}

#[tokio::test]
async fn an_organization_that_runs_as_much_as_it_may_lets_others_go_first() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let (ours, theirs) = (
            add_flow(&store, &one, "long").await,
            add_flow(&store, &two, "short").await,
        );
        for _ in 0..2 {
            add_run(&store, &run(&ours, RunState::Ready, NOW), &[]).await;
        }
        let later = NOW.plus_seconds(1);
        add_run(&store, &run(&theirs, RunState::Ready, later), &[]).await;
        let (at, until) = (NOW.plus_seconds(2), NOW.plus_seconds(30));
        for org in [&one.org, &two.org] {
            let leased = lease_run(&store, "a", at, until, 1).await.unwrap().unwrap();
            assert_eq!(leased.run.org, *org);
        }
        assert!(
            lease_run(&store, "a", at, until, 1)
                .await
                .unwrap()
                .is_none()
        );
        // What its lease has run out of counts no more.
        let after = until.plus_seconds(1);
        let again = lease_run(&store, "b", after, after.plus_seconds(9), 1).await;
        assert!(again.unwrap().is_some());
    }
}

#[tokio::test]
async fn many_are_taken_at_once_within_what_each_may() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let narrow = add_flow(&store, &one, "narrow").await;
        let wide = add_flow(&store, &one, "wide").await;
        let theirs = add_flow(&store, &two, "theirs").await;
        for (flow, count, at_once) in [(&narrow, 4, 2), (&wide, 6, 20), (&theirs, 3, 20)] {
            // The narrow one's turn comes first.
            let at = NOW.plus_seconds(if at_once == 2 { -1 } else { 0 });
            for _ in 0..count {
                let mut one = run(flow, RunState::Ready, at);
                one.at_once = at_once;
                add_run(&store, &one, &[]).await;
            }
        }
        let until = NOW.plus_seconds(30);
        let leased = lease_runs(&store, "a", until, 5, 7).await.unwrap();
        let of = |flow: &FlowId| leased.iter().filter(|held| held.run.flow == *flow).count();
        assert_eq!((leased.len(), of(&narrow.id)), (7, 2));
        let rest = lease_runs(&store, "b", until, 5, 99).await.unwrap();
        let all = leased.iter().chain(&rest);
        let of_org = |org: &OrgId| all.clone().filter(|held| held.run.org == *org).count();
        assert_eq!((of_org(&one.org), of_org(&two.org)), (5, 3));
        let again = lease_runs(&store, "c", until, 5, 99).await.unwrap();
        assert!(again.is_empty());
    }
}

#[tokio::test]
async fn a_place_goes_to_whoever_has_the_fewest_however_much_others_have_waiting() {
    for place in both().await {
        let store = place.open().await;
        let mut orgs = Vec::new();
        for (name, count, at) in [("deep", 30, -9), ("deeper", 40, -8), ("small", 2, 0)] {
            let tenant = tenant(&store, name).await;
            let flow = add_flow(&store, &tenant, "work").await;
            for _ in 0..count {
                let one = run(&flow, RunState::Ready, NOW.plus_seconds(at));
                add_run(&store, &one, &[]).await;
            }
            orgs.push(tenant.org);
        }
        let until = NOW.plus_seconds(30);
        let of = |leased: &[LeasedRun]| {
            orgs.iter()
                .map(|org| leased.iter().filter(|held| held.run.org == *org).count())
                .collect::<Vec<_>>()
        };
        let first = lease_runs(&store, "a", until, 16, 6).await.unwrap();
        assert_eq!(of(&first), [2, 2, 2]);
        let next = lease_runs(&store, "b", until, 16, 3).await.unwrap();
        assert_eq!(of(&next), [2, 1, 0]);
    }
}

#[tokio::test]
async fn two_nodes_that_look_at_the_same_time_take_no_more_than_a_flow_may() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let narrow = add_flow(&store, &tenant, "narrow").await;
        for _ in 0..20 {
            let mut one = run(&narrow, RunState::Ready, NOW);
            one.at_once = 3;
            add_run(&store, &one, &[]).await;
        }
        let until = NOW.plus_seconds(30);
        let looks = (0..8).map(|_| lease_runs(&store, "a", until, 16, 2));
        let leased = futures_util::future::try_join_all(looks).await.unwrap();
        assert_eq!(leased.iter().map(Vec::len).sum::<usize>(), 3);
    }
}

#[tokio::test]
async fn what_is_too_many_of_one_flow_holds_up_nobody_behind_it() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let narrow = add_flow(&store, &one, "narrow").await;
        let theirs = add_flow(&store, &two, "theirs").await;
        // More than are looked at together, of which one may run; and somebody else's behind them.
        for _ in 0..140 {
            let mut one = run(&narrow, RunState::Ready, NOW.plus_seconds(-1));
            one.at_once = 1;
            add_run(&store, &one, &[]).await;
        }
        add_run(&store, &run(&theirs, RunState::Ready, NOW), &[]).await;
        let until = NOW.plus_seconds(30);
        let leased = lease_runs(&store, "a", until, 16, 8).await.unwrap();
        let flows: Vec<&FlowId> = leased.iter().map(|held| &held.run.flow).collect();
        assert_eq!(flows, [&narrow.id, &theirs.id]);
    }
}

#[tokio::test]
async fn lists_have_neither_inputs_nor_outputs() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let flow = add_flow(&store, &tenant, "a").await;
        let one = run(&flow, RunState::Done, NOW);
        add_run(&store, &one, &[]).await;
        let (org, workspace) = (&tenant.org, &tenant.workspace);
        for of in [None, Some(&flow.id)] {
            let listed = store.flow_runs(org, workspace, of, None, 10).await.unwrap();
            assert!(listed[0].input.is_null() && listed[0].output.is_none());
            assert_eq!(listed[0].id, one.id);
        }
        let read = store.flow_run(org, &one.id).await.unwrap().unwrap();
        assert_eq!(read, one);
    }
}

#[tokio::test]
async fn all_that_is_due_is_found_page_by_page() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        for n in 0..7 {
            let flow = add_flow(&store, &tenant, &format!("f{n}")).await;
            let cron = |n, at| FlowTrigger {
                n,
                what: Starts::Cron(Some(at)),
            };
            // Some at the same time, and two of one flow.
            let triggers = [cron(0, NOW), cron(1, NOW.plus_seconds(-(n % 3)))];
            let mut tx = store.begin().await.unwrap();
            tx.set_flow_triggers(&flow, &triggers).await.unwrap();
            tx.commit().await.unwrap();
        }
        let mut found = Vec::new();
        loop {
            let page = store.due_flows(NOW, found.last(), 3).await.unwrap();
            let is_last = page.len() < 3;
            found.extend(page);
            if is_last {
                break;
            }
        }
        let ats: Vec<Instant> = found.iter().map(|due| due.at).collect();
        assert!(ats.is_sorted());
        let mut named: Vec<(FlowId, i64)> = found
            .iter()
            .map(|due| (due.flow.id.clone(), due.n))
            .collect();
        named.sort();
        named.dedup();
        assert_eq!((found.len(), named.len()), (14, 14));
    }
}

#[tokio::test]
async fn the_oldest_outputs_go_when_a_workspace_keeps_too_many() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let other = crate::tenant(&store, "other").await;
        let (org, workspace) = (&tenant.org, &tenant.workspace);
        let later = NOW.plus_seconds(9_999);
        let keep = async |n: i64, bytes: usize| {
            let times = (NOW.plus_seconds(n), later);
            let value = json!("x".repeat(bytes));
            let key = n.to_string();
            let kept = store.keep_flow_cache(org, workspace, &key, &value, times);
            kept.await.unwrap()
        };
        let has = async |n: i64| {
            let key = n.to_string();
            let found = store.flow_cached(org, workspace, &key, NOW).await;
            found.unwrap().is_some()
        };
        let one = json!(1);
        let theirs = store.keep_flow_cache(&other.org, &other.workspace, "1", &one, (NOW, later));
        assert!(theirs.await.unwrap());
        let bytes = 1_000_000;
        let most = MOST_CACHE_BYTES / 1_000_010;
        for n in 1..=most + 2 {
            assert!(keep(n, bytes).await);
        }
        assert!(!has(1).await && !has(2).await);
        assert!(has(3).await && has(most + 2).await);
        // One alone that is too large is not kept, and takes nothing from the others.
        assert!(!keep(100, 2_000_000).await);
        assert!(has(3).await && !has(100).await);
        // Kept again it is young.
        assert!(keep(3, 10).await && has(3).await);
        let theirs = store.flow_cached(&other.org, &other.workspace, "1", NOW);
        assert!(theirs.await.unwrap().is_some());
        store.sweep(later.plus_seconds(1)).await.unwrap();
        assert!(!has(most + 2).await);
        assert_eq!(store.flow_kv(org, workspace, "k", NOW).await.unwrap(), None);
    }
}
