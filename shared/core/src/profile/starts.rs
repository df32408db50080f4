//! The loop guard: how often campaigns have started for a person lately. A mail whose click makes the client send the
//! event again that started it goes round at most [`limits::STARTS_PER_HOUR`] times in any hour.
//!
//! Kept are the stamps of the calls that started a run, so that a call which comes again counts once and meets the same
//! decision: it is among them, or there was no room around its time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::stamp::Stamp;
use crate::ids::CampaignId;
use crate::limits;

/// An hour, as stamps count.
const HOUR_MICROS: u64 = 3_600_000_000;

/// What became of a campaign's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// It starts now, and is remembered.
    First,
    /// This call has started it before: starting again is the same run.
    Again,
    /// It has started too often within an hour.
    TooOften,
}

/// The calls that started campaigns lately, by campaign, in the order of their acceptance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Starts(BTreeMap<CampaignId, Vec<Stamp>>);

impl Starts {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Starts a campaign by a call, if that is at most `limit` starts in any hour. What is older than two hours before the
    /// latest start is forgotten: so a call that comes again within an hour is decided by the same starts.
    pub(super) fn start(&mut self, campaign: &CampaignId, stamp: Stamp, limit: usize) -> Start {
        let started = self.0.entry(campaign.clone()).or_default();
        if started.contains(&stamp) {
            return Start::Again;
        }
        let at = started.partition_point(|other| other.key() < stamp.key());
        started.insert(at, stamp);
        let is_full = started.windows(limit.saturating_add(1)).any(|some| match (some.first(), some.last()) {
            (Some(first), Some(last)) => last.accepted() - first.accepted() < HOUR_MICROS && some.contains(&stamp),
            _ => false,
        });
        if is_full {
            started.remove(at);
            return Start::TooOften;
        }
        self.forget();
        Start::First
    }

    /// Whether a call started a campaign; none where that may be forgotten.
    pub(super) fn has_started(&self, campaign: &CampaignId, stamp: Stamp) -> Option<bool> {
        let started = self.0.get(campaign).is_some_and(|started| started.contains(&stamp));
        let latest = self.0.values().flatten().map(|other| other.accepted()).max().unwrap_or(0);
        let is_old = stamp.accepted().saturating_add(2 * HOUR_MICROS) <= latest;
        let is_full = self.0.values().map(Vec::len).sum::<usize>() >= limits::STARTS;
        (started || !(is_old || is_full)).then_some(started)
    }

    /// Takes over what another profile remembers of the same person.
    pub(super) fn merge(&mut self, other: Self) {
        for (campaign, stamps) in other.0 {
            let started = self.0.entry(campaign).or_default();
            started.extend(stamps);
            started.sort_by_key(|stamp| stamp.key());
            started.dedup();
        }
        self.forget();
    }

    /// Forgets the starts up to that stamp.
    pub(super) fn erase(&mut self, upto: Stamp) {
        self.retain(|stamp| *stamp > upto);
    }

    fn forget(&mut self) {
        let latest = self.0.values().flatten().map(|stamp| stamp.accepted()).max().unwrap_or(0);
        self.retain(|stamp| stamp.accepted().saturating_add(2 * HOUR_MICROS) > latest);
        let surplus = self.0.values().map(Vec::len).sum::<usize>().saturating_sub(limits::STARTS);
        if surplus > 0 {
            let mut all: Vec<_> = self.0.values().flatten().map(|stamp| stamp.key()).collect();
            all.sort_unstable();
            let last = all.get(surplus - 1).copied();
            self.retain(|stamp| Some(stamp.key()) > last);
        }
    }

    fn retain(&mut self, keep: impl Fn(&Stamp) -> bool) {
        for started in self.0.values_mut() {
            started.retain(&keep);
        }
        self.0.retain(|_, started| !started.is_empty());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Action, Call};
    use crate::ids::{EventId, ProjectId, UserId};

    const LIMIT: usize = limits::STARTS_PER_HOUR;

    fn stamp(seconds: i64, number: usize) -> Stamp {
        let at = jiff::Timestamp::from_second(1_795_000_000 + seconds).expect("an instant");
        Stamp::of(&Call {
            id: EventId::derive(&[&number.to_string()]),
            project: ProjectId::derive(&["p"]),
            user: UserId::parse("ann").expect("an id"),
            at,
            accepted_at: at,
            action: Action::Unsubscribe,
        })
    }

    fn campaign(name: &str) -> CampaignId {
        CampaignId::parse(name).expect("an id")
    }

    #[test]
    fn a_campaign_starts_so_often_in_any_hour_and_no_more() {
        let (mut starts, mut started) = (Starts::default(), Vec::new());
        for second in 0..4 * 3_600 {
            if starts.start(&campaign("cmp_a"), stamp(second, 0), LIMIT) == Start::First {
                started.push(second);
            }
        }
        assert_eq!(started.len(), 4 * LIMIT);
        assert!(started.windows(LIMIT + 1).all(|some| some[LIMIT] - some[0] >= 3_600), "{started:?}");
        assert_eq!(starts.start(&campaign("cmp_b"), stamp(4 * 3_600, 0), LIMIT), Start::First, "another campaign");
    }

    #[test]
    fn a_call_that_comes_late_is_held_against_the_hour_around_it() {
        let mut starts = Starts::default();
        for number in 0..LIMIT {
            let second = if number % 2 == 0 { 0 } else { 3_000 };
            assert_eq!(starts.start(&campaign("cmp_a"), stamp(second, number), LIMIT), Start::First);
        }
        assert_eq!(starts.start(&campaign("cmp_a"), stamp(1_500, LIMIT), LIMIT), Start::TooOften);
        assert_eq!(starts.start(&campaign("cmp_a"), stamp(-1_500, LIMIT), LIMIT), Start::First);
    }

    #[test]
    fn a_call_that_comes_again_is_decided_as_before_and_counts_once() {
        let mut starts = Starts::default();
        let calls: Vec<Stamp> = (0..2 * LIMIT).map(|number| stamp(1, number)).collect();
        let first: Vec<Start> = calls.iter().map(|call| starts.start(&campaign("cmp_a"), *call, LIMIT)).collect();
        let stored = starts.clone();
        let again: Vec<Start> = calls.iter().map(|call| starts.start(&campaign("cmp_a"), *call, LIMIT)).collect();
        assert_eq!(first.iter().filter(|one| **one == Start::First).count(), LIMIT);
        for (first, again) in first.into_iter().zip(again) {
            assert_eq!(again, if first == Start::First { Start::Again } else { Start::TooOften });
        }
        assert_eq!(starts, stored);
    }

    #[test]
    fn what_is_kept_is_bounded_and_the_oldest_goes_first() {
        let mut starts = Starts::default();
        for number in 0..2 * limits::STARTS {
            let (second, name) = (i64::try_from(number).expect("small"), format!("cmp_{}", number % 50));
            assert_eq!(starts.start(&campaign(&name), stamp(second, number), limits::STARTS), Start::First);
        }
        let kept: Vec<Stamp> = starts.0.values().flatten().copied().collect();
        assert_eq!(kept.len(), limits::STARTS);
        let oldest = kept.iter().map(|stamp| stamp.key()).min();
        assert_eq!(oldest, Some(stamp(i64::try_from(limits::STARTS).expect("small"), limits::STARTS).key()));
    }
}
