use std::collections::BTreeSet;
use std::sync::Arc;

use flowmaster_kernel::{Ctx, ManualClock, Role, Scopes, SequenceIds, Timestamp};
use flowmaster_store::Db;

use super::types::*;
use super::*;

struct Room {
    identity: Identity,
    clock: Arc<ManualClock>,
    admin: Ctx,
    key: String,
}

async fn room() -> Room {
    let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_000_000)));
    let db = Db::temporary(clock.clone()).await;
    db.migrate(&[MIGRATIONS]).await.unwrap();
    let identity = Identity::new(db, clock.clone());
    let ids: Arc<dyn flowmaster_kernel::IdSource> = Arc::new(SequenceIds::default());
    let made = identity.bootstrap(&ids).await.unwrap();
    let (tenant, principal) = (made.admin.tenant, made.admin.principal);
    let admin = Ctx::unrestricted(tenant, principal, clock.clone(), Arc::clone(&ids));
    assert!(
        identity.bootstrap(&ids).await.unwrap().new_key.is_none(),
        "a second start makes nothing"
    );
    let key = made.new_key.unwrap().reveal().to_owned();
    Room { identity, clock, admin, key }
}

fn user(id: &str, roles: &[Role]) -> SaveUser {
    SaveUser {
        id: id.to_owned(),
        kind: None,
        name: None,
        roles: roles.iter().copied().collect(),
        groups: BTreeSet::from(["manager".to_owned()]),
        active: true,
    }
}

#[tokio::test]
async fn the_first_key_stands_for_the_administrator() {
    let room = room().await;
    let verified = room.identity.verify(&room.key).await.unwrap();
    assert_eq!(verified.tenant, room.admin.tenant);
    assert!(verified.principal.has_any(&[Role::Admin]) && verified.scopes.allow("any:write"));
    for wrong in ["", "fm_", "fm_0000", &room.key[..20], &"x".repeat(10_000)] {
        assert_eq!(room.identity.verify(wrong).await.unwrap_err().code(), "invalid_key");
    }
}

#[tokio::test]
async fn a_key_ends_by_revocation_expiry_or_a_disabled_principal() {
    let room = room().await;
    let admin = &room.admin;
    room.identity.save_user(admin, user("mia", &[Role::Employee])).await.unwrap();
    let make = |expires_at| CreateKey {
        principal: Some("mia".to_owned()),
        expires_at,
        ..CreateKey::default()
    };
    let revoked = room.identity.create_key(admin, make(None)).await.unwrap();
    room.identity.verify(&revoked.secret).await.unwrap();
    room.identity.revoke_key(admin, RevokeKey { id: revoked.id.clone() }).await.unwrap();
    assert_eq!(room.identity.verify(&revoked.secret).await.unwrap_err().code(), "invalid_key");
    let again = room.identity.revoke_key(admin, RevokeKey { id: revoked.id }).await;
    assert_eq!(again.unwrap_err().code(), "key_not_found");

    let expiring = make(Some(admin.now().plus_millis(1_000)));
    let expiring = room.identity.create_key(admin, expiring).await.unwrap();
    room.identity.verify(&expiring.secret).await.unwrap();
    room.clock.advance_millis(1_000);
    assert_eq!(room.identity.verify(&expiring.secret).await.unwrap_err().code(), "invalid_key");

    let disabled = room.identity.create_key(admin, make(None)).await.unwrap();
    room.identity.verify(&disabled.secret).await.unwrap();
    let off = SaveUser { active: false, ..user("mia", &[Role::Employee]) };
    room.identity.save_user(admin, off).await.unwrap();
    assert_eq!(room.identity.verify(&disabled.secret).await.unwrap_err().code(), "invalid_key");
    let keys = room.identity.list_keys(admin, ListKeys { principal: Some("mia".to_owned()) }).await;
    assert_eq!(keys.unwrap().keys.len(), 3);
}

#[tokio::test]
async fn nobody_gives_more_than_they_have() {
    let room = room().await;
    let narrow = Ctx {
        scopes: Arc::new(Scopes::from_iter(["identity:write".to_owned()])),
        ..room.admin.clone()
    };
    let wide = CreateKey { scopes: Some(Scopes::all()), ..CreateKey::default() };
    let refused = room.identity.create_key(&narrow, wide).await.unwrap_err();
    assert_eq!(refused.code(), "scope_not_held");
    let own = room.identity.create_key(&narrow, CreateKey::default()).await.unwrap();
    let verified = room.identity.verify(&own.secret).await.unwrap();
    assert!(!verified.scopes.allow("tasks:read"));
    let unknown = CreateKey { principal: Some("gone".to_owned()), ..CreateKey::default() };
    assert_eq!(
        room.identity.create_key(&room.admin, unknown).await.unwrap_err().code(),
        "user_not_found"
    );
}

#[tokio::test]
async fn the_last_administrator_stays() {
    let room = room().await;
    let demoted = user("admin", &[Role::Employee]);
    assert_eq!(
        room.identity.save_user(&room.admin, demoted.clone()).await.unwrap_err().code(),
        "last_admin"
    );
    room.identity.save_user(&room.admin, user("second", &[Role::Admin])).await.unwrap();
    room.identity.save_user(&room.admin, demoted).await.unwrap();
    let bad = user("no spaces", &[]);
    assert_eq!(
        room.identity.save_user(&room.admin, bad).await.unwrap_err().code(),
        "invalid_principal_id"
    );
}

#[tokio::test]
async fn users_are_found_by_group_in_pages() {
    let room = room().await;
    for name in ["a", "b", "c"] {
        room.identity.save_user(&room.admin, user(name, &[Role::Employee])).await.unwrap();
    }
    let search = |cursor| SearchUsers { group: Some("manager".to_owned()), limit: Some(2), cursor };
    let first = room.identity.search_users(&room.admin, search(None)).await.unwrap();
    assert_eq!(first.items.iter().map(|user| user.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    let second = room.identity.search_users(&room.admin, search(first.next_cursor)).await.unwrap();
    assert_eq!((second.items.len(), second.next_cursor), (1, None));
}
