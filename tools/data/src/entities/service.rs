//! The verbs of the entities room.

use std::num::NonZeroUsize;
use std::sync::Arc;

use flowmaster_engine::governance::{Chart, Organisation};
use flowmaster_kernel::{Ctx, Cursor, Error, Result, Timestamp};
use flowmaster_store::{Db, Session};

use super::error::EntityError;
use super::rules::Part;
use super::types::{
    GetOrganisation, GetPerson, HeldPosition, OrganisationPage, PersonInOrganisation,
    SaveOrganisation, SavedOrganisation,
};
use super::{rules, store};
use crate::newest::{Newest, Version};

/// How many tenants' organisations are remembered.
const TENANTS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(255);
/// The most entries of a page, and how many there are unless asked otherwise.
const MAX_PAGE: u32 = 1_000;
const USUAL_PAGE: u32 = 500;
/// The most people of a list about a person.
const MAX_PEOPLE: usize = 50;

/// The entities room.
pub struct Entities {
    db: Db,
    newest: Newest<Arc<Chart>>,
}

impl Entities {
    /// The room on `db`.
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db, newest: Newest::of(TENANTS) }
    }

    /// The organisation in force, ready to be asked. A change made on this node is seen at once, one
    /// made on another within two seconds.
    ///
    /// # Errors
    /// What the store reports.
    pub async fn in_force(&self, ctx: &Ctx) -> Result<Arc<Version<Arc<Chart>>>> {
        if let Some(version) = self.newest.trusted(ctx) {
            return Ok(version);
        }
        let mut session = self.db.read(ctx).await?;
        self.read_newest(ctx, &mut session).await
    }

    async fn read_newest(
        &self,
        ctx: &Ctx,
        session: &mut Session,
    ) -> Result<Arc<Version<Arc<Chart>>>> {
        let number = store::newest(session).await?;
        if let Some(version) = self.newest.numbered(ctx, number) {
            return Ok(self.newest.remember(ctx, version));
        }
        let organisation = if number == 0 {
            Organisation::default()
        } else {
            store::find(session, number).await?.ok_or_else(|| lost(number))?
        };
        let content = Arc::new(Chart::new(organisation));
        Ok(self.newest.remember(ctx, Arc::new(Version { number, content })))
    }

    /// Replaces the organisation of the tenant, unless nothing is changed.
    ///
    /// # Errors
    /// `organisation_invalid` with findings, or `organisation_changed`.
    pub async fn save(&self, ctx: &Ctx, params: SaveOrganisation) -> Result<SavedOrganisation> {
        let SaveOrganisation { units, positions, holders, substitutes, version } = params;
        let organisation = Organisation { units, positions, holders, substitutes };
        let findings = rules::problems(&organisation);
        if !findings.is_empty() {
            return Err(EntityError::Invalid(findings).into());
        }
        let mut tx = self.db.begin(ctx).await?;
        let newest = store::newest(&mut tx).await?;
        if version.is_some_and(|version| version != newest) {
            return Err(EntityError::Changed { newest }.into());
        }
        let known = match newest {
            0 => Organisation::default(),
            number => store::find(&mut tx, number).await?.ok_or_else(|| lost(number))?,
        };
        let is_new = known != organisation;
        let number = if is_new { newest + 1 } else { newest };
        if is_new {
            let author = &ctx.principal.id;
            store::add(&mut tx, number, &organisation, author, ctx.now()).await?;
        }
        let answer = SavedOrganisation {
            version: number,
            units: organisation.units.len() as u64,
            positions: organisation.positions.len() as u64,
            holders: organisation.holders.len() as u64,
            substitutes: organisation.substitutes.len() as u64,
            is_new,
        };
        let answer = tx.commit(answer).await?;
        let content = Arc::new(Chart::new(organisation));
        self.newest.remember(ctx, Arc::new(Version { number, content }));
        Ok(answer)
    }

    pub(super) async fn get(&self, ctx: &Ctx, params: GetOrganisation) -> Result<OrganisationPage> {
        let limit = params.limit.unwrap_or(USUAL_PAGE);
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(EntityError::BadLimit(limit, MAX_PAGE).into());
        }
        let (version, start) = match &params.cursor {
            None => (params.version, 0),
            Some(cursor) => {
                let place = place(cursor).filter(|it| params.version.is_none_or(|v| v == it.0));
                let place = place.ok_or_else(|| EntityError::BadCursor(cursor.0.clone()))?;
                (Some(place.0), place.1)
            }
        };
        let Version { number, content: chart } = &*self.at(ctx, version).await?;
        if let Some(unit) = params.unit.as_deref().filter(|unit| chart.unit(unit).is_none()) {
            return Err(EntityError::UnknownUnit(unit.to_owned()).into());
        }
        let part = rules::part(chart, params.unit.as_deref(), params.person.as_deref());
        let end = start.saturating_add(limit as usize);
        let Part { units, positions, holders, substitutes } = part.page(start, limit as usize);
        Ok(OrganisationPage {
            version: *number,
            units: units.into_iter().cloned().collect(),
            positions: positions.into_iter().cloned().collect(),
            holders: holders.into_iter().cloned().collect(),
            substitutes: substitutes.into_iter().cloned().collect(),
            next_cursor: (end < part.len()).then(|| Cursor(format!("{number}.{end}"))),
        })
    }

    /// The organisation at a version, or the newest.
    async fn at(&self, ctx: &Ctx, number: Option<i64>) -> Result<Arc<Version<Arc<Chart>>>> {
        let mut session = self.db.read(ctx).await?;
        let Some(number) = number else { return self.read_newest(ctx, &mut session).await };
        if let Some(version) = self.newest.numbered(ctx, number) {
            return Ok(version);
        }
        let organisation = store::find(&mut session, number).await?;
        let organisation = organisation.ok_or(EntityError::UnknownVersion(number))?;
        Ok(Arc::new(Version { number, content: Arc::new(Chart::new(organisation)) }))
    }

    pub(super) async fn person(
        &self,
        ctx: &Ctx,
        params: GetPerson,
    ) -> Result<PersonInOrganisation> {
        let version = self.in_force(ctx).await?;
        let person = params.person.unwrap_or_else(|| ctx.principal.id.clone());
        Ok(described(&version, person, ctx.now()))
    }
}

