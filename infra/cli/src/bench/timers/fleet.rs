//! `sweep` and `schedule` as AWS runs them, in virtual time: a sweep each minute, ended when its time is up; batches of ten
//! hints, as many at once as the template gives, beginning with few as Lambda's pollers do; and every request takes as long
//! as AWS would take. What comes of it follows from these numbers and from how many requests come one after the other; how
//! fast this machine is does not matter.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use dunlin_aws::resources::STEPS;
use dunlin_aws::{Chance, Clients, Settings};
use dunlin_core::task::{Step, from_text};
use dunlin_local::world::{BATCH, Sweep, event};
use dunlin_local::{Answer, Broken, Cloud, Function, Handler, Message, Service, http_client};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinSet;

/// The time between sweeps, and how long one may take (`infra/template.yaml`).
const MINUTE: SignedDuration = SignedDuration::from_mins(1);
const SWEEP_TIME: Duration = Duration::from_secs(55);
/// Batches that Lambda's pollers begin with, and how many more each second: 300 a minute (Lambda developer guide, "scaling
/// behavior for standard queues").
const POLLERS: i64 = 5;

/// How long AWS takes for a request: the slow end of what the simulation draws (`tests/simulation/src/sim/conduct.rs`).
fn takes(service: Service) -> Duration {
    Duration::from_millis(match service {
        Service::DynamoDb => 8,
        Service::S3 => 50,
        _ => 15,
    })
}

/// The way to a cloud, which takes time.
#[derive(Debug)]
struct Road {
    cloud: Cloud,
    asked: Arc<AtomicU64>,
}

impl Answer for Road {
    fn answer(&self, request: Request<Bytes>) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, Broken>> + Send>> {
        let (cloud, asked) = (self.cloud.clone(), Arc::clone(&self.asked));
        Box::pin(async move {
            asked.fetch_add(1, Ordering::Relaxed);
            cloud.clock().sleep(takes(Cloud::asked(&request).0)).await;
            cloud.answer(request).await
        })
    }
}

/// What was seen of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Seen {
    /// Sweeps, and those that did not end well, or not in time.
    pub(crate) sweeps: u64,
    pub(crate) failed: u64,
    /// The longest sweep, but for the first.
    pub(crate) longest: SignedDuration,
    /// Hints that were done.
    pub(crate) hints: u64,
    /// How long after its instant the last one was.
    pub(crate) late: SignedDuration,
}

/// What came of an invocation.
enum Done {
    Swept { well: bool, took: SignedDuration },
    Batch { handler: Box<Handler>, hints: u64, late: SignedDuration },
}

/// The functions, and who invokes them.
pub(crate) struct Fleet {
    cloud: Cloud,
    queue: String,
    asked: Arc<AtomicU64>,
    sweep: Sweep,
    idle: Vec<Handler>,
    size: usize,
    work: JoinSet<Done>,
    busy_since: Option<Timestamp>,
    seen: Seen,
}

impl Fleet {
    /// The functions of a stage over a cloud whose clock is stepped.
    pub(crate) fn new(cloud: &Cloud, settings: &Settings) -> Self {
        let asked = Arc::new(AtomicU64::new(0));
        let clients = |seed| {
            let road = Road { cloud: cloud.clone(), asked: Arc::clone(&asked) };
            Clients::in_process(http_client(road), cloud.clock().clone(), Chance::seeded(seed))
        };
        let numbers = 1..=u64::from(STEPS.concurrency);
        let idle: Vec<_> =
            numbers.map(|number| Handler::start(Function::Schedule, &clients(number), settings)).collect();
        Self {
            queue: format!("{}{}", settings.prefix, STEPS.name()),
            sweep: Sweep::new(&clients(0), settings),
            size: idle.len(),
            idle,
            cloud: cloud.clone(),
            asked,
            work: JoinSet::new(),
            busy_since: None,
            seen: Seen::default(),
        }
    }

