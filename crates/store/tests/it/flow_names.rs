//! Flows that get another name.

use crate::flows::{add_flow, version};
use crate::{NOW, both, tenant};

#[tokio::test]
async fn a_flow_has_the_name_of_its_current_version_and_no_other_flows_name() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let flow = add_flow(&store, &tenant, "get_weather").await;
        add_flow(&store, &tenant, "taken").await;
        let named = async |name| store.flow_named(&tenant.org, &tenant.workspace, name).await;
        let mut tx = store.begin().await.unwrap();
        let renamed = tx.add_flow_version(&flow, "weather_now", &version(2)).await;
        assert!(renamed.unwrap());
        tx.commit().await.unwrap();
        let second = named("weather_now").await.unwrap().unwrap();
        assert_eq!(second.id, flow.id);
        assert!(named("get_weather").await.unwrap().is_none());
        let mut tx = store.begin().await.unwrap();
        let back = tx.set_flow_version(&second, "get_weather", 1, NOW);
        assert!(back.await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(named("get_weather").await.unwrap().unwrap().version, 1);
        let mut tx = store.begin().await.unwrap();
        let added = tx.add_flow_version(&flow, "taken", &version(3)).await;
        assert!(added.unwrap_err().is_duplicate());
        drop(tx);
        let mut tx = store.begin().await.unwrap();
        let moved = tx.set_flow_version(&flow, "taken", 2, NOW).await;
        assert!(moved.unwrap_err().is_duplicate());
    }
}

#[tokio::test]
async fn whoever_read_another_version_than_the_current_one_neither_saves_nor_goes_back() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let first = add_flow(&store, &tenant, "get_weather").await;
        let current = async || store.flow(&tenant.org, &first.id).await.unwrap().unwrap();
        let mut tx = store.begin().await.unwrap();
        let renamed = tx
            .add_flow_version(&first, "weather_now", &version(2))
            .await;
        assert!(renamed.unwrap());
        tx.commit().await.unwrap();
        let second = current().await;

        // It would take the name away that somebody has just given.
        let mut tx = store.begin().await.unwrap();
        let back = tx.set_flow_version(&first, "get_weather", 1, NOW).await;
        assert!(!back.unwrap());
        let back = tx.set_flow_version(&second, "get_weather", 1, NOW).await;
        assert!(back.unwrap());
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let saved = tx
            .add_flow_version(&second, "weather_now", &version(3))
            .await;
        assert!(!saved.unwrap());
        tx.commit().await.unwrap();
        let now = current().await;
        assert_eq!((now.version, &*now.name), (1, "get_weather"));
    }
}
