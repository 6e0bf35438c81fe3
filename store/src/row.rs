//! Values that come out of a statement.

use flowmaster_kernel::{Error, Id, Result, Timestamp};
use serde::de::DeserializeOwned;

use crate::error;

/// One column of a row, in the types both back ends share.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Null,
    Int(i64),
    Real(f64),
    Text(String),
    Bytes(Vec<u8>),
}

/// One row of an answer. Columns are counted from 0 in the order of the statement.
///
/// A column of another type than asked for is a defect of the statement and answers the internal
/// error `invalid_statement`.
#[derive(Clone, Debug, PartialEq)]
pub struct Row(pub(crate) Vec<Cell>);

impl Row {
    fn cell(&self, column: usize) -> Result<&Cell> {
        self.0.get(column).ok_or_else(|| {
            error::statement(format!("column {column} asked for, {} selected", self.0.len()))
        })
    }

    /// TEXT.
    ///
    /// # Errors
    /// NULL or another type.
    pub fn text(&self, column: usize) -> Result<String> {
        self.str(column).map(str::to_owned)
    }

    /// TEXT, borrowed from the row.
    ///
    /// # Errors
    /// NULL or another type.
    pub fn str(&self, column: usize) -> Result<&str> {
        match self.cell(column)? {
            Cell::Text(text) => Ok(text),
            other => Err(mismatch(column, "TEXT", other)),
        }
    }

    /// TEXT or NULL.
    ///
    /// # Errors
    /// Another type.
    pub fn opt_text(&self, column: usize) -> Result<Option<String>> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            _ => self.text(column).map(Some),
        }
    }

    /// TEXT that is an id.
    ///
    /// # Errors
    /// NULL or another type.
    pub fn id<K>(&self, column: usize) -> Result<Id<K>> {
        self.text(column).map(Id::from_text)
    }

    /// BIGINT.
    ///
    /// # Errors
    /// NULL or another type.
    pub fn int(&self, column: usize) -> Result<i64> {
        match self.cell(column)? {
            Cell::Int(int) => Ok(*int),
            other => Err(mismatch(column, "BIGINT", other)),
        }
    }

    /// BIGINT or NULL.
    ///
    /// # Errors
    /// Another type.
    pub fn opt_int(&self, column: usize) -> Result<Option<i64>> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            _ => self.int(column).map(Some),
        }
    }

    /// BIGINT that counts something.
    ///
    /// # Errors
    /// NULL, another type, or a negative number.
    pub fn count(&self, column: usize) -> Result<u64> {
        u64::try_from(self.int(column)?)
            .map_err(|source| Error::internal("invalid_statement", source))
    }

    /// BIGINT written from a `bool`.
    ///
    /// # Errors
    /// NULL or another type.
    pub fn bool(&self, column: usize) -> Result<bool> {
        Ok(self.int(column)? != 0)
    }

    /// DOUBLE PRECISION. A whole number counts as one.
    ///
    /// # Errors
    /// NULL or another type.
    pub fn real(&self, column: usize) -> Result<f64> {
        match self.cell(column)? {
            Cell::Real(real) => Ok(*real),
            #[expect(clippy::cast_precision_loss, reason = "the column holds DOUBLE PRECISION")]
            Cell::Int(int) => Ok(*int as f64),
            other => Err(mismatch(column, "DOUBLE PRECISION", other)),
        }
    }

    /// DOUBLE PRECISION or NULL.
    ///
    /// # Errors
    /// Another type.
    pub fn opt_real(&self, column: usize) -> Result<Option<f64>> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            _ => self.real(column).map(Some),
        }
    }

    /// BYTEA.
    ///
    /// # Errors
    /// NULL or another type.
    pub fn bytes(&self, column: usize) -> Result<Vec<u8>> {
        match self.cell(column)? {
            Cell::Bytes(bytes) => Ok(bytes.clone()),
            other => Err(mismatch(column, "BYTEA", other)),
        }
    }

    /// BYTEA or NULL.
    ///
    /// # Errors
    /// Another type.
    pub fn opt_bytes(&self, column: usize) -> Result<Option<Vec<u8>>> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            _ => self.bytes(column).map(Some),
        }
    }

    /// TEXT that holds JSON, read as `T`.
    ///
    /// # Errors
    /// NULL, another type, or JSON of another shape: `stored_json_unreadable`.
    pub fn json<T: DeserializeOwned>(&self, column: usize) -> Result<T> {
        serde_json::from_str(self.str(column)?)
            .map_err(|source| Error::internal("stored_json_unreadable", source))
    }

    /// TEXT that holds JSON, or NULL.
    ///
    /// # Errors
    /// As [`Row::json`].
    pub fn opt_json<T: DeserializeOwned>(&self, column: usize) -> Result<Option<T>> {
        match self.cell(column)? {
            Cell::Null => Ok(None),
            _ => self.json(column).map(Some),
        }
    }

    /// BIGINT milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// NULL or another type.
    pub fn timestamp(&self, column: usize) -> Result<Timestamp> {
        self.int(column).map(Timestamp::from_millis)
    }

    /// BIGINT milliseconds since the Unix epoch, or NULL.
    ///
    /// # Errors
    /// Another type.
    pub fn opt_timestamp(&self, column: usize) -> Result<Option<Timestamp>> {
        Ok(self.opt_int(column)?.map(Timestamp::from_millis))
    }
}

fn mismatch(column: usize, wanted: &str, found: &Cell) -> Error {
    let found = match found {
        Cell::Null => "NULL",
        Cell::Int(_) => "BIGINT",
        Cell::Real(_) => "DOUBLE PRECISION",
        Cell::Text(_) => "TEXT",
        Cell::Bytes(_) => "BYTEA",
    };
    error::statement(format!("column {column} is {found}, asked for as {wanted}"))
}
