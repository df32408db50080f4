//! An environment: one sandbox in which Lambda runs a function, one invocation at a time, with its own clock and its own
//! connections.

use axum::Router;
use dunlin_aws::resources::Queue;
use dunlin_aws::{Clients, Clock, Settings};
use dunlin_local::world::Sweep;
use dunlin_local::{Broken, Door, Function, Handler, Message};
use http::Response;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;

use super::conduct::Fate;
use super::gate::Outcome;

/// Which function an environment runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// One that reads queues.
    Function(Function),
    /// One that API Gateway calls.
    Door(Door),
    /// The minute's sweep.
    Sweep,
}

impl Role {
    /// The function's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Function(function) => function.name(),
            Self::Door(door) => door.name(),
            Self::Sweep => "sweep",
        }
    }
}

/// What an environment holds between invocations.
#[derive(Clone, Debug)]
pub(crate) enum Held {
    Handler(Handler),
    Door(Router),
    Sweep(Sweep),
}

/// What an invocation is about.
#[derive(Clone, Debug)]
pub(crate) enum Subject {
    /// A batch of a queue.
    Batch { queue: &'static Queue, messages: Vec<Message> },
    /// A call, under the caller's number for it.
    Call { number: u64 },
    /// A sweep.
    Sweep,
}

/// An invocation under way.
#[derive(Debug)]
pub(crate) struct Invocation {
    pub(crate) number: u64,
    pub(crate) subject: Subject,
    pub(crate) task: AbortHandle,
    pub(crate) fate: Fate,
    /// Requests that it has made.
    pub(crate) requests: u64,
}

/// One sandbox.
#[derive(Debug)]
pub(crate) struct Environment {
    pub(crate) role: Role,
    pub(crate) held: Held,
    clock: Clock,
    skew_millis: i64,
    pub(crate) work: Option<Invocation>,
    pub(crate) used_at: i64,
    /// Until when it stands still.
    pub(crate) frozen_until: Option<i64>,
    /// Answers that arrived while it stood still.
    pub(crate) mail: Vec<(oneshot::Sender<Outcome>, Outcome)>,
}

impl Environment {
    /// A cold start, with connections of its own, by a clock that is off by `skew_millis`.
    pub(crate) fn start(role: Role, clients: &Clients, settings: &Settings, now: i64, skew_millis: i64) -> Self {
        let clock = clients.clock.clone();
        let held = match role {
            Role::Function(function) => Held::Handler(Handler::start(function, clients, settings)),
            Role::Door(door) => Held::Door(door.start(clients, settings)),
            Role::Sweep => Held::Sweep(Sweep::new(clients, settings)),
        };
        let (work, mail) = (None, Vec::new());
        Self { role, held, clock, skew_millis, work, used_at: now, frozen_until: None, mail }
    }

    /// Lets its clock go on to `now`, unless it stands still.
    pub(crate) fn tick(&self, now: i64) {
        if self.frozen_until.is_none() {
            self.clock.advance_to(instant(now + self.skew_millis));
        }
    }

    /// When its first sleeper wants to wake.
    pub(crate) fn next_wake(&self) -> Option<i64> {
        if self.frozen_until.is_some() {
            return None;
        }
        Some(self.clock.next_wake()?.as_millisecond() - self.skew_millis)
    }

    /// Whether it can take an invocation.
    pub(crate) fn is_idle(&self) -> bool {
        self.work.is_none()
    }
}

/// Milliseconds since the epoch as an instant.
pub(crate) fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

/// How long the function may take for one invocation, in milliseconds.
pub(crate) fn time_out(subject: &Subject) -> i64 {
    /// Of a function at the front door (`infra/template.yaml`).
    const CALL: SignedDuration = SignedDuration::from_secs(20);
    /// Of the sweep (`infra/template.yaml`).
    const SWEEP: SignedDuration = SignedDuration::from_secs(55);
    let time = match subject {
        Subject::Batch { queue, .. } => SignedDuration::from_secs(queue.timeout_seconds.into()),
        Subject::Call { .. } => CALL,
        Subject::Sweep => SWEEP,
    };
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// What API Gateway answers for an environment that died.
pub(crate) fn bad_gateway() -> Response<bytes::Bytes> {
    let mut answer = Response::new(bytes::Bytes::from_static(b"{\"message\":\"Internal Server Error\"}"));
    *answer.status_mut() = http::StatusCode::BAD_GATEWAY;
    answer
}

/// Whether an outcome is an answer at all.
pub(crate) fn word(outcome: &Outcome) -> String {
    match outcome {
        Ok(answer) => answer.status().as_str().to_owned(),
        Err(Broken::Unreachable) => "unreachable".to_owned(),
        Err(Broken::TimedOut) => "timed out".to_owned(),
        Err(Broken::Reset) => "reset".to_owned(),
    }
}
