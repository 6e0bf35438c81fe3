//! What the disk can do: how many writes of 4 KiB it makes durable one after the other.

use std::fs::File;
use std::io::{Seek as _, Write as _};
use std::time::{Duration, Instant};

/// Durable writes a second.
pub(crate) fn syncs_per_second() -> anyhow::Result<f64> {
    let folder = tempfile::tempdir()?;
    let mut file = File::create(folder.path().join("probe"))?;
    let block = [7_u8; 4_096];
    let (started, mut count) = (Instant::now(), 0_u32);
    while started.elapsed() < Duration::from_secs(1) {
        file.rewind()?;
        file.write_all(&block)?;
        file.sync_data()?;
        count += 1;
    }
    Ok(f64::from(count) / started.elapsed().as_secs_f64())
}
