//! Flows in the store: tenants apart, versions that stay, leases that hold, what the sweep takes.

use crate::flow_queue::lease_run;
use crate::{NOW, Tenant, both, tenant};
use quaymaster_core::Instant;
use quaymaster_core::clock::{Clock, SystemClock, SystemEntropy};
use quaymaster_core::id::{FlowId, FlowSecretId, RunId};
use quaymaster_store::Store;
use quaymaster_store::flow::{Flow, FlowVersion};
use quaymaster_store::flow_kv::MOST_KV_BYTES;
use quaymaster_store::flow_queue::RunEnd;
use quaymaster_store::flow_run::{Run, RunState, RunStep};
use quaymaster_store::flow_secret::FlowSecret;
use quaymaster_store::flow_trigger::{FlowTrigger, Starts};
use secrecy::ExposeSecret as _;
use serde_json::json;

const DAY: i64 = 86_400;

struct At(Instant);

impl Clock for At {
    fn now(&self) -> Instant {
        self.0
    }
}

pub(crate) fn version(n: i64) -> FlowVersion {
    FlowVersion {
        version: n,
        tool: (n != 2).then(|| "tool".into()),
        title: format!("Title {n}"),
        durable: n == 2,
        source: format!("source {n}"),
        digest: format!("digest {n}"),
        made_by: "usr".into(),
        made_at: NOW,
    }
}

pub(crate) async fn add_flow(store: &Store, tenant: &Tenant, name: &str) -> Flow {
    let flow = Flow {
        id: FlowId::fresh(&SystemClock, &SystemEntropy),
        org: tenant.org.clone(),
        workspace: tenant.workspace.clone(),
        name: name.into(),
        tool: Some(name.into()),
        title: "Title 1".into(),
        enabled: true,
        durable: false,
        version: 1,
        versions: 1,
        created_at: NOW,
        updated_at: NOW,
    };
    let mut tx = store.begin().await.unwrap();
    tx.add_flow(&flow, &version(1)).await.unwrap();
    tx.commit().await.unwrap();
    flow
}

pub(crate) fn run(flow: &Flow, state: RunState, at: Instant) -> Run {
    Run {
        id: RunId::fresh(&At(at), &SystemEntropy),
        org: flow.org.clone(),
        workspace: flow.workspace.clone(),
        flow: flow.id.clone(),
        version: 1,
        started_by: "mcp".into(),
        caller: "crd".into(),
        shown_caller: Some(json!({ "kind": "user" })),
        owner: Some("crd".into()),
        state,
        input: json!({ "city": "Lisbon" }),
        output: Some(json!([1, null])),
        error: None,
        started_at: at,
        begun_at: None,
        ended_at: state.is_over().then_some(at),
        durable: !state.is_over(),
        attempts: 1,
        at_once: 20,
    }
}

pub(crate) fn step(path: &str) -> RunStep {
    RunStep {
        path: path.into(),
        kind: "map".into(),
        state: "done".into(),
        attempts: 1,
        input: None,
        output: Some(json!({ "a": 1 })),
        error: None,
        started_at: NOW,
        duration_us: 5,
    }
}

