//! History: a tally a day and component, for ninety days. Components are kept by their codes, so that those of a later
//! version, which was rolled back, keep their days.

use std::collections::{BTreeMap, VecDeque};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Component, Readings, STALE, State};

/// Days that are kept: what the page shows.
pub const DAYS: usize = 90;

/// What is kept: the last judgement and the days before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// When the last readings were taken.
    pub at: Timestamp,
    /// What they meant, by component ([`Component::code`]).
    #[serde(deserialize_with = "known")]
    pub now: BTreeMap<String, State>,
    /// Since which reading each queue has held messages.
    #[serde(default)]
    pub waiting_since: BTreeMap<String, Timestamp>,
    /// The days, oldest first, at most [`DAYS`]; those without any reading are missing.
    pub days: VecDeque<Day>,
}

/// One day (UTC).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Which.
    pub date: Date,
    /// Minutes of it with a reading.
    pub minutes: u32,
    /// Those that were not all well, by component ([`Component::code`]).
    pub tallies: BTreeMap<String, Tally>,
}

/// What was not well with a component on one day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// Minutes in which it was delayed.
    pub delayed_minutes: u32,
    /// Minutes in which it was down.
    pub down_minutes: u32,
    /// The longest delay in seconds.
    pub longest_delay_seconds: i64,
}

impl Default for History {
    fn default() -> Self {
        Self { at: Timestamp::MIN, now: BTreeMap::new(), waiting_since: BTreeMap::new(), days: VecDeque::new() }
    }
}

impl History {
    /// Sets how long each queue has held messages: since this reading, where it was empty at the one before.
    pub fn remember(&self, readings: &mut Readings) {
        let is_gap = readings.at.duration_since(self.at) > STALE;
        for (stem, queue) in readings.queues.iter_mut().filter_map(|(stem, queue)| Some((stem, queue.as_mut()?))) {
            let before = self.waiting_since.get(stem).filter(|_| !is_gap).copied();
            queue.since = (queue.waiting > 0).then(|| before.unwrap_or(readings.at));
        }
    }

    /// Takes in the readings of a minute. Those of a minute that was taken in already, or of the past, change nothing, so
    /// that two sweeps at once count once.
    pub fn take(&mut self, readings: &Readings) {
        if minute(readings.at) <= minute(self.at) {
            return;
        }
        self.at = readings.at;
        self.now = Component::ALL.iter().map(|one| (one.code().to_owned(), one.judge(readings))).collect();
        // A queue that does not answer keeps its mark.
        self.waiting_since.retain(|stem, _| !matches!(readings.queues.get(stem), Some(Some(_)) | None));
        let since = |(stem, queue): (&String, &Option<_>)| {
            let queue: &Option<super::QueueReading> = queue;
            Some((stem.clone(), queue.as_ref()?.since?))
        };
        self.waiting_since.extend(readings.queues.iter().filter_map(since));
        let date = TimeZone::UTC.to_datetime(readings.at).date();
        if self.days.back().is_none_or(|day| day.date < date) {
            self.days.push_back(Day { date, minutes: 0, tallies: BTreeMap::new() });
        }
        let excess = self.days.len().saturating_sub(DAYS);
        self.days.drain(..excess);
        if let Some(day) = self.days.back_mut() {
            day.count(&self.now);
        }
    }
}

impl Day {
    /// What was not well with a component.
    #[must_use]
    pub fn tally(&self, component: Component) -> Option<Tally> {
        self.tallies.get(component.code()).copied()
    }

    fn count(&mut self, now: &BTreeMap<String, State>) {
        self.minutes += 1;
        for (component, state) in now {
            let (delayed, down, seconds) = match state {
                State::Operational | State::Unknown => continue,
                State::Delayed { seconds } => (1, 0, *seconds),
                State::Down => (0, 1, 0),
            };
            let tally = self.tallies.entry(component.clone()).or_default();
            tally.delayed_minutes += delayed;
            tally.down_minutes += down;
            tally.longest_delay_seconds = tally.longest_delay_seconds.max(seconds);
        }
    }
}

/// Those states that this version knows: the others are of a later one, and for a minute only.
fn known<'de, D: Deserializer<'de>>(states: D) -> Result<BTreeMap<String, State>, D::Error> {
    let states = BTreeMap::<String, serde_json::Value>::deserialize(states)?;
    Ok(states.into_iter().filter_map(|(code, state)| Some((code, serde_json::from_value(state).ok()?))).collect())
}

fn minute(at: Timestamp) -> i64 {
    at.as_second().div_euclid(SignedDuration::from_mins(1).as_secs())
}
