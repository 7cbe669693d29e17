//! The API reference.

use super::*;
use quaymaster_tests::Person;

#[tokio::test]
async fn the_reference_leads_to_a_page_of_each_operation() {
    let server = Server::start().await;
    let document = reqwest::get(format!("{}/api/v1/openapi.json", server.url));
    let document: Value = document.await.unwrap().json().await.unwrap();
    let paths = document["paths"].as_object().unwrap().values();
    let operations = paths.flat_map(|item| item.as_object().unwrap().values());
    let ids: Vec<&str> = operations
        .filter_map(|operation| operation["operationId"].as_str())
        .collect();
    let nobody = Person::of(&server.url);
    let list = nobody.get("/reference").await;
    assert_eq!(list.texts(".operation-list a").len(), ids.len());
    for id in ids {
        let path = format!("/reference/{id}");
        assert!(list.html.contains(&format!("href=\"{path}\"")), "{id}");
    }
    let page = nobody.get("/reference/create_workspace").await;
    assert_eq!(page.texts("#curl").len(), 1);
    assert!(page.texts("#curl")[0].contains(&format!("{}/api/v1/workspaces", server.url)));
    let current = page.texts(".contents [aria-current]");
    assert_eq!(current.len(), 1, "{current:?}");
    for nothing in ["/reference/no_such", "/reference/no%20such"] {
        assert_eq!(nobody.get(nothing).await.status, 404, "{nothing}");
    }
}
