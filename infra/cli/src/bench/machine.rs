//! What the machine says: how fast its disk is, how much memory we took.

use std::fs::{self, File};
use std::io::Write as _;
use std::time::Duration;

use tokio::time::Instant;

/// Writes that are timed.
const WRITES: usize = 200;
/// Bytes of each: a page of SQLite's.
const PAGE: [u8; 4096] = [7; 4096];

/// Times of a write with `fdatasync`, where the durable system keeps its data.
pub(crate) fn syncs() -> anyhow::Result<Vec<Duration>> {
    let path = std::env::temp_dir().join(format!("dunlin-bench-{}-sync", std::process::id()));
    let mut file = File::create(&path)?;
    let mut times = Vec::with_capacity(WRITES);
    for _ in 0..WRITES {
        let begun = Instant::now();
        file.write_all(&PAGE)?;
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    fs::remove_file(path)?;
    Ok(times)
}

/// Most memory ever resident in this process, in MiB (`VmHWM`); none where the system does not say.
pub(crate) fn peak_mebibytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes / 1024)
}

/// The value below which `percent` of the times are, in milliseconds; 0 where there are none.
pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let place = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(place).map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let mut times: Vec<Duration> = (1..=200).rev().map(Duration::from_millis).collect();
        let exact = |got: f64, expected: f64| (got - expected).abs() < 1e-9;
        assert!(exact(percentile(&mut times, 50), 101.0));
        assert!(exact(percentile(&mut times, 99), 199.0));
        assert!(exact(percentile(&mut [], 99), 0.0));
    }
}
