use crate::{NOW, both};
use quaymaster_core::clock::SystemEntropy;

#[tokio::test]
async fn a_server_secret_is_the_same_after_a_restart_and_after_both_rotations() {
    for place in both().await {
        let store = place.open().await;
        let secret = store
            .instance_secret("uploads", NOW, &SystemEntropy)
            .await
            .unwrap();
        let before = store.verify_keys().await.unwrap();
        let rotated = store.rotate_key().await.unwrap();
        assert_ne!(rotated.key_id, before.key_id);
        let resealed = store.rotate_data_key(NOW).await.unwrap();
        assert_eq!(
            (
                resealed.data_keys,
                resealed.sealed_values,
                resealed.unreadable
            ),
            (2, 1, 0)
        );
        store.close().await;
        let store = place.open().await;
        assert_eq!(
            store
                .instance_secret("uploads", NOW, &SystemEntropy)
                .await
                .unwrap(),
            secret
        );
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused_and_named_and_a_missing_one_is_not_replaced() {
    for place in both().await {
        let store = place.open().await;
        store
            .instance_secret("uploads", NOW, &SystemEntropy)
            .await
            .unwrap();
        let id = store.verify_keys().await.unwrap().key_id;
        store.close().await;
        let other = place.directory.path().join("other");
        let missing = place.open_with(&other).await.err().unwrap().to_string();
        assert!(
            missing.contains("is missing") && !other.exists(),
            "{missing}"
        );
        std::fs::write(&other, "11".repeat(32)).unwrap();
        set_private(&other);
        let wrong = place.open_with(&other).await.err().unwrap().to_string();
        assert!(
            wrong.contains(&id) && wrong.contains("does not open this database"),
            "{wrong}"
        );
    }
}

#[tokio::test]
async fn a_rotation_cut_off_before_the_key_file_was_replaced_is_finished_at_the_next_start() {
    for place in both().await {
        let store = place.open().await;
        let secret = store
            .instance_secret("uploads", NOW, &SystemEntropy)
            .await
            .unwrap();
        let old = std::fs::read(place.key_file()).unwrap();
        store.rotate_key().await.unwrap();
        store.close().await;
        // As if the process had died between the commit and the rename.
        std::fs::rename(place.key_file(), place.directory.path().join("key.next")).unwrap();
        std::fs::write(place.key_file(), old).unwrap();
        set_private(&place.key_file());
        let store = place.open().await;
        assert_eq!(
            store
                .instance_secret("uploads", NOW, &SystemEntropy)
                .await
                .unwrap(),
            secret
        );
        assert!(!place.directory.path().join("key.next").exists());
    }
}

#[tokio::test]
async fn a_key_that_others_may_read_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let [place, _] = both().await;
    place.open().await.close().await;
    let open = std::fs::Permissions::from_mode(0o644);
    std::fs::set_permissions(place.key_file(), open).unwrap();
    let error = place
        .open_with(&place.key_file())
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("may be read by others"), "{error}");
}

fn set_private(path: &std::path::Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
