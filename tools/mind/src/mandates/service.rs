//! The verbs of the mandates room.

use std::num::NonZeroUsize;
use std::sync::Arc;

use flowmaster_data::entities::Entities;
use flowmaster_data::newest::{Newest, Version};
use flowmaster_engine::ActorRef;
use flowmaster_engine::governance::{Authority, Deed, Done, MandateRequest, MandateSet};
use flowmaster_kernel::{Ctx, Error, Principal, Result, TenantId};
use flowmaster_store::{Db, Session};
use lru::LruCache;
use parking_lot::Mutex;

use super::error::MandateError;
use super::types::{
    CheckMandate, CheckedMandate, DoneBefore, GetMandates, InForce, MandatesVersion, SaveMandates,
    SavedMandates,
};
use super::{rules, store};

/// How many tenants' mandates are remembered.
const TENANTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1_023);
/// The most people or deeds that a check is told of.
const MAX_TOLD: usize = 100;

/// The mandates room.
pub struct Mandates {
    db: Db,
    entities: Arc<Entities>,
    newest: Newest<Arc<MandateSet>>,
    joined: Mutex<LruCache<TenantId, Arc<InForce>>>,
}

impl Mandates {
    /// The room on `db`, for the organisations that `entities` knows.
    #[must_use]
    pub fn new(db: Db, entities: Arc<Entities>) -> Self {
        let joined = Mutex::new(LruCache::new(TENANTS));
        Self { db, entities, newest: Newest::of(TENANTS), joined }
    }

    /// The mandates in force on the organisation as it is. A change made on this node is seen at
    /// once, one made on another within two seconds.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn in_force(&self, ctx: &Ctx) -> Result<Arc<InForce>> {
        let organisation = self.entities.in_force(ctx).await?;
        let mandates = match self.newest.trusted(ctx) {
            Some(mandates) => mandates,
            None => self.read_newest(ctx).await?,
        };
        if let Some(known) = self.joined(ctx, mandates.number, organisation.number) {
            return Ok(known);
        }
        let set = Arc::clone(&mandates.content);
        let in_force = Arc::new(InForce {
            version: mandates.number,
            organisation_version: organisation.number,
            authority: Arc::new(Authority::new(set, Arc::clone(&organisation.content))),
        });
        self.joined.lock().put(ctx.tenant.clone(), Arc::clone(&in_force));
        Ok(in_force)
    }

    /// What was joined last, if it is of these versions.
    fn joined(&self, ctx: &Ctx, mandates: i64, organisation: i64) -> Option<Arc<InForce>> {
        let mut joined = self.joined.lock();
        let known = joined.get(&ctx.tenant)?;
        let is_same = known.version == mandates && known.organisation_version == organisation;
        is_same.then(|| Arc::clone(known))
    }

    async fn read_newest(&self, ctx: &Ctx) -> Result<Arc<Version<Arc<MandateSet>>>> {
        let mut session = self.db.read(ctx).await?;
        let number = store::newest(&mut session).await?;
        let version = match self.newest.numbered(ctx, number) {
            Some(version) => version,
            None => {
                let content = Arc::new(version(&mut session, number).await?);
                Arc::new(Version { number, content })
            }
        };
        Ok(self.newest.remember(ctx, version))
    }

    /// Replaces the mandates of the tenant, unless nothing is changed.
    ///
    /// # Errors
    /// `mandates_invalid` with findings, or `mandates_changed`.
    pub async fn save(&self, ctx: &Ctx, params: SaveMandates) -> Result<SavedMandates> {
        let SaveMandates { mandates, delegations, segregations, version: based_on } = params;
        let set = MandateSet { mandates, delegations, segregations };
        let findings = rules::problems(&set);
        if !findings.is_empty() {
            return Err(MandateError::Invalid(findings).into());
        }
        let organisation = self.entities.in_force(ctx).await?;
        let mut tx = self.db.begin(ctx).await?;
        let newest = store::newest(&mut tx).await?;
        if based_on.is_some_and(|version| version != newest) {
            return Err(MandateError::Changed { newest }.into());
        }
        let is_new = version(&mut tx, newest).await? != set;
        let number = if is_new { newest + 1 } else { newest };
        if is_new {
            store::add(&mut tx, number, &set, &ctx.principal.id, ctx.now()).await?;
        }
        let answer = SavedMandates {
            version: number,
            mandates: set.mandates.len() as u64,
            delegations: set.delegations.len() as u64,
            segregations: set.segregations.len() as u64,
            warnings: rules::warnings(&set, &organisation.content),
            is_new,
        };
        let answer = tx.commit(answer).await?;
        self.newest.remember(ctx, Arc::new(Version { number, content: Arc::new(set) }));
        Ok(answer)
    }

    pub(super) async fn get(&self, ctx: &Ctx, params: GetMandates) -> Result<MandatesVersion> {
        let mut session = self.db.read(ctx).await?;
        let (version, set) = match params.version {
            Some(number) => {
                let set = store::find(&mut session, number).await?;
                (number, set.ok_or(MandateError::Unknown(number))?)
            }
            None => {
                let newest = store::newest(&mut session).await?;
                (newest, version(&mut session, newest).await?)
            }
        };
        let MandateSet { mut mandates, mut delegations, mut segregations } = set;
        if let Some(domain) = &params.domain {
            mandates.retain(|mandate| mandate.domain == *domain);
            segregations.retain(|it| it.actions.iter().any(|deed| deed.domain == *domain));
        }
        if let Some(unit) = &params.unit {
            mandates.retain(|mandate| mandate.unit.as_ref() == Some(unit));
        }
        if let Some(holder) = &params.holder {
            mandates.retain(|mandate| mandate.holder.name() == holder);
            delegations.retain(|it| it.from.name() == holder || it.to == *holder);
        }
        Ok(MandatesVersion { version, mandates, delegations, segregations })
    }

    pub(super) async fn check(&self, ctx: &Ctx, params: CheckMandate) -> Result<CheckedMandate> {
        let in_force = self.in_force(ctx).await?;
        let request = request(ctx, params)?;
        Ok(CheckedMandate {
            decision: in_force.authority.check(&request, ctx.now()),
            version: in_force.version,
            organisation_version: in_force.organisation_version,
        })
    }
}

