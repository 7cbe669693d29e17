//! Chromium, driven as a person drives it: it opens addresses, types, clicks, and looks.
//!
//! Whoever looks for something waits for it: pages load and change in their own time.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chromiumoxide::cdp::browser_protocol::browser::{
    BrowserContextId, SetDownloadBehaviorBehavior, SetDownloadBehaviorParams,
};
use chromiumoxide::cdp::browser_protocol::emulation::{
    MediaFeature, SetDeviceMetricsOverrideParams, SetFocusEmulationEnabledParams,
    SetScriptExecutionDisabledParams,
};
use chromiumoxide::cdp::browser_protocol::input::InsertTextParams;
use chromiumoxide::cdp::browser_protocol::log::{EventEntryAdded, LogEntryLevel};
use chromiumoxide::cdp::browser_protocol::page::{
    CaptureScreenshotFormat, CaptureScreenshotParams, Viewport,
};
use chromiumoxide::cdp::browser_protocol::target::{
    CreateBrowserContextParams, CreateTargetParams,
};
use chromiumoxide::cdp::js_protocol::runtime::{
    ConsoleApiCalledType, EvaluateParams, EventConsoleApiCalled, EventExceptionThrown,
};
use chromiumoxide::{BrowserConfig, Page};
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::task::AbortHandle;

/// How long something may take to appear. Two cores are shared with other tests.
const PATIENCE: Duration = Duration::from_secs(20);

fn chromium() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join("chromium"))
        .find(|program| program.is_file())
        .expect("chromium is not on the PATH; run `cargo xtask test`")
}

/// One Chromium. Dropping it kills the process.
pub struct Browser {
    chromium: chromiumoxide::Browser,
    talking: AbortHandle,
    /// Its profile and downloads; removed when the process is gone.
    directory: TempDir,
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.talking.abort();
        let Some(child) = self.chromium.get_mut_child() else {
            return;
        };
        let child = child.as_mut_inner();
        // Asked first, because it ends its own processes, which write into the profile; then made
        // to. An error means that it has ended.
        if let Some(pid) = child.id() {
            let _ = std::process::Command::new("kill")
                .args(["-TERM", &pid.to_string()])
                .status();
        }
        if !soon(|| !matches!(child.try_wait(), Ok(None))) {
            let _ = child.start_kill();
            soon(|| !matches!(child.try_wait(), Ok(None)));
        }
        // The last of its processes may still write.
        let directory = self.directory.path();
        soon(|| std::fs::remove_dir_all(directory).is_ok() || !directory.exists());
    }
}

