//! What is checked before the first write.

use std::sync::Arc;

use flowmaster_kernel::{Error, ManualClock};

use super::super::check_version;
use super::{Bed, folder, on_writer, sqlite};
use crate::conformance::bed::{ROOM, rows};
use crate::{Db, DbConfig, Durability, Health};

async fn open(config: &DbConfig) -> Result<Db, Error> {
    Db::open(config, Arc::new(ManualClock::default())).await.map_err(Error::from)
}

#[tokio::test]
async fn one_process_has_the_folder() {
    let bed = Bed::sqlite().await;
    let locked = open(&bed.config).await.err().unwrap();
    assert_eq!(locked.code(), "data_folder_locked");
    assert!(locked.body().fix.as_ref().unwrap().contains("another folder"));
    let config = bed.config.clone();
    let Bed { db, .. } = &bed;
    db.clone().close().await;
    // Closed, it is free at once, though handles are still around.
    let again = open(&config).await.unwrap();
    drop(again);
    open(&config).await.unwrap();
}

#[test]
fn sqlite_with_the_wal_reset_bug_is_refused() {
    let check = |version: i32, accepted: bool| {
        let outcome =
            check_version(version).map_err(|problem| Error::from(problem).code().to_owned());
        let expected = if accepted { Ok(()) } else { Err("sqlite_too_old".to_owned()) };
        assert_eq!(outcome, expected, "{version}");
    };
    check(3_040_001, false);
    check(3_051_002, false);
    check(3_051_003, true);
    check(3_054_001, true);
    check(rusqlite::version_number(), true);
}

#[tokio::test]
async fn every_connection_has_the_settings_durability_rests_on() {
    let bed = Bed::sqlite().await;
    let names = ["journal_mode", "synchronous", "foreign_keys", "mmap_size", "busy_timeout"];
    let wanted = ["wal", "2", "1", "0", "5000"];
    let found = on_writer(&bed, move |conn| names.map(|name| conn.pragma(name).unwrap())).await;
    assert_eq!(found, wanted);
    let mut readers = Vec::new();
    for _ in 0..bed.config.readers {
        let reader = sqlite(&bed).read().await.unwrap();
        assert_eq!(names.map(|name| reader.pragma(name)), wanted);
        assert_eq!(reader.pragma("query_only"), "1");
        readers.push(reader);
    }
}

#[tokio::test]
async fn a_setting_that_does_not_take_is_an_error() {
    let bed = Bed::sqlite().await;
    // A database in WAL mode cannot go back while readers are connected.
    let refused = on_writer(&bed, |conn| conn.set("journal_mode", "memory").err()).await;
    let code = refused.map(|problem| Error::from(problem).code().to_owned());
    assert!(
        ["database_setting_refused", "database_unreadable"]
            .map(|code| Some(code.to_owned()))
            .contains(&code),
        "{code:?}"
    );
}

#[tokio::test]
async fn a_folder_that_cannot_be_used_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "not a folder").unwrap();
    let unusable = open(&DbConfig::new(format!("sqlite:{}", file.display()))).await.err().unwrap();
    assert_eq!(unusable.code(), "data_folder_unusable");
    assert!(unusable.to_string().contains("file"));
}

#[tokio::test]
async fn a_damaged_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("flowmaster.db"), "x".repeat(8192)).unwrap();
    let config = DbConfig::new(format!("sqlite:{}", folder.path().display()));
    assert_eq!(open(&config).await.err().unwrap().code(), "database_unreadable");
}

#[tokio::test]
async fn what_was_queued_before_closing_is_done_and_the_folder_is_free() {
    let bed = Bed::sqlite().await;
    let ctx = bed.ctx("a");
    let writes = super::Waiting::made(bed.db.submit(&ctx, rows(&["queued"])));
    bed.db.clone().close().await;
    writes.answer().await.unwrap();
    assert_eq!(bed.db.status().health, Health::Closed);
    let again = open(&bed.config).await.unwrap();
    again.migrate(&[ROOM]).await.unwrap();
    drop(again);
    assert_eq!(super::committed(&bed), ["queued"]);
}

#[tokio::test]
async fn a_store_without_space_for_its_reserve_starts_and_refuses_new_work() {
    let bed = Bed::sqlite().await;
    let (config, folder) = (bed.config.clone(), folder(&bed));
    bed.db.clone().close().await;
    std::fs::remove_file(folder.join("reserve")).unwrap();
    std::fs::create_dir(folder.join("reserve.partial")).unwrap();
    let db = open(&config).await.unwrap();
    assert_eq!(db.status().health, Health::StorageLow);
    assert_eq!(db.submit(&bed.ctx("a"), rows(&["1"])).await.unwrap_err().code(), "storage_full");
}

#[tokio::test]
async fn a_temporary_database_goes_away_with_its_last_handle() {
    let db = Db::temporary(Arc::new(ManualClock::default())).await;
    assert_eq!(db.applied_steps().await.unwrap().len(), 9);
    db.migrate(&[ROOM]).await.unwrap();
    let config = DbConfig { durability: Durability::ProcessOnly, ..DbConfig::new("sqlite:unused") };
    assert_eq!(config.reserve_bytes, 16 * 1024 * 1024);
    let again = db.clone();
    drop(db);
    assert_eq!(again.status().health, Health::Ready);
}
