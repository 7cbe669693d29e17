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
        let second = version(2);
        let renamed = tx.add_flow_version(&flow, "weather_now", &second);
        assert!(renamed.await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(named("weather_now").await.unwrap().unwrap().id, flow.id);
        assert!(named("get_weather").await.unwrap().is_none());
        let mut tx = store.begin().await.unwrap();
        let back = tx.set_flow_version(&flow, "get_weather", 1, NOW);
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
