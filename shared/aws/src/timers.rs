//! Timers: every wait is a row. Rows lie in partitions of one UTC day and one shard, sorted by their instant, so that
//! finding what is due is a range of a partition: it costs by what is due, never by what waits. There is no index and
//! nothing is scanned.
//!
//! A sweep reads the range up to [`AHEAD`] of now and remembers in a cursor how far it came; rows leave by TTL, at no
//! cost. A wait that ends within [`NEAR`] may lie behind the cursor already: who makes it also sends the step itself.

use dunlin_core::ids::{ProjectId, RunId, digest};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clients::Clients;
use crate::error::{Error, Kind, Result};
use crate::item::{self, expires};
use crate::planted;
use crate::resources;
use crate::table::{Table, versioned};

/// Shards of a day: a partition takes 1,000 writes a second, so a day takes 16,000 a second.
pub const SHARDS: u32 = 16;
/// How far ahead of time a sweep goes: what SQS can hold back, less the minute until the next sweep.
pub const AHEAD: SignedDuration = SignedDuration::from_mins(14);
/// How long after its instant a timer is looked at again: by then its run has long moved on, unless its hint was lost.
pub const OVERDUE: SignedDuration = SignedDuration::from_mins(5);
/// A wait that ends sooner than this is also sent straight to the steps queue: [`AHEAD`], and two minutes for
/// clocks that differ and a handler that dawdles.
pub const NEAR: SignedDuration = SignedDuration::from_mins(16);
/// How long a row outlives its instant: longer than a sweep may be out of order before somebody sees it.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 30);
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// A run's waiting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timer {
    /// Whose run it is.
    pub project: ProjectId,
    /// The run.
    pub run: RunId,
    /// The run's count of moves when it began to wait.
    pub moves: u32,
    /// When the wait ends.
    pub due_at: Timestamp,
}

/// How much a sweep does before it remembers how far it came, when it is about on time.
const SHORT: SignedDuration = SignedDuration::from_mins(10);
/// How far behind a sweep must be to go by whole days: through time in which nobody swept.
const FAR: SignedDuration = SignedDuration::from_hours(6);

/// A stretch of time within one UTC day: after `after`, up to and including `upto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stretch {
    after: Timestamp,
    /// Its last instant.
    pub upto: Timestamp,
}

impl Stretch {
    /// The first stretch after `after` that ends by `last`; none when there is nothing in between.
    #[must_use]
    pub fn next(after: Timestamp, last: Timestamp) -> Option<Self> {
        let first = after.as_millisecond() + 1;
        let midnight = (first.div_euclid(DAY) + 1) * DAY - 1;
        let whole = if last.duration_since(after) > FAR { last - FAR } else { last.min(after + SHORT) };
        let upto = Timestamp::from_millisecond(midnight).unwrap_or(Timestamp::MAX).min(whole);
        (after < last).then_some(Self { after, upto })
    }
}

/// How far a sweep came in one shard of a stretch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reached {
    /// Nowhere yet.
    #[default]
    Nothing,
    /// Behind this sort key.
    Behind(String),
    /// Its end.
    All,
}

/// A stretch that is being swept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnderWay {
    /// The stretch.
    pub stretch: Stretch,
    /// How far each of the [`SHARDS`] has been swept.
    pub shards: Vec<Reached>,
}

impl UnderWay {
    /// The next stretch after `after` that ends by `last`, of which nothing is swept; see [`Stretch::next`].
    #[must_use]
    pub fn next(after: Timestamp, last: Timestamp) -> Option<Self> {
        let stretch = Stretch::next(after, last)?;
        Some(Self { stretch, shards: (0..SHARDS).map(|_| Reached::Nothing).collect() })
    }

    /// Whether all of it is swept.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.shards.iter().all(|reached| *reached == Reached::All)
    }
}

/// How far a walk over the timers has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// Up to when it has seen everything.
    pub upto: Timestamp,
    /// The stretch behind that, where a sweep ran out of time in it or failed: however much comes due at one instant, the
    /// next sweep goes on where that one stopped.
    pub under_way: Option<UnderWay>,
    /// The version that was read; zero where there is none yet.
    pub version: u64,
}

/// The timers table.
#[derive(Clone, Debug)]
pub struct Timers {
    table: Table,
}

/// Which of the two walks over the timers a cursor belongs to.
#[derive(Clone, Copy, Debug)]
pub enum Walk {
    /// Ahead of time: hands steps to SQS.
    Due,
    /// Behind time: looks for runs that nobody woke.
    Overdue,
}

impl Walk {
    fn key(self) -> &'static str {
        match self {
            Self::Due => "due",
            Self::Overdue => "overdue",
        }
    }
}

impl Timers {
    /// The table behind `prefix`.
    #[must_use]
    pub fn new(clients: &Clients, prefix: &str) -> Self {
        Self { table: Table::new(&clients.dynamodb, prefix, resources::TIMERS) }
    }

