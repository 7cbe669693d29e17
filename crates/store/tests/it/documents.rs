//! Documents: who works on one, what is found of it meanwhile, and nothing of another organization.

use crate::{NOW, Tenant, both, tenant};
use quaymaster_core::clock::{SystemClock, SystemEntropy};
use quaymaster_core::id::DocumentId;
use quaymaster_store::Store;
use quaymaster_store::document::{Chunk, Document, DocumentFilter, State};
use quaymaster_store::document_search::words;
use quaymaster_store::document_work::{Generation, Leased};

fn document(tenant: &Tenant, path: &str) -> Document {
    Document {
        id: DocumentId::fresh(&SystemClock, &SystemEntropy),
        org: tenant.org.clone(),
        path: path.to_owned(),
        title: path.to_owned(),
        media_type: "text/plain".to_owned(),
        size: 3,
        sha256: "0".repeat(64),
        state: State::Queued,
        reason: None,
        chunks: 0,
        characters: 0,
        user: tenant.user.clone(),
        created_at: NOW,
        updated_at: NOW,
        indexed_at: None,
    }
}

async fn add(store: &Store, tenant: &Tenant, path: &str) -> Document {
    let document = document(tenant, path);
    let mut tx = store.begin().await.unwrap();
    tx.add_document(&document).await.unwrap();
    tx.commit().await.unwrap();
    document
}

async fn lease(store: &Store, name: &str, at: i64) -> Option<Leased> {
    let now = NOW.plus_seconds(at);
    let leased = store.lease_document("", name, now, now.plus_seconds(30));
    leased.await.unwrap()
}

/// Stores a text under a lease; whether it became the document's.
async fn index(store: &Store, leased: &Leased, text: &str) -> bool {
    let chunk = Chunk {
        n: 1,
        heading: String::new(),
        text: text.to_owned(),
    };
    let mut tx = store.begin().await.unwrap();
    tx.add_document_chunks(leased, &[chunk]).await.unwrap();
    let done = tx.document_indexed(leased, "text/plain", 1, text.len() as i64, NOW);
    let done = done.await.unwrap();
    tx.commit().await.unwrap();
    done
}

async fn hits(store: &Store, tenant: &Tenant, query: &str) -> usize {
    let words = words(query);
    let found = store.search_documents(&tenant.org, &words, "", 10, 0);
    found.await.unwrap().len()
}

/// Whether each generation of a document's pieces is one that the sweep takes, read in pages of one; those that stay come first.
async fn strays(store: &Store, document: &DocumentId) -> Vec<bool> {
    let mut last = Generation::default();
    let mut found = Vec::new();
    while let Some(next) = store.chunk_generations(&last, 1).await.unwrap().pop() {
        if next.document().unwrap() == *document {
            found.push(!next.is_used);
        }
        last = next;
    }
    found.sort_unstable();
    found
}

#[tokio::test]
async fn a_worker_whose_lease_ran_out_changes_nothing_any_more() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "One").await;
        let document = add(&store, &tenant, "a.txt").await;
        let first = lease(&store, "first", 0).await.unwrap();
        assert_eq!(first.attempts, 1);
        // Nobody else gets it while the lease holds, which can be prolonged.
        assert!(lease(&store, "early", 29).await.is_none());
        let until = NOW.plus_seconds(100);
        assert!(store.renew_document_lease(&first, until).await.unwrap());
        assert!(lease(&store, "early", 99).await.is_none());
        let second = lease(&store, "second", 101).await.unwrap();
        assert_eq!((second.attempts, &second.document.id), (2, &document.id));
        assert!(!store.renew_document_lease(&first, until).await.unwrap());
        assert!(!index(&store, &first, "stale words").await);
        assert!(index(&store, &second, "fresh words").await);
        assert_eq!(hits(&store, &tenant, "stale").await, 0);
        assert_eq!(hits(&store, &tenant, "fresh").await, 1);
        // What the first one wrote is swept, and nothing else.
        assert_eq!(strays(&store, &document.id).await, [false, true]);
        assert_eq!(store.sweep_chunks_of(&document.id, 100).await.unwrap(), 1);
        assert_eq!(strays(&store, &document.id).await, [false]);
        assert_eq!(hits(&store, &tenant, "fresh").await, 1);
    }
}

#[tokio::test]
async fn what_was_indexed_is_found_until_the_next_text_is_there_as_a_whole() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "One").await;
        let document = add(&store, &tenant, "a.txt").await;
        let leased = lease(&store, "first", 0).await.unwrap();
        assert!(index(&store, &leased, "old words").await);
        let mut tx = store.begin().await.unwrap();
        let queued = tx.queue_documents(&tenant.org, Some(&document.id), NOW);
        assert_eq!(queued.await.unwrap(), 1);
        tx.commit().await.unwrap();
        let leased = lease(&store, "second", 1).await.unwrap();
        assert_eq!(hits(&store, &tenant, "old").await, 1);
        assert_eq!(store.sweep_chunks_of(&document.id, 100).await.unwrap(), 0);
        assert!(index(&store, &leased, "new words").await);
        assert_eq!(hits(&store, &tenant, "old").await, 0);
        assert_eq!(hits(&store, &tenant, "new").await, 1);
        assert_eq!(store.sweep_chunks_of(&document.id, 100).await.unwrap(), 1);
        let mut tx = store.begin().await.unwrap();
        assert!(tx.delete_document(&tenant.org, &document.id).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(hits(&store, &tenant, "new").await, 0);
        assert_eq!(strays(&store, &document.id).await, [true]);
        assert_eq!(store.sweep_chunks_of(&document.id, 100).await.unwrap(), 1);
        assert!(strays(&store, &document.id).await.is_empty());
    }
}

#[tokio::test]
async fn organizations_take_turns_and_find_their_own_alone() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "One").await, tenant(&store, "Two").await);
        for path in ["a.txt", "b.txt", "c.txt"] {
            add(&store, &one, path).await;
        }
        add(&store, &two, "a.txt").await;
        let mut last = String::new();
        let mut order = Vec::new();
        for name in ["1", "2", "3", "4"] {
            let leased = store.lease_document(&last, name, NOW, NOW.plus_seconds(30));
            let leased = leased.await.unwrap().unwrap();
            assert!(index(&store, &leased, "the harbour words").await);
            last = leased.document.org.to_string();
            order.push(leased.document.org);
        }
        let of_two = order.iter().position(|org| *org == two.org).unwrap();
        assert!(of_two < 2, "{order:?}");
        assert_eq!(hits(&store, &one, "harbour").await, 3);
        assert_eq!(hits(&store, &two, "harbour").await, 1);
        let all = DocumentFilter::default();
        assert_eq!(store.count_documents(&two.org, &all).await.unwrap(), 1);
        let mut tx = store.begin().await.unwrap();
        let foreign = store
            .documents(&one.org, &all, 1, 0)
            .await
            .unwrap()
            .remove(0);
        assert!(!tx.delete_document(&two.org, &foreign.id).await.unwrap());
        let queued = tx.queue_documents(&two.org, Some(&foreign.id), NOW);
        assert_eq!(queued.await.unwrap(), 0);
        tx.commit().await.unwrap();
        assert!(
            store
                .document(&two.org, &foreign.id)
                .await
                .unwrap()
                .is_none()
        );
        let chunks = store.document_chunks(&two.org, &foreign.id, 1, 10);
        assert!(chunks.await.unwrap().is_empty());
    }
}
