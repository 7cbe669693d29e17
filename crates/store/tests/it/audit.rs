use crate::{NOW, both, credential, tenant};
use quaymaster_core::Instant;
use quaymaster_core::clock::{Clock, SystemClock, SystemEntropy};
use quaymaster_core::id::{CallId, EventId, OrgId};
use quaymaster_store::call::{CallFilter, CallRow};
use quaymaster_store::credential::Origin;
use quaymaster_store::event::{Event, EventFilter};
use serde_json::json;

#[tokio::test]
async fn a_batch_of_calls_reads_back_newest_first_with_every_field() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let token = credential(&tenant, Origin::Manual);
        let rows: Vec<_> = (0..500)
            .map(|n| CallRow {
                id: CallId::fresh(&SystemClock, &SystemEntropy),
                org: tenant.org.clone(),
                workspace: (n % 2 == 0).then(|| tenant.workspace.clone()),
                credential: token.id.clone(),
                user: (n % 3 == 0).then(|| tenant.user.clone()),
                tool: format!("tool \"{n}\" ü"),
                source: "rest".into(),
                client: (n % 5 == 0).then(|| "client".into()),
                started_at: NOW.plus_seconds(n),
                duration_us: n,
                transport: "answered".into(),
                protocol: "result".into(),
                outcome: "OK".into(),
                accounts: None,
                upstream_status: None,
                files: Vec::new(),
            })
            .collect();
        store.add_calls(&rows).await.unwrap();
        store.add_calls(&[]).await.unwrap();
        let read = store
            .calls(&tenant.org, &CallFilter::default(), 1_000)
            .await
            .unwrap();
        let wanted: Vec<_> = rows.iter().rev().map(|row| format!("{row:?}")).collect();
        let found: Vec<_> = read.iter().map(|row| format!("{row:?}")).collect();
        assert_eq!(found, wanted);
        let filter = CallFilter {
            workspace: Some(tenant.workspace.clone()),
            before: Some(NOW.plus_seconds(10).into()),
            ..CallFilter::default()
        };
        let page = store.calls(&tenant.org, &filter, 3).await.unwrap();
        let times: Vec<_> = page
            .iter()
            .map(|row| row.started_at.seconds_since(NOW))
            .collect();
        assert_eq!(times, [8, 6, 4]);
    }
}

pub(crate) struct At(pub(crate) Instant);

impl Clock for At {
    fn now(&self) -> Instant {
        self.0
    }
}

#[tokio::test]
async fn old_calls_are_forgotten_and_young_ones_are_kept() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let token = credential(&tenant, Origin::Manual);
        let row = |days: i64| CallRow {
            id: CallId::fresh(&At(NOW.plus_seconds(-days * 86_400)), &SystemEntropy),
            org: tenant.org.clone(),
            workspace: None,
            credential: token.id.clone(),
            user: None,
            tool: format!("{days} days old"),
            source: "rest".into(),
            client: None,
            started_at: NOW.plus_seconds(-days * 86_400),
            duration_us: 1,
            transport: "answered".into(),
            protocol: "result".into(),
            outcome: "OK".into(),
            accounts: None,
            upstream_status: None,
            files: Vec::new(),
        };
        let mut rows: Vec<_> = (0..2_500).map(|_| row(91)).collect();
        rows.push(row(89));
        store.add_calls(&rows).await.unwrap();
        assert_eq!(store.sweep(NOW).await.unwrap(), 2_500);
        let left = store
            .calls(&tenant.org, &CallFilter::default(), 10)
            .await
            .unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].tool, "89 days old");
    }
}

#[tokio::test]
async fn events_are_read_in_order_from_an_instant_on() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let mut tx = store.begin().await.unwrap();
        for n in 0..5 {
            let event = Event {
                id: EventId::fresh(&SystemClock, &SystemEntropy),
                at: NOW.plus_seconds(n),
                org: tenant.org.clone(),
                workspace: Some(tenant.workspace.clone()),
                credential: None,
                actor: "command line".into(),
                action: format!("test.{n}"),
                details: json!({ "n": n }),
            };
            tx.record(&event).await.unwrap();
        }
        tx.commit().await.unwrap();
        let since = store.events_since(NOW.plus_seconds(3), None).await.unwrap();
        let actions: Vec<_> = since.iter().map(|event| event.action.as_str()).collect();
        assert_eq!(actions, ["test.3", "test.4"]);
        let behind = store.events_since(since[0].at, Some(&since[0].id)).await;
        let behind: Vec<_> = behind.unwrap().into_iter().map(|event| event.id).collect();
        assert_eq!(behind, [since[1].id.clone()], "the next page");
        let newest = store
            .events(&tenant.org, &EventFilter::default(), 1)
            .await
            .unwrap();
        assert_eq!(newest[0].details, json!({ "n": 4 }));
        let (nouns, actors) = store.event_choices(&tenant.org).await.unwrap();
        assert!(nouns.iter().eq(["test"]), "{nouns:?}");
        assert!(actors.iter().eq(["command line"]), "{actors:?}");
        let others = OrgId::fresh(&SystemClock, &SystemEntropy);
        assert!(store.event_choices(&others).await.unwrap().0.is_empty());
    }
}
