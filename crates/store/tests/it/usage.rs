use crate::{NOW, Tenant, both, tenant};
use quaymaster_store::Store;
use quaymaster_store::workspace::WorkspaceChange;

async fn set_cap(store: &Store, tenant: &Tenant, cap: i64) {
    let change = WorkspaceChange {
        daily_cap: Some(cap),
        ..WorkspaceChange::default()
    };
    let mut tx = store.begin().await.unwrap();
    assert!(
        tx.update_workspace(&tenant.org, &tenant.workspace, &change)
            .await
            .unwrap()
    );
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn leases_never_add_up_to_more_than_the_cap() {
    const CAP: i64 = 300;
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let day = NOW.utc_day();
        set_cap(&store, &tenant, CAP).await;
        let lease_all = async || {
            let mut sum = 0;
            loop {
                let block = store.lease_calls(&tenant.workspace, day).await.unwrap();
                if block == 0 {
                    return sum;
                }
                assert!((1..=CAP / 64).contains(&block));
                sum += block;
            }
        };
        let (a, b, c) = tokio::join!(lease_all(), lease_all(), lease_all());
        assert_eq!(a + b + c, CAP);
        assert_eq!(
            store.leased_calls(&tenant.workspace, day).await.unwrap(),
            CAP
        );
        assert_eq!(
            store
                .leased_calls(&tenant.workspace, day + 1)
                .await
                .unwrap(),
            0
        );
    }
}

#[tokio::test]
async fn what_is_given_back_can_be_leased_again_and_a_lower_cap_holds() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let day = NOW.utc_day();
        set_cap(&store, &tenant, 640).await;
        let block = store.lease_calls(&tenant.workspace, day).await.unwrap();
        assert_eq!(block, 10);
        store.return_calls(&tenant.workspace, day, 4).await.unwrap();
        assert_eq!(store.leased_calls(&tenant.workspace, day).await.unwrap(), 6);
        set_cap(&store, &tenant, 5).await;
        assert_eq!(store.lease_calls(&tenant.workspace, day).await.unwrap(), 0);
        set_cap(&store, &tenant, 7).await;
        assert_eq!(store.lease_calls(&tenant.workspace, day).await.unwrap(), 1);
    }
}
