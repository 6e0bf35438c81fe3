//! Finding instances. One index finds the rows, chosen here by what is likely to leave the fewest; the
//! other conditions are looked at row by row. On SQLite, which keeps no statistics, `+` keeps a column
//! from being taken as the way in. PostgreSQL has no index of the state: a row whose indexed columns stay
//! as they are is updated in place, without touching the pages that all transactions of the moment read.

use flowmaster_kernel::{Result, Timestamp};
use flowmaster_store::{Param, Session};

use super::{Stored, stored};

/// Which instances a list holds.
#[derive(Clone, Debug, Default)]
pub(in crate::execution) struct Filter {
    pub(in crate::execution) process: Option<String>,
    pub(in crate::execution) process_version: Option<i64>,
    pub(in crate::execution) state: Option<String>,
    pub(in crate::execution) business_key: Option<String>,
    pub(in crate::execution) business_key_prefix: Option<String>,
    pub(in crate::execution) with_incidents: bool,
    pub(in crate::execution) started_from: Option<Timestamp>,
    pub(in crate::execution) started_before: Option<Timestamp>,
    /// The last one seen: when it was started, and its id.
    pub(in crate::execution) after: Option<(Timestamp, String)>,
}

/// The way in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    Key,
    KeyPrefix,
    Incidents,
    State,
    Process,
    Started,
}

impl Filter {
    fn lead(&self) -> Lead {
        // Nearly all instances are completed in the end, so that is no way in.
        let is_rare = |state: &String| state != "completed";
        if self.business_key.is_some() {
            Lead::Key
        } else if self.business_key_prefix.is_some() {
            Lead::KeyPrefix
        } else if self.with_incidents {
            Lead::Incidents
        } else if self.state.as_ref().is_some_and(is_rare) {
            Lead::State
        } else if self.process.is_some() {
            Lead::Process
        } else {
            Lead::Started
        }
    }

    /// The statement that finds up to `limit` instances, the newest first, and its values.
    pub(in crate::execution) fn statement(&self, limit: usize) -> (String, Vec<Param>) {
        let lead = self.lead();
        let way_in = |it: Lead| if it == lead { "" } else { "/*sqlite:+*/" };
        let mut rows = String::from("FROM execution_instance WHERE tenant_id = $1");
        let mut values: Vec<Param> = Vec::new();
        let mut bind = |value: Param| {
            values.push(value);
            values.len() + 1
        };
        let mut and = |condition: String| {
            rows.push_str(" AND ");
            rows.push_str(&condition);
        };
        let key = "business_key /*postgres:COLLATE \"C\"*/";
        if let Some(wanted) = &self.business_key {
            and(format!("{key} = ${}", bind(wanted.into())));
        }
        if let Some(prefix) = &self.business_key_prefix {
            and(format!("{key} >= ${}", bind(prefix.into())));
            // No text with this prefix comes after it and the highest letter.
            let end = format!("{prefix}\u{10FFFF}");
            and(format!("{key} < ${}", bind(end.into())));
        }
        if let Some(process) = &self.process {
            and(format!("{}process = ${}", way_in(Lead::Process), bind(process.into())));
        }
        if let Some(version) = self.process_version {
            and(format!("process_version = ${}", bind(version.into())));
        }
        if let Some(state) = &self.state {
            and(format!("{}state = ${}", way_in(Lead::State), bind(state.into())));
            if lead == Lead::State {
                and("state <> 'completed'".to_owned());
            }
        }
        if self.with_incidents {
            and(format!("{}incidents > 0", way_in(Lead::Incidents)));
        }
        // The keys of a range have no order by start.
        let started = match lead {
            Lead::KeyPrefix => "/*sqlite:+*/started_at",
            _ => "started_at",
        };
        if let Some(from) = self.started_from {
            and(format!("{started} >= ${}", bind(from.into())));
        }
        if let Some(before) = self.started_before {
            and(format!("{started} < ${}", bind(before.into())));
        }
        if let Some((at, id)) = &self.after {
            let (at, id) = (bind((*at).into()), bind(id.into()));
            // The first part alone lets the index begin at the place.
            and(format!("{started} <= ${at} AND (started_at < ${at} OR id < ${id})"));
        }
        let order = format!("ORDER BY {started} DESC, id DESC");
        let columns = "SELECT id, process, process_version, version, head_hash, started_at,
            ended_at, body, row_sum FROM execution_instance";
        let sql = if lead == Lead::KeyPrefix {
            // Places are sorted, not whole instances.
            format!(
                "{columns} WHERE tenant_id = $1 AND id IN (SELECT id {rows} {order} LIMIT {limit})
                 {order}"
            )
        } else {
            let rows = rows.trim_start_matches("FROM execution_instance");
            format!("{columns} {rows} {order} LIMIT {limit}")
        };
        (sql, values)
    }
}

/// Up to `limit` instances that match, the newest first.
pub(in crate::execution) async fn search(
    session: &mut Session,
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Stored>> {
    let (sql, values) = filter.statement(limit);
    session.query_dynamic(&sql, &values).await?.iter().map(stored).collect()
}
