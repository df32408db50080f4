//! Resuming a campaign: the runs that were due while it was paused go on at a stated rate, each in a slot of its own.
//!
//! A slot is a number that nobody else draws. A hint that takes one carries it while it waits for it; one that is lost with
//! its hint leaves a gap, and the run takes another: it is later by that, never twice.

use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// When a campaign was resumed, and how fast those go on that are overdue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resumed {
    /// When.
    pub at: Timestamp,
    /// Overdue runs that go on in a minute; at most [`crate::limits::RESUME_RATE_AT_MOST`].
    pub per_minute: NonZeroU32,
}

/// The place of a run among those that were overdue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slot {
    /// Which resumption it is of: after another, it is void.
    pub of: Timestamp,
    /// When the run may go on.
    pub at: Timestamp,
}

/// Whether a hint may go on now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It may.
    Now,
    /// It takes a slot first.
    Unknown,
    /// When this has come.
    At(Slot),
}

impl Resumed {
    /// The slot with a number, counted from 1: in each minute as many as were said, at even distances, the first of them at
    /// once.
    #[must_use]
    pub fn slot(&self, number: u64) -> Slot {
        let before = i64::try_from(number.saturating_sub(1)).unwrap_or(i64::MAX);
        let millis = before.saturating_mul(60_000) / i64::from(self.per_minute.get());
        let at = self.at.checked_add(SignedDuration::from_millis(millis)).unwrap_or(Timestamp::MAX);
        Slot { of: self.at, at }
    }

    /// How many slots there were up to now: the next one is there already.
    #[must_use]
    pub fn passed(&self, now: Timestamp) -> u64 {
        let millis = u128::try_from(now.duration_since(self.at).as_millis()).unwrap_or_default();
        u64::try_from(millis * u128::from(self.per_minute.get()) / 60_000).unwrap_or(u64::MAX)
    }

    /// Whether a hint goes on that was due at `due_at` and has a slot or none. What was due after the campaign was resumed
    /// waits for nobody.
    #[must_use]
    pub fn turn(&self, due_at: Timestamp, slot: Option<Slot>, now: Timestamp) -> Turn {
        match slot.filter(|slot| slot.of == self.at) {
            _ if due_at >= self.at => Turn::Now,
            Some(slot) if slot.at <= now => Turn::Now,
            Some(slot) => Turn::At(slot),
            None => Turn::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resumed(per_minute: u32) -> Resumed {
        let at = "2026-11-22T09:00:00Z".parse().expect("an instant");
        Resumed { at, per_minute: NonZeroU32::new(per_minute).expect("a rate") }
    }

    #[test]
    fn a_minute_has_as_many_slots_as_were_said_at_even_distances() {
        for rate in [1, 7, 1_000, 60_000] {
            let resumed = resumed(rate);
            let minute = |number| resumed.slot(number).at.duration_since(resumed.at).as_millis() / 60_000;
            let rate = u64::from(rate);
            assert_eq!(resumed.slot(1).at, resumed.at);
            assert_eq!([1, rate, rate + 1, 2 * rate, 2 * rate + 1].map(minute), [0, 0, 1, 1, 2], "{rate}");
        }
        assert_eq!(resumed(1).slot(u64::MAX).at, Timestamp::MAX);
    }

    #[test]
    fn the_slot_behind_all_that_have_passed_is_there_and_the_one_behind_it_is_not() {
        for (rate, millis) in [(1, 0), (1, 59_999), (7, 123_456), (1_000, 61), (60_000, 86_400_000)] {
            let resumed = resumed(rate);
            let now = resumed.at + SignedDuration::from_millis(millis);
            let passed = resumed.passed(now);
            assert!(resumed.slot(passed + 1).at <= now && resumed.slot(passed + 2).at > now, "{rate} {millis}");
        }
        let resumed = resumed(7);
        assert_eq!(resumed.passed(resumed.at - SignedDuration::from_secs(1)), 0);
    }

    #[test]
    fn what_was_due_before_takes_a_slot_and_waits_for_it_and_what_is_due_later_does_not() {
        let resumed = resumed(1);
        let (before, second) = (resumed.at - SignedDuration::from_nanos(1), resumed.slot(2));
        assert_eq!(resumed.turn(resumed.at, None, resumed.at), Turn::Now);
        assert_eq!(resumed.turn(before, None, resumed.at), Turn::Unknown);
        assert_eq!(resumed.turn(before, Some(second), resumed.at), Turn::At(second));
        assert_eq!(resumed.turn(before, Some(second), second.at), Turn::Now);
        let older = Slot { of: before, at: before };
        assert_eq!(
            resumed.turn(before, Some(older), resumed.at),
            Turn::Unknown,
            "a slot of another resumption is void"
        );
    }
}
