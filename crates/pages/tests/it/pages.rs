use std::collections::HashSet;

use quaymaster_core::Instant;
use scraper::{ElementRef, Html, Selector};

use crate::sample::{Page, Sample};

fn sample(text: fn(&str) -> String) -> Vec<Page> {
    Sample {
        now: Instant::from_micros(1_790_000_000_000_000),
        text,
    }
    .pages()
}

fn all() -> Vec<Page> {
    sample(str::to_owned)
}

fn select<'a>(html: &'a Html, css: &str) -> Vec<ElementRef<'a>> {
    let selector = Selector::parse(css).unwrap();
    html.select(&selector).collect()
}

fn words(element: ElementRef<'_>) -> String {
    element
        .text()
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn every_page_is_well_formed() {
    for Page { name, html } in all() {
        let page = Html::parse_document(&html);
        // html5ever reports foreign-content and self-closing SVG correctly; anything here is ours.
        assert!(page.errors.is_empty(), "{name}: {:?}", page.errors);
        assert!(page.quirks_mode == scraper::Html::parse_document("<!doctype html>").quirks_mode);
    }
}

#[test]
fn every_page_has_one_h1_a_title_and_a_place_to_skip_to() {
    for Page { name, html } in all() {
        let page = Html::parse_document(&html);
        assert_eq!(select(&page, "h1").len(), 1, "{name}");
        assert!(
            words(select(&page, "title")[0]).ends_with("· Quaymaster"),
            "{name}"
        );
        assert_eq!(select(&page, "main#content").len(), 1, "{name}");
        assert_eq!(select(&page, "a.skip[href='#content']").len(), 1, "{name}");
    }
}

#[test]
fn headings_do_not_skip_a_level() {
    for Page { name, html } in all() {
        let page = Html::parse_document(&html);
        let mut level = 0;
        for heading in select(&page, "h1, h2, h3, h4, h5") {
            let next = heading.value().name()[1..].parse::<usize>().unwrap();
            assert!(
                next <= level + 1,
                "{name}: {} after h{level}",
                words(heading)
            );
            level = next;
        }
    }
}

#[test]
fn every_input_has_a_label_and_every_button_a_name() {
    for Page { name, html } in all() {
        let page = Html::parse_document(&html);
        for input in select(&page, "input:not([type=hidden]), select, textarea") {
            let id = input.value().attr("id").unwrap_or_default();
            let labels = select(&page, &format!("label[for='{id}']"));
            assert_eq!(labels.len(), 1, "{name}: {}", input.html());
            assert!(!words(labels[0]).is_empty(), "{name}: {id}");
        }
        for named in select(&page, "button, a, summary, th, legend, dt") {
            assert!(!words(named).is_empty(), "{name}: {}", named.html());
        }
    }
}

#[test]
fn ids_are_unique_and_whatever_names_one_finds_it() {
    for Page { name, html } in all() {
        let page = Html::parse_document(&html);
        let mut ids = HashSet::new();
        for element in select(&page, "[id]") {
            let id = element.value().attr("id").unwrap();
            assert!(
                ids.insert(id.to_owned()),
                "{name}: two elements have the id {id}"
            );
        }
        let by_space = [
            "for",
            "aria-labelledby",
            "aria-describedby",
            "popovertarget",
        ];
        let by_script = ["data-copy", "data-dialog"];
        for attribute in by_space.iter().chain(&by_script) {
            for element in select(&page, &format!("[{attribute}]")) {
                for id in element.value().attr(attribute).unwrap().split_whitespace() {
                    // The help of a field is left out where there is nothing to say.
                    let optional = id.ends_with("-help");
                    assert!(
                        ids.contains(id) || optional,
                        "{name}: {attribute} names {id}"
                    );
                }
            }
        }
        for link in select(&page, "a[href^='#']") {
            let id = &link.value().attr("href").unwrap()[1..];
            assert!(ids.contains(id), "{name}: a link leads to {id}");
        }
        for form in select(&page, "[data-swap]") {
            for part in form.value().attr("data-swap").unwrap().split_whitespace() {
                assert!(
                    ids.contains(&part[1..]),
                    "{name}: {part} is replaced but not there"
                );
            }
        }
    }
}

#[test]
fn every_error_stands_in_the_summary_and_under_its_field() {
    for (wanted, errors) in [
        ("welcome-wrong", 3),
        ("workspaces-wrong", 1),
        ("workspace-wrong", 3),
        ("workspace-settings-wrong", 4),
        ("api-keys-wrong", 5),
        ("settings-wrong", 1),
        ("account-wrong", 3),
        ("members-wrong", 1),
        ("invitation-wrong", 2),
        ("reset-wrong", 1),
        ("consent-wrong", 3),
        ("consent-many", 1),
        ("connector-wrong", 4),
        ("connection-wrong", 2),
        ("integration-wrong", 2),
        ("servers-wrong", 2),
        ("partial-wrong", 2),
        ("end-users-wrong", 2),
        ("end-user-many", 1),
        ("partial-choice-many", 1),
        ("trying-wrong", 2),
        ("files-wrong", 1),
        ("file-wrong", 1),
        ("file-edit-wrong", 1),
    ] {
        let Page { html, .. } = all().into_iter().find(|page| page.name == wanted).unwrap();
        let page = Html::parse_document(&html);
        let summary: Vec<String> = select(&page, "#notices [role=alert] li a")
            .into_iter()
            .map(words)
            .collect();
        let under: Vec<String> = select(&page, ".error").into_iter().map(words).collect();
        assert_eq!(summary, under, "{wanted}");
        assert_eq!(summary.len(), errors, "{wanted}");
        let described = select(
            &page,
            "[aria-invalid], fieldset[aria-describedby*='-error']",
        );
        assert_eq!(described.len(), errors, "{wanted}");
    }
}

#[test]
fn every_form_is_a_post_with_the_csrf_token_unless_it_searches() {
    for Page { name, html } in all() {
        let page = Html::parse_document(&html);
        for form in select(&page, "form") {
            let tag = form.value();
            if tag.attr("role") == Some("search") {
                // What it asks for stands in the address, which is no place for the token.
                assert_eq!(tag.attr("method"), Some("get"), "{name}");
                assert!(!form.html().contains("csrf"), "{name}");
                continue;
            }
            assert_eq!(tag.attr("method"), Some("post"), "{name}");
            assert!(
                tag.attr("action").is_some_and(|path| path.starts_with('/')),
                "{name}"
            );
            let csrf = Selector::parse("input[type=hidden][name=csrf]").unwrap();
            assert_eq!(form.select(&csrf).count(), 1, "{name}: {}", form.html());
        }
    }
}

#[test]
fn nothing_stands_inline() {
    for Page { name, html } in all() {
        let page = Html::parse_document(&html);
        assert!(
            select(&page, "style, [style], base, iframe, object, embed").is_empty(),
            "{name}"
        );
        for script in select(&page, "script") {
            assert!(
                script.value().attr("src").is_some() && words(script).is_empty(),
                "{name}"
            );
        }
        for element in select(&page, "*") {
            for (attribute, _) in element.value().attrs() {
                assert!(!attribute.starts_with("on"), "{name}: {attribute}");
            }
        }
    }
}

#[test]
fn nothing_is_loaded_from_or_sent_to_another_host() {
    for Page { name, html } in all() {
        let page = Html::parse_document(&html);
        for attribute in [
            "href",
            "src",
            "action",
            "formaction",
            "srcset",
            "poster",
            "data",
        ] {
            for element in select(&page, &format!("[{attribute}]")) {
                let to = element.value().attr(attribute).unwrap();
                let here = (to.starts_with('/') && !to.starts_with("//")) || to.starts_with('#');
                let tag = element.value();
                // A person may follow a link away; it tells the other site nothing.
                let is_link = tag.name() == "a"
                    && to.starts_with("https://")
                    && tag.attr("rel") == Some("noopener noreferrer");
                assert!(here || is_link, "{name}: {attribute}={to}");
            }
        }
        assert!(select(&page, "meta[http-equiv]").is_empty(), "{name}");
    }
}

#[test]
fn hostile_text_stays_text_in_every_field_of_every_page() {
    const HOSTILE: &str = "\"'><script>alert(1)</script><img src=x onerror=alert(2)><!--";
    let calm = all();
    let hostile = sample(|text| format!("{text}{HOSTILE}"));
    for (calm, hostile) in calm.iter().zip(&hostile) {
        let name = hostile.name;
        let page = Html::parse_document(&hostile.html);
        assert!(page.errors.is_empty(), "{name}: {:?}", page.errors);
        let of_calm = select(&Html::parse_document(&calm.html), "script").len();
        assert!((2..=3).contains(&of_calm), "{name}");
        assert_eq!(select(&page, "script").len(), of_calm, "{name}");
        assert!(
            select(&page, "img:not([src^='/']), [onerror]").is_empty(),
            "{name}"
        );
        // The same elements in the same order: no text became one.
        let shape = |html: &str| -> Vec<String> {
            let page = Html::parse_document(html);
            select(&page, "*")
                .iter()
                .map(|one| one.value().name().to_owned())
                .collect()
        };
        assert_eq!(shape(&calm.html), shape(&hostile.html), "{name}");
    }
}

#[test]
fn a_secret_is_never_part_of_an_address() {
    for Page { name, html } in all() {
        let page = Html::parse_document(&html);
        for element in select(&page, "[href], [action]") {
            let tag = element.value();
            let address = tag.attr("href").or(tag.attr("action")).unwrap();
            assert!(!address.contains("q1mS7xkzB0v4"), "{name}: {address}");
        }
    }
}

#[test]
fn the_password_is_asked_for_with_its_length_and_never_sent_back() {
    for Page { name, html } in all() {
        let page = Html::parse_document(&html);
        for input in select(&page, "input[type=password]") {
            assert_eq!(input.value().attr("value"), None, "{name}");
            if name.starts_with("welcome") {
                assert_eq!(input.value().attr("minlength"), Some("12"), "{name}");
                assert_eq!(
                    input.value().attr("autocomplete"),
                    Some("new-password"),
                    "{name}"
                );
            }
        }
    }
}

#[test]
fn only_those_who_may_see_the_forms_of_a_workspace() {
    let forms = |wanted: &str| -> Vec<String> {
        let page = all().into_iter().find(|page| page.name == wanted).unwrap();
        let page = Html::parse_document(&page.html);
        let actions = select(&page, "main form");
        actions
            .iter()
            .map(|form| form.value().attr("action").unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        forms("workspace"),
        [
            "/workspaces/ws_2/cap",
            "/workspaces/ws_2/tokens/crd_1/regenerate",
            "/workspaces/ws_2/tokens/crd_1/revoke",
            "/workspaces/ws_2/tokens/crd_2/revoke",
            "/workspaces/ws_2/tokens/crd_3/revoke",
            "/workspaces/ws_2/tokens",
            "/workspaces/ws_2/connected-clients/crd_4/revoke",
            "/workspaces/ws_2/connected-clients/crd_5/revoke",
            "/workspaces/ws_2/connected-clients/crd_6/revoke",
            "/workspaces/ws_2/connected-clients/crd_7/revoke",
            "/workspaces/ws_2/trash/restore",
            "/workspaces/ws_2/trash/restore",
        ]
    );
    assert_eq!(
        forms("workspace-member"),
        ["/workspaces/ws_2/trash/restore"; 2]
    );
}
