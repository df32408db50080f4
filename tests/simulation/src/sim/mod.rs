//! The simulator: many environments of the unmodified functions beside each other, over the local AWS in memory, in one
//! thread and virtual time. Every request stops at a gate, where time passes and things go wrong; one seed decides
//! everything, so that the same seed is the same story.

mod conduct;
mod environment;
mod fleet;
mod gate;
mod polling;
mod receiver;
mod serving;
mod sweeping;
mod trace;

use std::collections::{BTreeMap, VecDeque};

use aws_lambda_events::event::sqs::SqsBatchResponse;
use bytes::Bytes;
use dunlin_aws::{Clients, Clock, Settings};
use dunlin_local::{Cloud, CloudError, Service};
use http::{Request, Response};
use jiff::Timestamp;
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::oneshot;

pub use conduct::Conduct;
pub use environment::Role;
pub use serving::{Sighting, Watcher};

use crate::house;
use environment::{Environment, instant};
use gate::{Board, Outcome, Waiting};
use polling::Polls;
use receiver::Receiver;
use sweeping::Sweeps;
use trace::Trace;

/// What an invocation returned.
#[derive(Debug)]
enum Returned {
    Batch(SqsBatchResponse),
    Answer(Response<Bytes>),
    Sweep(bool),
}

/// Something that comes to pass at its instant.
#[derive(Debug)]
enum Event {
    /// A call arrives at the front door.
    Call { number: u64, role: Role, request: Request<Bytes> },
    /// A poller looks at its queue.
    Poll(usize),
    /// A request reaches AWS.
    Serve(Waiting, Then),
    /// An environment goes on.
    Thaw(u64),
    /// An invocation has used up its time.
    Deadline { environment: u64, invocation: u64 },
}

/// What follows once a request has had its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    /// The answer.
    Answer,
    /// The environment dies, and the answer finds nobody.
    Die,
    /// The environment stands still for this many milliseconds, then finds the answer.
    Freeze(i64),
}

/// What befell an environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Befallen {
    /// When.
    pub at: Timestamp,
    /// Whose environment.
    pub role: Role,
    /// What: `killed`, `frozen`, `thawed`, `timed out`; `gave up waiting` for an answer.
    pub what: &'static str,
}

/// A call's answer.
#[derive(Debug)]
pub struct Answered {
    /// The caller's number for the call.
    pub number: u64,
    /// When it came.
    pub at: Timestamp,
    /// The answer; 502 where the environment died.
    pub answer: Response<Bytes>,
}

/// Dunlin in AWS, simulated.
pub struct Sim {
    cloud: Cloud,
    settings: Settings,
    /// Clients past every fault.
    looking: Clients,
    /// How environments behave from now on.
    pub conduct: Conduct,
    chance: StdRng,
    seed: u64,
    board: Board<Returned>,
    web: Receiver,
    environments: BTreeMap<u64, Environment>,
    agenda: BTreeMap<(i64, u64), Event>,
    counted: u64,
    requests: u64,
    asked: Vec<(Role, Service)>,
    steps: u64,
    /// Steps after which nothing goes on: for stories that should come to rest.
    pub most_steps: u64,
    answered: VecDeque<Answered>,
    befallen: Vec<Befallen>,
    polls: Polls,
    sweeps: Sweeps,
    trace: Trace,
    watchers: Vec<Box<dyn Watcher>>,
}

impl std::fmt::Debug for Sim {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Sim").field("seed", &self.seed).field("now", &self.now()).finish_non_exhaustive()
    }
}

impl Sim {
    /// A cloud without load, at `start`. Must run on a current-thread runtime of tokio, alone.
    ///
    /// # Errors
    ///
    /// [`CloudError`] if the cloud cannot be made.
    pub fn new(start: Timestamp, settings: Settings, conduct: Conduct, seed: u64) -> Result<Self, CloudError> {
        let cloud = Cloud::in_memory(Clock::stepped_at(start), seed)?;
        Ok(Self {
            polls: Polls::new(&settings.prefix),
            sweeps: Sweeps::new(start.as_millisecond()),
            looking: house::clients(&cloud),
            cloud,
            settings,
            conduct,
            chance: StdRng::seed_from_u64(seed ^ 0x5EED_0001),
            seed,
            board: Board::new(),
            web: Receiver::default(),
            environments: BTreeMap::new(),
            agenda: BTreeMap::new(),
            counted: 0,
            requests: 0,
            asked: Vec::new(),
            steps: 0,
            most_steps: u64::MAX,
            answered: VecDeque::new(),
            befallen: Vec::new(),
            trace: Trace::default(),
            watchers: Vec::new(),
        })
    }

    /// The cloud under it.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// The settings of all functions.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Shows every request to `watcher`, too, from now on.
    pub fn watch(&mut self, watcher: impl Watcher + 'static) {
        self.watchers.push(Box::new(watcher));
    }

