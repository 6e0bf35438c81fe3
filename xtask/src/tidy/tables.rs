//! Who owns which table: a room's SQL names its own tables alone.
//!
//! The owner of a file is its room (`tools/WING/src/ROOM/…`) or its crate; the owner of a table is
//! the first part of its name. The tables are those that some `CREATE TABLE` makes.

use std::collections::BTreeSet;

use super::rust_source::has_word;
use super::{Check, Finding, Tree};

pub(super) const CHECK: Check = Check {
    name: "tables",
    remedy: "a table is named after its room, and other rooms reach it through that room's verbs",
    find,
};

/// Crates that never contain SQL of tables.
const WITHOUT_SQL: [&str; 3] = ["kernel", "engine", "mcp-server"];
const VERBS: [&str; 6] = ["SELECT", "INSERT INTO", "UPDATE", "DELETE FROM", "CREATE", "FROM"];

fn find(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut tables = BTreeSet::new();
    for statement in statements(tree) {
        for table in created(statement.sql) {
            if owner_of_table(table) != Some(statement.owner) {
                let what = format!("{} creates the table {table}", statement.owner);
                findings.push(statement.finding(what));
            }
            tables.insert(table);
        }
    }
    for statement in statements(tree) {
        let foreign = |table: &&&str| {
            owner_of_table(table) != Some(statement.owner)
                && has_word(statement.sql, table)
                && !created(statement.sql).any(|it| it == **table)
        };
        for table in tables.iter().filter(foreign) {
            findings
                .push(statement.finding(format!("{} names the table {table}", statement.owner)));
        }
        if WITHOUT_SQL.contains(&statement.owner) && created(statement.sql).next().is_some() {
            findings.push(statement.finding(format!("{} contains SQL", statement.owner)));
        }
    }
    findings
}

struct Statement<'a> {
    owner: &'a str,
    path: &'a str,
    line: usize,
    sql: &'a str,
}

impl Statement<'_> {
    fn finding(&self, what: String) -> Finding {
        Finding::new(self.path, self.line, what)
    }
}

/// Every string outside tests that reads like SQL.
fn statements(tree: &Tree) -> impl Iterator<Item = Statement<'_>> {
    let sources = tree.rust().filter(|(file, _)| !file.only_tests);
    sources.flat_map(|(file, rust)| {
        let literals = rust.literals.iter().filter(|literal| !rust.is_test(literal.line));
        let sql = literals.filter(|it| VERBS.iter().any(|verb| has_word(&it.text, verb)));
        sql.filter_map(|it| {
            let owner = owner_of_file(&file.path)?;
            Some(Statement { owner, path: &file.path, line: it.line, sql: &it.text })
        })
    })
}

/// The room, or the crate outside `tools/`. Not what only automates: it owns nothing.
fn owner_of_file(path: &str) -> Option<&str> {
    let (top, rest) = path.split_once('/')?;
    if matches!(top, "xtask" | "benches") {
        return None;
    }
    if top != "tools" {
        return Some(top);
    }
    let (_wing, inside) = rest.split_once("/src/")?;
    let room = inside.split('/').next()?;
    Some(room.strip_suffix(".rs").unwrap_or(room))
}

fn owner_of_table(table: &str) -> Option<&str> {
    table.split_once('_').map(|(owner, _)| owner)
}

/// The tables that `sql` creates.
fn created(sql: &str) -> impl Iterator<Item = &str> {
    sql.split("CREATE TABLE ").skip(1).filter_map(|rest| {
        let rest = rest.strip_prefix("IF NOT EXISTS ").unwrap_or(rest);
        rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().filter(|it| !it.is_empty())
    })
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::tidy::tests::check;

    const TASKS: (&str, &str) = (
        "tools/people/src/tasks/store.rs",
        "const T: &str = \"CREATE TABLE tasks_task (id TEXT)\";\nconst Q: &str = \"SELECT 1 FROM tasks_task\";",
    );

    #[test]
    fn a_room_names_its_own_tables_alone() {
        check(&CHECK, &[TASKS], &[]);
        let links = "tools/run/src/links/store.rs";
        let foreign = "x(\"DELETE FROM tasks_task\")";
        check(&CHECK, &[TASKS, (links, foreign)], &["tools/run/src/links/store.rs:1"]);
        check(&CHECK, &[TASKS, (links, "x(\"the table tasks_task\")")], &[]);
        check(&CHECK, &[TASKS, (links, "x(\"DELETE FROM tasks_tasks\")")], &[]);
        check(&CHECK, &[TASKS, ("tools/run/src/links.rs", foreign)], &["tools/run/src/links.rs:1"]);
        check(&CHECK, &[TASKS, ("mcp-server/src/a.rs", foreign)], &["mcp-server/src/a.rs:1"]);
        let test = format!("#[cfg(test)]\nmod tests {{ {foreign} }}");
        check(&CHECK, &[TASKS, (links, &test)], &[]);
    }

    #[test]
    fn a_table_is_named_after_its_room() {
        let links = "tools/run/src/links/store.rs";
        let create = "x(\"\nCREATE TABLE IF NOT EXISTS link_edge (id TEXT)\")";
        check(&CHECK, &[(links, create)], &["tools/run/src/links/store.rs:1"]);
        let create = "x(\"CREATE TABLE links_edge (id TEXT)\")";
        check(&CHECK, &[(links, create)], &[]);
        check(&CHECK, &[("store/src/jobs.rs", "x(\"CREATE TABLE store_jobs (i)\")")], &[]);
        let engine = "engine/src/jobs.rs";
        check(&CHECK, &[(engine, "x(\"CREATE TABLE engine_a (i)\")")], &["engine/src/jobs.rs:1"]);
    }
}
