use crate::{NOW, both, tenant};

#[tokio::test]
async fn leases_never_add_up_to_more_than_the_cap() {
    const CAP: i64 = 300;
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let day = NOW.utc_day();
        let lease_all = async || {
            let mut sum = 0;
            loop {
                let block = store
                    .lease_calls(&tenant.workspace, day, CAP)
                    .await
                    .unwrap();
                if block == 0 {
                    return sum;
                }
                assert!((1..=64).contains(&block));
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
        let block = store
            .lease_calls(&tenant.workspace, day, 160)
            .await
            .unwrap();
        assert_eq!(block, 10);
        store.return_calls(&tenant.workspace, day, 4).await.unwrap();
        assert_eq!(store.leased_calls(&tenant.workspace, day).await.unwrap(), 6);
        assert_eq!(
            store.lease_calls(&tenant.workspace, day, 5).await.unwrap(),
            0
        );
        assert_eq!(
            store.lease_calls(&tenant.workspace, day, 7).await.unwrap(),
            1
        );
    }
}
