//! Virtual time: everything that is due is done, then the clock jumps to what is due next. One task, one order: the
//! same seed gives the same trace.

use dunlin_aws::control::Control;
use dunlin_aws::spill::Spill;
use dunlin_aws::timers::{AHEAD, Cursor, OVERDUE, Timers, Walk};
use jiff::{SignedDuration, Timestamp};

use super::{Function, World};

/// How far back there may be timers that still concern a first sweep.
const BEHIND: SignedDuration = SignedDuration::from_mins(7);
/// The time between sweeps. One that finds nothing need not be played.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// How the last sweep went, and when.
#[derive(Clone, Copy)]
enum Swept {
    /// Time was not watched before this instant.
    Unseen(Timestamp),
    /// Not all was done.
    Failed(Timestamp),
    /// All was done.
    Well(Timestamp),
}

impl World {
    /// Handles everything that can be received now. While a service is away each batch is held, which moves time, and comes
    /// back: then for a minute.
    pub async fn settle(&self) {
        self.settle_until(self.cloud.clock().now() + MINUTE).await;
    }

    async fn settle_until(&self, end: Timestamp) {
        loop {
            let mut handled = 0;
            for function in Function::ALL {
                handled += self.poll(function).await;
            }
            if handled == 0 || self.cloud.clock().now() > end {
                return;
            }
        }
    }

    /// Lets `duration` pass.
    pub async fn advance(&self, duration: SignedDuration) {
        self.advance_to(self.cloud.clock().now() + duration).await;
    }

    /// Lets time pass until `end`, doing everything when it is due.
    pub async fn advance_to(&self, end: Timestamp) {
        let clock = self.cloud.clock().clone();
        let mut swept = Swept::Unseen(clock.now());
        loop {
            self.revocations.refresh(&Control::new(&self.intake, &self.settings.prefix)).await;
            self.settle_until(end.min(clock.now() + MINUTE)).await;
            let sweep = self.next_sweep(swept).await;
            let due = [self.cloud.next_due(), sweep].into_iter().flatten().min();
            let Some(due) = due.filter(|due| *due <= end) else { break };
            clock.advance_to(due);
            if sweep.is_some_and(|sweep| sweep <= due) {
                let at = clock.now();
                if matches!(swept, Swept::Well(_)) {
                    self.skip_sweeps(at - MINUTE).await;
                }
                swept = if self.sweep().await { Swept::Well(at) } else { Swept::Failed(at) };
            }
        }
        clock.advance_to(end);
        self.settle_until(end).await;
    }

    /// Leaves the cursors where the sweeps that were not played would have left them, the last one at `last`: there was no
    /// timer for them to find, which is why they were not played. Where this fails, the next sweep walks the whole way.
    async fn skip_sweeps(&self, last: Timestamp) {
        let timers = Timers::new(&self.clients, &self.settings.prefix);
        for (walk, upto) in [(Walk::Due, last + AHEAD), (Walk::Overdue, last - OVERDUE)] {
            if let Ok(Some(cursor)) = timers.cursor(walk).await
                && cursor.upto < upto
                && cursor.under_way.is_none()
            {
                drop(timers.advance(walk, &Cursor { upto, ..cursor }).await);
            }
        }
    }

    /// The next sweep worth playing: a minute after the last while calls lie in the spill, or where the last one failed;
    /// else [`AHEAD`] of the next timer that no sweep has seen, or [`OVERDUE`] after the next one that was not looked at
    /// again. Of what came before the first sweep nothing is known, so it is a minute away while there is a timer around.
    async fn next_sweep(&self, swept: Swept) -> Option<Timestamp> {
        let (Swept::Unseen(last) | Swept::Failed(last) | Swept::Well(last)) = swept;
        let spilled = Spill::new(self.clients.s3.clone(), self.settings.bucket.clone()).list(1).await;
        if spilled.is_ok_and(|keys| !keys.is_empty()) {
            return Some(last + MINUTE);
        }
        let due = |after: SignedDuration, lead: SignedDuration| Some(self.cloud.next_timer(last + after)? + lead);
        let next = match swept {
            Swept::Unseen(_) => due(-BEHIND, -AHEAD)?,
            Swept::Failed(_) => last,
            Swept::Well(_) => [due(AHEAD, -AHEAD), due(-OVERDUE, OVERDUE)].into_iter().flatten().min()?,
        };
        Some(next.max(last + MINUTE))
    }
}
