//! Who entered, and who did not: rules that hang on the runs before, a date that moves while it is waited for, and one that comes
//! round each year.

use std::ops::RangeInclusive;

use dunlin_core::call::Action;
use dunlin_core::delivery::Delivery;
use dunlin_core::run::{Run, RunState};
use jiff::Timestamp;

use super::time::EVE;
use super::{Asked, Judge};
use crate::entries::{self, Joined, Rule};
use crate::journeys;
use crate::model::{Mail, State, Story};
use crate::observed::Accepted;
use crate::workload::Person;

/// The years in which somebody's birthday may be known.
const YEARS: RangeInclusive<i16> = 2026..=2028;

impl<'a> Judge<'a> {
    /// Each rule let in whom it should, of the people of a project: of each for themselves, or of all together. Of who was
    /// deleted in between nobody remembers it all.
    pub(super) fn rules(&mut self, stories: &[&Story<'_>]) {
        let is_deleted = |story: &Story<'_>| story.calls.iter().any(|one| matches!(one.call.action, Action::Delete));
        for rule in Rule::ALL {
            let alone = stories.chunks(1);
            let groups: Vec<_> = if rule == Rule::ThreeInAll { vec![stories] } else { alone.collect() };
            for group in groups {
                let calls = group.iter().flat_map(|story| &story.calls);
                let joined: Vec<Joined> = calls.filter_map(|one| self.joined(rule, one)).collect();
                let entered = joined.iter().filter(|one| one.run.is_some()).count();
                if rule == Rule::ThreeInAll && entered > entries::IN_ALL {
                    self.broken("a rule lets in whom it should", format!("{rule:?}: {entered} entered"));
                }
                if group.iter().any(|story| is_deleted(story)) {
                    continue;
                }
                if let Some(wrong) = rule.wrong(&joined, self.played.skew()) {
                    self.broken("a rule lets in whom it should", wrong);
                }
            }
        }
    }

    /// An event that asked to enter, and what came of it under a rule.
    fn joined(&self, rule: Rule, one: &Accepted) -> Option<Joined> {
        let number = match &one.call.action {
            Action::Track { name, data, passive: false, .. } if name.as_str() == entries::JOINED => {
                data.get("n")?.as_u64()?
            }
            _ => return None,
        };
        let is_its = |run: &&Run| run.event.id == one.call.id && run.campaign.as_str() == rule.campaign();
        let run = self.rest.runs.iter().find(is_its).map(|run| match run.state {
            RunState::Ended { at, .. } => at,
            _ => Timestamp::MAX,
        });
        let (accepted, from) = (one.call.accepted_at, one.queued_at.unwrap_or(one.call.at));
        Some(Joined { accepted, from, to: one.done_at.unwrap_or(Timestamp::MAX), number, run })
    }

    /// The mails of a person in a campaign that a date starts.
    fn dated(&self, person: Person, campaign: &str) -> Vec<&'a Delivery> {
        let Some(house) = self.played.houses.get(person.project) else { return Vec::new() };
        let is_theirs = |one: &&Delivery| {
            one.campaign.as_str() == campaign && one.project == house.id && one.user.as_str() == person.id()
        };
        self.rest.deliveries.values().filter(is_theirs).collect()
    }

    /// One mail on each birthday on which it was known when the person was born; how many there are.
    pub(super) fn birthdays(&mut self, person: Person, story: &Story<'_>) -> usize {
        let found = self.dated(person, entries::BIRTHDAY);
        let day = |year| journeys::birthday(None, entries::BORN, year);
        let mut expected = 0;
        for year in YEARS {
            let mail = Mail::Birthday(year);
            let mut latest_first = story.calls.iter().enumerate().rev();
            let by_then = latest_first.find(|(_, one)| one.call.at < day(year) - EVE);
            let Some((index, event)) = by_then else { continue };
            let asked = Asked { person, story, index, event };
            let is_its = |one: &&Delivery| {
                self.decided_at(one).is_some_and(|at| (day(year) - EVE..day(year + 1) - EVE).contains(&at))
            };
            let its = found.iter().copied().find(is_its);
            let states = story.between(index, day(year) - EVE, day(year) + EVE);
            let knows = |state: &State| state.since.is_some() && state.born.is_some();
            let is_right = if its.is_some() { states.iter().any(knows) } else { !states.iter().all(knows) };
            if !is_right {
                self.broken(
                    "a birthday is one in each year in which it is known",
                    format!("{year} of {person:?}: {its:?}"),
                );
            }
            if let Some(delivery) = its {
                self.something(&asked, mail, delivery);
                expected += 1;
            }
        }
        expected
    }

    /// The one mail before the date that a person has at last; how many there are.
    pub(super) fn renewal(&mut self, person: Person, story: &Story<'_>) -> usize {
        let found = self.dated(person, entries::RENEWAL);
        let end = story.end();
        let date = end.renews.filter(|_| end.since.is_some());
        if found.len() != usize::from(date.is_some()) {
            let what = format!("{} for {date:?} of {person:?}", found.len());
            self.broken("a date that moves is waited for once", what);
        }
        let (Some(index), Some(date), [delivery]) = (story.calls.len().checked_sub(1), date, &found[..]) else {
            return found.len();
        };
        if let Some(event) = story.calls.last() {
            self.something(&Asked { person, story, index, event }, Mail::Renewal(date), delivery);
        }
        1
    }
}