    /// Plays until then, and until everybody is done.
    pub(crate) async fn play(mut self, until: Timestamp) -> Seen {
        let clock = self.cloud.clock().clone();
        let mut sweep_at = clock.now();
        loop {
            self.settle().await;
            let now = clock.now();
            if now >= sweep_at && now < until {
                self.begin_sweep();
                sweep_at += MINUTE;
                continue;
            }
            if self.receive() {
                continue;
            }
            if now >= until && self.work.is_empty() {
                return self.seen;
            }
            let due = self.cloud.next_due();
            let next = [clock.next_wake(), due, Some(sweep_at.min(until))].into_iter().flatten();
            // Whatever is due now was begun above.
            clock.advance_to(next.filter(|at| *at > now).min().unwrap_or(now + MINUTE));
        }
    }

    /// Lets everybody do what can be done without waiting.
    async fn settle(&mut self) {
        loop {
            let before = self.asked.load(Ordering::Relaxed);
            // A step may go over as many tasks: an answer, the request that shares it, the handler that waits for it.
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
            let mut ended = false;
            while let Some(done) = self.work.try_join_next() {
                ended = true;
                // Who panicked is missing from the fleet, and what it held comes again.
                if let Ok(done) = done {
                    self.end(done);
                }
            }
            if !ended && self.asked.load(Ordering::Relaxed) == before {
                return;
            }
        }
    }

    fn end(&mut self, done: Done) {
        match done {
            Done::Swept { well, took } => {
                self.seen.sweeps += 1;
                self.seen.failed += u64::from(!well);
                // The first of a table looks back an hour, once.
                if self.seen.sweeps > 1 {
                    self.seen.longest = self.seen.longest.max(took);
                }
            }
            Done::Batch { handler, hints, late } => {
                self.idle.push(*handler);
                self.seen.hints += hints;
                self.seen.late = self.seen.late.max(late);
            }
        }
    }

    fn begin_sweep(&mut self) {
        let (sweep, clock) = (self.sweep.clone(), self.cloud.clock().clone());
        self.work.spawn(async move {
            let begun = clock.now();
            let well = clock.timeout(SWEEP_TIME, Box::pin(sweep.handle())).await.is_some_and(|swept| swept.is_ok());
            Done::Swept { well, took: clock.now().duration_since(begun) }
        });
    }

    /// Takes a batch from the queue, if there is one and room for it.
    fn receive(&mut self) -> bool {
        let now = self.cloud.clock().now();
        let seconds = self.busy_since.map_or(0, |since| now.duration_since(since).as_secs());
        let room = usize::try_from(POLLERS.saturating_mul(seconds + 1)).unwrap_or(usize::MAX);
        if self.size - self.idle.len() >= room.min(self.size) {
            return false;
        }
        let messages = self.cloud.sqs().receive(&self.queue, BATCH);
        if messages.is_empty() {
            return false;
        }
        let Some(handler) = self.idle.pop() else { return false };
        self.busy_since = self.busy_since.or(Some(now));
        let (cloud, queue) = (self.cloud.clone(), self.queue.clone());
        self.work.spawn(async move { take(handler, cloud, &queue, messages).await });
        true
    }
}

/// A batch on its way: received, handled, deleted.
async fn take(handler: Handler, cloud: Cloud, queue: &str, messages: Vec<Message>) -> Done {
    let clock = cloud.clock().clone();
    clock.sleep(takes(Service::SqsStandard)).await;
    let response = handler.handle(event(queue, messages.clone())).await;
    let failed: Vec<&str> = response.batch_item_failures.iter().map(|one| one.item_identifier.as_str()).collect();
    let (mut hints, mut late, mut receipts) = (0, SignedDuration::ZERO, Vec::with_capacity(messages.len()));
    for message in messages.iter().filter(|message| !failed.contains(&message.id.as_str())) {
        if let Ok(step) = from_text::<Step>(&message.body) {
            hints += 1;
            late = late.max(clock.now().duration_since(step.due_at));
        }
        receipts.push(message.receipt.clone());
    }
    clock.sleep(takes(Service::SqsStandard)).await;
    cloud.sqs().delete(queue, &receipts);
    Done::Batch { handler: Box::new(handler), hints, late }
}
