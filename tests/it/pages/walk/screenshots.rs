//! The pictures of docs/screenshots, taken on the walk when `UPDATE_SCREENSHOTS` is set.

use super::Stop;
use quaymaster_tests::Tab;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use tokio::sync::Mutex;

/// In pixels; what is longer is cut.
const LONGEST: f64 = 1100.0;

static CAMERA: Mutex<()> = Mutex::const_new(());

fn folder() -> Option<PathBuf> {
    std::env::var_os("UPDATE_SCREENSHOTS")?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/screenshots");
    std::fs::create_dir_all(&folder).expect("a folder");
    Some(folder)
}

pub(super) async fn take(tab: &Tab, stop: &Stop, look: &str) {
    let Some(folder) = folder() else { return };
    // The browser draws for one at a time.
    let _alone = CAMERA.lock().await;
    let picture = tab.picture(LONGEST).await;
    std::fs::write(folder.join(format!("{}-{look}.webp", stop.name)), picture)
        .expect("it is written");
}

/// The page that shows them.
pub(super) fn list(stops: &[Stop]) {
    let Some(folder) = folder() else { return };
    let mut text = String::from(
        "# Every page\n\nTaken by the browser tests from a server with made-up contents: in light, in dark and as wide as a phone. Long pages are cut.\n\n\
         | Page | Light | Dark | Phone |\n|---|---|---|---|\n",
    );
    for stop in stops {
        let cell = |look: &str, width: u32| {
            let file = format!("{}-{look}.webp", stop.name);
            format!(
                "<a href=\"{file}\"><img src=\"{file}\" width=\"{width}\" alt=\"{}, {look}\"></a>",
                stop.title()
            )
        };
        let (light, dark, phone) = (cell("light", 360), cell("dark", 360), cell("phone", 140));
        writeln!(text, "| {} | {light} | {dark} | {phone} |", stop.title()).expect("a text");
    }
    std::fs::write(folder.join("README.md"), text).expect("it is written");
}
