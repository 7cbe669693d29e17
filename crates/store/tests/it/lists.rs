//! Lists that are longer than a page, and what is shown beside ids.

use super::*;
use quaymaster_core::id::{ConnectionId, EndUserId, IntegrationId, PartialId, ServerId, SkillId};
use quaymaster_store::connection::{Connection, Counts, Secrets};
use quaymaster_store::end_user::EndUser;
use quaymaster_store::flow_run::RunState;
use quaymaster_store::integration::{Integration, Strategy};
use quaymaster_store::partial::Partial;
use quaymaster_store::server::{AuthMode, EndUserAccess, Mode, Server};
use quaymaster_store::skill::{Skill, SkillFile};
use serde_json::Map;
use std::collections::{BTreeMap, BTreeSet};

fn integration(tenant: &Tenant, number: i64) -> Integration {
    Integration {
        id: IntegrationId::fresh(&SystemClock, &SystemEntropy),
        org: tenant.org.clone(),
        workspace: tenant.workspace.clone(),
        connector: "slack".into(),
        alias: format!("slack_{number}"),
        strategy: Strategy::PerUser,
        auth: None,
        connection: None,
        display_name: None,
        enabled_actions: None,
        is_implied: false,
        settings: Map::new(),
        sort_order: -number,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn server(tenant: &Tenant, number: i64) -> Server {
    Server {
        id: ServerId::fresh(&SystemClock, &SystemEntropy),
        org: tenant.org.clone(),
        workspace: tenant.workspace.clone(),
        name: format!("server {number}"),
        description: Some(format!("About {number}")),
        mode: Mode::Tools,
        settings: Map::new(),
        auth_mode: AuthMode::Bearer,
        end_user_access: EndUserAccess::Restricted,
        end_user: None,
        is_picked: false,
        user: tenant.user.clone(),
        revision: 1,
        created_at: NOW.plus_seconds(number),
        updated_at: NOW,
    }
}

fn partial(tenant: &Tenant, number: i64, only: Option<IntegrationId>) -> Partial {
    Partial {
        id: PartialId::fresh(&SystemClock, &SystemEntropy),
        org: tenant.org.clone(),
        workspace: tenant.workspace.clone(),
        connector: "slack".into(),
        integration: only,
        action: Some(format!("send_{number}")),
        name: format!("partial {number}"),
        description: None,
        values: Map::new(),
        enforced: Vec::new(),
        is_default: false,
        created_at: NOW.plus_seconds(number),
        updated_at: NOW,
    }
}

async fn connect(
    store: &Store,
    tenant: &Tenant,
    name: &str,
    problem: Option<&str>,
) -> ConnectionId {
    let connection = Connection {
        id: ConnectionId::fresh(&SystemClock, &SystemEntropy),
        org: tenant.org.clone(),
        workspace: None,
        end_user: None,
        integration: None,
        connector: "notes".into(),
        name: name.into(),
        external_id: None,
        display_name: None,
        label: None,
        auth: "none".into(),
        fields: BTreeMap::new(),
        is_local: false,
        destination: None,
        problem: problem.map(str::to_owned),
        user: tenant.user.clone(),
        created_at: NOW,
        verified_at: None,
        expires_at: None,
        renew_at: None,
        revision: 1,
    };
    let org = tenant.org.as_str();
    store.prepare_sealing(NOW, org).await.unwrap();
    let sealed = store
        .seal_connection(&tenant.org, &connection.id, &Secrets::new())
        .unwrap();
    let mut tx = store.begin().await.unwrap();
    tx.add_connection(&connection, sealed).await.unwrap();
    tx.commit().await.unwrap();
    connection.id
}

async fn member(store: &Store, tenant: &Tenant, name: &str, after: i64) -> UserId {
    let user = UserId::fresh(&SystemClock, &SystemEntropy);
    let at = NOW.plus_seconds(after);
    let mut tx = store.begin().await.unwrap();
    tx.add_user(&user, name, at).await.unwrap();
    tx.add_member(&tenant.org, &user, Role::Member, at)
        .await
        .unwrap();
    tx.commit().await.unwrap();
    user
}

#[tokio::test]
async fn members_come_in_pages_owners_first_and_are_found_by_what_they_are_called() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let cy = member(&store, &one, "Cy 100%", -5).await;
        let ada = member(&store, &one, "Ada_Lovelace", -9).await;
        let far = member(&store, &two, "Ada of another place", 0).await;
        let page = async |words: &str, limit, offset| -> Vec<UserId> {
            let rows = store.members(&one.org, words, limit, offset).await.unwrap();
            rows.into_iter().map(|row| row.user).collect()
        };
        assert_eq!(
            page("", 9, 0).await,
            [one.user.clone(), ada.clone(), cy.clone()]
        );
        assert_eq!(page("", 1, 1).await, std::slice::from_ref(&ada));
        assert!(page("", 9, 3).await.is_empty());
        assert_eq!(page(" aDA_l ", 9, 0).await, std::slice::from_ref(&ada));
        assert_eq!(page("0%", 9, 0).await, std::slice::from_ref(&cy));
        for nobody in ["a%l", "Ada-L", "\\", "' OR 1=1 --"] {
            assert!(page(nobody, 9, 0).await.is_empty(), "{nobody}");
            assert_eq!(store.count_members(&one.org, nobody).await.unwrap(), 0);
        }
        assert_eq!(store.count_members(&one.org, "").await.unwrap(), 3);
        assert_eq!(store.count_members(&one.org, "ada").await.unwrap(), 1);

        let asked = [cy.clone(), far, ada].into_iter().collect();
        let names = store.member_names(&one.org, &asked).await.unwrap();
        assert_eq!(names.len(), 2, "the third is of another organization");
        assert!(names.contains(&(cy, "Cy 100%".to_owned())));
        let nobody = store.member_names(&one.org, &BTreeSet::new()).await;
        assert!(nobody.unwrap().is_empty());
    }
}

