//! Our parameter and column types on the wire of PostgreSQL.
//!
//! The server infers the type of each placeholder from the statement; a value is then written in
//! that type. So NULL fits everywhere, and `Int` fits BIGINT, INTEGER, DOUBLE PRECISION and TEXT.

use std::error::Error as StdError;

use flowmaster_kernel::Result;
use tokio_postgres::Row as ServerRow;
use tokio_postgres::types::private::BytesMut;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::param::Bound;
use crate::row::{Cell, Row};
use crate::{Param, error};

/// One value to be sent.
#[derive(Debug)]
pub(super) enum Wire<'a> {
    Null,
    Int(i64),
    Real(f64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

/// The values of a statement, in the order of its placeholders.
pub(super) fn wires<'a>(bound: Bound<'a>) -> Result<Vec<Wire<'a>>> {
    bound.check_sizes()?;
    let tenant = bound.tenant.map(Wire::Text);
    Ok(tenant.into_iter().chain(bound.params.iter().map(wire)).collect())
}

fn wire(param: &Param) -> Wire<'_> {
    match param {
        Param::Null => Wire::Null,
        Param::Int(int) => Wire::Int(*int),
        Param::Real(real) => Wire::Real(*real),
        Param::Text(text) => Wire::Text(text),
        Param::Bytes(bytes) => Wire::Bytes(bytes),
    }
}

pub(super) fn references<'a>(wires: &'a [Wire<'a>]) -> Vec<&'a (dyn ToSql + Sync)> {
    wires.iter().map(|wire| wire as &(dyn ToSql + Sync)).collect()
}

impl ToSql for Wire<'_> {
    fn to_sql(
        &self,
        ty: &Type,
        out: &mut BytesMut,
    ) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Int(int) => int_to_sql(*int, ty, out),
            Self::Real(real) if *ty == Type::FLOAT8 => real.to_sql(ty, out),
            Self::Text(text) if is_text(ty) => text.to_sql(ty, out),
            Self::Bytes(bytes) if *ty == Type::BYTEA => bytes.to_sql(ty, out),
            other => Err(format!("{other:?} does not fit a placeholder of type {ty}").into()),
        }
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    to_sql_checked!();
}

fn int_to_sql(
    int: i64,
    ty: &Type,
    out: &mut BytesMut,
) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
    match *ty {
        Type::INT8 => int.to_sql(ty, out),
        Type::INT4 => i32::try_from(int)?.to_sql(ty, out),
        Type::INT2 => i16::try_from(int)?.to_sql(ty, out),
        #[expect(clippy::cast_precision_loss, reason = "the column holds DOUBLE PRECISION")]
        Type::FLOAT8 => (int as f64).to_sql(ty, out),
        _ if is_text(ty) => int.to_string().to_sql(ty, out),
        _ => Err(format!("a number does not fit a placeholder of type {ty}").into()),
    }
}

fn is_text(ty: &Type) -> bool {
    [Type::TEXT, Type::VARCHAR, Type::BPCHAR, Type::UNKNOWN].contains(ty)
}

pub(super) fn read_row(row: &ServerRow) -> Result<Row> {
    let cells = row.columns().iter().enumerate().map(|(place, column)| {
        let cell = match *column.type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(place).map(|int| int.map(Cell::Int)),
            Type::INT4 => row
                .try_get::<_, Option<i32>>(place)
                .map(|int| int.map(|int| Cell::Int(i64::from(int)))),
            Type::INT2 => row
                .try_get::<_, Option<i16>>(place)
                .map(|int| int.map(|int| Cell::Int(i64::from(int)))),
            Type::BOOL => row
                .try_get::<_, Option<bool>>(place)
                .map(|truth| truth.map(|truth| Cell::Int(i64::from(truth)))),
            Type::FLOAT8 => row.try_get::<_, Option<f64>>(place).map(|real| real.map(Cell::Real)),
            Type::FLOAT4 => row
                .try_get::<_, Option<f32>>(place)
                .map(|real| real.map(|real| Cell::Real(f64::from(real)))),
            Type::BYTEA => {
                row.try_get::<_, Option<Vec<u8>>>(place).map(|bytes| bytes.map(Cell::Bytes))
            }
            ref text if is_text(text) || *text == Type::NAME => {
                row.try_get::<_, Option<String>>(place).map(|text| text.map(Cell::Text))
            }
            ref other => {
                let problem = format!("column {} is {other}: CAST it", column.name());
                return Err(error::statement(problem));
            }
        };
        cell.map(|cell| cell.unwrap_or(Cell::Null))
            .map_err(|problem| flowmaster_kernel::Error::internal("database_error", problem))
    });
    cells.collect::<Result<Vec<_>>>().map(Row)
}
