//! Members, invitations, resets and sessions.

use super::*;
use quaymaster_core::id::{InvitationId, ResetId};
use quaymaster_store::invitation::Invitation;
use quaymaster_store::reset::{Reset, ResetOrigin};

fn invitation(tenant: &Tenant, email: &str, role: Role) -> Invitation {
    Invitation {
        id: InvitationId::fresh(&SystemClock, &SystemEntropy),
        org: tenant.org.clone(),
        email: email.into(),
        role,
        invited_by: tenant.user.clone(),
        secret: SecretDigest::of("secret"),
        created_at: NOW,
        expires_at: NOW.plus_seconds(100),
        accepted_at: None,
        revoked_at: None,
    }
}

fn reset(user: &UserId, origin: ResetOrigin) -> Reset {
    Reset {
        id: ResetId::fresh(&SystemClock, &SystemEntropy),
        user: user.clone(),
        origin,
        secret: SecretDigest::of("secret"),
        created_at: NOW,
        expires_at: NOW.plus_seconds(100),
        used_at: None,
        replaced_at: None,
    }
}

#[tokio::test]
async fn an_address_has_one_pending_invitation_of_an_organization() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let first = invitation(&one, "ada@example.com", Role::Owner);
        let mut tx = store.begin().await.unwrap();
        tx.add_invitation(&first).await.unwrap();
        tx.add_invitation(&invitation(&two, "ada@example.com", Role::Member))
            .await
            .unwrap();
        tx.commit().await.unwrap();

        let mut tx = store.begin().await.unwrap();
        let again = invitation(&one, "ada@example.com", Role::Member);
        let error = tx.add_invitation(&again).await.unwrap_err();
        assert!(error.is_duplicate());
        drop(tx);

        let mut tx = store.begin().await.unwrap();
        let replaced = tx
            .revoke_invitation_to(&one.org, "ada@example.com", NOW)
            .await
            .unwrap();
        assert_eq!(replaced, Some(Role::Owner));
        tx.add_invitation(&again).await.unwrap();
        tx.commit().await.unwrap();
        let pending = store.pending_invitations(&one.org, NOW).await.unwrap();
        assert_eq!(pending.len(), 1);
        assert_eq!(pending[0].invitation.id, again.id);
        assert_eq!(
            (&*pending[0].organization, &*pending[0].inviter),
            ("one", "Somebody")
        );
        let late = NOW.plus_seconds(100);
        assert!(
            store
                .pending_invitations(&one.org, late)
                .await
                .unwrap()
                .is_empty()
        );
        let old = store.invitation(&first.id).await.unwrap().unwrap();
        assert!(old.invitation.revoked_at.is_some());
    }
}

#[tokio::test]
async fn an_invitation_is_accepted_once_and_revoked_by_its_organization_only() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let ada = invitation(&one, "ada@example.com", Role::Member);
        let mut tx = store.begin().await.unwrap();
        tx.add_invitation(&ada).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let foreign = tx.revoke_invitation(&two.org, &ada.id, NOW).await.unwrap();
        assert_eq!(foreign, None);
        let late = NOW.plus_seconds(100);
        assert!(!tx.accept_invitation(&ada.id, late).await.unwrap());
        assert!(tx.accept_invitation(&ada.id, NOW).await.unwrap());
        assert!(!tx.accept_invitation(&ada.id, NOW).await.unwrap());
        let spent = tx.revoke_invitation(&one.org, &ada.id, NOW).await.unwrap();
        assert_eq!(spent, None);
    }
}

#[tokio::test]
async fn who_may_invite_less_keeps_only_what_they_still_may_give() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let mut tx = store.begin().await.unwrap();
        for (email, role) in [
            ("a@example.com", Role::Owner),
            ("b@example.com", Role::Admin),
            ("c@example.com", Role::Member),
        ] {
            tx.add_invitation(&invitation(&tenant, email, role))
                .await
                .unwrap();
        }
        let (org, user) = (&tenant.org, &tenant.user);
        let went = tx
            .revoke_invitations_by(org, user, Some(Role::Admin), NOW)
            .await
            .unwrap();
        assert_eq!(went, 1);
        let went = tx
            .revoke_invitations_by(org, user, Some(Role::Member), NOW)
            .await
            .unwrap();
        assert_eq!(went, 2);
    }
}

