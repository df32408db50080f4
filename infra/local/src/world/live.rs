//! Real time: pollers that wait for messages, the minute's sweep, the refresh of revoked tokens.

use std::time::Duration;

use dunlin_aws::resources::Queue;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

use super::{Function, World};

/// Pollers of a queue: Lambda's `MaximumConcurrency`, as far as two cores go.
const fn pollers(queue: &Queue) -> usize {
    match queue.concurrency {
        100.. => 8,
        10.. => 4,
        _ => 2,
    }
}

/// Pollers of a queue whose function is watched: it is invoked once at a time, and one may wait for an answer that a
/// restart has lost.
const WATCHED: usize = 2;

/// How often `sweep` runs (`infra/template.yaml`).
const SWEEP: Duration = Duration::from_secs(60);

impl World {
    /// Polls, sweeps and refreshes until it is dropped. Nothing needs to be finished: what was not acknowledged comes again.
    /// Returns only when one of its tasks died, which is a fault of ours.
    pub async fn run(&self) {
        let mut tasks = JoinSet::new();
        for function in Function::ALL {
            let pollers = |queue| if self.lambda.is_some() { WATCHED } else { pollers(queue) };
            for queue in function.queues().iter().flat_map(|queue| std::iter::repeat_n(queue, pollers(queue))) {
                let world = self.clone();
                tasks.spawn(async move {
                    let name = world.queue_name(queue);
                    loop {
                        if world.poll_queue(function, queue).await == 0 {
                            world.cloud.sqs().wait_for_message(&name).await;
                        }
                    }
                });
            }
        }
        let world = self.clone();
        tasks.spawn(async move {
            let mut minute = tokio::time::interval(SWEEP);
            minute.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                minute.tick().await;
                world.sweep().await;
                if let Err(error) = world.cloud.expire() {
                    tracing::warn!(error = %error, "expired items stay");
                }
            }
        });
        tasks.spawn(dunlin_intake::refresh(self.revocations.clone(), self.intake.clone(), self.settings.clone()));
        if let Some(Err(error)) = tasks.join_next().await {
            tracing::error!(error = %error, "a poller died: start again, nothing is lost");
        }
    }

    /// The minute's sweep; whether all was done. What fails is done the next minute.
    pub async fn sweep(&self) -> bool {
        let started = self.cloud.clock().now();
        let crashed = self.cloud.faults().crashed();
        let swept = tokio::select! {
            biased;
            () = crashed => return false,
            swept = self.swept() => swept,
        };
        if let Err(error) = &swept {
            tracing::warn!(error = %error, "sweep failed, and goes on next minute");
        }
        let ended = self.cloud.clock().now();
        self.cloud.meter().add_lambda("sweep", 1, super::poll::gigabyte_seconds(started, ended));
        swept.is_ok()
    }

    /// Sweeps here, or where functions are watched: there for a minute at most, because then the next one is due.
    async fn swept(&self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let Some(lambda) = &self.lambda else { return Ok(self.sweep.handle().await?) };
        lambda.listening().await;
        let sweep = lambda.sweep(self.cloud.clock().now());
        Ok(tokio::time::timeout(SWEEP, sweep).await??)
    }
}
