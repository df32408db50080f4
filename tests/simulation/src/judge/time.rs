//! When a mail may leave: at the time of day of where its person lives, late by as much as trouble explains, and by day where
//! a window says so.

use dunlin_core::delivery::Delivery;
use jiff::{SignedDuration, Timestamp};

use super::{Asked, HEALED, Judge, LATE};
use crate::journeys;
use crate::model::Mail;

/// How long before its end a wait looks at the zone once more (docs/waits.md), and a little: who moves later may be late.
pub(super) const EVE: SignedDuration = SignedDuration::from_hours(28);

impl Judge<'_> {
    /// The zones in which a person may have lived between two instants.
    fn zones(&self, asked: &Asked<'_>, from: Timestamp, to: Timestamp) -> Vec<Option<String>> {
        let states = asked.story.between(asked.index, from, to);
        let mut zones: Vec<Option<String>> = states.into_iter().map(|state| state.zone).collect();
        zones.sort();
        zones.dedup();
        zones
    }

    /// When a mail is due that began to be waited for when the event was taken, where somebody lives in one of these zones by
    /// then.
    fn dues(&self, asked: &Asked<'_>, mail: Mail, zones: &[Option<String>]) -> Vec<Timestamp> {
        let (at, waits, project) = (asked.event.call.at, &self.played.waits, asked.person.project);
        let taken = asked.event.done_at.unwrap_or(Timestamp::MAX);
        let then = self.zones(asked, asked.event.queued_at.unwrap_or(at), taken);
        let due =
            |then: &Option<String>, now: &Option<String>| mail.due(at, waits, project, then.as_deref(), now.as_deref());
        then.iter().flat_map(|then| zones.iter().map(move |now| due(then, now))).collect()
    }

    /// When a mail is due at the earliest, wherever the person has lived from the event to `until`.
    pub(super) fn due(&self, asked: &Asked<'_>, mail: Mail, until: Timestamp) -> Timestamp {
        let from = asked.event.queued_at.unwrap_or(asked.event.call.at);
        self.dues(asked, mail, &self.zones(asked, from, until)).into_iter().min().unwrap_or(Timestamp::MAX)
    }

    /// When a mail that left then was due at the latest: by the zones in which the person may have lived since the eve.
    pub(super) fn due_by(&self, asked: &Asked<'_>, mail: Mail, left: Timestamp) -> Timestamp {
        let eve = self.due(asked, mail, left) - EVE;
        let from = asked.event.queued_at.unwrap_or(asked.event.call.at).max(eve);
        let zones = self.zones(asked, from, left);
        let dues = match mail {
            // Who has moved waits until it is day where they live now.
            Mail::Stroll => {
                let opens = |zone: &Option<String>| journeys::strolls(zone.as_deref(), asked.event.call.at)[1];
                let then = |at| zones.iter().map(move |zone| journeys::opens(zone.as_deref(), at));
                zones.iter().map(opens).flat_map(then).collect()
            }
            _ => self.dues(asked, mail, &zones),
        };
        dues.into_iter().max().unwrap_or(Timestamp::MAX)
    }

    /// No mail leaves before it is due where the person lives by then.
    pub(super) fn earliness(&mut self, asked: &Asked<'_>, mail: Mail, left: Timestamp) {
        let skew = self.played.skew();
        let zones = self.zones(asked, self.due(asked, mail, left) - skew, left);
        let due = self.dues(asked, mail, &zones).into_iter().min().unwrap_or(Timestamp::MAX);
        if left < due - skew {
            self.broken("nothing is early", format!("{mail:?} of {:?} due {due} left {left}", asked.person));
        }
    }

    /// How late the step before was: a wait begins when it does.
    pub(super) fn delay(&self, asked: &Asked<'_>, mail: Mail) -> SignedDuration {
        let before = match mail {
            Mail::WelcomeThree => self.delivery(asked, Mail::WelcomeTwo).map(|before| (Mail::WelcomeTwo, before)),
            Mail::Round(round) if round > 0 => {
                self.round(asked, round - 1).map(|before| (Mail::Round(round - 1), before))
            }
            _ => None,
        };
        let Some((before, delivery)) = before else { return SignedDuration::ZERO };
        let Some(entered) = self.decided_at(delivery) else { return SignedDuration::ZERO };
        entered.duration_since(self.due(asked, before, entered)).max(SignedDuration::ZERO)
    }

    /// When a mail came into the ledger.
    pub(super) fn decided_at(&self, delivery: &Delivery) -> Option<Timestamp> {
        self.seen.ledger.get(&delivery.id)?.first().map(|entry| entry.at)
    }

    /// A mail left within its time, or within the time in which trouble heals.
    pub(super) fn lateness(&mut self, asked: &Asked<'_>, mail: Mail, due: Timestamp, left: Timestamp) {
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
        let opens = |zone: Option<String>| journeys::opens(zone.as_deref(), latest);
        let open = || self.zones(asked, latest.min(left), left).into_iter().map(opens).max().unwrap_or(latest);
        let latest = if mail == Mail::Stroll { open() + LATE } else { latest };
        if left > latest + self.played.skew() {
            let rule =
                if healed.is_some() { "queues drain once faults stop" } else { "lateness is bounded when all is well" };
            self.broken(rule, format!("{mail:?} due {due} left {left}, at {latest} at the latest"));
        }
    }

    /// Who strolls goes on by day: asked of when the mail was decided, where nothing held that up.
    pub(super) fn by_day(&mut self, asked: &Asked<'_>, decided: Timestamp) {
        let skew = self.played.skew();
        let zones = self.zones(asked, decided - LATE - skew, decided + skew);
        let is_day = zones.iter().any(|zone| journeys::opens(zone.as_deref(), decided - LATE - skew) <= decided + skew);
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
