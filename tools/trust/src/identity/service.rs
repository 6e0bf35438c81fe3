//! The verbs of the identity room.

use std::collections::BTreeSet;
use std::sync::Arc;

use flowmaster_kernel::{
    Clock, Ctx, Error, IdSource, Page, Principal, PrincipalKind, Result, Role, Scopes, TenantId,
    Timestamp,
};
use flowmaster_store::{DUPLICATE, Db};
use parking_lot::RwLock;

use super::error::IdentityError;
use super::key::{Secret, hash, hint};
use super::store;
use super::types::{
    CreateKey, CreatedKey, GetMe, KeyInfo, Keys, ListKeys, Me, RevokeKey, SaveUser, SearchUsers,
    Tenant, User, Users,
};

/// How long a verified key is trusted without another look: bounds what a revocation on another
/// node can be late by.
const TRUSTED_MILLIS: i64 = 2_000;
/// The longest name of a tenant, in characters.
const MAX_TENANT_NAME: usize = 100;
/// How many verified keys are remembered.
const REMEMBERED: usize = 4_096;

/// The identity room.
pub struct Identity {
    db: Db,
    clock: Arc<dyn Clock>,
    verified: RwLock<lru::LruCache<String, (Verified, Timestamp)>>,
}

/// Who a credential stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The tenant.
    pub tenant: TenantId,
    /// The principal.
    pub principal: Arc<Principal>,
    /// What the credential allows.
    pub scopes: Arc<Scopes>,
}

/// What the first start of a server made.
#[derive(Debug)]
pub struct Bootstrap {
    /// The administrator.
    pub admin: Verified,
    /// The administrator's key when it was made just now.
    pub new_key: Option<Secret>,
}

impl Identity {
    /// The room on `db`.
    pub fn new(db: Db, clock: Arc<dyn Clock>) -> Self {
        let capacity =
            std::num::NonZeroUsize::new(REMEMBERED).unwrap_or(std::num::NonZeroUsize::MIN);
        Self { db, clock, verified: RwLock::new(lru::LruCache::new(capacity)) }
    }

