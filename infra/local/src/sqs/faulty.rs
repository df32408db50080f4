//! Where faults meet queues: receives that go wrong, deletions that do not last, entries that fail, delays that are late.

use super::Sqs;
use super::change::BadReceipt;
use super::engine::Engine;
use super::line::Disturbance;
use super::message::{Message, Millis};
use crate::faults::{Asked, Kind, Strike};
use crate::meter::Service;
use crate::reply::Refusal;

impl Sqs {
    /// Receives with the faults that queues have.
    pub(super) fn take(&self, queue: &str, max: usize, visibility_seconds: Option<u32>) -> Vec<Message> {
        let standard = self.service_of(queue) == Service::SqsStandard;
        let strikes = |kind| self.strikes(queue, "ReceiveMessage", kind).is_some();
        let disturbance = Disturbance {
            duplicate: standard && strikes(Kind::DuplicateDelivery),
            reorder: standard && strikes(Kind::Reorder),
            any_group: strikes(Kind::AnyGroup).then(|| self.shared.faults.seed()),
        };
        let lost = strikes(Kind::LostReceive);
        let messages = self.change(|engine, now| engine.receive(queue, now, max, visibility_seconds, disturbance));
        if lost { Vec::new() } else { messages }
    }

    /// Deletes a message, unless the deletion gets lost; a standard queue may keep a copy.
    pub(super) fn erase(
        &self,
        engine: &mut Engine,
        queue: &str,
        operation: &str,
        receipt: &str,
        now: Millis,
    ) -> Result<(), BadReceipt> {
        if self.strikes(queue, operation, Kind::LostDelete).is_some() {
            return Ok(());
        }
        let Some(deleted) = engine.delete(queue, receipt, now)? else { return Ok(()) };
        if self.service_of(queue) == Service::SqsStandard
            && let Some(strike) = self.strikes(queue, operation, Kind::DuplicateAfterDelete)
        {
            engine.keep_copy(queue, deleted, now, now + strike.late_millis);
        }
        Ok(())
    }

    /// How long after its delay a message becomes visible; nothing is late that has no delay.
    pub(super) fn jitter(&self, queue: &str, operation: &str, delay_seconds: u32) -> Millis {
        let late = || self.strikes(queue, operation, Kind::DelayJitter).map(|strike| strike.late_millis);
        if delay_seconds == 0 { 0 } else { late().unwrap_or(0) }
    }

    /// Why each entry of a batch fails by itself: nothing, or the service's fault; at least one of them if the fault strikes.
    pub(super) fn failures(&self, queue: &str, operation: &str, entries: usize) -> Vec<Option<Refusal>> {
        if self.strikes(queue, operation, Kind::PartialBatch).is_none() {
            return vec![None; entries];
        }
        let faults = &self.shared.faults;
        let certain = faults.draw(entries);
        let fails = |entry| entry == certain || faults.draw(2) == 0;
        let refusal = || Refusal::internal("InternalError", "We encountered an internal error. Please try again.");
        (0..entries).map(|entry| fails(entry).then(refusal)).collect()
    }

    fn strikes(&self, queue: &str, operation: &str, kind: Kind) -> Option<Strike> {
        let asked = Asked::new(self.shared.clock.now(), self.service_of(queue), operation);
        self.shared.faults.strikes(&asked, kind)
    }
}
