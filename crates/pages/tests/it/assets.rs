use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use http_body_util::BodyExt;
use quaymaster_pages::{assets, views::Layout};
use tower::ServiceExt;

async fn get(path: &str, if_none_match: Option<&str>) -> Response<Body> {
    let mut request = Request::get(path);
    if let Some(sent) = if_none_match {
        request = request.header(header::IF_NONE_MATCH, sent);
    }
    assets::router::<()>()
        .oneshot(request.body(Body::empty()).unwrap())
        .await
        .unwrap()
}

fn header_of(response: &Response<Body>, name: header::HeaderName) -> &str {
    response
        .headers()
        .get(name)
        .map_or("", |value| value.to_str().unwrap())
}

#[tokio::test]
async fn an_asset_may_be_kept_forever() {
    for (name, content_type) in [
        ("app.css", "text/css; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("editor.js", "text/javascript; charset=utf-8"),
        ("theme.js", "text/javascript; charset=utf-8"),
        ("favicon.svg", "image/svg+xml"),
    ] {
        let response = get(&assets::url(name), None).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(header_of(&response, header::CONTENT_TYPE), content_type);
        let kept = header_of(&response, header::CACHE_CONTROL);
        assert_eq!(kept, "public, max-age=31536000, immutable");
        assert_eq!(
            header_of(&response, header::X_CONTENT_TYPE_OPTIONS),
            "nosniff"
        );
        let body = response.into_body().collect().await.unwrap().to_bytes();
        let path = format!("{}/assets/{name}", env!("CARGO_MANIFEST_DIR"));
        assert_eq!(body, std::fs::read(path).unwrap());
    }
}

#[tokio::test]
async fn a_known_asset_is_not_sent_again() {
    let url = assets::url("app.css");
    let etag = header_of(&get(&url, None).await, header::ETAG).to_owned();
    assert_eq!(url, format!("/assets/{}/app.css", etag.trim_matches('"')));
    for sent in [etag.clone(), format!("\"other\", W/{etag}"), "*".to_owned()] {
        let response = get(&url, Some(&sent)).await;
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{sent}");
        assert_eq!(header_of(&response, header::ETAG), etag);
        assert!(
            response
                .into_body()
                .collect()
                .await
                .unwrap()
                .to_bytes()
                .is_empty()
        );
    }
    assert_eq!(get(&url, Some("\"other\"")).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn another_hash_another_name_and_a_path_are_not_found() {
    let url = assets::url("app.css");
    let hash = url.split('/').nth(2).unwrap();
    for path in [
        "/assets/0000000000000000/app.css".to_owned(),
        format!("/assets/{hash}/app.js"),
        format!("/assets/{hash}/..%2FCargo.toml"),
        format!("/assets/{hash}/%2Fetc%2Fpasswd"),
        assets::url("missing.css"),
    ] {
        assert_eq!(
            get(&path, None).await.status(),
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}

#[tokio::test]
async fn the_old_address_of_the_icon_leads_to_the_new_one() {
    let response = get("/favicon.ico", None).await;
    assert_eq!(response.status(), StatusCode::TEMPORARY_REDIRECT);
    assert_eq!(
        header_of(&response, header::LOCATION),
        Layout::default().asset("favicon.svg")
    );
}

#[test]
fn no_asset_names_another_host() {
    for name in assets::names() {
        let path = format!("{}/assets/{name}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        let text = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("://") && !text.contains("@import"), "{name}");
    }
}
