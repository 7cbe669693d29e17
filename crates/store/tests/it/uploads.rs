use crate::{NOW, add, both, credential, tenant};
use quaymaster_core::clock::{SystemClock, SystemEntropy};
use quaymaster_core::id::UploadId;
use quaymaster_store::credential::Origin;
use quaymaster_store::upload::{Upload, UploadState};

fn upload(tenant: &crate::Tenant, token: &quaymaster_store::credential::Credential) -> Upload {
    Upload {
        id: UploadId::fresh(&SystemClock, &SystemEntropy),
        org: tenant.org.clone(),
        workspace: tenant.workspace.clone(),
        credential: token.id.clone(),
        path: "a/b.bin".into(),
        size: 20,
        part_size: 8,
        part_count: 3,
        mime: None,
        sha256: None,
        overwrite: true,
        if_match: Some("*".into()),
        idempotency_key: Some("key".into()),
        state: UploadState::Open,
        created_at: NOW,
        expires_at: NOW.plus_seconds(60),
        final_sha256: None,
        result: None,
    }
}

#[tokio::test]
async fn a_session_goes_from_state_to_state_once() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let token = credential(&tenant, Origin::Manual);
        add(&store, &token).await;
        let made = upload(&tenant, &token);
        let mut tx = store.begin().await.unwrap();
        tx.add_upload(&made).await.unwrap();
        tx.commit().await.unwrap();
        let read = store
            .upload(&tenant.org, &token.id, &made.id)
            .await
            .unwrap()
            .unwrap();
        assert_eq!(format!("{read:?}"), format!("{made:?}"));
        let by_key = store
            .upload_by_key(&tenant.org, &token.id, "key")
            .await
            .unwrap();
        assert_eq!(by_key.unwrap().id, made.id);
        assert_eq!(store.unfinished_uploads().await.unwrap().len(), 1);
        let mut tx = store.begin().await.unwrap();
        let (open, completing) = (UploadState::Open, UploadState::Completing);
        assert!(tx.move_upload(&made.id, open, completing).await.unwrap());
        assert!(!tx.move_upload(&made.id, open, completing).await.unwrap());
        tx.set_upload_digest(&made.id, "ab").await.unwrap();
        assert!(
            tx.move_upload(&made.id, completing, UploadState::Completed)
                .await
                .unwrap()
        );
        tx.set_upload_result(&made.id, "{}").await.unwrap();
        tx.commit().await.unwrap();
        assert!(store.unfinished_uploads().await.unwrap().is_empty());
        let read = store.upload_by_id(&made.id).await.unwrap().unwrap();
        assert_eq!(
            (read.final_sha256.as_deref(), read.result.as_deref()),
            (Some("ab"), Some("{}"))
        );
    }
}

#[tokio::test]
async fn a_part_marked_missing_is_not_listed_until_it_arrives_again() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let token = credential(&tenant, Origin::Manual);
        add(&store, &token).await;
        let made = upload(&tenant, &token);
        let later = NOW.plus_seconds(99);
        let mut tx = store.begin().await.unwrap();
        tx.add_upload(&made).await.unwrap();
        tx.set_upload_part(&made.id, 1, 8, Some("aa"), later)
            .await
            .unwrap();
        tx.set_upload_part(&made.id, 0, 8, Some("bb"), later)
            .await
            .unwrap();
        tx.set_upload_part(&made.id, 1, 0, None, later)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let parts = store.upload_parts(&made.id).await.unwrap();
        assert_eq!(parts.iter().map(|part| part.n).collect::<Vec<_>>(), [0]);
        let read = store.upload_by_id(&made.id).await.unwrap().unwrap();
        assert_eq!(read.expires_at, later);
    }
}

#[tokio::test]
async fn another_credential_does_not_find_a_session() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let (one, two) = (
            credential(&tenant, Origin::Manual),
            credential(&tenant, Origin::Manual),
        );
        add(&store, &one).await;
        add(&store, &two).await;
        let made = upload(&tenant, &one);
        let mut tx = store.begin().await.unwrap();
        tx.add_upload(&made).await.unwrap();
        tx.commit().await.unwrap();
        assert!(
            store
                .upload(&tenant.org, &two.id, &made.id)
                .await
                .unwrap()
                .is_none()
        );
    }
}
