//! Every page in every state on a local server, to look at while working on them.
//!
//! `cargo run -p quaymaster-pages --example gallery [port]`; the index lists the pages, and `?long`
//! after a page makes every text in it long.

use axum::Router;
use axum::extract::{Path, RawQuery};
use axum::http::StatusCode;
use axum::response::Html;
use axum::routing::get;
use quaymaster_core::clock::{Clock, SystemClock};
use quaymaster_pages::{CONTENT_SECURITY_POLICY, assets};

#[path = "../tests/it/sample/mod.rs"]
mod sample;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let port = std::env::args().nth(1).unwrap_or_else(|| "8099".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    println!("http://{}", listener.local_addr()?);
    let app = Router::new()
        .route("/", get(async || Html(index())))
        .route("/{name}", get(show))
        .merge(assets::router());
    axum::serve(listener, app).await
}

fn pages(text: fn(&str) -> String) -> Vec<sample::Page> {
    sample::Sample {
        now: SystemClock.now(),
        text,
    }
    .pages()
}

fn index() -> String {
    let link = |page: &sample::Page| format!("<li><a href=\"/{0}\">{0}</a></li>", page.name);
    let links: String = pages(str::to_owned).iter().map(link).collect();
    format!("<!doctype html><title>Gallery</title><ul>{links}</ul>")
}

async fn show(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<([(&'static str, &'static str); 1], Html<String>), StatusCode> {
    let text = match query.as_deref() {
        Some("long") => |text: &str| format!("{text} {}", "long".repeat(20)),
        _ => |text: &str| text.to_owned(),
    };
    let page = pages(text).into_iter().find(|page| page.name == name);
    let page = page.ok_or(StatusCode::NOT_FOUND)?;
    Ok((
        [("content-security-policy", CONTENT_SECURITY_POLICY)],
        Html(page.html),
    ))
}