#[tokio::test]
async fn a_person_has_one_live_reset_link_of_each_kind_and_it_works_once() {
    for place in both().await {
        let store = place.open().await;
        let tenant = tenant(&store, "one").await;
        let administrator = ResetOrigin::Administrator {
            org: tenant.org.clone(),
            user: tenant.user.clone(),
        };
        let (first, second) = (
            reset(&tenant.user, administrator.clone()),
            reset(&tenant.user, ResetOrigin::Mail),
        );
        let mut tx = store.begin().await.unwrap();
        tx.add_reset(&first).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = store.begin().await.unwrap();
        let another = reset(&tenant.user, ResetOrigin::Operator);
        assert!(tx.add_reset(&another).await.unwrap_err().is_duplicate());
        drop(tx);

        // One that was mailed neither ends it nor is kept out by it.
        let mailed = reset(&tenant.user, ResetOrigin::Mail);
        let mut tx = store.begin().await.unwrap();
        tx.end_mailed_resets(&tenant.user, NOW).await.unwrap();
        tx.add_reset(&mailed).await.unwrap();
        tx.end_mailed_resets(&tenant.user, NOW).await.unwrap();
        tx.commit().await.unwrap();
        for (link, replaced) in [(&first, false), (&mailed, true)] {
            let read = store.reset(&link.id).await.unwrap().unwrap();
            assert_eq!(read.replaced_at.is_some(), replaced, "{:?}", link.origin);
        }
        // What somebody had made for others goes with them.
        let mut tx = store.begin().await.unwrap();
        tx.end_resets_issued_by(&tenant.user, NOW).await.unwrap();
        assert!(!tx.use_reset(&first.id, NOW).await.unwrap());
        drop(tx);

        let mut tx = store.begin().await.unwrap();
        tx.end_resets(&tenant.user, NOW).await.unwrap();
        tx.add_reset(&second).await.unwrap();
        let before = NOW.plus_seconds(-1);
        let mailed = tx.mailed_resets_since(&tenant.user, before).await.unwrap();
        assert_eq!(mailed, 2);
        assert!(!tx.use_reset(&first.id, NOW).await.unwrap());
        let late = NOW.plus_seconds(100);
        assert!(!tx.use_reset(&second.id, late).await.unwrap());
        assert!(tx.use_reset(&second.id, NOW).await.unwrap());
        assert!(!tx.use_reset(&second.id, NOW).await.unwrap());
        tx.commit().await.unwrap();
        let read = store.reset(&first.id).await.unwrap().unwrap();
        assert_eq!(read.origin, administrator);
        assert!(read.replaced_at.is_some() && read.used_at.is_none());
    }
}

#[tokio::test]
async fn sessions_are_ended_one_by_one_all_but_one_or_by_organization() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let user = &one.user;
        let mut tx = store.begin().await.unwrap();
        tx.add_member(&two.org, user, Role::Member, NOW)
            .await
            .unwrap();
        let sessions: Vec<_> = ["a", "b", "c", "d"]
            .into_iter()
            .map(|cookie| session(&one.org, user, cookie))
            .collect();
        for session in &sessions {
            tx.add_browser_session(session).await.unwrap();
        }
        let foreign = session(&two.org, &two.user, "e");
        tx.add_browser_session(&foreign).await.unwrap();
        assert!(!tx.end_browser_session(user, &foreign.id).await.unwrap());
        assert!(tx.end_browser_session(user, &sessions[0].id).await.unwrap());
        assert!(
            tx.move_browser_session(&sessions[1].id, &two.org)
                .await
                .unwrap()
        );
        let ended = tx.end_browser_sessions_in(&two.org, user).await.unwrap();
        assert_eq!(ended, 1);
        let ended = tx
            .end_browser_sessions(user, Some(&sessions[2].id))
            .await
            .unwrap();
        assert_eq!(ended, 1);
        tx.commit().await.unwrap();
        let left = store.browser_sessions(user, NOW).await.unwrap();
        assert_eq!(left.len(), 1);
        assert_eq!(left[0].id, sessions[2].id);
        assert_eq!(left[0].address.as_deref(), Some("192.0.2.7"));
        let theirs = store.browser_sessions(&two.user, NOW).await.unwrap();
        assert_eq!(theirs.len(), 1);
    }
}

