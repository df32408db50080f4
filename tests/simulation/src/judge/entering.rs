//! Who entered, and who did not: rules that hang on the runs before, and a date that moves while it is waited for.

use dunlin_core::call::Action;
use dunlin_core::delivery::Delivery;
use dunlin_core::run::{Run, RunState};
use jiff::Timestamp;

use super::{Asked, Judge};
use crate::entries::{self, Joined, Rule};
use crate::model::{Mail, Story};
use crate::observed::Accepted;
use crate::workload::Person;

impl Judge<'_> {
    /// Each rule let in whom it should. Of who was deleted in between nobody remembers it all.
    pub(super) fn rules(&mut self, story: &Story<'_>) {
        if story.calls.iter().any(|one| matches!(one.call.action, Action::Delete)) {
            return;
        }
        for rule in Rule::ALL {
            let joined: Vec<Joined> = story.calls.iter().filter_map(|one| self.joined(rule, one)).collect();
            if let Some(wrong) = rule.wrong(&joined, self.played.skew()) {
                self.broken("a rule lets in whom it should", wrong);
            }
        }
    }

    /// An event that asked to enter, and what came of it under a rule.
    fn joined(&self, rule: Rule, one: &Accepted) -> Option<Joined> {
        let number = match &one.call.action {
            Action::Track { name, data, .. } if name.as_str() == entries::JOINED => data.get("n")?.as_u64()?,
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

    /// The one mail before the date that a person has at last; how many there are.
    pub(super) fn renewal(&mut self, person: Person, story: &Story<'_>) -> usize {
        let Some(house) = self.played.houses.get(person.project) else { return 0 };
        let is_theirs = |one: &&Delivery| {
            one.campaign.as_str() == entries::RENEWAL && one.project == house.id && one.user.as_str() == person.id()
        };
        let found: Vec<_> = self.rest.deliveries.values().filter(is_theirs).collect();
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
