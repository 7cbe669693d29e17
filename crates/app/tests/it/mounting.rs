//! What programs are given as files: skills as directories, memory as contents.

use crate::Node;
use quaymaster_app::memory::{Edit, Reader, Writer};
use quaymaster_app::skills::archive::Packed;
use quaymaster_app::skills::format::Document;
use quaymaster_app::skills::{NewSkill, SkillChange};
use quaymaster_app::{Actor, Admin};
use quaymaster_core::caller::Presented;
use quaymaster_core::{Code, Door as _};
use std::os::unix::fs::PermissionsExt as _;

async fn admin(node: &Node) -> Admin {
    let presented = Presented {
        bearer: Some(node.first.token.token.clone()),
        ..Presented::default()
    };
    let caller = node.app.admit(presented).await.unwrap();
    node.app.actor_at_command_line(&caller.org).await.unwrap()
}

#[tokio::test]
async fn a_skill_is_a_directory_that_is_made_again_when_it_is_gone() {
    let node = Node::start().await;
    let (app, admin) = (&node.app, admin(&node).await);
    let new = NewSkill {
        document: Document {
            name: "refunds".into(),
            description: "Decides about refunds.".into(),
            system_prompt: "Be kind.".into(),
            ..Document::default()
        },
        enabled: true,
    };
    app.add_skill(&admin, new).await.unwrap();
    let script = Packed {
        path: "scripts/sum.py".into(),
        bytes: b"print(1)".to_vec(),
        executable: true,
    };
    app.put_skill_file(&admin, "refunds", script).await.unwrap();
    let folder = app.skill_files(&admin.org, "refunds").await.unwrap();
    assert!(folder.starts_with(node.data.path().join("skills")));
    let script = folder.join("scripts/sum.py");
    assert_eq!(std::fs::read(&script).unwrap(), b"print(1)");
    let mode = std::fs::metadata(&script).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o555);
    assert!(folder.join("SKILL.md").is_file());
    // Whoever deletes it loses nothing.
    std::fs::remove_dir_all(&folder).unwrap();
    let again = app.skill_files(&admin.org, "refunds").await.unwrap();
    assert_eq!(again, folder);
    assert_eq!(std::fs::read(&script).unwrap(), b"print(1)");
    let close = app.skill_files(&admin.org, "refund").await.unwrap_err();
    assert_eq!(close.code, Code::NotFound);
    assert_eq!(close.hint.as_deref(), Some("Did you mean refunds?"));
    let off = SkillChange {
        enabled: Some(false),
        ..SkillChange::default()
    };
    app.update_skill(&admin, "refunds", off).await.unwrap();
    let disabled = app.skill_files(&admin.org, "refunds").await.unwrap_err();
    assert_eq!(disabled.code, Code::NotFound);
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