    /// Makes the first tenant with an administrator and a key, unless there is one already.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn bootstrap(&self, ids: &Arc<dyn IdSource>) -> Result<Bootstrap> {
        let known = {
            let mut system = self.db.read_system().await?;
            store::first_tenant(&mut system).await?
        };
        match known {
            Some(tenant) => Ok(Bootstrap { admin: administrator(tenant).1, new_key: None }),
            None => self.add_tenant(ids, "default").await,
        }
    }

    /// Every tenant, the oldest first. For whoever runs the server: no caller sees this.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn tenants(&self) -> Result<Vec<Tenant>> {
        let mut system = self.db.read_system().await?;
        store::tenants(&mut system).await
    }

    /// The administrator of the tenant with this name or id. For whoever runs the server.
    ///
    /// # Errors
    /// `tenant_not_found`.
    pub async fn administrator_of(&self, name: &str) -> Result<Verified> {
        let found = {
            let mut system = self.db.read_system().await?;
            store::tenant_called(&mut system, name).await?
        };
        let tenant = found.ok_or_else(|| IdentityError::UnknownTenant(name.to_owned()))?;
        Ok(administrator(tenant.id).1)
    }

    /// Makes a tenant with an administrator and a key.
    ///
    /// # Errors
    /// A name that is none, or that is taken.
    pub async fn add_tenant(&self, ids: &Arc<dyn IdSource>, name: &str) -> Result<Bootstrap> {
        let well_formed = (1..=MAX_TENANT_NAME).contains(&name.chars().count())
            && name.trim() == name
            && !name.chars().any(char::is_control);
        if !well_formed {
            return Err(IdentityError::BadTenantName(name.to_owned()).into());
        }
        let (user, admin) = administrator(TenantId::fresh(&**ids, self.clock.now()));
        let (tenant, principal) = (admin.tenant.clone(), Arc::clone(&admin.principal));
        let ctx = Ctx::unrestricted(tenant, principal, Arc::clone(&self.clock), Arc::clone(ids));
        let secret = Secret::generate(&**ids);
        let mut tx = self.db.begin(&ctx).await?;
        store::add_tenant(&mut tx, name).await.map_err(|error| match error.code() {
            DUPLICATE => IdentityError::TenantExists(name.to_owned()).into(),
            _ => error,
        })?;
        store::save_user(&mut tx, &user).await?;
        let key = new_key(&ctx, &secret, &user.id, "first start", Scopes::all(), None);
        store::add_key(&mut tx, &key, &hash(secret.reveal())).await?;
        tx.commit(()).await?;
        Ok(Bootstrap { admin, new_key: Some(secret) })
    }

    /// Turns a key into who it stands for.
    ///
    /// # Errors
    /// `invalid_key`, without saying what is wrong with it.
    pub async fn verify(&self, key: &str) -> Result<Verified> {
        if key.len() > 256 || !key.starts_with("fm_") {
            return Err(IdentityError::InvalidKey.into());
        }
        let hash = hash(key);
        let now = self.clock.now();
        if let Some((verified, until)) = self.verified.write().get(&hash)
            && now < *until
        {
            return Ok(verified.clone());
        }
        let credential = {
            let mut system = self.db.read_system().await?;
            store::credential(&mut system, &hash).await?
        };
        let credential = credential
            .filter(|it| it.user.active && it.revoked_at.is_none())
            .filter(|it| it.expires_at.is_none_or(|expires_at| now < expires_at))
            .ok_or(IdentityError::InvalidKey)?;
        let until = now.plus_millis(TRUSTED_MILLIS);
        let until = credential.expires_at.map_or(until, |expires_at| until.min(expires_at));
        let verified = Verified {
            tenant: credential.tenant,
            principal: Arc::new(principal_of(&credential.user)),
            scopes: Arc::new(credential.scopes),
        };
        self.verified.write().put(hash, (verified.clone(), until));
        Ok(verified)
    }

    /// The principal `id`, for work that goes on without a credential of its own (agents).
    ///
    /// # Errors
    /// `user_not_found` when it does not exist or is disabled.
    pub async fn principal(&self, ctx: &Ctx, id: &str) -> Result<Arc<Principal>> {
        let user = store::find_user(&mut *self.db.read(ctx).await?, id).await?;
        match user.filter(|user| user.active) {
            Some(user) => Ok(Arc::new(principal_of(&user))),
            None => Err(IdentityError::UnknownPrincipal(id.to_owned()).into()),
        }
    }

    pub(super) async fn save_user(&self, ctx: &Ctx, params: SaveUser) -> Result<User> {
        let well_formed = (1..=64).contains(&params.id.len())
            && params.id.chars().all(|it| it.is_ascii_alphanumeric() || ".:_-@".contains(it));
        if !well_formed {
            return Err(IdentityError::BadPrincipalId(params.id).into());
        }
        if params.roles.contains(&Role::Admin) && !ctx.principal.has_any(&[Role::Admin]) {
            return Err(IdentityError::RoleNotHeld(Role::Admin.as_str()).into());
        }
        let user = User {
            name: params.name.unwrap_or_else(|| params.id.clone()),
            id: params.id,
            kind: params.kind.unwrap_or(PrincipalKind::Person),
            roles: params.roles,
            groups: params.groups,
            active: params.active,
        };
        let mut tx = self.db.begin(ctx).await?;
        let keeps_admin = user.active && user.roles.contains(&Role::Admin);
        if !keeps_admin && is_last_admin(&store::users(&mut tx, "", 1_000).await?, &user.id) {
            return Err(IdentityError::LastAdmin.into());
        }
        store::save_user(&mut tx, &user).await?;
        let saved = tx.commit(user).await?;
        self.verified.write().clear();
        Ok(saved)
    }

    pub(super) async fn search_users(&self, ctx: &Ctx, params: SearchUsers) -> Result<Users> {
        let limit = params.page().limit()?;
        let after = params.cursor.map(|cursor| cursor.0).unwrap_or_default();
        let mut session = self.db.read(ctx).await?;
        let mut found = Vec::new();
        let mut from = after;
        // A group is a filter over few principals: pages are read until there are enough.
        loop {
            let page = store::users(&mut session, &from, 200).await?;
            let is_last = page.len() < 200;
            from = page.last().map(|user| user.id.clone()).unwrap_or_default();
            let group = params.group.as_deref();
            found.extend(
                page.into_iter()
                    .filter(|user| group.is_none_or(|group| user.groups.contains(group))),
            );
            if is_last || found.len() > limit {
                return Ok(Page::from_overfetched(found, limit, |user| user.id.clone()));
            }
        }
    }

    pub(super) async fn create_key(&self, ctx: &Ctx, params: CreateKey) -> Result<CreatedKey> {
        let scopes = params.scopes.unwrap_or_else(|| (*ctx.scopes).clone());
        if let Some(scope) = scopes.iter().find(|scope| !ctx.scopes.allow(scope)) {
            return Err(IdentityError::ScopeNotHeld(scope.to_owned()).into());
        }
        if params.expires_at.is_some_and(|expires_at| expires_at <= ctx.now()) {
            return Err(IdentityError::ExpiryInThePast.into());
        }
        let principal = params.principal.unwrap_or_else(|| ctx.principal.id.clone());
        let secret = Secret::generate(&*ctx.ids);
        let mut tx = self.db.begin(ctx).await?;
        if store::find_user(&mut tx, &principal).await?.is_none() {
            return Err(IdentityError::UnknownPrincipal(principal).into());
        }
        let key = new_key(ctx, &secret, &principal, &params.name, scopes, params.expires_at);
        store::add_key(&mut tx, &key, &hash(secret.reveal())).await?;
        // What is recorded for a repeated call must not hold the secret: the key is shown once.
        let shown = CreatedKey { id: key.id.clone(), secret: String::new(), principal };
        let recorded = tx.commit(shown).await?;
        Ok(CreatedKey { secret: secret.reveal().to_owned(), ..recorded })
    }

    pub(super) async fn list_keys(&self, ctx: &Ctx, params: ListKeys) -> Result<Keys> {
        let mut keys = store::keys(&mut *self.db.read(ctx).await?).await?;
        if let Some(principal) = params.principal {
            keys.retain(|key| key.principal == principal);
        }
        Ok(Keys { keys })
    }

    pub(super) async fn revoke_key(&self, ctx: &Ctx, params: RevokeKey) -> Result<Keys> {
        let mut tx = self.db.begin(ctx).await?;
        if !store::revoke(&mut tx, &params.id, ctx.now()).await? {
            return Err(Error::not_found("key", params.id.as_str()).next("key_list"));
        }
        let revoked: Vec<KeyInfo> =
            store::keys(&mut tx).await?.into_iter().filter(|key| key.id == params.id).collect();
        let answer = tx.commit(Keys { keys: revoked }).await?;
        self.verified.write().clear();
        Ok(answer)
    }

    #[expect(clippy::unused_async, reason = "verbs are asynchronous")]
    pub(super) async fn me(&self, ctx: &Ctx, _: GetMe) -> Result<Me> {
        Ok(Me {
            id: ctx.principal.id.clone(),
            kind: ctx.principal.kind,
            roles: ctx.principal.roles.clone(),
            groups: ctx.principal.groups.clone(),
            scopes: (*ctx.scopes).clone(),
        })
    }
}

