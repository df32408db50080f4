//! The functions that read queues.

use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent};
use dunlin_aws::resources::{self, Queue};
use dunlin_aws::{Clients, Settings};
use dunlin_evaluate::Evaluate;
use dunlin_feedback::Home;
use dunlin_hook::Caller;
use dunlin_schedule::Schedule;
use dunlin_send::Sender;

/// The functions that read queues, in the order in which virtual time asks them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Function {
    /// Reads the two lanes of calls.
    Evaluate,
    /// Reads `steps`.
    Schedule,
    /// Reads the lanes of mails.
    Send,
    /// Reads `hooks`.
    Hook,
    /// Reads `feedback`.
    Feedback,
}

impl Function {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Evaluate, Self::Schedule, Self::Send, Self::Hook, Self::Feedback];

    /// The queues it reads, those first that go first.
    #[must_use]
    pub const fn queues(self) -> &'static [Queue] {
        match self {
            Self::Evaluate => &[resources::EVENTS, resources::BACKLOG],
            Self::Schedule => &[resources::STEPS],
            Self::Send => &[resources::SENDS_TRANSACTIONAL, resources::SENDS, resources::SENDS_BACKLOG],
            Self::Hook => &[resources::HOOKS],
            Self::Feedback => &[resources::FEEDBACK],
        }
    }

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Evaluate => "evaluate",
            Self::Schedule => "schedule",
            Self::Send => "send",
            Self::Hook => "hook",
            Self::Feedback => "feedback",
        }
    }
}

/// A function that reads queues, started: what one environment of Lambda holds.
#[derive(Clone, Debug)]
pub enum Handler {
    /// `evaluate`.
    Evaluate(Evaluate),
    /// `schedule`.
    Schedule(Schedule),
    /// `send`.
    Send(Sender),
    /// `hook`.
    Hook(Caller),
    /// `feedback`.
    Feedback(Home),
}

impl Handler {
    /// Starts a function, as a cold start does.
    #[must_use]
    pub fn start(function: Function, clients: &Clients, settings: &Settings) -> Self {
        match function {
            Function::Evaluate => Self::Evaluate(Evaluate::new(clients, settings)),
            Function::Schedule => Self::Schedule(Schedule::new(clients, settings)),
            Function::Send => Self::Send(Sender::new(clients, settings)),
            Function::Hook => Self::Hook(Caller::new(clients, settings)),
            Function::Feedback => Self::Feedback(Home::new(clients, settings)),
        }
    }

    /// Handles one batch.
    pub async fn handle(&self, event: SqsEvent) -> SqsBatchResponse {
        match self {
            Self::Evaluate(function) => function.handle(event).await,
            Self::Schedule(function) => function.handle(event).await,
            Self::Send(function) => function.handle(event).await,
            Self::Hook(function) => function.handle(event).await,
            Self::Feedback(function) => function.handle(event).await,
        }
    }
}