#[tokio::test]
async fn words_of_any_alphabet_are_found_whatever_their_case_and_endless_ones_find_nothing() {
    for place in both().await {
        let store = place.open().await;
        let one = tenant(&store, "one").await;
        let store_keeper = member(&store, &one, "Кладовщик Ёлкин", 1).await;
        let small = member(&store, &one, "главный склад", 2).await;
        let large = member(&store, &one, "СКЛАД 7", 3).await;
        let found = async |words: &str| -> Vec<UserId> {
            let rows = store.members(&one.org, words, 9, 0).await.unwrap();
            let count = store.count_members(&one.org, words).await.unwrap();
            assert_eq!(rows.len(), usize::try_from(count).unwrap(), "{words}");
            rows.into_iter().map(|row| row.user).collect()
        };
        for words in ["кладовщик", "Кладовщик", "ёлкин", " Ёлк "] {
            assert_eq!(
                found(words).await,
                std::slice::from_ref(&store_keeper),
                "{words}"
            );
        }
        for words in ["склад", "Склад", "СКЛАД"] {
            assert!(found(words).await.contains(&large), "{words}");
        }
        for words in ["Главный", "главный склад"] {
            assert_eq!(found(words).await, std::slice::from_ref(&small), "{words}");
        }
        // More than SQLite takes as a pattern, and as much again once it is escaped.
        for letter in ["a", "_", "Ж", "%"] {
            assert!(found(&letter.repeat(60_000)).await.is_empty(), "{letter}");
        }
    }
}

