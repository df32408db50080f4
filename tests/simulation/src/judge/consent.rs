//! Who may be written to: nobody who has said no by the instant of the claim; and nobody is left out without a reason.

use dunlin_core::delivery::{Delivery, Reason};
use jiff::{SignedDuration, Timestamp};

use super::{Asked, Judge};
use crate::model::{Mail, State};
use crate::observed::Entry;

impl Judge<'_> {
    /// Consent at the very claim.
    pub(super) fn consent(&mut self, asked: &Asked<'_>, mail: Mail, claim: &Entry) {
        let call = &asked.event.call;
        let states = asked.story.between(asked.index, claim.at, claim.at);
        // A claim whose answer was lost may not have worked; whoever claims again is judged then.
        let barred = |state: &State| match mail.held_back(state, call.at) {
            Some("deleted") => state.since.is_none(),
            Some("unsubscribed") => true,
            _ => false,
        };
        let left = self.rest.mails.iter().any(|sent| {
            sent.at >= claim.at
                && sent.at < claim.at + SignedDuration::from_mins(2)
                && sent.tags.iter().any(|(_, value)| value == claim.delivery.id.as_str())
        });
        if left && states.iter().all(barred) {
            self.broken("no mail after a committed unsubscribe or delete", format!("{mail:?} {}", claim.delivery.id));
        }
        let to = claim.delivery.to.as_ref().map(|to| self.rest.key_of(&claim.delivery.project, to.as_str()));
        let suppressed = to.and_then(|to| self.seen.suppressed.get(&to).copied());
        if left && suppressed.is_some_and(|at| at < claim.at) {
            self.broken("no mail after a committed suppression", format!("{mail:?} {}", claim.delivery.id));
        }
    }

    /// A mail that was not sent: the reason must have been true.
    pub(super) fn reason(
        &mut self,
        asked: &Asked<'_>,
        mail: Mail,
        delivery: &Delivery,
        reason: &Reason,
        entries: &[Entry],
        due: Timestamp,
    ) {
        let call = &asked.event.call;
        let decided = entries.iter().filter(|entry| entry.delivery.state == delivery.state).map(|entry| entry.at).max();
        let decided = decided.unwrap_or(Timestamp::MAX);
        let states = asked.story.between(asked.index, due.min(decided) - self.played.skew(), decided);
        let right = match reason {
            Reason::Unknown => {
                self.explained(delivery, 0)
                    || self.seen.handed.iter().any(|one| one.delivery == delivery.id.as_str() && !one.is_settled)
            }
            Reason::Suppressed(_) => {
                let key = self.rest.key_of(&delivery.project, &asked.person.email());
                self.seen.suppressed.get(&key).is_some_and(|at| *at <= decided)
            }
            other => states.iter().any(|state| mail.held_back(state, call.at) == Some(other.code())),
        };
        if !right {
            let what = format!("{mail:?} for {} of {:?}: {reason:?}", call.id, asked.person);
            self.broken("a mail is held back only for a reason", what);
        }
    }
}
