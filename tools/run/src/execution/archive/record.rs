//! The record of an instance in the archive: all that is known of it, and the proof that nothing was
//! changed. It needs no database to be read and checked.
//!
//! Invariant: the journal is kept to the letter, so its hashes can be calculated again, and replaying
//! it gives the state that is kept beside it.

use std::collections::BTreeMap;

use flowmaster_engine::{Event, Instance, replay};
use flowmaster_kernel::{Error, Result, TenantId, Timestamp};
use flowmaster_store::journal::{Head, Sealed};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::execution::instance::Stored;
use crate::execution::store;
use crate::execution::timeline::Recorded;

/// The form that is written. It is read for ever; another one gets the next number.
const FORM: u32 = 1;

/// An instance as it lies in the archive.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The form of the record.
    form: u32,
    /// Whose instance it was.
    pub tenant: TenantId,
    /// Its id.
    pub id: String,
    /// BPMN id of its process.
    pub process: String,
    /// The version of the process it ran on.
    pub process_version: i64,
    /// How it ended.
    pub state: String,
    /// What the business called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub business_key: Option<String>,
    /// When it was started.
    pub started_at: Timestamp,
    /// When it ended.
    pub ended_at: Timestamp,
    /// When it was archived.
    pub archived_at: Timestamp,
    /// The end of its journal.
    pub head: Head,
    /// Its journal, to the letter.
    pub journal: Vec<Sealed>,
    /// The state that the journal led to.
    pub(in crate::execution) instance: Instance,
    /// What the rooms had about it, by room.
    #[serde(default)]
    pub belongings: BTreeMap<String, Value>,
}

impl Record {
    /// The record of an instance that ended.
    pub(super) fn new(
        tenant: &TenantId,
        stored: &Stored,
        journal: Vec<Sealed>,
        belongings: BTreeMap<String, Value>,
        now: Timestamp,
    ) -> Self {
        Self {
            form: FORM,
            tenant: tenant.clone(),
            id: stored.instance.id.to_string(),
            process: stored.process.to_string(),
            process_version: stored.process_version,
            state: store::state_name(&stored.instance).to_owned(),
            business_key: stored.instance.business_key.clone(),
            started_at: stored.started_at,
            ended_at: stored.ended_at.unwrap_or(now),
            archived_at: now,
            head: stored.head.clone(),
            journal,
            instance: stored.instance.clone(),
            belongings,
        }
    }

    /// Reads a line of an archive file, and checks it.
    ///
    /// # Errors
    /// `archive_tampered` if it is no record or does not prove what it says, `journal_tampered` if a
    /// row of its journal does not fit the chain.
    pub fn read(line: &str) -> Result<Self> {
        let record: Self =
            serde_json::from_str(line).map_err(|problem| tampered(&problem.to_string()))?;
        record.check()?;
        Ok(record)
    }

    /// Checks that the hashes of the journal lead to its end, and the journal to the state.
    ///
    /// # Errors
    /// As [`Record::read`].
    pub(super) fn check(&self) -> Result<()> {
        if self.form != FORM {
            return Err(tampered(&format!("{} is not a form of record known here", self.form)));
        }
        let mut head = Head::default();
        let mut events: Vec<Event> = Vec::new();
        let mut ran_on = None;
        for row in &self.journal {
            head = row.behind(&head, self.tenant.as_str(), &self.id)?;
            let recorded = Recorded::of_text(row.events.get())?;
            events.extend(recorded.events);
            ran_on = Some((recorded.process, recorded.process_version));
        }
        if head != self.head {
            return Err(tampered("the journal ends elsewhere"));
        }
        let replayed = replay(&self.id, &events);
        if replayed != self.instance {
            return Err(tampered("the journal does not lead to the state"));
        }
        let says = (self.state.as_str(), &self.business_key);
        if says != (store::state_name(&replayed), &replayed.business_key)
            || !replayed.state.is_ended()
            || ran_on != Some((self.process.clone(), self.process_version))
        {
            return Err(tampered("the journal does not lead to what the record says"));
        }
        Ok(())
    }

    /// Ids of the instances that this one called.
    pub(super) fn called(&self) -> Result<Vec<String>> {
        let mut called = Vec::new();
        for row in &self.journal {
            let recorded = Recorded::of_text(row.events.get())?;
            called.extend(recorded.events.into_iter().filter_map(|event| match event {
                Event::ChildRequested { instance, .. } => Some(instance.to_string()),
                _ => None,
            }));
        }
        Ok(called)
    }

    /// The instance as it was stored.
    pub(in crate::execution) fn stored(&self) -> Stored {
        Stored {
            instance: self.instance.clone(),
            process: self.process.as_str().into(),
            process_version: self.process_version,
            version: self.head.seq,
            head: self.head.clone(),
            started_at: self.started_at,
            ended_at: Some(self.ended_at),
        }
    }
}

fn tampered(why: &str) -> Error {
    Error::conflict("archive_tampered", "a record of the archive does not prove what it says")
        .why(why)
        .fix("compare with a copy of the file; keep this one as evidence")
}
