//! How often something happened to a person: first, last, count, and a count by day.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::stamp::Stamp;
use crate::event_name::EventName;
use crate::limits::COUNTED_DAYS;

/// Milliseconds of a UTC day.
const DAY: i64 = 86_400_000;

/// The statistics of one event name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// The name as first written.
    #[serde(rename = "n")]
    pub name: EventName,
    /// The earliest one.
    #[serde(rename = "f")]
    first: Stamp,
    /// The latest one.
    #[serde(rename = "l")]
    last: Stamp,
    /// How many, ever.
    #[serde(rename = "c")]
    pub count: u64,
    /// How many by UTC day (days since 1970), for the last 400 days before the latest.
    #[serde(rename = "d")]
    days: BTreeMap<i64, u32>,
}

impl Statistics {
    /// One event.
    pub(super) fn one(name: EventName, stamp: Stamp) -> Self {
        Self { name, first: stamp, last: stamp, count: 1, days: BTreeMap::from([(day(stamp.at()), 1)]) }
    }

    /// When it first happened.
    #[must_use]
    pub fn first_at(&self) -> Timestamp {
        self.first.at()
    }

    /// When it last happened.
    #[must_use]
    pub fn last_at(&self) -> Timestamp {
        self.last.at()
    }

    /// The stamps of the earliest and the latest.
    pub(super) fn ends(&self) -> (Stamp, Stamp) {
        (self.first, self.last)
    }

    /// Events on the UTC day of `since` or later; exact where `since` is before the first or after the last event.
    #[must_use]
    pub fn count_since(&self, since: Timestamp) -> u64 {
        if since <= self.first.at() {
            return self.count;
        }
        if since > self.last.at() {
            return 0;
        }
        self.days.range(day(since)..).map(|(_, count)| u64::from(*count)).sum()
    }

    /// Days with a count of their own.
    pub(super) fn days(&self) -> usize {
        self.days.len()
    }

    /// The first of them.
    pub(super) fn oldest_day(&self) -> Option<i64> {
        self.days.keys().next().copied()
    }

    /// Forgets the count of a day; the total stays.
    pub(super) fn forget_day(&mut self, day: i64) {
        self.days.remove(&day);
    }

    /// Adds the events of `other`, which are different events of the same name.
    pub(super) fn add(&mut self, other: Self) {
        if other.first < self.first {
            self.first = other.first;
            self.name = other.name;
        }
        self.last = self.last.max(other.last);
        self.count = self.count.saturating_add(other.count);
        for (day, count) in other.days {
            let sum = self.days.entry(day).or_default();
            *sum = sum.saturating_add(count);
        }
        let oldest = day(self.last.at()) - i64::from(COUNTED_DAYS);
        self.days.retain(|day, _| *day > oldest);
    }
}

fn day(at: Timestamp) -> i64 {
    at.as_millisecond().div_euclid(DAY)
}
