//! What a run is held against that goes round until something happens: it reminds in each round, and then no more.

use dunlin_core::delivery::Delivery;
use jiff::Timestamp;

use super::{Asked, Judge};
use crate::model::Mail;
use crate::observed::Accepted;
use crate::rounds::{self, CAMPAIGN};

impl<'a> Judge<'a> {
    /// The reminders of who owes; how many there are.
    pub(super) fn rounds(&mut self, asked: &Asked<'_>) -> usize {
        let (found, skew) = (self.reminders(asked), self.played.skew());
        for (round, delivery) in (0..).zip(&found) {
            let mail = Mail::Round(round);
            let due = self.due(asked, mail, Timestamp::MAX);
            let is_known = |at| round > 0 && at <= due - skew;
            if rounds::settled(asked.story, asked.event).any(|one| one.done_at.is_some_and(is_known)) {
                let what = format!("{mail:?} for {} of {:?}", asked.event.call.id, asked.person);
                self.broken("a run hears what has happened in time", what);
            }
            self.something(asked, mail, delivery);
        }
        let ended = self.run(asked, CAMPAIGN).and_then(|run| self.ended(asked, run));
        let is_heard = |one: &Accepted| one.queued_at.zip(ended).is_some_and(|(at, ended)| at <= ended);
        if !rounds::settled(asked.story, asked.event).any(is_heard) {
            self.nothing(asked, Mail::Round(u32::try_from(found.len()).unwrap_or(u32::MAX)));
        }
        found.len()
    }

    /// The reminder of a round.
    pub(super) fn round(&self, asked: &Asked<'_>, round: u32) -> Option<&'a Delivery> {
        self.reminders(asked).get(usize::try_from(round).ok()?).copied()
    }

    /// All of them, in their order.
    fn reminders(&self, asked: &Asked<'_>) -> Vec<&'a Delivery> {
        let is_its = |one: &&Delivery| one.trigger.0 == asked.event.call.id && one.campaign.as_str() == CAMPAIGN;
        let mut found: Vec<&Delivery> = self.rest.deliveries.values().filter(is_its).collect();
        found.sort_by_key(|one| self.decided_at(one));
        found
    }
}
