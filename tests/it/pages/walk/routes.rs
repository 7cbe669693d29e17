//! The router's own list of pages, read from its source, so that a page that nobody walks is found.

use super::{Found, Stop};
use std::fs;
use std::path::Path;

/// What is asked with GET and is no page, with what it is.
const NO_PAGES: [(&str, &str); 6] = [
    ("/workspaces/{id}/files/raw", "the bytes of a file"),
    ("/skills/{name}/export", "an archive"),
    ("/activity/export", "a table"),
    ("/activity/changes/export", "a table"),
    ("/mix", "a part of a form"),
    (
        "/connections/callback",
        "a step of signing in at a service, which leads to a page",
    ),
];

/// Every path with a GET, as the router writes it.
fn read() -> Vec<String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/pages/src/handlers");
    let mut text = fs::read_to_string(source.with_extension("rs")).expect("the router");
    gather(&source, &mut text);
    let mut paths = Vec::new();
    for route in text.split(".route(").skip(1) {
        let mut parts = route.splitn(3, '"');
        // The path, then what answers it, up to whatever follows the call.
        let (Some(""), Some(path), Some(rest)) =
            (parts.next().map(str::trim), parts.next(), parts.next())
        else {
            continue;
        };
        let methods = rest.split(';').next().unwrap_or_default();
        if methods.contains("get(") && path.starts_with('/') {
            paths.push(path.to_owned());
        }
    }
    assert!(paths.len() > 70, "the router's source is read: {paths:?}");
    paths
}

fn gather(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("the source of the pages") {
        let path = entry.expect("a file").path();
        if path.is_dir() {
            gather(&path, text);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            text.push_str(&fs::read_to_string(&path).expect("a source file"));
        }
    }
}

/// How many parts of a route are no variables, if the path is one of the route's.
fn fit(route: &str, path: &str) -> Option<usize> {
    let path = path.split('?').next().unwrap_or_default();
    let (route, path): (Vec<_>, Vec<_>) = (route.split('/').collect(), path.split('/').collect());
    let fits =
        |(own, given): (&&str, &&str)| own.starts_with('{') && !given.is_empty() || own == given;
    let all = route.len() == path.len() && route.iter().zip(&path).all(fits);
    all.then(|| route.iter().filter(|own| !own.starts_with('{')).count())
}

pub(super) fn without_a_stop(stops: &[Stop]) -> Found {
    let routes = read();
    let walked: Vec<&String> = stops
        .iter()
        .filter_map(|stop| {
            let fitting = routes
                .iter()
                .filter_map(|route| Some((fit(route, &stop.path)?, route)));
            fitting
                .max_by_key(|(literal, _)| *literal)
                .map(|(_, route)| route)
        })
        .collect();
    let is_known =
        |route: &&String| walked.contains(route) || NO_PAGES.iter().any(|(path, _)| path == route);
    let unknown = routes.iter().filter(|route| !is_known(route));
    unknown
        .map(|route| format!("{route} has no stop in walk/stops.rs"))
        .collect()
}
