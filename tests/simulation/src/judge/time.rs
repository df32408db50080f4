//! When a mail may leave: late by as much as trouble explains, and by day where a window says so.

use dunlin_core::delivery::Delivery;
use jiff::{SignedDuration, Timestamp};

use super::{Asked, HEALED, Judge, LATE};
use crate::journeys;
use crate::model::Mail;
use crate::workload::Person;

impl Judge<'_> {
    /// How late the step before was: a wait begins when it does.
    pub(super) fn delay(&self, mail: Mail, delivery: &Delivery, person: Person, at: Timestamp) -> SignedDuration {
        let before =
            self.rest.deliveries.values().find(|other| {
                mail == Mail::WelcomeThree && other.trigger.0 == delivery.trigger.0 && other.step == "two"
            });
        let entered = before.and_then(|before| self.seen.ledger.get(&before.id)?.first().map(|entry| entry.at));
        let Some(entered) = entered else { return SignedDuration::ZERO };
        entered.duration_since(Mail::WelcomeTwo.due(at, &self.played.waits, person)).max(SignedDuration::ZERO)
    }

    /// A mail left within its time, or within the time in which trouble heals.
    pub(super) fn lateness(&mut self, person: Person, mail: Mail, due: Timestamp, left: Timestamp) {
        // Trouble that is near, and what of it comes before the last has healed.
        let mut healed = None;
        for (from, to) in &self.played.troubles {
            let end = healed.unwrap_or(due + LATE);
            if *from <= end && *to + HEALED >= due {
                healed = Some(end.max(*to + HEALED));
            }
        }
        // Deaths that are told one by one are no trouble with an end.
        let latest = if self.played.has_deaths { due + HEALED } else { healed.unwrap_or(due + LATE) };
        // Who is woken late, by night, waits for the day.
        let latest = if mail == Mail::Stroll { journeys::opens(person, latest) + LATE } else { latest };
        if left > latest + self.played.skew() {
            let rule =
                if healed.is_some() { "queues drain once faults stop" } else { "lateness is bounded when all is well" };
            self.broken(rule, format!("{mail:?} due {due} left {left}, at {latest} at the latest"));
        }
    }

    /// Who strolls goes on by day: asked of when the mail was decided, where nothing held that up.
    pub(super) fn by_day(&mut self, asked: &Asked<'_>, decided: Timestamp) {
        let skew = self.played.skew();
        let is_day = journeys::opens(asked.person, decided - LATE - skew) <= decided + skew;
        if !is_day && self.is_calm(asked.event.call.at, decided) {
            self.broken(
                "a window is kept",
                format!("{} of {:?} went on at {decided}", asked.event.call.id, asked.person),
            );
        }
    }

    /// Whether nothing goes wrong from then to then, and all is healed that did before. Deaths one by one are no trouble.
    pub(super) fn is_calm(&self, from: Timestamp, to: Timestamp) -> bool {
        self.played.troubles.iter().all(|(begins, ends)| *ends + HEALED < from || *begins > to)
    }
}
