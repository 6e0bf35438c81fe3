//! What carries the write-ahead log over into the database.

use std::time::{Duration, Instant};

use super::{Bed, folder};
use crate::conformance::bed::rows;

/// Pages of the log, and how many of them are in the database.
fn log(bed: &Bed) -> (i64, i64) {
    let raw = rusqlite::Connection::open(folder(bed).join(super::super::FILE)).unwrap();
    let look = "PRAGMA wal_checkpoint(NOOP)";
    raw.query_row(look, [], |row| Ok((row.get(1)?, row.get(2)?))).unwrap()
}

#[tokio::test]
async fn a_long_log_is_carried_over_beside_the_writer() {
    let bed = Bed::sqlite_with(|_| ()).await;
    let ctx = bed.ctx("a");
    let patience = Instant::now() + Duration::from_secs(60);
    let mut written = 0;
    // Each commit writes a few pages, and none of them reaches what makes the writer do it.
    while log(&bed).1 < 2_000 {
        assert!(Instant::now() < patience, "nothing was carried over of {:?}", log(&bed));
        if log(&bed).0 < 8_000 {
            let ids: Vec<String> = (0..200).map(|n| format!("{:05}", written + n)).collect();
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            bed.db.submit(&ctx, rows(&ids)).await.unwrap();
            written += 200;
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(super::committed(&bed).len(), written);
}