    /// Plays every minute's sweep from now on, also those that find nothing to do: they take the readings of the status
    /// page.
    pub fn sweep_each_minute(&mut self) {
        self.sweeps.is_each_played = true;
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.cloud.clock().now()
    }

    /// Requests to AWS so far.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.requests
    }

    /// Who made each request so far, and to whom, in their order.
    #[must_use]
    pub fn asked(&self) -> &[(Role, Service)] {
        &self.asked
    }

    /// Times that something came to pass so far, or time went on: it grows without requests where somebody only waits.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// What befell environments so far.
    #[must_use]
    pub fn befallen(&self) -> &[Befallen] {
        &self.befallen
    }

    /// The hash of everything that happened so far.
    #[must_use]
    pub fn trace(&self) -> String {
        self.trace.hash()
    }

    /// Sends a call to a door at `at`, under a number of the caller's.
    pub fn call(&mut self, at: Timestamp, number: u64, role: Role, request: Request<Bytes>) {
        let at = at.as_millisecond().max(self.millis());
        self.put(at, Event::Call { number, role, request });
    }

    /// Goes on until a call is answered, or until `until`: then none.
    pub async fn next(&mut self, until: Timestamp) -> Option<Answered> {
        let until = until.as_millisecond();
        loop {
            if self.steps >= self.most_steps {
                return None;
            }
            self.steps += 1;
            self.settle().await;
            if let Some(answered) = self.answered.pop_front() {
                return Some(answered);
            }
            self.look();
            let now = self.millis();
            if let Some(due) = self.agenda.first_entry().filter(|due| due.key().0 <= now) {
                let event = due.remove();
                self.happen(event).await;
                continue;
            }
            if self.sweeps.due().is_some_and(|due| due <= now) {
                self.begin_sweep().await;
                continue;
            }
            let Some(next) = self.next_instant(now).filter(|next| *next <= until) else {
                self.advance(until);
                return None;
            };
            self.advance(next);
        }
    }

    /// Whether nothing more would happen by itself: no message, no invocation, no timer.
    #[must_use]
    pub fn is_at_rest(&self) -> bool {
        self.environments.values().all(Environment::is_idle)
            && self.next_instant(self.millis()).is_none()
            && self.polls.are_empty(&self.cloud)
    }

    fn millis(&self) -> i64 {
        self.now().as_millisecond()
    }

    fn put(&mut self, at: i64, event: Event) {
        self.counted += 1;
        self.agenda.insert((at, self.counted), event);
    }

    fn next_instant(&self, now: i64) -> Option<i64> {
        let agenda = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let sleepers = self.environments.values().filter_map(Environment::next_wake).min();
        let messages = self.cloud.next_due().map(|due| due.as_millisecond()).filter(|due| *due > now);
        [agenda, sleepers, messages, self.sweeps.due()].into_iter().flatten().min()
    }

    fn advance(&mut self, to: i64) {
        self.cloud.clock().advance_to(instant(to));
        self.environments.values().for_each(|environment| environment.tick(to));
    }

    /// Lets everybody do what can be done without waiting, and takes up what they left.
    async fn settle(&mut self) {
        loop {
            let before = self.board.left();
            // A step may go over as many tasks: an answer, the request that shares it, the handler that waits for it.
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
            let (waiting, ended) = self.board.take();
            if waiting.is_empty() && ended.is_empty() && self.board.left() == before {
                return;
            }
            waiting.into_iter().for_each(|waiting| self.arrive(waiting));
            ended.into_iter().for_each(|ended| self.finish(ended));
        }
    }

    async fn happen(&mut self, event: Event) {
        match event {
            Event::Call { number, role, request } => self.take_call(number, role, request),
            Event::Poll(index) => self.poll(index),
            Event::Serve(waiting, then) => self.serve(waiting, then).await,
            Event::Thaw(environment) => self.thaw(environment).await,
            Event::Deadline { environment, invocation } => self.deadline(environment, invocation),
        }
    }

    /// Hands over the answers that came while an environment stood still, before its clock tells it how late it is.
    async fn thaw(&mut self, number: u64) {
        let now = self.now();
        let Some(environment) = self.environments.get_mut(&number) else { return };
        environment.frozen_until = None;
        self.befallen.push(Befallen { at: now, role: environment.role, what: "thawed" });
        let mail = std::mem::take(&mut environment.mail);
        mail.into_iter().for_each(|(to, outcome)| hand_over(to, outcome));
        self.settle().await;
        let now = self.millis();
        if let Some(environment) = self.environments.get(&number) {
            environment.tick(now);
        }
    }
}

/// Who gave up waiting needs no answer.
fn hand_over(to: oneshot::Sender<Outcome>, outcome: Outcome) {
    drop(to.send(outcome));
}
