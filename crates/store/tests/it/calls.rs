use crate::{NOW, both, credential, tenant};
use quaymaster_core::clock::{SystemClock, SystemEntropy};
use quaymaster_core::id::CallId;
use quaymaster_store::call::{CallFilter, CallRow, Ended};
use quaymaster_store::call_counts::{HourFilter, Part, hour_of};
use quaymaster_store::credential::Origin;

#[tokio::test]
async fn calls_are_found_and_counted_by_what_they_were() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let token = credential(&tenant, Origin::Manual);
        let row = |n: i64| CallRow {
            id: CallId::fresh(&SystemClock, &SystemEntropy),
            org: tenant.org.clone(),
            workspace: (n < 8).then(|| tenant.workspace.clone()),
            credential: token.id.clone(),
            user: (n % 3 == 0).then(|| tenant.user.clone()),
            tool: format!("tool_{}", n % 2),
            source: "rest".into(),
            client: None,
            // All in one microsecond.
            started_at: NOW,
            duration_us: 1_000 * (n + 1),
            transport: "answered".into(),
            protocol: "result".into(),
            outcome: ["OK", "NOT_FOUND", "TIMEOUT"][usize::try_from(n % 3).unwrap()].into(),
            accounts: match n {
                0 => Some("github:main".into()),
                1 => Some("jira:main,github:main2".into()),
                _ => None,
            },
            upstream_status: None,
            files: Vec::new(),
        };
        let rows: Vec<_> = (0..10).map(row).collect();
        // In two batches: counts add up.
        store.add_calls(&rows[..4]).await.unwrap();
        store.add_calls(&rows[4..]).await.unwrap();
        let count =
            async |filter: CallFilter| store.calls(&tenant.org, &filter, 100).await.unwrap().len();
        let all = CallFilter::default();
        let account = |account: &str| CallFilter {
            account: Some(account.into()),
            ..all.clone()
        };
        let ended = |ended| CallFilter {
            ended: Some(ended),
            ..all.clone()
        };
        let cases = [
            (all.clone(), 10),
            (
                CallFilter {
                    is_of_workspaces: true,
                    ..all.clone()
                },
                8,
            ),
            (
                CallFilter {
                    tool: Some("tool_1".into()),
                    ..all.clone()
                },
                5,
            ),
            (
                CallFilter {
                    user: Some(tenant.user.clone()),
                    ..all.clone()
                },
                4,
            ),
            (
                CallFilter {
                    from: Some(NOW),
                    to: Some(NOW.plus_seconds(1)),
                    ..all.clone()
                },
                10,
            ),
            (
                CallFilter {
                    to: Some(NOW),
                    ..all.clone()
                },
                0,
            ),
            (account("github:main"), 1),
            (account("github"), 2),
            (account("hub:main"), 0),
            (account("github:mai_"), 0),
            (ended(Ended::Well), 4),
            (ended(Ended::Failed), 6),
            (ended(Ended::With("TIMEOUT".into())), 3),
        ];
        for (filter, wanted) in cases {
            assert_eq!(count(filter.clone()).await, wanted, "{filter:?}");
        }
        // Pages go on within the microsecond.
        let mut filter = all.clone();
        let mut seen = 0;
        loop {
            let page = store.calls(&tenant.org, &filter, 3).await.unwrap();
            seen += page.len();
            let Some(last) = page.last() else { break };
            filter.before = Some(last.position());
        }
        assert_eq!(seen, 10);

        for by_days in [false, true] {
            let hour = hour_of(NOW);
            let (from_hour, to_hour) = if by_days {
                (hour - hour % 24, hour - hour % 24 + 24)
            } else {
                (hour, hour + 1)
            };
            let filter = HourFilter {
                workspace: Some(tenant.workspace.clone()),
                is_of_workspaces: true,
                from_hour,
                to_hour,
                by_days,
            };
            let over = store
                .calls_over_time(&tenant.org, &filter, 24)
                .await
                .unwrap();
            assert_eq!((over.len(), over[0].0), (1, 0));
            let counts = over[0].1;
            assert_eq!((counts.calls, counts.errors), (8, 5));
            assert_eq!(counts.buckets.iter().sum::<i64>(), 8);
            let tools = store
                .calls_by(&tenant.org, &filter, Part::Tool, 1)
                .await
                .unwrap();
            assert_eq!(
                (tools.len(), tools[0].0.as_str(), tools[0].1.calls),
                (1, "tool_0", 4)
            );
            let sets = store
                .called(&tenant.org, &filter, Part::Accounts, 9)
                .await
                .unwrap();
            assert_eq!(sets, ["github:main", "jira:main,github:main2"]);
            let other = HourFilter {
                from_hour: to_hour,
                to_hour: to_hour + 24,
                ..filter
            };
            assert!(
                store
                    .calls_over_time(&tenant.org, &other, 1)
                    .await
                    .unwrap()
                    .is_empty()
            );
        }
        store.sweep(NOW.plus_seconds(100 * 86_400)).await.unwrap();
        let old = HourFilter {
            workspace: None,
            is_of_workspaces: false,
            from_hour: 0,
            to_hour: i64::MAX,
            by_days: true,
        };
        assert!(
            store
                .calls_over_time(&tenant.org, &old, 24)
                .await
                .unwrap()
                .is_empty()
        );
    }
}
