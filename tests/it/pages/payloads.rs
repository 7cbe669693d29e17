//! What people, clients and services write is shown as text, whatever it looks like.
//!
//! Forty payloads go into every text field that the document of the API has, and into what else writes: files,
//! documents, flows, definitions, clients, tools and answers of services. Then every page of the walk is opened in Chromium,
//! and asked whether anything of a payload ran, was loaded or became an element, and whether it is shown as it was
//! written. A text that the policy of the pages keeps from running was taken for markup all the same, and is found.

mod archive;
mod bodies;
mod control;
mod fields;
mod filling;
mod others;
mod reflected;
mod takes;
mod tries;
mod upstream;

use super::walk::Found;
use super::walk::scene::{self, Scene};
use super::walk::stops::{self, Stop, Who};
use super::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

/// Functions that look at the page that is open.
const LOOK: &str = include_str!("payloads/look.js");

struct Payload {
    what: String,
    /// What makes it run where it is taken for markup: `itself`, or what else has to be there.
    runs: String,
    /// The place in a page that it is made for, as in `control.rs`.
    place: String,
    /// With `{n}` for the number of a placement. Short enough for a name.
    text: String,
}

static PAYLOADS: LazyLock<Vec<Payload>> = LazyLock::new(|| {
    let list: Vec<Value> = serde_json::from_str(include_str!("payloads/list.json")).unwrap();
    let payload = |one: &Value| {
        let text = |name: &str| one[name].as_str().unwrap().to_owned();
        Payload {
            what: text("what"),
            runs: text("runs"),
            place: text("where"),
            text: text("text"),
        }
    };
    list.iter().map(payload).collect()
});

/// The texts, as the functions of the page want them.
fn texts() -> Value {
    PAYLOADS.iter().map(|one| one.text.as_str()).collect()
}

/// The text of a payload, from 1, with the number of a placement.
fn text(payload: usize, number: usize) -> String {
    let text = &PAYLOADS[payload - 1].text;
    text.replace("{n}", &number.to_string())
}

/// Where payloads were put. Each placement has a number of its own: a hundred times the field, and the payload.
#[derive(Default)]
struct Places {
    fields: Vec<Field>,
}

struct Field {
    name: String,
    /// The payloads that are in it now.
    kept: BTreeSet<usize>,
}

impl Places {
    /// The number of a field.
    fn field(&mut self, name: &str) -> usize {
        let known = self.fields.iter().position(|field| field.name == name);
        let at = known.unwrap_or_else(|| {
            let kept = BTreeSet::new();
            let name = name.to_owned();
            self.fields.push(Field { name, kept });
            self.fields.len() - 1
        });
        at + 1
    }

    /// The text for a field, which takes it.
    fn put(&mut self, name: &str, payload: usize) -> String {
        let field = self.field(name);
        self.fields[field - 1].kept.insert(payload);
        text(payload, field * 100 + payload)
    }

    /// The texts of all payloads but some, for a field that takes them.
    fn put_all(&mut self, name: &str, but: &[usize]) -> Vec<String> {
        let wanted = (1..=PAYLOADS.len()).filter(|one| !but.contains(one));
        wanted.map(|one| self.put(name, one)).collect()
    }

    /// What the functions of the page need to know of paths, whose parts are shown one by one.
    fn paths(&self) -> Value {
        let numbered = self.fields.iter().zip(1..);
        let paths = numbered.filter(|(field, _)| field.name.to_lowercase().contains("path"));
        paths.map(|(_, number)| json!(number)).collect()
    }

    /// The placements that a page should show and does not.
    fn missing(&self, shows: &Shows, expected: &[(&str, &str)]) -> Found {
        let nothing = BTreeSet::new();
        let mut found = Found::new();
        for (name, stop) in expected.iter().filter(|(_, stop)| !stop.is_empty()) {
            let Some(at) = self.fields.iter().position(|field| field.name == *name) else {
                found.push(format!("nothing was put into {name}"));
                continue;
            };
            let shown = shows.get(*stop).unwrap_or(&nothing);
            let is_missing = |payload: &&usize| !shown.contains(&((at + 1) * 100 + **payload));
            let missing: Vec<&usize> = self.fields[at].kept.iter().filter(is_missing).collect();
            if !missing.is_empty() || self.fields[at].kept.is_empty() {
                found.push(format!("{stop} does not show {name} with {missing:?}"));
            }
        }
        found
    }

