//! What goes in comes out, within limits.

use serde_json::json;

use super::bed::{Bed, put, rows};
use crate::{MAX_STATEMENTS, MAX_VALUE_BYTES, Param, WriteSet, params};

const INSERT_ALL: &str = "INSERT INTO test_rows (tenant_id, id, n, note, share, raw)
    VALUES ($1, $2, $3, $4, $5, $6)";

const SELECT_ALL: &str = "SELECT n, note, share, raw FROM test_rows
    WHERE tenant_id = $1 AND id = $2";

pub(super) async fn every_value_fits_its_column_and_null_fits_all(bed: Bed) {
    let cases = [
        ("full", params![i64::MIN, "Ω \u{1F600} '\"$1", 0.1, vec![0u8, 255]]),
        ("whole", params![true, json!({"b": 1, "a": [null, 2.5]}), 3, vec![1u8]]),
        ("empty", params![0, "", 0.0, Vec::<u8>::new()]),
        ("null", vec![Param::Null, Param::Null, Param::Null, Param::Null]),
        ("none", params![None::<i64>, None::<&str>, None::<f64>, None::<Vec<u8>>]),
    ];
    for (id, values) in &cases {
        let mut all = params![*id];
        all.extend(values.iter().cloned());
        let mut writes = WriteSet::new();
        writes.push(INSERT_ALL, all);
        bed.db.submit(&bed.ctx("a"), writes).await.unwrap();
    }
    let mut snapshot = bed.db.read(&bed.ctx("a")).await.unwrap();
    for (id, values) in &cases {
        let row = snapshot.query_one(SELECT_ALL, &params![*id]).await.unwrap();
        let expected = |place: usize| values[place].clone();
        assert_eq!(Param::from(row.opt_int(0).unwrap()), expected(0), "{id}");
        assert_eq!(Param::from(row.opt_text(1).unwrap()), expected(1), "{id}");
        match expected(2) {
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            Param::Int(int) => assert!((row.real(2).unwrap() - int as f64).abs() < f64::EPSILON),
            real => assert_eq!(Param::from(row.opt_real(2).unwrap()), real, "{id}"),
        }
        assert_eq!(Param::from(row.opt_bytes(3).unwrap()), expected(3), "{id}");
        let wrong = row.int(1).unwrap_err();
        assert_eq!(wrong.code(), "invalid_statement", "{id}");
        assert_eq!(row.text(9).unwrap_err().code(), "invalid_statement");
    }
}

pub(super) async fn a_wrong_number_of_parameters_is_told(bed: Bed) {
    for params in [params![], params!["1", 2]] {
        let mut tx = bed.db.begin(&bed.ctx("a")).await.unwrap();
        let sql = "DELETE FROM test_rows WHERE tenant_id = $1 AND id = $2";
        assert_eq!(tx.execute(sql, &params).await.unwrap_err().code(), "invalid_statement");
    }
}

pub(super) async fn what_is_too_large_is_refused(bed: Bed) {
    let large = "x".repeat(MAX_VALUE_BYTES + 1);
    for value in [Param::from(large.as_str()), Param::from(json!(large))] {
        let code = bed
            .refused(|writes| {
                writes.push(
                    "INSERT INTO test_rows (tenant_id, id, note) VALUES ($1, '1', $2)",
                    vec![value],
                );
            })
            .await;
        assert_eq!(code, "too_large_to_store");
    }
    let many: Vec<&str> = vec!["x"; MAX_STATEMENTS + 1];
    assert_eq!(bed.refused(|writes| writes.extend(rows(&many))).await, "too_large_to_store");
    let mut snapshot = bed.db.read(&bed.ctx("a")).await.unwrap();
    let endless = "WITH RECURSIVE numbers(n) AS (
            SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 100001)
        SELECT n FROM numbers WHERE 'tenant_id' <> $1";
    assert_eq!(snapshot.query(endless, &[]).await.unwrap_err().code(), "too_large_to_store");
}

pub(super) async fn filters_put_together_at_run_time_are_bound(bed: Bed) {
    bed.db.submit(&bed.ctx("a"), rows(&["1", "2", "3"])).await.unwrap();
    let mut sql = "SELECT id FROM test_rows WHERE tenant_id = $1".to_owned();
    for (place, _) in ["1", "3"].iter().enumerate() {
        sql.push_str(if place == 0 { " AND id IN (" } else { ", " });
        sql.push_str(&format!("${}", place + 2));
    }
    sql.push_str(") ORDER BY id DESC");
    let mut snapshot = bed.db.read(&bed.ctx("a")).await.unwrap();
    let found = snapshot.query_dynamic(&sql, &params!["1", "3"]).await.unwrap();
    let found: Vec<_> = found.iter().map(|row| row.text(0).unwrap()).collect();
    assert_eq!(found, ["3", "1"]);
}

pub(super) async fn lists_are_read_in_pages(bed: Bed) {
    let mut tx = bed.db.begin(&bed.ctx("a")).await.unwrap();
    for n in 0..25 {
        put(&mut tx, &format!("{n:02}")).await;
    }
    tx.commit(()).await.unwrap();
    let mut snapshot = bed.db.read(&bed.ctx("a")).await.unwrap();
    let page = "SELECT id FROM test_rows WHERE tenant_id = $1 AND id > $2 ORDER BY id LIMIT $3";
    let (mut after, mut sizes, mut all) = (String::new(), Vec::new(), Vec::new());
    loop {
        let rows = snapshot.query(page, &params![&after, 10]).await.unwrap();
        let Some(last) = rows.last() else { break };
        after = last.text(0).unwrap();
        sizes.push(rows.len());
        all.extend(rows.iter().map(|row| row.text(0).unwrap()));
    }
    assert_eq!(sizes, [10, 10, 5]);
    assert!(all.is_sorted() && all.len() == 25);
}
