//! The guides, read in the page.

use super::*;
use quaymaster_tests::Person;
use scraper::{Html, Selector};

fn attributes(html: &str, css: &str, name: &str) -> Vec<String> {
    let page = Html::parse_document(html);
    let selector = Selector::parse(css).unwrap();
    let found = page.select(&selector).filter_map(|one| one.attr(name));
    found.map(str::to_owned).collect()
}

fn has_id(html: &str, id: &str) -> bool {
    attributes(html, "[id]", "id").iter().any(|one| one == id)
}

#[tokio::test]
async fn every_guide_opens_for_everybody_and_each_link_in_it_leads_somewhere() {
    let server = Server::start().await;
    let nobody = Person::of(&server.url);
    let list = nobody.get("/guides").await;
    let guides = attributes(&list.html, "main .card a", "href");
    assert!(guides.len() > 9, "{guides:?}");
    for guide in &guides {
        let page = nobody.get(guide).await;
        assert_eq!(page.status, 200, "{guide}");
        assert!(!page.texts("main h1")[0].is_empty(), "{guide}");
        for link in attributes(&page.html, "main a[href]", "href") {
            if link.starts_with("https://") {
                continue;
            }
            let (path, id) = link.split_once('#').unwrap_or((&link, ""));
            let to = match path {
                "" => page.html.clone(),
                path => {
                    let answer = nobody.get(path).await;
                    assert_eq!(answer.status, 200, "{guide} leads to {link}");
                    answer.html
                }
            };
            assert!(id.is_empty() || has_id(&to, id), "{guide} leads to {link}");
        }
    }
    assert_eq!(nobody.get("/guides/no-such-guide").await.status, 404);
}

#[tokio::test]
async fn guides_show_pictures_of_the_pages_that_this_server_has() {
    let server = Server::start().await;
    let nobody = Person::of(&server.url);
    let mut shown = 0;
    for name in [
        "connect",
        "authentication",
        "flows",
        "hosted-servers",
        "team",
    ] {
        let page = nobody.get(&format!("/guides/{name}")).await;
        let light = attributes(&page.html, ".guide img[loading=lazy]", "src");
        let dark = attributes(&page.html, ".guide picture source", "srcset");
        assert!(!light.is_empty() && light.len() == dark.len(), "{name}");
        for alt in attributes(&page.html, ".guide img[width][height]", "alt") {
            assert!(alt.split(' ').count() > 5, "{name}: {alt:?}");
            shown += 1;
        }
        for picture in light.iter().chain(&dark) {
            let answer = reqwest::get(format!("{}{picture}", server.url));
            let answer = answer.await.unwrap();
            assert_eq!(answer.status(), 200, "{name}: {picture}");
            assert_eq!(answer.headers()["content-type"], "image/webp");
        }
    }
    assert_eq!(shown, 6, "each has its size and says what it shows");
}

#[tokio::test]
async fn examples_have_the_address_of_this_server() {
    let server = Server::start().await;
    let nobody = Person::of(&server.url);
    let page = nobody.get("/guides/connect").await;
    let blocks = page.texts(".guide pre");
    assert!(blocks.iter().any(|text| text.contains(&server.endpoint)));
    for name in ["connect", "authentication", "embedding", "hosted-servers"] {
        let page = nobody.get(&format!("/guides/{name}")).await;
        for block in page.texts(".guide pre") {
            assert!(!block.contains(":8080"), "{name}: {block}");
        }
    }
    // A proxy leads to where the server listens, whatever it is called.
    let team = nobody
        .get("/guides/team")
        .await
        .texts(".guide pre")
        .join(" ");
    assert!(team.contains("proxy_pass http://127.0.0.1:8080;"), "{team}");
}

#[tokio::test]
async fn somebody_new_finds_how_to_connect_a_client_by_two_clicks() {
    let server = Server::start().await;
    let browser = Browser::start().await;
    let tab = owner(&server, &browser).await;
    tab.follow("a.brand").await;
    tab.follow(".nav a[href='/guides']").await;
    tab.follow("main .card:first-child a").await;
    assert_eq!(tab.path().await, "/guides/connect");
    assert!(tab.text("main").await.contains(&server.endpoint));
    // By name, the palette leads there, too.
    tab.open(&format!("{}/search?q=connect%20a%20client", server.url))
        .await;
    tab.follow("#found a[href='/guides/connect']").await;
    assert_eq!(tab.text("h1").await, "Connect a client");
    assert_eq!(tab.complaints().await, NOTHING);
}