    /// Which field a placement that was found is in.
    fn explained(&self, line: &str) -> String {
        let digits = line.split(|c: char| !c.is_ascii_digit());
        let numbers = digits.filter_map(|digits| digits.parse::<usize>().ok());
        let named = numbers.filter_map(|number| {
            let field = self.fields.get((number / 100).checked_sub(1)?)?;
            let payload = PAYLOADS.get((number % 100).checked_sub(1)?)?;
            let signs = ["=", "canary-"];
            let is_mark = signs
                .iter()
                .any(|sign| line.contains(&format!("{sign}{number}")));
            is_mark.then(|| format!("{} ({})", field.name, payload.what))
        });
        let named: BTreeSet<String> = named.collect();
        let named: Vec<String> = named.into_iter().collect();
        format!("{line} [{}]", named.join("; "))
    }
}

/// The numbers of the placements that each stop shows whole.
type Shows = BTreeMap<&'static str, BTreeSet<usize>>;

/// What the page that is open made of payloads.
async fn found_on(tab: &Tab) -> Vec<String> {
    tab.value(LOOK).await;
    let found = tab.value("[...payloads.ran(), ...payloads.made()]").await;
    let Value::Array(found) = found else {
        return vec!["could not be looked at".to_owned()];
    };
    let line = |line: &Value| line.as_str().unwrap_or_default().to_owned();
    found.iter().map(line).collect()
}

/// What the page that is open shows: placements as they were written, and in which other way.
async fn shown_on(tab: &Tab, paths: &Value) -> (BTreeSet<usize>, Vec<String>) {
    let shown = tab
        .value(&format!("payloads.shown({}, {paths})", texts()))
        .await;
    let list = |name: &str| shown[name].as_array().cloned().unwrap_or_default();
    let number = |number: &Value| number.as_u64().map(|number| number as usize);
    let whole = list("whole").iter().filter_map(number).collect();
    let other = list("other")
        .iter()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    (whole, other)
}

async fn look(stops: &[&Stop], tab: &Tab, server: &Server, paths: &Value) -> (Found, Shows) {
    let mut found = Found::new();
    let mut shows = Shows::new();
    for stop in stops {
        found.extend(stop.open(tab, server).await);
        found.extend(stop.complaints(tab).await);
        found.extend(found_on(tab).await.iter().map(|line| stop.says(line)));
        let (whole, other) = shown_on(tab, paths).await;
        found.extend(other.iter().map(|line| stop.says(line)));
        shows.entry(stop.name).or_default().extend(whole);
    }
    (found, shows)
}

#[tokio::test]
async fn forty_payloads_in_every_text_field_show_as_text_also_from_services_and_tools() {
    let browser = Browser::start().await;
    let mut scene = Scene::open(&browser).await;
    let mut places = Places::default();
    let mut found = filling::fill(&scene, &mut places).await;
    let service = upstream::start(&mut places).await;
    let made = others::put(&mut scene, &service, &mut places).await;
    let tries = tries::all(&scene, &made.server, &mut places);

    let paths = places.paths();
    let server = &scene.desk.server;
    let mut stops = stops::all(&scene.seeded);
    stops.extend(made.stops(&scene.seeded));
    let of = |wanted: &dyn Fn(&Stop) -> bool| -> Vec<&Stop> {
        stops.iter().filter(|stop| wanted(stop)).collect()
    };
    let signed_in = of(&|stop| !matches!(stop.who, Who::Anybody | Who::Newcomer));
    // The reference is the same for everybody, and large.
    let open = of(&|stop| stop.who == Who::Anybody && stop.name != "reference");
    let outside = browser.tab().await;
    let reader = scene::signed_in(&browser, server, EMAIL).await;
    let (first, second) = signed_in.split_at(signed_in.len() / 2);
    let (one, two, three, four) = tokio::join!(
        look(first, &scene.owner, server, &paths),
        look(second, &scene.owner_too, server, &paths),
        async {
            let (mut found, shows) = look(&open, &outside, server, &paths).await;
            found.extend(tries::send(&scene.owner_plain, &scene, &tries, &places).await);
            (found, shows)
        },
        reflected::open(&reader, &scene),
    );
    found.extend(four);
    let mut shows = Shows::new();
    for (problems, some) in [one, two, three] {
        found.extend(problems);
        for (stop, numbers) in some {
            shows.entry(stop).or_default().extend(numbers);
        }
    }
    found.extend(places.missing(&shows, &takes::TAKES));
    found.extend(places.missing(&shows, &others::SHOWN));
    let found: Vec<String> = found.iter().map(|line| places.explained(line)).collect();
    assert!(
        found.is_empty(),
        "{} found:\n{}",
        found.len(),
        found.join("\n")
    );
}