#[tokio::test]
async fn end_users_and_keys_come_in_pages() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let mut tx = store.begin().await.unwrap();
        for number in 0..5 {
            let at = NOW.plus_seconds(number);
            let end_user = EndUser {
                id: EndUserId::fresh(&SystemClock, &SystemEntropy),
                org: tenant.org.clone(),
                workspace: tenant.workspace.clone(),
                external_id: format!("customer-{number}"),
                display_name: None,
                email: (number == 3).then(|| "Three@Example.com".to_owned()),
                metadata: Map::new(),
                user: None,
                created_at: at,
                updated_at: at,
            };
            tx.add_end_user(&end_user).await.unwrap();
            let key = Credential {
                kind: TokenKind::ApiKey,
                workspace: None,
                name: format!("key {number}"),
                created_at: at,
                ..credential(&tenant, Origin::Manual)
            };
            tx.add_credential(&key).await.unwrap();
            if number == 4 {
                let revoked = tx.revoke_credential(&tenant.org, &key.id, NOW).await;
                assert!(revoked.unwrap());
            }
        }
        tx.commit().await.unwrap();
        let end_users = async |words: &str, offset| -> Vec<String> {
            let rows = store.end_users(&tenant.org, &tenant.workspace, words, 2, offset);
            let rows = rows.await.unwrap().into_iter();
            rows.map(|row| row.external_id).collect()
        };
        assert_eq!(end_users("", 0).await, ["customer-0", "customer-1"]);
        assert_eq!(end_users("", 4).await, ["customer-4"]);
        assert_eq!(end_users("three@", 0).await, ["customer-3"]);
        let count = async |words: &str| {
            let count = store.count_end_users(&tenant.org, &tenant.workspace, words);
            count.await.unwrap()
        };
        assert_eq!((count("").await, count("CUSTOMER-2").await), (5, 1));
        let keys = async |user: Option<&UserId>, offset| -> Vec<String> {
            let rows = store.api_keys(&tenant.org, user, 3, offset).await.unwrap();
            rows.into_iter().map(|row| row.name).collect()
        };
        assert_eq!(store.count_api_keys(&tenant.org, None).await.unwrap(), 4);
        assert_eq!(keys(None, 0).await, ["key 3", "key 2", "key 1"]);
        assert_eq!(keys(Some(&tenant.user), 2).await, ["key 1", "key 0"]);
        let stranger = UserId::fresh(&SystemClock, &SystemEntropy);
        assert!(keys(Some(&stranger), 0).await.is_empty());
    }
}

#[tokio::test]
async fn what_a_workspace_has_comes_in_pages_and_is_found_by_words() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        for tenant in [&one, &two] {
            let mut tx = store.begin().await.unwrap();
            for number in 0..4 {
                let integration = integration(tenant, number);
                tx.add_integration(&integration).await.unwrap();
                tx.add_server(&server(tenant, number)).await.unwrap();
                // Two for all integrations of the connector, two for one each.
                let only = (number % 2 == 1).then(|| integration.id.clone());
                tx.add_partial(&partial(tenant, number, only))
                    .await
                    .unwrap();
            }
            tx.commit().await.unwrap();
            for name in ["delta", "alpha", "beta"] {
                flows::add_flow(&store, tenant, name).await;
            }
        }
        let (org, workspace) = (&one.org, &one.workspace);
        let only = |name: &str| (vec![name.to_owned()], 1);
        let servers = async |words: &str, offset| -> (Vec<String>, i64) {
            let page = store.servers_page(org, workspace, words, 3, offset);
            let (rows, total) = page.await.unwrap();
            (rows.into_iter().map(|row| row.name).collect(), total)
        };
        let newest = ["server 3", "server 2", "server 1"];
        assert_eq!(servers("", 0).await.0, newest);
        assert_eq!(servers("", 3).await, (vec!["server 0".to_owned()], 4));
        assert_eq!(servers("ER 2", 0).await, only("server 2"));
        assert_eq!(servers("about 1", 0).await, only("server 1"));
        assert_eq!(servers("100%", 0).await, (Vec::new(), 0));

        let integrations = async |words: &str, offset| -> (Vec<String>, i64) {
            let page = store.integrations_page(org, workspace, words, 3, offset);
            let (rows, total) = page.await.unwrap();
            (rows.into_iter().map(|row| row.alias).collect(), total)
        };
        let in_order = ["slack_3", "slack_2", "slack_1"];
        assert_eq!(integrations("", 0).await.0, in_order);
        assert_eq!(integrations("K_0", 0).await, only("slack_0"));
        assert_eq!(integrations("slack", 3).await.1, 4);

        let partials = async |words: &str, offset| -> (Vec<String>, i64) {
            let page = store.partials_page(org, workspace, words, 3, offset);
            let (rows, total) = page.await.unwrap();
            (rows.into_iter().map(|row| row.name).collect(), total)
        };
        let all = [partials("", 0).await.0, partials("", 3).await.0].concat();
        assert_eq!(all.len(), 4);
        assert_eq!(all[..2], ["partial 0", "partial 2"], "those of all first");
        assert_eq!(partials("send_3", 0).await, only("partial 3"));

        let named = async |words: &str, offset| -> (Vec<String>, i64) {
            let page = store.flows_page(org, workspace, words, 2, offset);
            let (rows, total) = page.await.unwrap();
            (rows.into_iter().map(|row| row.name).collect(), total)
        };
        assert_eq!(named("", 0).await.0, ["alpha", "beta"]);
        assert_eq!(named("", 2).await, (vec!["delta".to_owned()], 3));
        assert_eq!(named("ELT", 0).await, only("delta"));

        let rows = store.integrations(&two.org, &two.workspace).await.unwrap();
        let foreign = rows.into_iter().map(|row| row.id).collect();
        let aliases = store.integration_aliases(org, &foreign).await.unwrap();
        assert!(aliases.is_empty(), "those of another organization");
    }
}

