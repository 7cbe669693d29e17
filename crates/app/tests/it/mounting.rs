//! What programs are given of memory.

use crate::Node;
use quaymaster_app::memory::{Edit, Reader, Writer};
use quaymaster_app::{Actor, Admin};
use quaymaster_core::Door as _;
use quaymaster_core::caller::Presented;

async fn admin(node: &Node) -> Admin {
    let presented = Presented {
        bearer: Some(node.first.token.token.clone()),
        ..Presented::default()
    };
    let caller = node.app.admit(presented).await.unwrap();
    node.app.actor_at_command_line(&caller.org).await.unwrap()
}

#[tokio::test]
async fn memory_is_given_with_that_of_the_organization() {
    let node = Node::start().await;
    let (app, admin) = (&node.app, admin(&node).await);
    let actor: &Actor = &admin;
    let writer = Writer::of_actor(actor);
    for path in ["a/b.md", "org/rules.md"] {
        let content = format!("{path} says this");
        app.edit_memory(&writer, path, Edit::Create { content }, None)
            .await
            .unwrap();
    }
    let mut files = app.memory_files(&Reader::of_actor(actor)).await.unwrap();
    files.sort();
    let paths: Vec<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(paths, ["a/b.md", "org/rules.md"]);
    assert_eq!(files[0].1, "a/b.md says this");
}
