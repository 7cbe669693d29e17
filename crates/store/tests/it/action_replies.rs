//! Keys of actions that run once.

use crate::{NOW, both, tenant};
use std::sync::Arc;
use tokio::task::JoinSet;

#[tokio::test]
async fn a_key_that_others_free_at_that_moment_is_taken_or_told_of() {
    for place in both().await {
        let store = Arc::new(place.open().await);
        let tenant = tenant(&store, "one").await;
        let mut takers = JoinSet::new();
        for _ in 0..8 {
            let (store, org) = (store.clone(), tenant.org.clone());
            let workspace = tenant.workspace.clone();
            takers.spawn(async move {
                let mut taken = 0;
                for _ in 0..25 {
                    let begun = store.begin_action(&org, &workspace, "k", &[0; 32], NOW);
                    if begun.await.unwrap().is_none() {
                        let freed = store.end_action(&org, &workspace, "k", None);
                        freed.await.unwrap();
                        taken += 1;
                    }
                }
                taken
            });
        }
        let taken = takers.join_all().await;
        assert!(taken.iter().sum::<i32>() > 0, "{taken:?}");
    }
}