#[tokio::test]
async fn runs_are_counted_for_the_flows_that_are_asked_for() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let busy = flows::add_flow(&store, &one, "busy").await;
        let other = flows::add_flow(&store, &one, "other").await;
        let foreign = flows::add_flow(&store, &two, "busy").await;
        let mut last = None;
        for (at, state) in [
            (0, RunState::Failed),
            (1, RunState::Done),
            (2, RunState::Done),
        ] {
            for flow in [&other, &foreign, &busy] {
                let run = flows::run(flow, state, NOW.plus_seconds(at));
                flows::add_run(&store, &run, &[]).await;
                last = Some(run.id);
            }
        }
        let asked = [busy.id.clone(), foreign.id.clone()].into_iter().collect();
        let uses = store.flow_uses(&one.org, &asked).await.unwrap();
        assert_eq!(uses.len(), 1, "one was not asked for, one is of others");
        let used = &uses[&busy.id];
        assert_eq!((used.runs, used.failed), (3, 1));
        let shown = used.last.as_ref().map(|last| last.run.clone());
        assert_eq!(shown, last);
        let nothing = store.flow_uses(&one.org, &BTreeSet::new()).await.unwrap();
        assert!(nothing.is_empty());
    }
}

#[tokio::test]
async fn skills_come_in_pages_and_are_found_by_what_their_current_version_says() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let file = SkillFile {
            path: "SKILL.md".into(),
            sha256: "aa".into(),
            size: 1,
            executable: false,
        };
        for tenant in [&one, &two] {
            let mut tx = store.begin().await.unwrap();
            tx.put_skill_content(&tenant.org, "aa", b"x", NOW)
                .await
                .unwrap();
            for name in ["cranes", "berths", "refunds"] {
                let mut current = notes::version(1);
                current.description = format!("How {name} are done.");
                current.service = (name == "refunds").then(|| "stripe".to_owned());
                let skill = Skill {
                    id: SkillId::fresh(&SystemClock, &SystemEntropy),
                    org: tenant.org.clone(),
                    name: name.into(),
                    enabled: true,
                    version: 1,
                    created_at: NOW,
                    updated_at: NOW,
                    current,
                };
                tx.add_skill(&skill, std::slice::from_ref(&file))
                    .await
                    .unwrap();
            }
            tx.commit().await.unwrap();
        }
        let skills = async |words: &str, offset| -> (Vec<String>, i64) {
            let page = store.skills_page(&one.org, words, 2, offset);
            let (rows, total) = page.await.unwrap();
            (rows.into_iter().map(|row| row.name).collect(), total)
        };
        assert_eq!(skills("", 0).await.0, ["berths", "cranes"]);
        assert_eq!(skills("", 2).await, (vec!["refunds".to_owned()], 3));
        assert_eq!(skills("Stripe", 0).await, (vec!["refunds".to_owned()], 1));
        assert_eq!(skills("how cranes", 0).await.0, ["cranes"]);
        assert_eq!(skills("nothing", 0).await, (Vec::new(), 0));
    }
}

