//! Readings: what is measured, and what each says by itself.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{FRESH, SAID, STUCK, State};

/// Everything that is measured at one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readings {
    /// When.
    pub at: Timestamp,
    /// Whether the tables answer.
    pub tables: bool,
    /// How late timers are handed over; nothing where their table does not answer.
    pub timers: Option<SignedDuration>,
    /// The queues by stem; nothing where one does not answer.
    pub queues: BTreeMap<String, Option<QueueReading>>,
    /// What SES said last, if ever.
    pub provider: Option<Provider>,
}

/// A queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueReading {
    /// Messages that wait or are in work; those that are held back on purpose are not counted.
    pub waiting: u64,
    /// Since which reading there have been some at every one.
    pub since: Option<Timestamp>,
    /// The last sign of life of the function that reads it.
    pub pulse: Option<Pulse>,
}

/// A function's sign of life at a queue: at most once a minute, when it has done something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pulse {
    /// When.
    pub at: Timestamp,
    /// How long the oldest task that it did had waited since it was due, in milliseconds.
    pub late_millis: i64,
}

impl QueueReading {
    /// How late the queue is. A fresh pulse has measured it; without one, nothing was done since the last, or since
    /// messages were first seen.
    #[must_use]
    pub fn late(&self, now: Timestamp) -> SignedDuration {
        if self.waiting == 0 {
            return SignedDuration::ZERO;
        }
        let pulse = self.pulse.map(|pulse| (pulse.at, SignedDuration::from_millis(pulse.late_millis)));
        match pulse {
            Some((at, late)) if now.duration_since(at) <= FRESH => late,
            pulse => {
                let oldest = pulse.map(|(at, late)| at - late);
                now.duration_since(oldest.max(self.since).unwrap_or(now))
            }
        }
    }

    pub(super) fn judge(&self, now: Timestamp) -> State {
        let is_done = self.pulse.is_some_and(|pulse| now.duration_since(pulse.at) <= STUCK);
        let late = self.late(now);
        if late > STUCK && !is_done { State::Down } else { State::late(late) }
    }
}

/// What SES says to mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mailing {
    /// It takes them, or refuses one for what it is.
    Taken,
    /// Over a limit: they go later.
    Later,
    /// It takes none of this account.
    Paused,
}

/// SES's last word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Provider {
    /// When it was heard.
    pub at: Timestamp,
    /// Which it was.
    pub said: Mailing,
    /// Since when it has been the same.
    pub since: Timestamp,
}

impl Provider {
    pub(super) fn judge(self, now: Timestamp) -> State {
        match self.said {
            Mailing::Taken => State::Operational,
            _ if now.duration_since(self.at) > SAID => State::Operational,
            Mailing::Later => State::late(now.duration_since(self.since)),
            Mailing::Paused => State::Down,
        }
    }
}
