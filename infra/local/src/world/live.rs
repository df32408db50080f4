//! Real time: pollers that wait for messages, the minute's sweep, the refresh of revoked tokens.

use std::time::Duration;

use tokio::task::JoinSet;

use super::{Function, World};

/// Pollers of a queue: Lambda's `MaximumConcurrency`, as far as two cores go.
const fn pollers(function: Function) -> usize {
    match function {
        Function::Evaluate => 8,
        Function::Schedule | Function::Send => 4,
        Function::Feedback => 2,
    }
}

/// How often `sweep` runs (`infra/template.yaml`).
const SWEEP: Duration = Duration::from_secs(60);

impl World {
    /// Polls, sweeps and refreshes until it is dropped. Nothing needs to be finished: what was not acknowledged comes again.
    /// Returns only when one of its tasks died, which is a fault of ours.
    pub async fn run(&self) {
        let mut tasks = JoinSet::new();
        for function in Function::ALL {
            for _ in 0..pollers(function) {
                let world = self.clone();
                tasks.spawn(async move {
                    let queue = world.queue_name(function);
                    loop {
                        if world.poll(function).await == 0 {
                            world.cloud.sqs().wait_for_message(&queue).await;
                        }
                    }
                });
            }
        }
        let world = self.clone();
        tasks.spawn(async move {
            let mut minute = tokio::time::interval(SWEEP);
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

    /// The minute's sweep. What fails is done the next minute.
    pub async fn sweep(&self) {
        let started = self.cloud.clock().now();
        let crashed = self.cloud.faults().crashed();
        let swept = tokio::select! {
            biased;
            () = crashed => return,
            swept = self.sweep.handle() => swept,
        };
        if let Err(error) = swept {
            tracing::warn!(error = %error, "sweep failed, and goes on next minute");
        }
        let ended = self.cloud.clock().now();
        self.cloud.meter().add_lambda("sweep", 1, super::poll::gigabyte_seconds(started, ended));
    }
}