/// Whether something comes true within five seconds; without a runtime.
fn soon(mut is_so: impl FnMut() -> bool) -> bool {
    let until = Instant::now() + Duration::from_secs(5);
    while !is_so() {
        if Instant::now() > until {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}

impl Browser {
    pub async fn start() -> Browser {
        let directory = TempDir::new().expect("a temporary directory");
        let config = BrowserConfig::builder()
            .chrome_executable(chromium())
            .new_headless_mode()
            .no_sandbox()
            .user_data_dir(directory.path().join("profile"))
            // Who is killed tidies nothing up; this way it goes with the directory.
            .env("TMPDIR", directory.path().to_string_lossy())
            .viewport(None)
            .launch_timeout(Duration::from_mins(1))
            // A page of a thousand elements takes its time on a busy machine.
            .request_timeout(Duration::from_mins(2))
            // The rest of what keeps it quiet is among the defaults of chromiumoxide.
            .args(["disable-gpu", "disable-quic", "disable-component-update"])
            .build()
            .expect("a configuration");
        let (chromium, mut handler) = chromiumoxide::Browser::launch(config)
            .await
            .expect("chromium starts");
        let talking = tokio::spawn(async move { while handler.next().await.is_some() {} });
        Browser {
            chromium,
            talking: talking.abort_handle(),
            directory,
        }
    }

    /// A window of somebody whom the server does not know: it shares no cookies with other ones.
    /// 1280 by 800 pixels.
    pub async fn tab(&self) -> Tab {
        let context = self
            .chromium
            .create_browser_context(CreateBrowserContextParams::default())
            .await
            .expect("a context");
        let mut target = CreateTargetParams::new("about:blank");
        target.browser_context_id = Some(context.clone());
        let page = self.chromium.new_page(target).await.expect("a page");
        let tab = Tab {
            complaints: listen(&page).await,
            has_scripts: AtomicBool::new(true),
            downloads: self.downloads(context).await,
            page,
        };
        tab.resize(1280, 800).await;
        // Keys go to it, whichever window is in front.
        let focus = SetFocusEmulationEnabledParams::new(true);
        tab.page.execute(focus).await.expect("focus");
        tab
    }

    async fn downloads(&self, context: BrowserContextId) -> PathBuf {
        let folder = self.directory.path().join(context.as_ref());
        let allow = SetDownloadBehaviorParams::builder()
            .behavior(SetDownloadBehaviorBehavior::Allow)
            .browser_context_id(context)
            .download_path(folder.to_string_lossy())
            .build()
            .expect("a command");
        self.chromium
            .execute(allow)
            .await
            .expect("downloads are allowed");
        folder
    }
}

/// What the browser finds wrong: errors of scripts, blocked content, failed requests.
type Complaints = Arc<Mutex<Vec<String>>>;

async fn listen(page: &Page) -> Complaints {
    let complaints = Complaints::default();
    let note = |complaints: &Complaints| {
        let complaints = complaints.clone();
        move |text: String| {
            let mut all = complaints.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(text);
        }
    };
    let mut entries = page.event_listener::<EventEntryAdded>().await.expect("log");
    let mut calls = page
        .event_listener::<EventConsoleApiCalled>()
        .await
        .expect("console");
    let mut thrown = page
        .event_listener::<EventExceptionThrown>()
        .await
        .expect("exceptions");
    let (log, console, exceptions) = (note(&complaints), note(&complaints), note(&complaints));
    tokio::spawn(async move {
        while let Some(event) = entries.next().await {
            if matches!(
                event.entry.level,
                LogEntryLevel::Error | LogEntryLevel::Warning
            ) {
                log(format!("{:?}: {}", event.entry.source, event.entry.text));
            }
        }
    });
    tokio::spawn(async move {
        while let Some(event) = calls.next().await {
            let harmless = [ConsoleApiCalledType::Log, ConsoleApiCalledType::Debug];
            if !harmless.contains(&event.r#type) {
                console(format!("console: {:?}", event.args));
            }
        }
    });
    tokio::spawn(async move {
        while let Some(event) = thrown.next().await {
            exceptions(format!("exception: {:?}", event.exception_details));
        }
    });
    page.enable_log().await.expect("log");
    page.enable_runtime().await.expect("runtime");
    complaints
}

pub struct Tab {
    pub page: Page,
    complaints: Complaints,
    downloads: PathBuf,
    /// The browser's own clicks wait for scripts of their own.
    has_scripts: AtomicBool,
}

impl Tab {
    pub async fn open(&self, url: &str) {
        self.page.goto(url).await.expect("the page loads");
        self.until("document.readyState === 'complete'").await;
    }

    pub async fn resize(&self, width: i64, height: i64) {
        let size = SetDeviceMetricsOverrideParams::new(width, height, 1.0, false);
        self.page.execute(size).await.expect("a size");
    }

    /// `dark` or `light`, as the system says it; and no motion, so that colours are what they will be.
    pub async fn prefer(&self, scheme: &str) {
        let scheme = MediaFeature::new("prefers-color-scheme", scheme);
        let motion = MediaFeature::new("prefers-reduced-motion", "reduce");
        self.page
            .emulate_media_features(vec![scheme, motion])
            .await
            .expect("a colour scheme");
    }

    /// The page from its top, as WebP; at most so many pixels of it.
    pub async fn picture(&self, longest: f64) -> Vec<u8> {
        let size = "[document.documentElement.clientWidth, document.documentElement.scrollHeight]";
        let size = self.value(size).await;
        let part = |at: usize| size[at].as_f64().expect("a length");
        let clip = Viewport {
            x: 0.0,
            y: 0.0,
            width: part(0),
            height: part(1).min(longest),
            scale: 1.0,
        };
        let capture = CaptureScreenshotParams::builder()
            .format(CaptureScreenshotFormat::Webp)
            .quality(60)
            .clip(clip)
            .capture_beyond_viewport(true)
            .build();
        let taken = self.page.execute(capture).await.expect("a picture");
        let text: &str = taken.result.data.as_ref();
        STANDARD.decode(text).expect("base64")
    }

    /// From the next page on, nothing of a page runs. What a test asks still does.
    pub async fn forbid_scripts(&self) {
        let forbid = SetScriptExecutionDisabledParams::new(true);
        self.page.execute(forbid).await.expect("no scripts");
        self.has_scripts.store(false, Ordering::Relaxed);
    }

    /// The value of a JavaScript expression; null while the page has none.
    pub async fn value(&self, expression: &str) -> Value {
        let mut evaluate = EvaluateParams::new(expression);
        evaluate.return_by_value = Some(true);
        evaluate.await_promise = Some(true);
        // Fails between two pages.
        let answer = self.page.execute(evaluate).await.ok();
        answer
            .and_then(|answer| answer.result.result.value)
            .unwrap_or_default()
    }

    /// Waits until an expression is true.
    pub async fn until(&self, expression: &str) {
        let late = Instant::now() + PATIENCE;
        while self.value(expression).await != true {
            if Instant::now() > late {
                let page = self.value("location.href + ' ' + document.body.innerText");
                panic!("never {expression}: {}", page.await);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What one can read in the first such element, its white space made single spaces.
    pub async fn text(&self, css: &str) -> String {
        let css = json!(css);
        self.until(&format!("document.querySelector({css}) !== null"))
            .await;
        let text = self
            .value(&format!("document.querySelector({css}).innerText"))
            .await;
        let words = text.as_str().unwrap_or_default().split_whitespace();
        words.collect::<Vec<_>>().join(" ")
    }

    /// Waits until such an element can be read to say something.
    pub async fn until_text(&self, css: &str, wanted: &str) {
        let (css, wanted) = (json!(css), json!(wanted));
        self.until(&format!(
            "(document.querySelector({css})?.innerText ?? '').replace(/\\s+/g, ' ').includes({wanted})"
        ))
        .await;
    }

    pub async fn path(&self) -> String {
        let path = self.value("location.pathname").await;
        path.as_str().unwrap_or_default().to_owned()
    }

    /// Clicks with the mouse in the middle of an element.
    pub async fn click(&self, css: &str) {
        self.until(&format!("document.querySelector({}) !== null", json!(css)))
            .await;
        if !self.has_scripts.load(Ordering::Relaxed) {
            self.value(&format!("document.querySelector({}).click()", json!(css)))
                .await;
            return;
        }
        let element = self.page.find_element(css).await.expect("it was there");
        element
            .click()
            .await
            .unwrap_or_else(|error| panic!("{css} cannot be clicked: {error}"));
    }

    /// Clicks something that leads to another page, and waits for that page.
    pub async fn follow(&self, css: &str) {
        self.value("window.isOld = true").await;
        self.click(css).await;
        self.until("window.isOld === undefined && document.readyState === 'complete'")
            .await;
    }

    /// Types into a field in the place of what stands there.
    pub async fn fill(&self, css: &str, text: &str) {
        self.click(css).await;
        self.value(&format!("document.querySelector({}).select()", json!(css)))
            .await;
        self.page
            .execute(InsertTextParams::new(text))
            .await
            .expect("the text is typed");
    }

    /// Presses a key, for example `Tab`.
    pub async fn press(&self, key: &str) {
        let body = self.page.find_element("body").await.expect("a body");
        body.press_key(key).await.expect("the key is pressed");
    }

    /// The text of a file that was downloaded under this name.
    pub async fn downloaded(&self, name: &str) -> String {
        let path = self.downloads.join(name);
        let late = Instant::now() + PATIENCE;
        loop {
            // Chromium reserves the name with an empty file, which the complete one replaces.
            match std::fs::read_to_string(&path) {
                Ok(text) if !text.is_empty() => return text,
                Ok(_) => assert!(Instant::now() < late, "{} is empty", path.display()),
                Err(error) => assert!(Instant::now() < late, "{}: {error}", path.display()),
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What the browser found wrong since one last asked.
    pub async fn complaints(&self) -> Vec<String> {
        // Events come in order, so that what belongs to the page is here after a round trip. Where
        // scripts are forbidden, no timer of a page ends.
        tokio::time::sleep(Duration::from_millis(30)).await;
        self.value("true").await;
        let mut all = self
            .complaints
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut all)
    }
}