pub(crate) async fn add_run(store: &Store, run: &Run, steps: &[RunStep]) {
    let mut tx = store.begin().await.unwrap();
    tx.add_run(run, steps).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_version_stays_and_the_current_one_is_a_pointer() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let flow = add_flow(&store, &tenant, "get_weather").await;
        let revision =
            || async { store.flow_revisions(&tenant.org).await.unwrap()[&tenant.workspace] };
        assert_eq!(revision().await, 1);
        let mut tx = store.begin().await.unwrap();
        assert!(
            tx.add_flow_version(&flow, &flow.name, &version(2))
                .await
                .unwrap()
        );
        // Somebody else's second version came too late.
        assert!(
            !tx.add_flow_version(&flow, &flow.name, &version(2))
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
        assert_eq!(revision().await, 2);
        let now = store.flow(&tenant.org, &flow.id).await.unwrap().unwrap();
        assert_eq!(
            (now.version, now.durable, &*now.title, now.tool.as_deref()),
            (2, true, "Title 2", None)
        );
        let mut tx = store.begin().await.unwrap();
        assert!(tx.set_flow_version(&now, &now.name, 1, NOW).await.unwrap());
        assert!(
            !tx.set_flow_version(&flow, &flow.name, 7, NOW)
                .await
                .unwrap()
        );
        tx.commit().await.unwrap();
        let back = store.flow(&tenant.org, &flow.id).await.unwrap().unwrap();
        assert_eq!(
            (back.version, back.versions, back.tool.as_deref()),
            (1, 2, Some("tool"))
        );
        let mut tx = store.begin().await.unwrap();
        assert!(
            tx.add_flow_version(&flow, &flow.name, &version(3))
                .await
                .unwrap()
        );
        // The current version is never forgotten.
        tx.forget_flow_versions(&tenant.org, &flow.id, 3)
            .await
            .unwrap();
        assert!(tx.enable_flow(&flow, false, NOW).await.unwrap());
        assert!(!tx.enable_flow(&flow, false, NOW).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(revision().await, 5);
        let left = store.flow_versions(&tenant.org, &flow.id).await.unwrap();
        assert_eq!(left.iter().map(|one| one.version).collect::<Vec<_>>(), [3]);
        let third = store.flow_version(&tenant.org, &flow.id, 3).await.unwrap();
        assert_eq!(third.unwrap().source, "source 3");
        let mut tx = store.begin().await.unwrap();
        assert!(tx.delete_flow(&flow).await.unwrap());
        assert!(!tx.delete_flow(&flow).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(revision().await, 6);
    }
}

#[tokio::test]
async fn flows_runs_secrets_and_values_of_one_organization_are_found_by_no_other() {
    for place in both().await {
        let store = place.open().await;
        let (ours, theirs) = (tenant(&store, "ours").await, tenant(&store, "theirs").await);
        let flow = add_flow(&store, &theirs, "find_orders").await;
        let one = run(&flow, RunState::Done, NOW);
        add_run(&store, &one, &[step("q")]).await;
        store
            .prepare_sealing(NOW, theirs.org.as_str())
            .await
            .unwrap();
        let secret = FlowSecret {
            id: FlowSecretId::fresh(&SystemClock, &SystemEntropy),
            org: theirs.org.clone(),
            workspace: theirs.workspace.clone(),
            name: "HOOK_KEY".into(),
            made_by: "usr".into(),
            changed_at: NOW,
        };
        let sealed = store
            .seal_flow_secret(&secret, &"very-secret".into())
            .unwrap();
        assert!(!sealed.windows(11).any(|part| part == b"very-secret"));
        let mut tx = store.begin().await.unwrap();
        assert!(tx.set_flow_secret(&secret, sealed).await.unwrap());
        tx.commit().await.unwrap();
        let workspace = &theirs.workspace;
        assert!(
            store
                .set_flow_kv(&theirs.org, workspace, "k", &json!([1]), None)
                .await
                .unwrap()
        );
        for (org, found) in [(&theirs.org, true), (&ours.org, false)] {
            assert_eq!(store.flow(org, &flow.id).await.unwrap().is_some(), found);
            assert_eq!(
                store.flows(org, workspace).await.unwrap().len(),
                usize::from(found)
            );
            let named = store
                .flow_named(org, workspace, "find_orders")
                .await
                .unwrap();
            assert_eq!(named.is_some(), found);
            assert_eq!(
                store
                    .flow_version(org, &flow.id, 1)
                    .await
                    .unwrap()
                    .is_some(),
                found
            );
            assert_eq!(store.flow_run(org, &one.id).await.unwrap().is_some(), found);
            assert_eq!(
                store.flow_run_steps(org, &one.id).await.unwrap().len(),
                usize::from(found)
            );
            let runs = store
                .flow_runs(org, workspace, Some(&flow.id), None, 10)
                .await
                .unwrap();
            assert_eq!(runs.len(), usize::from(found));
            assert_eq!(
                store.flow_secrets(org, workspace).await.unwrap().len(),
                usize::from(found)
            );
            let one = store.open_flow_secret(org, workspace, "HOOK_KEY").await;
            let one = one.unwrap().map(|one| one.expose_secret().to_owned());
            assert_eq!(one.as_deref(), found.then_some("very-secret"));
            let secrets = store.open_flow_secrets(org, workspace).await.unwrap();
            let value = secrets
                .get("HOOK_KEY")
                .map(|value| value.expose_secret().to_owned());
            assert_eq!(value.as_deref(), found.then_some("very-secret"));
            let kept = store.flow_kv(org, workspace, "k", NOW).await.unwrap();
            assert_eq!(kept, found.then(|| json!([1])));
        }
        let mut tx = store.begin().await.unwrap();
        assert!(
            !tx.remove_flow_secret(&ours.org, workspace, "HOOK_KEY")
                .await
                .unwrap()
        );
        assert!(!tx.cancel_run(&ours.org, &one.id, NOW).await.unwrap());
        tx.commit().await.unwrap();
        assert!(
            !store
                .delete_flow_kv(&ours.org, workspace, "k")
                .await
                .unwrap()
        );
        assert_eq!(store.verify_keys().await.unwrap().unreadable, 0);
    }
}

#[tokio::test]
async fn a_run_belongs_to_whoever_holds_its_lease() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let flow = add_flow(&store, &tenant, "stock_alert").await;
        let waiting = run(&flow, RunState::Ready, NOW);
        add_run(&store, &waiting, &[]).await;
        assert!(store.has_open_run(&tenant.org, &flow.id).await.unwrap());
        let before = NOW.plus_seconds(-1);
        assert!(
            lease_run(&store, "a", before, NOW, 1)
                .await
                .unwrap()
                .is_none()
        );
        let first = lease_run(&store, "a", NOW, NOW.plus_seconds(10), 1)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (first.run.id.clone(), first.run.attempts),
            (waiting.id.clone(), 2)
        );
        // Nobody else gets it while the lease holds.
        let later = NOW.plus_seconds(5);
        assert!(
            lease_run(&store, "b", later, later, 1)
                .await
                .unwrap()
                .is_none()
        );
        let after = NOW.plus_seconds(11);
        let second = lease_run(&store, "b", after, NOW.plus_seconds(30), 1)
            .await
            .unwrap()
            .unwrap();
        assert!(!store.renew_run_lease(&first, after).await.unwrap());
        let end = RunEnd {
            state: RunState::Done,
            output: Some(json!("x")),
            error: None,
            at: after,
        };
        let mut tx = store.begin().await.unwrap();
        assert!(!tx.holds_run(&first).await.unwrap());
        assert!(!tx.end_run(&first, &end).await.unwrap());
        assert!(tx.holds_run(&second).await.unwrap());
        tx.put_run_step(&tenant.org, &waiting.id, &step("a"))
            .await
            .unwrap();
        let mut again = step("a");
        again.state = "failed".into();
        tx.put_run_step(&tenant.org, &waiting.id, &again)
            .await
            .unwrap();
        assert!(tx.end_run(&second, &end).await.unwrap());
        tx.commit().await.unwrap();
        let steps = store
            .flow_run_steps(&tenant.org, &waiting.id)
            .await
            .unwrap();
        assert_eq!(steps, [again]);
        let ended = store
            .flow_run(&tenant.org, &waiting.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(
            (ended.state, ended.output),
            (RunState::Done, Some(json!("x")))
        );
        assert!(!store.has_open_run(&tenant.org, &flow.id).await.unwrap());
        // Cancelled in the middle: the lease is worth nothing from then on.
        let another = run(&flow, RunState::Ready, NOW);
        add_run(&store, &another, &[]).await;
        let held = lease_run(&store, "c", after, NOW.plus_seconds(60), 1)
            .await
            .unwrap()
            .unwrap();
        let mut tx = store.begin().await.unwrap();
        assert!(
            tx.cancel_run(&tenant.org, &another.id, after)
                .await
                .unwrap()
        );
        assert!(!tx.end_run(&held, &end).await.unwrap());
        tx.commit().await.unwrap();
    }
}

