//! Every page that the router has, walked in Chromium by its owner, by a member, by the owner of another organization and by
//! nobody; with scripts and without; in light and dark; wide and on a phone.
//!
//! One server and one Chromium serve the whole walk. What is found wrong is collected, and told at its end. With
//! `UPDATE_SCREENSHOTS=1` the walk also takes the pictures of docs/screenshots.

mod axe;
mod routes;
pub(super) mod scene;
mod screenshots;
pub(super) mod seed;
pub(super) mod stops;

use super::*;
use axe::Axe;
use scene::Scene;
use stops::{Stop, Who};

/// Functions that look at the page that is open.
const PAGE: &str = include_str!("walk/page.js");
const WIDE: i64 = 1280;
const PHONE: i64 = 380;

/// What was found wrong, a line each.
pub(super) type Found = Vec<String>;

impl Stop {
    pub(super) async fn open(&self, tab: &Tab, server: &Server) -> Found {
        tab.open(&format!("{}{}", server.url, self.path)).await;
        tab.value(PAGE).await;
        let status = status_of(tab).await;
        self.unless(status == u64::from(self.status), || {
            format!("answers {status}")
        })
    }

    fn unless(&self, is_good: bool, problem: impl FnOnce() -> String) -> Found {
        let told = (!is_good).then(|| self.says(&problem()));
        told.into_iter().collect()
    }

    pub(super) fn says(&self, problem: &str) -> String {
        format!("{} ({}) {problem}", self.name, self.path)
    }

    /// What a function of the page's own walk finds.
    async fn ask(&self, tab: &Tab, function: &str) -> Found {
        let found = tab.value(&format!("walk.{function}")).await;
        let lines = found.as_array().cloned();
        let lines = lines.unwrap_or_else(|| vec![json!(format!("walk.{function} failed"))]);
        let line = |line: &Value| self.says(line.as_str().unwrap_or_default());
        lines.iter().map(line).collect()
    }

    async fn fits(&self, tab: &Tab, width: i64) -> Found {
        tab.resize(width, 800).await;
        tab.until(&format!("innerWidth === {width}")).await;
        let needs = tab.value("document.documentElement.scrollWidth").await;
        self.unless(needs == width, || {
            format!("needs {needs} of {width} pixels")
        })
    }

    pub(super) async fn complaints(&self, tab: &Tab) -> Found {
        let all = tab.complaints().await;
        // The browser notes that an answer was no success.
        let wanted = format!("status of {}", self.status);
        let others = all
            .iter()
            .filter(|one| self.status < 400 || !one.contains(&wanted));
        others.map(|one| self.says(one)).collect()
    }
}

async fn status_of(tab: &Tab) -> u64 {
    let status = "performance.getEntriesByType('navigation')[0].responseStatus";
    tab.value(status).await.as_u64().unwrap_or_default()
}

/// Whoever may see everything, with all that a browser can do.
async fn look_at(stops: &[&Stop], tab: &Tab, scene: &Scene, axe: &Axe) -> Found {
    let mut found = Found::new();
    for stop in stops {
        tab.prefer("light").await;
        tab.resize(WIDE, 800).await;
        found.extend(stop.open(tab, &scene.desk.server).await);
        found.extend(stop.fits(tab, WIDE).await);
        found.extend(axe.look(tab, stop, "light").await);
        screenshots::take(tab, stop, "light").await;
        tab.prefer("dark").await;
        screenshots::take(tab, stop, "dark").await;
        found.extend(stop.fits(tab, PHONE).await);
        found.extend(axe.look(tab, stop, "dark, on a phone").await);
        tab.prefer("light").await;
        screenshots::take(tab, stop, "phone").await;
        // A key first, so that the browser shows the focus.
        tab.press("Tab").await;
        found.extend(stop.ask(tab, "keyboard()").await);
        found.extend(stop.complaints(tab).await);
    }
    found
}

/// The same people on a phone, where nothing of a page runs.
async fn look_without_scripts(stops: &[&Stop], tab: &Tab, scene: &Scene) -> Found {
    tab.forbid_scripts().await;
    tab.resize(PHONE, 800).await;
    let mut found = Found::new();
    for stop in stops {
        found.extend(stop.open(tab, &scene.desk.server).await);
        found.extend(stop.fits(tab, PHONE).await);
        found.extend(stop.ask(tab, "withoutScripts()").await);
        found.extend(stop.complaints(tab).await);
    }
    found
}

