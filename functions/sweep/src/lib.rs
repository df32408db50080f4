#![doc = include_str!("../README.md")]

use dunlin_aws::calls;
use dunlin_aws::clients::Warm;
use dunlin_aws::commands::Commands;
use dunlin_aws::runs::Runs;
use dunlin_aws::settings::Setting;
use dunlin_aws::spill::{self, Spill};
use dunlin_aws::status::Watch;
use dunlin_aws::timers::{AHEAD, OVERDUE, SHARDS, Stretch, Timer, Timers, Walk};
use dunlin_aws::{Clients, Clock, Error, Kind, Settings, Stored, planted, resources};
use dunlin_core::run::Run;
use jiff::{SignedDuration, Timestamp};

/// The settings it needs; `infra/template.yaml` gives it these and no others.
pub const SETTINGS: &[Setting] = &[Setting::Region, Setting::Prefix, Setting::Queues, Setting::Bucket];
/// The connections it opens at init.
pub const WARM: Warm = Warm { table: Some(resources::TIMERS), queue: Some(resources::STEPS) };

/// Timers handed over at a time: a page of about 16 KB.
const PAGE: usize = 100;
/// Where a walk without a cursor begins, before now: no timer is older than the first sweep of its table, but a
/// restored table may be.
const FIRST: SignedDuration = SignedDuration::from_hours(1);
/// Spilled objects put back beside each other.
const SPILLED: u16 = 100;

/// What `sweep` may touch: timers, the queues of steps and of calls, the spill, the status; it reads runs and pulses, and how
/// much waits on the queues.
#[derive(Clone, Debug)]
pub struct Sweep {
    timers: Timers,
    runs: Runs,
    commands: Commands,
    spill: Spill,
    events: calls::Queue,
    watch: Watch,
    backlog: calls::Queue,
    clock: Clock,
}

impl Sweep {
    /// Builds the function once, at cold start.
    #[must_use]
    pub fn new(clients: &Clients, settings: &Settings) -> Self {
        Self {
            timers: Timers::new(clients, &settings.prefix),
            runs: Runs::new(clients, &settings.prefix),
            commands: Commands::new(clients, settings),
            spill: Spill::new(clients.s3.clone(), settings.bucket.clone()),
            events: calls::Queue::new(clients.sqs.clone(), settings.queue_url(resources::EVENTS)),
            watch: Watch::new(clients, settings),
            backlog: calls::Queue::new(clients.sqs.clone(), settings.queue_url(resources::BACKLOG)),
            clock: clients.clock.clone(),
        }
    }

    /// The minute's work. What fails does not keep the rest from being done.
    ///
    /// # Errors
    /// The first failure; the next minute goes on where this one stopped.
    pub async fn handle(&self) -> Result<(), Error> {
        let now = self.clock.now();
        let (watched, worked) = futures::future::join(Box::pin(self.watch.look(now)), Box::pin(self.work(now))).await;
        worked.and(watched)
    }

    async fn work(&self, now: Timestamp) -> Result<(), Error> {
        let due = self.walk(Walk::Due, now + AHEAD, now).await;
        let overdue = self.walk(Walk::Overdue, now - OVERDUE, now).await;
        [due, overdue, self.empty_spill().await].into_iter().collect()
    }

    /// Walks through the timers up to `last`; the cursor follows behind what is done.
    async fn walk(&self, walk: Walk, last: Timestamp, now: Timestamp) -> Result<(), Error> {
        let mut cursor = match self.timers.cursor(walk).await? {
            Some(there) => there,
            None => {
                // Kept before anything is walked: where the first sweeps fail for hours, the last of them begins here, too.
                let first = Stored { state: now - FIRST, version: 0 };
                self.timers.advance(walk, &first).await?;
                Stored { version: 1, ..first }
            }
        };
        while let Some(stretch) = Stretch::next(cursor.state, last) {
            let shards = (0..SHARDS).map(|shard| self.shard(walk, stretch, shard, now));
            let handed = futures::future::join_all(shards).await.into_iter().collect::<Result<(), Error>>();
            if !planted!(CursorBeforeHints) {
                handed?;
            }
            cursor.state = stretch.upto;
            match self.timers.advance(walk, &cursor).await {
                Ok(()) => cursor.version += 1,
                Err(error) if error.kind == Kind::Conflict => {
                    // Our own write, whose answer was lost, stands as we wrote it; else another sweep goes on from here.
                    let there = self.timers.cursor(walk).await?;
                    match there.filter(|there| there.state == cursor.state) {
                        Some(there) => cursor = there,
                        None => return Ok(()),
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn shard(&self, walk: Walk, stretch: Stretch, shard: u32, now: Timestamp) -> Result<(), Error> {
        let mut behind: Option<String> = None;
        loop {
            let page = self.timers.list(stretch, shard, behind.as_deref(), PAGE).await?;
            let timers = match walk {
                Walk::Due => page.timers,
                Walk::Overdue => self.overdue(page.timers).await?,
            };
            if !timers.is_empty() {
                self.commands.wake(&timers, now).await?;
            }
            behind = page.next;
            if behind.is_none() {
                return Ok(());
            }
        }
    }

    /// Of these timers, those whose run still waits for them.
    async fn overdue(&self, timers: Vec<Timer>) -> Result<Vec<Timer>, Error> {
        let keys: Vec<_> = timers.iter().map(|timer| (timer.project.clone(), timer.run.clone())).collect();
        let runs = self.runs.list(&keys).await?;
        let waits = |timer: &Timer, run: &Run| {
            if planted!(StuckByDueTime) {
                return run.id == timer.run;
            }
            run.project == timer.project && run.id == timer.run && run.moves == timer.moves && run.due_at().is_some()
        };
        let late: Vec<Timer> = timers.into_iter().filter(|timer| runs.iter().any(|run| waits(timer, run))).collect();
        for timer in &late {
            tracing::warn!(project.id = %timer.project, run.id = %timer.run, "overdue run woken again");
        }
        Ok(late)
    }

    /// Puts the calls of objects back into the lanes they were meant for: those of the second lane come last.
    async fn requeue(&self, keys: &[String]) -> Vec<Result<usize, Error>> {
        let first = keys.partition_point(|key| spill::lane(key).stem != resources::BACKLOG.stem);
        let (events, backlog) = keys.split_at(first);
        let (mut all, backlog) =
            futures::future::join(self.spill.requeue(events, &self.events), self.spill.requeue(backlog, &self.backlog))
                .await;
        all.extend(backlog);
        all
    }

    /// Puts spilled calls back, oldest first, until none is left or all that are left fail. What fails stays, and does
    /// not keep the others.
    async fn empty_spill(&self) -> Result<(), Error> {
        loop {
            let keys = self.spill.list(SPILLED).await?;
            let results = self.requeue(&keys).await;
            let (mut put_back, mut failure) = (0_usize, None);
            for (key, result) in keys.iter().zip(results) {
                match result {
                    Ok(_) => put_back += 1,
                    Err(error) => {
                        tracing::warn!(spill.key = %key, error = %error, "spilled calls stay");
                        failure = failure.or(Some(error));
                    }
                }
            }
            if put_back > 0 {
                tracing::info!(objects.count = put_back, "spilled calls put back");
            }
            match failure {
                Some(error) if put_back == 0 => return Err(error),
                _ if keys.is_empty() => return Ok(()),
                _ => {}
            }
        }
    }
}