#[tokio::test]
async fn signing_in_opens_the_organization_that_was_used_last() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let mut tx = store.begin().await.unwrap();
        tx.set_sign_in(&one.user, "Ada", "ada@example.com", "hash")
            .await
            .unwrap();
        let later = NOW.plus_seconds(5);
        tx.add_member(&two.org, &one.user, Role::Member, later)
            .await
            .unwrap();
        tx.commit().await.unwrap();
        let opened = async || {
            let found = store.sign_in_by_email("ada@example.com").await.unwrap();
            found.unwrap().org
        };
        assert_eq!(opened().await, one.org, "the first");
        for org in [&two.org, &one.org] {
            let mut session = session(org, &one.user, org.as_str());
            let mut tx = store.begin().await.unwrap();
            tx.add_browser_session(&session).await.unwrap();
            let seen = if *org == two.org { 10 } else { 20 };
            tx.touch_browser_session(&session, NOW.plus_seconds(seen))
                .await
                .unwrap();
            tx.commit().await.unwrap();
            assert_eq!(opened().await, *org);
            session.last_seen_at = NOW.plus_seconds(seen);
            let kept = store.browser_session(&session.secret, NOW).await.unwrap();
            assert_eq!(kept.unwrap().last_seen_at, session.last_seen_at);
        }
        let names: Vec<_> = store.memberships(&one.user).await.unwrap();
        let names: Vec<_> = names.iter().map(|one| (&*one.name, one.role)).collect();
        assert_eq!(names, [("one", Role::Owner), ("two", Role::Member)]);
    }
}

/// Two owners give their role up at the same moment: in every interleaving one of them stays.
#[tokio::test]
async fn the_lock_of_an_organization_lets_one_change_of_roles_through_at_a_time() {
    for place in both().await {
        let store = place.open().await;
        for round in 0..20 {
            let tenant = tenant(&store, &format!("round {round}")).await;
            let other = UserId::fresh(&SystemClock, &SystemEntropy);
            let mut tx = store.begin().await.unwrap();
            tx.add_user(&other, "Other", NOW).await.unwrap();
            tx.add_member(&tenant.org, &other, Role::Owner, NOW)
                .await
                .unwrap();
            tx.commit().await.unwrap();
            let demote = async |user: &UserId| {
                let mut tx = store.begin().await.unwrap();
                tx.lock_organization(&tenant.org).await.unwrap();
                let may = tx.owners(&tenant.org).await.unwrap() > 1;
                if may {
                    tx.set_role(&tenant.org, user, Role::Member).await.unwrap();
                }
                tx.commit().await.unwrap();
                may
            };
            let (a, b) = tokio::join!(demote(&tenant.user), demote(&other));
            assert!(a ^ b);
        }
    }
}

#[tokio::test]
async fn the_credentials_of_a_member_are_revoked_in_one_organization_only() {
    for place in both().await {
        let store = place.open().await;
        let (one, two) = (tenant(&store, "one").await, tenant(&store, "two").await);
        let theirs = Tenant {
            user: one.user.clone(),
            ..tenant_like(&two)
        };
        let (ours, elsewhere) = (
            credential(&one, Origin::Manual),
            credential(&theirs, Origin::Manual),
        );
        let mut tx = store.begin().await.unwrap();
        tx.add_credential(&ours).await.unwrap();
        tx.add_credential(&elsewhere).await.unwrap();
        let revoked = tx
            .revoke_credentials_of(&one.org, &one.user, NOW)
            .await
            .unwrap();
        assert_eq!(revoked, [(ours.id.clone(), ours.name.clone())]);
        let again = tx
            .revoke_credentials_of(&one.org, &one.user, NOW)
            .await
            .unwrap();
        assert!(again.is_empty());
        tx.commit().await.unwrap();
        let kept = store.credential(&two.org, &elsewhere.id).await.unwrap();
        assert!(kept.unwrap().revoked_at.is_none());
    }
}

fn tenant_like(tenant: &Tenant) -> Tenant {
    Tenant {
        org: tenant.org.clone(),
        user: tenant.user.clone(),
        workspace: tenant.workspace.clone(),
    }
}