#[tokio::test]
async fn a_schedule_is_taken_once_and_a_path_belongs_to_one_flow_of_a_workspace() {
    for place in both().await {
        let store = place.open().await;
        let (one, other) = (tenant(&store, "one").await, tenant(&store, "other").await);
        let flow = add_flow(&store, &one, "a").await;
        let triggers = [
            FlowTrigger {
                n: 0,
                what: Starts::Cron(Some(NOW)),
            },
            FlowTrigger {
                n: 1,
                what: Starts::Webhook("stock-check".into()),
            },
        ];
        let mut tx = store.begin().await.unwrap();
        tx.set_flow_triggers(&flow, &triggers).await.unwrap();
        tx.commit().await.unwrap();
        assert!(
            store
                .due_flows(NOW.plus_seconds(-1), None, 10)
                .await
                .unwrap()
                .is_empty()
        );
        let mut due = store.due_flows(NOW, None, 10).await.unwrap();
        let due = due.pop().unwrap();
        assert_eq!((&due.flow, due.n, due.at), (&flow, 0, NOW));
        let behind = store.due_flows(NOW, Some(&due), 10).await.unwrap();
        assert!(behind.is_empty());
        let next = Some(NOW.plus_seconds(60));
        let mut tx = store.begin().await.unwrap();
        assert!(tx.take_due_flow(&due, next).await.unwrap());
        assert!(!tx.take_due_flow(&due, next).await.unwrap());
        tx.commit().await.unwrap();
        let found = store
            .flow_of_webhook(&one.workspace, "stock-check")
            .await
            .unwrap();
        assert_eq!(found, Some((flow.clone(), 1)));
        assert_eq!(
            store
                .flow_of_webhook(&other.workspace, "stock-check")
                .await
                .unwrap(),
            None
        );
        // Another workspace may use the path, another flow of the same one may not.
        let theirs = add_flow(&store, &other, "a").await;
        let second = add_flow(&store, &one, "b").await;
        let mut tx = store.begin().await.unwrap();
        tx.set_flow_triggers(&theirs, &triggers[1..]).await.unwrap();
        let taken = tx
            .set_flow_triggers(&second, &triggers[1..])
            .await
            .unwrap_err();
        assert!(taken.is_duplicate());
    }
}

