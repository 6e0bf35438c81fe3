//! Whether an instance is read as it was written. SQLite has no checksums of its pages: without this
//! a byte that the disk changed would be taken for a value.

use flowmaster_kernel::{Error, Result, Timestamp};
use sha2::{Digest, Sha256};

use super::super::instance::Stored;

/// The sum of everything that is read of `stored`, whose state is the text `body`.
pub(super) fn of(stored: &Stored, body: &str) -> i64 {
    let Stored { instance, process, process_version, version, head, started_at, ended_at } = stored;
    let ended_at = ended_at.map_or(i64::MIN, Timestamp::as_millis);
    let numbers = [*process_version, *version, started_at.as_millis(), ended_at];
    let mut digest = Sha256::new();
    for number in numbers {
        digest.update(number.to_be_bytes());
    }
    for text in [&*instance.id, &**process, &head.hash, body] {
        digest.update((text.len() as u64).to_be_bytes());
        digest.update(text);
    }
    let [a, b, c, d, e, f, g, h, ..] = digest.finalize().0;
    i64::from_be_bytes([a, b, c, d, e, f, g, h])
}

/// Compares with the sum that was written; rows of releases before there were sums have none.
pub(super) fn check(stored: &Stored, body: &str, written: Option<i64>) -> Result<()> {
    match written {
        Some(written) if written != of(stored, body) => Err(damaged(&stored.instance.id)),
        _ => Ok(()),
    }
}

/// What is stored of the instance is not what was written.
pub(in crate::execution) fn damaged(id: &str) -> Error {
    Error::conflict("instance_damaged", format!("the stored state of {id} is damaged"))
        .why("it was changed outside of FlowMaster, or by the disk")
        .fix("run flowmaster doctor, and restore a backup; the journal tells what happened")
        .next("instance_timeline")
}
