#![doc = include_str!("../README.md")]

use dunlin_aws::calls;
use dunlin_aws::clients::Warm;
use dunlin_aws::commands::Commands;
use dunlin_aws::runs::Runs;
use dunlin_aws::settings::Setting;
use dunlin_aws::spill::{self, Spill};
use dunlin_aws::status::Watch;
use dunlin_aws::timers::{AHEAD, Cursor, OVERDUE, Reached, Stretch, Timer, Timers, UnderWay, Walk};
use dunlin_aws::{Clients, Clock, Error, Kind, Settings, planted, resources};
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
/// How long after its beginning a sweep begins no page of due timers any more, and how long none of overdue runs: Lambda ends
/// it after 55 s (`infra/template.yaml`), and the spill comes behind. What is left is the next minute's.
const DUE: SignedDuration = SignedDuration::from_secs(30);
/// See [`DUE`].
const LATE: SignedDuration = SignedDuration::from_secs(40);
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
        let due = self.walk(Walk::Due, now + AHEAD, (now, now + DUE)).await;
        let overdue = self.walk(Walk::Overdue, now - OVERDUE, (now, now + LATE)).await;
        [due, overdue, self.empty_spill().await].into_iter().collect()
    }

    /// Walks through the timers up to `last`; the cursor follows behind what is done. Begins no page after `until`.
    async fn walk(&self, walk: Walk, last: Timestamp, (now, until): (Timestamp, Timestamp)) -> Result<(), Error> {
        let mut cursor = self.cursor(walk, now).await?;
        while let Some(before) = cursor.under_way.take().or_else(|| UnderWay::next(cursor.upto, last)) {
            let mut under_way = before.clone();
            let stretch = under_way.stretch;
            let shards = (0..).zip(&mut under_way.shards);
            let shards = shards.map(|(shard, reached)| self.shard(walk, (stretch, shard), reached, until));
            let handed = futures::future::join_all(shards).await.into_iter().collect::<Result<(), Error>>();
            let is_done = under_way.is_done() || planted!(CursorBeforeHints);
            if is_done {
                cursor.upto = stretch.upto;
            } else if under_way == before {
                return handed;
            } else {
                tracing::warn!(stretch.upto = %stretch.upto, "the next sweep goes on where this one stops");
                cursor.under_way = Some(under_way);
            }
            if !self.advance(walk, &mut cursor).await? || !is_done {
                return handed;
            }
        }
        Ok(())
    }

    /// How far a walk has come.
    async fn cursor(&self, walk: Walk, now: Timestamp) -> Result<Cursor, Error> {
        if let Some(there) = self.timers.cursor(walk).await? {
            return Ok(there);
        }
        // Kept before anything is walked: where the first sweeps fail for hours, the last of them begins here, too.
        let first = Cursor { upto: now - FIRST, under_way: None, version: 0 };
        self.timers.advance(walk, &first).await?;
        Ok(Cursor { version: 1, ..first })
    }

    /// Keeps how far the walk has come; whether it is still ours to go on.
    async fn advance(&self, walk: Walk, cursor: &mut Cursor) -> Result<bool, Error> {
        match self.timers.advance(walk, cursor).await {
            Ok(()) => cursor.version += 1,
            Err(error) if error.kind == Kind::Conflict => {
                // Our own write, whose answer was lost, stands as we wrote it; else another sweep goes on from here.
                let there = self.timers.cursor(walk).await?;
                let ours = there.filter(|there| there.upto == cursor.upto && there.under_way == cursor.under_way);
                let Some(there) = ours else { return Ok(false) };
                *cursor = there;
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    /// Hands over one shard of a stretch, from where it was `reached`.
    async fn shard(
        &self,
        walk: Walk,
        (stretch, shard): (Stretch, u32),
        reached: &mut Reached,
        until: Timestamp,
    ) -> Result<(), Error> {
        while *reached != Reached::All {
            if self.clock.now() >= until {
                return Ok(());
            }
            let behind = if let Reached::Behind(key) = &*reached { Some(key.as_str()) } else { None };
            let page = self.timers.list(stretch, shard, behind, PAGE).await?;
            let timers = match walk {
                Walk::Due => page.timers,
                Walk::Overdue => self.overdue(page.timers).await?,
            };
            if !timers.is_empty() {
                // What is left of a wait is left from now on, however long the sweep has been at it.
                self.commands.wake(&timers, self.clock.now()).await?;
            }
            *reached = page.next.map_or(Reached::All, Reached::Behind);
        }
        Ok(())
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
