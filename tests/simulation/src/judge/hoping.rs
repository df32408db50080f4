//! What runs are held against that wait for something to be true, or for a server's answer.

use dunlin_core::limits::{HOOK_ANSWERED, HOOK_WITHIN};
use dunlin_core::run::RunState;
use jiff::{SignedDuration, Timestamp};

use super::said::said;
use super::{Asked, Judge};
use crate::deeds::{self, Told};
use crate::hopes;
use crate::model::Mail;

/// How long after something became true a run is asked at the latest, in whole seconds of a queue (docs/campaigns.md).
const LOOK: SignedDuration = SignedDuration::from_secs(7);
/// The pauses before a third try of a webhook, each drawn up to its length, in whole seconds of a queue.
const TRIES: SignedDuration = SignedDuration::from_secs(11 + 21);

impl Judge<'_> {
    /// The mail to who hoped for something that came true in time; how many there are.
    pub(super) fn hope(&mut self, asked: &Asked<'_>) -> usize {
        let (at, skew) = (asked.event.call.at, self.played.skew());
        let ends = at + SignedDuration::from_secs(hopes::WITHIN);
        let Some(delivery) = self.delivery(asked, Mail::Hope) else {
            let run = self.run(asked, hopes::CAMPAIGN);
            let ended = run.and_then(|run| match run.state {
                RunState::Ended { at, .. } => Some(at + skew),
                _ => None,
            });
            // It is asked when it begins, and at its end at the latest.
            let asked_at = ended.map(|ended| asked.story.between(asked.index, ends.min(ended) - skew, ended));
            if asked_at.is_some_and(|states| states.iter().all(|state| hopes::holds(state, at))) {
                self.broken("a run sees what is true while it waits", format!("{} of {:?}", at, asked.person));
            }
            // It gives up in time, unless somebody is deleted: that is to be explained as for any mail.
            if ended.is_none_or(|ended| ended < ends) {
                self.nothing(asked, Mail::Hope);
            }
            return 0;
        };
        let decided = self.decided_at(delivery);
        let from = asked.event.queued_at.unwrap_or(at);
        let states = asked.story.between(asked.index, from, decided.map_or(Timestamp::MAX, |decided| decided + skew));
        if !states.iter().any(|state| hopes::holds(state, at)) {
            self.broken("a run sees only what is true while it waits", format!("{} of {:?}", at, asked.person));
        }
        self.something(asked, Mail::Hope, delivery);
        1
    }

    /// When the mail is due to who hoped: soon after it was true for good, and at the end of the wait at the latest.
    pub(super) fn hoped_by(&self, asked: &Asked<'_>) -> Timestamp {
        let at = asked.event.call.at;
        let ends = at + SignedDuration::from_secs(hopes::WITHIN);
        let known = hopes::stays_true(asked.story, asked.index, ends).map(|known| known.max(at) + LOOK);
        known.map_or(ends, |known| known.min(ends))
    }

    /// Of the two mails after a webhook the one that fits its answer; how many there are.
    pub(super) fn told(&mut self, asked: &Asked<'_>) -> usize {
        let found = [Mail::Told, Mail::Untold].map(|mail| (mail, self.delivery(asked, mail)));
        let [is_told, is_untold] = found.map(|(_, delivery)| delivery.is_some());
        let (call, told) = (&asked.event.call, self.answer(asked));
        if is_told && is_untold {
            self.broken("a run takes one of two exits", format!("{} of {:?}", call.id, asked.person));
        }
        if is_told && told == Told::Bad {
            self.broken("a run hears only what it was answered", format!("{} of {:?}", call.id, asked.person));
        }
        let gives_up = call.at + HOOK_WITHIN + HOOK_ANSWERED;
        if is_untold && told != Told::Bad && self.is_calm(call.at, gives_up) {
            self.broken("a run hears what it was answered", format!("{} of {:?}", call.id, asked.person));
        }
        if !is_told && !is_untold {
            self.nothing(asked, Mail::Told);
        }
        let found = found.into_iter().filter_map(|(mail, delivery)| Some((mail, delivery?)));
        found.map(|(mail, delivery)| self.something(asked, mail, delivery)).count()
    }

    /// When the mail after a webhook is due: when it was answered, or when nobody waits any longer.
    pub(super) fn told_by(&self, asked: &Asked<'_>, mail: Mail) -> Timestamp {
        let asks = asked.event.call.at + SignedDuration::from_secs(deeds::PAUSE);
        match (self.answer(asked), mail) {
            (Told::Bad, _) | (Told::Good, Mail::Told) => asks,
            (Told::Late, Mail::Told) => asks + TRIES,
            _ => asks + HOOK_WITHIN + HOOK_ANSWERED,
        }
    }

    fn answer(&self, asked: &Asked<'_>) -> Told {
        Told::of(said(&asked.event.call.action).1.unwrap_or_default())
    }
}
