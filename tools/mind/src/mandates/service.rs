//! The verbs of the mandates room.

use std::num::NonZeroUsize;
use std::sync::Arc;

use flowmaster_engine::governance::{MandateRequest, MandateSet, check_mandate};
use flowmaster_kernel::{Ctx, Error, PrincipalKind, Result, TenantId, Timestamp};
use flowmaster_store::{Db, Session};
use lru::LruCache;
use parking_lot::Mutex;

use super::error::MandateError;
use super::types::{
    CheckMandate, CheckedMandate, GetMandates, InForce, MandatesVersion, SaveMandates,
    SavedMandates,
};
use super::{rules, store};

/// How many tenants' mandates are remembered.
const TENANTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1_023);
/// How long mandates are trusted without another look: bounds what a change on another node can
/// be late by.
const TRUSTED_MILLIS: i64 = 2_000;

/// The mandates room.
pub struct Mandates {
    db: Db,
    in_force: Mutex<LruCache<TenantId, (Arc<InForce>, Timestamp)>>,
}

impl Mandates {
    /// The room on `db`.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db, in_force: Mutex::new(LruCache::new(TENANTS)) }
    }

    /// The mandates in force. A change made on this node is seen at once, one made on another
    /// within two seconds.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn in_force(&self, ctx: &Ctx) -> Result<Arc<InForce>> {
        let now = ctx.now();
        let known = self.in_force.lock().get(&ctx.tenant).cloned();
        if let Some((set, read_at)) = &known
            && (*read_at..read_at.plus_millis(TRUSTED_MILLIS)).contains(&now)
        {
            return Ok(Arc::clone(set));
        }
        let mut session = self.db.read(ctx).await?;
        let newest = store::newest(&mut session).await?;
        let set = match known {
            Some((set, _)) if set.version == newest => set,
            _ => Arc::new(version(&mut session, newest).await?),
        };
        Ok(self.remember(ctx, set))
    }

    /// Remembers what was read or saved last and answers the newest that is known: a slow reader
    /// must not bring back what a save has replaced meanwhile.
    fn remember(&self, ctx: &Ctx, set: Arc<InForce>) -> Arc<InForce> {
        let mut in_force = self.in_force.lock();
        if let Some((known, _)) = in_force.get(&ctx.tenant)
            && known.version > set.version
        {
            return Arc::clone(known);
        }
        in_force.put(ctx.tenant.clone(), (Arc::clone(&set), ctx.now()));
        set
    }

    /// Replaces the mandates of the tenant, unless nothing is changed.
    ///
    /// # Errors
    /// `mandates_invalid` with findings, or `mandates_changed`.
    pub async fn save(&self, ctx: &Ctx, params: SaveMandates) -> Result<SavedMandates> {
        let mandates = MandateSet { mandates: params.mandates, delegations: params.delegations };
        let findings = rules::problems(&mandates);
        if !findings.is_empty() {
            return Err(MandateError::Invalid(findings).into());
        }
        let mut tx = self.db.begin(ctx).await?;
        let newest = store::newest(&mut tx).await?;
        if params.version.is_some_and(|version| version != newest) {
            return Err(MandateError::Changed { newest }.into());
        }
        let known = version(&mut tx, newest).await?;
        let is_new = known.mandates != mandates;
        let set = if is_new { InForce { version: newest + 1, mandates } } else { known };
        if is_new {
            let author = &ctx.principal.id;
            store::add(&mut tx, set.version, &set.mandates, author, ctx.now()).await?;
        }
        let answer = SavedMandates {
            version: set.version,
            mandates: set.mandates.mandates.len() as u64,
            delegations: set.mandates.delegations.len() as u64,
            is_new,
        };
        let answer = tx.commit(answer).await?;
        self.remember(ctx, Arc::new(set));
        Ok(answer)
    }

    pub(super) async fn get(&self, ctx: &Ctx, params: GetMandates) -> Result<MandatesVersion> {
        let mut session = self.db.read(ctx).await?;
        let set = match params.version {
            Some(number) => {
                store::find(&mut session, number).await?.ok_or(MandateError::Unknown(number))?
            }
            None => {
                let newest = store::newest(&mut session).await?;
                version(&mut session, newest).await?
            }
        };
        let InForce { version, mandates: MandateSet { mut mandates, mut delegations } } = set;
        if let Some(domain) = &params.domain {
            mandates.retain(|mandate| mandate.domain == *domain);
        }
        if let Some(holder) = &params.holder {
            mandates.retain(|mandate| mandate.holder == *holder);
            delegations.retain(|it| it.from == *holder || it.to == *holder);
        }
        Ok(MandatesVersion { version, mandates, delegations })
    }

    pub(super) async fn check(&self, ctx: &Ctx, params: CheckMandate) -> Result<CheckedMandate> {
        let set = self.in_force(ctx).await?;
        let request = request(ctx, params)?;
        let decision = check_mandate(&set.mandates, &request, ctx.now());
        Ok(CheckedMandate { decision, version: set.version })
    }
}

/// The mandates of that version; none at version 0.
async fn version(session: &mut Session, number: i64) -> Result<InForce> {
    if number == 0 {
        return Ok(InForce::default());
    }
    store::find(session, number).await?.ok_or_else(|| {
        Error::internal("mandates_lost", format!("version {number} of the mandates is gone"))
    })
}

fn request(ctx: &Ctx, params: CheckMandate) -> Result<MandateRequest, MandateError> {
    let caller = &ctx.principal;
    let (actor, actor_kind, groups) = match params.actor {
        Some(actor) if actor != caller.id => (
            actor,
            params.actor_kind.unwrap_or(PrincipalKind::Person),
            params.groups.unwrap_or_default(),
        ),
        Some(_) | None if params.groups.is_some() => return Err(MandateError::GroupsWithoutActor),
        Some(_) | None => (caller.id.clone(), caller.kind, caller.groups.clone()),
    };
    Ok(MandateRequest {
        actor,
        actor_kind,
        groups,
        domain: params.domain,
        action: params.action,
        amount: params.amount,
        currency: params.currency,
        involved: params.involved,
    })
}
