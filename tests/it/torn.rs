//! How a torn file is seen, and the proof that it would be.

use crate::outside::Dice;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// A text in which a reader sees a torn write: every line tells its version.
pub(crate) fn text(version: u64) -> String {
    format!("<{version}>\n").repeat(20_000)
}

/// The version of a whole text; `None` for a torn one.
fn version_of(content: &[u8]) -> Option<u64> {
    let content = std::str::from_utf8(content).ok()?;
    let first = content.lines().next()?;
    let version = first.strip_prefix('<')?.strip_suffix('>')?.parse().ok()?;
    (content == text(version)).then_some(version)
}

pub(crate) fn version_at(path: &Path) -> Option<u64> {
    let content = std::fs::read(path).expect("an acknowledged file is there");
    let version = version_of(&content);
    assert!(version.is_some(), "{} is torn", path.display());
    version
}

/// The same check finds what a program does that writes files in place.
#[tokio::test]
async fn a_naive_writer_leaves_a_torn_file_under_the_same_check() {
    const PROGRAM: &str = "import sys\n\
        version = 0\n\
        print('ready', flush=True)\n\
        while True:\n\
        \x20   version += 1\n\
        \x20   data = ('<%d>\\n' % version * 20000).encode()\n\
        \x20   with open(sys.argv[1], 'wb', buffering=0) as file:\n\
        \x20       for at in range(0, len(data), 4096):\n\
        \x20           file.write(data[at:at + 4096])\n";
    let folder = tempfile::TempDir::new().unwrap();
    let path = folder.path().join("naive.txt");
    let mut dice = Dice::new();
    for _ in 0..40 {
        let mut child = Command::new("python3")
            .args(["-c", PROGRAM])
            .arg(&path)
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut ready = BufReader::new(child.stdout.take().unwrap()).lines();
        assert_eq!(ready.next_line().await.unwrap().as_deref(), Some("ready"));
        tokio::time::sleep(Duration::from_millis(20 + dice.roll(30))).await;
        child.kill().await.unwrap();
        if version_of(&std::fs::read(&path).unwrap()).is_none() {
            return;
        }
    }
    panic!("forty kills of a naive writer tore nothing: the check is blind");
}
