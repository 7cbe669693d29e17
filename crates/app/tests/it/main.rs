//! The product without its doors, over a temporary database.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod admitting;
mod changes;
mod mounting;

use quaymaster_app::first_start::FirstStart;
use quaymaster_app::{App, Egress, EgressPolicy, Settings, WaysOut};
use quaymaster_core::clock::{SystemClock, SystemEntropy};
use quaymaster_store::Store;
use quaymaster_store::db::Location;
use quaymaster_store::keys::KeySource;
use std::path::Path;
use std::sync::Arc;

/// A node of a server, and the data directory that others may open, too.
struct Node {
    app: App,
    first: FirstStart,
    data: tempfile::TempDir,
}

impl Node {
    async fn start() -> Node {
        let data = tempfile::tempdir().unwrap();
        let settings = Settings {
            public_url: "http://127.0.0.1:8080".to_owned(),
            server_name: "quaymaster".to_owned(),
            server_title: "Quaymaster".to_owned(),
            data: data.path().to_owned(),
            definitions: None,
            daily_cap: 100,
            quota_bytes: 1 << 20,
            document_bytes: 1 << 20,
            documents_quota_bytes: 1 << 22,
            memory_quota_bytes: 1 << 24,
            calls_per_second: 100,
            service_key: None,
            python: quaymaster_app::PythonSettings::default(),
            mail: None,
        };
        let app = App::start(
            store(data.path()).await,
            settings,
            WaysOut {
                services: egress(),
                client_metadata: egress(),
            },
            Arc::new(SystemClock),
            Arc::new(SystemEntropy),
        );
        let app = app.await.unwrap();
        let first = app.first_start().await.unwrap().unwrap();
        Node { app, first, data }
    }

    /// The database of this node, as another node opens it.
    async fn store(&self) -> Store {
        store(self.data.path()).await
    }
}

fn egress() -> Egress {
    Egress::new(EgressPolicy::default()).unwrap()
}

async fn store(data: &Path) -> Store {
    let keys = KeySource::File(data.join("key"));
    let file = data.join("quaymaster.db");
    Store::open(Location::File(&file), keys).await.unwrap()
}
