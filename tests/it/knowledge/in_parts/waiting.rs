//! What lets a server wait.

use super::*;
use std::process::Stdio;
use tokio::process::{Child, Command};

/// Keeps everybody from changing the organizations of a server on PostgreSQL, until it is dropped.
pub(super) async fn lock_organizations(server: &Server) -> Child {
    let database = server.database_url().expect("it is on PostgreSQL");
    let mut psql = Command::new("psql")
        .args([database, "-q"])
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("psql starts");
    let input = psql.stdin.as_mut().expect("its input");
    let sql = b"BEGIN;\nLOCK TABLE organizations IN SHARE MODE;\n";
    input.write_all(sql).await.unwrap();
    let held = "SELECT COUNT(*) FROM pg_locks l JOIN pg_database d ON d.oid = l.database \
         WHERE d.datname = current_database() AND l.relation = 'organizations'::regclass \
         AND l.mode = 'ShareLock' AND l.granted";
    let begun = Instant::now();
    loop {
        let asked = Command::new("psql").args([database, "-tAc", held]).output();
        let output = asked.await.expect("psql starts");
        if output.stdout.trim_ascii() == b"1" {
            return psql;
        }
        assert!(begun.elapsed() < PATIENCE, "never locked: {output:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