#[tokio::test]
async fn accounts_are_counted_and_some_of_those_that_do_not_work_are_named() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let good = connect(&store, &one, "good", None).await;
        for name in ["c", "a", "b"] {
            connect(&store, &one, name, Some("The key is not valid any more.")).await;
        }
        let foreign = connect(&store, &two, "a", Some("It is down.")).await;
        let (some, total) = store.failing_connections(&one.org, 2).await.unwrap();
        let names: Vec<_> = some.iter().map(|one| one.name.as_str()).collect();
        assert_eq!((names, total), (vec!["a", "b"], 3));
        let counts = store.connection_counts(&one.org).await.unwrap();
        assert_eq!(counts.len(), 1);
        assert_eq!(counts["notes"], Counts { all: 4, broken: 3 });
        let of = store.connections_page(&one.org, "mail", "", i64::MAX, 0);
        assert_eq!(of.await.unwrap().1, 0);
        let page = |words| store.connections_page(&one.org, "notes", words, 3, 0);
        let (some, total) = page("").await.unwrap();
        let names: Vec<_> = some.iter().map(|one| one.name.as_str()).collect();
        assert_eq!((names, total), (vec!["a", "b", "c"], 4));
        let (some, total) = page("GOO").await.unwrap();
        assert_eq!((some.len(), total), (1, 1));
        assert_eq!(some[0].name, "good");
        let asked = [good.clone(), foreign].into_iter().collect();
        let addresses = store.connection_addresses(&one.org, &asked).await.unwrap();
        assert_eq!(addresses, [(good, "notes:good".to_owned())]);
    }
}

#[tokio::test]
async fn workspaces_come_in_pages_oldest_first_with_what_they_used() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let mut tx = store.begin().await.unwrap();
        for number in 1..5 {
            let pier = Workspace {
                id: WorkspaceId::fresh(&SystemClock, &SystemEntropy),
                name: format!("Pier {number}"),
                slug: format!("pier-{number}"),
                created_at: NOW.plus_seconds(number),
                ..workspace(&one)
            };
            tx.add_workspace(&pier).await.unwrap();
        }
        tx.commit().await.unwrap();
        let day = NOW.utc_day();
        let leased = store.lease_calls(&one.workspace, day).await.unwrap();
        let page = |words, offset| store.workspaces_page(&one.org, words, 3, offset);
        let (some, total) = page("", 0).await.unwrap();
        let names: Vec<_> = some.iter().map(|one| one.name.as_str()).collect();
        assert_eq!((names, total), (vec!["main", "Pier 1", "Pier 2"], 5));
        let seen = store.workspaces_seen(&one.org, &some, day).await.unwrap();
        assert_eq!(seen.len(), 3);
        assert_eq!(seen[&one.workspace].leased, leased);
        assert_eq!(seen[&some[1].id].leased, 0);
        let none = store.workspaces_seen(&two.org, &some, day).await.unwrap();
        assert!(none.is_empty(), "those of another organization");
        let (rest, _) = page("", 3).await.unwrap();
        assert_eq!(rest.len(), 2);
        let (found, total) = page("pier 3", 0).await.unwrap();
        assert_eq!((found[0].name.as_str(), total), ("Pier 3", 1));

        let mut tx = store.begin().await.unwrap();
        let gone = &found[0].id;
        assert!(tx.delete_workspace(&one.org, gone, NOW).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(page("", 0).await.unwrap().1, 4);
        let asked = [gone, &two.workspace, &one.workspace].map(Clone::clone);
        let asked = asked.into_iter().collect();
        let names = store.workspace_names(&one.org, &asked).await.unwrap();
        assert_eq!(names, [(one.workspace.clone(), "main".to_owned())]);
    }
}
