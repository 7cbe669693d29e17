//! Packs in the store, those that are installed and those that were given: written over, tenants apart, gone with
//! their workspace.

use crate::{NOW, Tenant, both, tenant};
use quaymaster_store::installed_pack::{GivenFlow, InstalledPack};
use quaymaster_store::named::Shelf;
use quaymaster_store::own_pack::OwnPack;
use std::collections::{BTreeMap, BTreeSet};

fn given(version: &str) -> GivenFlow {
    GivenFlow {
        flow: "flow_01arz3ndektsv4rrffq69g5fav".parse().unwrap(),
        digest: format!("digest {version}"),
    }
}

fn pack(tenant: &Tenant, version: &str) -> InstalledPack {
    InstalledPack {
        org: tenant.org.clone(),
        workspace: tenant.workspace.clone(),
        pack: "weather".into(),
        version: version.into(),
        vars: BTreeMap::from([("account".into(), "main".into())]),
        flows: BTreeMap::from([("weather_now".into(), given(version))]),
        left_out: Some(BTreeSet::from([format!("left out of {version}")])),
        made_by: format!("usr {version}"),
        installed_at: NOW,
        updated_at: NOW,
    }
}

#[tokio::test]
async fn an_installed_pack_is_written_over_and_keeps_who_installed_it() {
    for place in both().await {
        let store = place.open().await;
        let one = tenant(&store, "One").await;
        let first = pack(&one, "1.0.0");
        let mut tx = store.begin().await.unwrap();
        tx.put_installed_pack(&first).await.unwrap();
        tx.put_installed_pack(&pack(&one, "1.1.0")).await.unwrap();
        tx.commit().await.unwrap();
        let wanted = InstalledPack {
            made_by: first.made_by,
            ..pack(&one, "1.1.0")
        };
        let found = store.installed_packs(&one.org, &one.workspace).await;
        assert_eq!(found.unwrap(), [wanted]);
    }
}

#[tokio::test]
async fn a_pack_of_one_organization_is_no_other_ones_and_goes_with_its_workspace() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "One").await, tenant(&store, "Two").await);
        let mut tx = store.begin().await.unwrap();
        for own in [&one, &two] {
            tx.put_installed_pack(&pack(own, "1.0.0")).await.unwrap();
        }
        let foreign = tx.remove_installed_pack(&two.org, &one.workspace, "weather");
        assert!(!foreign.await.unwrap());
        let unknown = tx.remove_installed_pack(&one.org, &one.workspace, "github");
        assert!(!unknown.await.unwrap());
        let deleted = tx.delete_workspace(&one.org, &one.workspace, NOW).await;
        assert!(deleted.unwrap());
        tx.commit().await.unwrap();
        let of = async |org, workspace| store.installed_packs(org, workspace).await.unwrap().len();
        assert_eq!(of(&two.org, &one.workspace).await, 0);
        assert_eq!(of(&one.org, &one.workspace).await, 0);
        assert_eq!(of(&two.org, &two.workspace).await, 1);
    }
}

fn own(tenant: &Tenant, title: &str) -> OwnPack {
    OwnPack {
        org: tenant.org.clone(),
        workspace: tenant.workspace.clone(),
        pack: "shop".into(),
        title: title.into(),
        source: format!("title: {title}\n"),
        made_by: "usr".into(),
        updated_at: NOW,
    }
}

#[tokio::test]
async fn a_pack_that_was_given_is_written_over_and_found_by_its_own_organization_alone() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "One").await, tenant(&store, "Two").await);
        let mut tx = store.begin().await.unwrap();
        for pack in [
            own(&one, "Shop"),
            own(&one, "Shop of ours"),
            own(&two, "Shop"),
        ] {
            tx.put_own_pack(&pack).await.unwrap();
        }
        let count = tx.count_own_packs(&one.org, &one.workspace).await;
        assert_eq!(count.unwrap(), 1);
        tx.commit().await.unwrap();

        let wanted = own(&one, "Shop of ours");
        let found = store.own_pack(&one.org, &one.workspace, "shop").await;
        assert_eq!(found.unwrap(), Some(wanted.clone()));
        let listed = store.own_packs(&one.org, &one.workspace).await;
        assert_eq!(listed.unwrap(), [wanted]);
        let foreign = store.own_pack(&two.org, &one.workspace, "shop").await;
        assert_eq!(foreign.unwrap(), None);
        let foreign = store.own_packs(&two.org, &one.workspace).await;
        assert!(foreign.unwrap().is_empty());
        let named = store.named(&one.org, Shelf::OwnPacks, "ours", 5).await;
        let named = named.unwrap();
        assert_eq!(named.len(), 1, "{named:?}");
        assert_eq!(
            (&*named[0].id, &*named[0].note),
            ("shop", one.workspace.as_str())
        );
        let none = store.named(&two.org, Shelf::OwnPacks, "ours", 5).await;
        assert!(none.unwrap().is_empty());

        let mut tx = store.begin().await.unwrap();
        let foreign = tx.remove_own_pack(&two.org, &one.workspace, "shop").await;
        assert!(!foreign.unwrap());
        let removed = tx.remove_own_pack(&one.org, &one.workspace, "shop").await;
        assert!(removed.unwrap());
        let deleted = tx.delete_workspace(&two.org, &two.workspace, NOW).await;
        assert!(deleted.unwrap());
        tx.commit().await.unwrap();
        for own in [&one, &two] {
            let left = store.own_packs(&own.org, &own.workspace).await;
            assert!(left.unwrap().is_empty());
        }
    }
}