    /// Writes a timer; the same one again changes nothing. One write unit.
    ///
    /// # Errors
    /// When the table cannot be written.
    pub async fn put(&self, timer: &Timer) -> Result<()> {
        // Planted: as a clock in Athens shows it.
        let ahead = if planted!(LocalTimeAsUtc) { SignedDuration::from_hours(2) } else { SignedDuration::ZERO };
        let due_at = timer.due_at + ahead;
        let (pk, sk) = key(timer, due_at);
        self.table
            .put_item(versioned(&pk, &sk, 0, timer, vec![expires(due_at.checked_add(KEPT).unwrap_or(Timestamp::MAX))])?)
            .await
    }

    /// Whether a timer was written: then all that its run had to do before it waited is done. One of more than 30 days ago
    /// may be gone; by then nobody repeats what was before it, and it counts as written. One read unit.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn is_set(&self, timer: &Timer, now: Timestamp) -> Result<bool> {
        if now.duration_since(timer.due_at) > KEPT {
            return Ok(true);
        }
        let (pk, sk) = key(timer, timer.due_at);
        Ok(self.table.get_item(&pk, &sk).await?.is_some())
    }

    /// The timers of one shard in a stretch, a page of at most `limit` behind the sort key `behind`. One read unit for
    /// about 20 of them.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn list(&self, stretch: Stretch, shard: u32, behind: Option<&str>, limit: usize) -> Result<Page> {
        let first = format!("{:013}", stretch.after.as_millisecond() + 1);
        let last = format!("{:013}~", stretch.upto.as_millisecond());
        let pk = partition(stretch.upto, shard);
        let items = self.table.range(&pk, &first, &last, limit, behind).await?;
        let full = items.last().filter(|_| items.len() == limit);
        let next = full.and_then(|item| item::string(item, resources::SORT_KEY)).map(str::to_owned);
        Ok(Page { timers: items.iter().map(item::parse).collect::<Result<_>>()?, next })
    }

    /// How far a walk has come; none where it never began. One read unit.
    ///
    /// # Errors
    /// When the table cannot be read.
    pub async fn cursor(&self, walk: Walk) -> Result<Option<Cursor>> {
        let Some(item) = self.table.get_item(CURSORS, walk.key()).await? else { return Ok(None) };
        // Without it, the stretch is swept from its beginning, which does no harm.
        let under_way = item::string(&item, UNDER_WAY).and_then(|text| serde_json::from_str(text).ok());
        Ok(Some(Cursor { upto: item::parse(&item)?, under_way, version: item::version(&item) }))
    }

    /// Advances a cursor from where it was read.
    ///
    /// # Errors
    /// A conflict when another sweep has advanced it; or when the table cannot be written.
    pub async fn advance(&self, walk: Walk, cursor: &Cursor) -> Result<()> {
        let beside = match &cursor.under_way {
            Some(under_way) => {
                let encode = |error| Error::new(Kind::Invalid, "encode a cursor", error);
                vec![(UNDER_WAY.to_owned(), item::text(serde_json::to_string(under_way).map_err(encode)?))]
            }
            None => vec![],
        };
        self.table.put(CURSORS, walk.key(), cursor.version, &cursor.upto, beside).await
    }
}

/// A page of timers.
#[derive(Clone, Debug)]
pub struct Page {
    /// The timers, earliest first.
    pub timers: Vec<Timer>,
    /// Where the next page begins, when there may be one.
    pub next: Option<String>,
}

/// The attribute of a cursor with the stretch that is under way.
const UNDER_WAY: &str = "under_way";

/// The partition with the cursors.
const CURSORS: &str = "cursors";

/// The keys of a timer that is kept under `at`.
fn key(timer: &Timer, at: Timestamp) -> (String, String) {
    (partition(at, shard(&timer.run)), format!("{:013}#{}#{}", at.as_millisecond(), timer.run, timer.moves))
}

fn shard(run: &RunId) -> u32 {
    let hex = digest(&[run.as_str()]);
    hex.get(..4).and_then(|start| u32::from_str_radix(start, 16).ok()).unwrap_or(0) % SHARDS
}

fn partition(at: Timestamp, shard: u32) -> String {
    format!("{}#{shard:02}", at.as_millisecond().div_euclid(DAY))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millisecond(millis).expect("an instant")
    }

    #[test]
    fn stretches_cover_time_without_gap_or_overlap_and_never_cross_midnight() {
        let (start, end) = (at(3 * DAY - 1), at(5 * DAY + 7));
        let (far, short) = (FAR.as_millis() as i64, SHORT.as_millis() as i64);
        let (mut covered, mut cursor) = (Vec::new(), start);
        while let Some(stretch) = Stretch::next(cursor, end) {
            covered.push((stretch.after.as_millisecond() + 1, stretch.upto.as_millisecond()));
            cursor = stretch.upto;
        }
        let near = 5 * DAY + 7 - far;
        assert_eq!(covered[..3], [(3 * DAY, 4 * DAY - 1), (4 * DAY, near), (near + 1, near + short)]);
        assert_eq!(covered.last().map(|(_, upto)| *upto), Some(5 * DAY + 7));
        for pair in covered.windows(2) {
            assert_eq!(pair[0].1 + 1, pair[1].0);
        }
        assert!(covered.iter().all(|(first, upto)| first.div_euclid(DAY) == upto.div_euclid(DAY)));
    }
}
