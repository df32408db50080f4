//! Status: how each component of the service is, judged from readings. Every threshold is here; the page, the history
//! and the alarms of `infra/template.yaml` use the same ones.

mod history;
mod reading;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::limits::SQS_DELAY;

pub use history::{DAYS, Day, History, Tally};
pub use reading::{Mailing, Provider, Pulse, QueueReading, Readings};

/// How late something may be before it is *delayed*: the promise is at most a minute, for timers and for what waits on a
/// queue. Alarms `queue-age` and `timers-late`.
pub const LATE: SignedDuration = SignedDuration::from_secs(60);
/// What the alarm `step-age` allows: a step may lie on its queue for as long as SQS holds it back on purpose, which
/// CloudWatch counts as age, and be [`LATE`] besides. (Our own readings count from when a step is due.)
pub const STEP_LATE: SignedDuration = SignedDuration::from_secs(SQS_DELAY.as_secs() + LATE.as_secs());
/// How long work may lie without any of it being done before a component is *down*: longer than a message that failed is
/// hidden (two minutes), twice. The alarms ring after as many minutes of lateness.
pub const STUCK: SignedDuration = SignedDuration::from_mins(5);
/// How old a pulse may be and still say how late a queue is: a function tells at most one a minute, and is read once a
/// minute.
pub const FRESH: SignedDuration = SignedDuration::from_secs(120);
/// How old the readings may be: they are taken once a minute, and one may be lost.
pub const STALE: SignedDuration = SignedDuration::from_secs(150);
/// How long SES's last word holds: mails that it does not take are tried again after a quarter of an hour at most.
pub const SAID: SignedDuration = SignedDuration::from_mins(17);

/// A part of the service, as its users see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Component {
    /// Calls are taken and stored.
    Ingestion,
    /// Calls change profiles and start runs.
    Evaluation,
    /// Runs move when they are due.
    Scheduling,
    /// Mails that ignore unsubscribes: receipts, passwords.
    TransactionalMail,
    /// Mails of behavioural campaigns and workflows.
    TriggeredMail,
    /// What SES and recipients say comes home.
    Feedback,
    /// The control plane.
    Console,
}

/// The queues in which only a flood waits: its lateness is its own, and everybody else's service is not late by it.
pub const FLOODS: [&str; 2] = ["backlog", "sends-backlog"];

/// The queues whose function leaves no pulse, since it has no table: how late they are, only alarms say.
pub const UNTOLD: [&str; 1] = ["hooks"];

impl Component {
    /// Those that there are, in the order of the page.
    pub const ALL: [Self; 7] = [
        Self::Ingestion,
        Self::Evaluation,
        Self::Scheduling,
        Self::TransactionalMail,
        Self::TriggeredMail,
        Self::Feedback,
        Self::Console,
    ];

    /// What is not offered yet, so that nothing can be said about it.
    pub const NOT_OFFERED: [&'static str; 2] = ["Newsletters", "Reports"];

    /// What programs call it, and the history for ever.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Ingestion => "ingestion",
            Self::Evaluation => "evaluation",
            Self::Scheduling => "scheduling",
            Self::TransactionalMail => "transactional_mail",
            Self::TriggeredMail => "triggered_mail",
            Self::Feedback => "feedback",
            Self::Console => "console",
        }
    }

    /// What people call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ingestion => "Ingestion",
            Self::Evaluation => "Evaluation",
            Self::Scheduling => "Scheduling",
            Self::TransactionalMail => "Transactional mail",
            Self::TriggeredMail => "Triggered mail",
            Self::Feedback => "Feedback",
            Self::Console => "Console",
        }
    }

    /// The stems of the queues that its work lies on. Every queue is somebody's, or one of [`FLOODS`] or [`UNTOLD`] (a test of the data
    /// layer).
    #[must_use]
    pub const fn queues(self) -> &'static [&'static str] {
        match self {
            Self::Ingestion | Self::Console => &[],
            Self::Evaluation => &["events"],
            Self::Scheduling => &["steps"],
            Self::TransactionalMail => &["sends-transactional"],
            Self::TriggeredMail => &["sends"],
            Self::Feedback => &["feedback"],
        }
    }

    const fn mails(self) -> bool {
        matches!(self, Self::TransactionalMail | Self::TriggeredMail)
    }

    /// Whether it does nothing without the tables: all but ingestion (promise P2).
    const fn rests_on_tables(self) -> bool {
        !matches!(self, Self::Ingestion)
    }

    /// How it is, by readings that were just taken.
    #[must_use]
    pub fn judge(self, readings: &Readings) -> State {
        if self.rests_on_tables() && !readings.tables {
            return State::Down;
        }
        let mut state = State::Operational;
        for stem in self.queues() {
            state = state.max(match readings.queues.get(*stem) {
                Some(Some(queue)) => queue.judge(readings.at),
                Some(None) => State::Down,
                None => State::Unknown,
            });
        }
        if self == Self::Scheduling {
            state = state.max(readings.timers.map_or(State::Down, State::late));
        }
        if self.mails() {
            state = state.max(readings.provider.map_or(State::Operational, |said| said.judge(readings.at)));
        }
        state
    }
}

/// How a component is; the worse, the greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum State {
    /// As promised.
    Operational,
    /// There is no reading.
    Unknown,
    /// Everything is done, so much later than promised.
    Delayed {
        /// By how many seconds.
        seconds: i64,
    },
    /// Nothing is done.
    Down,
}

impl State {
    /// Delayed by so much, unless it is within the promise.
    #[must_use]
    pub fn late(late: SignedDuration) -> Self {
        if late > LATE { Self::Delayed { seconds: late.as_secs() } } else { Self::Operational }
    }
}

impl std::fmt::Display for State {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Operational => out.write_str("operational"),
            Self::Unknown => out.write_str("not known"),
            Self::Delayed { seconds } => write!(out, "delayed by {seconds} s"),
            Self::Down => out.write_str("down"),
        }
    }
}

/// How every component is now, by the last judgement of the minute's sweep. Where that is too old, the sweep does not
/// run: nothing brings timers, and of the others nothing is known.
#[must_use]
pub fn present(history: &History, now: Timestamp) -> Vec<(Component, State)> {
    let is_stale = now.duration_since(history.at) > STALE;
    let state = |component: Component| match component {
        Component::Scheduling if is_stale => State::Down,
        _ if is_stale => State::Unknown,
        component => history.now.get(component.code()).copied().unwrap_or(State::Unknown),
    };
    Component::ALL.iter().map(|component| (*component, state(*component))).collect()
}

#[cfg(test)]
mod tests;
