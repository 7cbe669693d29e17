//! Lists that are longer than a page, and what is shown beside ids.

use super::*;
use quaymaster_core::id::EndUserId;
use quaymaster_store::end_user::EndUser;
use serde_json::Map;
use std::collections::BTreeSet;

async fn member(store: &Store, tenant: &Tenant, name: &str, after: i64) -> UserId {
    let user = UserId::fresh(&SystemClock, &SystemEntropy);
    let at = NOW.plus_seconds(after);
    let mut tx = store.begin().await.unwrap();
    tx.add_user(&user, name, at).await.unwrap();
    tx.add_member(&tenant.org, &user, Role::Member, at)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    user
}

#[tokio::test]
async fn members_come_in_pages_owners_first_and_are_found_by_what_they_are_called() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let cy = member(&store, &one, "Cy 100%", -5).await;
        let ada = member(&store, &one, "Ada_Lovelace", -9).await;
        let far = member(&store, &two, "Ada of another place", 0).await;
        let page = async |words: &str, limit, offset| -> Vec<UserId> {
            let rows = store.members(&one.org, words, limit, offset).await.unwrap();
            rows.into_iter().map(|row| row.user).collect()
        };
        assert_eq!(
            page("", 9, 0).await,
            [one.user.clone(), ada.clone(), cy.clone()]
        );
        assert_eq!(page("", 1, 1).await, std::slice::from_ref(&ada));
        assert!(page("", 9, 3).await.is_empty());
        assert_eq!(page(" aDA_l ", 9, 0).await, std::slice::from_ref(&ada));
        assert_eq!(page("0%", 9, 0).await, std::slice::from_ref(&cy));
        for nobody in ["a%l", "Ada-L", "\\", "' OR 1=1 --"] {
            assert!(page(nobody, 9, 0).await.is_empty(), "{nobody}");
            assert_eq!(store.count_members(&one.org, nobody).await.unwrap(), 0);
        }
        assert_eq!(store.count_members(&one.org, "").await.unwrap(), 3);
        assert_eq!(store.count_members(&one.org, "ada").await.unwrap(), 1);

        let asked = [cy.clone(), far, ada].into_iter().collect();
        let names = store.member_names(&one.org, &asked).await.unwrap();
        assert_eq!(names.len(), 2, "the third is of another organization");
        assert!(names.contains(&(cy, "Cy 100%".to_owned())));
        let nobody = store.member_names(&one.org, &BTreeSet::new()).await;
        assert!(nobody.unwrap().is_empty());
    }
}

#[tokio::test]
async fn end_users_and_keys_come_in_pages() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let mut tx = store.begin().await.unwrap();
        for number in 0..5 {
            let at = NOW.plus_seconds(number);
            let end_user = EndUser {
                id: EndUserId::fresh(&SystemClock, &SystemEntropy),
                org: tenant.org.clone(),
                workspace: tenant.workspace.clone(),
                external_id: format!("customer-{number}"),
                display_name: None,
                email: (number == 3).then(|| "Three@Example.com".to_owned()),
                metadata: Map::new(),
                user: None,
                created_at: at,
                updated_at: at,
            };
            tx.add_end_user(&end_user).await.unwrap();
            let key = Credential {
                kind: TokenKind::ApiKey,
                workspace: None,
                name: format!("key {number}"),
                created_at: at,
                ..credential(&tenant, Origin::Manual)
            };
            tx.add_credential(&key).await.unwrap();
            if number == 4 {
                let revoked = tx.revoke_credential(&tenant.org, &key.id, NOW).await;
                assert!(revoked.unwrap());
            }
        }
        tx.commit().await.unwrap();
        let end_users = async |words: &str, offset| -> Vec<String> {
            let rows = store.end_users(&tenant.org, &tenant.workspace, words, 2, offset);
            let rows = rows.await.unwrap().into_iter();
            rows.map(|row| row.external_id).collect()
        };
        assert_eq!(end_users("", 0).await, ["customer-0", "customer-1"]);
        assert_eq!(end_users("", 4).await, ["customer-4"]);
        assert_eq!(end_users("three@", 0).await, ["customer-3"]);
        let count = async |words: &str| {
            let count = store.count_end_users(&tenant.org, &tenant.workspace, words);
            count.await.unwrap()
        };
        assert_eq!((count("").await, count("CUSTOMER-2").await), (5, 1));
        let keys = async |user: Option<&UserId>, offset| -> Vec<String> {
            let rows = store.api_keys(&tenant.org, user, 3, offset).await.unwrap();
            rows.into_iter().map(|row| row.name).collect()
        };
        assert_eq!(store.count_api_keys(&tenant.org, None).await.unwrap(), 4);
        assert_eq!(keys(None, 0).await, ["key 3", "key 2", "key 1"]);
        assert_eq!(keys(Some(&tenant.user), 2).await, ["key 1", "key 0"]);
        let stranger = UserId::fresh(&SystemClock, &SystemEntropy);
        assert!(keys(Some(&stranger), 0).await.is_empty());
    }
}