#[tokio::test]
async fn values_expire_and_a_workspace_keeps_only_so_much() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let (org, workspace) = (&tenant.org, &tenant.workspace);
        let soon = Some(NOW.plus_seconds(5));
        assert!(
            store
                .set_flow_kv(org, workspace, "a", &json!(1), soon)
                .await
                .unwrap()
        );
        assert_eq!(
            store.flow_kv(org, workspace, "a", NOW).await.unwrap(),
            Some(json!(1))
        );
        let later = NOW.plus_seconds(5);
        assert_eq!(
            store.flow_kv(org, workspace, "a", later).await.unwrap(),
            None
        );
        let large = json!("x".repeat(MOST_KV_BYTES as usize));
        assert!(
            !store
                .set_flow_kv(org, workspace, "b", &large, None)
                .await
                .unwrap()
        );
        assert_eq!(store.flow_kv(org, workspace, "b", NOW).await.unwrap(), None);
        assert!(
            store
                .set_flow_kv(org, workspace, "b", &json!(2), None)
                .await
                .unwrap()
        );
        store.sweep(NOW.plus_seconds(6)).await.unwrap();
        assert!(!store.delete_flow_kv(org, workspace, "a").await.unwrap());
        assert!(store.delete_flow_kv(org, workspace, "b").await.unwrap());
    }
}

#[tokio::test]
async fn old_runs_are_swept_and_those_that_go_on_are_not() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let flow = add_flow(&store, &tenant, "a").await;
        let old = run(&flow, RunState::Failed, NOW.plus_seconds(-31 * DAY));
        let open = run(&flow, RunState::Ready, NOW.plus_seconds(-31 * DAY));
        let young = run(&flow, RunState::Done, NOW.plus_seconds(-29 * DAY));
        for one in [&old, &open, &young] {
            add_run(&store, one, &[step("a")]).await;
        }
        store.sweep(NOW).await.unwrap();
        let left = store
            .flow_runs(&tenant.org, &tenant.workspace, None, None, 10)
            .await
            .unwrap();
        let ids: Vec<_> = left.iter().map(|run| run.id.clone()).collect();
        assert_eq!(ids, [young.id.clone(), open.id]);
        let page = store
            .flow_runs(&tenant.org, &tenant.workspace, None, Some(&young.id), 10)
            .await
            .unwrap();
        assert_eq!(page.len(), 1);
        assert!(
            store
                .flow_run_steps(&tenant.org, &old.id)
                .await
                .unwrap()
                .is_empty()
        );
    }
}
