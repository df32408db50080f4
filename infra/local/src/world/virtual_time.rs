//! Virtual time: everything that is due is done, then the clock jumps to what is due next. One task, one order: the
//! same seed gives the same trace.

use dunlin_aws::control::Control;
use dunlin_aws::resources::{SORT_KEY, TIMERS};
use dunlin_aws::spill::Spill;
use dunlin_aws::timers::AHEAD;
use jiff::{SignedDuration, Timestamp};

use super::{Function, World};

/// A sweep that finds nothing need not be played: only these are, from [`AHEAD`] of a timer until this long after it.
const BEHIND: SignedDuration = SignedDuration::from_mins(7);
/// The time between sweeps.
const MINUTE: SignedDuration = SignedDuration::from_mins(1);

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
        let mut swept = clock.now();
        loop {
            self.revocations.refresh(&Control::new(&self.intake, &self.settings.prefix)).await;
            self.settle_until(end.min(clock.now() + MINUTE)).await;
            let sweep = self.next_sweep(swept).await;
            let due = [self.cloud.next_due(), sweep].into_iter().flatten().min();
            let Some(due) = due.filter(|due| *due <= end) else { break };
            clock.advance_to(due);
            if sweep.is_some_and(|sweep| sweep <= due) {
                swept = clock.now();
                self.sweep().await;
            }
        }
        clock.advance_to(end);
        self.settle_until(end).await;
    }

    /// The next sweep worth playing: a minute after the last while there is something around, else in time for the next timer.
    async fn next_sweep(&self, last: Timestamp) -> Option<Timestamp> {
        let spilled = Spill::new(self.clients.s3.clone(), self.settings.bucket.clone()).list(1).await;
        if spilled.is_ok_and(|keys| !keys.is_empty()) {
            return Some(last + MINUTE);
        }
        let from = last - BEHIND;
        let next = self.timers().await.into_iter().filter(|due| *due > from).min()?;
        Some((next - AHEAD).max(last + MINUTE))
    }

    /// The instants of all timers: the world may look, a function never scans.
    async fn timers(&self) -> Vec<Timestamp> {
        let table = format!("{}{}", self.settings.prefix, TIMERS.name);
        let mut instants = Vec::new();
        let mut pages =
            self.clients.dynamodb.scan().table_name(table).projection_expression(SORT_KEY).into_paginator().send();
        while let Some(Ok(page)) = pages.next().await {
            for item in page.items.unwrap_or_default() {
                let millis = item
                    .get(SORT_KEY)
                    .and_then(|value| value.as_s().ok())
                    .and_then(|sk| sk.split('#').next()?.parse().ok());
                instants.extend(millis.and_then(|millis| Timestamp::from_millisecond(millis).ok()));
            }
        }
        instants
    }
}
