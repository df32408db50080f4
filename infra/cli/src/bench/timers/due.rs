//! What is due within one minute, among what waits: found, handed over and moved by sweeps and `schedule` in virtual time.

use dunlin_aws::Clock;
use dunlin_aws::runs::Runs;
use dunlin_aws::timers::OVERDUE;
use dunlin_core::run::RunState;
use dunlin_local::{Cloud, Service, Usage};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::bench::timers::fleet::{Fleet, Seen};
use crate::bench::timers::rows::{Filling, Rowed};
use crate::bench::virtual_time::{START, Virtual};

/// A wait of thirty days and nothing else.
const DELAY: &str = "
id: cmp_delay
name: Delay
kind: workflow
trigger: {event: Began}
steps:
  - wait: 720 hours
";
/// How long it waits.
const WAIT: SignedDuration = SignedDuration::from_hours(720);
/// When the minute begins in which much is due: beyond what the first sweep hands over, and at a full minute, so that one
/// sweep has all of it.
const AHEAD: SignedDuration = SignedDuration::from_mins(20);
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
/// When the others are due: from tomorrow on, within the wait's length.
const FAR: SignedDuration = SignedDuration::from_hours(24);
const SPREAD: SignedDuration = SignedDuration::from_hours(24 * 28);
/// Of those that wait for long, at most so many have the run's own row beside the timer: more do not fit the memory, and
/// nobody reads them.
const RUNS: u64 = 1_000_000;
/// Rows of a page of the runs that are counted at the end.
const PAGE: i32 = 1_000;

/// What became of them.
#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Due {
    /// Runs that wait for far-off times.
    pub(crate) waiting: u64,
    /// Runs that were due within the minute.
    pub(crate) due: u64,
    /// Runs that went on; of them, those that did so more than once.
    pub(crate) moved: u64,
    pub(crate) twice: u64,
    /// Runs that were due and did not go on.
    pub(crate) lost: u64,
    /// Hints that `schedule` took: more than runs where some were given twice.
    pub(crate) hints: u64,
    /// How late the last one was, in seconds of virtual time.
    pub(crate) late_seconds: f64,
    /// Sweeps, those that failed or were ended, and the longest of them, in seconds of virtual time.
    pub(crate) sweeps: u64,
    pub(crate) failed: u64,
    pub(crate) longest_seconds: f64,
    /// What the sweeps asked of the tables to find what is due: requests, and read units.
    pub(crate) found_requests: u64,
    pub(crate) found_units: f64,
    /// Requests that put tasks on queues.
    pub(crate) handed_requests: u64,
    /// All units, of sweeps and `schedule`.
    pub(crate) read_units: f64,
    pub(crate) write_units: f64,
}

/// Plays a minute in which `due` runs are due, while `waiting` others wait.
pub(crate) async fn play(waiting: u64, due: u64) -> anyhow::Result<Due> {
    let start: Timestamp = START.parse()?;
    let stage = Virtual::by(Clock::stepped_at(start)).await?;
    let cloud = stage.world.cloud();
    let campaign = stage.publish(DELAY).await?;
    let rowed = Rowed::new(&stage.place, campaign, start);
    fill(&rowed, cloud, &stage.world.settings().prefix, start, (waiting, due))?;
    let before = cloud.meter().snapshot();
    let end = start + AHEAD + MINUTE + OVERDUE + MINUTE * 2;
    let seen = Fleet::new(cloud, stage.world.settings()).play(end).await;
    let used = cloud.meter().snapshot().difference(&before);
    let (moved, twice) = moved(&stage).await?;
    Ok(Due::of((waiting, due), (moved, twice), &seen, &used))
}

fn fill(
    rowed: &Rowed,
    cloud: &Cloud,
    prefix: &str,
    start: Timestamp,
    (waiting, due): (u64, u64),
) -> anyhow::Result<()> {
    let mut filling = Filling::new(cloud, prefix);
    let spread = |over: SignedDuration, n: u64, of: u64| {
        SignedDuration::from_millis((over.as_millis() * i128::from(n) / i128::from(of.max(1))) as i64)
    };
    for n in 0..due {
        // The first is due a moment after the full minute, the last one at the next.
        let at = start + AHEAD + spread(MINUTE, n + 1, due) - WAIT;
        filling.add(rowed.of(n, &format!("user-{n}"), at, "red")?)?;
    }
    for n in 0..waiting {
        let at = start + FAR + spread(SPREAD, n, waiting) - WAIT;
        let mut rows = rowed.of(due + n, &format!("user-{n}"), at, "red")?;
        if n >= RUNS {
            rows.run.clear();
        }
        filling.add(rows)?;
    }
    filling.put()
}

/// The runs that are over, and those of them that were stored more than once since they began.
async fn moved(stage: &Virtual) -> anyhow::Result<(u64, u64)> {
    let runs = Runs::new(stage.world.clients(), &stage.world.settings().prefix);
    let (mut moved, mut twice, mut behind) = (0, 0, None);
    loop {
        let page = runs.scan(&stage.place.id, behind.as_deref(), PAGE).await?;
        for run in page.runs.iter().filter(|run| matches!(run.state.state, RunState::Ended { .. })) {
            moved += 1;
            twice += u64::from(run.version > 2);
        }
        behind = page.next;
        if behind.is_none() {
            return Ok((moved, twice));
        }
    }
}

impl Due {
    fn of((waiting, due): (u64, u64), (moved, twice): (u64, u64), seen: &Seen, used: &Usage) -> Self {
        // Nobody else asks for ranges of a table, or for many runs at once.
        let [query, list] = ["Query", "BatchGetItem"].map(|operation| used.get(Service::DynamoDb, operation));
        let tables = used.total(Service::DynamoDb);
        Self {
            waiting,
            due,
            moved,
            twice,
            lost: due.saturating_sub(moved),
            hints: seen.hints,
            late_seconds: seen.late.as_secs_f64(),
            sweeps: seen.sweeps,
            failed: seen.failed,
            longest_seconds: seen.longest.as_secs_f64(),
            found_requests: query.requests + list.requests,
            found_units: query.read_units + list.read_units,
            handed_requests: used.get(Service::SqsStandard, "SendMessageBatch").requests,
            read_units: tables.read_units,
            write_units: tables.write_units,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn of_many_that_are_due_in_a_minute_none_is_lost_or_twice_and_who_waits_costs_nothing() {
        // A hundred in each shard of the timers: a page, which leaves in ten requests to the queue.
        let due = 1_600;
        let few = play(0, due).await.expect("a play");
        let many = play(2_000, due).await.expect("a play");
        for played in [few, many] {
            let all = (played.moved, played.lost, played.twice, played.hints, played.failed);
            assert_eq!(all, (due, 0, 0, due, 0), "{played:?}");
            assert!(played.late_seconds < 5.0, "{played:?}");
            // In virtual time: ten requests in turn would take 150 ms alone.
            assert!(played.longest_seconds < 0.2, "{played:?}");
        }
        assert_eq!(few.found_requests, many.found_requests);
        assert!((few.found_units - many.found_units).abs() < 1e-9, "{few:?} {many:?}");
        assert!((few.read_units - many.read_units).abs() < 1e-9, "{few:?} {many:?}");
    }
}