fn described(
    version: &Version<Arc<Chart>>,
    person: String,
    now: Timestamp,
) -> PersonInOrganisation {
    let chart = &version.content;
    let held = chart.positions_of(&person, now);
    let roles = held.iter().flat_map(|position| &position.roles).cloned().collect();
    let holding = held.into_iter().map(|position| HeldPosition {
        position: position.clone(),
        units: chart.line(&position.unit).map(|unit| unit.id.clone()).collect(),
        valid_until: chart.held_until(&person, &position.id, now),
    });
    let owned = |people: &mut dyn Iterator<Item = &str>| -> Vec<String> {
        people.take(MAX_PEOPLE).map(str::to_owned).collect()
    };
    PersonInOrganisation {
        version: version.number,
        positions: holding.collect(),
        roles,
        superiors: owned(&mut chart.superiors_of(&person, now).into_iter()),
        substitutes: owned(&mut chart.substitutes_of(&person, now).into_iter()),
        stands_in_for: owned(&mut chart.stands_in_for(&person, now).into_iter()),
        person,
    }
}

/// The version and the entry at which a cursor stands.
fn place(cursor: &Cursor) -> Option<(i64, usize)> {
    let (version, start) = cursor.0.split_once('.')?;
    Some((version.parse().ok()?, start.parse().ok()?))
}

fn lost(number: i64) -> Error {
    Error::internal("organisation_lost", format!("version {number} of the organisation is gone"))
}
