//! What the measured work costs, whatever else the machine does meanwhile: the kernel's account of
//! a process.

use anyhow::Context as _;

/// CPU time of this process, user and system.
pub(crate) fn cpu_seconds() -> anyhow::Result<f64> {
    cpu_seconds_of("self")
}

/// CPU time of the process with this id, user and system.
pub(crate) fn cpu_seconds_of(process: &str) -> anyhow::Result<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let fields: Vec<&str> =
        stat.rsplit_once(')').context("no process name")?.1.split_whitespace().collect();
    let ticks = |place: usize| -> anyhow::Result<f64> {
        Ok(fields.get(place).context("a field is missing")?.parse()?)
    };
    // Fields 14 and 15 of proc(5), in ticks of 1/100 s.
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

/// Bytes handed over to be written to files and sockets (`wchar` of proc(5)).
pub(crate) fn written_bytes() -> anyhow::Result<u64> {
    let io = std::fs::read_to_string("/proc/self/io")?;
    let line = io.lines().find_map(|line| line.strip_prefix("wchar: "));
    Ok(line.context("no count of written bytes")?.parse()?)
}