/// The mandates of that version; none at version 0.
async fn version(session: &mut Session, number: i64) -> Result<MandateSet> {
    if number == 0 {
        return Ok(MandateSet::default());
    }
    store::find(session, number).await?.ok_or_else(|| {
        Error::internal("mandates_lost", format!("version {number} of the mandates is gone"))
    })
}

fn request(ctx: &Ctx, params: CheckMandate) -> Result<MandateRequest, MandateError> {
    for (list, count) in [("involved", params.involved.len()), ("done", params.done.len())] {
        if count > MAX_TOLD {
            return Err(MandateError::TooMany { list, count });
        }
    }
    let caller: &Principal = &ctx.principal;
    let (actor, groups) = match params.actor {
        Some(id) if id != caller.id => {
            let named = ActorRef::named(id);
            let kind = params.actor_kind.unwrap_or(named.kind);
            (ActorRef { kind, ..named }, params.groups.unwrap_or_default())
        }
        Some(_) | None if params.groups.is_some() => return Err(MandateError::GroupsWithoutActor),
        Some(_) | None => (ActorRef::from(caller), caller.groups.clone()),
    };
    let domain = params.domain;
    let done = params.done.into_iter().map(|DoneBefore { by, domain: of, action }| Done {
        deed: Deed { domain: of.unwrap_or_else(|| domain.clone()), action },
        by: ActorRef::named(by),
    });
    Ok(MandateRequest {
        actor,
        groups,
        done: done.collect(),
        deed: Deed { domain, action: params.action },
        unit: params.unit,
        amount: params.amount,
        currency: params.currency,
        involved: params.involved.into_iter().map(ActorRef::named).collect(),
    })
}
