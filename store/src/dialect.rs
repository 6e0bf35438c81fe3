//! One SQL text for both back ends.
//!
//! Statements are written in the subset that SQLite and PostgreSQL share, with `$n` placeholders.
//! Where they must differ, a comment carries the text of one back end:
//! `/*sqlite: … */` and `/*postgres: … */` are unwrapped for the named one and stay comments for
//! the other. Literals and quoted names are never touched.

use std::borrow::Cow;

use flowmaster_kernel::Result;

use crate::error;

/// The moment by which leases are judged: the database's own clock on PostgreSQL, where nodes may
/// disagree; on SQLite the placeholder, which is bound to the clock of the one process.
macro_rules! lease_now {
    ($placeholder:literal) => {
        concat!(
            "/*sqlite:CAST(",
            $placeholder,
            " AS BIGINT)*/",
            "/*postgres:((EXTRACT(EPOCH FROM statement_timestamp()) * 1000)::BIGINT",
            // The server wants every placeholder to be used.
            " + 0 * CAST(",
            $placeholder,
            " AS BIGINT))*/"
        )
    };
}
pub(crate) use lease_now;

/// Which SQL is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite.
    Sqlite,
    /// PostgreSQL and what speaks its protocol.
    Postgres,
}

impl Dialect {
    const fn marker(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite:",
            Self::Postgres => "postgres:",
        }
    }

    /// The text this back end is given.
    pub(crate) fn translate(self, sql: &str) -> Cow<'_, str> {
        let unwrapped = if sql.contains("/*") { self.unwrap_comments(sql) } else { sql.into() };
        match self {
            // SQLite numbers `$1` by first appearance, `?1` by its digits.
            Self::Sqlite if unwrapped.contains('$') => Cow::Owned(number_placeholders(&unwrapped)),
            Self::Sqlite | Self::Postgres => unwrapped,
        }
    }

    fn unwrap_comments(self, sql: &str) -> Cow<'_, str> {
        let marker = self.marker();
        let mut out = String::with_capacity(sql.len());
        let mut rest = sql;
        while let Some((before, from)) = rest.split_once("/*") {
            out.push_str(before);
            let Some((body, after)) = from.split_once("*/") else {
                out.push_str("/*");
                out.push_str(from);
                return Cow::Owned(out);
            };
            if let Some(text) = body.strip_prefix(marker) {
                out.push_str(text);
            }
            rest = after;
        }
        out.push_str(rest);
        Cow::Owned(out)
    }
}

fn number_placeholders(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut quote = None;
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            (None, '$') if chars.peek().is_some_and(char::is_ascii_digit) => {
                out.push('?');
                continue;
            }
            _ => {}
        }
        out.push(c);
    }
    out
}

/// A statement and how it may be kept prepared.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sql<'a> {
    /// Written in the source: prepared once per connection.
    Fixed(&'static str),
    /// Put together at run time (filters): prepared for this call.
    Dynamic(&'a str),
}

impl Sql<'_> {
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Fixed(text) => text,
            Self::Dynamic(text) => text,
        }
    }
}

/// Refuses what a caller may never run inside a shared transaction: anything but reading and
/// writing rows. `COMMIT`, `ROLLBACK` or a PRAGMA of one caller would end the work of others.
pub(crate) fn check_statement(sql: &str, scoped_to_tenant: Scoped) -> Result<()> {
    let text = sql.trim_start();
    let verb = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let known = ["SELECT", "INSERT", "UPDATE", "DELETE", "WITH"];
    // Of SQLite: how a statement would find its rows. It reads none.
    let explains = text.starts_with("EXPLAIN QUERY PLAN SELECT ");
    if !explains && !known.iter().any(|allowed| verb.eq_ignore_ascii_case(allowed)) {
        return Err(error::statement(format!("a statement may not start with {verb:?}")));
    }
    let names_tenant = text.contains("tenant_id") && text.contains("$1");
    if matches!(scoped_to_tenant, Scoped::Tenant) && !names_tenant {
        debug_assert!(false, "statement without tenant_id and $1: {text}");
        return Err(error::statement("the statement does not name tenant_id and $1"));
    }
    Ok(())
}

/// Whether `$1` of a statement is the tenant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scoped {
    /// `$1` is the tenant.
    Tenant,
    /// All tenants.
    System,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_back_end_gets_its_own_text() {
        let check = |sql: &str, sqlite: &str, postgres: &str| {
            assert_eq!(Dialect::Sqlite.translate(sql), sqlite);
            assert_eq!(Dialect::Postgres.translate(sql), postgres);
        };
        check("SELECT 1", "SELECT 1", "SELECT 1");
        check("a = $1 AND b = $12", "a = ?1 AND b = ?12", "a = $1 AND b = $12");
        check("a = '$1' AND \"$2\" = $2", "a = '$1' AND \"$2\" = ?2", "a = '$1' AND \"$2\" = $2");
        check("a = 'it''s $1' || $1", "a = 'it''s $1' || ?1", "a = 'it''s $1' || $1");
        check("t = '$.x'", "t = '$.x'", "t = '$.x'");
        check("x /*postgres:FOR UPDATE*/ y", "x  y", "x FOR UPDATE y");
        check("x /*sqlite:$2*//*postgres:now()*/", "x ?2", "x now()");
        check("x /* said plainly */", "x ", "x ");
        check("x /* never closed", "x /* never closed", "x /* never closed");
    }

    #[test]
    fn only_rows_are_read_and_written() {
        for sql in [
            "COMMIT",
            "rollback",
            "EXPLAIN ANALYZE DELETE",
            "PRAGMA user_version",
            "ATTACH 'x' AS y",
            "",
            "BEGIN",
        ] {
            let refused = check_statement(sql, Scoped::System).unwrap_err();
            assert_eq!(refused.code(), "invalid_statement", "{sql}");
        }
        check_statement("  select * from t where tenant_id = $1", Scoped::Tenant).unwrap();
        check_statement("EXPLAIN QUERY PLAN SELECT 1", Scoped::System).unwrap();
    }

    #[test]
    #[should_panic(expected = "without tenant_id")]
    fn a_statement_that_forgets_the_tenant_stops_the_tests() {
        let _ = check_statement("SELECT * FROM tasks WHERE id = $2", Scoped::Tenant);
    }
}
