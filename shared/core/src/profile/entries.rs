//! Which campaigns a person has entered, as far as a campaign's rule asks: once ever, once for each key, again after a
//! while, one at a time, so many a day; and which dates are waited for.
//!
//! Kept are the stamps of the calls that entered, so that a call which comes again meets the same decision.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::stamp::Stamp;
use crate::campaign::{Again, EntryRule};
use crate::condition::Reason;
use crate::ids::{CampaignId, RunId};
use crate::limits;

/// The stretch in which entries are counted against `per_day`.
const DAY: SignedDuration = SignedDuration::from_hours(24);

/// An entry: the call, the key, the run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    #[serde(rename = "s")]
    stamp: Stamp,
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    /// The run that it began.
    #[serde(rename = "r")]
    pub run: RunId,
}

/// What a rule says to an entry.
#[derive(Clone, Debug, PartialEq)]
pub enum Admission<'e> {
    /// It enters.
    Granted,
    /// It enters if this run is over.
    If(&'e Entry),
    /// It does not.
    Refused(Reason),
}

/// The entries by campaign, in the order of their acceptance; and the date that each campaign waits for, with the call that
/// set it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Entries {
    #[serde(rename = "e", default, skip_serializing_if = "BTreeMap::is_empty")]
    entered: BTreeMap<CampaignId, Vec<Entry>>,
    #[serde(rename = "d", default, skip_serializing_if = "BTreeMap::is_empty")]
    dates: BTreeMap<CampaignId, (String, Stamp)>,
}

impl Entry {
    /// When its call was accepted.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.stamp.accepted_at()
    }
}

impl Entries {
    pub(super) fn is_empty(&self) -> bool {
        self.entered.is_empty() && self.dates.is_empty()
    }