/// A member is refused the pages of administrators and sees the others; no page leads them to one that refuses.
async fn look_as_member(stops: &[&Stop], tab: &Tab, scene: &Scene) -> Found {
    let mut found = Found::new();
    let mut links = std::collections::BTreeMap::new();
    for stop in stops {
        let refusal = match stop.who {
            Who::Admin => 403,
            Who::Owner => 404,
            _ => stop.status,
        };
        let stop = Stop {
            status: refusal,
            ..(*stop).clone()
        };
        found.extend(stop.open(tab, &scene.desk.server).await);
        found.extend(stop.fits(tab, WIDE).await);
        found.extend(stop.complaints(tab).await);
        if stop.status >= 400 {
            continue;
        }
        let on_page = tab.value("walk.links()").await;
        for link in on_page.as_array().into_iter().flatten() {
            links
                .entry(link.as_str().unwrap().to_owned())
                .or_insert_with(|| stop.name);
        }
    }
    let links: Vec<(String, &str)> = links.into_iter().collect();
    for some in links.chunks(25) {
        let dead = tab.value(&format!("walk.dead({})", json!(some))).await;
        let dead = dead.as_array().expect("a list").clone();
        found.extend(dead.iter().map(|one| format!("for a member: {one}")));
    }
    tab.complaints().await;
    found
}

/// What is somebody else's looks as if nobody had it, and lists of others show nothing of it.
async fn look_as_stranger(stops: &[&Stop], tab: &Tab, scene: &Scene) -> Found {
    let mut found = Found::new();
    for stop in stops {
        let twin = scene.twin(&stop.path);
        let answers = tab
            .value(&format!("walk.answers({})", json!([stop.path, twin])))
            .await;
        let [real, other] = [&answers[0], &answers[1]];
        let leaked = scene.ours.iter().find(|own| {
            let page = real["html"].as_str().unwrap_or_default();
            !stop.path.contains(own.as_str()) && page.contains(own.as_str())
        });
        found.extend(stop.unless(leaked.is_none(), || format!("shows a stranger {leaked:?}")));
        if twin == stop.path {
            continue;
        }
        let told = |answer: &Value| {
            let text = answer["text"].as_str().unwrap_or_default();
            (answer["status"].clone(), scene.without_names(text))
        };
        found.extend(stop.unless(real["status"].as_u64() >= Some(400), || {
            format!("answers a stranger {}", real["status"])
        }));
        found.extend(stop.unless(told(real) == told(other), || {
            format!(
                "is {:?} to a stranger, {twin} is {:?}",
                told(real),
                told(other)
            )
        }));
    }
    tab.complaints().await;
    found
}

/// Everything but what is of everybody leads to the page for signing in.
async fn look_as_nobody(stops: &[&Stop], tab: &Tab) -> Found {
    let mut found = Found::new();
    for stop in stops.iter().filter(|stop| stop.status == 200) {
        let answers = tab
            .value(&format!("walk.answers({})", json!([stop.path])))
            .await;
        let path = &answers[0]["path"];
        found.extend(stop.unless(path == "/sign-in", || format!("leads nobody to {path}")));
    }
    found
}

#[tokio::test]
async fn every_page_holds_for_owners_members_strangers_and_without_scripts() {
    let browser = Browser::start().await;
    let axe = Axe::read();
    let scene = Scene::open(&browser).await;
    let stops = stops::all(&scene.seeded);
    let mut found = routes::without_a_stop(&stops);

    let of = |wanted: &dyn Fn(Who) -> bool| -> Vec<&Stop> {
        stops.iter().filter(|stop| wanted(stop.who)).collect()
    };
    let signed_in = of(&|who| matches!(who, Who::Member | Who::Admin | Who::Owner));
    let open = of(&|who| who == Who::Anybody);
    let newcomers = of(&|who| who == Who::Newcomer);
    found.extend(look_at(&newcomers, &scene.newcomer, &scene, &axe).await);
    found.extend(look_without_scripts(&newcomers, &scene.newcomer, &scene).await);

    let outside = browser.tab().await;
    outside
        .open(&format!("{}/sign-in", scene.desk.server.url))
        .await;
    outside.value(PAGE).await;
    let (first, second) = signed_in.split_at(signed_in.len() / 2);
    let walks = tokio::join!(
        look_at(first, &scene.owner, &scene, &axe),
        look_at(second, &scene.owner_too, &scene, &axe),
        async {
            let plain = look_without_scripts(&signed_in, &scene.owner_plain, &scene).await;
            let member = look_as_member(&signed_in, &scene.member, &scene).await;
            [plain, member].concat()
        },
        async {
            let stranger = look_as_stranger(&signed_in, &scene.stranger, &scene).await;
            let nobody = look_as_nobody(&signed_in, &outside).await;
            let open_pages = look_at(&open, &outside, &scene, &axe).await;
            let plain = look_without_scripts(&open, &outside, &scene).await;
            [stranger, nobody, open_pages, plain].concat()
        },
    );
    found.extend([walks.0, walks.1, walks.2, walks.3].concat());
    screenshots::list(&stops);
    assert!(
        found.is_empty(),
        "{} found:\n{}",
        found.len(),
        found.join("\n")
    );
}
