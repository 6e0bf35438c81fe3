//! Lists of tasks, the most urgent first. However many tasks are open, a page is found by walking
//! indexes in the order of the list: one walk for each way in which a task can be the caller's, each
//! as long as the page, and the page is the first of what they found.

use std::collections::BTreeSet;

use flowmaster_kernel::Result;
use flowmaster_store::{Param, Session};

use super::{COLUMNS, TaskRow, task};

/// Which tasks a list holds.
pub(in crate::tasks) enum Whose<'a> {
    /// Reserved by the principal.
    Mine(&'a str),
    /// Offered to the principal or one of the groups.
    Claimable(&'a str, &'a BTreeSet<String>),
    /// Either of the two.
    Todo(&'a str, &'a BTreeSet<String>),
    /// Every open one.
    AllOpen,
    /// Every one.
    All,
}

/// Which part of a list is wanted.
pub(in crate::tasks) struct Part<'a> {
    /// Of one instance alone.
    pub(in crate::tasks) instance: Option<&'a str>,
    /// The rank and id of the last task seen.
    pub(in crate::tasks) after: Option<(&'a str, &'a str)>,
    pub(in crate::tasks) limit: usize,
}

const STATES: [&str; 5] = ["ready", "reserved", "completed", "failed", "obsolete"];

/// The tasks in a part of a list.
pub(in crate::tasks) async fn list(
    session: &mut Session,
    whose: &Whose<'_>,
    part: &Part<'_>,
) -> Result<Vec<TaskRow>> {
    let (sql, values) = statement(whose, part);
    session.query_dynamic(&sql, &values).await?.iter().map(task).collect()
}

/// The statement that finds a part of a list, and its values.
pub(in crate::tasks) fn statement(whose: &Whose<'_>, part: &Part<'_>) -> (String, Vec<Param>) {
    let mut walks = Walks { part, values: Vec::new(), found: Vec::new() };
    match whose {
        Whose::Mine(principal) => walks.reserved_by(principal),
        Whose::Claimable(principal, groups) => walks.offered(principal, groups),
        Whose::Todo(principal, groups) => {
            walks.reserved_by(principal);
            walks.offered(principal, groups);
        }
        Whose::AllOpen => STATES[..2].iter().for_each(|state| walks.in_state(state)),
        Whose::All => STATES.iter().for_each(|state| walks.in_state(state)),
    }
    let sql = format!(
        "SELECT {COLUMNS} FROM tasks_task t WHERE t.tenant_id = $1 AND t.id IN ({})
         ORDER BY t.rank, t.id LIMIT {}",
        walks.found.join(" UNION "),
        part.limit
    );
    (sql, walks.values)
}

/// The walks that find the ids of a page.
struct Walks<'a> {
    part: &'a Part<'a>,
    values: Vec<Param>,
    found: Vec<String>,
}

impl Walks<'_> {
    fn bind(&mut self, value: &str) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len() + 1)
    }

    /// Tasks that the principal has.
    fn reserved_by(&mut self, principal: &str) {
        let principal = self.bind(principal);
        self.tasks("reserved", &format!(" AND assignee = {principal}"));
    }

    fn in_state(&mut self, state: &str) {
        self.tasks(state, "");
    }

    /// Tasks that the principal may claim: offered to everybody, to the principal, to a group.
    fn offered(&mut self, principal: &str, groups: &BTreeSet<String>) {
        let principal = self.bind(principal);
        let mut to = vec!["kind = 'any' AND c.name = ''".to_owned()];
        to.push(format!("kind = 'user' AND c.name = {principal}"));
        for group in groups {
            to.push(format!("kind = 'group' AND c.name = {}", self.bind(group)));
        }
        for to in to {
            // SQLite, which keeps no statistics, is told which table leads.
            let from = match self.part.instance {
                None => "FROM tasks_candidate c /*sqlite:CROSS*/ JOIN tasks_task o
                    ON o.tenant_id = c.tenant_id AND o.id = c.task
                    WHERE c.tenant_id = $1"
                    .to_owned(),
                Some(instance) => format!(
                    "FROM tasks_task o /*sqlite:CROSS*/ JOIN tasks_candidate c
                    ON c.tenant_id = o.tenant_id AND c.task = o.id
                    WHERE o.tenant_id = $1 AND o.instance = {}",
                    self.bind(instance)
                ),
            };
            let mut rows = format!(
                "{from} AND /*sqlite:+*/o.state = 'ready' AND c.{to}
                 AND NOT EXISTS (SELECT 1 FROM tasks_candidate x WHERE x.tenant_id = $1
                    AND x.task = c.task AND x.kind = 'excluded' AND x.name = {principal})"
            );
            rows.push_str(&self.behind("c.rank", "c.task"));
            self.walk("c.task", &rows, "c.rank, c.task");
        }
    }

    fn tasks(&mut self, state: &str, and: &str) {
        let mut rows = match self.part.instance {
            None => format!("FROM tasks_task WHERE tenant_id = $1 AND state = '{state}'"),
            // An instance has few: with `+` SQLite begins with them.
            Some(instance) => format!(
                "FROM tasks_task WHERE tenant_id = $1 AND instance = {}
                 AND /*sqlite:+*/state = '{state}'",
                self.bind(instance)
            ),
        };
        rows.push_str(and);
        rows.push_str(&self.behind("rank", "id"));
        self.walk("id", &rows, "rank, id");
    }

    fn behind(&mut self, rank: &str, id: &str) -> String {
        let Some((last_rank, last_id)) = self.part.after else { return String::new() };
        let (at, last) = (self.bind(last_rank), self.bind(last_id));
        // The first part alone lets the walk begin at the place.
        format!(" AND {rank} >= {at} AND ({rank} > {at} OR {id} > {last})")
    }

    fn walk(&mut self, id: &str, rows: &str, order: &str) {
        let number = self.found.len();
        self.found.push(format!(
            "SELECT id FROM (SELECT {id} AS id {rows} ORDER BY {order} LIMIT {}) AS walk{number}",
            self.part.limit
        ));
    }
}