    /// What the rule says to a call that was not taken before. `key` is that of the matter, where the rule has one.
    pub(super) fn ask(
        &self,
        campaign: &CampaignId,
        rule: &EntryRule,
        key: Option<&str>,
        stamp: Stamp,
    ) -> Admission<'_> {
        let entered = self.entered.get(campaign).map_or(&[][..], Vec::as_slice);
        let now = stamp.accepted_at();
        let today = entered.iter().filter(|entry| now.duration_since(entry.at()).abs() < DAY).count();
        if rule.per_day.is_some_and(|most| today >= most as usize) {
            return Admission::Refused(Reason::new("the person has entered too often within 24 hours"));
        }
        let Some(last) = entered.iter().rev().find(|entry| entry.key.as_deref() == key) else {
            return Admission::Granted;
        };
        match rule.again {
            Again::Always => Admission::Granted,
            Again::Never => Admission::Refused(Reason::new("the person has entered before")),
            Again::WhenOver => Admission::If(last),
            Again::After(span) if span.after(last.at()) <= now => Admission::Granted,
            Again::After(_) => Admission::Refused(Reason::new("the person has entered not long ago")),
        }
    }

    /// Whether this very call has entered.
    pub(super) fn has(&self, campaign: &CampaignId, stamp: Stamp) -> bool {
        self.entered.get(campaign).is_some_and(|entered| entered.iter().any(|entry| entry.stamp == stamp))
    }

    /// Remembers an entry. Beyond [`limits::ENTRIES`] the oldest are forgotten, and the rules loosen.
    pub(super) fn add(&mut self, campaign: &CampaignId, key: Option<String>, run: RunId, stamp: Stamp) {
        if !self.has(campaign, stamp) {
            self.entered.entry(campaign.clone()).or_default().push(Entry { stamp, key, run });
            self.settle();
        }
    }

    /// Notes the date that a campaign waits for; whether the call that set it is this one.
    pub(super) fn expect(&mut self, campaign: &CampaignId, date: Option<String>, stamp: Stamp) -> bool {
        match (self.dates.get(campaign), date) {
            (Some((known, by)), Some(date)) if *known == date => return *by == stamp,
            (_, Some(date)) => drop(self.dates.insert(campaign.clone(), (date, stamp))),
            (_, None) => {
                self.dates.remove(campaign);
                return false;
            }
        }
        true
    }

    /// The date that a campaign waits for.
    pub(super) fn date(&self, campaign: &CampaignId) -> Option<&str> {
        self.dates.get(campaign).map(|(date, _)| date.as_str())
    }

    /// Takes over what another profile remembers of the same person.
    pub(super) fn merge(&mut self, other: Self) {
        for (campaign, entries) in other.entered {
            self.entered.entry(campaign).or_default().extend(entries);
        }
        for (campaign, theirs) in other.dates {
            let ours = self.dates.entry(campaign).or_insert_with(|| theirs.clone());
            if theirs.1 > ours.1 {
                *ours = theirs;
            }
        }
        self.settle();
    }

    /// Forgets what was entered up to that stamp.
    pub(super) fn erase(&mut self, upto: Stamp) {
        for entries in self.entered.values_mut() {
            entries.retain(|entry| entry.stamp > upto);
        }
        self.entered.retain(|_, entries| !entries.is_empty());
        self.dates.retain(|_, (_, stamp)| *stamp > upto);
    }

    fn settle(&mut self) {
        for entries in self.entered.values_mut() {
            entries.sort_by_key(|entry| entry.stamp.key());
            entries.dedup_by_key(|entry| entry.stamp);
        }
        let mut all: Vec<_> = self.entered.values().flatten().map(|entry| entry.stamp.key()).collect();
        if let Some(surplus) = all.len().checked_sub(limits::ENTRIES).filter(|surplus| *surplus > 0) {
            all.sort_unstable();
            let last = all.get(surplus - 1).copied();
            for entries in self.entered.values_mut() {
                entries.retain(|entry| Some(entry.stamp.key()) > last);
            }
            self.entered.retain(|_, entries| !entries.is_empty());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::{Action, Call};
    use crate::ids::{EventId, ProjectId, UserId};
    use crate::span::Span;

    fn stamp(seconds: i64) -> Stamp {
        let at = Timestamp::from_second(1_795_000_000 + seconds).expect("an instant");
        Stamp::of(&Call {
            id: EventId::derive(&[&seconds.to_string()]),
            project: ProjectId::derive(&["p"]),
            user: UserId::parse("ann").expect("an id"),
            at,
            accepted_at: at,
            action: Action::Unsubscribe,
        })
    }

    fn campaign() -> CampaignId {
        CampaignId::parse("cmp_a").expect("an id")
    }

    fn run(seconds: i64) -> RunId {
        RunId::derive(&[&seconds.to_string()])
    }

    /// Which of these seconds, in this order, enter.
    fn entered(rule: &EntryRule, calls: &[(i64, Option<&str>)]) -> Vec<i64> {
        let (mut entries, mut entered) = (Entries::default(), Vec::new());
        for (seconds, key) in calls {
            if entries.ask(&campaign(), rule, *key, stamp(*seconds)) == Admission::Granted {
                entries.add(&campaign(), key.map(str::to_owned), run(*seconds), stamp(*seconds));
                entered.push(*seconds);
            }
        }
        entered
    }

    #[test]
    fn a_rule_says_who_enters_again() {
        const DAY: i64 = 86_400;
        let plain: Vec<(i64, Option<&str>)> = [0, 60, DAY - 1, DAY, 2 * DAY].map(|at| (at, None)).to_vec();
        let after = Again::After(Span::parse("1 day").expect("a span"));
        let table = [
            (EntryRule::default(), vec![0, 60, DAY - 1, DAY, 2 * DAY]),
            (EntryRule { again: Again::Never, ..EntryRule::default() }, vec![0]),
            (EntryRule { again: after, ..EntryRule::default() }, vec![0, DAY, 2 * DAY]),
            (EntryRule { per_day: Some(2), ..EntryRule::default() }, vec![0, 60, DAY, 2 * DAY]),
        ];
        for (rule, expected) in table {
            assert_eq!(entered(&rule, &plain), expected, "{rule:?}");
        }
        let keyed = [(0, Some("a")), (1, Some("b")), (2, Some("a")), (3, Some("c"))];
        assert_eq!(entered(&EntryRule { again: Again::Never, ..EntryRule::default() }, &keyed), [0, 1, 3]);
    }

    #[test]
    fn one_at_a_time_asks_for_the_last_run_of_the_same_key() {
        let mut entries = Entries::default();
        let rule = EntryRule { again: Again::WhenOver, ..EntryRule::default() };
        for (seconds, key) in [(0, "a"), (1, "b"), (2, "a")] {
            entries.add(&campaign(), Some(key.to_owned()), run(seconds), stamp(seconds));
        }
        for (key, expected) in [("a", Some(run(2))), ("b", Some(run(1))), ("c", None)] {
            let asked = match entries.ask(&campaign(), &rule, Some(key), stamp(9)) {
                Admission::If(entry) => Some(entry.run.clone()),
                _ => None,
            };
            assert_eq!(asked, expected, "{key}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_oldest_goes_first() {
        let mut entries = Entries::default();
        for seconds in 0..2 * limits::ENTRIES as i64 {
            let campaign = CampaignId::parse(&format!("cmp_{}", seconds % 7)).expect("an id");
            entries.add(&campaign, None, run(seconds), stamp(seconds));
        }
        let kept: Vec<Stamp> = entries.entered.values().flatten().map(|entry| entry.stamp).collect();
        assert_eq!(kept.len(), limits::ENTRIES);
        assert!(kept.iter().all(|kept| *kept >= stamp(limits::ENTRIES as i64)));
    }

    #[test]
    fn a_date_is_expected_once_by_the_call_that_set_it() {
        let mut entries = Entries::default();
        let first = Some("4 May".to_owned());
        assert!(entries.expect(&campaign(), first.clone(), stamp(1)));
        assert!(entries.expect(&campaign(), first.clone(), stamp(1)), "the same call again");
        assert!(!entries.expect(&campaign(), first, stamp(2)), "another call, the same date");
        assert!(entries.expect(&campaign(), Some("5 May".to_owned()), stamp(3)));
        assert!(!entries.expect(&campaign(), None, stamp(4)));
        assert_eq!(entries.date(&campaign()), None);
    }
}
