//! What the measured work costs, whatever else the machine does meanwhile.

use anyhow::Context as _;

/// CPU time of this process, user and system, from the kernel's account of it.
pub(crate) fn cpu_seconds() -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> =
        stat.rsplit_once(')').context("no process name")?.1.split_whitespace().collect();
    let ticks = |place: usize| -> anyhow::Result<f64> {
        Ok(fields.get(place).context("a field is missing")?.parse()?)
    };
    // Fields 14 and 15 of proc(5), in ticks of 1/100 s.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}
