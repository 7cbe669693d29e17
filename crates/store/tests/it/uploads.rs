use crate::{NOW, add, both, credential, tenant};
use quaymaster_core::clock::{SystemClock, SystemEntropy};
use quaymaster_core::id::UploadId;
use quaymaster_store::credential::Origin;
use quaymaster_store::upload::{Destination, Upload, UploadState};

fn upload(tenant: &crate::Tenant, token: &quaymaster_store::credential::Credential) -> Upload {
    Upload {
        id: UploadId::fresh(&SystemClock, &SystemEntropy),
        org: tenant.org.clone(),
        destination: Destination::File {
            workspace: tenant.workspace.clone(),
            credential: token.id.clone(),
        },
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

#[tokio::test]
async fn a_session_of_a_document_is_the_organizations_and_counts_while_it_is_open() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let token = credential(&one, Origin::Manual);
        add(&store, &token).await;
        let file = upload(&one, &token);
        let made = Upload {
            id: UploadId::fresh(&SystemClock, &SystemEntropy),
            destination: Destination::Document {
                user: one.user.clone(),
                title: "Rules".into(),
            },
            if_match: None,
            idempotency_key: None,
            ..file.clone()
        };
        let mut tx = store.begin().await.unwrap();
        tx.add_upload(&file).await.unwrap();
        tx.add_upload(&made).await.unwrap();
        let open = tx.open_document_uploads(&one.org, None).await.unwrap();
        assert_eq!((open.documents, open.bytes), (1, 20));
        for (org, but) in [(&one.org, Some(&made.id)), (&two.org, None)] {
            let open = tx.open_document_uploads(org, but).await.unwrap();
            assert_eq!((open.documents, open.bytes), (0, 0));
        }
        tx.commit().await.unwrap();
        let read = store.document_upload(&one.org, &made.id).await.unwrap();
        assert_eq!(format!("{:?}", read.unwrap()), format!("{made:?}"));
        for (org, id) in [(&one.org, &file.id), (&two.org, &made.id)] {
            assert!(store.document_upload(org, id).await.unwrap().is_none());
        }
        let (open, done) = (UploadState::Open, UploadState::Completed);
        let listed = store.document_uploads(&one.org, open).await.unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].id, made.id);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.move_upload(&made.id, open, done).await.unwrap());
        let left = tx.open_document_uploads(&one.org, None).await.unwrap();
        assert_eq!(left.documents, 0);
        tx.commit().await.unwrap();
        let listed = store.document_uploads(&one.org, open).await.unwrap();
        assert!(listed.is_empty());
    }
}
