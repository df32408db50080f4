//! How often a mail left: once, and twice only where nobody could know.

use dunlin_core::delivery::{Delivery, Reason, SILENCE, State as Ledger};
use dunlin_local::Mail as Sent;
use jiff::{SignedDuration, Timestamp};

use super::Judge;
use crate::model::Mail;

/// The longest that a request takes of an environment that is slow (`sim::conduct`), and a little.
const SLOWEST: SignedDuration = SignedDuration::from_secs(7);

impl Judge<'_> {
    /// Each mail left as often as the ledger says, and twice only where nobody could know.
    pub(super) fn times(&mut self, mail: Mail, delivery: &Delivery, sent: &[&Sent]) {
        let unknown = matches!(&delivery.state, Ledger::NotSent { reason: Reason::Unknown, .. });
        let settled = self.seen.handed.iter().filter(|one| one.delivery == delivery.id.as_str());
        let open = settled.filter(|one| !one.is_settled).count();
        match (&delivery.state, sent.len()) {
            (Ledger::Sent { .. }, 0) => {
                self.broken("what the ledger calls sent has left", format!("{mail:?} {}", delivery.id));
            }
            (Ledger::NotSent { .. }, n) if n > 0 && !self.explained(delivery, open) => {
                self.broken("what left is in the ledger", format!("{mail:?} {}: {:?}", delivery.id, delivery.state));
            }
            _ => {}
        }
        if unknown && mail.is_transactional() {
            self.broken("a transactional mail of unknown outcome goes again", delivery.id.to_string());
        }
        let excused =
            mail.is_transactional() && sent.len() <= self.silences(delivery) && self.explained(delivery, open);
        if sent.len() > 1 && !excused {
            let at: Vec<Timestamp> = sent.iter().map(|one| one.at).collect();
            self.broken("no mail leaves twice from our side", format!("{mail:?} {} at {at:?}", delivery.id));
        }
    }

    /// Claims of a mail with SES's silence before each: whoever stood still in the middle of one may hand the mail over
    /// later than who claimed again.
    fn silences(&self, delivery: &Delivery) -> usize {
        let entries = self.seen.ledger.get(&delivery.id).map_or(&[][..], Vec::as_slice);
        let claims: Vec<Timestamp> = entries.iter().filter(|entry| entry.is_claim).map(|entry| entry.at).collect();
        let apart = |pair: &&[Timestamp]| match pair {
            [first, second] => second.duration_since(*first) >= SILENCE - self.played.skew().abs(),
            _ => false,
        };
        usize::from(!claims.is_empty()) + claims.windows(2).filter(apart).count()
    }

    /// Whether a fault explains that the outcome was unknown: SES's answer was lost, or whoever waited for it was.
    pub(super) fn explained(&self, delivery: &Delivery, open: usize) -> bool {
        let entries = self.seen.ledger.get(&delivery.id).map_or(&[][..], Vec::as_slice);
        let claims = entries.iter().filter(|entry| entry.is_claim).map(|entry| entry.at);
        // A `send` may have stood still before its claim, or after it, for an hour; its commit is tried for seconds. Who is
        // slow may be gone, or have left it (`outage::WORK`), before what he asked for comes to pass.
        let mut near = claims.map(|claim| (claim - SLOWEST, claim + SignedDuration::from_mins(3)));
        open > 0 || near.any(|(from, to)| self.played.faults.iter().any(|at| (from..=to).contains(at)))
    }
}