/// The administrator that every tenant begins with.
fn administrator(tenant: TenantId) -> (User, Verified) {
    let user = User {
        id: "admin".to_owned(),
        kind: PrincipalKind::Person,
        name: "Administrator".to_owned(),
        roles: BTreeSet::from([Role::Admin]),
        groups: BTreeSet::new(),
        active: true,
    };
    let principal = Arc::new(principal_of(&user));
    (user, Verified { tenant, principal, scopes: Arc::new(Scopes::all()) })
}

fn principal_of(user: &User) -> Principal {
    Principal {
        id: user.id.clone(),
        kind: user.kind,
        roles: user.roles.clone(),
        groups: user.groups.clone(),
    }
}

fn new_key(
    ctx: &Ctx,
    secret: &Secret,
    principal: &str,
    name: &str,
    scopes: Scopes,
    expires_at: Option<Timestamp>,
) -> KeyInfo {
    KeyInfo {
        id: ctx.fresh_id(),
        hint: hint(secret.reveal()),
        principal: principal.to_owned(),
        name: name.to_owned(),
        scopes,
        created_at: ctx.now(),
        expires_at,
        revoked_at: None,
    }
}

fn is_last_admin(users: &[User], id: &str) -> bool {
    let is_admin = |user: &&User| user.active && user.roles.contains(&Role::Admin);
    let mut admins = users.iter().filter(is_admin);
    matches!((admins.next(), admins.next()), (Some(only), None) if only.id == id)
}
